//! Properties of the search for a reply in whatever a line returns.

#![allow(clippy::unwrap_used)]

mod support;

use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;
use support::outcome;
use weighbridge_protocol::dlt645::{self, Address, DataIdentifier, Frame, FrameScanner};
use weighbridge_protocol::modbus::rtu::{self, RequestScanner};
use weighbridge_protocol::modbus::{ExceptionCode, ReadFunction, UnitId};
use weighbridge_protocol::{Dropped, Exchange, Outcome, Query};

proptest! {
    #[test]
    fn any_split_gives_the_same_outcome((query, pieces) in query().prop_flat_map(with_traffic)) {
        let wire = pieces.concat();
        let whole = end(&query, [wire.as_slice()]);
        prop_assert_eq!(&end(&query, wire.chunks(1)), &whole);
        prop_assert_eq!(&end(&query, pieces.iter().map(Vec::as_slice)), &whole);
    }

    #[test]
    fn noise_around_a_reply_never_changes_its_payload(
        (query, payload) in query().prop_flat_map(with_payload),
        before in noise(0..40),
        after in noise(0..40),
    ) {
        let wire = [before, reply(&query, &payload), after].concat();
        let mut exchange = Exchange::new(query);
        let found = exchange.handle_bytes(&wire).or_else(|| exchange.handle_silence());
        // Noise may by chance be a whole good frame that swallows the beginning of the reply; then nothing is
        // found.
        if found.is_some() || exchange.dropped().foreign_frames == 0 {
            prop_assert_eq!(found, Some(Outcome::Payload(payload)));
        }
    }

    #[test]
    fn a_glitch_before_the_reply_needs_no_silence(
        (query, payload) in query().prop_flat_map(with_payload),
        glitch in vec(prop_oneof![Just(0x00), Just(0xFF), Just(0xFE)], 0..20),
    ) {
        let mut exchange = Exchange::new(query.clone());
        prop_assert_eq!(exchange.handle_bytes(&glitch), None);
        prop_assert_eq!(exchange.handle_bytes(&reply(&query, &payload)), Some(Outcome::Payload(payload)));
    }

    #[test]
    fn a_frame_within_a_frame_is_not_taken(
        (query, hidden) in query().prop_flat_map(with_payload),
        padding in noise(0..9),
    ) {
        let inner = [padding.clone(), reply(&query, &hidden), padding].concat();
        let outer = foreign_frame_around(&query, &inner);
        prop_assume!(outer.is_some());
        let outer = outer.unwrap();
        let mut exchange = Exchange::new(query.clone());
        prop_assert_eq!(exchange.handle_bytes(&outer), None);
        prop_assert_eq!(exchange.handle_silence(), None);
        prop_assert_eq!(exchange.dropped(), Dropped { foreign_frames: 1, ..Dropped::default() });

        let shown: Vec<u8> = hidden.iter().map(|byte| !byte).collect();
        prop_assert_eq!(exchange.handle_bytes(&reply(&query, &shown)), Some(Outcome::Payload(shown)));
    }

    #[test]
    fn the_own_echo_is_skipped_and_counted(
        (query, payload) in query().prop_flat_map(with_payload),
        echoes in 1_usize..3,
        zeros in 0_usize..6,
    ) {
        let mut exchange = Exchange::new(query.clone());
        let echo = [exchange.request().repeat(echoes), vec![0; zeros]].concat();
        prop_assert_eq!(exchange.handle_bytes(&echo), None);
        let expected = echoes * exchange.request().len();
        prop_assert_eq!(usize::try_from(exchange.dropped().echo_bytes).unwrap(), expected);
        prop_assert_eq!(exchange.clone().handle_silence(), None);
        prop_assert_eq!(exchange.handle_bytes(&reply(&query, &payload)), Some(Outcome::Payload(payload)));
    }

    #[test]
    fn a_reply_to_another_query_is_foreign(
        (asked, other) in (query(), query()),
        payload in vec(any::<u8>(), 250),
    ) {
        prop_assume!(!could_answer(&other, &asked));
        let payload = &payload[..other.reply_len() - overhead(&other)];
        let mut exchange = Exchange::new(asked);
        prop_assert_eq!(exchange.handle_bytes(&reply(&other, payload)), None);
    }

    #[test]
    fn arbitrary_bytes_harm_nobody(query in query(), bytes in noise(0..2000), cut in 1_usize..300) {
        let mut exchange = Exchange::new(query);
        let (mut meter, mut device) = (FrameScanner::new(), RequestScanner::new());
        for piece in bytes.chunks(cut) {
            let is_over = exchange.handle_bytes(piece).is_some() || exchange.missing() == 0;
            prop_assert!(is_over || exchange.missing() <= 255);
            let frames = meter.push(piece).len() + meter.handle_silence().len();
            prop_assert!(frames + device.push(piece).len() <= bytes.len() / 8);
        }
    }

    #[test]
    fn a_device_hears_its_request_behind_noise(
        query in query(),
        before in noise(0..100),
        cut in 1_usize..20,
    ) {
        let wire = [before, query.encode()].concat();
        // Noise that is a request by chance may take bytes of the real one.
        prop_assume!(heard(&query, wire[..wire.len() - 1].chunks(1)).is_empty());
        prop_assert_eq!(heard(&query, wire.chunks(cut)), [query.encode()]);
    }

    #[test]
    fn frames_survive_the_way_there_and_back(
        address in any::<[u8; 6]>().prop_map(Address),
        control in 0x80..=0xFF_u8,
        payload in vec(any::<u8>(), 0..=dlt645::MAX_PAYLOAD),
    ) {
        let frame = Frame { address, control, payload };
        prop_assert_eq!(FrameScanner::new().push(&frame.encode()), [frame]);
    }

    #[test]
    fn no_frame_that_we_encode_is_a_command(control in any::<u8>(), payload in vec(any::<u8>(), 0..300)) {
        let frame = Frame { address: Address([0; 6]), control, payload };
        prop_assert!(frame.encode()[8] & 0x80 != 0);
    }

    #[test]
    fn a_refusal_is_taken_from_the_right_device_only(query in query(), byte in any::<u8>()) {
        let refused = outcome(&query, &refusal(&query, byte));
        prop_assert!(matches!(refused, Some(Outcome::Refused(_))), "{refused:?}");
        let other = match query.clone() {
            Query::Dlt645Read { address: Address([first, rest @ ..]), di, reply_bytes } => {
                let [a, b, c, d, e] = rest;
                Query::Dlt645Read { address: Address([!first, a, b, c, d, e]), di, reply_bytes }
            }
            Query::ModbusRead { unit, function, start, count } => {
                let unit = UnitId::new(unit.get() % 247 + 1).unwrap();
                Query::ModbusRead { unit, function, start, count }
            }
        };
        prop_assert_eq!(outcome(&other, &refusal(&query, byte)), None);
    }
}

/// Everything that an observer of an exchange sees at the end.
fn end<'a>(query: &Query, pieces: impl IntoIterator<Item = &'a [u8]>) -> (Option<Outcome>, Dropped, usize) {
    let mut exchange = Exchange::new(query.clone());
    let found = pieces.into_iter().find_map(|piece| exchange.handle_bytes(piece));
    let missing = exchange.missing();
    (found.or_else(|| exchange.handle_silence()), exchange.dropped(), missing)
}

/// What a device of the query's protocol hears, encoded again.
fn heard<'a>(query: &Query, pieces: impl Iterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
    if let Query::ModbusRead { .. } = query {
        let mut device = RequestScanner::new();
        let requests = pieces.flat_map(|piece| device.push(piece));
        let query = |asked: rtu::ReadRequest| Query::ModbusRead {
            unit: asked.unit,
            function: asked.function,
            start: asked.start,
            count: asked.count,
        };
        return requests.map(|asked| query(asked).encode()).collect();
    }
    let mut meter = FrameScanner::new();
    let mut frames: Vec<_> = pieces.flat_map(|piece| meter.push(piece)).collect();
    frames.extend(meter.handle_silence());
    let read = |frame: Frame| match <[u8; 4]>::try_from(frame.payload.as_slice()) {
        Ok(di) if frame.control == dlt645::control::READ => {
            let di = DataIdentifier::from_wire(di);
            Query::Dlt645Read { address: frame.address, di, reply_bytes: 0 }.encode()
        }
        _ => frame.encode(),
    };
    frames.into_iter().map(read).collect()
}

/// The registers that Modbus requests ask for start anywhere, but often where a request resembles a reply.
fn query() -> impl Strategy<Value = Query> {
    let address = prop_oneof![any::<[u8; 6]>(), Just([0x68; 6]), Just([0x16, 0x68, 0x16, 0x68, 0x91, 0x08])];
    let dlt645 = (address, any::<u32>(), 1..20_u8).prop_map(|(address, di, reply_bytes)| Query::Dlt645Read {
        address: Address(address),
        di: DataIdentifier(di),
        reply_bytes,
    });
    let function = prop_oneof![Just(ReadFunction::HoldingRegisters), Just(ReadFunction::InputRegisters)];
    let modbus = (1..=247_u8, function, any::<(u16, bool)>(), prop_oneof![1..5_u16, 1..=125_u16]).prop_map(
        |(unit, function, (start, resembles), count)| {
            let [high, low] = start.to_be_bytes();
            let high = if resembles { u8::try_from(2 * count).unwrap() } else { high };
            let start = u16::from_be_bytes([high, low]);
            Query::ModbusRead { unit: UnitId::new(unit).unwrap(), function, start, count }
        },
    );
    prop_oneof![dlt645, modbus]
}

/// Half of the bytes are ones that frames are made of.
fn noise(len: Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    const TELLING: [u8; 8] = [0x68, 0x16, 0x91, 0x01, 0x03, 0x04, 0x02, 0xFE];
    vec(any::<(bool, u8)>(), len).prop_map(|bytes| {
        let telling = |byte: u8| TELLING[usize::from(byte) % TELLING.len()];
        bytes.into_iter().map(|(is_telling, byte)| if is_telling { telling(byte) } else { byte }).collect()
    })
}

fn overhead(query: &Query) -> usize {
    match query {
        Query::Dlt645Read { .. } => 16,
        Query::ModbusRead { .. } => 5,
    }
}

fn with_payload(query: Query) -> impl Strategy<Value = (Query, Vec<u8>)> {
    let len = query.reply_len() - overhead(&query);
    (Just(query), vec(any::<u8>(), len))
}

/// Noise, echoes, replies, refusals, and all of these cut short, in any order.
fn with_traffic(query: Query) -> impl Strategy<Value = (Query, Vec<Vec<u8>>)> {
    let answer = with_payload(query.clone()).prop_map(|(query, payload)| reply(&query, &payload));
    let refused = refusal(&query, 2);
    let foreign = with_payload(query.clone()).prop_map(|(query, payload)| {
        foreign_frame_around(&query, &reply(&query, &payload)).unwrap_or_default()
    });
    let echo = Just(query.encode());
    let whole = prop_oneof![3 => noise(0..30), 1 => echo, 1 => answer, 1 => Just(refused), 1 => foreign];
    let piece =
        (whole, any::<prop::sample::Index>(), any::<bool>()).prop_map(|(mut piece, index, is_cut)| {
            piece.truncate(if is_cut { index.index(piece.len() + 1) } else { piece.len() });
            piece
        });
    (Just(query), vec(piece, 0..6))
}

fn reply(query: &Query, payload: &[u8]) -> Vec<u8> {
    match *query {
        Query::Dlt645Read { address, di, .. } => {
            let payload = [&di.to_wire()[..], payload].concat();
            Frame { address, control: dlt645::control::VALUE, payload }.encode()
        }
        Query::ModbusRead { unit, function, .. } => rtu::encode_reply(unit, function, payload),
    }
}

fn refusal(query: &Query, byte: u8) -> Vec<u8> {
    match *query {
        Query::Dlt645Read { address, .. } => {
            Frame { address, control: dlt645::control::REFUSAL, payload: vec![byte] }.encode()
        }
        Query::ModbusRead { unit, function, .. } => {
            rtu::encode_exception(unit, function, ExceptionCode(byte))
        }
    }
}

/// A frame of somebody else with exactly these bytes in the middle of it, if they fit.
fn foreign_frame_around(query: &Query, inner: &[u8]) -> Option<Vec<u8>> {
    match *query {
        Query::Dlt645Read { address: Address(address), .. } => {
            let payload = inner.iter().map(|byte| byte.wrapping_sub(0x33)).collect();
            let address = Address(address.map(|byte| !byte));
            Some(Frame { address, control: dlt645::control::VALUE, payload }.encode())
        }
        Query::ModbusRead { unit, function, .. } => {
            let registers = [inner, &vec![0; inner.len() % 2]].concat();
            let other = UnitId::new(unit.get() % 247 + 1)?;
            (registers.len() <= 250).then(|| rtu::encode_reply(other, function, &registers))
        }
    }
}

/// Whether the good reply to `other` is one to `asked` as well: Modbus replies do not say which registers
/// they hold.
fn could_answer(other: &Query, asked: &Query) -> bool {
    match (other, asked) {
        (
            Query::ModbusRead { unit, function, count, .. },
            Query::ModbusRead { unit: asked_unit, function: asked_function, count: asked_count, .. },
        ) => (unit, function, count) == (asked_unit, asked_function, asked_count),
        _ => other == asked,
    }
}
