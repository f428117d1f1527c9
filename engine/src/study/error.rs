//! What can be wrong with a study.

use std::fmt;

use crate::allocation::AllocationError;
use crate::footprint::FootprintError;
use crate::gas::GasError;
use crate::quantity::QuantityError;
use crate::statement::StatementError;
use crate::unit::UnitError;

/// A place in a study: `stages.raw.transport.t1.mass`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At(String);

/// Why a study has no footprint. [`StudyError::code`] is stable; texts are not.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StudyError {
    /// A value without a statement of uncertainty (R-A23).
    #[error("{at} has no uncertainty: an unknown uncertainty is not 0; state it as \"unc\"")]
    NoUncertainty {
        /// The place.
        at: At,
    },
    /// A value or its uncertainty makes no sense.
    #[error("{at}: {source}")]
    Statement {
        /// The place.
        at: At,
        /// Why.
        source: StatementError,
    },
    /// A unit is unknown or does not fit the others.
    #[error("{at}: {source}")]
    Unit {
        /// The place.
        at: At,
        /// Why.
        source: UnitError,
    },
    /// One leg of a transport by both variants (R-A24).
    #[error(
        "{at}: {material} by {mode} is given by energy and by distance: it would be counted twice; keep one \
         of them"
    )]
    TransportDouble {
        /// The place.
        at: At,
        /// What is transported.
        material: String,
        /// How.
        mode: String,
    },
    /// A name leads nowhere, or in a circle.
    #[error(
        "{at}: \"{name}\" is not defined, or by itself; define it under \"quantities\" or correct the name"
    )]
    Reference {
        /// The place.
        at: At,
        /// The name.
        name: String,
    },
    /// An amount in none of the known forms, or in several at once.
    #[error(
        "{at}: an amount is one of value with unit, ref, batches, allocate or gas, with the keys of that \
         form; {problem}"
    )]
    Form {
        /// The place.
        at: At,
        /// What is missing or too much.
        problem: &'static str,
    },
    /// A number of products that nothing can be divided by.
    #[error("{at}: {source}")]
    PerUnits {
        /// The place.
        at: At,
        /// Why.
        source: QuantityError,
    },
    /// A share that cannot be told.
    #[error("{at}: {source}")]
    Allocation {
        /// The place.
        at: At,
        /// Why.
        source: AllocationError,
    },
    /// A gas in an impossible state.
    #[error("{at}: {source}")]
    Gas {
        /// The place.
        at: At,
        /// Why.
        source: GasError,
    },
    /// The study can be read, but not computed.
    #[error(transparent)]
    Footprint(#[from] FootprintError),
}

impl StudyError {
    /// The stable code: `"E_UNIT"`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoUncertainty { .. } => "E_NO_UNCERTAINTY",
            Self::Statement { source, .. } | Self::Gas { source: GasError::Statement(source), .. } => {
                statement_code(source)
            }
            Self::Unit { .. } => "E_UNIT",
            Self::TransportDouble { .. } => "E_TRANSPORT_DOUBLE",
            Self::Reference { .. } => "E_REFERENCE",
            Self::Form { .. } => "E_FORM",
            Self::PerUnits { .. } => "E_PER_UNITS",
            Self::Allocation { .. } => "E_ALLOCATION",
            Self::Gas { source: GasError::State { .. }, .. } => "E_VALUE",
            Self::Footprint(error) => footprint_code(error),
        }
    }

    pub(super) fn statement(at: &At, source: StatementError) -> Self {
        Self::Statement { at: at.clone(), source }
    }
}

const fn statement_code(error: &StatementError) -> &'static str {
    match error {
        StatementError::Negative { .. } => "E_NEGATIVE_UNCERTAINTY",
        StatementError::NotFinite { .. } | StatementError::CoverageFactor { .. } => "E_VALUE",
    }
}

const fn footprint_code(error: &FootprintError) -> &'static str {
    match error {
        FootprintError::UnknownFactor { .. } => "E_REFERENCE",
        FootprintError::Unit { .. } => "E_UNIT",
        FootprintError::NameConflict { .. } => "E_NAME",
        FootprintError::NotFinite { .. } => "E_VALUE",
        FootprintError::CoverageFactor(error) => statement_code(error),
        FootprintError::Correlation(_) => "E_CORRELATION",
    }
}

impl At {
    pub(super) fn new(path: &[&str]) -> Self {
        Self(path.join("."))
    }

    pub(super) fn inner(&self, key: &str) -> Self {
        Self(format!("{}.{key}", self.0))
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
