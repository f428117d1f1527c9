//! What a certificate, a class or a table says about the uncertainty of a value.

use serde::{Deserialize, Serialize};

/// A statement of uncertainty in one of the forms that sources give it in. All turn into a standard
/// uncertainty; a value without a statement has no uncertainty of zero, it has none at all and cannot be
/// used.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Statement {
    /// A standard uncertainty.
    Standard {
        /// u, in the unit of the value.
        u: f64,
    },
    /// A relative standard uncertainty.
    Relative {
        /// u / |value|, as a fraction.
        u_rel: f64,
    },
    /// An expanded uncertainty, as certificates give it: u = U / k.
    Expanded {
        /// U, in the unit of the value.
        #[serde(rename = "U")]
        expanded: f64,
        /// Coverage factor, above 0.
        k: f64,
    },
    /// A relative expanded uncertainty.
    ExpandedRelative {
        /// U / |value|, as a fraction.
        #[serde(rename = "U_rel")]
        expanded_rel: f64,
        /// Coverage factor, above 0.
        k: f64,
    },
    /// A half-width within which the value surely lies (JCGM 100, 4.3.7 to 4.3.9).
    HalfWidth {
        /// a, in the unit of the value.
        a: f64,
        /// How the value is distributed within.
        dist: Distribution,
    },
    /// A relative maximum permissible error, taken as a uniform distribution: u = |value| MPE / sqrt(3).
    MpeRelative {
        /// MPE / |value|, as a fraction: 0.005 for class 0.5.
        mpe: f64,
    },
    /// Secondary data: the value is a default out of a range, formula C.1 of the JJF draft, u = max(|max -
    /// value|, |value - min|) / sqrt(3). A default outside its range gets an uncertainty that still reaches
    /// the far end; see [`Statement::is_outside_range`].
    Secondary {
        /// Lower end of the range, in the unit of the value.
        min: f64,
        /// Upper end of the range, in the unit of the value.
        max: f64,
    },
}

/// How a value is distributed within its half-width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Distribution {
    /// Every value equally likely: a / sqrt(3).
    Uniform,
    /// The middle most likely: a / sqrt(6).
    Triangular,
    /// U-shaped, as of a quantity that swings as a sine: a / sqrt(2).
    Arcsine,
}

/// Why a value or a statement about it is refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StatementError {
    /// An uncertainty below zero.
    #[error("{what} is {value}: an uncertainty is a width and cannot be negative; state its magnitude")]
    Negative {
        /// Which figure.
        what: &'static str,
        /// The figure.
        value: f64,
    },
    /// A figure that is no number, or too large for one.
    #[error("{what} is {value}: it does not fit a number; check the source of the figure")]
    NotFinite {
        /// Which figure.
        what: &'static str,
        /// The figure.
        value: f64,
    },
    /// A coverage factor that nothing can be divided by.
    #[error("the coverage factor is {value}: it must be above 0; it is 2 on most certificates")]
    CoverageFactor {
        /// The factor.
        value: f64,
    },
}

impl Statement {
    /// The standard uncertainty of `value`, in its unit; 0 or above.
    ///
    /// # Errors
    /// [`StatementError`] when a figure is negative or not finite, or k is not above 0.
    pub fn standard_uncertainty(&self, value: f64) -> Result<f64, StatementError> {
        finite("the value", value)?;
        let u = match *self {
            Self::Standard { u } => width("u", u)?,
            Self::Relative { u_rel } => width("u_rel", u_rel)? * value.abs(),
            Self::Expanded { expanded, k } => width("U", expanded)? / coverage_factor(k)?,
            Self::ExpandedRelative { expanded_rel, k } => {
                width("U_rel", expanded_rel)? * value.abs() / coverage_factor(k)?
            }
            Self::HalfWidth { a, dist } => width("the half-width", a)? / dist.divisor(),
            Self::MpeRelative { mpe } => {
                width("the maximum permissible error", mpe)? * value.abs() / 3_f64.sqrt()
            }
            Self::Secondary { min, max } => {
                let farther = (finite("max", max)? - value).abs().max((value - finite("min", min)?).abs());
                farther / 3_f64.sqrt()
            }
        };
        finite("the uncertainty", u)
    }

    /// Whether the value is a default that lies outside the range it is said to come from, which is worth a
    /// warning.
    #[must_use]
    pub fn is_outside_range(&self, value: f64) -> bool {
        matches!(*self, Self::Secondary { min, max } if value < min || value > max)
    }
}

impl Distribution {
    fn divisor(self) -> f64 {
        match self {
            Self::Uniform => 3_f64,
            Self::Triangular => 6_f64,
            Self::Arcsine => 2_f64,
        }
        .sqrt()
    }
}

pub(crate) fn finite(what: &'static str, value: f64) -> Result<f64, StatementError> {
    if value.is_finite() { Ok(value) } else { Err(StatementError::NotFinite { what, value }) }
}

pub(crate) fn width(what: &'static str, value: f64) -> Result<f64, StatementError> {
    match finite(what, value)? {
        value if value < 0.0 => Err(StatementError::Negative { what, value }),
        value => Ok(value.abs()),
    }
}

pub(crate) fn coverage_factor(k: f64) -> Result<f64, StatementError> {
    if k > 0.0 { finite("the coverage factor", k) } else { Err(StatementError::CoverageFactor { value: k }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_gives_its_standard_uncertainty() {
        let check = |statement: Statement, value: f64, expected: f64| {
            let u = statement.standard_uncertainty(value).unwrap();
            assert!(
                (u - expected).abs() <= 1e-15 * expected,
                "{statement:?} of {value}: {u}, not {expected}"
            );
        };
        let half_width = |dist| Statement::HalfWidth { a: 6.0, dist };
        check(Statement::Standard { u: 0.31 }, 4.08, 0.31);
        check(Statement::Standard { u: -0.0 }, 4.08, 0.0);
        check(Statement::Relative { u_rel: 0.02 }, -50.0, 1.0);
        check(Statement::Relative { u_rel: 0.02 }, 0.0, 0.0);
        check(Statement::Expanded { expanded: 0.05, k: 2.0 }, 0.61, 0.025);
        check(Statement::ExpandedRelative { expanded_rel: 0.004, k: 2.0 }, -0.5, 0.001);
        check(half_width(Distribution::Uniform), 55.0, 3.464_101_615_137_754_6);
        check(half_width(Distribution::Triangular), 55.0, 2.449_489_742_783_178);
        check(half_width(Distribution::Arcsine), 55.0, 4.242_640_687_119_285);
        check(Statement::MpeRelative { mpe: 0.005 }, 1000.0, 2.886_751_345_948_128_7);
    }

    #[test]
    fn secondary_data_by_c1() {
        let check = |value: f64, min: f64, max: f64, expected: f64, outside: bool| {
            let statement = Statement::Secondary { min, max };
            let u = statement.standard_uncertainty(value).unwrap();
            assert!((u - expected).abs() <= 1e-15 * expected, "{value} in {min}..{max}: {u}, not {expected}");
            assert_eq!(statement.is_outside_range(value), outside);
        };
        check(500.0, 80.0, 1600.0, 635.085_296_108_588_3, false);
        check(500.0, 500.0, 500.0, 0.0, false);
        check(1.0, 0.0, 1.0, 0.577_350_269_189_625_8, false);
        check(70.0, 71.5, 96.0, 15.011_106_998_930_27, true);
        check(-2.0, -5.0, -1.0, 1.732_050_807_568_877_2, false);
    }

    #[test]
    fn nonsense_is_refused() {
        let refuse = |statement: Statement, value: f64, message: &str| {
            let error = statement.standard_uncertainty(value).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        };
        refuse(Statement::Standard { u: -0.1 }, 1.0, "u is -0.1:");
        refuse(Statement::Standard { u: f64::NAN }, 1.0, "u is NaN:");
        refuse(Statement::Standard { u: 1.0 }, f64::NAN, "the value is NaN:");
        refuse(Statement::Relative { u_rel: -0.1 }, 1.0, "u_rel is -0.1:");
        refuse(Statement::Relative { u_rel: 1e300 }, 1e300, "the uncertainty is inf:");
        refuse(Statement::Expanded { expanded: -1.0, k: 2.0 }, 1.0, "U is -1:");
        refuse(Statement::Expanded { expanded: 1.0, k: 0.0 }, 1.0, "the coverage factor is 0:");
        refuse(Statement::Expanded { expanded: 1.0, k: f64::NAN }, 1.0, "the coverage factor is NaN:");
        refuse(Statement::ExpandedRelative { expanded_rel: -1.0, k: 2.0 }, 1.0, "U_rel is -1:");
        refuse(Statement::HalfWidth { a: -1.0, dist: Distribution::Uniform }, 1.0, "the half-width is -1:");
        refuse(Statement::MpeRelative { mpe: -1.0 }, 1.0, "the maximum permissible error is -1:");
        refuse(Statement::Secondary { min: f64::NEG_INFINITY, max: 1.0 }, 1.0, "min is -inf:");
    }
}
