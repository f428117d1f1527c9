//! The agent is killed at random moments while readings come in. What it had reported as stored is there, every number once, and
//! a batch that was open all the while closes with the counter's own difference.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use weighbridge::buffer::Store;
use weighbridge::reading::{ChannelId, Reading};
use weighbridge_protocol::{Decimal, Raw};
use weighbridge_tests::{Bench, TWO_PORTS, two_meters, until};

/// The moments are drawn from this.
const SEED: u64 = 20_261_121;
const KILLS: usize = 24;
/// From the start of the process to its death: from before the store is open to some commits later.
const LIVES_MS: std::ops::Range<u64> = 20..2_600;

#[test]
fn what_was_stored_survives_every_kill() {
    let bench = two_meters(None);
    let _lines = bench.simulate(&TWO_PORTS);
    let mut moments = Moments(SEED);
    let mut before = Stored::default();
    let first = bench.run();
    for device in ["smt-meter", "dip-meter"] {
        first.live(device, "energy_import");
    }
    let opening = json!({ "batch": "B-1", "model": "DTZ-A", "sections": ["smt", "dip"], "author": "test", "at": whole_millisecond() });
    first.post("batches/open", &opening);
    drop(first);

    for kill in 1..=KILLS {
        let life = Duration::from_millis(moments.next_in(LIVES_MS));
        let reported = live_and_die(&bench, life);
        let after = Stored::read(&bench);
        eprintln!(
            "seed {SEED}, kill {kill} after {life:?}: reported {reported}, found {}",
            after.readings.len()
        );
        assert!(
            after.readings.len() as u64 >= reported,
            "{} readings are left of {reported}",
            after.readings.len()
        );
        after.check();
        after.check_continues(&before);
        before = after;
    }
    assert!(before.readings.len() > 200, "only {} readings in {KILLS} lives", before.readings.len());
    close_and_compare(&bench);
}

/// Lets an agent live for a time and kills it; the greatest number of stored readings that it reported.
fn live_and_die(bench: &Bench, life: Duration) -> u64 {
    let death = Instant::now() + life;
    let mut agent = bench.start();
    let mut reported = 0;
    while Instant::now() < death {
        reported = agent.stored().unwrap_or(0).max(reported);
        std::thread::sleep(Duration::from_millis(5).min(death.saturating_duration_since(Instant::now())));
    }
    agent.program().kill();
    reported
}

/// What lies in the buffer between two lives.
#[derive(Default)]
struct Stored {
    /// Epoch, sequence and reading, as they lie there.
    readings: Vec<(u32, u64, Reading)>,
    /// The epoch of this look, which is a start as any other.
    epoch: u32,
}

impl Stored {
    fn read(bench: &Bench) -> Self {
        // A clock at the beginning of time: the epoch must grow all the same.
        let (store, aside) = Store::open(&bench.store(), 1).unwrap();
        assert_eq!(aside, None, "a kill must not damage the store");
        let blocks = store.blocks_from(1).map(|block| block.expect("no block is damaged"));
        let numbered = blocks.flat_map(|block| {
            let epoch = block.epoch;
            (block.first_sequence..)
                .zip(block.readings)
                .map(move |(sequence, reading)| (epoch, sequence, reading))
        });
        let readings: Vec<_> = numbered.collect();
        assert_eq!(store.next_sequence(), readings.len() as u64 + 1, "the next number follows the last");
        Self { readings, epoch: store.epoch() }
    }

    /// Numbers without hole or repeat; epochs and each channel's times never go back.
    fn check(&self) {
        let mut last_of: HashMap<ChannelId, i64> = HashMap::new();
        let mut last_epoch = 0;
        for (expected, (epoch, sequence, reading)) in (1..).zip(&self.readings) {
            assert_eq!(*sequence, expected, "the sequence has a hole or a repeat");
            assert!(*epoch >= last_epoch, "the epoch went back at {sequence}");
            last_epoch = *epoch;
            let last = last_of.insert(reading.channel, reading.utc_us).unwrap_or(i64::MIN);
            assert!(reading.utc_us >= last, "time went back at {sequence}");
        }
        assert!(last_epoch < self.epoch, "a start without an epoch of its own");
    }

    /// Everything that was there before is there still, and what is new came in a new epoch.
    fn check_continues(&self, before: &Self) {
        assert_eq!(
            self.readings[..before.readings.len()],
            before.readings[..],
            "what had been stored was changed"
        );
        assert!(self.epoch > before.epoch);
        let new = &self.readings[before.readings.len()..];
        assert!(new.iter().all(|(epoch, ..)| *epoch > before.epoch), "an epoch was used twice");
    }

    /// Counts of a channel over time.
    fn counts(&self, channel: ChannelId) -> Vec<(i64, i64)> {
        let count = |reading: &Reading| match reading.value {
            Some(Raw::Integer(count)) => Some((reading.utc_us, count)),
            _ => None,
        };
        self.readings
            .iter()
            .filter(|(.., reading)| reading.channel == channel)
            .filter_map(|(.., r)| count(r))
            .collect()
    }
}

/// Closes the batch that has been open through all of it, and holds its amounts against the stored counts.
fn close_and_compare(bench: &Bench) {
    let mut agent = bench.run();
    for device in ["smt-meter", "dip-meter"] {
        agent.live(device, "energy_import");
    }
    let closing =
        json!({ "batch": "B-1", "good": 50, "rejected": 0, "author": "test", "at": whole_millisecond() });
    agent.post("batches/close", &closing);
    let revision = |agent: &weighbridge_tests::Agent| {
        agent.get("batches")[0]["revision"].as_u64().filter(|count| *count > 0)
    };
    until("the document of the batch", || revision(&agent));
    assert!(agent.program().terminate().success());

    let stored = Stored::read(bench);
    stored.check();
    let (store, _) = Store::open(&bench.store(), 1).unwrap();
    let documents: Vec<(u64, Value)> = store.documents_from(1).map(Result::unwrap).collect();
    let (_, document) = documents.last().unwrap();
    let time = |text: &Value| weighbridge::clock::parse_iso8601(text.as_str().unwrap()).unwrap();
    let period = (time(&document["period"]["from"]), time(&document["period"]["to"]));
    let channels = store.channels().unwrap();
    let amounts = document["amounts"].as_array().unwrap();
    assert_eq!(amounts.len(), 2, "{document}");
    for amount in amounts {
        let is_counter = |record: &weighbridge::reading::ChannelRecord| {
            amount["device"] == *record.device && amount["channel"] == *record.channel
        };
        let (channel, record) = channels.iter().find(|(_, record)| is_counter(record)).unwrap();
        check_amount(amount, &stored.counts(*channel), record.factor.parse().unwrap(), period);
    }
}

/// Now, as exactly as a document writes it, so that the boundary can be found again in the stored readings.
fn whole_millisecond() -> String {
    weighbridge::clock::iso8601(weighbridge::clock::Clock::system().now_utc_us())
}

fn check_amount(amount: &Value, counts: &[(i64, i64)], factor: Decimal, (from, to): (i64, i64)) {
    let decimal =
        |text: &Value| text.as_str().unwrap_or_else(|| panic!("{amount}")).parse::<Decimal>().unwrap();
    let value = decimal(&amount["value"]);
    let register =
        decimal(&amount["register"]["to"]).checked_sub(decimal(&amount["register"]["from"])).unwrap();
    assert_eq!(
        value.partial_cmp(&register),
        Some(std::cmp::Ordering::Equal),
        "not the register's difference: {amount}"
    );
    // Counters carry across the kills: no more is unknown than where between two readings a boundary fell.
    let expected = (between(counts, to) - between(counts, from)) * factor.to_f64();
    let thousandth = factor.to_f64() / 1_000.0;
    assert!(
        (value.to_f64() - expected).abs() <= 1.01 * thousandth,
        "{expected} by the stored counts, but {amount}"
    );
    assert!(expected > 5.0 * factor.to_f64(), "the counter has hardly moved: {amount}");
}

/// The count at an instant, on the straight line between its two neighbours.
#[allow(clippy::cast_precision_loss, reason = "counts of a minute are small")]
fn between(counts: &[(i64, i64)], at: i64) -> f64 {
    let after = counts.partition_point(|(time, _)| *time <= at);
    let ((time_0, count_0), (time_1, count_1)) = (counts[after - 1], counts[after]);
    let share = (at - time_0) as f64 / (time_1 - time_0) as f64;
    count_0 as f64 + share * (count_1 - count_0) as f64
}

/// Random numbers from a seed (splitmix64, Steele et al. 2014).
struct Moments(u64);

impl Moments {
    fn next_in(&mut self, range: std::ops::Range<u64>) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        range.start + (bits ^ (bits >> 31)) % (range.end - range.start)
    }
}
