//! Devices for the tests of this crate: one of each kind that the plant has.

use std::sync::Arc;
use std::time::Duration;

use weighbridge_config::profile::{
    ChannelKind, DeviceKind, LineSettings, Parity, Profile, ProfileChannel, ProtocolLimits, RatioUse,
};
use weighbridge_config::unit::Unit;
use weighbridge_protocol::modbus::{ReadFunction, RegisterFormat, RegisterType, WordOrder};
use weighbridge_protocol::{Decimal, Decoded, DeviceAddress, Exchange, Item, Outcome, Query, Raw};

use crate::device::{DeviceSetup, Feed, TransformerRatio};
use crate::plant::Plant;

pub(crate) const START: i64 = 1_795_000_000_000_000;
pub(crate) const SLOW: LineSettings = LineSettings { baud: 2400, parity: Parity::Even, stop_bits: 1 };
pub(crate) const FAST: LineSettings = LineSettings { baud: 9600, parity: Parity::None, stop_bits: 1 };
pub(crate) const METER: &str = "000000123456";

pub(crate) fn plant() -> Arc<Plant> {
    Arc::new(Plant::new(11, START))
}

fn profile(protocol: ProtocolLimits, kind: DeviceKind, channels: Vec<ProfileChannel>) -> Profile {
    Profile {
        name: "sample".into(),
        vendor: "none".into(),
        model: "sample".into(),
        kind,
        sources: Vec::new(),
        notes: Vec::new(),
        protocol,
        line: FAST,
        supported_baud: vec![2400, 9600],
        max_turn_round_ms: 500,
        min_gap_ms: 0,
        channels,
    }
}

fn channel(name: &str, kind: ChannelKind, unit: Unit, item: Item, scale: &str) -> ProfileChannel {
    ProfileChannel {
        name: name.into(),
        group: name.into(),
        kind,
        unit,
        item,
        scale: scale.parse().unwrap(),
        ratio: RatioUse::None,
        capacity: None,
        resolution: None,
    }
}

fn digits(di: &str, format: &str) -> Item {
    Item::Dlt645 { di: di.parse().unwrap(), format: format.parse().unwrap() }
}

pub(crate) fn registers(start: u16, kind: RegisterType) -> Item {
    let format = RegisterFormat { kind, order: WordOrder::Abcd, absent: Vec::new() };
    Item::Modbus { function: ReadFunction::HoldingRegisters, start, format }
}

/// A DL/T 645 meter behind 200/5 A transformers on the smt section, at 2400 8E1.
pub(crate) fn meter() -> DeviceSetup {
    let energy = ProfileChannel {
        ratio: RatioUse::Both,
        capacity: Some(100_000_000),
        ..channel("energy", ChannelKind::Counter, Unit::KilowattHour, digits("00010000", "XXXXXX.XX"), "0.01")
    };
    let power = ProfileChannel {
        ratio: RatioUse::Both,
        ..channel("power", ChannelKind::Gauge, Unit::Kilowatt, digits("02030000", "XX.XXXX"), "0.0001")
    };
    let voltage = channel("voltage_a", ChannelKind::Gauge, Unit::Volt, digits("02010100", "XXX.X"), "0.1");
    DeviceSetup {
        profile: Arc::new(profile(
            ProtocolLimits::Dlt645,
            DeviceKind::Electricity,
            vec![energy, power, voltage],
        )),
        address: DeviceAddress::Dlt645(METER.parse().unwrap()),
        line: SLOW,
        turn_round: Duration::from_millis(40),
        feeds: vec![
            ("energy".into(), Feed::Energy { section: "smt".into() }),
            ("power".into(), Feed::Power { section: "smt".into() }),
        ],
        true_relative_error: 0.0,
        ratio: TransformerRatio { current: 40.0, voltage: 1.0 },
        initial_count: Some(5000.0),
    }
}

/// A flow meter with floats and a totaliser in whole grams, a hole at 2 and 3, at 9600 8N1.
pub(crate) fn flow_meter() -> DeviceSetup {
    let rate =
        channel("flow", ChannelKind::Gauge, Unit::KilogramPerHour, registers(0, RegisterType::F32), "1");
    let total = ProfileChannel {
        capacity: Some(1 << 32),
        ..channel("total", ChannelKind::Counter, Unit::Kilogram, registers(4, RegisterType::U32), "0.001")
    };
    let precise =
        channel("precise", ChannelKind::Counter, Unit::Kilogram, registers(6, RegisterType::F64), "1");
    let limits = ProtocolLimits::Modbus { max_registers: 16, read_across_holes: false };
    let material = || "solder".to_owned();
    DeviceSetup {
        profile: Arc::new(profile(limits, DeviceKind::Flow, vec![rate, total, precise])),
        address: DeviceAddress::Modbus("17".parse().unwrap()),
        line: FAST,
        turn_round: Duration::from_millis(5),
        feeds: vec![
            ("flow".into(), Feed::MaterialRate { name: material() }),
            ("total".into(), Feed::Material { name: material() }),
            ("precise".into(), Feed::Material { name: material() }),
        ],
        true_relative_error: 0.0,
        ratio: TransformerRatio::NONE,
        initial_count: Some(0.0),
    }
}

/// Asks for the channel `name` of `setup` alone.
pub(crate) fn query(setup: &DeviceSetup, name: &str) -> (Query, Item) {
    let channel = setup.profile.channels.iter().find(|channel| channel.name == name).unwrap();
    let query = match (setup.address, &channel.item) {
        (DeviceAddress::Dlt645(address), &Item::Dlt645 { di, format }) => {
            Query::Dlt645Read { address, di, reply_bytes: format.bytes }
        }
        (DeviceAddress::Modbus(unit), Item::Modbus { function, start, format }) => {
            Query::ModbusRead { unit, function: *function, start: *start, count: format.kind.registers() }
        }
        _ => unreachable!("samples fit their protocol"),
    };
    (query, channel.item.clone())
}

/// The value that `reply` has for the channel, in counts.
pub(crate) fn count_in(setup: &DeviceSetup, name: &str, reply: &[u8]) -> f64 {
    let (query, item) = query(setup, name);
    let outcome = Exchange::new(query.clone()).handle_bytes(reply);
    let Some(Outcome::Payload(payload)) = outcome else { panic!("{outcome:?} in {reply:02x?}") };
    match item.decode(&query, &payload) {
        Decoded::Value(Raw::Integer(count)) => count as f64,
        Decoded::Value(Raw::Float(count)) => count,
        other => panic!("{other:?}"),
    }
}

/// One raw count of the channel in its unit on the primary side.
pub(crate) fn worth_of_count(setup: &DeviceSetup, name: &str) -> f64 {
    let channel = setup.profile.channels.iter().find(|channel| channel.name == name).unwrap();
    channel.scale.checked_mul(Decimal::ONE).unwrap().to_f64() * setup.ratio.of(channel.ratio)
}
