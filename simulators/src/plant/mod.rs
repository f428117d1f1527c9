//! The electricity-meter factory: seeded, a pure function of time, and the one that knows the truth.
//!
//! Nothing here has a state: each answer follows from the seed and the instant asked for, so any number of devices and
//! threads may ask in any order.

mod consumer;
mod curve;
mod schedule;

use consumer::{Consumer, MATERIALS, SECTIONS, Seeded};
use schedule::{Area, MODELS, ROUND_US};

use crate::draw::{Draw, Purpose};

/// Sections in the order of the process.
const SECTION_NAMES: [&str; 8] =
    ["smt", "dip", "coating", "assembly", "withstand-test", "ageing", "calibration", "packing"];
const MATERIAL_NAMES: [&str; 2] = ["solder", "conformal-coating"];
/// Distance of the knots between which slow quantities wander.
const WANDER_US: i64 = 10_000_000;

/// A factory that makes electricity meters of two models.
///
/// It starts at an instant: before it, totals and levels are 0 and no batch opens. Names that it does not know consume
/// nothing.
#[derive(Clone, Debug)]
pub struct Plant {
    seed: u64,
    start_utc_us: i64,
}

/// One batch as the production plan has it: what opens and closes when, and what comes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedBatch {
    /// Number of the lot and area: `"L000012-F"` on the front lines, `"L000012-B"` on the back lines.
    pub id: String,
    /// Product model.
    pub model: &'static str,
    /// Sections that work on it from opening to closing.
    pub sections: Vec<&'static str>,
    /// Opening, in microseconds UTC.
    pub opens_utc_us: i64,
    /// Closing, in microseconds UTC.
    pub closes_utc_us: i64,
    /// Good pieces. The good pieces of a lot on the front lines are those that the back lines start with.
    pub good: u64,
    /// Rejected pieces.
    pub rejected: u64,
}

impl Plant {
    /// The plant of `seed`, started at `start_utc_us` microseconds UTC.
    pub fn new(seed: u64, start_utc_us: i64) -> Plant {
        Plant { seed, start_utc_us }
    }

    /// Sections in the order of the process; the first three are the front lines, the rest the back lines.
    pub fn sections(&self) -> &[&'static str] {
        &SECTION_NAMES
    }

    /// Materials that are metered.
    pub fn materials(&self) -> &[&'static str] {
        &MATERIAL_NAMES
    }

    /// Product models.
    pub fn models(&self) -> &[&'static str] {
        &MODELS
    }

    /// Start of the plant, in microseconds UTC.
    pub fn start_utc_us(&self) -> i64 {
        self.start_utc_us
    }

    /// Batches that run at some time in `[from_utc_us, to_utc_us)`, in order of opening. Batches never overlap within one
    /// section.
    pub fn batches_between(&self, from_utc_us: i64, to_utc_us: i64) -> Vec<PlannedBatch> {
        let first = self.after_start_us(from_utc_us).max(0) / ROUND_US;
        let last = self.after_start_us(to_utc_us).div_euclid(ROUND_US);
        let mut batches: Vec<PlannedBatch> = (first..=last)
            .flat_map(|round| Area::ALL.map(|area| (round, area)))
            .flat_map(|(round, area)| self.batches_of(area, round))
            .filter(|batch| batch.opens_utc_us < to_utc_us && batch.closes_utc_us > from_utc_us)
            .collect();
        batches.sort_by(|a, b| (a.opens_utc_us, &a.id).cmp(&(b.opens_utc_us, &b.id)));
        batches
    }

    /// Electricity that a section has taken from the start of the plant to `utc_us`, in kWh. Exact, continuous and never
    /// falling.
    pub fn energy_kwh(&self, section: &str, utc_us: i64) -> f64 {
        self.section(section).map_or(0.0, |consumer| consumer.total(self.after_start_us(utc_us)))
    }

    /// Electric power of a section at `utc_us`, in kW: the derivative of [`Plant::energy_kwh`].
    pub fn power_kw(&self, section: &str, utc_us: i64) -> f64 {
        self.section(section).map_or(0.0, |consumer| consumer.level(self.after_start_us(utc_us)))
    }

    /// Material used from the start of the plant to `utc_us`, in kg. Exact, continuous and never falling.
    pub fn material_kg(&self, material: &str, utc_us: i64) -> f64 {
        self.material(material).map_or(0.0, |consumer| consumer.total(self.after_start_us(utc_us)))
    }

    /// Rate at which a material is used at `utc_us`, in kg/h: the derivative of [`Plant::material_kg`].
    pub fn material_rate_kg_per_h(&self, material: &str, utc_us: i64) -> f64 {
        self.material(material).map_or(0.0, |consumer| consumer.level(self.after_start_us(utc_us)))
    }

    /// What is in the hopper that feeds a material, in kg: falls by what is used, and is filled up from a tenth to
    /// `capacity_kg` when that is reached.
    pub fn hopper_kg(&self, material: &str, capacity_kg: f64, utc_us: i64) -> f64 {
        let fill_kg = 0.9 * capacity_kg;
        capacity_kg - self.material_kg(material, utc_us) % fill_kg
    }

    /// A slow wandering within -1 to 1, continuous, for quantities of which the plant keeps no account.
    pub(crate) fn wander(&self, subject: u16, utc_us: i64) -> f64 {
        let after_us = self.after_start_us(utc_us);
        let knot = after_us.div_euclid(WANDER_US);
        let at = |knot| Draw::keyed(self.seed, Purpose::Wander, subject, knot).between(-1.0, 1.0);
        let share = after_us.rem_euclid(WANDER_US) as f64 / WANDER_US as f64;
        at(knot) + (at(knot + 1) - at(knot)) * share
    }

    fn batches_of(&self, area: Area, round: i64) -> impl Iterator<Item = PlannedBatch> {
        let runs = schedule::runs(self.seed, area, round);
        runs.into_iter().map(move |run| schedule::planned(self.seed, self.start_utc_us, area, round, run))
    }

    fn section(&self, name: &str) -> Option<Seeded> {
        self.find(&SECTIONS, 0, name)
    }

    fn material(&self, name: &str) -> Option<Seeded> {
        self.find(&MATERIALS, 0x100, name)
    }

    fn find(&self, table: &'static [Consumer], first_subject: u16, name: &str) -> Option<Seeded> {
        let (subject, consumer) = (first_subject..).zip(table).find(|(_, consumer)| consumer.name == name)?;
        Some(Seeded { consumer, seed: self.seed, subject })
    }

    fn after_start_us(&self, utc_us: i64) -> i64 {
        utc_us.saturating_sub(self.start_utc_us)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: i64 = 1_795_000_000_000_000;
    const MINUTE: i64 = 60_000_000;
    const YEAR: i64 = 365 * 24 * 60 * MINUTE;

    #[test]
    fn names_are_those_of_the_tables() {
        let plant = Plant::new(1, START);
        assert!(SECTIONS.iter().map(|consumer| consumer.name).eq(plant.sections().iter().copied()));
        assert!(MATERIALS.iter().map(|consumer| consumer.name).eq(plant.materials().iter().copied()));
        let areas = Area::ALL.iter().flat_map(|area| area.sections());
        assert!(areas.eq(plant.sections()));
        assert!(SECTIONS.iter().all(|consumer| consumer.area.sections().contains(&consumer.name)));
    }

    #[test]
    fn nothing_happens_before_the_start_or_in_unknown_places() {
        let plant = Plant::new(1, START);
        assert_eq!(plant.energy_kwh("smt", START - 1), 0.0);
        assert_eq!(plant.power_kw("smt", START - 1), 0.0);
        assert_eq!(plant.energy_kwh("smt", START), 0.0);
        assert_eq!(plant.energy_kwh("canteen", START + YEAR), 0.0);
        assert_eq!(plant.material_rate_kg_per_h("gold", START + YEAR), 0.0);
        assert!(plant.batches_between(START - YEAR, START).is_empty());
        assert!(plant.batches_between(START + YEAR, START).is_empty());
        assert_eq!(plant.energy_kwh("smt", i64::MIN), 0.0);
        assert!(plant.energy_kwh("smt", i64::MAX).is_finite());
    }

    #[test]
    fn a_seed_is_a_plant() {
        let batches = |seed| Plant::new(seed, START).batches_between(START, START + 60 * MINUTE);
        assert_eq!(batches(3), batches(3));
        assert_ne!(batches(3), batches(4));
        assert_ne!(
            Plant::new(3, START).energy_kwh("dip", START + 7 * MINUTE),
            Plant::new(4, START).energy_kwh("dip", START + 7 * MINUTE)
        );
    }

    #[test]
    fn the_hopper_falls_by_what_is_used() {
        let plant = Plant::new(9, START);
        let full = plant.hopper_kg("solder", 50.0, START);
        assert_eq!(full, 50.0);
        let (before, after) = (START + 4 * MINUTE, START + 4 * MINUTE + 1_000_000);
        let fell = plant.hopper_kg("solder", 1e4, before) - plant.hopper_kg("solder", 1e4, after);
        let used = plant.material_kg("solder", after) - plant.material_kg("solder", before);
        assert!((fell - used).abs() < 1e-9 && used > 0.0);
        let lowest = (0..3600).map(|second| plant.hopper_kg("solder", 50.0, START + second * 1_000_000));
        assert!(lowest.fold(50.0, f64::min) >= 5.0);
    }

    proptest! {
        #[test]
        fn batches_never_overlap_within_a_section(seed: u64, minutes in 0..5_000_000_i64) {
            let plant = Plant::new(seed, START);
            let from = START + minutes * MINUTE;
            let batches = plant.batches_between(from, from + 120 * MINUTE);
            prop_assert!(batches.is_sorted_by_key(|batch| batch.opens_utc_us));
            for section in plant.sections() {
                let mut free = i64::MIN;
                for batch in batches.iter().filter(|batch| batch.sections.contains(section)) {
                    prop_assert!(batch.opens_utc_us > free && batch.closes_utc_us > batch.opens_utc_us);
                    prop_assert!(batch.good > 0);
                    free = batch.closes_utc_us;
                }
            }
        }

        #[test]
        fn twenty_minutes_hold_whole_batches_of_both_models(seed: u64, seconds in 0..1_000_000_i64) {
            let from = START + seconds * 1_000_000;
            let to = from + 20 * MINUTE;
            let batches = Plant::new(seed, START).batches_between(from, to);
            let whole = |model| {
                let inside = |batch: &&PlannedBatch| batch.opens_utc_us >= from && batch.closes_utc_us <= to;
                batches.iter().filter(inside).filter(|batch| batch.model == model).count()
            };
            prop_assert!(whole("DTZ-A") >= 2 && whole("DDZ-B") >= 2);
        }

        #[test]
        fn a_window_is_a_part_of_any_larger_one(seed: u64, from in 0..YEAR, length in 0..60 * MINUTE) {
            let plant = Plant::new(seed, START);
            let narrow = plant.batches_between(START + from, START + from + length);
            let wide = plant.batches_between(START + from - 30 * MINUTE, START + from + length + 30 * MINUTE);
            prop_assert!(narrow.iter().all(|batch| wide.contains(batch)));
        }

        #[test]
        fn totals_never_fall_and_grow_by_the_level(seed: u64, at in 0..10 * YEAR, step in 1..5_000_000_i64, which in 0..10_usize) {
            let plant = Plant::new(seed, START);
            let (from, to) = (START + at, START + at + step);
            let name = plant.sections().iter().chain(plant.materials()).nth(which).unwrap();
            let total = |utc_us| plant.energy_kwh(name, utc_us) + plant.material_kg(name, utc_us);
            let level = |utc_us| plant.power_kw(name, utc_us) + plant.material_rate_kg_per_h(name, utc_us);
            let grown = total(to) - total(from);
            prop_assert!(grown >= 0.0, "{name} fell by {}", -grown);

            let steps = 20;
            let levels: Vec<f64> = (0..=steps).map(|part| level(from + step * part / steps)).collect();
            let hours = step as f64 / 3.6e9;
            let (least, most) = (levels.iter().fold(f64::MAX, |a, b| a.min(*b)), levels.iter().fold(0.0, |a: f64, b| a.max(*b)));
            let rounding = 4.0 * f64::EPSILON * total(to);
            prop_assert!(grown <= most * hours * 1.02 + rounding + 1e-9 && grown >= least * hours * 0.98 - rounding - 1e-9,
                "{name}: {grown} outside {} to {}", least * hours, most * hours);
        }

        #[test]
        fn answers_do_not_depend_on_the_order_of_questions(seed: u64, mut instants in prop::collection::vec(0..YEAR, 1..6)) {
            let ask = |plant: &Plant, at: i64| (plant.energy_kwh("ageing", START + at), plant.material_kg("solder", START + at));
            let plant = Plant::new(seed, START);
            let forward: Vec<_> = instants.iter().map(|&at| ask(&plant, at)).collect();
            instants.reverse();
            let mut backward: Vec<_> = instants.iter().map(|&at| ask(&Plant::new(seed, START), at)).collect();
            backward.reverse();
            prop_assert_eq!(forward, backward);
        }

        #[test]
        fn slow_quantities_wander_within_their_bounds(seed: u64, at in -YEAR..YEAR) {
            let plant = Plant::new(seed, START);
            let (now, next) = (plant.wander(3, START + at), plant.wander(3, START + at + 1000));
            prop_assert!(now.abs() <= 1.0 && (now - next).abs() < 0.001);
        }
    }
}
