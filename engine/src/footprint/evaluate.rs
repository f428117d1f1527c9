//! From an inventory to a footprint.

use std::collections::{BTreeMap, BTreeSet};

use super::correlation::{CorrelationError, Correlations};
use super::cut_off::CutOff;
use super::factor::Factors;
use super::input::{InputKey, Inputs};
use super::inventory::{Inventory, Stage, Term};
use super::outcome::{
    BudgetEntry, Footprint, InputKind, StageOutcome, TermOutcome, Total, Uncertainty, Warning,
};
use super::product::Product;
use super::response::Response;
use crate::factor_unit::FactorUnit;
use crate::round::report;
use crate::statement::{StatementError, coverage_factor};
use crate::sum::{Sum, root_sum_of_squares};

/// Why a footprint cannot be computed. Terms are named by stage and id.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FootprintError {
    /// A term names a factor that is not there.
    #[error("{term} uses the factor \"{factor}\", which is not defined; define it or correct the name")]
    UnknownFactor {
        /// The term.
        term: String,
        /// The factor's id.
        factor: String,
    },
    /// Units of amount and factor do not belong together (R-A25).
    #[error(
        "{term} is given in {amount}, but its factor \"{factor}\" in {unit}; give both for the same kind of \
         amount"
    )]
    Unit {
        /// The term.
        term: String,
        /// Unit of the amount, or of mass and distance.
        amount: String,
        /// The factor's id.
        factor: String,
        /// Unit of the factor.
        unit: FactorUnit,
    },
    /// One name stands for two different amounts.
    #[error(
        "{term} uses the quantity \"{name}\" with another value than elsewhere; one name is one measurement, \
         name them apart"
    )]
    NameConflict {
        /// The term.
        term: String,
        /// The quantity's name.
        name: String,
    },
    /// A result beyond the range of numbers.
    #[error("{what} is too large for a number; check the amounts and the factors for a slipped unit")]
    NotFinite {
        /// The term, or the total.
        what: String,
    },
    /// The coverage factor is unusable.
    #[error(transparent)]
    CoverageFactor(#[from] StatementError),
    /// The stated correlations are impossible.
    #[error(transparent)]
    Correlation(#[from] CorrelationError),
}

/// The production stage alone, formulas (9) and (10), with k = 2: a partial footprint in which the other
/// stages are marked missing.
///
/// # Errors
/// [`FootprintError`] when a factor is missing, units do not match, or figures are too large.
pub fn production(
    terms: impl IntoIterator<Item = Term>,
    factors: Factors,
) -> Result<Footprint, FootprintError> {
    Inventory::new(factors).stage(Stage::Production, terms).footprint()
}

impl Inventory {
    /// Computes the footprint, formulas (1) to (18).
    ///
    /// # Errors
    /// [`FootprintError`] when a factor is missing, units do not match, a name stands for two amounts, k or a
    /// correlation is impossible, or figures are too large.
    pub fn footprint(&self) -> Result<Footprint, FootprintError> {
        let k = coverage_factor(self.coverage_factor)?;
        let resolved = Resolved::new(self)?;
        let whole = resolved.outcome(&resolved.kept(None))?;
        let stage = |stage: &Stage| Ok((*stage, resolved.outcome(&resolved.kept(Some(*stage)))?));
        let total = total(&whole, k);
        let (budget_correlated, budget_rows) = resolved.budget();
        Ok(Footprint {
            stages: self.stages.keys().map(stage).collect::<Result<_, FootprintError>>()?,
            missing_stages: Stage::ALL.into_iter().filter(|stage| !self.stages.contains_key(stage)).collect(),
            report_document: report(total.emission_kgco2e, total.document.expanded),
            terms: resolved.kept(None).into_iter().map(|product| term(product, &whole)).collect(),
            budget_correlated,
            budget_rows,
            cut_off: CutOff::of(&resolved.products, whole.emission_kgco2e),
            warnings: warnings(&resolved.products, &total),
            total,
        })
    }
}

/// An inventory in numbers: names resolved, units converted.
struct Resolved {
    products: Vec<Product>,
    inputs: Inputs,
    correlations: Correlations,
}

impl Resolved {
    fn new(inventory: &Inventory) -> Result<Self, FootprintError> {
        let mut inputs = Inputs::default();
        let stages = inventory.stages.iter();
        let terms = stages.flat_map(|(stage, terms)| terms.iter().map(|term| (*stage, term))).enumerate();
        let products = terms
            .map(|(index, (stage, term))| Product::new((index, stage, term), &inventory.factors, &mut inputs))
            .collect::<Result<_, _>>()?;
        let correlations = Correlations::new(&inventory.correlations, &inputs)?;
        Ok(Self { products, inputs, correlations })
    }

    /// The products of one stage, or of all, that were not dropped.
    fn kept(&self, stage: Option<Stage>) -> Vec<&Product> {
        let of_stage = |product: &&Product| stage.is_none_or(|stage| product.stage == stage);
        self.products.iter().filter(of_stage).filter(|product| !product.cut_off).collect()
    }

    fn response(&self, products: &[&Product]) -> Response<'_> {
        Response::of(products, self.inputs.list(), &self.correlations)
    }

    /// Emission and uncertainty of a sum of products: a stage by (3) to (18), or the whole by (1) and (2).
    fn outcome(&self, products: &[&Product]) -> Result<StageOutcome, FootprintError> {
        let response = self.response(products);
        let outcome = StageOutcome {
            emission_kgco2e: products.iter().map(|product| product.emission()).collect::<Sum>().settled(),
            u: root_sum_of_squares(products.iter().map(|product| product.u_first_order())),
            u_exact: root_sum_of_squares(products.iter().map(|product| product.u_exact())),
            u_correlated: response.u_first_order(),
            u_correlated_exact: response.u_exact(),
        };
        let StageOutcome { emission_kgco2e, u, u_exact, u_correlated, u_correlated_exact } = outcome;
        let figures = [emission_kgco2e, u, u_exact, u_correlated, u_correlated_exact.unwrap_or(0.0)];
        let is_finite = figures.iter().all(|figure| figure.is_finite());
        is_finite.then_some(outcome).ok_or_else(|| FootprintError::NotFinite { what: "the total".to_owned() })
    }

    /// The components of named inputs, and those that terms have to themselves.
    fn budget(&self) -> (Vec<BudgetEntry>, Vec<BudgetEntry>) {
        let response = self.response(&self.kept(None));
        let (mut named, mut rows) = (Vec::new(), BTreeMap::<usize, Vec<f64>>::new());
        for (index, input) in self.inputs.list().iter().enumerate() {
            let Some(sensitivity) = response.sensitivity(index) else { continue };
            let (name, kind) = match &input.key {
                InputKey::Factor(id) => (id, InputKind::Factor),
                InputKey::Quantity(name) => (name, InputKind::Quantity),
                InputKey::Instrument(name) => (name, InputKind::Instrument),
                InputKey::Own { term, .. } => {
                    rows.entry(*term).or_default().push(sensitivity * input.u);
                    continue;
                }
            };
            named.push(entry(name, kind, sensitivity, input.u));
        }
        named.sort_by(|one, other| (&one.input, one.kind).cmp(&(&other.input, other.kind)));
        let row = |(term, components): (usize, Vec<f64>)| {
            entry(&self.products[term].name, InputKind::Term, root_sum_of_squares(components), 1.0)
        };
        (named, rows.into_iter().map(row).collect())
    }
}

fn total(whole: &StageOutcome, k: f64) -> Total {
    let emission_kgco2e = whole.emission_kgco2e;
    let uncertainty = |u: f64| Uncertainty {
        u,
        expanded: k * u,
        expanded_rel_pct: (emission_kgco2e != 0.0).then(|| 100.0 * k * u / emission_kgco2e.abs()),
    };
    Total {
        emission_kgco2e,
        document: uncertainty(whole.u),
        document_exact: uncertainty(whole.u_exact),
        correlated: uncertainty(whole.u_correlated),
        correlated_exact: whole.u_correlated_exact.map(uncertainty),
    }
}

fn term(product: &Product, whole: &StageOutcome) -> TermOutcome {
    let (emission_kgco2e, u) = (product.emission(), product.u_first_order());
    TermOutcome {
        term: product.name.clone(),
        emission_kgco2e,
        u,
        share_pct: (whole.emission_kgco2e != 0.0).then(|| 100.0 * emission_kgco2e / whole.emission_kgco2e),
        variance_share_pct: (whole.u != 0.0).then(|| 100.0 * (u / whole.u).powi(2)),
    }
}

fn entry(name: &str, kind: InputKind, sensitivity: f64, u: f64) -> BudgetEntry {
    let is_value = matches!(kind, InputKind::Factor | InputKind::Quantity);
    BudgetEntry {
        input: name.to_owned(),
        kind,
        sensitivity: is_value.then_some(sensitivity),
        u: is_value.then_some(u),
        component: (sensitivity * u).abs(),
    }
}

/// Relative difference between `document` and `correlated` above which a reader must be told.
const NOTEWORTHY_DIFFERENCE: f64 = 0.05;

fn warnings(products: &[Product], total: &Total) -> Vec<Warning> {
    let (document_u, correlated_u) = (total.document.u, total.correlated.u);
    let differs = (correlated_u - document_u).abs() > NOTEWORTHY_DIFFERENCE * document_u;
    let correlation = differs.then_some(Warning::Correlation { document_u, correlated_u });
    let credits = products.iter().filter(|product| product.emission() < 0.0);
    let credits = credits.map(|product| Warning::Credit { term: product.name.clone() });
    let mut seen = BTreeSet::new();
    let repeated: BTreeSet<&String> =
        products.iter().map(|product| &product.name).filter(|name| !seen.insert(*name)).collect();
    let duplicates = repeated.into_iter().map(|name| Warning::Duplicate { term: name.clone() });
    correlation.into_iter().chain(credits).chain(duplicates).collect()
}
