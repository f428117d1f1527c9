//! From primary-data documents to the calculation engine. This file alone knows the engine.
//!
//! The batches of a model are summed per section and carrier, the systematic parts of one instrument staying correlated; the
//! sums become the terms of the production stage, formulas (9) and (10).
//!
//! They are terms of one finished piece. A piece goes through several sections, often in batches of their own (boards first,
//! meters later), so each section's sum is divided by the good pieces that left *it*, and multiplied by what later batches took
//! in for each piece that they let pass: the energy of a board that is scrapped in calibration belongs to the meters that were not.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use weighbridge_config::site::{Factor, Site};
use weighbridge_engine as engine;
use weighbridge_engine::footprint::{FootprintError, Stage};
use weighbridge_engine::{Estimate, Quantity, Statement, Term};
use weighbridge_protocol::Decimal;

use crate::aggregate::document::{Amount, Output, PrimaryData};

/// Carriers of the production stage (table A.4 of the JJF draft); everything else that a batch draws is material.
const ENERGY_CARRIERS: [&str; 7] =
    ["electricity", "natural-gas", "petrol", "diesel", "steam", "heat", "compressed-air"];

/// Footprints of all models that have closed batches.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SiteFootprint {
    /// `"production"`: the stage that the agent measures.
    pub stage: &'static str,
    /// Unit of every E, u and U.
    pub unit: &'static str,
    /// One for each model.
    pub models: Vec<ModelFootprint>,
    /// What keeps figures from being complete, in words.
    pub missing: Vec<String>,
}

/// The production stage of one model, per good piece.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelFootprint {
    /// Product model.
    pub model: String,
    /// Its specification.
    pub specification: Option<String>,
    /// Closed batches that it is taken from.
    pub batches: usize,
    /// Good pieces that left the last sections measured.
    pub good: u64,
    /// Emission, formula (9).
    #[serde(rename = "E")]
    pub emission: f64,
    /// Expanded uncertainty, k = 2, of formula (10).
    #[serde(rename = "U")]
    pub expanded: f64,
    /// The same in percent of E.
    #[serde(rename = "U_rel_pct")]
    pub expanded_rel_pct: Option<f64>,
    /// E and U as a report prints them (R-A32).
    pub report: Option<engine::Reported>,
    /// Standard uncertainty by the draft's formula (10): every term independent.
    pub u_document: f64,
    /// Standard uncertainty with factors and instruments that terms have in common.
    pub u_correlated: f64,
    /// The terms.
    pub rows: Vec<Row>,
    /// What a reader should know.
    pub warnings: Vec<String>,
}

/// One term of formula (9).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// `carrier/source/section`.
    pub id: String,
    /// Carrier.
    pub carrier: String,
    /// Origin of electricity.
    pub source: Option<String>,
    /// Section.
    pub section: String,
    /// Amount of all batches, exact.
    pub quantity: String,
    /// Its unit.
    pub unit: String,
    /// Good pieces that left the section in these batches.
    pub good: u64,
    /// Factor used.
    pub factor: String,
    /// Emission per good piece.
    #[serde(rename = "E")]
    pub emission: f64,
    /// Standard uncertainty.
    pub u: f64,
    /// Share of the total in percent.
    pub share_pct: Option<f64>,
}

/// The production stage of every model of the site, from the newest revision of each batch's document.
pub fn footprint(site: &Site, documents: &[PrimaryData]) -> SiteFootprint {
    let mut result = SiteFootprint { stage: "production", unit: "kgCO2e/piece", ..SiteFootprint::default() };
    for model in &site.models {
        let of_model: Vec<_> = newest(documents).filter(|document| document.model == model.name).collect();
        if of_model.is_empty() {
            continue;
        }
        match model_footprint(site, &model.name, model.specification.as_ref(), &of_model, &mut result.missing)
        {
            Ok(footprint) => result.models.push(footprint),
            Err(why) => result.missing.push(format!("{}: {why}", model.name)),
        }
    }
    result.missing.sort();
    result.missing.dedup();
    result
}

fn newest(documents: &[PrimaryData]) -> impl Iterator<Item = &PrimaryData> {
    let mut by_batch: BTreeMap<&str, &PrimaryData> = BTreeMap::new();
    for document in documents {
        let known = by_batch.entry(&document.batch).or_insert(document);
        if document.revision >= known.revision {
            *known = document;
        }
    }
    by_batch.into_values()
}

fn model_footprint(
    site: &Site,
    model: &str,
    specification: Option<&String>,
    documents: &[&PrimaryData],
    missing: &mut Vec<String>,
) -> Result<ModelFootprint, HandoverError> {
    let legs = legs(site, documents);
    let rows = rows(site, documents, missing)?;
    let per_piece = |row: &EnergyRow<'_>| -> Result<Term, HandoverError> {
        let quantity = Quantity::new(row.estimate(), row.unit()?);
        let quantity =
            quantity.scaled(taken_in_per_piece(&legs, row.section_index(site))).per_units(row.good as f64)?;
        Ok(Term::item(&row.id, quantity, &row.factor.name))
    };
    let terms: Result<Vec<Term>, _> = rows.iter().map(per_piece).collect();
    let computed = engine::production(terms?, factors(site)?)?;
    let of_stage = |term: &str| format!("{}.{term}", Stage::Production.name());
    let row_views = rows.iter().filter_map(|row| {
        let term = computed.terms.iter().find(|term| term.term == of_stage(&row.id))?;
        Some(row.view(term.emission_kgco2e, term.u, term.share_pct))
    });
    Ok(ModelFootprint {
        model: model.to_owned(),
        specification: specification.cloned(),
        batches: documents.len(),
        good: legs.last().map_or(0, |leg| leg.good),
        emission: computed.total.emission_kgco2e,
        expanded: computed.total.document.expanded,
        expanded_rel_pct: computed.total.document.expanded_rel_pct,
        report: computed.report_document.clone(),
        u_document: computed.total.document.u,
        u_correlated: computed.total.correlated.u,
        rows: row_views.collect(),
        warnings: computed.warnings.iter().map(ToString::to_string).collect(),
    })
}

/// Sections that a model's batches go through together, and their output.
struct Leg {
    first: usize,
    last: usize,
    /// Their indices: in which order a batch names them means nothing.
    sections: BTreeSet<usize>,
    good: u64,
    taken_in: u64,
}

/// The legs of a model's way through the factory, in the order in which the site file lists the sections.
fn legs(site: &Site, documents: &[&PrimaryData]) -> Vec<Leg> {
    let mut legs: Vec<Leg> = Vec::new();
    for document in documents {
        let Output { good, rejected } = document.output;
        let sections: BTreeSet<usize> =
            document.sections.iter().map(|section| section_index(site, section)).collect();
        let place = legs.iter().position(|leg| leg.sections == sections).unwrap_or_else(|| {
            let (first, last) =
                (sections.first().copied().unwrap_or(0), sections.last().copied().unwrap_or(0));
            legs.push(Leg { first, last, sections, good: 0, taken_in: 0 });
            legs.len() - 1
        });
        let leg = &mut legs[place];
        leg.good = leg.good.saturating_add(good);
        leg.taken_in = leg.taken_in.saturating_add(good).saturating_add(rejected);
    }
    legs.sort_by_key(|leg| (leg.last, leg.first));
    legs
}

/// Pieces that the legs behind a section took in for each piece that left the last of them.
fn taken_in_per_piece(legs: &[Leg], section: usize) -> f64 {
    let behind = legs.iter().filter(|leg| leg.first > section && leg.good > 0);
    behind.map(|leg| leg.taken_in as f64 / leg.good as f64).product()
}

fn section_index(site: &Site, name: &str) -> usize {
    site.sections.iter().position(|section| section.name == name).unwrap_or(usize::MAX)
}

/// Why documents cannot become a footprint.
#[derive(Debug, thiserror::Error)]
enum HandoverError {
    #[error("no good piece yet, so there is nothing to divide by")]
    NoGoodPiece,
    #[error("unit `{0}` is not one that the engine knows")]
    Unit(String),
    #[error("an amount of device `{0}` has no uncertainty, and none is not zero")]
    NoUncertainty(String),
    #[error("the sum of {0} is too large for an exact number; check the meters for a slipped unit")]
    TooLarge(String),
    #[error(transparent)]
    Statement(#[from] engine::StatementError),
    #[error(transparent)]
    Footprint(#[from] FootprintError),
}

impl From<engine::QuantityError> for HandoverError {
    fn from(_: engine::QuantityError) -> Self {
        Self::NoGoodPiece
    }
}

/// The sum over batches of one carrier in one section.
struct EnergyRow<'a> {
    id: String,
    first: &'a Amount,
    factor: &'a Factor,
    sum: Decimal,
    good: u64,
    estimates: Vec<Estimate>,
}

impl EnergyRow<'_> {
    fn add(&mut self, amount: &Amount, value: Decimal) -> Result<(), HandoverError> {
        let (Some(systematic), Some(independent)) = (amount.u_systematic, amount.u_independent) else {
            return Err(HandoverError::NoUncertainty(amount.device.clone()));
        };
        let of_instrument = [(amount.device.clone(), systematic)];
        self.estimates.push(Estimate::measured(value.to_f64(), independent, of_instrument)?);
        self.sum = self.sum.checked_add(value).ok_or_else(|| HandoverError::TooLarge(self.id.clone()))?;
        Ok(())
    }

    fn estimate(&self) -> Estimate {
        Estimate::sum(&self.estimates)
    }

    fn section_index(&self, site: &Site) -> usize {
        section_index(site, &self.first.section)
    }

    fn unit(&self) -> Result<engine::Unit, HandoverError> {
        self.first.unit.parse().map_err(|_| HandoverError::Unit(self.first.unit.clone()))
    }

    fn view(&self, emission: f64, u: f64, share_pct: Option<f64>) -> Row {
        Row {
            id: self.id.clone(),
            carrier: self.first.carrier.clone(),
            source: self.first.source.clone(),
            section: self.first.section.clone(),
            quantity: self.sum.to_string(),
            unit: self.first.unit.clone(),
            good: self.good,
            factor: self.factor.name.clone(),
            emission,
            u,
            share_pct,
        }
    }
}

fn rows<'a>(
    site: &'a Site,
    documents: &[&'a PrimaryData],
    missing: &mut Vec<String>,
) -> Result<Vec<EnergyRow<'a>>, HandoverError> {
    let mut rows: Vec<EnergyRow<'a>> = Vec::new();
    for document in documents {
        for (id, amounts) in energy_of(document) {
            let not_good = amounts.iter().filter(|amount| amount.quality != "good");
            missing.extend(not_good.map(|amount| {
                let why = amount.reason.as_deref().unwrap_or("not known");
                format!("batch {}, {}: {why}", document.batch, amount.device)
            }));
            let first = amounts[0];
            let Some(factor) = site.factor(&first.carrier, first.source.as_deref()) else {
                missing.push(format!("no factor for {} in {}", carrier_name(first), site.name));
                continue;
            };
            // Of a section with several meters all are known, or its pieces do not count.
            let Some(values) = amounts.iter().map(|amount| known_value(amount)).collect::<Option<Vec<_>>>()
            else {
                continue;
            };
            let place = rows.iter().position(|row| row.id == id).unwrap_or_else(|| {
                rows.push(EnergyRow {
                    id,
                    first,
                    factor,
                    sum: Decimal::ZERO,
                    good: 0,
                    estimates: Vec::new(),
                });
                rows.len() - 1
            });
            let row = &mut rows[place];
            row.good = row.good.saturating_add(document.output.good);
            for (amount, value) in amounts.into_iter().zip(values) {
                row.add(amount, value)?;
            }
        }
    }
    Ok(rows)
}

/// What a batch drew of each energy carrier in each section, by `carrier/source/section`, from however many meters.
fn energy_of(document: &PrimaryData) -> BTreeMap<String, Vec<&Amount>> {
    let mut by_row: BTreeMap<String, Vec<&Amount>> = BTreeMap::new();
    for amount in document.amounts.iter().filter(|amount| ENERGY_CARRIERS.contains(&amount.carrier.as_str()))
    {
        by_row.entry(format!("{}/{}", carrier_name(amount), amount.section)).or_default().push(amount);
    }
    by_row
}

fn known_value(amount: &Amount) -> Option<Decimal> {
    amount.value.as_ref()?.parse().ok()
}

/// `electricity/grid`, `natural-gas`.
fn carrier_name(amount: &Amount) -> String {
    match &amount.source {
        Some(source) => format!("{}/{source}", amount.carrier),
        None => amount.carrier.clone(),
    }
}

fn factors(site: &Site) -> Result<engine::Factors, HandoverError> {
    let engine_factor = |factor: &Factor| {
        let unit = format!("kgCO2e/{}", factor.per);
        let parsed = unit.parse().map_err(|_| HandoverError::Unit(unit))?;
        let statement = Statement::Relative { u_rel: factor.relative_standard_uncertainty };
        let built = engine::Factor::new(factor.value.to_f64(), parsed, &statement)?;
        Ok((factor.name.clone(), built.from_source(&factor.origin)))
    };
    site.factors.iter().map(engine_factor).collect()
}
