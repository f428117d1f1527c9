//! How an emission responds to its inputs: the sum of products, multiplied out.
//!
//! Every term is a product of numbers that are each linear in the inputs, so the emission is a polynomial in
//! them, and as long as no term meets the same input twice, every input occurs in a monomial at most once.
//! For independent inputs the monomials are then uncorrelated, and the variance is the sum of their squares,
//! coefficient times the standard uncertainties: exact with nothing known about distributions, and free of
//! cancellation. Monomials of one input alone are the first order of the GUM (JCGM 100, 5.1.2).

use std::collections::BTreeMap;

use super::correlation::Correlations;
use super::input::{Input, InputIndex};
use super::product::Product;
use crate::sum::{Sum, root_sum_of_squares};

/// The polynomial of an emission: coefficients in kgCO2e by the inputs of a monomial, in ascending order.
#[derive(Clone, Debug)]
pub(super) struct Response<'a> {
    coefficients: BTreeMap<Vec<InputIndex>, f64>,
    inputs: &'a [Input],
    correlations: &'a Correlations,
}

impl<'a> Response<'a> {
    /// The response of the sum of `products`.
    pub(super) fn of(products: &[&Product], inputs: &'a [Input], correlations: &'a Correlations) -> Self {
        let mut sums = BTreeMap::<_, Sum>::new();
        for (monomial, coefficient) in products.iter().copied().flat_map(multiplied_out) {
            sums.entry(monomial).or_default().add(coefficient);
        }
        let coefficients = sums.into_iter().map(|(monomial, sum)| (monomial, sum.settled())).collect();
        Self { coefficients, inputs, correlations }
    }

    /// By how much the emission moves per unit of one input, kgCO2e; `None` if it does not depend on it.
    pub(super) fn sensitivity(&self, input: InputIndex) -> Option<f64> {
        self.coefficients.get(&[input][..]).copied()
    }

    /// Standard uncertainty to first order with correlation (JCGM 100, 5.2.2), kgCO2e.
    pub(super) fn u_first_order(&self) -> f64 {
        let alone = |index| self.sensitivity(index).map_or(0.0, |slope| slope * self.inputs[index].u);
        self.correlations.combine(&(0..self.inputs.len()).map(alone).collect::<Vec<_>>())
    }

    /// Standard uncertainty exactly, kgCO2e. `None` where two moments of the inputs do not decide it: with an
    /// explicit correlation, or when a term contains one input twice.
    pub(super) fn u_exact(&self) -> Option<f64> {
        let repeated = |monomial: &Vec<InputIndex>| monomial.windows(2).any(|pair| pair[0] == pair[1]);
        if self.correlations.are_stated() || self.coefficients.keys().any(repeated) {
            return None;
        }
        let varying = self.coefficients.iter().filter(|(monomial, _)| !monomial.is_empty());
        Some(root_sum_of_squares(varying.map(|(monomial, coefficient)| {
            monomial.iter().fold(*coefficient, |component, index| component * self.inputs[*index].u)
        })))
    }
}

fn multiplied_out(product: &Product) -> Vec<(Vec<InputIndex>, f64)> {
    let mut terms = vec![(Vec::new(), 1.0)];
    for member in &product.members {
        let mut next = Vec::with_capacity(terms.len() * (1 + member.slopes.len()));
        for (monomial, coefficient) in terms {
            for (input, slope) in &member.slopes {
                next.push((with(&monomial, *input), coefficient * slope));
            }
            next.push((monomial, coefficient * member.value));
        }
        terms = next;
    }
    terms
}

fn with(monomial: &[InputIndex], input: InputIndex) -> Vec<InputIndex> {
    let mut extended = monomial.to_vec();
    let position = extended.partition_point(|known| *known < input);
    extended.insert(position, input);
    extended
}
