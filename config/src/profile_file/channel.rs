//! Reading one `[[channel]]` of a profile.

use weighbridge_protocol::dlt645::{DataIdentifier, Format};
use weighbridge_protocol::modbus::{ReadFunction, RegisterFormat, RegisterType, WordOrder};
use weighbridge_protocol::{Decimal, Item};

use super::{Encoding, Protocol, WORD_ORDERS, is_identifier, read_function};
use crate::code::Code;
use crate::profile::{ChannelKind, ProfileChannel, RatioUse};
use crate::raw::{Reported, Table, Value};
use crate::unit::Unit;

const KEYS: &[&str] = &["name", "group", "kind", "unit", "ratio"];
const DLT645_KEYS: &[&str] = &["di", "format", "signed"];
const MODBUS_KEYS: &[&str] =
    &["register", "type", "scale", "digits", "resolution", "absent", "function", "word_order"];

const KINDS: &[(&str, ChannelKind)] =
    &[("counter", ChannelKind::Counter), ("gauge", ChannelKind::Gauge), ("state", ChannelKind::State)];
const RATIOS: &[(&str, RatioUse)] = &[
    ("none", RatioUse::None),
    ("ct", RatioUse::Current),
    ("pt", RatioUse::Voltage),
    ("both", RatioUse::Both),
];
const TYPES: &[(&str, RegisterType)] = &[
    ("uint16", RegisterType::U16),
    ("int16", RegisterType::I16),
    ("uint32", RegisterType::U32),
    ("int32", RegisterType::I32),
    ("uint64", RegisterType::U64),
    ("int64", RegisterType::I64),
    ("float32", RegisterType::F32),
    ("float64", RegisterType::F64),
];

/// The keys of a channel of this protocol.
pub(super) fn keys(protocol: Protocol) -> impl Iterator<Item = &'static str> {
    let own = if protocol == Protocol::Dlt645 { DLT645_KEYS } else { MODBUS_KEYS };
    KEYS.iter().chain(own).copied()
}

/// No channel has the name of a group that holds other channels: `poll` could mean either.
pub(super) fn check_groups(tables: &[Table<'_>]) {
    let text =
        |table: &Table<'_>, key| table.get(key).and_then(|value| value.value.as_str().map(str::to_owned));
    for table in tables {
        let (Some(name), Some(value)) = (text(table, "name"), table.get("name")) else { continue };
        let mut others = tables.iter().filter(|other| text(other, "name").as_ref() != Some(&name));
        if others.any(|other| text(other, "group").as_ref() == Some(&name)) {
            let message = format!("`{name}` is a channel and a group of others");
            value.error(Code::AmbiguousGroup, message, "name the channel or the group differently");
        }
    }
}

pub(super) fn read_channel(table: &Table<'_>, encoding: &Encoding) -> Result<ProfileChannel, Reported> {
    let kind = table.required("kind", |value| value.word(KINDS));
    let name = table.required("name", read_identifier);
    let group = table.optional("group", read_identifier);
    let unit = table.required("unit", read_unit);
    let ratio = table.or("ratio", RatioUse::None, |value| value.word(RATIOS));
    let place = match encoding {
        Encoding::Dlt645 => read_dlt645(table, kind),
        Encoding::Modbus { function, word_order, max_registers } => {
            read_modbus(table, kind, *function, *word_order, *max_registers)
        }
    };
    let (kind, place) = (kind?, place?);
    Ok(ProfileChannel {
        name: name?,
        group: group?.unwrap_or_else(|| kind.to_string()),
        kind,
        unit: unit?,
        item: place.item,
        scale: place.scale,
        ratio: ratio?,
        capacity: place.capacity,
        resolution: place.resolution,
    })
}

/// Where a value sits and what its counts are worth.
struct Place {
    item: Item,
    scale: Decimal,
    capacity: Option<i128>,
    resolution: Option<Decimal>,
}

fn read_dlt645(table: &Table<'_>, kind: Result<ChannelKind, Reported>) -> Result<Place, Reported> {
    let di = table.required("di", |value| {
        value.text()?.parse::<DataIdentifier>().map_err(|why| {
            value.error(
                Code::BadIdentifier,
                format!("`di` is no data identifier: {why}"),
                "eight hexadecimal digits such as \"00010000\"",
            )
        })
    });
    let signed = table.or("signed", false, Value::boolean);
    let format = table.required("format", |value| {
        let format: Format = value.text()?.parse().map_err(|why| {
            value.error(
                Code::BadIdentifier,
                format!("`format` is no format: {why}"),
                "written as in DL/T 645, such as \"XXXXXX.XX\"",
            )
        })?;
        Ok(format)
    });
    let format = Format { signed: signed?, ..format? };
    let digits = u32::from(format.bytes) * 2;
    let capacity = (kind? == ChannelKind::Counter).then(|| 10_i128.pow(digits));
    let scale = Decimal::new(1, -i8::try_from(format.decimals).unwrap_or(i8::MAX));
    Ok(Place { item: Item::Dlt645 { di: di?, format }, scale, capacity, resolution: None })
}

fn read_modbus(
    table: &Table<'_>,
    kind: Result<ChannelKind, Reported>,
    default_function: Result<ReadFunction, Reported>,
    default_order: Result<WordOrder, Reported>,
    max_registers: u16,
) -> Result<Place, Reported> {
    let kind_of_register = table.required("type", |value| value.word(TYPES));
    let start = table.required("register", |value| read_register(value, kind_of_register, max_registers));
    let scale = table.or("scale", Decimal::ONE, read_scale);
    let function = table.optional("function", read_function);
    let order = table.optional("word_order", |value| value.word(WORD_ORDERS));
    let absent = table.or("absent", Vec::new(), |value| read_absent(value, kind_of_register?));
    let capacity = read_capacity(table, kind, kind_of_register);
    let resolution = read_resolution(table, kind, kind_of_register);
    let order = order?.map_or(default_order, Ok);
    let function = function?.map_or(default_function, Ok);
    let format = RegisterFormat { kind: kind_of_register?, order: order?, absent: absent? };
    let item = Item::Modbus { function: function?, start: start?, format };
    Ok(Place { item, scale: scale?, capacity: capacity?, resolution: resolution? })
}

fn read_identifier(value: &Value<'_>) -> Result<String, Reported> {
    let text = value.text()?;
    let label = "letters, digits, `-`, `_` and `.` only";
    if is_identifier(text) {
        Ok(text.to_owned())
    } else {
        Err(value.error(Code::BadName, format!("`{text}` cannot be a name"), label))
    }
}

fn read_unit(value: &Value<'_>) -> Result<Unit, Reported> {
    value.text()?.parse::<Unit>().map_err(|why| {
        let symbols: Vec<_> = Unit::ALL.iter().map(|unit| unit.symbol()).collect();
        let fault = value.fault(Code::BadUnit, format!("unknown unit `{}`", why.0));
        value
            .report
            .error(fault.label("no channel can carry this").hint(format!("one of {}", symbols.join(", "))))
    })
}

fn read_register(
    value: &Value<'_>,
    kind: Result<RegisterType, Reported>,
    max_registers: u16,
) -> Result<u16, Reported> {
    let start: u16 = value.narrow(0..=0xFFFF)?;
    let width = kind?.registers();
    let message = if width > max_registers {
        format!("a value of {width} registers, where one request may ask for {max_registers}")
    } else if u32::from(start) + u32::from(width) > 0x1_0000 {
        format!("register {start} begins a value that runs past 65535")
    } else {
        return Ok(start);
    };
    Err(value.error(Code::BadRegister, message, "the address as on the wire, counted from 0"))
}

fn read_scale(value: &Value<'_>) -> Result<Decimal, Reported> {
    let scale = value.decimal()?;
    if scale.mantissa() == 0 { Err(value.out_of_range(scale, "any number", "but 0")) } else { Ok(scale) }
}

fn read_absent(value: &Value<'_>, kind: RegisterType) -> Result<Vec<u64>, Reported> {
    let read_mark = |element: &Value<'_>| {
        let text = element.text()?;
        let mark = text.strip_prefix("0x").and_then(|hex| u64::from_str_radix(hex, 16).ok());
        mark.filter(|mark| kind.registers() == 4 || *mark >> (16 * kind.registers()) == 0).ok_or_else(|| {
            let label = format!("hexadecimal digits for {} registers, such as \"0xFFFF\"", kind.registers());
            element.error(Code::BadAbsentMark, format!("`{text}` is no bit pattern of this type"), label)
        })
    };
    value.elements("[\"0x80000000\"]")?.iter().map(read_mark).collect()
}

/// The counts after which a counter starts again: stated by its digits, else by its type.
fn read_capacity(
    table: &Table<'_>,
    kind: Result<ChannelKind, Reported>,
    register: Result<RegisterType, Reported>,
) -> Result<Option<i128>, Reported> {
    let stated = table.optional("digits", |value| {
        let digits: u32 = value.narrow(1..=19)?;
        let (capacity, fits) = (10_i128.pow(digits), type_capacity(register?));
        if kind? != ChannelKind::Counter {
            return Err(value.error(Code::BadDigits, "`digits` belongs to counters", "this channel is none"));
        }
        if fits.is_none_or(|most| capacity > most) {
            return Err(value.error(
                Code::BadDigits,
                format!("{digits} digits do not fit the register"),
                "too many for this type",
            ));
        }
        Ok(capacity)
    })?;
    if kind? != ChannelKind::Counter {
        return Ok(None);
    }
    Ok(stated.or(type_capacity(register?)))
}

fn read_resolution(
    table: &Table<'_>,
    kind: Result<ChannelKind, Reported>,
    register: Result<RegisterType, Reported>,
) -> Result<Option<Decimal>, Reported> {
    let floating = type_capacity(register?).is_none();
    let stated = table.optional("resolution", |value| {
        let resolution = value.decimal()?;
        if floating && kind? == ChannelKind::Counter && resolution.mantissa() > 0 {
            return Ok(resolution);
        }
        Err(value.error(
            Code::OutOfRange,
            "`resolution` is a positive number, for counters in floating point",
            "not needed here",
        ))
    })?;
    if floating && kind? == ChannelKind::Counter && stated.is_none() {
        let fault =
            Code::NoResolution.at(table.name_span(), format!("{} counts in floating point", table.title));
        let hint = "add resolution = \"0.01\": the place of the last digit that the device counts in, in the channel's unit";
        return Err(table.report.error(fault.label("`resolution` is missing").hint(hint)));
    }
    Ok(stated)
}

/// Counts from 0 to the highest of the type and the step to 0 again; a signed counter uses its positive half.
/// `None` for floating point, which has no such count.
const fn type_capacity(kind: RegisterType) -> Option<i128> {
    match kind {
        RegisterType::U16 => Some(1 << 16),
        RegisterType::I16 => Some(1 << 15),
        RegisterType::U32 => Some(1 << 32),
        RegisterType::I32 => Some(1 << 31),
        RegisterType::U64 => Some(1 << 64),
        RegisterType::I64 => Some(1 << 63),
        RegisterType::F32 | RegisterType::F64 => None,
    }
}
