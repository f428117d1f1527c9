//! A footprint: the figures and how well they are known.
//!
//! Serialised names are those of the study format: E, u, U as in the draft's tables A.8 and B.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::cut_off::CutOff;
use super::inventory::Stage;
use crate::round::Reported;

/// The footprint of one product, kgCO2e. Its uncertainty is answered four ways:
///
/// | | first order | exact |
/// |---|---|---|
/// | every term independent, as in the draft's (2) | `document` | `document_exact` |
/// | a factor, quantity or instrument is the same error everywhere | `correlated` | `correlated_exact` |
///
/// `document` is what a report declares; where `correlated` differs by more than 5 %, a [`Warning`] says so.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Footprint {
    /// The assessed stages.
    pub stages: BTreeMap<Stage, StageOutcome>,
    /// Stages that were not assessed: while there are any, the footprint is a partial one.
    pub missing_stages: Vec<Stage>,
    /// All assessed stages together, formulas (1) and (2).
    pub total: Total,
    /// The total as a report prints it, from `document`. `None` when U is 0.
    pub report_document: Option<Reported>,
    /// The terms, in the order of the stages and as stated.
    pub terms: Vec<TermOutcome>,
    /// What the factors, named quantities and instruments contribute to `correlated`, by name.
    pub budget_correlated: Vec<BudgetEntry>,
    /// What remains: the uncertainty that each term has to itself. Without explicit correlations, the squares
    /// of all components here and in `budget_correlated` add up to the square of u.
    pub budget_rows: Vec<BudgetEntry>,
    /// What was dropped as negligible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut_off: Option<CutOff>,
    /// What a reader of the figures should know.
    pub warnings: Vec<Warning>,
}

/// One stage.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StageOutcome {
    /// Emission, kgCO2e.
    #[serde(rename = "E")]
    pub emission_kgco2e: f64,
    /// Standard uncertainty with all terms independent, first order.
    pub u: f64,
    /// The same, exactly.
    pub u_exact: f64,
    /// Standard uncertainty with common inputs, first order.
    pub u_correlated: f64,
    /// The same, exactly; `None` where two moments do not decide it (see [`Total::correlated_exact`]).
    pub u_correlated_exact: Option<f64>,
}

/// All assessed stages together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Total {
    /// Emission, kgCO2e.
    #[serde(rename = "E")]
    pub emission_kgco2e: f64,
    /// All terms independent, first order: formula (2).
    pub document: Uncertainty,
    /// All terms independent, exact variance of each product.
    pub document_exact: Uncertainty,
    /// Common inputs, first order.
    pub correlated: Uncertainty,
    /// Common inputs, exact. `None` when correlations were stated explicitly or a term contains one input
    /// twice: then it depends on the joint distribution, of which nothing is known.
    pub correlated_exact: Option<Uncertainty>,
}

/// The uncertainty of a total.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Uncertainty {
    /// Standard uncertainty, kgCO2e.
    pub u: f64,
    /// Expanded uncertainty U = k u, kgCO2e.
    #[serde(rename = "U")]
    pub expanded: f64,
    /// 100 U / |E|; `None` when E is 0.
    #[serde(rename = "U_rel_pct")]
    pub expanded_rel_pct: Option<f64>,
}

/// One term.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TermOutcome {
    /// Stage and id: `production.electricity`.
    pub term: String,
    /// Emission, kgCO2e.
    #[serde(rename = "E")]
    pub emission_kgco2e: f64,
    /// Standard uncertainty, first order, kgCO2e.
    pub u: f64,
    /// Share of the total emission, percent; `None` when that is 0.
    pub share_pct: Option<f64>,
    /// Share of the square of `document` u, percent; `None` when that is 0.
    pub variance_share_pct: Option<f64>,
}

/// What one input contributes to the uncertainty of the total.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BudgetEntry {
    /// Id of the factor, name of the quantity or instrument, or the term.
    pub input: String,
    /// Which of these it is.
    pub kind: InputKind,
    /// By how much the total moves per unit of the input, kgCO2e. `None` for an instrument or a term, which
    /// stand for errors and not for a value.
    pub sensitivity: Option<f64>,
    /// Standard uncertainty of the input in its own unit; `None` as above.
    pub u: Option<f64>,
    /// The standard uncertainty that it causes in the total, kgCO2e (JCGM 100, 5.1.3: |c| u).
    pub component: f64,
}

/// What an input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InputKind {
    /// An emission factor.
    Factor,
    /// A named quantity.
    Quantity,
    /// The class error of an instrument.
    Instrument,
    /// The unnamed amounts of one term.
    Term,
}

/// What a reader of the figures should know.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "code")]
pub enum Warning {
    /// Common inputs change the uncertainty of the total by more than 5 %.
    #[serde(rename = "W_CORRELATION")]
    Correlation {
        /// u with all terms independent, kgCO2e.
        document_u: f64,
        /// u with common inputs, kgCO2e.
        correlated_u: f64,
    },
    /// A term takes emission away.
    #[serde(rename = "W_CREDIT")]
    Credit {
        /// Stage and id of the term.
        term: String,
    },
    /// Two terms have the same name: something may be counted twice.
    #[serde(rename = "W_DUPLICATE")]
    Duplicate {
        /// Stage and id of the terms.
        term: String,
    },
    /// Secondary data whose default lies outside the range that it is said to come from (R-A26).
    #[serde(rename = "W_RANGE")]
    OutsideRange {
        /// Where the study states it.
        at: String,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Correlation { document_u, correlated_u } => write!(
                f,
                "u is {document_u:.4} kgCO2e with every term independent, as the draft has it, but \
                 {correlated_u:.4} \
                 when inputs used in several terms are taken as the same; state both"
            ),
            Self::Credit { term } => {
                write!(
                    f,
                    "{term} is negative: a credit, which the draft does not provide for; state what it \
                     stands for"
                )
            }
            Self::Duplicate { term } => {
                write!(
                    f,
                    "there is more than one {term}: check that nothing is counted twice, or name them apart"
                )
            }
            Self::OutsideRange { at } => {
                write!(f, "{at}: the default lies outside its range; u reaches the far end, but check both")
            }
        }
    }
}
