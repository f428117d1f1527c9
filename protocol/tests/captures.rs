//! Frames that real meters, public test code and other people's implementations sent, through both sides of
//! the codecs. None of them was written by an encoder of ours; each names its source.

#![allow(clippy::unwrap_used)]

mod support;

use serde::Deserialize;
use support::{bytes_from_hex, outcome, outcome_by_piece};
use weighbridge_protocol::dlt645::{self, Address, ErrorByte, Frame, FrameScanner};
use weighbridge_protocol::modbus::rtu::{self, RequestScanner};
use weighbridge_protocol::modbus::{
    ExceptionCode, ReadFunction, RegisterFormat, RegisterType, UnitId, WordOrder,
};
use weighbridge_protocol::{
    BadValue, Decimal, Decoded, Exchange, Item, Outcome, Query, Raw, Refusal, dlt645::DataIdentifier,
};

#[derive(Deserialize)]
struct Capture<Meaning> {
    source: String,
    hex: String,
    #[serde(flatten)]
    meaning: Meaning,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Dlt645 {
    Request { address: String, di: String },
    Value(Box<Dlt645Value>),
    Refusal { address: String, error: u8 },
    Damaged,
}

/// A payload, and the values in it where the identifier's format is numeric: several for a block.
#[derive(Deserialize)]
struct Dlt645Value {
    address: String,
    di: String,
    payload: String,
    format: Option<String>,
    #[serde(default)]
    signed: bool,
    #[serde(default)]
    values: Vec<Option<String>>,
    bad: Option<String>,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Modbus {
    Request { unit: u8, function: u8, start: u16, count: u16 },
    Registers { unit: u8, function: u8, registers: Vec<u16>, items: Vec<ModbusItem> },
    Exception { unit: u8, function: u8, code: u8 },
    Damaged { unit: u8, function: u8, count: u16 },
}

#[derive(Deserialize)]
struct ModbusItem {
    offset: u16,
    kind: String,
    order: String,
    absent: Option<String>,
    value: Option<String>,
}

#[test]
fn dlt645_captures() {
    let captures: Vec<Capture<Dlt645>> =
        serde_json::from_str(include_str!("captures/dlt645_2007.json")).unwrap();
    assert!(captures.len() > 100);
    for Capture { source, hex, meaning } in captures {
        let wire = bytes_from_hex(&hex);
        match meaning {
            Dlt645::Request { address, di } => check_dlt645_request(&source, &wire, &address, &di),
            Dlt645::Value(value) => check_dlt645_value(&source, &wire, &value),
            Dlt645::Refusal { address, error } => {
                let query = dlt645_query(&address, "00010000", 4);
                let refused = Outcome::Refused(Refusal::Dlt645(ErrorByte(error)));
                check(&source, &query, &wire, Some(&refused));
                let payload = vec![error];
                check_contains(
                    &source,
                    &wire,
                    &dlt645_frame(&address, dlt645::control::REFUSAL, payload).encode(),
                );
            }
            Dlt645::Damaged => {
                let mut scanner = FrameScanner::new();
                assert_eq!(scanner.push(&wire), [], "{source}");
                assert_eq!(scanner.handle_silence(), [], "{source}");
            }
        }
    }
}

#[test]
fn modbus_captures() {
    let captures: Vec<Capture<Modbus>> =
        serde_json::from_str(include_str!("captures/modbus_rtu.json")).unwrap();
    assert!(captures.len() > 40);
    for Capture { source, hex, meaning } in captures {
        let wire = bytes_from_hex(&hex);
        match meaning {
            Modbus::Request { unit, function, start, count } => {
                let query = modbus_query(unit, function, start, count);
                assert_eq!(query.encode(), wire, "{source}");
                assert_eq!(query.request_len(), wire.len(), "{source}");
                let asked = RequestScanner::new().push(&wire).first().map(|asked| (asked.start, asked.count));
                assert_eq!(asked, Some((start, count)), "{source}");
            }
            Modbus::Registers { unit, function, registers, items } => {
                check_modbus_registers(&source, &wire, (unit, function), &registers, &items);
            }
            Modbus::Exception { unit, function, code } => {
                let refused = Outcome::Refused(Refusal::Modbus(ExceptionCode(code)));
                check(&source, &modbus_query(unit, function, 0, 2), &wire, Some(&refused));
                let reply = rtu::encode_exception(
                    UnitId::new(unit).unwrap(),
                    read_function(function),
                    ExceptionCode(code),
                );
                assert_eq!(reply, wire, "{source}");
            }
            Modbus::Damaged { unit, function, count } => {
                check(&source, &modbus_query(unit, function, 0, count), &wire, None);
            }
        }
    }
}

fn check_dlt645_request(source: &str, wire: &[u8], address: &str, di: &str) {
    let query = dlt645_query(address, di, 4);
    let request = query.encode();
    assert_eq!(request.len(), query.request_len());
    let frame = request.strip_prefix(&[dlt645::PREAMBLE; 4]).unwrap();
    assert!(wire.ends_with(frame), "{source}: {frame:02X?}");

    let heard = Frame {
        address: dlt645_address(address),
        control: dlt645::control::READ,
        payload: di.parse::<DataIdentifier>().unwrap().to_wire().to_vec(),
    };
    let mut scanner = FrameScanner::new();
    assert_eq!(scanner.push(wire), [heard], "{source}");
    assert_eq!(scanner.noise_bytes(), 0, "{source}");
}

fn check_dlt645_value(source: &str, wire: &[u8], value: &Dlt645Value) {
    let payload = bytes_from_hex(&value.payload);
    let query = dlt645_query(&value.address, &value.di, u8::try_from(payload.len()).unwrap());
    check(source, &query, wire, Some(&Outcome::Payload(payload.clone())));

    let di: DataIdentifier = value.di.parse().unwrap();
    let sent = [&di.to_wire()[..], &payload].concat();
    check_contains(source, wire, &dlt645_frame(&value.address, dlt645::control::VALUE, sent).encode());

    let Some(notation) = &value.format else { return };
    let format = dlt645::Format { signed: value.signed, ..notation.parse().unwrap() };
    let item = Item::Dlt645 { di, format };
    match value.bad.as_deref() {
        Some("not_bcd") => {
            assert_eq!(item.decode(&query, &payload), Decoded::Bad(BadValue::NotBcd), "{source}")
        }
        Some(_) => {
            let wrong = BadValue::WrongLength { expected: usize::from(format.bytes), actual: payload.len() };
            assert_eq!(item.decode(&query, &payload), Decoded::Bad(wrong), "{source}");
        }
        None => check_dlt645_fields(source, &item, &query, format, &payload, &value.values),
    }
}

fn check_dlt645_fields(
    source: &str,
    item: &Item,
    query: &Query,
    format: dlt645::Format,
    payload: &[u8],
    values: &[Option<String>],
) {
    let fields = payload.chunks(usize::from(format.bytes));
    assert_eq!(fields.len(), values.len(), "{source}");
    for (field, expected) in fields.zip(values) {
        let decoded = item.decode(query, field);
        let raw = match decoded {
            Decoded::Value(Raw::Integer(count)) => {
                let number = Decimal::new(count.into(), -i8::try_from(format.decimals).unwrap());
                // Some meters' numbers are printed with their zeros in front, which are no part of a number.
                let expected: Decimal = expected.as_deref().unwrap().parse().unwrap();
                assert_eq!(number.to_string(), expected.to_string(), "{source}");
                Some(Raw::Integer(count))
            }
            _ => {
                assert_eq!((decoded, expected), (Decoded::Absent, &None), "{source}");
                None
            }
        };
        assert_eq!(item.encode(raw).as_deref(), Some(field), "{source}");
    }
}

fn check_modbus_registers(
    source: &str,
    wire: &[u8],
    (unit, function): (u8, u8),
    registers: &[u16],
    items: &[ModbusItem],
) {
    const START: u16 = 1000;
    let payload: Vec<u8> = registers.iter().flat_map(|register| register.to_be_bytes()).collect();
    let query = modbus_query(unit, function, START, u16::try_from(registers.len()).unwrap());
    check(source, &query, wire, Some(&Outcome::Payload(payload.clone())));
    let reply = rtu::encode_reply(UnitId::new(unit).unwrap(), read_function(function), &payload);
    check_contains(source, wire, &reply);

    for expected in items {
        let absent = expected.absent.iter().map(|mark| u64::from_str_radix(mark, 16).unwrap()).collect();
        let format = RegisterFormat { kind: kind(&expected.kind), order: order(&expected.order), absent };
        let bytes = format.kind.bytes();
        let item = Item::Modbus { function: read_function(function), start: START + expected.offset, format };
        let decoded = item.decode(&query, &payload);
        let (raw, printed) = match decoded {
            Decoded::Value(raw) => (Some(raw), Some(print(raw, expected.value.as_deref()))),
            _ => (None, None),
        };
        assert_eq!(printed, expected.value, "{source}: {decoded:?}");
        assert!(raw.is_some() || decoded == Decoded::Absent, "{source}: {decoded:?}");
        let at = 2 * usize::from(expected.offset);
        assert_eq!(item.encode(raw).as_deref(), Some(&payload[at..at + bytes]), "{source}");
    }
}

/// With as many decimals as the source printed.
fn print(raw: Raw, expected: Option<&str>) -> String {
    let decimals = expected.and_then(|text| text.split_once('.')).map_or(0, |(_, fraction)| fraction.len());
    match raw {
        Raw::Integer(number) => number.to_string(),
        Raw::Float(number) => format!("{number:.decimals$}"),
    }
}

/// The outcome of a stream with one reply: whole, byte by byte, twice, cut short, with every bit flipped, and
/// behind noise.
fn check(source: &str, query: &Query, wire: &[u8], expected: Option<&Outcome>) {
    let found = outcome(query, wire);
    assert_eq!(found.as_ref(), expected, "{source}");
    assert_eq!(outcome_by_piece(query, wire.chunks(1)).as_ref(), expected, "{source}: byte by byte");
    assert_eq!(outcome(query, &[wire, wire].concat()).as_ref(), expected, "{source}: twice");
    assert_eq!(
        outcome(query, &[&[0x00, 0xFF], wire].concat()).as_ref(),
        expected,
        "{source}: behind a glitch"
    );
    for len in 0..wire.len() {
        check_harmless(source, query, &wire[..len], expected);
    }
    for bit in 0..8 * wire.len() {
        let mut flipped = wire.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        check_harmless(source, query, &flipped, expected);
    }
    if expected.is_some() {
        check_missing(source, query, wire);
    }
}

/// A damaged stream has no outcome, unless the damage lies outside the frame.
fn check_harmless(source: &str, query: &Query, damaged: &[u8], expected: Option<&Outcome>) {
    let found = outcome(query, damaged);
    assert!(found.is_none() || found.as_ref() == expected, "{source}: {found:?} from {damaged:02X?}");
}

/// No good reply of the expected length comes sooner than announced.
fn check_missing(source: &str, query: &Query, wire: &[u8]) {
    let mut exchange = Exchange::new(query.clone());
    assert_eq!(exchange.missing(), query.reply_len(), "{source}");
    for (received, byte) in wire.iter().enumerate() {
        let announced = exchange.missing();
        match exchange.handle_bytes(&[*byte]) {
            Some(Outcome::Payload(_)) => {
                return assert_eq!((announced, exchange.missing()), (1, 0), "{source}");
            }
            Some(Outcome::Refused(_)) => return assert_eq!(exchange.missing(), 0, "{source}"),
            None => assert!(announced > 0 && exchange.missing() > 0, "{source}: after {received}"),
        }
    }
}

fn check_contains(source: &str, wire: &[u8], frame: &[u8]) {
    assert!(wire.windows(frame.len()).any(|window| window == frame), "{source}: {frame:02X?}");
}

/// Captures hold wildcard addresses too, which have no text form of ours.
fn dlt645_address(digits: &str) -> Address {
    let mut wire: [u8; 6] = bytes_from_hex(digits).try_into().unwrap();
    wire.reverse();
    let address = Address(wire);
    assert_eq!(address.to_string(), digits);
    address
}

fn dlt645_query(address: &str, di: &str, reply_bytes: u8) -> Query {
    Query::Dlt645Read { address: dlt645_address(address), di: di.parse().unwrap(), reply_bytes }
}

fn dlt645_frame(address: &str, control: u8, payload: Vec<u8>) -> Frame {
    Frame { address: dlt645_address(address), control, payload }
}

fn modbus_query(unit: u8, function: u8, start: u16, count: u16) -> Query {
    Query::ModbusRead { unit: UnitId::new(unit).unwrap(), function: read_function(function), start, count }
}

fn read_function(code: u8) -> ReadFunction {
    match code {
        3 => ReadFunction::HoldingRegisters,
        4 => ReadFunction::InputRegisters,
        _ => panic!("function {code}"),
    }
}

fn kind(name: &str) -> RegisterType {
    match name {
        "u16" => RegisterType::U16,
        "i16" => RegisterType::I16,
        "u32" => RegisterType::U32,
        "i32" => RegisterType::I32,
        "f32" => RegisterType::F32,
        _ => panic!("type {name}"),
    }
}

fn order(name: &str) -> WordOrder {
    match name {
        "abcd" => WordOrder::Abcd,
        "cdab" => WordOrder::Cdab,
        _ => panic!("order {name}"),
    }
}
