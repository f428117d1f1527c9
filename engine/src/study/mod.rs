//! A whole study, as its JSON file states it: factors, named quantities and the rows of the five stages.
//!
//! [`Study`] reads with serde and refuses unknown keys; [`Study::footprint`] answers. An amount is given in
//! one of these forms, each with an optional exact `per_units`, the number of products that it covers:
//!
//! | form | meaning |
//! |---|---|
//! | `{value, unit, unc, id?}` | a value with its [`crate::Statement`]; same `id`, same measurement |
//! | `{ref, scale?}` | a named quantity, or an exact part of it |
//! | `{batches: [..], batch_correlation?}` | a sum; 1: measured by one instrument, 0 (default): independent |
//! | `{allocate: {total, model, models}}` | the share of a model, see [`crate::allocated_share`] |
//! | `{gas: {..}}` | a gas volume at line conditions, see [`crate::GasVolume`] |

mod amount;
mod error;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

pub use error::StudyError;

use crate::footprint::{Correlation, Factor, Factors, Footprint, Inventory, Stage, Term, Warning};
use amount::Amounts;
use error::At;
use text::{AmountText, FactorText, LegText, StageText, Variant};

/// A study: everything that one product's footprint is computed from.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Study {
    #[serde(default)]
    factors: BTreeMap<String, FactorText>,
    #[serde(default)]
    quantities: BTreeMap<String, AmountText>,
    #[serde(default)]
    stages: BTreeMap<Stage, StageText>,
    #[serde(default = "two")]
    k: f64,
    #[serde(default)]
    correlations: Vec<Correlation>,
}

fn two() -> f64 {
    2.0
}

impl Study {
    /// Computes the footprint.
    ///
    /// # Errors
    /// [`StudyError`] with the place in the study, what is wrong and what to do.
    pub fn footprint(&self) -> Result<Footprint, StudyError> {
        let amounts = Amounts::new(&self.quantities);
        let mut footprint = self.inventory(&amounts)?.footprint()?;
        let outside = amounts.outside_range().into_iter().chain(self.factors_outside_range());
        footprint.warnings.extend(outside.map(|at| Warning::OutsideRange { at }));
        Ok(footprint)
    }

    fn inventory(&self, amounts: &Amounts<'_>) -> Result<Inventory, StudyError> {
        let mut inventory = Inventory::new(self.factors()?);
        inventory.coverage_factor = self.k;
        for (stage, rows) in &self.stages {
            let at = At::new(&["stages", stage.name()]);
            inventory = inventory.stage(*stage, terms(rows, amounts, &at)?);
        }
        for correlation in &self.correlations {
            for name in [&correlation.one, &correlation.other] {
                if !self.factors.contains_key(name) && !amounts.knows(name) {
                    return Err(StudyError::Reference { at: At::new(&["correlations"]), name: name.clone() });
                }
            }
        }
        inventory.correlations.clone_from(&self.correlations);
        Ok(inventory)
    }

    fn factors(&self) -> Result<Factors, StudyError> {
        let factor =
            |(id, text): (&String, &FactorText)| Ok((id.clone(), factor(text, &At::new(&["factors", id]))?));
        self.factors.iter().map(factor).collect()
    }

    fn factors_outside_range(&self) -> impl Iterator<Item = String> {
        let outside =
            |text: &FactorText| text.unc.is_some_and(|statement| statement.is_outside_range(text.value));
        self.factors.iter().filter(move |(_, text)| outside(text)).map(|(id, _)| format!("factors.{id}"))
    }
}

fn factor(text: &FactorText, at: &At) -> Result<Factor, StudyError> {
    let unit = text.unit.parse().map_err(|source| StudyError::Unit { at: at.clone(), source })?;
    let statement = text.unc.ok_or_else(|| StudyError::NoUncertainty { at: at.clone() })?;
    let factor =
        Factor::new(text.value, unit, &statement).map_err(|source| StudyError::statement(at, source))?;
    let factor = factor.from_source(text.source.clone());
    Ok(if let Some(grade) = text.grade { factor.graded(grade) } else { factor })
}

fn terms(rows: &StageText, amounts: &Amounts<'_>, stage: &At) -> Result<Vec<Term>, StudyError> {
    let mut terms = Vec::with_capacity(rows.items.len() + rows.transport.len());
    for item in &rows.items {
        let quantity = amounts.resolve(&item.quantity, &stage.inner(&item.id))?;
        let term = Term::item(&item.id, quantity, &item.factor);
        terms.push(if item.cut_off { term.cut_off() } else { term });
    }
    refuse_double(&rows.transport, stage)?;
    for leg in &rows.transport {
        terms.extend(leg_terms(leg, amounts, &stage.inner("transport").inner(&leg.id))?);
    }
    Ok(terms)
}

/// A leg is assessed by its energy or by its distance, not by both (R-A24).
fn refuse_double(legs: &[LegText], stage: &At) -> Result<(), StudyError> {
    let journeys = |by_distance: bool| -> BTreeSet<_> {
        let of_variant =
            legs.iter().filter(|leg| matches!(leg.variant, Variant::Distance { .. }) == by_distance);
        of_variant.map(|leg| (&leg.material, &leg.mode)).collect()
    };
    let Some((material, mode)) = journeys(true).intersection(&journeys(false)).next().copied() else {
        return Ok(());
    };
    let material = material.clone().unwrap_or_else(|| "the product".to_owned());
    Err(StudyError::TransportDouble { at: stage.inner("transport"), material, mode: mode.clone() })
}

fn leg_terms(leg: &LegText, amounts: &Amounts<'_>, at: &At) -> Result<Vec<Term>, StudyError> {
    let terms = match &leg.variant {
        Variant::Energy { energies } => energies
            .iter()
            .map(|energy| {
                let quantity = amounts.resolve(&energy.quantity, &at.inner(&energy.factor))?;
                Ok(Term::leg_energy(&leg.id, quantity, &energy.factor))
            })
            .collect::<Result<_, StudyError>>()?,
        Variant::Distance { mass, distance, factor } => {
            let mass = amounts.resolve(mass, &at.inner("mass"))?;
            let distance = amounts.resolve(distance, &at.inner("distance"))?;
            vec![Term::leg_distance(&leg.id, mass, distance, factor)]
        }
    };
    Ok(if leg.cut_off { terms.into_iter().map(Term::cut_off).collect() } else { terms })
}
