//! The share of a product model in what several models consumed (R-A12): by output times the quantity in one
//! product.

use serde::Deserialize;

use crate::sum::sum;

/// What one model made of the shared consumption.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelOutput {
    /// The product model.
    pub model: String,
    /// Products made.
    pub output: f64,
    /// What one product takes by its bill of materials, in a unit common to all models.
    pub bom: f64,
}

/// Why a share cannot be told.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum AllocationError {
    /// The model is not in the list, or more than once.
    #[error(
        "model \"{model}\" is listed {times} times among those that share the amount; list every model once"
    )]
    Model {
        /// The model.
        model: String,
        /// How often it is listed.
        times: usize,
    },
    /// An output or a quantity per product that makes no sense.
    #[error(
        "model \"{model}\" has an output or a bill-of-materials quantity that is negative or no number; \
         correct it"
    )]
    Figure {
        /// The model.
        model: String,
    },
    /// No model made anything of it.
    #[error(
        "no model has taken anything of the shared amount: outputs times quantities add up to 0; state the \
         outputs"
    )]
    Nothing,
}

/// The share of `model`: output x BOM over the sum of all. Shares are exact, and those of all models add up
/// to 1.
///
/// # Errors
/// [`AllocationError`] when the model is not listed exactly once, a figure is negative, or all shares are 0.
pub fn allocated_share(model: &str, models: &[ModelOutput]) -> Result<f64, AllocationError> {
    let is_amount = |figure: f64| figure >= 0.0 && figure.is_finite();
    if let Some(bad) = models.iter().find(|listed| !is_amount(listed.output) || !is_amount(listed.bom)) {
        return Err(AllocationError::Figure { model: bad.model.clone() });
    }
    let own: Vec<&ModelOutput> = models.iter().filter(|listed| listed.model == model).collect();
    let [own] = own[..] else {
        return Err(AllocationError::Model { model: model.to_owned(), times: own.len() });
    };
    let total = sum(models.iter().map(ModelOutput::taken));
    if total > 0.0 { Ok(own.taken() / total) } else { Err(AllocationError::Nothing) }
}

impl ModelOutput {
    fn taken(&self) -> f64 {
        self.output * self.bom
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn models(outputs: &[(&str, f64, f64)]) -> Vec<ModelOutput> {
        let one = |(model, output, bom): &(&str, f64, f64)| ModelOutput {
            model: (*model).to_owned(),
            output: *output,
            bom: *bom,
        };
        outputs.iter().map(one).collect()
    }

    #[test]
    fn shares_go_by_output_and_bill_of_materials() {
        let models = models(&[("A", 100.0, 0.3), ("B", 50.0, 1.2), ("C", 0.0, 9.0)]);
        let share = |model: &str| allocated_share(model, &models).unwrap();
        assert!((share("A") - 1.0 / 3.0).abs() < 1e-15);
        assert!((share("A") + share("B") + share("C") - 1.0).abs() < 1e-15);
        assert_eq!(share("C"), 0.0);
    }

    #[test]
    fn refuses_what_has_no_share() {
        let refuse = |outputs: &[(&str, f64, f64)], expected: AllocationError| {
            assert_eq!(allocated_share("A", &models(outputs)), Err(expected));
        };
        let model = |times| AllocationError::Model { model: "A".into(), times };
        refuse(&[("B", 1.0, 1.0)], model(0));
        refuse(&[("A", 1.0, 1.0), ("A", 2.0, 1.0)], model(2));
        refuse(&[("A", 0.0, 1.0), ("B", 3.0, 0.0)], AllocationError::Nothing);
        refuse(&[("A", 1.0, 1.0), ("B", -3.0, 1.0)], AllocationError::Figure { model: "B".into() });
        refuse(&[("A", f64::NAN, 1.0)], AllocationError::Figure { model: "A".into() });
    }
}
