use proptest::prelude::*;
use weighbridge_config::ProfileLibrary;
use weighbridge_config::profile::ChannelKind;
use weighbridge_protocol::modbus::rtu::ReadRequest;
use weighbridge_protocol::modbus::{ExceptionCode, ReadFunction, RegisterType, UnitId};
use weighbridge_protocol::{Decoded, Exchange, Item, Outcome, Query, Raw, Refusal, plan};

use super::*;
use crate::sample::{self, START, count_in, flow_meter, meter, plant, query, worth_of_count};

const MINUTE: i64 = 60_000_000;

fn ask(setup: &DeviceSetup, name: &str, utc_us: i64) -> Vec<u8> {
    let (query, _) = query(setup, name);
    let mut device = Device::new(setup, plant()).unwrap();
    device.handle(Exchange::new(query).request(), utc_us).unwrap().bytes
}

fn count(setup: &DeviceSetup, name: &str, utc_us: i64) -> f64 {
    count_in(setup, name, &ask(setup, name, utc_us))
}

fn outcome(setup: &DeviceSetup, query: Query) -> Option<Outcome> {
    let mut device = Device::new(setup, plant()).unwrap();
    let mut exchange = Exchange::new(query);
    let reply = device.handle(exchange.request(), START)?;
    exchange.handle_bytes(&reply.bytes)
}

#[test]
fn replies_decode_to_the_truth_of_the_instant_at_which_they_begin() {
    let plant = plant();
    let (meter, flow) = (meter(), flow_meter());
    for minutes in [0, 1, 3, 17, 600] {
        let asked = START + minutes * MINUTE + 123_457;
        for (setup, name, truth, first) in [
            (&meter, "energy", plant.energy_kwh("smt", asked + 40_000), 5000.0),
            (&flow, "total", plant.material_kg("solder", asked + 5000), 0.0),
            (&flow, "precise", plant.material_kg("solder", asked + 5000), 0.0),
        ] {
            let worth = worth_of_count(setup, name);
            let shown = count(setup, name, asked) * worth - first * setup.ratio.current;
            let counted = if name == "precise" { truth } else { (truth / worth + 1e-9).floor() * worth };
            assert!((shown - counted).abs() < 1e-6, "{name}: {shown}, truth {truth}");
        }
        for (setup, name, truth, half) in [
            (&meter, "power", plant.power_kw("smt", asked + 40_000), 0.5),
            (&flow, "flow", plant.material_rate_kg_per_h("solder", asked + 5000), 1e-5),
        ] {
            let worth = worth_of_count(setup, name);
            let shown = count(setup, name, asked) * worth;
            assert!((shown - truth).abs() <= half * worth * 1.001, "{name}: {shown}, truth {truth}");
        }
    }
}

#[test]
fn a_channel_without_a_feed_suits_its_unit() {
    let voltage = count(&meter(), "voltage_a", START + MINUTE) * 0.1;
    assert!((215.0..225.0).contains(&voltage), "{voltage}");
}

/// A device of `profile` of which nothing else is said.
fn plain(profile: SharedProfile) -> DeviceSetup {
    let address = match profile.protocol {
        ProtocolLimits::Dlt645 => DeviceAddress::Dlt645(sample::METER.parse().unwrap()),
        ProtocolLimits::Modbus { .. } => DeviceAddress::Modbus("1".parse().unwrap()),
    };
    DeviceSetup {
        line: profile.line,
        profile,
        address,
        turn_round: Duration::ZERO,
        feeds: Vec::new(),
        true_relative_error: 0.0,
        ratio: TransformerRatio { current: 40.0, voltage: 1.0 },
        initial_count: None,
    }
}

/// What is usual on the primary side for a device that nothing is said of, an hour after the start.
fn usual(unit: Unit) -> std::ops::RangeInclusive<f64> {
    match unit {
        Unit::Volt => 210.0..=230.0,
        Unit::Ampere => 4.0..=5.0,
        Unit::Hertz => 49.9..=50.1,
        Unit::Kilowatt => 0.9..=3.1,
        Unit::Watt => 900.0..=3100.0,
        Unit::One => 0.0..=1.0,
        Unit::KilogramPerCubicMetre => 990.0..=1010.0,
        Unit::DegreeCelsius => 20.0..=30.0,
        _ => 0.0..=41_000.0,
    }
}

#[test]
fn every_shipped_profile_makes_a_device_that_can_be_read_as_planned() {
    let library = ProfileLibrary::shipped();
    let mut read = 0;
    for profile in library.names().filter_map(|name| library.get(name)) {
        let setup = plain(profile.clone());
        let mut device = Device::new(&setup, plant()).unwrap();
        let limits = profile.protocol.plan_limits();
        let items: Vec<Item> = profile.channels.iter().map(|channel| channel.item.clone()).collect();
        for planned in plan(setup.address, &items, limits) {
            let mut exchange = Exchange::new(planned.query.clone());
            let reply = device.handle(exchange.request(), START + 60 * MINUTE).unwrap();
            let outcome = exchange.handle_bytes(&reply.bytes);
            let Some(Outcome::Payload(payload)) = outcome else { panic!("{}: {outcome:?}", profile.name) };
            for index in planned.items {
                let channel = &profile.channels[index];
                let decoded = items[index].decode(&planned.query, &payload);
                let count = match decoded {
                    Decoded::Value(Raw::Integer(count)) => count as f64,
                    Decoded::Value(Raw::Float(count)) => count,
                    _ => panic!("{} {}: {decoded:?}", profile.name, channel.name),
                };
                let value = count * worth_of_count(&setup, &channel.name);
                let usual =
                    if channel.kind == ChannelKind::Counter { 0.0..=41_000.0 } else { usual(channel.unit) };
                assert!(usual.contains(&value), "{} {}: {value}", profile.name, channel.name);
                read += 1;
            }
        }
    }
    assert!(read > 100, "{read} channels");
}

#[test]
fn the_devices_error_acts_on_what_is_added() {
    let wrong = DeviceSetup { true_relative_error: 0.01, initial_count: Some(7.0), ..flow_meter() };
    assert_eq!(count(&wrong, "precise", START - MINUTE), 7.0);
    let grown = count(&wrong, "precise", START + 60 * MINUTE) - 7.0;
    let truth = plant().material_kg("solder", START + 60 * MINUTE + 5000);
    assert!((grown / truth - 1.01).abs() < 1e-12, "{grown} for {truth}");
}

#[test]
fn counters_start_again_at_their_capacity() {
    let almost_full = DeviceSetup { initial_count: Some(999_999.99), ..meter() };
    assert_eq!(count(&almost_full, "energy", START - MINUTE), 99_999_999.0);
    let truth = plant().energy_kwh("smt", START + 60 * MINUTE + 40_000);
    let wrapped = count(&almost_full, "energy", START + 60 * MINUTE);
    assert!((wrapped + 1.0 - truth / 0.4).abs() <= 1.0, "{wrapped} counts after {truth} kWh");
}

#[test]
fn counters_start_anywhere_unless_told() {
    let usual = DeviceSetup { initial_count: None, ..meter() };
    let first = count(&usual, "energy", START - MINUTE) * 0.01;
    assert!((100.0..1000.0).contains(&first), "{first}");
    let other = DeviceSetup { address: DeviceAddress::Dlt645("000000123457".parse().unwrap()), ..usual };
    assert_ne!(count(&other, "energy", START - MINUTE) * 0.01, first);
}

#[test]
fn a_value_that_does_not_fit_is_absent() {
    let huge = DeviceSetup { feeds: vec![("voltage_a".into(), Feed::Constant(12_345.0))], ..meter() };
    let reply = ask(&huge, "voltage_a", START);
    let (query, item) = query(&huge, "voltage_a");
    let Some(Outcome::Payload(payload)) = Exchange::new(query.clone()).handle_bytes(&reply) else { panic!() };
    assert_eq!(item.decode(&query, &payload), Decoded::Absent);
}

#[test]
fn a_meter_refuses_what_it_does_not_know_and_ignores_what_is_not_meant_for_it() {
    let read = |address: &str, di: &str| Query::Dlt645Read {
        address: address.parse().unwrap(),
        di: di.parse().unwrap(),
        reply_bytes: 4,
    };
    let refused = outcome(&meter(), read(sample::METER, "00990000"));
    assert!(matches!(refused, Some(Outcome::Refused(Refusal::Dlt645(_)))), "{refused:?}");
    assert_eq!(outcome(&meter(), read("000000123457", "00010000")), None);
}

#[test]
fn a_meter_tells_its_address() {
    let mut meter = Device::new(&meter(), plant()).unwrap();
    let asked = [0x68, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0x68, 0x13, 0x00, 0xdf, 0x16];
    let told = meter.handle(&asked, START).unwrap().bytes;
    let expected = "fe fe fe fe 68 56 34 12 00 00 00 68 93 06 89 67 45 33 33 33 d3 16";
    let told: Vec<String> = told.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(told.join(" "), expected);
}

#[test]
fn modbus_exceptions() {
    let read =
        |function, start, count| Query::ModbusRead { unit: UnitId::new(17).unwrap(), function, start, count };
    use ReadFunction::{HoldingRegisters, InputRegisters};
    for (query, expected) in [
        (read(InputRegisters, 0, 2), ExceptionCode::ILLEGAL_FUNCTION),
        (read(HoldingRegisters, 0, 17), ExceptionCode::ILLEGAL_VALUE),
        (read(HoldingRegisters, 0, 0), ExceptionCode::ILLEGAL_VALUE),
        (read(HoldingRegisters, 0, 4), ExceptionCode::ILLEGAL_ADDRESS),
        (read(HoldingRegisters, 9, 2), ExceptionCode::ILLEGAL_ADDRESS),
        (read(HoldingRegisters, 65_535, 2), ExceptionCode::ILLEGAL_ADDRESS),
    ] {
        let refused = Some(Outcome::Refused(Refusal::Modbus(expected)));
        assert_eq!(outcome(&flow_meter(), query.clone()), refused, "{query:?}");
    }
}

#[test]
fn registers_may_be_read_in_any_part() {
    let request = |start, count| ReadRequest {
        unit: UnitId::new(17).unwrap(),
        function: ReadFunction::HoldingRegisters,
        start,
        count,
    };
    let device = Device::new(&flow_meter(), plant()).unwrap();
    let words = |start, count| {
        let reply = device.answer(&Request::Modbus(request(start, count)), START + 60 * MINUTE);
        reply[3..reply.len() - 2].to_vec()
    };
    let whole = words(4, 6);
    assert_eq!(whole.len(), 12);
    let parts = [words(4, 1), words(5, 3), words(8, 2)].concat();
    assert_eq!(whole, parts);
}

#[test]
fn holes_read_as_zero_where_the_profile_says_so() {
    let mut setup = flow_meter();
    let mut profile = (*setup.profile).clone();
    profile.protocol = ProtocolLimits::Modbus { max_registers: 16, read_across_holes: true };
    setup.profile = Arc::new(profile);
    let query = Query::ModbusRead {
        unit: UnitId::new(17).unwrap(),
        function: ReadFunction::HoldingRegisters,
        start: 0,
        count: 6,
    };
    let Some(Outcome::Payload(payload)) = outcome(&setup, query) else { panic!() };
    assert_eq!(payload[4..8], [0; 4]);
    assert_eq!(sample::registers(4, RegisterType::U32).encode(Some(Raw::Integer(0))).unwrap(), payload[8..]);
}

#[test]
fn setups_that_do_not_fit_are_refused() {
    let fed = |channel: &str, feed| DeviceSetup { feeds: vec![(channel.into(), feed)], ..meter() };
    let smt = || "smt".to_owned();
    for (setup, part) in [
        (fed("heat", Feed::Constant(1.0)), "no channel 'heat'"),
        (fed("energy", Feed::Energy { section: "canteen".into() }), "no 'canteen'"),
        (fed("power", Feed::Energy { section: smt() }), "'power' is in kW"),
        (
            DeviceSetup { ratio: TransformerRatio { current: f64::INFINITY, voltage: 1.0 }, ..meter() },
            "'energy' has a scale",
        ),
        (
            DeviceSetup { address: DeviceAddress::Modbus("3".parse().unwrap()), ..meter() },
            "address 3 does not belong",
        ),
    ] {
        let error = Device::new(&setup, plant()).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

proptest! {
    #[test]
    fn requests_are_heard_in_any_pieces_and_after_any_noise(
        noise in prop::collection::vec(any::<u8>(), 0..40), piece in 1_usize..30, flow: bool,
    ) {
        let setup = if flow { flow_meter() } else { meter() };
        let name = if flow { "total" } else { "energy" };
        let mut device = Device::new(&setup, plant()).unwrap();
        device.handle(&noise, START);
        device.handle_silence(LONGEST_PAUSE_NS);
        let (query, _) = query(&setup, name);
        let exchange = Exchange::new(query);
        let replies: Vec<Reply> =
            exchange.request().chunks(piece).filter_map(|piece| device.handle(piece, START)).collect();
        prop_assert_eq!(replies.len(), 1);
        prop_assert_eq!(&replies[0].bytes, &ask(&setup, name, START));
    }

    #[test]
    fn noise_is_never_answered(noise in prop::collection::vec(any::<u8>(), 0..600)) {
        for setup in [meter(), flow_meter()] {
            prop_assert_eq!(Device::new(&setup, plant()).unwrap().handle(&noise, START), None);
        }
    }
}
