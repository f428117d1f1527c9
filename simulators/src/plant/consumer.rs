//! What draws on a carrier or material, and its course over time.
//!
//! Above its idle level a consumer follows the runs of its area: up, along a jagged level, down again. The courses of a round
//! are scaled so that each round comes to the mean plus the change of a seeded lead. The sum over all rounds before now is
//! then a product, not a sum: any instant is answered at once, with nothing kept.

use super::curve::{Curve, HOUR_US};
use super::schedule::{self, Area, ROUND_US, Run};
use crate::draw::{Draw, Purpose};

/// Length of a run in the mean, for the mean consumption of a round.
const MEAN_RUN_H: f64 = 262.0 / 3600.0;
/// How far a consumer's total may be ahead of its mean, as a share of a round's.
const LEAD: f64 = 0.08;

/// A section's electricity, or a material; levels in kW or kg/h.
#[derive(Debug)]
pub(crate) struct Consumer {
    pub(crate) name: &'static str,
    pub(crate) area: Area,
    /// Level with no run.
    idle: f64,
    /// Level in the middle of a run, by model.
    running: [f64; 2],
    /// How far the level jags about its middle, as a share of the part above idle.
    jag: f64,
    /// The level bends every this many seconds, give or take a half.
    bend_s: f64,
    /// Times from idle to running and back.
    up_s: f64,
    down_s: f64,
}

/// Electricity of the sections, in the order of the process.
pub(crate) static SECTIONS: [Consumer; 8] = [
    section("smt", Area::Front, 7.0, [48.0, 39.0], 0.15, 12.0, 12.0, 12.0),
    section("dip", Area::Front, 6.0, [42.0, 32.0], 0.12, 15.0, 10.0, 10.0),
    section("coating", Area::Front, 4.0, [23.0, 17.5], 0.20, 20.0, 8.0, 12.0),
    section("assembly", Area::Back, 2.0, [15.0, 11.0], 0.35, 6.0, 4.0, 4.0),
    section("withstand-test", Area::Back, 0.8, [9.0, 6.5], 0.60, 4.0, 2.0, 2.0),
    section("ageing", Area::Back, 9.0, [50.0, 37.0], 0.08, 25.0, 14.0, 13.0),
    section("calibration", Area::Back, 3.0, [22.0, 14.0], 0.25, 10.0, 5.0, 5.0),
    section("packing", Area::Back, 0.6, [7.0, 5.5], 0.50, 5.0, 3.0, 3.0),
];

/// Materials of the front lines.
pub(crate) static MATERIALS: [Consumer; 2] = [
    section("solder", Area::Front, 0.0, [40.0, 25.0], 0.30, 9.0, 5.0, 3.0),
    section("conformal-coating", Area::Front, 0.0, [27.0, 15.0], 0.25, 8.0, 4.0, 2.0),
];

#[expect(clippy::too_many_arguments, reason = "one line of the tables above")]
const fn section(
    name: &'static str,
    area: Area,
    idle: f64,
    running: [f64; 2],
    jag: f64,
    bend_s: f64,
    up_s: f64,
    down_s: f64,
) -> Consumer {
    Consumer { name, area, idle, running, jag, bend_s, up_s, down_s }
}

/// A consumer in one seeded plant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seeded {
    pub(crate) consumer: &'static Consumer,
    pub(crate) seed: u64,
    /// Distinguishes the streams of this consumer from those of the others.
    pub(crate) subject: u16,
}

impl Seeded {
    /// Consumed from the start of the plant to `after_start_us`, in kWh or kg; 0 before the start.
    pub(crate) fn total(&self, after_start_us: i64) -> f64 {
        let after_start_us = after_start_us.max(0);
        let (round, within_us) = (after_start_us / ROUND_US, after_start_us % ROUND_US);
        let idle = self.consumer.idle * within_us as f64 / HOUR_US;
        let total = self.total_before(round) + idle + self.course(round).integral(within_us);
        total.min(self.total_before(round + 1))
    }

    /// Level at `after_start_us`, in kW or kg/h; 0 before the start.
    pub(crate) fn level(&self, after_start_us: i64) -> f64 {
        if after_start_us < 0 {
            return 0.0;
        }
        let (round, within_us) = (after_start_us / ROUND_US, after_start_us % ROUND_US);
        self.consumer.idle + self.course(round).level(within_us)
    }

    /// Consumed in all rounds before `round`.
    fn total_before(&self, round: i64) -> f64 {
        let idle = self.consumer.idle * (ROUND_US as f64 / HOUR_US);
        let ahead = (self.lead(round) - self.lead(0)) * self.mean_above_idle();
        round as f64 * (idle + self.mean_above_idle()) + ahead
    }

    /// The part above idle in `round`.
    fn course(&self, round: i64) -> Curve {
        let mut draw = Draw::keyed(self.seed, Purpose::Levels, self.subject, round);
        let mut curve = Curve::default();
        curve.line_to(0, 0.0);
        for run in schedule::runs(self.seed, self.consumer.area, round) {
            self.draw_run(&mut curve, run, &mut draw);
        }
        curve.line_to(ROUND_US, 0.0);
        let wanted = self.mean_above_idle() * (1.0 + self.lead(round + 1) - self.lead(round));
        let drawn = curve.integral(ROUND_US);
        curve.scaled(wanted / drawn)
    }

    fn draw_run(&self, curve: &mut Curve, run: Run, draw: &mut Draw) {
        let consumer = self.consumer;
        let middle = consumer.running[run.model] - consumer.idle;
        let level = |draw: &mut Draw| middle * (1.0 + consumer.jag * draw.between(-1.0, 1.0));
        curve.line_to(run.opens_us, 0.0);
        let mut at_us = run.opens_us + whole_us(consumer.up_s);
        while at_us < run.closes_us {
            curve.line_to(at_us, level(draw));
            at_us += whole_us(consumer.bend_s * draw.between(0.5, 1.5));
        }
        curve.line_to(run.closes_us, level(draw));
        curve.line_to(run.closes_us + whole_us(consumer.down_s), 0.0);
    }

    fn mean_above_idle(&self) -> f64 {
        let consumer = self.consumer;
        consumer.running.iter().map(|running| (running - consumer.idle) * MEAN_RUN_H).sum()
    }

    /// How far the total at the start of `round` is ahead of its mean, as a share of a round's.
    fn lead(&self, round: i64) -> f64 {
        LEAD * Draw::keyed(self.seed, Purpose::Lead, self.subject, round).unit()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "lengths within a round: far below 2^53")]
fn whole_us(seconds: f64) -> i64 {
    (seconds * 1e6) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_comes_to_its_share_and_the_course_stays_positive() {
        for (subject, consumer) in (0..).zip(SECTIONS.iter().chain(&MATERIALS)) {
            let seeded = Seeded { consumer, seed: 20_261, subject };
            for round in [0, 1, 2, 999, 52_560_000] {
                let course = seeded.course(round);
                let consumed = seeded.total_before(round + 1) - seeded.total_before(round);
                let drawn = course.integral(ROUND_US) + consumer.idle * (ROUND_US as f64 / HOUR_US);
                let scale = seeded.total_before(round + 1).max(1.0);
                assert!((consumed - drawn).abs() < 1e-12 * scale, "{}: {consumed} {drawn}", consumer.name);
                let lowest = (0..ROUND_US / 1_000_000).map(|second| course.level(second * 1_000_000));
                assert!(lowest.fold(0.0, f64::min) >= 0.0, "{}", consumer.name);
            }
        }
    }

    #[test]
    fn running_levels_stay_near_those_of_the_table() {
        for (subject, consumer) in (0..).zip(SECTIONS.iter().chain(&MATERIALS)) {
            let seeded = Seeded { consumer, seed: 5, subject };
            let highest = (0..600).map(|step| seeded.level(step * 6_000_000)).fold(0.0, f64::max);
            let bound = consumer.running[0] * (1.0 + consumer.jag);
            assert!(
                (0.7 * consumer.running[0]..1.3 * bound).contains(&highest),
                "{}: {highest}",
                consumer.name
            );
        }
    }
}
