//! `[[link]]`, and the line settings of links and devices.

use std::ops::Range;

use crate::code::Code;
use crate::profile::{LineSettings, Parity};
use crate::profile_file::{PARITIES, read_baud};
use crate::raw::{Reported, Table, Value};
use crate::site::{Connection, Link};

pub(super) const KEYS: &[&str] = &["name", "serial", "modbus_tcp"];
const SERIAL_KEYS: &[&str] = &["port", "baud", "parity", "stop_bits"];
const TCP_KEYS: &[&str] = &["host", "port"];
const LINE_KEYS: &[&str] = &["baud", "parity", "stop_bits"];

/// The port registered for Modbus over TCP.
const MODBUS_TCP_PORT: u16 = 502;
/// Stands where a TCP connection has no line.
const NO_LINE: LineSettings = LineSettings { baud: 115_200, parity: Parity::None, stop_bits: 1 };

pub(super) fn read_link(table: &Table<'_>) -> Result<Link, Reported> {
    let name = table.required("name", super::read_identifier);
    let serial = table.optional("serial", read_serial);
    let tcp = table.optional("modbus_tcp", read_tcp);
    let (connection, line) = match (serial?, tcp?) {
        (Some(connected), None) | (None, Some(connected)) => connected,
        (None, None) => {
            let hint = "add serial = { port = \"...\", baud = 9600 } or modbus_tcp = { host = \"...\" }";
            return Err(table.report.error(table.missing_fault("serial").hint(hint)));
        }
        (Some(_), Some(_)) => {
            let fault = Code::TwoConnections.at(table.name_span(), "one link, two ways to it");
            return Err(table
                .report
                .error(fault.label("`serial` and `modbus_tcp`").hint("make it two links")));
        }
    };
    Ok(Link { name: name?, connection, line })
}

fn read_serial(value: &Value<'_>) -> Result<(Connection, LineSettings), Reported> {
    let serial = value.part(Some(SERIAL_KEYS))?;
    let port = serial.required("port", Value::title);
    let baud = serial.required("baud", read_baud);
    let parity = serial.or("parity", Parity::None, |value| value.word(PARITIES));
    let stop_bits = serial.or("stop_bits", 1, |value| value.narrow(1..=2));
    let line = LineSettings { baud: baud?, parity: parity?, stop_bits: stop_bits? };
    Ok((Connection::Serial { port: port? }, line))
}

fn read_tcp(value: &Value<'_>) -> Result<(Connection, LineSettings), Reported> {
    let tcp = value.part(Some(TCP_KEYS))?;
    let host = tcp.required("host", |value| {
        let host = value.title()?;
        let plain = !host.contains(|c: char| c.is_whitespace() || c == '/');
        let message = format!("\"{host}\" is no host");
        if plain { Ok(host) } else { Err(value.error(Code::BadText, message, "a name or address alone")) }
    });
    let port = tcp.or("port", MODBUS_TCP_PORT, |value| value.narrow(1..=65_535));
    Ok((Connection::ModbusTcp { host: host?, port: port? }, NO_LINE))
}

/// The line settings of a device: what it states itself, and the link's where it does not.
pub(super) fn read_line(
    table: &Table<'_>,
    link: Result<LineSettings, Reported>,
) -> Result<LineSettings, Reported> {
    let Some(line) = table.optional("line", |value| value.part(Some(LINE_KEYS)))? else { return link };
    let baud = line.optional("baud", read_baud);
    let parity = line.optional("parity", |value| value.word(PARITIES));
    let stop_bits = line.optional("stop_bits", |value| value.narrow(1..=2));
    let (baud, parity, stop_bits, link) = (baud?, parity?, stop_bits?, link?);
    Ok(LineSettings {
        baud: baud.unwrap_or(link.baud),
        parity: parity.unwrap_or(link.parity),
        stop_bits: stop_bits.unwrap_or(link.stop_bits),
    })
}

/// Where a device states this line setting: in its own `line`, or by its choice of link.
pub(super) fn stating_span(table: &Table<'_>, setting: &str) -> Range<usize> {
    let own = table.get("line").and_then(|line| line.child(setting));
    own.or_else(|| table.get("link")).map_or(table.span.clone(), |value| value.span)
}

/// One port has one owner: two links on one port would speak at once.
pub(super) fn refuse_shared_ports(tables: &[Table<'_>]) {
    let ports: Vec<_> = tables.iter().filter_map(port).collect();
    for (index, value) in ports.iter().enumerate() {
        let earlier = ports[..index].iter().find(|earlier| earlier.value.as_str() == value.value.as_str());
        if let Some(earlier) = earlier {
            let label = format!("taken in {}", value.report.line_of(earlier.span.start));
            let fault = value.fault(Code::SharedPort, "two links use one serial port").label(label);
            value
                .report
                .error(fault.hint("devices on one port belong to one link; each may have its own `line`"));
        }
    }
}

/// The port of a link, if it is a text.
fn port<'a>(table: &Table<'a>) -> Option<Value<'a>> {
    table.get("serial")?.child("port").filter(|port| port.value.is_str())
}
