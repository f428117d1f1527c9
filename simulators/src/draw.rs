//! Seeded numbers: the same on every machine, in whatever order they are asked for.
//!
//! Each purpose draws from its own ChaCha stream, keyed by seed, purpose and index. Only `+ - * /` follow, so no maths
//! library can make two machines disagree.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// What numbers are drawn for; each has streams of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// When the runs of the front lines open and close, by round.
    FrontTiming = 1,
    /// When the runs of the back lines open and close, by round.
    BackTiming,
    /// The order of the models, by round of lots.
    Models,
    /// Pieces of a lot, by lot.
    Pieces,
    /// Levels of one consumer, by consumer and round.
    Levels,
    /// How far a consumer is ahead of its mean, by consumer and round.
    Lead,
    /// The slow wandering of voltages, temperatures and the like, by quantity and knot.
    Wander,
    /// Where a device's counters stood when the plant started, by device and channel.
    FirstCount,
    /// What happens to bytes from the master.
    RequestBytes,
    /// What happens to a request as a whole.
    Request,
    /// What happens to bytes towards the master.
    ReplyBytes,
}

/// A stream of numbers.
#[derive(Clone, Debug)]
pub(crate) struct Draw(ChaCha8Rng);

impl Draw {
    /// The stream of `purpose` at `index`.
    pub(crate) fn new(seed: u64, purpose: Purpose, index: i64) -> Draw {
        Draw::keyed(seed, purpose, 0, index)
    }

    /// The stream of `purpose` for one of several subjects at `index`; the index counts to 2^40 either way.
    pub(crate) fn keyed(seed: u64, purpose: Purpose, subject: u16, index: i64) -> Draw {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        let index = index.cast_unsigned() & 0xff_ffff_ffff;
        generator.set_stream((purpose as u64) << 56 | u64::from(subject) << 40 | index);
        Draw(generator)
    }

    /// Uniform in `[0, 1)`.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform in `[low, high)`.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A whole number from 0 to `bound - 1`; 0 for a bound of 0.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        let wide = u64::from(self.0.next_u32()) * u64::from(bound);
        u32::try_from(wide >> 32).unwrap_or(0)
    }

    /// True with `probability`; draws only where the answer is open, so a fault that is switched off costs nothing.
    pub(crate) fn happens(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.unit() < probability
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_depends_on_every_part_of_its_key_and_on_nothing_else() {
        let first = |seed, purpose, subject, index| Draw::keyed(seed, purpose, subject, index).unit();
        let known = first(7, Purpose::Levels, 3, 11);
        assert_eq!(known, first(7, Purpose::Levels, 3, 11));
        for other in [
            first(8, Purpose::Levels, 3, 11),
            first(7, Purpose::Lead, 3, 11),
            first(7, Purpose::Levels, 4, 11),
            first(7, Purpose::Levels, 3, 12),
            first(7, Purpose::Levels, 3, -11),
        ] {
            assert_ne!(known, other);
        }
    }

    #[test]
    fn draws_keep_to_their_range_and_fill_it() {
        let mut draw = Draw::new(1, Purpose::Wander, 0);
        let units: Vec<f64> = (0..10_000).map(|_| draw.unit()).collect();
        assert!(units.iter().all(|unit| (0.0..1.0).contains(unit)));
        let mean = units.iter().sum::<f64>() / 1e4;
        assert!((mean - 0.5).abs() < 0.02, "{mean}");
        let counts: Vec<u32> = (0..1000).map(|_| draw.below(3)).collect();
        assert!((0..3).all(|value| counts.contains(&value)) && counts.iter().all(|&count| count < 3));
        assert!((0..100).all(|_| !draw.happens(0.0) && draw.happens(1.0)));
    }
}
