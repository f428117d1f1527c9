//! Units that channels carry.

use std::fmt;
use std::str::FromStr;

macro_rules! units {
    ($($name:ident $symbol:literal $quantity:literal)*) => {
        /// A unit of measurement, written as in the site file and on the page.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Unit {
            $(#[doc = concat!("`", $symbol, "`: ", $quantity)] $name,)*
        }

        impl Unit {
            /// Every unit.
            pub const ALL: &'static [Unit] = &[$(Unit::$name),*];

            /// The unit as it is written: `"kWh"`, `"m3/h"`, `"1"` for none.
            pub const fn symbol(self) -> &'static str {
                match self { $(Unit::$name => $symbol),* }
            }
        }
    };
}

units! {
    One "1" "no unit: a power factor, a status word"
    KilowattHour "kWh" "active energy"
    KilovarHour "kvarh" "reactive energy"
    Kilowatt "kW" "active power"
    Watt "W" "active power"
    Kilovar "kvar" "reactive power"
    Volt "V" "voltage"
    Ampere "A" "current"
    Hertz "Hz" "frequency"
    CubicMetre "m3" "volume"
    CubicMetrePerHour "m3/h" "volume flow"
    Kilogram "kg" "mass"
    KilogramPerHour "kg/h" "mass flow"
    KilogramPerSecond "kg/s" "mass flow"
    KilogramPerCubicMetre "kg/m3" "density"
    DegreeCelsius "degC" "temperature"
    Percent "%" "hundredth"
}

impl Unit {
    /// The unit in which an amount of this unit passes per hour: kW for kWh, kg/h for kg. `None` for what is
    /// no amount.
    pub const fn per_hour(self) -> Option<Unit> {
        match self {
            Unit::KilowattHour => Some(Unit::Kilowatt),
            Unit::KilovarHour => Some(Unit::Kilovar),
            Unit::CubicMetre => Some(Unit::CubicMetrePerHour),
            Unit::Kilogram => Some(Unit::KilogramPerHour),
            _ => None,
        }
    }
}

/// The text is the symbol of no [`Unit`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown unit `{0}`: no channel can carry it; write one such as kWh, kW, m3, kg or 1")]
pub struct UnknownUnit(pub String);

impl FromStr for Unit {
    type Err = UnknownUnit;

    fn from_str(symbol: &str) -> Result<Self, Self::Err> {
        let found = Unit::ALL.iter().find(|unit| unit.symbol() == symbol);
        found.copied().ok_or_else(|| UnknownUnit(symbol.to_owned()))
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.symbol())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_symbol_reads_back() {
        for unit in Unit::ALL {
            assert_eq!(unit.to_string().parse(), Ok(*unit));
        }
        assert!("kwh".parse::<Unit>().is_err());
    }
}
