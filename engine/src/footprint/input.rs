//! The inputs that an emission depends on: independent random variables, each known by its name.

use std::collections::BTreeMap;

use super::factor::Factor;
use crate::quantity::Quantity;
use crate::unit::Ratio;

/// Position of an input in [`Inputs`].
pub(super) type InputIndex = usize;

/// What makes an input the same wherever it occurs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum InputKey {
    /// A factor, by id.
    Factor(String),
    /// A named quantity.
    Quantity(String),
    /// The class error of an instrument.
    Instrument(String),
    /// The error of an unnamed amount: by the positions of its term and of itself in the term.
    Own { term: usize, amount: usize },
}

/// One random variable.
#[derive(Clone, Debug)]
pub(super) struct Input {
    pub(super) key: InputKey,
    /// Standard uncertainty in the unit in which the input is stated. The class error of an instrument is
    /// counted in standard uncertainties: it has 1.
    pub(super) u: f64,
}

/// A number that depends on inputs: `value + sum of slope x (input - its best estimate)`.
#[derive(Clone, Debug)]
pub(super) struct Affine {
    pub(super) value: f64,
    /// Standard uncertainty of the whole.
    pub(super) u: f64,
    pub(super) slopes: Vec<(InputIndex, f64)>,
}

/// All inputs of a footprint.
#[derive(Clone, Debug, Default)]
pub(super) struct Inputs {
    list: Vec<Input>,
    index: BTreeMap<InputKey, InputIndex>,
    named: BTreeMap<String, Quantity>,
}

/// A name was given to two different amounts.
#[derive(Debug)]
pub(super) struct NameConflict(pub(super) String);

impl Inputs {
    pub(super) fn list(&self) -> &[Input] {
        &self.list
    }

    /// The input of a name that people use: a factor, a quantity or an instrument, in this order.
    pub(super) fn find(&self, name: &str) -> Option<InputIndex> {
        let keys = [
            InputKey::Factor(name.into()),
            InputKey::Quantity(name.into()),
            InputKey::Instrument(name.into()),
        ];
        keys.iter().find_map(|key| self.index.get(key).copied())
    }

    /// The factor times `conversion`, as it depends on its input.
    pub(super) fn of_factor(&mut self, id: &str, factor: &Factor, conversion: Ratio) -> Affine {
        let (slope, u) = (conversion.of(1.0), factor.estimate.standard_uncertainty());
        let input = self.register(InputKey::Factor(id.to_owned()), u);
        Affine { value: conversion.of(factor.estimate.value()), u: slope * u, slopes: vec![(input, slope)] }
    }

    /// The amount for one product, as it depends on its instruments and on itself.
    pub(super) fn of_amount(&mut self, own: InputKey, amount: &Quantity) -> Result<Affine, NameConflict> {
        let estimate = amount.estimate();
        let mut slopes = Vec::with_capacity(1 + estimate.systematic().len());
        let own_key = match amount.name() {
            Some(name) => Some(self.named(name, amount)?),
            None if estimate.independent() > 0.0 => Some(own),
            None => None,
        };
        if let Some(key) = own_key {
            slopes.push((self.register(key, estimate.independent()), amount.per_product(1.0)));
        }
        for (source, part) in estimate.systematic() {
            let input = self.register(InputKey::Instrument(source.clone()), 1.0);
            slopes.push((input, amount.per_product(*part)));
        }
        let u = amount.per_product(estimate.standard_uncertainty()).abs();
        Ok(Affine { value: amount.per_product(estimate.value()), u, slopes })
    }

    fn named(&mut self, name: &str, amount: &Quantity) -> Result<InputKey, NameConflict> {
        let first = self.named.entry(name.to_owned()).or_insert_with(|| amount.clone());
        if first.estimate() != amount.estimate() || first.unit() != amount.unit() {
            return Err(NameConflict(name.to_owned()));
        }
        Ok(InputKey::Quantity(name.to_owned()))
    }

    fn register(&mut self, key: InputKey, u: f64) -> InputIndex {
        *self.index.entry(key).or_insert_with_key(|key| {
            self.list.push(Input { key: key.clone(), u });
            self.list.len() - 1
        })
    }
}
