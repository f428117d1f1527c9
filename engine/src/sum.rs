//! Sums whose result does not depend on the order of their terms.
//!
//! Method: the improved Kahan sum of A. Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation
//! endlicher Summen", ZAMM 54 (1974).

/// A running sum that keeps what each addition rounds away. Reordering its terms moves the result by no more
/// than one rounding, about 1e-16 of the sum of their magnitudes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum {
    total: f64,
    lost: f64,
    magnitude: f64,
}

/// Below this part of the sum of magnitudes a sum is rounding noise of its terms, which are themselves
/// rounded.
const NOISE: f64 = 4.0 * f64::EPSILON;

impl Sum {
    /// Adds one term.
    pub fn add(&mut self, term: f64) {
        let next = self.total + term;
        self.lost += if self.total.abs() >= term.abs() {
            (self.total - next) + term
        } else {
            (term - next) + self.total
        };
        self.total = next;
        self.magnitude += term.abs();
    }

    /// The sum; not finite when a term or the sum is beyond the range of `f64`.
    #[must_use]
    pub fn total(self) -> f64 {
        if self.total.is_finite() { self.total + self.lost } else { self.total }
    }

    /// The sum, or exactly 0 when the terms cancel to within their own rounding: 0.3 - 3 x 0.1 is 0 and not
    /// -5.6e-17. For sums whose being zero means something, such as a total that a relative uncertainty is
    /// divided by.
    #[must_use]
    pub fn settled(self) -> f64 {
        let total = self.total();
        if total.abs() <= NOISE * self.magnitude { 0.0 } else { total }
    }
}

impl FromIterator<f64> for Sum {
    fn from_iter<I: IntoIterator<Item = f64>>(terms: I) -> Self {
        let mut sum = Self::default();
        terms.into_iter().for_each(|term| sum.add(term));
        sum
    }
}

/// The sum of `terms`, compensated.
pub fn sum(terms: impl IntoIterator<Item = f64>) -> f64 {
    Sum::from_iter(terms).total()
}

/// The root of the sum of squares, by which independent parts of an uncertainty combine (JCGM 100, 5.1.2).
/// Neither overflows nor underflows where the result itself does not.
pub fn root_sum_of_squares(parts: impl IntoIterator<Item = f64>) -> f64 {
    let parts: Vec<f64> = parts.into_iter().map(f64::abs).collect();
    let largest = parts.iter().copied().fold(0.0, f64::max);
    if largest == 0.0 || !largest.is_finite() {
        return parts.iter().sum();
    }
    let scale = if SQUARES_FIT.contains(&largest) { 1.0 } else { largest };
    scale * sum(parts.iter().map(|part| (part / scale).powi(2))).sqrt()
}

/// Magnitudes whose squares neither overflow in a sum nor lose what matters beside the largest.
const SQUARES_FIT: std::ops::Range<f64> = 1e-120..1e140;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn small_terms_survive_beside_large_ones() {
        assert_eq!(sum([1.0, 1e100, 1.0, -1e100]), 2.0);
        assert_eq!(sum([0.1; 10]), 1.0);
        assert_eq!(sum([]), 0.0);
        assert_eq!(sum([f64::MAX, f64::MAX]), f64::INFINITY);
        assert!(sum([1.0, f64::NAN]).is_nan());
    }

    #[test]
    fn what_cancels_is_zero() {
        let settled = |terms: &[f64]| terms.iter().copied().collect::<Sum>().settled();
        assert_eq!(settled(&[0.3, -0.1, -0.1, -0.1]), 0.0);
        assert_eq!(settled(&[1.0, -1.0, 1e-14]), 1e-14);
        assert_eq!(settled(&[1e-300]), 1e-300);
    }

    #[test]
    fn squares_neither_overflow_nor_vanish() {
        assert_eq!(root_sum_of_squares([3.0, -4.0]), 5.0);
        for scale in [1e200, 1e-200, 1e-300] {
            let root = root_sum_of_squares([3.0 * scale, 4.0 * scale]);
            assert!((root - 5.0 * scale).abs() <= 1e-15 * root);
        }
        assert_eq!(root_sum_of_squares([]), 0.0);
        assert_eq!(root_sum_of_squares([1.0, f64::INFINITY]), f64::INFINITY);
        assert!(root_sum_of_squares([f64::NAN]).is_nan());
        assert!(root_sum_of_squares([f64::NAN, 2.0]).is_nan());
    }

    proptest! {
        #[test]
        fn order_does_not_matter(
            (terms, shuffled) in proptest::collection::vec(-1e12..1e12_f64, 0..200)
                .prop_flat_map(|terms| (Just(terms.clone()), Just(terms).prop_shuffle()))
        ) {
            let magnitude: f64 = terms.iter().map(|term| term.abs()).sum();
            prop_assert!((sum(terms) - sum(shuffled)).abs() <= 1e-15 * magnitude);
        }

        #[test]
        fn order_of_positive_terms_does_not_matter_at_all(
            (terms, shuffled) in proptest::collection::vec(1e-6..1e9_f64, 1..200)
                .prop_flat_map(|terms| (Just(terms.clone()), Just(terms).prop_shuffle()))
        ) {
            let (one, other) = (sum(terms), sum(shuffled));
            prop_assert!((one - other).abs() <= 1e-15 * one);
        }
    }
}
