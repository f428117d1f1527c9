//! `[[device]]`.

use std::ops::Range;

use weighbridge_protocol::dlt645::Address;
use weighbridge_protocol::modbus::UnitId;
use weighbridge_protocol::{Decimal, DeviceAddress};

use super::instrument::read_instrument;
use super::measure::{Offer, read_measure, read_rated_maximum};
use super::poll::{Ratios, read_channels};
use super::{Surroundings, read_identifier};
use crate::code::Code;
use crate::profile::{LineSettings, Parity, Profile, ProtocolLimits, SharedProfile};
use crate::quantity;
use crate::raw::{Reported, Table, Value, borrow, nearest_hint};
use crate::site::{Connection, Device, Link};

pub(super) const KEYS: &[&str] = &[
    "name",
    "link",
    "profile",
    "address",
    "line",
    "ratio",
    "poll",
    "measures",
    "rated_maximum",
    "instrument",
];

/// The address to which every DL/T 645 meter listens and none replies (DL/T 645-2007, 5.2.2).
const DLT645_BROADCAST: &str = "999999999999";

pub(super) fn read_device(table: &Table<'_>, around: &Surroundings<'_, '_>) -> Result<Device, Reported> {
    let name = table.required("name", read_identifier);
    let link = table.required("link", |value| around.link_names.resolve(value, Code::UnknownLink, "link"));
    let profile = table.required("profile", |value| around.profile(value));
    let address = table.required("address", |value| {
        let address = read_address(value, borrow(&profile)?)?;
        around.claim_address(value, link?, address)
    });
    let line = read_line(table, link.and_then(|link| borrow(&around.links[link])), &profile);
    let ratios = table.or("ratio", Ratios::default(), read_ratios);
    let channels = borrow(&profile).and_then(|profile| read_channels(table, profile, ratios));
    let offer = Offer {
        profile: borrow(&profile).map(|profile| &**profile),
        channels: borrow(&channels).map(Vec::as_slice),
    };
    let measures = table.optional("measures", |value| read_measure(value, offer, &around.section_names));
    let rated = table.optional("rated_maximum", |value| {
        read_rated_maximum(value, offer, measures.as_ref().ok().and_then(Option::as_ref))
    });
    let instrument = read_instrument(table, offer.profile.map(|profile| profile.kind));
    Ok(Device {
        name: name?,
        link: link?,
        profile: profile?,
        address: address?,
        line: line?,
        channels: channels?,
        rated_maximum_per_hour: rated?,
        measures: measures?,
        instrument: instrument?,
    })
}

impl Surroundings<'_, '_> {
    fn profile(&self, value: &Value<'_>) -> Result<SharedProfile, Reported> {
        let name = value.text()?;
        self.library.get(name).ok_or_else(|| {
            let fault = value.fault(Code::UnknownProfile, format!("there is no profile `{name}`"));
            value.report.error(fault.label("not known").hint(nearest_hint(name, self.library.names())))
        })
    }

    /// Each address of a link belongs to one device.
    fn claim_address(
        &self,
        value: &Value<'_>,
        link: usize,
        address: DeviceAddress,
    ) -> Result<DeviceAddress, Reported> {
        let mut addresses = self.addresses.borrow_mut();
        let same = |(other_link, other, _): &&(usize, DeviceAddress, Range<usize>)| {
            *other_link == link && *other == address
        };
        if let Some((_, _, earlier)) = addresses.iter().find(same) {
            let label = format!("taken in {}", value.report.line_of(earlier.start));
            let message = format!("two devices on one link have the address {address}");
            let fault = value.fault(Code::DuplicateAddress, message).label(label);
            let hint = "give one of the devices another address, or put them on links of their own";
            return Err(value.report.error(fault.hint(hint)));
        }
        addresses.push((link, address, value.span.clone()));
        Ok(address)
    }
}

fn read_address(value: &Value<'_>, profile: &Profile) -> Result<DeviceAddress, Reported> {
    match profile.protocol {
        ProtocolLimits::Dlt645 => read_meter_address(value),
        ProtocolLimits::Modbus { .. } => read_unit(value),
    }
}

fn read_meter_address(value: &Value<'_>) -> Result<DeviceAddress, Reported> {
    let written = value.value.as_str().filter(|text| *text != DLT645_BROADCAST);
    let address = written.and_then(|text| text.parse::<Address>().ok());
    address.map(DeviceAddress::Dlt645).ok_or_else(|| {
        let fault = value.fault(Code::BadAddress, "this is no address of a DL/T 645 meter");
        let hint =
            "write the 12 digits of the name plate in quotes, with their leading zeros: \"000000123456\"";
        value.report.error(fault.label("needs 12 decimal digits in quotes, not all of them 9").hint(hint))
    })
}

fn read_unit(value: &Value<'_>) -> Result<DeviceAddress, Reported> {
    let written = match value.value.as_str() {
        Some(text) => text.parse().ok(),
        None => value
            .value
            .as_integer()
            .and_then(|integer| u8::from_str_radix(integer.as_str(), integer.radix()).ok()),
    };
    written.and_then(UnitId::new).map(DeviceAddress::Modbus).ok_or_else(|| {
        let fault = value.fault(Code::BadAddress, "this is no address of a Modbus device");
        let hint = "write the unit number that is set at the device: address = 11";
        value.report.error(fault.label("must be an integer from 1 to 247").hint(hint))
    })
}

fn read_line(
    table: &Table<'_>,
    link: Result<&Link, Reported>,
    profile: &Result<SharedProfile, Reported>,
) -> Result<LineSettings, Reported> {
    if let Ok(Link { connection: Connection::ModbusTcp { .. }, line, .. }) = link {
        let refused = refuse_line(table);
        return check_over_tcp(table, borrow(profile)?).and(refused).and(Ok(*line));
    }
    let line = super::link::read_line(table, link.map(|link| link.line))?;
    let profile = borrow(profile)?;
    if profile.protocol == ProtocolLimits::Dlt645 && line.parity != Parity::Even {
        warn_of_parity(table, line);
    }
    if profile.supported_baud.contains(&line.baud) {
        return Ok(line);
    }
    let known: Vec<_> = profile.supported_baud.iter().map(u32::to_string).collect();
    let message = format!("{} cannot run at {} bit/s", profile.name, line.baud);
    let fault = Code::UnsupportedBaud.at(super::link::stating_span(table, "baud"), message);
    let hint = format!("it can be set to {}: add line = {{ baud = ... }}", known.join(", "));
    Err(table.report.error(fault.label(line.to_string()).hint(hint)))
}

fn warn_of_parity(table: &Table<'_>, line: LineSettings) {
    let span = super::link::stating_span(table, "parity");
    let fault = Code::UnusualParity.at(span, format!("{} is asked with parity {}", table.title, line.parity));
    table.report.warn(fault.label(line.to_string()).hint("add line = { parity = \"even\" }"));
}

/// A device behind TCP has no line of ours to set.
fn refuse_line(table: &Table<'_>) -> Result<(), Reported> {
    let Some(value) = table.get("line") else { return Ok(()) };
    let fault = Code::UnknownKey.at(value.key_span, format!("{} hangs on a TCP connection", table.title));
    Err(table.report.error(fault.label("nothing reads this").hint("leave `line` out")))
}

fn check_over_tcp(table: &Table<'_>, profile: &Profile) -> Result<(), Reported> {
    if matches!(profile.protocol, ProtocolLimits::Modbus { .. }) {
        return Ok(());
    }
    let span = table.get("link").map_or(table.span.clone(), |value| value.span);
    let fault = Code::NotOverTcp.at(span, format!("{} speaks DL/T 645, this link Modbus TCP", profile.name));
    Err(table.report.error(fault.label("not spoken here").hint("hang it on a link with `serial`")))
}

fn read_ratios(value: &Value<'_>) -> Result<Ratios, Reported> {
    let table = value.part(Some(&["ct", "pt"]))?;
    let current = table.optional("ct", read_ratio);
    let voltage = table.optional("pt", read_ratio);
    Ok(Ratios { current: current?, voltage: voltage? })
}

fn read_ratio(value: &Value<'_>) -> Result<Decimal, Reported> {
    let text = value.text()?;
    quantity::ratio(text).ok_or_else(|| {
        let fault = value.fault(Code::BadRatio, format!("\"{text}\" is no transformer ratio"));
        let hint =
            "write primary/secondary such as \"200/5\"; energy is counted exactly, so \"100/3\" cannot be";
        value.report.error(fault.label("not positive, or no finite decimal").hint(hint))
    })
}
