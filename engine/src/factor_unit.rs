//! Units of emission factors.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::unit::{Dimension, Unit, UnitError};

/// The unit of an emission factor: an emission per amount, written `kgCO2e/kWh` or `kgCO2e/(t*km)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FactorUnit {
    emission: Unit,
    per: Unit,
}

impl FactorUnit {
    /// `emission` per `per`.
    ///
    /// # Errors
    /// [`UnitError::NotAFactor`] unless `emission` is an emission and `per` is none.
    pub fn new(emission: Unit, per: Unit) -> Result<Self, UnitError> {
        let is_emission = |unit: Unit| unit.dimension() == Dimension::Emission;
        if is_emission(emission) && !is_emission(per) {
            return Ok(Self { emission, per });
        }
        Err(UnitError::NotAFactor { text: format!("{emission}/{per}") })
    }

    /// The unit of the emission.
    #[must_use]
    pub const fn emission(self) -> Unit {
        self.emission
    }

    /// The unit of the amount that the emission belongs to.
    #[must_use]
    pub const fn per(self) -> Unit {
        self.per
    }
}

impl fmt::Display for FactorUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.per.dimension() {
            Dimension::Transport => write!(f, "{}/({})", self.emission, self.per),
            _ => write!(f, "{}/{}", self.emission, self.per),
        }
    }
}

impl FromStr for FactorUnit {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let parts = text.split_once('/').and_then(|(emission, per)| {
            let per = per.trim();
            let per = per.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')).unwrap_or(per);
            Some((emission.parse().ok()?, per.parse().ok()?))
        });
        let not_a_factor = || UnitError::NotAFactor { text: text.to_owned() };
        let (emission, per) = parts.ok_or_else(not_a_factor)?;
        Self::new(emission, per).map_err(|_| not_a_factor())
    }
}

impl Serialize for FactorUnit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_factors() {
        let check = |text: &str, printed: &str| {
            assert_eq!(text.parse::<FactorUnit>().unwrap().to_string(), printed);
        };
        check("kgCO2e/kWh", "kgCO2e/kWh");
        check("gCO2e/(t*km)", "gCO2e/(t*km)");
        check("kgCO2e/t·km", "kgCO2e/(t*km)");
        check("tCO2e / m³", "tCO2e/m3");
        for text in ["", "kg", "kWh/kg", "kgCO2e", "kgCO2e/", "kgCO2e/kgCO2e", "kgCO2e/kWh/kg", "kgCO2e/(kWh"]
        {
            assert_eq!(text.parse::<FactorUnit>(), Err(UnitError::NotAFactor { text: text.to_owned() }));
        }
    }
}
