//! An estimate in a unit, for one product.

use serde::Serialize;

use crate::estimate::Estimate;
use crate::unit::Unit;

/// An amount in a unit, for one product: what was measured for many meters, divided by how many it covers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Quantity {
    estimate: Estimate,
    unit: Unit,
    share: f64,
    per_units: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

/// Why a quantity is refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum QuantityError {
    /// A number of products that nothing can be divided by.
    #[error(
        "the amount is said to cover {value} products: it must be divided among at least one; state the good \
         output that it was measured for"
    )]
    PerUnits {
        /// The number.
        value: f64,
    },
}

impl Quantity {
    /// The whole of `estimate`, for one product.
    #[must_use]
    pub const fn new(estimate: Estimate, unit: Unit) -> Self {
        Self { estimate, unit, share: 1.0, per_units: 1.0, name: None }
    }

    /// The amount covers `count` products; the count is exact.
    ///
    /// # Errors
    /// [`QuantityError::PerUnits`] unless the count is finite and above 0: nothing good made, no footprint
    /// per product.
    pub fn per_units(mut self, count: f64) -> Result<Self, QuantityError> {
        if !(count > 0.0 && count.is_finite()) {
            return Err(QuantityError::PerUnits { value: count });
        }
        self.per_units *= count;
        Ok(self)
    }

    /// Only the exact share `by` of the amount belongs to the product. Below 0 for a credit.
    #[must_use]
    pub fn scaled(mut self, by: f64) -> Self {
        self.share *= by;
        self
    }

    /// Names the amount: wherever a quantity of this name is used, the same measurement is meant, and its
    /// error is the same. An unnamed amount is a measurement of its own.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The amount as measured, in its unit.
    #[must_use]
    pub const fn estimate(&self) -> &Estimate {
        &self.estimate
    }

    /// The unit of the amount.
    #[must_use]
    pub const fn unit(&self) -> Unit {
        self.unit
    }

    /// The name, if the amount is used in several places.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// What of `amount`, a part of the whole, falls to one product.
    pub(crate) fn per_product(&self, amount: f64) -> f64 {
        amount * self.share / self.per_units
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn falls_to_one_product() {
        let quantity = Quantity::new(Estimate::exact(620.0).unwrap(), Unit::Kilogram).scaled(0.5).scaled(0.5);
        assert_eq!(quantity.per_product(620.0), 155.0);
        assert_eq!(quantity.per_units(1000.0).unwrap().per_product(620.0), 0.155);
    }

    #[test]
    fn nothing_is_divided_among_nobody() {
        let quantity = Quantity::new(Estimate::exact(620.0).unwrap(), Unit::Kilogram);
        for count in [0.0, -0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(matches!(quantity.clone().per_units(count), Err(QuantityError::PerUnits { .. })));
        }
    }
}
