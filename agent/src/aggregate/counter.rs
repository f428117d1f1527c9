//! What a counter consumed: exact differences, roll-over, breaks, and the value at a boundary between two readings.
//!
//! Pure. Everything is counted in whole register counts and thousandths of one (for interpolated boundaries), as integers, so
//! what two batches and the idle time between them consumed adds up to the register's own difference to the last digit.

use std::collections::BTreeMap;

use weighbridge_config::profile::ChannelKind;
use weighbridge_config::site::Device;
use weighbridge_protocol::modbus::RegisterType;
use weighbridge_protocol::{Decimal, Item, Raw};

/// Interpolated boundaries are kept to a thousandth of a count: below any instrument's resolution, and exact from there on.
const FINE_PER_COUNT: i128 = 1_000;
const FINE_EXPONENT: i8 = -3;
/// What the rated maximum is widened by before a rise counts as impossible: overload and uncertainty of time.
const RATED_MARGIN: f64 = 2.0;
/// An interval between readings counts as covered up to this many poll periods.
const COVERED_PERIODS: i64 = 3;

/// How to understand one counter.
#[derive(Clone, Debug, PartialEq)]
pub struct CounterRule {
    /// What one count is worth in the channel's unit, on the primary side.
    count_worth: Decimal,
    /// For a counter that is sent as IEEE-754: counts per unit of the number.
    counts_per_float: f64,
    /// Whether it is sent as IEEE-754 binary32.
    is_single_precision: bool,
    /// Counts after which the register starts again at 0.
    capacity: Option<i128>,
    /// The most counts that the instrument can pass in a microsecond, margin included.
    fastest_per_us: Option<f64>,
    poll_interval_us: i64,
}

impl CounterRule {
    /// The rule of a device's measured counter; `None` if it is no counter or its worth does not fit a decimal.
    pub fn of(device: &Device, channel: usize) -> Option<Self> {
        let channel = &device.channels[channel];
        let in_profile = &device.profile.channels[channel.profile_channel];
        if channel.kind != ChannelKind::Counter {
            return None;
        }
        let ratio = Decimal::from_ratio(channel.factor, in_profile.scale)?;
        let (count_worth, counts_per_float) = match in_profile.resolution {
            Some(place) => (place.checked_mul(ratio)?, in_profile.scale.to_f64() / place.to_f64()),
            None => (channel.factor, 1.0),
        };
        let fastest_per_us = device
            .rated_maximum_per_hour
            .map(|rated| RATED_MARGIN * rated.to_f64() / count_worth.to_f64() / 3.6e9);
        Some(Self {
            count_worth,
            counts_per_float,
            is_single_precision: is_single_precision(&in_profile.item),
            capacity: in_profile.capacity,
            fastest_per_us,
            poll_interval_us: i64::from(channel.poll_interval_ms) * 1_000,
        })
    }

    /// The register's count. A float counter is rounded to its resolution, once, here.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float beyond i64 saturates, and sums of those fit i128"
    )]
    fn count(&self, raw: Raw) -> i128 {
        match raw {
            Raw::Integer(count) => i128::from(count),
            Raw::Float(value) => i128::from((value * self.counts_per_float).round() as i64),
        }
    }

    /// What the register shows for a count: it starts again at 0 after its capacity.
    fn shown(&self, fine: i128) -> i128 {
        self.capacity.map_or(fine, |capacity| fine.rem_euclid(capacity * FINE_PER_COUNT))
    }

    /// By how much the register steps, in counts: a large number in single precision steps by more than its last place.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the step of the number as single precision holds it is wanted"
    )]
    fn step_at(&self, register: i128) -> f64 {
        if !self.is_single_precision {
            return 1.0;
        }
        let sent = (register as f64 / self.counts_per_float) as f32;
        (f64::from(sent.abs().next_up() - sent.abs()) * self.counts_per_float).max(1.0)
    }

    /// The increase between two readings `span_us` apart; `None` is a break: nothing is guessed.
    fn increase(&self, before: i128, after: i128, span_us: i64) -> Option<i128> {
        let rise = after - before;
        let rolled_over = self.capacity.map(|capacity| rise + capacity);
        match (rise >= 0, rolled_over) {
            // A rise is a fact of the register; one beyond the rated maximum is another meter's register.
            (true, _) if self.fastest_per_us.is_none() || self.possible(rise, span_us) => Some(rise),
            (false, Some(increase)) if increase >= 0 && self.possible(increase, span_us) => Some(increase),
            _ => None,
        }
    }

    fn possible(&self, increase: i128, span_us: i64) -> bool {
        let whole_count = 1.0;
        self.fastest_per_us.is_some_and(|fastest| increase as f64 <= fastest * span_us as f64 + whole_count)
    }

    fn is_covered(&self, span_us: i64) -> bool {
        span_us <= COVERED_PERIODS * self.poll_interval_us
    }
}

/// One counter's way through time, unwrapped at roll-overs, and its value at the boundaries that were asked for.
#[derive(Clone, Debug)]
pub struct Track {
    rule: CounterRule,
    last: Option<Point>,
    breaks: Vec<Break>,
    pending: Vec<i64>,
    boundaries: BTreeMap<i64, Boundary>,
}

#[derive(Clone, Copy, Debug)]
struct Point {
    utc_us: i64,
    half_width_us: u32,
    register: i128,
    unwrapped: i128,
    covered_us: i64,
}

/// A span over which the increase is not known: reset, exchange, lost digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Break {
    /// The last reading before, UTC microseconds.
    pub from_utc_us: i64,
    /// The first reading after.
    pub to_utc_us: i64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Boundary {
    Known {
        fine: i128,
        /// The register itself, interpolated in the same way.
        shown: i128,
        /// By how much the register steps there, in counts.
        step: f64,
        /// Half-width in counts of the interval in which the true value lies.
        half_width: f64,
        covered_us: i64,
    },
    /// Before the first reading, or within a break.
    Unknown,
}

/// What one batch drew from one counter.
#[derive(Clone, Debug, PartialEq)]
pub struct Consumption {
    /// In the channel's unit, exact. `None` where a boundary or the increase between is not known.
    pub value: Option<Decimal>,
    /// Register at opening and closing in the channel's unit, interpolated; at closing carried on past a roll-over.
    pub register: (Option<Decimal>, Option<Decimal>),
    /// Standard uncertainty of resolution and boundaries, in the channel's unit; independent of other batches but for the shared
    /// boundary.
    pub u_independent: f64,
    /// Share of the time that is backed by readings, 0 to 1.
    pub coverage: f64,
    /// Whether the reading behind the opening is still awaited: nothing can be said yet, and nothing is wrong.
    pub awaits_opening: bool,
    /// Whether the closing boundary is known; before, the value is what has been drawn so far.
    pub settled: bool,
    /// Breaks within.
    pub breaks: Vec<Break>,
}

impl Track {
    /// A counter of which nothing has been read yet.
    pub fn new(rule: CounterRule) -> Self {
        Self { rule, last: None, breaks: Vec::new(), pending: Vec::new(), boundaries: BTreeMap::new() }
    }

    /// Time of the newest reading.
    pub fn last_utc_us(&self) -> Option<i64> {
        self.last.map(|point| point.utc_us)
    }

    /// Asks for the value at a boundary. False if it does not lie behind the newest reading: the past is asked by reading the
    /// store again.
    pub fn handle_boundary(&mut self, utc_us: i64) -> bool {
        let known = self.boundaries.contains_key(&utc_us) || self.pending.contains(&utc_us);
        if !known && self.last.is_some_and(|last| utc_us <= last.utc_us) {
            return false;
        }
        if !known {
            self.pending.push(utc_us);
        }
        true
    }

    /// Drops what lies before a time that no batch will ask for again.
    pub fn forget_before(&mut self, utc_us: i64) {
        self.boundaries = self.boundaries.split_off(&utc_us);
        self.breaks.retain(|gap| gap.to_utc_us >= utc_us);
    }

    /// Takes the next good reading. One that is not later than the newest changes nothing: readings of one channel come in order.
    pub fn handle_reading(&mut self, utc_us: i64, half_width_us: u32, raw: Raw) {
        let register = self.rule.count(raw);
        let point = match self.last {
            None => Point { utc_us, half_width_us, register, unwrapped: register, covered_us: 0 },
            Some(last) if utc_us <= last.utc_us => return,
            Some(last) => self.step(last, utc_us, half_width_us, register),
        };
        self.resolve_until(point);
        self.last = Some(point);
    }

    fn step(&mut self, last: Point, utc_us: i64, half_width_us: u32, register: i128) -> Point {
        let span_us = utc_us - last.utc_us;
        let increase = self.rule.increase(last.register, register, span_us);
        if increase.is_none() {
            self.breaks.push(Break { from_utc_us: last.utc_us, to_utc_us: utc_us });
        }
        Point {
            utc_us,
            half_width_us,
            register,
            unwrapped: last.unwrapped + increase.unwrap_or(0),
            covered_us: last.covered_us + if self.rule.is_covered(span_us) { span_us } else { 0 },
        }
    }

    fn resolve_until(&mut self, point: Point) {
        let (due, later) = self.pending.iter().partition(|&&boundary| boundary <= point.utc_us);
        self.pending = later;
        let broken = self.breaks.last().is_some_and(|gap| gap.to_utc_us == point.utc_us);
        for boundary in Vec::<i64>::from_iter(due) {
            let value = match self.last {
                Some(last) if !broken => self.rule.between(last, point, boundary),
                // A boundary on the very reading needs no neighbour before it.
                _ if boundary == point.utc_us => self.rule.between(point, point, boundary),
                _ => Boundary::Unknown,
            };
            self.boundaries.insert(boundary, value);
        }
    }

    /// What was drawn over `[from, to)`, or from `from` to the newest reading while `to` is open or not yet read past.
    pub fn consumption(&self, from_utc_us: i64, to_utc_us: Option<i64>) -> Consumption {
        let opening = self.boundaries.get(&from_utc_us).copied();
        let closing = to_utc_us.and_then(|to| self.boundaries.get(&to)).copied();
        let end = closing.or_else(|| self.last.map(|last| self.rule.between(last, last, last.utc_us)));
        let end_utc_us =
            to_utc_us.filter(|_| closing.is_some()).or(self.last_utc_us()).unwrap_or(from_utc_us);
        let within = |gap: &&Break| gap.to_utc_us > from_utc_us && gap.from_utc_us < end_utc_us;
        let mut consumption = Consumption {
            value: None,
            register: (self.shown_at(opening), self.shown_at(end)),
            u_independent: 0.0,
            coverage: 0.0,
            awaits_opening: opening.is_none(),
            settled: closing.is_some() && opening.is_some(),
            breaks: self.breaks.iter().filter(within).copied().collect(),
        };
        if let (
            Some(Boundary::Known {
                fine: from,
                shown,
                half_width: half_from,
                step: step_from,
                covered_us: covered_from,
            }),
            Some(Boundary::Known {
                fine: to,
                half_width: half_to,
                step: step_to,
                covered_us: covered_to,
                ..
            }),
        ) = (opening, end)
        {
            let worth = self.rule.count_worth.to_f64();
            consumption.u_independent = worth * u_of_ends([half_from, half_to], [step_from, step_to]);
            consumption.coverage =
                share(covered_to - covered_from, to_utc_us.unwrap_or(end_utc_us) - from_utc_us);
            if consumption.breaks.is_empty() {
                consumption.value = self.in_unit(to - from);
                consumption.register.1 = self.in_unit(shown + (to - from));
            }
        }
        consumption
    }

    fn shown_at(&self, boundary: Option<Boundary>) -> Option<Decimal> {
        match boundary {
            Some(Boundary::Known { shown, .. }) => self.in_unit(shown),
            _ => None,
        }
    }

    fn in_unit(&self, fine: i128) -> Option<Decimal> {
        Decimal::new(fine, FINE_EXPONENT).checked_mul(self.rule.count_worth)
    }
}

impl CounterRule {
    /// Linear between two neighbours. The true value lies between theirs, which bounds it; and it may have been sampled earlier or
    /// later than the neighbours' stamps by their half-widths, which widens the bound by what passes in that time.
    fn between(&self, before: Point, after: Point, utc_us: i64) -> Boundary {
        let span_us = i128::from((after.utc_us - before.utc_us).max(1));
        let since_us = i128::from(utc_us - before.utc_us);
        let rise = (after.unwrapped - before.unwrapped) * FINE_PER_COUNT;
        let part = (rise * since_us + span_us / 2).div_euclid(span_us);
        let widest_us = f64::from(before.half_width_us.max(after.half_width_us));
        let (fine_before, fine_after) = (part as f64, (rise - part) as f64);
        let farther = if utc_us == after.utc_us { 0.0 } else { fine_before.max(fine_after) };
        let half_width_fine = farther + rise as f64 * widest_us / span_us as f64;
        let covered_span = after.covered_us - before.covered_us;
        Boundary::Known {
            fine: before.unwrapped * FINE_PER_COUNT + part,
            shown: self.shown(before.register * FINE_PER_COUNT + part),
            step: self.step_at(after.register),
            half_width: half_width_fine / FINE_PER_COUNT as f64,
            covered_us: before.covered_us + if covered_span > 0 { utc_us - before.utc_us } else { 0 },
        }
    }
}

fn is_single_precision(item: &Item) -> bool {
    matches!(item, Item::Modbus { format, .. } if format.kind == RegisterType::F32)
}

/// Both boundaries uniform within their half-widths, both ends with the resolution of one step; root sum of squares, in counts.
fn u_of_ends(half_widths: [f64; 2], steps: [f64; 2]) -> f64 {
    let sum_of_squares = |[from, to]: [f64; 2]| from * from + to * to;
    (sum_of_squares(half_widths) / 3.0 + sum_of_squares(steps) / 12.0).sqrt()
}

fn share(covered_us: i64, span_us: i64) -> f64 {
    if span_us > 0 { (covered_us as f64 / span_us as f64).clamp(0.0, 1.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: i64 = 1_000_000;

    /// 0.01 kWh a count, a register of 10 000 counts, rated 3 600 kW = 100 counts a second, polled every 10 s.
    fn rule() -> CounterRule {
        CounterRule {
            count_worth: "0.01".parse().unwrap(),
            counts_per_float: 1.0,
            is_single_precision: false,
            capacity: Some(10_000),
            fastest_per_us: Some(RATED_MARGIN * 100.0 / 1e6),
            poll_interval_us: 10 * SECOND,
        }
    }

    fn track(boundaries: &[i64], readings: &[(i64, i64)]) -> Track {
        let mut track = Track::new(rule());
        for seconds in boundaries {
            assert!(track.handle_boundary(seconds * SECOND));
        }
        for (seconds, count) in readings {
            track.handle_reading(seconds * SECOND, 0, Raw::Integer(*count));
        }
        track
    }

    /// (boundaries from and to in s, readings as (s, count)) -> value, breaks.
    fn check(from: i64, to: i64, readings: &[(i64, i64)], value: Option<&str>, breaks: usize) {
        let consumption = track(&[from, to], readings).consumption(from * SECOND, Some(to * SECOND));
        assert_eq!(consumption.value.map(|value| value.to_string()).as_deref(), value, "{readings:?}");
        assert_eq!(consumption.breaks.len(), breaks, "{readings:?}");
    }

    #[test]
    fn consumption_is_the_difference_of_the_register() {
        check(0, 20, &[(0, 100), (10, 150), (20, 250)], Some("1.50000"), 0);
        check(5, 15, &[(0, 100), (10, 150), (20, 250)], Some("0.75000"), 0);
        check(5, 15, &[(0, 100), (20, 250)], Some("0.75000"), 0);
        check(0, 10, &[(0, 9_950), (10, 30)], Some("0.80000"), 0);
        check(0, 20, &[(0, 9_950), (10, 30), (20, 9_900)], None, 1);
        check(0, 20, &[(0, 5_000), (10, 0), (20, 10)], None, 1);
        check(15, 25, &[(0, 5_000), (10, 0), (20, 10), (30, 20)], Some("0.10000"), 0);
        check(0, 20, &[(0, 100), (10, 9_000), (20, 9_010)], None, 1);
        check(5, 20, &[(10, 100), (20, 250)], None, 0);
        check(0, 1, &[(0, 100), (3, 200)], Some("0.33333"), 0);
    }

    #[test]
    fn without_a_rated_maximum_every_fall_is_a_break() {
        let mut track = Track::new(CounterRule { fastest_per_us: None, ..rule() });
        for (seconds, count) in [(0, 9_999), (10, 0), (20, 5)] {
            track.handle_boundary(seconds * SECOND);
            track.handle_reading(seconds * SECOND, 0, Raw::Integer(count));
        }
        assert_eq!(track.consumption(0, Some(20 * SECOND)).breaks.len(), 1);
    }

    #[test]
    fn the_uncertainty_of_a_boundary_is_the_larger_distance_to_a_neighbour() {
        let consumption =
            track(&[2, 20], &[(0, 100), (10, 200), (20, 250)]).consumption(2 * SECOND, Some(20 * SECOND));
        let half_width = 80.0;
        let expected = 0.01 * (half_width * half_width / 3.0 + 2.0 / 12.0_f64).sqrt();
        assert!((consumption.u_independent - expected).abs() < 1e-12);
        assert!((consumption.coverage - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_gap_loses_no_energy_but_coverage() {
        let consumption =
            track(&[0, 100], &[(0, 0), (10, 10), (90, 90), (100, 100)]).consumption(0, Some(100 * SECOND));
        assert_eq!(consumption.value, "1.00000".parse().ok());
        assert!((consumption.coverage - 0.2).abs() < 1e-12);
    }

    #[test]
    fn an_open_batch_shows_what_was_drawn_so_far() {
        let consumption = track(&[0], &[(0, 100), (10, 150)]).consumption(0, None);
        assert_eq!(consumption.value, "0.50000".parse().ok());
        assert!(!consumption.settled);
    }

    #[test]
    fn a_float_counter_is_counted_in_its_resolution() {
        let mut track = Track::new(CounterRule {
            count_worth: "0.001".parse().unwrap(),
            counts_per_float: 1_000.0,
            capacity: None,
            ..rule()
        });
        for (seconds, kilograms) in [(0, 0.1), (10, 0.3), (20, 0.7)] {
            track.handle_boundary(seconds * SECOND);
            track.handle_reading(seconds * SECOND, 0, Raw::Float(kilograms));
        }
        assert_eq!(track.consumption(0, Some(20 * SECOND)).value, "0.600000".parse().ok());
    }

    /// 0.01 kWh stated; from 2^17 kWh on single precision steps by 2^-6 kWh, from 2^20 on by 2^-3 (IEEE 754-2019, table 3.5).
    #[test]
    fn a_large_single_precision_counter_resolves_what_its_format_does() {
        for (kilowatt_hours, step) in [(1_000.0, 1.0), (131_072.0, 1.5625), (1_048_576.0, 12.5)] {
            let mut track = Track::new(CounterRule {
                counts_per_float: 100.0,
                is_single_precision: true,
                capacity: None,
                ..rule()
            });
            for seconds in [0, 10] {
                track.handle_boundary(seconds * SECOND);
                track.handle_reading(seconds * SECOND, 0, Raw::Float(kilowatt_hours));
            }
            let u = track.consumption(0, Some(10 * SECOND)).u_independent;
            let expected = 0.01 * step / 6.0_f64.sqrt();
            assert!((u - expected).abs() < 1e-9, "{kilowatt_hours}: {u}, expected {expected}");
        }
    }

    #[test]
    fn the_register_is_what_the_display_shows() {
        let check = |readings: &[(i64, i64)], from: &str, to: &str| {
            let consumption = track(&[15, 25], readings).consumption(15 * SECOND, Some(25 * SECOND));
            let register = [consumption.register.0, consumption.register.1];
            assert_eq!(register, [from.parse().ok(), to.parse().ok()], "{readings:?}");
        };
        check(&[(0, 100), (10, 200), (20, 300), (30, 400)], "2.50000", "3.50000");
        check(&[(0, 9_900), (10, 0), (20, 100), (30, 200)], "0.50000", "1.50000");
        check(&[(0, 9_800), (10, 9_900), (20, 0), (30, 100)], "99.50000", "100.50000");
        check(&[(0, 5_000), (10, 0), (20, 100), (30, 200)], "0.50000", "1.50000");
    }

    fn rising_readings() -> impl Strategy<Value = Vec<(i64, i64)>> {
        prop::collection::vec((1_i64..40, 0_i64..90), 2..60).prop_map(|steps| {
            let (mut seconds, mut total) = (0, 9_000);
            let mut readings = vec![(0, total % 10_000)];
            for (span, rise) in steps {
                seconds += span;
                total += rise.min(span * 100);
                readings.push((seconds, total % 10_000));
            }
            readings
        })
    }

    proptest! {
        /// Neighbouring batches and the idle time between them add up to the register's own difference, exactly.
        #[test]
        fn nothing_is_lost_between_batches(readings in rising_readings(), cuts in prop::collection::vec(0.0..1.0_f64, 1..8)) {
            let end = readings.last().unwrap().0;
            let mut cuts: Vec<i64> = cuts.iter().map(|cut| (cut * (end * SECOND) as f64) as i64).collect();
            cuts.extend([0, end * SECOND]);
            cuts.sort_unstable();
            cuts.dedup();
            let mut track = Track::new(rule());
            cuts.iter().for_each(|cut| assert!(track.handle_boundary(*cut)));
            for (seconds, count) in &readings {
                track.handle_reading(seconds * SECOND, 7, Raw::Integer(*count));
            }
            let parts = cuts.windows(2).map(|pair| track.consumption(pair[0], Some(pair[1])).value.unwrap());
            let sum = parts.fold(Decimal::ZERO, |sum, part| sum.checked_add(part).unwrap());
            let rises = readings.windows(2).map(|pair| (pair[1].1 - pair[0].1).rem_euclid(10_000)).sum::<i64>();
            let whole = Decimal::new(i128::from(rises), -2);
            prop_assert_eq!(sum.partial_cmp(&whole), Some(std::cmp::Ordering::Equal), "{} {}", sum, whole);
        }

        /// The true register at a boundary is within the stated half-width, whatever happened between the neighbours.
        #[test]
        fn a_boundary_covers_the_truth(early in 0_i64..=900, at in 1_i64..10) {
            let readings = [(0, 0), (10, early.min(1_000)), (20, 1_000)];
            let consumption = track(&[0, at], &readings).consumption(0, Some(at * SECOND));
            let value = consumption.value.unwrap().to_f64();
            let half_width = consumption.u_independent * 3.0_f64.sqrt();
            for truth in [0.0, 0.01 * readings[1].1 as f64] {
                prop_assert!((value - truth).abs() <= half_width + 1e-9);
            }
        }
    }
}
