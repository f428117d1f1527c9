//! What a footprint is computed from: terms by stage, and their factors.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::correlation::Correlation;
use super::factor::Factors;
use crate::quantity::Quantity;

/// A stage of the product's life, in the order of formula (1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Raw materials and their transport to the factory: formulas (3) and (4).
    Raw,
    /// Production: formulas (9) and (10).
    Production,
    /// Distribution: formulas (11) to (14).
    Distribution,
    /// Use: formulas (15) and (16).
    Use,
    /// End of life: formulas (17) and (18).
    #[serde(rename = "eol")]
    EndOfLife,
}

impl Stage {
    /// All stages, in the order of formula (1).
    pub const ALL: [Self; 5] = [Self::Raw, Self::Production, Self::Distribution, Self::Use, Self::EndOfLife];

    /// The name by which results refer to the stage: `"eol"`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Production => "production",
            Self::Distribution => "distribution",
            Self::Use => "use",
            Self::EndOfLife => "eol",
        }
    }
}

/// One product of amounts and a factor; a stage is a sum of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Term {
    pub(super) id: String,
    pub(super) amounts: Vec<Quantity>,
    pub(super) factor: String,
    pub(super) cut_off: bool,
}

impl Term {
    /// An amount times a factor, M EF: a material in (3), an energy in (9), the consumption in use (15),
    /// waste or energy in (17). Results name it by stage and id, as in `production.electricity`.
    pub fn item(id: impl Into<String>, amount: Quantity, factor: impl Into<String>) -> Self {
        Self { id: id.into(), amounts: vec![amount], factor: factor.into(), cut_off: false }
    }

    /// An energy that the leg `leg` of a transport consumed, M EF by (5) and (11). A leg that consumed
    /// several energies is several terms.
    pub fn leg_energy(leg: &str, amount: Quantity, factor: impl Into<String>) -> Self {
        let factor = factor.into();
        Self::item(format!("transport.{leg}.{factor}"), amount, factor)
    }

    /// A leg of a transport by mass and distance, M D T by (7) and (13).
    pub fn leg_distance(leg: &str, mass: Quantity, distance: Quantity, factor: impl Into<String>) -> Self {
        let amounts = vec![mass, distance];
        Self { id: format!("transport.{leg}"), amounts, factor: factor.into(), cut_off: false }
    }

    /// Declares the term negligible: it is left out of the footprint, and whether that is allowed is reported
    /// ([`super::CutOff`]).
    #[must_use]
    pub const fn cut_off(mut self) -> Self {
        self.cut_off = true;
        self
    }
}

/// What a footprint is computed from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Inventory {
    /// Terms by stage. A stage that is absent was not assessed, which is not the same as emitting nothing.
    pub stages: BTreeMap<Stage, Vec<Term>>,
    /// The factors that terms name.
    pub factors: Factors,
    /// Coverage factor k of the expanded uncertainty; 2 by the draft.
    pub coverage_factor: f64,
    /// Correlation between inputs, beyond an input being the same in several terms. Usually none.
    pub correlations: Vec<Correlation>,
}

impl Inventory {
    /// Nothing assessed yet, k = 2, no correlation stated.
    #[must_use]
    pub const fn new(factors: Factors) -> Self {
        Self { stages: BTreeMap::new(), factors, coverage_factor: 2.0, correlations: Vec::new() }
    }

    /// Adds the terms of a stage; none for a stage that was assessed and found to emit nothing.
    #[must_use]
    pub fn stage(mut self, stage: Stage, terms: impl IntoIterator<Item = Term>) -> Self {
        self.stages.entry(stage).or_default().extend(terms);
        self
    }
}
