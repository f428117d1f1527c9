//! Which batch runs where and when.
//!
//! Time is cut into rounds of ten minutes. In each round the front lines make two lots, one of each model, and the back lines
//! work up the two lots that the front lines made the round before: two runs a round and area, of 3 to 6 minutes, with idle
//! time before, between and after. A round follows from the seed and its number alone, so the schedule has no horizon.

use super::PlannedBatch;
use crate::draw::{Draw, Purpose};

/// Length of a round.
pub(crate) const ROUND_US: i64 = 600_000_000;
/// Product models of the plant.
pub(crate) const MODELS: [&str; 2] = ["DTZ-A", "DDZ-B"];

const SHORTEST_RUN_S: f64 = 180.0;
const LONGEST_RUN_S: f64 = 360.0;

/// A part of the plant that works on one batch at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Area {
    /// Board making.
    Front,
    /// Assembly, tests and packing.
    Back,
}

impl Area {
    /// Both, in the order of the process.
    pub(crate) const ALL: [Area; 2] = [Area::Front, Area::Back];

    /// Sections of the area, in the order of the process.
    pub(crate) const fn sections(self) -> &'static [&'static str] {
        match self {
            Area::Front => &["smt", "dip", "coating"],
            Area::Back => &["assembly", "withstand-test", "ageing", "calibration", "packing"],
        }
    }

    /// How many rounds after its making a lot is here.
    const fn delay_rounds(self) -> i64 {
        match self {
            Area::Front => 0,
            Area::Back => 1,
        }
    }

    const fn timing(self) -> Purpose {
        match self {
            Area::Front => Purpose::FrontTiming,
            Area::Back => Purpose::BackTiming,
        }
    }

    const fn letter(self) -> char {
        match self {
            Area::Front => 'F',
            Area::Back => 'B',
        }
    }
}

/// One lot on its way through one area; times from the start of the round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    lot: i64,
    /// Index into [`MODELS`].
    pub(crate) model: usize,
    pub(crate) opens_us: i64,
    pub(crate) closes_us: i64,
}

/// The two runs of `area` in `round`, in order of time.
pub(crate) fn runs(seed: u64, area: Area, round: i64) -> [Run; 2] {
    let mut timing = Draw::new(seed, area.timing(), round);
    let lead_s = timing.between(5.0, 25.0);
    let between_s = timing.between(20.0, 45.0);
    let tail_s = timing.between(15.0, 40.0);
    let worked_s = ROUND_US as f64 / 1e6 - lead_s - between_s - tail_s;
    let longest_s = (worked_s - SHORTEST_RUN_S).min(LONGEST_RUN_S);
    let first_s = timing.between(worked_s - longest_s, longest_s);

    let lot_round = round - area.delay_rounds();
    let first_model = Draw::new(seed, Purpose::Models, lot_round).below(2) as usize;
    let run = |place: i64, model, opens_s: f64, length_s: f64| Run {
        lot: 2 * lot_round + place + 3,
        model,
        opens_us: milliseconds_in_us(opens_s),
        closes_us: milliseconds_in_us(opens_s + length_s),
    };
    [
        run(0, first_model, lead_s, first_s),
        run(1, 1 - first_model, lead_s + first_s + between_s, worked_s - first_s),
    ]
}

/// The batch that `run` is, in a plant that started its round 0 at `start_utc_us`.
pub(crate) fn planned(seed: u64, start_utc_us: i64, area: Area, round: i64, run: Run) -> PlannedBatch {
    let pieces = Pieces::of(seed, run);
    let round_utc_us = start_utc_us.saturating_add(round.saturating_mul(ROUND_US));
    let (good, rejected) = match area {
        Area::Front => (pieces.boards, pieces.boards_rejected),
        Area::Back => (pieces.boards - pieces.meters_rejected, pieces.meters_rejected),
    };
    PlannedBatch {
        id: format!("L{:06}-{}", run.lot, area.letter()),
        model: MODELS[run.model],
        sections: area.sections().to_vec(),
        opens_utc_us: round_utc_us.saturating_add(run.opens_us),
        closes_utc_us: round_utc_us.saturating_add(run.closes_us),
        good,
        rejected,
    }
}

/// What becomes of a lot: the good boards of the front lines are what the back lines work up.
struct Pieces {
    boards: u64,
    boards_rejected: u64,
    meters_rejected: u64,
}

impl Pieces {
    fn of(seed: u64, run: Run) -> Pieces {
        let mut draw = Draw::new(seed, Purpose::Pieces, run.lot);
        let (least, spread) = [(160, 80), (260, 120)][run.model];
        Pieces {
            boards: u64::from(least + draw.below(spread)),
            boards_rejected: u64::from(draw.below(5)),
            meters_rejected: u64::from(draw.below(3)),
        }
    }
}

/// Microseconds, on a whole millisecond, as a production system stamps its events.
#[expect(clippy::cast_possible_truncation, reason = "lengths within a round: far below 2^53")]
fn milliseconds_in_us(seconds: f64) -> i64 {
    (seconds * 1000.0) as i64 * 1000
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn two_runs_fit_into_a_round(seed: u64, round in -1_000_000_i64..1_000_000, back: bool) {
            let area = if back { Area::Back } else { Area::Front };
            let [first, second] = runs(seed, area, round);
            for run in [first, second] {
                let length_s = (run.closes_us - run.opens_us) as f64 / 1e6;
                prop_assert!((179.9..360.1).contains(&length_s), "{length_s}");
            }
            prop_assert!(first.opens_us >= 5_000_000);
            prop_assert!(second.opens_us - first.closes_us >= 19_000_000);
            prop_assert!(ROUND_US - second.closes_us >= 14_000_000);
            prop_assert_ne!(first.model, second.model);
        }

        #[test]
        fn the_back_lines_work_up_what_the_front_lines_made(seed: u64, round in 0_i64..1_000_000) {
            let front = runs(seed, Area::Front, round);
            let back = runs(seed, Area::Back, round + 1);
            for (made, worked_up) in front.into_iter().zip(back) {
                let made = planned(seed, 0, Area::Front, round, made);
                let worked_up = planned(seed, 0, Area::Back, round + 1, worked_up);
                prop_assert_eq!(made.model, worked_up.model);
                prop_assert_eq!(&made.id[..made.id.len() - 1], &worked_up.id[..worked_up.id.len() - 1]);
                prop_assert_eq!(made.good, worked_up.good + worked_up.rejected);
                prop_assert!(made.closes_utc_us < worked_up.opens_utc_us);
            }
        }
    }

    #[test]
    fn the_first_lots_have_numbers_from_1() {
        let first = planned(4, 0, Area::Back, 0, runs(4, Area::Back, 0)[0]);
        assert_eq!(first.id, "L000001-B");
    }
}
