//! Emission factors.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::estimate::Estimate;
use crate::factor_unit::FactorUnit;
use crate::statement::{Statement, StatementError};

/// Emission factors by id. A factor that several terms name is one quantity: its error is the same in all of
/// them.
pub type Factors = BTreeMap<String, Factor>;

/// What one unit of an amount emits.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Factor {
    /// The emission per unit, with its uncertainty.
    pub estimate: Estimate,
    /// Unit of the value, such as kgCO2e/kWh.
    pub unit: FactorUnit,
    /// The publication or measurement that it is taken from.
    pub source: String,
    /// Quality by table 5; `None` when it was not graded.
    pub grade: Option<Grade>,
}

/// Quality of a datum, tables 2, 4 and 5 of the JJF draft, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// 高
    High,
    /// 较高
    FairlyHigh,
    /// 中
    Medium,
    /// 较低
    FairlyLow,
    /// 低
    Low,
}

impl Factor {
    /// A factor with its uncertainty as stated; its source and grade are yet to be named.
    ///
    /// # Errors
    /// [`StatementError`] when a figure is negative or not finite.
    pub fn new(value: f64, unit: FactorUnit, uncertainty: &Statement) -> Result<Self, StatementError> {
        let estimate = Estimate::stated(value, uncertainty)?;
        Ok(Self { estimate, unit, source: String::new(), grade: None })
    }

    /// Names the publication or measurement that the factor is taken from.
    #[must_use]
    pub fn from_source(mut self, source: impl Into<String>) -> Self {
        self.source = source.into();
        self
    }

    /// Grades the factor by table 5.
    #[must_use]
    pub const fn graded(mut self, grade: Grade) -> Self {
        self.grade = Some(grade);
        self
    }
}
