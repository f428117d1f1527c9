//! A value with its uncertainty, the shares of instruments kept apart.
//!
//! The class error of an instrument is the same in everything that it measured: it adds up linearly, and a
//! sum over many batches is relatively no better known than one batch. Resolution and the boundaries in time
//! differ from amount to amount: they add up by root sum of squares. An estimate keeps the two apart, so that
//! a sum over amounts of several instruments is right in both.

use std::collections::BTreeMap;
use std::ops::{Add, Neg, Sub};

use serde::Serialize;

use crate::statement::{Statement, StatementError, coverage_factor, finite, width};
use crate::sum::{Sum, root_sum_of_squares};

/// A value with its uncertainty. What is combined must be in one unit; [`crate::Quantity`] carries the unit.
///
/// Arithmetic does not fail: a result beyond the range of `f64` is carried on as an infinity and refused
/// where a footprint is computed from it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Estimate {
    value: f64,
    systematic: BTreeMap<String, f64>,
    independent: f64,
}

impl Estimate {
    /// A value known without uncertainty, such as a count.
    ///
    /// # Errors
    /// [`StatementError::NotFinite`].
    pub fn exact(value: f64) -> Result<Self, StatementError> {
        Self::measured(value, 0.0, [] as [(&str, f64); 0])
    }

    /// A value whose error is independent of every other's, with its standard uncertainty as stated.
    ///
    /// # Errors
    /// [`StatementError`] when a figure is negative or not finite.
    pub fn stated(value: f64, statement: &Statement) -> Result<Self, StatementError> {
        Self::measured(value, statement.standard_uncertainty(value)?, [] as [(&str, f64); 0])
    }

    /// A measured amount: its independent standard uncertainty (resolution, boundaries) and, by instrument,
    /// the standard uncertainty that this instrument's class or calibration contributes, all in the unit of
    /// the value. Parts of one instrument named twice add up.
    ///
    /// # Errors
    /// [`StatementError`] when a figure is negative or not finite.
    pub fn measured<S: Into<String>>(
        value: f64,
        independent: f64,
        systematic: impl IntoIterator<Item = (S, f64)>,
    ) -> Result<Self, StatementError> {
        let mut parts = BTreeMap::new();
        for (source, u) in systematic {
            *parts.entry(source.into()).or_insert(0.0) += width("the systematic part", u)?;
        }
        let independent = width("the independent part", independent)?;
        Ok(Self { value: finite("the value", value)?, systematic: parts, independent })
    }

    /// The same value, its independent part declared to come from the instrument `source` and so to be fully
    /// correlated with everything else from there.
    #[must_use]
    pub fn attributed_to(mut self, source: impl Into<String>) -> Self {
        if self.independent > 0.0 {
            *self.systematic.entry(source.into()).or_insert(0.0) += self.independent;
        }
        self.independent = 0.0;
        self
    }

    /// The best estimate.
    #[must_use]
    pub const fn value(&self) -> f64 {
        self.value
    }

    /// By source, how far the value moves when the source's error grows by one standard uncertainty. Negative
    /// where it entered a difference with the minus sign.
    #[must_use]
    pub const fn systematic(&self) -> &BTreeMap<String, f64> {
        &self.systematic
    }

    /// The independent part of the standard uncertainty.
    #[must_use]
    pub const fn independent(&self) -> f64 {
        self.independent
    }

    /// The standard uncertainty u: the parts of all sources and the independent part by root sum of squares.
    #[must_use]
    pub fn standard_uncertainty(&self) -> f64 {
        root_sum_of_squares(self.systematic.values().copied().chain([self.independent]))
    }

    /// The expanded uncertainty U = k u.
    ///
    /// # Errors
    /// [`StatementError`] unless k is finite and above 0.
    pub fn expanded(&self, k: f64) -> Result<f64, StatementError> {
        Ok(coverage_factor(k)? * self.standard_uncertainty())
    }

    /// The estimate times an exact number: a conversion, a share, one over a count.
    #[must_use]
    pub fn scaled(&self, by: f64) -> Self {
        let systematic = self.systematic.iter().map(|(source, u)| (source.clone(), u * by)).collect();
        Self { value: self.value * by, systematic, independent: self.independent * by.abs() }
    }

    /// The sum: parts of one source add linearly, independent parts by root sum of squares. The sum of none
    /// is exactly 0.
    pub fn sum<'a>(estimates: impl IntoIterator<Item = &'a Self>) -> Self {
        let (mut value, mut systematic, mut independent) =
            (Sum::default(), BTreeMap::<_, Sum>::new(), Vec::new());
        for estimate in estimates {
            value.add(estimate.value);
            independent.push(estimate.independent);
            for (source, u) in &estimate.systematic {
                systematic.entry(source.clone()).or_default().add(*u);
            }
        }
        Self {
            value: value.total(),
            systematic: systematic.into_iter().map(|(source, sum)| (source, sum.settled())).collect(),
            independent: root_sum_of_squares(independent),
        }
    }
}

impl Add for &Estimate {
    type Output = Estimate;

    fn add(self, other: Self) -> Estimate {
        Estimate::sum([self, other])
    }
}

impl Sub for &Estimate {
    type Output = Estimate;

    /// The difference: what one source does to both cancels, independent parts do not. An estimate minus
    /// itself is two measurements that happened to agree, not zero for certain.
    fn sub(self, other: Self) -> Estimate {
        Estimate::sum([self, &-other])
    }
}

impl Neg for &Estimate {
    type Output = Estimate;

    fn neg(self) -> Estimate {
        self.scaled(-1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn measured(value: f64, source: &str, class: f64, independent: f64) -> Estimate {
        Estimate::measured(value, independent, [(source, class)]).unwrap()
    }

    #[test]
    fn the_class_part_of_one_instrument_does_not_shrink_in_a_sum() {
        let batches = vec![measured(100.0, "meter-07", 0.3, 0.4); 4];
        let sum = Estimate::sum(&batches);
        assert_eq!((sum.value(), sum.systematic()["meter-07"], sum.independent()), (400.0, 1.2, 0.8));
        assert_eq!(sum.expanded(2.0), Ok(2.0 * sum.standard_uncertainty()));
    }

    #[test]
    fn two_instruments_add_by_root_sum_of_squares() {
        let sum = &measured(100.0, "a", 3.0, 0.0) + &measured(100.0, "b", 4.0, 0.0);
        assert_eq!(sum.standard_uncertainty(), 5.0);
    }

    #[test]
    fn a_difference_cancels_what_is_common() {
        let difference = &measured(100.0, "a", 3.0, 0.3) - &measured(60.0, "a", 3.0, 0.4);
        assert_eq!(
            (difference.value(), difference.systematic()["a"], difference.independent()),
            (40.0, 0.0, 0.5)
        );
        assert_eq!(difference.standard_uncertainty(), 0.5);
    }

    #[test]
    fn attribution_moves_the_whole_uncertainty() {
        let weighed =
            Estimate::stated(101.2, &Statement::Standard { u: 0.31 }).unwrap().attributed_to("scale-1");
        assert_eq!(weighed, measured(101.2, "scale-1", 0.31, 0.0));
        let count = Estimate::exact(3.0).unwrap();
        assert_eq!(count.clone().attributed_to("scale-1"), count);
    }

    #[test]
    fn refuses_what_is_no_uncertainty() {
        let refused = |value, independent, class: f64| {
            let error = Estimate::measured(value, independent, [("m", class)]).unwrap_err();
            error.to_string().split(':').next().unwrap().to_owned()
        };
        assert_eq!(refused(1.0, -0.1, 0.0), "the independent part is -0.1");
        assert_eq!(refused(1.0, 0.1, -0.5), "the systematic part is -0.5");
        assert_eq!(refused(f64::NAN, 0.1, 0.5), "the value is NaN");
        assert_eq!(refused(1.0, f64::INFINITY, 0.5), "the independent part is inf");
        assert!(measured(1.0, "m", 0.1, 0.1).expanded(-2.0).is_err());
        assert_eq!(Estimate::sum([]), Estimate::exact(0.0).unwrap());
    }

    prop_compose! {
        fn any_estimate()(
            value in -1e6..1e6_f64, independent in 0.0..1e3_f64,
            parts in proptest::collection::btree_map("[abc]", 0.0..1e3_f64, 0..3)
        ) -> Estimate {
            Estimate::measured(value, independent, parts).unwrap()
        }
    }

    fn close(one: f64, other: f64, scale: f64) -> bool {
        (one - other).abs() <= 1e-13 * scale.abs().max(f64::MIN_POSITIVE)
    }

    proptest! {
        #[test]
        fn systematic_parts_are_linear(estimate in any_estimate(), n in 1_usize..50) {
            let sum = Estimate::sum(std::iter::repeat_n(&estimate, n));
            let n = n as f64;
            let scaled = estimate.scaled(n);
            prop_assert!(close(sum.value(), scaled.value(), scaled.value()));
            for (source, u) in scaled.systematic() {
                prop_assert!(close(sum.systematic()[source], *u, *u));
            }
            prop_assert!(close(sum.independent() * n.sqrt(), scaled.independent(), scaled.independent()));
        }

        #[test]
        fn scaling_scales_the_uncertainty(estimate in any_estimate(), by in -1e6..1e6_f64) {
            let (u, scaled) = (estimate.standard_uncertainty(), estimate.scaled(by));
            prop_assert!(close(scaled.standard_uncertainty(), by.abs() * u, by * u));
            prop_assert!(scaled.independent() >= 0.0);
        }

        #[test]
        fn a_sum_does_not_depend_on_its_grouping(
            estimates in proptest::collection::vec(any_estimate(), 1..20), at in 0_usize..20
        ) {
            let (left, right) = estimates.split_at(at.min(estimates.len()));
            let (whole, parts) = (Estimate::sum(&estimates), &Estimate::sum(left) + &Estimate::sum(right));
            let magnitude: f64 = estimates.iter().map(|estimate| estimate.value().abs()).sum();
            prop_assert!(close(whole.value(), parts.value(), magnitude));
            let (u, u_of_parts) = (whole.standard_uncertainty(), parts.standard_uncertainty());
            prop_assert!(close(u, u_of_parts, u));
        }

        #[test]
        fn what_was_added_can_be_taken_away_again_but_for_independent_parts(
            a in any_estimate(), b in any_estimate()
        ) {
            let back = &(&a + &b) - &b;
            prop_assert!(close(back.value(), a.value(), a.value().abs() + b.value().abs()));
            for (source, u) in back.systematic() {
                let part = |of: &Estimate| of.systematic().get(source).copied().unwrap_or(0.0);
                prop_assert!(close(*u, part(&a), part(&a) + part(&b)));
            }
        }
    }
}
