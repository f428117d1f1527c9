//! Correlation between inputs that are not the same but vary together, such as two factors out of one model.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::input::{InputIndex, Inputs};
use crate::sum::{Sum, root_sum_of_squares};

/// The correlation coefficient of two inputs: ids of factors, names of quantities or of instruments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "(String, String, f64)", into = "(String, String, f64)")]
pub struct Correlation {
    /// One input.
    pub one: String,
    /// The other.
    pub other: String,
    /// The coefficient, -1 to 1.
    pub r: f64,
}

/// Why stated correlations are refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CorrelationError {
    /// A coefficient outside -1 to 1.
    #[error("r of {one} and {other} is {r}: a correlation coefficient lies between -1 and 1; check it")]
    Range {
        /// One input.
        one: String,
        /// The other.
        other: String,
        /// The coefficient.
        r: f64,
    },
    /// An input correlated with itself by other than 1, or one pair stated with two values.
    #[error(
        "r of {one} and {other} contradicts another statement: an input has r = 1 with itself, and a pair \
         one r; state it once"
    )]
    Contradiction {
        /// One input.
        one: String,
        /// The other.
        other: String,
    },
    /// The coefficients together are impossible.
    #[error(
        "no quantities can have these correlations all at once: their matrix is not positive semidefinite; \
         if a goes with b and b with c, state r of a and c too"
    )]
    Impossible,
}

/// Correlations between the inputs that a footprint depends on.
#[derive(Clone, Debug, Default)]
pub(super) struct Correlations {
    /// The correlated inputs as mixtures of independent ones of unit variance, one column for each: the
    /// matrix of coefficients is the sum of the columns' outer products (Cholesky). Combined this way,
    /// components that cancel do so before they are squared.
    columns: Vec<Column>,
    correlated: BTreeSet<InputIndex>,
    stated: bool,
}

/// How strongly one independent error enters each of the correlated inputs.
type Column = Vec<(InputIndex, f64)>;

impl From<(String, String, f64)> for Correlation {
    fn from((one, other, r): (String, String, f64)) -> Self {
        Self { one, other, r }
    }
}

impl From<Correlation> for (String, String, f64) {
    fn from(correlation: Correlation) -> Self {
        (correlation.one, correlation.other, correlation.r)
    }
}

impl Correlations {
    /// Checks what is stated. A pair with an input that the footprint does not depend on changes no
    /// uncertainty of first order.
    pub(super) fn new(stated: &[Correlation], inputs: &Inputs) -> Result<Self, CorrelationError> {
        let mut pairs = BTreeMap::new();
        for Correlation { one, other, r } in stated {
            let names = || (one.clone(), other.clone());
            if !(-1.0..=1.0).contains(r) {
                let (one, other) = names();
                return Err(CorrelationError::Range { one, other, r: *r });
            }
            let (Some(a), Some(b)) = (inputs.find(one), inputs.find(other)) else { continue };
            let first = *pairs.entry((a.min(b), a.max(b))).or_insert(*r);
            if first.total_cmp(r).is_ne() || (a == b && *r < 1.0) {
                let (one, other) = names();
                return Err(CorrelationError::Contradiction { one, other });
            }
        }
        pairs.retain(|(a, b), _| a != b);
        let columns = columns(&pairs).ok_or(CorrelationError::Impossible)?;
        Ok(Self { columns, correlated: correlated(&pairs), stated: !stated.is_empty() })
    }

    pub(super) fn are_stated(&self) -> bool {
        self.stated
    }

    /// Combines the components of all inputs, u2 = sum of c2 + 2 sum of r c_a c_b (JCGM 100, 5.2.2).
    pub(super) fn combine(&self, components: &[f64]) -> f64 {
        let alone = components.iter().enumerate().filter(|(index, _)| !self.correlated.contains(index));
        let mixed = self.columns.iter().map(|column| {
            column.iter().map(|(index, weight)| weight * components[*index]).collect::<Sum>().settled()
        });
        root_sum_of_squares(alone.map(|(_, component)| *component).chain(mixed))
    }
}

fn correlated(pairs: &BTreeMap<(InputIndex, InputIndex), f64>) -> BTreeSet<InputIndex> {
    pairs.keys().flat_map(|(a, b)| [*a, *b]).collect()
}

/// Variance that elimination leaves of an input which the others determine, as with r = 1.
const NOTHING_LEFT: f64 = 1e-14;
/// By how much stated coefficients, which have few digits, may miss a possible matrix.
const TOLERANCE: f64 = 1e-9;

/// Factors the matrix of coefficients by elimination with the largest pivot first. `None` if it is not
/// positive semidefinite.
fn columns(pairs: &BTreeMap<(InputIndex, InputIndex), f64>) -> Option<Vec<Column>> {
    let mut inputs: Vec<InputIndex> = correlated(pairs).into_iter().collect();
    let coefficient = |a: InputIndex, b: InputIndex| {
        if a == b { 1.0 } else { pairs.get(&(a.min(b), a.max(b))).copied().unwrap_or(0.0) }
    };
    let mut matrix: Vec<Vec<f64>> =
        inputs.iter().map(|a| inputs.iter().map(|b| coefficient(*a, *b)).collect()).collect();
    let mut columns = Vec::with_capacity(inputs.len());
    while let Some(pivot) = (0..matrix.len()).max_by(|a, b| matrix[*a][*a].total_cmp(&matrix[*b][*b])) {
        let variance = matrix[pivot][pivot];
        if variance <= NOTHING_LEFT {
            return matrix.iter().flatten().all(|rest| rest.abs() <= TOLERANCE).then_some(columns);
        }
        columns.push(
            inputs
                .iter()
                .zip(&matrix[pivot])
                .map(|(input, entry)| (*input, entry / variance.sqrt()))
                .collect(),
        );
        eliminate(&mut matrix, pivot);
        inputs.swap_remove(pivot);
    }
    Some(columns)
}

fn eliminate(matrix: &mut Vec<Vec<f64>>, pivot: usize) {
    let pivot_row = matrix.swap_remove(pivot);
    for row in matrix.iter_mut() {
        let by = row[pivot] / pivot_row[pivot];
        row.iter_mut().zip(&pivot_row).for_each(|(entry, subtracted)| *entry -= by * subtracted);
        row.swap_remove(pivot);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn possible(pairs: &[(usize, usize, f64)]) -> bool {
        columns(&pairs.iter().map(|(a, b, r)| ((*a, *b), *r)).collect()).is_some()
    }

    #[test]
    fn only_correlations_that_can_hold_together() {
        assert!(possible(&[]));
        assert!(possible(&[(0, 1, 1.0)]));
        assert!(possible(&[(0, 1, -1.0)]));
        assert!(possible(&[(0, 1, 1.0), (1, 2, 1.0), (0, 2, 1.0)]));
        assert!(possible(&[(0, 1, 1.0), (1, 2, -1.0), (0, 2, -1.0)]));
        assert!(possible(&[(0, 1, 0.7), (1, 2, 0.7)]));
        assert!(!possible(&[(0, 1, 0.8), (1, 2, 0.8)]));
        assert!(!possible(&[(0, 1, 1.0), (1, 2, 1.0)]));
        assert!(!possible(&[(0, 1, -0.6), (1, 2, -0.6), (0, 2, -0.6)]));
        assert!(possible(&[(0, 1, -0.5), (1, 2, -0.5), (0, 2, -0.5)]));
    }

    #[test]
    fn combines_with_the_sign_of_the_components() {
        let check = |r: f64, components: &[f64], expected: f64| {
            let pairs = BTreeMap::from([((0, 1), r)]);
            let correlations = Correlations {
                columns: columns(&pairs).unwrap(),
                correlated: correlated(&pairs),
                stated: true,
            };
            let combined = correlations.combine(components);
            assert!((combined - expected).abs() <= 1e-15 * expected, "r = {r}, {components:?}: {combined}");
        };
        check(1.0, &[3.0, 4.0], 7.0);
        check(-1.0, &[3.0, 4.0], 1.0);
        check(1.0, &[3.0, -3.0], 0.0);
        check(1.0, &[1.0, 2e-9 - 1.0], 1.0 - (1.0 - 2e-9));
        check(0.0, &[3.0, 4.0], 5.0);
        check(1.0, &[0.0, 0.0], 0.0);
        check(0.5, &[3.0, 4.0], 37_f64.sqrt());
        check(1.0, &[3.0, 4.0, 24.0], 25.0);
    }
}
