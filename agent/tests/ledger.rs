//! Batches over a real store: what stands in a document is a matter of the stored readings and the commands alone, not of when a
//! command came, when a reading was folded in, or how often the agent was started again.

#![allow(clippy::unwrap_used, clippy::float_cmp)]

mod sample;

use std::sync::Arc;

use proptest::prelude::*;
use weighbridge::aggregate::batch::{BatchCommand, BatchEvent};
use weighbridge::aggregate::counter::CounterRule;
use weighbridge::aggregate::document::{Amount, PrimaryData};
use weighbridge::aggregate::{Ledger, Measured};
use weighbridge::buffer::Store;
use weighbridge::clock::parse_iso8601;
use weighbridge::reading::{ChannelId, ChannelRecord, Quality, Reading, Reason};
use weighbridge_config::Site;
use weighbridge_protocol::{Decimal, Raw};

const SECOND: i64 = 1_000_000;
/// 2026-06-01T00:00:00Z, within the certificates of the sample site.
const START: i64 = 1_780_272_000 * SECOND;
const LATE: i64 = 100_000;

/// A ledger on a store in a temporary folder. Times are seconds since `START`.
struct Bench {
    site: Arc<Site>,
    ids: Vec<ChannelId>,
    ledger: Option<Ledger>,
    store: Option<Arc<Store>>,
    start: i64,
    folder: tempfile::TempDir,
}

impl Bench {
    fn new(site: Arc<Site>) -> Self {
        Self::starting(site, START)
    }

    fn starting(site: Arc<Site>, start: i64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut bench = Self { site, ids: Vec::new(), ledger: None, store: None, start, folder };
        bench.restart();
        bench
    }

    fn one_meter() -> Self {
        Self::new(sample::site(&sample::meter("m1", 1, "front")))
    }

    /// Lets everything go and opens it again, as the next start of the agent does.
    fn restart(&mut self) {
        self.ledger = None;
        self.store = None;
        let (store, aside) = Store::open(&self.folder.path().join("store"), self.start).unwrap();
        assert_eq!(aside, None);
        self.store = Some(Arc::new(store));
        self.open_ledger();
    }

    fn open_ledger(&mut self) {
        let measured: Vec<_> =
            self.site.devices.iter().map(|device| device.measures.as_ref().unwrap()).collect();
        let records: Vec<_> = self
            .site
            .devices
            .iter()
            .zip(&measured)
            .map(|(device, measure)| ChannelRecord::of(device, &device.channels[measure.channel]))
            .collect();
        self.ids = self.store().channel_ids(&records).unwrap();
        let rules = self.site.devices.iter().zip(&measured).zip(&self.ids).enumerate();
        let measured = rules.map(|(index, ((device, measure), id))| Measured {
            channel: *id,
            device: index,
            rule: CounterRule::of(device, measure.channel).unwrap(),
        });
        let measured = measured.collect();
        self.ledger = Some(Ledger::open(self.site.clone(), self.store().clone(), measured).unwrap());
    }

    fn store(&self) -> &Arc<Store> {
        self.store.as_ref().unwrap()
    }

    fn ledger(&mut self) -> &mut Ledger {
        self.ledger.as_mut().unwrap()
    }

    fn reading(&self, meter: usize, seconds: i64, value: Option<Raw>) -> Reading {
        let quality = value.map_or(Quality::Bad(Reason::NoAnswer), |_| Quality::Good);
        Reading {
            channel: self.ids[meter],
            utc_us: self.start + seconds * SECOND,
            half_width_us: 1_000,
            value,
            quality,
        }
    }

    /// Stores a count of a meter and takes it in, as the running agent does.
    fn read(&mut self, meter: usize, seconds: i64, count: i64) {
        let reading = self.reading(meter, seconds, Some(Raw::Integer(count)));
        self.take_in(reading, seconds);
    }

    fn take_in(&mut self, reading: Reading, now: i64) {
        let next = self.store().append(&[reading]).unwrap();
        self.ledger().follow(next).unwrap();
        self.issue(now);
    }

    fn read_all(&mut self, readings: &[(i64, i64)]) {
        readings.iter().for_each(|(seconds, count)| self.read(0, *seconds, *count));
    }

    fn issue(&mut self, now: i64) {
        let now_utc_us = self.start + now * SECOND;
        self.ledger().issue_documents(now_utc_us).unwrap();
    }

    fn command(&mut self, command: BatchCommand, now: i64) -> Result<(), String> {
        let now_utc_us = self.start + now * SECOND;
        let done =
            self.ledger().handle_command(command, "test".into(), now_utc_us).map_err(|why| why.to_string());
        self.issue(now);
        done
    }

    fn open(&mut self, batch: &str, at: i64, now: i64) {
        self.command(opening(batch, &["front"], self.start + at * SECOND), now).unwrap();
    }

    fn close(&mut self, batch: &str, at: i64, now: i64) {
        self.command(closing(batch, self.start + at * SECOND), now).unwrap();
    }

    /// Every document but for the time of its issue.
    fn documents(&self) -> Vec<PrimaryData> {
        let numbered = self.store().documents_from::<PrimaryData>(1).map(Result::unwrap);
        numbered.map(|(_, document)| PrimaryData { issued: String::new(), ..document }).collect()
    }

    fn only_amount(&self) -> Amount {
        self.documents().pop().unwrap().amounts.pop().unwrap()
    }
}

fn opening(batch: &str, sections: &[&str], at_utc_us: i64) -> BatchCommand {
    let sections = sections.iter().map(|section| (*section).to_owned()).collect();
    BatchCommand::Open { batch: batch.into(), model: "M".into(), sections, at_utc_us }
}

fn closing(batch: &str, at_utc_us: i64) -> BatchCommand {
    BatchCommand::Close { batch: batch.into(), at_utc_us, good: 9, rejected: 1 }
}

/// The same amount of energy, whatever the number of its decimal places.
fn assert_value(amount: &Amount, expected: &str) {
    let value = amount.value.as_deref().map(|value| value.parse::<Decimal>().unwrap().normalized());
    assert_eq!(value, Some(expected.parse::<Decimal>().unwrap().normalized()), "{amount:?}");
}

const EVEN: [(i64, i64); 6] = [(0, 100), (10, 150), (20, 250), (30, 300), (40, 420), (50, 500)];

#[test]
fn a_batch_draws_the_difference_of_its_boundaries() {
    let mut bench = Bench::one_meter();
    bench.read_all(&EVEN[..2]);
    bench.open("A", 15, 15);
    bench.read_all(&EVEN[2..4]);
    bench.close("A", 35, 35);
    assert_eq!(bench.documents().len(), 0, "the reading after the closing is awaited");
    bench.read_all(&EVEN[4..]);
    let documents = bench.documents();
    assert_eq!((documents.len(), documents[0].revision), (1, 1));
    let amount = bench.only_amount();
    assert_value(&amount, "1.6");
    assert_eq!(
        (amount.quality.as_str(), amount.grade.as_deref(), amount.coverage),
        ("good", Some("high"), 1.0)
    );
    assert_eq!(
        (amount.register.from.as_deref(), amount.register.to.as_deref()),
        (Some("2.00000"), Some("3.60000"))
    );
}

#[test]
fn a_late_command_is_worth_as_much_as_one_in_time() {
    let mut in_time = Bench::one_meter();
    in_time.read_all(&EVEN[..2]);
    in_time.open("A", 15, 15);
    in_time.read_all(&EVEN[2..4]);
    in_time.close("A", 30, 30);
    in_time.read_all(&EVEN[4..]);

    let mut late = Bench::one_meter();
    late.read_all(&EVEN);
    late.open("A", 15, 55);
    late.close("A", 30, 56);
    assert_eq!(late.documents(), in_time.documents());
}

/// The instant of the newest reading is a boundary like any other, however it comes to be known.
#[test]
fn a_boundary_on_the_newest_reading_is_that_reading() {
    for next in [250, 5_000] {
        let mut bench = Bench::one_meter();
        bench.read_all(&EVEN[..1]);
        bench.open("A", 0, 0);
        bench.read_all(&EVEN[1..2]);
        bench.close("A", 10, 10);
        bench.read(0, 11, next);
        let amount = bench.only_amount();
        assert_value(&amount, "0.5");
        assert_eq!(amount.quality, "good", "{amount:?}");
    }
}

#[test]
fn what_a_break_hides_is_not_guessed() {
    let mut bench = Bench::one_meter();
    bench.read_all(&[(0, 5_000), (10, 5_100)]);
    bench.open("A", 10, 10);
    // The register falls by 5 095: as a roll-over that would be 4 905 counts in 10 s, with 2 000 possible.
    bench.read_all(&[(20, 5), (30, 15)]);
    bench.close("A", 30, 30);
    bench.read_all(&[(40, 25), (50, 35)]);
    let amount = bench.only_amount();
    assert_eq!(
        (amount.quality.as_str(), amount.value.as_deref(), amount.grade.as_deref()),
        ("bad", None, None)
    );
    let reason = amount.reason.unwrap();
    assert!(reason.contains("2026-06-01T00:00:10.000Z and 2026-06-01T00:00:20.000Z"), "{reason}");

    bench.open("B", 40, 50);
    bench.close("B", 50, 50);
    bench.read(0, 60, 45);
    let after = bench.only_amount();
    assert_value(&after, "0.1");
    assert_eq!(
        after.register.from.as_deref(),
        Some("0.25000"),
        "what the display showed, whatever came before"
    );
    let documents = bench.documents();
    bench.restart();
    bench.issue(LATE);
    assert_eq!(bench.documents(), documents);
}

#[test]
fn a_meter_silent_at_the_closing_is_waited_for_then_told_then_corrected() {
    let mut bench = Bench::one_meter();
    bench.read_all(&EVEN[..2]);
    bench.open("A", 10, 12);
    bench.read_all(&EVEN[2..3]);
    bench.close("A", 25, 25);
    bench.issue(80);
    assert_eq!(bench.documents().len(), 0, "within six poll periods");
    let silent = bench.reading(0, 86, None);
    bench.take_in(silent, 86);
    let first = bench.only_amount();
    assert_eq!((first.quality.as_str(), first.grade.as_deref()), ("uncertain", None));
    assert_value(&first, "1");

    bench.restart();
    bench.issue(90);
    assert_eq!(bench.documents().len(), 1, "a start is no reason for a revision");
    bench.read(0, 100, 1_050);
    let documents = bench.documents();
    assert_eq!(documents.iter().map(|document| document.revision).collect::<Vec<_>>(), [1, 2]);
    let second = bench.only_amount();
    assert_eq!(second.quality, "good");
    assert_value(&second, "1.5");
}

/// Days of a certificate are days of the site, here eight hours ahead of UTC.
#[test]
fn a_lapsed_certificate_is_flagged_and_not_graded() {
    let check = |from: &str, to: &str, flags: &[&str]| {
        let start = parse_iso8601(from).unwrap();
        let end = (parse_iso8601(to).unwrap() - start) / SECOND;
        let mut bench = Bench::starting(sample::site(&sample::meter("m1", 1, "front")), start);
        bench.read(0, -10, 0);
        bench.open("A", 0, 0);
        bench.read(0, end, 10);
        bench.close("A", end, end);
        bench.read(0, end + 10, 20);
        let amount = bench.only_amount();
        assert_eq!(amount.flags, flags, "{from} {to}");
        assert_eq!(
            (amount.quality.as_str(), amount.grade.is_some()),
            ("good", flags.is_empty()),
            "{from} {to}"
        );
    };
    check("2026-12-31T22:00:00+08:00", "2026-12-31T23:59:00+08:00", &[]);
    check("2026-12-31T22:00:00+08:00", "2027-01-01T00:01:00+08:00", &["certificate expired"]);
    check("2026-01-01T00:01:00+08:00", "2026-01-01T07:00:00+08:00", &[]);
    check("2025-12-31T23:00:00+08:00", "2026-01-01T07:00:00+08:00", &["certificate not yet valid"]);
}

#[test]
fn adjoining_batches_and_the_idle_time_between_others_conserve() {
    let mut bench = Bench::one_meter();
    let counts = |seconds: i64| (9_700 + seconds * seconds / 7) % 10_000;
    bench.read(0, 0, counts(0));
    let cuts = [("A", 0, 13), ("B", 13, 37), ("idle-1", 37, 41), ("C", 41, 88), ("idle-2", 88, 90)];
    for seconds in (10..=100).step_by(10) {
        bench.read(0, seconds, counts(seconds));
    }
    for (batch, from, to) in cuts {
        bench.open(batch, from, 100);
        bench.close(batch, to, 100);
    }
    let values = bench.documents().into_iter().map(|document| document.amounts[0].value.clone().unwrap());
    let sum = values.fold(Decimal::ZERO, |sum, value| sum.checked_add(value.parse().unwrap()).unwrap());
    let whole = Decimal::new(i128::from(90 * 90 / 7), -2);
    assert_eq!(sum.normalized(), whole.normalized(), "to the last digit");
}

#[test]
fn a_final_document_outlives_changes_of_the_site() {
    let mut bench =
        Bench::new(sample::site(&(sample::meter("m1", 1, "front") + &sample::meter("m2", 2, "front"))));
    for (seconds, broken) in [(0, 5_000), (10, 5_010), (20, 0), (30, 10)] {
        bench.read(0, seconds, seconds);
        bench.read(1, seconds, broken);
    }
    bench.open("A", 5, 30);
    bench.close("A", 25, 30);
    let documents = bench.documents();
    assert_eq!(
        documents[0].amounts.iter().map(|amount| amount.quality.as_str()).collect::<Vec<_>>(),
        ["good", "bad"]
    );
    // The broken meter is taken away, and the certificate of the other one is renewed.
    bench.site = sample::site(&sample::meter("m1", 1, "front").replace("C-1", "C-2"));
    bench.restart();
    bench.issue(LATE);
    assert_eq!(bench.documents(), documents, "what was measured then does not change with the site of today");
}

#[test]
fn a_counter_of_impossible_floats_is_a_break_and_no_panic() {
    let site = sample::site(
        r#"
[[device]]
name = "flow"
link = "trunk"
profile = "siemens/sitrans-mass6000"
address = 9
poll = { mass_total = "10 s" }
measures = { carrier = "solder", section = "front" }
instrument = { mpe = "0.5 %", certificate = "C-2" }
"#,
    );
    let mut bench = Bench::new(site);
    let floats = [1.0, f64::from(f32::MAX), -f64::from(f32::MAX), f64::MAX, f64::MIN, 0.0, 1.0];
    bench.open("A", 0, 0);
    for (place, value) in (0..).zip(floats) {
        let reading = bench.reading(0, 10 * place, Some(Raw::Float(value)));
        bench.take_in(reading, 10 * place);
    }
    bench.close("A", 55, 70);
    assert_eq!(bench.only_amount().quality, "bad");
}

/// What may happen to an agent, each some seconds after the one before.
#[derive(Clone, Debug)]
enum Happening {
    /// A meter is read; its counter has grown by so much.
    Read { meter: usize, rise: i64 },
    /// A meter starts again from nothing.
    Reset { meter: usize },
    /// The next batch begins or the open one ends, said so many seconds too late.
    Boundary { late: i64 },
    /// Time passes that is longer than any wait for a silent meter.
    Pause,
    /// The agent is started again.
    Restart,
}

fn happenings() -> impl Strategy<Value = Vec<(i64, Happening)>> {
    let happening = prop_oneof![
        12 => (0_usize..2, 0_i64..900).prop_map(|(meter, rise)| Happening::Read { meter, rise }),
        1 => (0_usize..2).prop_map(|meter| Happening::Reset { meter }),
        4 => (0_i64..25).prop_map(|late| Happening::Boundary { late }),
        1 => Just(Happening::Pause),
        2 => Just(Happening::Restart),
    ];
    prop::collection::vec((0_i64..12, happening), 10..60)
}

/// Lets it happen; gives back what was said.
fn live(bench: &mut Bench, happenings: &[(i64, Happening)], restarts: bool) -> Vec<BatchEvent> {
    let (mut now, mut totals, mut events, mut last_boundary) = (0, [9_500_i64, 100], Vec::new(), 0);
    for (seconds, happening) in happenings {
        now += seconds;
        match happening {
            Happening::Read { meter, rise } => {
                // No channel is read twice in one instant.
                now += i64::from(*seconds == 0);
                totals[*meter] += rise;
                bench.read(*meter, now, totals[*meter] % 10_000);
            }
            Happening::Reset { meter } => totals[*meter] = 0,
            Happening::Boundary { late } => {
                let at = (now - late).max(last_boundary + 1);
                let id = format!("B{}", events.len() / 2);
                let at_utc_us = bench.start + at * SECOND;
                let opens = events.len() % 2 == 0;
                let command =
                    if opens { opening(&id, &["front", "back"], at_utc_us) } else { closing(&id, at_utc_us) };
                if at <= now {
                    bench.command(command.clone(), now).unwrap();
                    let number = events.len() as u64 + 1;
                    events.push(BatchEvent { number, recorded_utc_us: 0, author: "test".into(), command });
                    last_boundary = at;
                }
            }
            Happening::Pause => now += 100,
            Happening::Restart if restarts => bench.restart(),
            Happening::Restart => {}
        }
        bench.issue(now);
    }
    bench.issue(LATE);
    events
}

fn two_meters() -> Arc<Site> {
    sample::site(&(sample::meter("m1", 1, "front") + &sample::meter("m2", 2, "back")))
}

/// The newest revision of each batch, its number set aside.
fn newest(bench: &Bench) -> Vec<PrimaryData> {
    let mut newest: Vec<PrimaryData> = Vec::new();
    for document in bench.documents() {
        newest.retain(|known| known.batch != document.batch);
        newest.push(PrimaryData { revision: 0, ..document });
    }
    newest.sort_by(|one, other| one.batch.cmp(&other.batch));
    newest
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn running_restarted_and_recomputed_figures_are_the_same(happenings in happenings()) {
        let mut running = Bench::new(two_meters());
        let events = live(&mut running, &happenings, false);
        let mut restarted = Bench::new(two_meters());
        live(&mut restarted, &happenings, true);
        prop_assert_eq!(restarted.documents(), running.documents(), "restarts show");

        let mut recomputed = Bench::new(two_meters());
        let readings = running.store().blocks_from(1).flat_map(|block| block.unwrap().readings);
        recomputed.store().append(&readings.collect::<Vec<_>>()).unwrap();
        for event in &events {
            recomputed.store().append_event(event.number, event).unwrap();
        }
        recomputed.open_ledger();
        recomputed.issue(LATE);
        prop_assert_eq!(newest(&recomputed), newest(&running), "running and recomputed differ");
    }
}
