//! Reading a profile: TOML text to [`Profile`].

mod channel;

use weighbridge_protocol::modbus::{ReadFunction, WordOrder};

use crate::code::Code;
use crate::diagnostic::Faults;
use crate::profile::{DeviceKind, LineSettings, Parity, Profile, ProfileChannel, ProtocolLimits};
use crate::raw::{Document, Names, Report, Reported, Table, Value};

/// The longest time to the first byte of a reply where a profile states none. DL/T 645-2007 5.3.3 allows 500
/// ms.
const DEFAULT_MAX_TURN_ROUND_MS: u32 = 500;
/// The silence before the next request where a profile states none: some meters miss a request that follows a
/// reply at once.
const DEFAULT_MIN_GAP_MS: u32 = 50;
/// The most registers that one request may ask for (Modbus application protocol V1.1b3, 6.3).
const MODBUS_MAX_REGISTERS: u16 = 125;

const KEYS: &[&str] = &["profile", "line", "limits", "modbus", "channel"];
const IDENTITY_KEYS: &[&str] = &["name", "vendor", "model", "kind", "protocol", "sources", "notes"];
const LINE_KEYS: &[&str] = &["baud", "parity", "stop_bits", "supported_baud"];
const DLT645_LIMIT_KEYS: &[&str] = &["max_turn_round", "min_gap"];
const MODBUS_KEYS: &[&str] = &["function", "word_order"];
const MODBUS_LIMIT_KEYS: &[&str] = &["max_turn_round", "min_gap", "max_registers", "read_across_holes"];

const KINDS: &[(&str, DeviceKind)] =
    &[("electricity", DeviceKind::Electricity), ("flow", DeviceKind::Flow), ("scale", DeviceKind::Scale)];
const PROTOCOLS: &[(&str, Protocol)] = &[("dlt645-2007", Protocol::Dlt645), ("modbus-rtu", Protocol::Modbus)];
const WORD_ORDERS: &[(&str, WordOrder)] = &[
    ("ABCD", WordOrder::Abcd),
    ("CDAB", WordOrder::Cdab),
    ("BADC", WordOrder::Badc),
    ("DCBA", WordOrder::Dcba),
];
pub(crate) const PARITIES: &[(&str, Parity)] =
    &[("none", Parity::None), ("even", Parity::Even), ("odd", Parity::Odd)];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Dlt645,
    Modbus,
}

impl Profile {
    /// Reads a profile from the text of a TOML file. `name` is the file's name, for messages only: the
    /// profile's own name stands in the file.
    ///
    /// # Errors
    /// Every fault of the file at once.
    pub fn parse(name: &str, text: &str) -> Result<Profile, Faults> {
        let report = Report::new(name, text);
        let document = Document::parse(&report);
        let outcome = document.top(&report, KEYS).and_then(|top| read_profile(&top));
        report.close(outcome).map(|(profile, _)| profile)
    }
}

fn read_profile(top: &Table<'_>) -> Result<Profile, Reported> {
    let identity = top.required("profile", |value| value.table("[profile]", Some(IDENTITY_KEYS)))?;
    let protocol = identity.required("protocol", |value| value.word(PROTOCOLS));
    let wire = protocol.and_then(|protocol| read_wire(top, protocol));
    let name = identity.required("name", read_name);
    let vendor = identity.required("vendor", Value::title);
    let model = identity.required("model", Value::title);
    let kind = identity.required("kind", |value| value.word(KINDS));
    let sources = identity.or("sources", Vec::new(), read_lines);
    let notes = identity.or("notes", Vec::new(), read_lines);
    let Wire { limits, line, supported_baud, channels } = wire?;
    Ok(Profile {
        name: name?,
        vendor: vendor?,
        model: model?,
        kind: kind?,
        sources: sources?,
        notes: notes?,
        protocol: limits.protocol,
        line,
        supported_baud,
        max_turn_round_ms: limits.max_turn_round_ms,
        min_gap_ms: limits.min_gap_ms,
        channels,
    })
}

/// What a profile says about the wire, all of which depends on the protocol.
struct Wire {
    limits: Limits,
    line: LineSettings,
    supported_baud: Vec<u32>,
    channels: Vec<ProfileChannel>,
}

fn read_wire(top: &Table<'_>, protocol: Protocol) -> Result<Wire, Reported> {
    let line = top.required("line", |value| read_line(value, protocol));
    let limits = read_limits(top, protocol);
    let encoding = read_encoding(top, protocol, &limits);
    let channels = read_channels(top, protocol, &encoding);
    let (line, supported_baud) = line?;
    Ok(Wire { limits: limits?, line, supported_baud, channels: channels? })
}

/// `maker/model`: two parts of letters, digits, `-`, `_` and `.`.
fn read_name(value: &Value<'_>) -> Result<String, Reported> {
    let text = value.text()?;
    let (maker, model) = text.split_once('/').unwrap_or(("", text));
    let fine = [maker, model].iter().all(|part| is_identifier(part));
    if fine {
        Ok(text.to_owned())
    } else {
        Err(value.error(Code::BadName, format!("`{text}` is no name of a profile"), "write maker/model"))
    }
}

/// Whether a text can stand in a topic, a path and a report: letters and digits of any script, `-`, `_`, `.`,
/// at most 64 characters, and not dots alone.
pub(crate) fn is_identifier(text: &str) -> bool {
    (1..=64).contains(&text.chars().count())
        && text.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c))
        && text.chars().any(|c| c != '.')
}

fn read_lines(value: &Value<'_>) -> Result<Vec<String>, Reported> {
    value.elements("[\"...\", \"...\"]")?.iter().map(Value::title).collect()
}

fn read_line(value: &Value<'_>, protocol: Protocol) -> Result<(LineSettings, Vec<u32>), Reported> {
    let table = value.table("[line]", Some(LINE_KEYS))?;
    let default_parity = if protocol == Protocol::Dlt645 { Parity::Even } else { Parity::None };
    let baud = table.required("baud", read_baud);
    let parity = table.or("parity", default_parity, |value| value.word(PARITIES));
    let stop_bits = table.or("stop_bits", 1, |value| value.narrow(1..=2));
    let supported = table.optional("supported_baud", |value| {
        let supported: Result<Vec<u32>, _> = value.elements("[2400, 9600]")?.iter().map(read_baud).collect();
        let (supported, baud) = (supported?, baud?);
        if supported.contains(&baud) {
            return Ok(supported);
        }
        Err(value.error(
            Code::OutOfRange,
            format!("`supported_baud` lacks the factory setting {baud}"),
            "add it here",
        ))
    });
    let line = LineSettings { baud: baud?, parity: parity?, stop_bits: stop_bits? };
    Ok((line, supported?.unwrap_or_else(|| vec![line.baud])))
}

pub(crate) fn read_baud(value: &Value<'_>) -> Result<u32, Reported> {
    value.narrow(300..=921_600)
}

struct Limits {
    protocol: ProtocolLimits,
    max_turn_round_ms: u32,
    min_gap_ms: u32,
}

fn read_limits(top: &Table<'_>, protocol: Protocol) -> Result<Limits, Reported> {
    let keys = if protocol == Protocol::Dlt645 { DLT645_LIMIT_KEYS } else { MODBUS_LIMIT_KEYS };
    let table = top.optional("limits", |value| value.table("[limits]", Some(keys)))?;
    let time = |key, default, longest| match &table {
        Some(table) => table.or(key, default, |value| value.milliseconds(0..=longest)),
        None => Ok(default),
    };
    let max_turn_round_ms = time("max_turn_round", DEFAULT_MAX_TURN_ROUND_MS, 60_000);
    let min_gap_ms = time("min_gap", DEFAULT_MIN_GAP_MS, 10_000);
    let protocol = match protocol {
        Protocol::Dlt645 => Ok(ProtocolLimits::Dlt645),
        Protocol::Modbus => read_modbus_limits(table.as_ref()),
    };
    Ok(Limits { protocol: protocol?, max_turn_round_ms: max_turn_round_ms?, min_gap_ms: min_gap_ms? })
}

fn read_modbus_limits(table: Option<&Table<'_>>) -> Result<ProtocolLimits, Reported> {
    let Some(table) = table else {
        return Ok(ProtocolLimits::Modbus { max_registers: MODBUS_MAX_REGISTERS, read_across_holes: false });
    };
    let max_registers = table
        .or("max_registers", MODBUS_MAX_REGISTERS, |value| value.narrow(1..=MODBUS_MAX_REGISTERS.into()));
    let read_across_holes = table.or("read_across_holes", false, Value::boolean);
    Ok(ProtocolLimits::Modbus { max_registers: max_registers?, read_across_holes: read_across_holes? })
}

/// What the channels of a profile have in common on the wire.
enum Encoding {
    Dlt645,
    Modbus {
        /// Read by this function unless the channel says otherwise.
        function: Result<ReadFunction, Reported>,
        /// In this order unless the channel says otherwise.
        word_order: Result<WordOrder, Reported>,
        /// The most registers that one request may ask for.
        max_registers: u16,
    },
}

/// Reads the table `[modbus]`, which a Modbus profile must have and another must not.
fn read_encoding(top: &Table<'_>, protocol: Protocol, limits: &Result<Limits, Reported>) -> Encoding {
    if protocol == Protocol::Dlt645 {
        top.get("modbus").inspect(refuse_modbus);
        return Encoding::Dlt645;
    }
    let max_registers = match limits.as_ref().map(|limits| &limits.protocol) {
        Ok(ProtocolLimits::Modbus { max_registers, .. }) => *max_registers,
        _ => MODBUS_MAX_REGISTERS,
    };
    let table = top.required("modbus", |value| value.table("[modbus]", Some(MODBUS_KEYS)));
    let (function, word_order) = match table {
        Ok(table) => (
            table.required("function", read_function),
            table.or("word_order", WordOrder::Abcd, |value| value.word(WORD_ORDERS)),
        ),
        Err(reported) => (Err(reported), Err(reported)),
    };
    Encoding::Modbus { function, word_order, max_registers }
}

fn refuse_modbus(value: &Value<'_>) {
    let fault = Code::UnknownKey.at(value.key_span.clone(), "[modbus] in a profile of DL/T 645");
    value
        .report
        .error(fault.label("nothing reads this").hint("write protocol = \"modbus-rtu\" in [profile]"));
}

/// Functions that read registers. Others write, and are never sent.
fn read_function(value: &Value<'_>) -> Result<ReadFunction, Reported> {
    match value.integer(0..=255)? {
        3 => Ok(ReadFunction::HoldingRegisters),
        4 => Ok(ReadFunction::InputRegisters),
        other => {
            let label = "3 reads holding registers, 4 input registers; no other function is used";
            Err(value.error(Code::OutOfRange, format!("`function` cannot be {other}"), label))
        }
    }
}

fn read_channels(
    top: &Table<'_>,
    protocol: Protocol,
    encoding: &Encoding,
) -> Result<Vec<ProfileChannel>, Reported> {
    let keys: Vec<&str> = channel::keys(protocol).collect();
    let tables = top.entries("channel", &keys)?;
    if tables.is_empty() {
        return Err(top.missing("[[channel]]"));
    }
    let channels: Vec<_> = tables.iter().map(|table| channel::read_channel(table, encoding)).collect();
    Names::collect(&tables, &channels, Ok(()));
    channel::check_groups(&tables);
    channels.into_iter().collect()
}
