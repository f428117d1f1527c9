//! Units, and conversion between those of one dimension.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// A unit of an amount. Mass and distance multiply to transport work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unit {
    /// g
    Gram,
    /// kg
    Kilogram,
    /// t
    Tonne,
    /// Wh
    WattHour,
    /// kWh
    KilowattHour,
    /// MWh
    MegawattHour,
    /// MJ
    Megajoule,
    /// GJ
    Gigajoule,
    /// m3; for gas at the reference state of its factor
    CubicMetre,
    /// L
    Litre,
    /// m
    Metre,
    /// km
    Kilometre,
    /// piece
    Piece,
    /// kg*km
    KilogramKilometre,
    /// t*km
    TonneKilometre,
    /// gCO2e
    GramCo2e,
    /// kgCO2e
    KilogramCo2e,
    /// tCO2e
    TonneCo2e,
}

/// What a unit measures. Amounts are converted only within one dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// Mass of a material or fuel.
    Mass,
    /// Energy.
    Energy,
    /// Volume.
    Volume,
    /// Distance.
    Distance,
    /// A number of pieces.
    Count,
    /// Mass times distance.
    Transport,
    /// Mass of greenhouse gas in CO2 equivalents; not convertible to the mass of a material.
    Emission,
}

/// Why a unit or a conversion is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// The text names no unit.
    #[error("\"{text}\" is no unit: known are {known}; write one of them", known = Unit::all())]
    Unknown {
        /// The text as given.
        text: String,
    },
    /// The text is no unit of an emission factor.
    #[error(
        "\"{text}\" is no unit of a factor: it must be an emission per amount; write it like kgCO2e/kWh or \
         kgCO2e/(t*km)"
    )]
    NotAFactor {
        /// The text as given.
        text: String,
    },
    /// The units measure different things.
    #[error(
        "{from} cannot be converted to {to}: one is {}, the other {}; state both in one dimension",
        from.dimension(),
        to.dimension()
    )]
    Mismatch {
        /// The unit that the amount has.
        from: Unit,
        /// The unit that is wanted.
        to: Unit,
    },
}

/// Every unit, its symbol, its dimension and its size in the smallest unit of the dimension (g, J, L, m,
/// piece, g*m, gCO2e), all of which are whole numbers.
const UNITS: [(Unit, &str, Dimension, u64); 18] = [
    (Unit::Gram, "g", Dimension::Mass, 1),
    (Unit::Kilogram, "kg", Dimension::Mass, 1_000),
    (Unit::Tonne, "t", Dimension::Mass, 1_000_000),
    (Unit::WattHour, "Wh", Dimension::Energy, 3_600),
    (Unit::KilowattHour, "kWh", Dimension::Energy, 3_600_000),
    (Unit::MegawattHour, "MWh", Dimension::Energy, 3_600_000_000),
    (Unit::Megajoule, "MJ", Dimension::Energy, 1_000_000),
    (Unit::Gigajoule, "GJ", Dimension::Energy, 1_000_000_000),
    (Unit::CubicMetre, "m3", Dimension::Volume, 1_000),
    (Unit::Litre, "L", Dimension::Volume, 1),
    (Unit::Metre, "m", Dimension::Distance, 1),
    (Unit::Kilometre, "km", Dimension::Distance, 1_000),
    (Unit::Piece, "piece", Dimension::Count, 1),
    (Unit::KilogramKilometre, "kg*km", Dimension::Transport, 1_000_000),
    (Unit::TonneKilometre, "t*km", Dimension::Transport, 1_000_000_000),
    (Unit::GramCo2e, "gCO2e", Dimension::Emission, 1),
    (Unit::KilogramCo2e, "kgCO2e", Dimension::Emission, 1_000),
    (Unit::TonneCo2e, "tCO2e", Dimension::Emission, 1_000_000),
];

impl Unit {
    /// The symbol: `"kWh"`, `"t*km"`.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        self.definition().1
    }

    /// What the unit measures.
    #[must_use]
    pub const fn dimension(self) -> Dimension {
        self.definition().2
    }

    /// `value`, given in this unit, in the unit `to`. Multiplies and divides by whole numbers, so that a
    /// result which `f64` can hold comes out exactly: 3.6 MJ are 1 kWh.
    ///
    /// # Errors
    /// [`UnitError::Mismatch`] when the units measure different things.
    pub fn convert(self, value: f64, to: Self) -> Result<f64, UnitError> {
        if self.dimension() != to.dimension() {
            return Err(UnitError::Mismatch { from: self, to });
        }
        Ok(Ratio::new(self.size(), to.size()).of(value))
    }

    /// The size in the smallest unit of the dimension.
    pub(crate) const fn size(self) -> u128 {
        self.definition().3 as u128
    }

    const fn definition(self) -> (Self, &'static str, Dimension, u64) {
        UNITS[self as usize]
    }

    fn all() -> String {
        UNITS.map(|(_, symbol, ..)| symbol).join(", ")
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.symbol())
    }
}

impl FromStr for Unit {
    type Err = UnitError;

    /// Reads the symbol; a raised dot and a raised 3 are understood as well.
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let plain = text.trim().replace(['·', '⋅'], "*").replace('³', "3");
        let found = UNITS.iter().find(|(_, symbol, ..)| *symbol == plain);
        found.map(|(unit, ..)| *unit).ok_or_else(|| UnitError::Unknown { text: text.to_owned() })
    }
}

impl Serialize for Unit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.symbol())
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mass => "a mass",
            Self::Energy => "an energy",
            Self::Volume => "a volume",
            Self::Distance => "a distance",
            Self::Count => "a number of pieces",
            Self::Transport => "a mass times a distance",
            Self::Emission => "an emission",
        })
    }
}

/// A quotient of two whole numbers in lowest terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ratio {
    numerator: u128,
    denominator: u128,
}

impl Ratio {
    /// `numerator / denominator`; the denominator is a unit's size and never 0.
    pub(crate) fn new(numerator: u128, denominator: u128) -> Self {
        let divisor = greatest_common_divisor(numerator, denominator).max(1);
        Self { numerator: numerator / divisor, denominator: denominator / divisor }
    }

    /// The ratio times `value`: one rounding where the ratio or its inverse is whole, two otherwise.
    pub(crate) fn of(self, value: f64) -> f64 {
        value * self.numerator as f64 / self.denominator as f64
    }
}

fn greatest_common_divisor(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::select;

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for (index, (unit, symbol, ..)) in UNITS.iter().enumerate() {
            assert_eq!(*unit as usize, index);
            assert_eq!(symbol.parse(), Ok(*unit));
        }
    }

    #[test]
    fn conversion_is_exact_where_it_can_be() {
        let check = |value: f64, from: &str, to: &str, expected: f64| {
            let converted = from.parse::<Unit>().unwrap().convert(value, to.parse().unwrap());
            assert_eq!(converted, Ok(expected), "{value} {from} in {to}");
        };
        check(3.6, "MJ", "kWh", 1.0);
        check(1.0, "kWh", "MJ", 3.6);
        check(1.0, "GJ", "MJ", 1000.0);
        check(325.0, "g", "kg", 0.325);
        check(0.1, "t", "kg", 100.0);
        check(2.5, "m3", "L", 2500.0);
        check(120_000.0, "m", "km", 120.0);
        check(129.0, "kg*km", "t*km", 0.129);
        check(11.0, "gCO2e", "tCO2e", 0.000_011);
        check(123_456.789, "kWh", "kWh", 123_456.789);
    }

    #[test]
    fn different_dimensions_are_refused() {
        let refused = Unit::KilowattHour.convert(1.0, Unit::Kilogram);
        assert_eq!(refused, Err(UnitError::Mismatch { from: Unit::KilowattHour, to: Unit::Kilogram }));
        assert!(Unit::Kilogram.convert(1.0, Unit::KilogramCo2e).is_err());
        let message = refused.unwrap_err().to_string();
        assert_eq!(
            message,
            "kWh cannot be converted to kg: one is an energy, the other a mass; state both in one dimension"
        );
    }

    proptest! {
        #[test]
        fn there_and_back(
            value in -1e12..1e12_f64, from in select(UNITS.to_vec()), to in select(UNITS.to_vec())
        ) {
            if let Ok(there) = from.0.convert(value, to.0) {
                let back = to.0.convert(there, from.0).unwrap();
                prop_assert!((back - value).abs() <= 1e-15 * value.abs());
            } else {
                prop_assert_ne!(from.2, to.2);
            }
        }
    }
}
