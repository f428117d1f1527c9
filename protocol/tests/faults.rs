//! How many damaged replies pass as good ones: wrong bits are what a line does to a frame, and the check is
//! what stands against it. Seeded, so the figures repeat.

#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeSet;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use support::outcome;
use weighbridge_protocol::dlt645::{self, Address, DataIdentifier, Format, Frame};
use weighbridge_protocol::modbus::{ReadFunction, UnitId, rtu};
use weighbridge_protocol::{Decoded, Item, Outcome, Query, Raw};

const TRIES: u32 = if cfg!(debug_assertions) { 200_000 } else { 4_000_000 };

#[test]
fn modbus_replies_with_up_to_three_wrong_bits_are_never_taken_for_a_value() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for _ in 0..TRIES {
        let unit = UnitId::new(random.random_range(1..=247)).unwrap();
        let (function, count) = (ReadFunction::InputRegisters, random.random_range(1..=4_u16));
        let payload: Vec<u8> = (0..2 * count).map(|_| random.random()).collect();
        let query = Query::ModbusRead { unit, function, start: random.random(), count };
        let reply = rtu::encode_reply(unit, function, &payload);
        let damaged = with_wrong_bits(&reply, random.random_range(1..=3), &mut random);
        // A wrong bit may turn a value into the shorter frame of an exception, and with luck the check fits:
        // a reading is lost then, but none is wrong.
        let found = outcome(&query, &damaged);
        assert!(
            !matches!(found, Some(Outcome::Payload(_))),
            "{query:?}: {reply:02X?} damaged to {damaged:02X?}"
        );
    }
}

#[test]
fn dlt645_replies_with_one_wrong_bit_are_never_taken() {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    for _ in 0..TRIES / 400 {
        let (query, _, reply) = dlt645_reply(&mut random);
        for bit in 0..8 * reply.len() {
            let mut damaged = reply.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(outcome(&query, &damaged), None, "{query:?}: {reply:02X?} damaged to {damaged:02X?}");
        }
    }
}

/// The sum of bytes is a weak check: it misses wrong bits that cancel out. The figure is why the parity bit
/// of every character has to be checked as well; it finds any two wrong bits that lie in different
/// characters.
#[test]
fn dlt645_replies_with_two_wrong_bits_are_rarely_taken_for_another_value() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let wrong = (0..TRIES).filter(|_| {
        let (query, item, reply) = dlt645_reply(&mut random);
        let damaged = with_wrong_bits(&reply, 2, &mut random);
        match outcome(&query, &damaged) {
            Some(Outcome::Payload(payload)) => matches!(item.decode(&query, &payload), Decoded::Value(_)),
            _ => false,
        }
    });
    let share = f64::from(u32::try_from(wrong.count()).unwrap()) / f64::from(TRIES);
    assert!((0.001..0.003).contains(&share), "{share}");
}

/// A good reply with an energy in it.
fn dlt645_reply(random: &mut ChaCha8Rng) -> (Query, Item, Vec<u8>) {
    let (address, di) = (Address(random.random()), DataIdentifier(random.random()));
    let format = Format { bytes: 4, decimals: 2, signed: false };
    let item = Item::Dlt645 { di, format };
    let value = item.encode(Some(Raw::Integer(random.random_range(0..100_000_000)))).unwrap();
    let payload = [&di.to_wire()[..], &value].concat();
    let reply = Frame { address, control: dlt645::control::VALUE, payload }.encode();
    (Query::Dlt645Read { address, di, reply_bytes: format.bytes }, item, reply)
}

fn with_wrong_bits(reply: &[u8], wrong: usize, random: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bits = BTreeSet::new();
    while bits.len() < wrong {
        bits.insert(random.random_range(0..8 * reply.len()));
    }
    let mut damaged = reply.to_vec();
    bits.into_iter().for_each(|bit| damaged[bit / 8] ^= 1 << (bit % 8));
    damaged
}
