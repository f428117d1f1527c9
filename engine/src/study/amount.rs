//! Amounts as written, resolved to quantities.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::error::{At, StudyError};
use super::text::{AllocationText, AmountText};
use crate::allocation::allocated_share;
use crate::estimate::Estimate;
use crate::gas::GasVolume;
use crate::quantity::Quantity;
use crate::statement::{Statement, StatementError};
use crate::sum::{root_sum_of_squares, sum};
use crate::unit::Unit;

/// Resolves amounts, and remembers what was noticed on the way.
pub(super) struct Amounts<'a> {
    named: &'a BTreeMap<String, AmountText>,
    inline_names: RefCell<BTreeSet<String>>,
    outside_range: RefCell<BTreeSet<String>>,
}

impl<'a> Amounts<'a> {
    pub(super) fn new(named: &'a BTreeMap<String, AmountText>) -> Self {
        Self { named, inline_names: RefCell::default(), outside_range: RefCell::default() }
    }

    /// Whether `name` names a quantity, or a value resolved so far.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.named.contains_key(name) || self.inline_names.borrow().contains(name)
    }

    /// Places resolved so far whose default lies outside its range.
    pub(super) fn outside_range(&self) -> BTreeSet<String> {
        self.outside_range.borrow().clone()
    }

    pub(super) fn resolve(&self, text: &AmountText, at: &At) -> Result<Quantity, StudyError> {
        self.resolve_within(text, at, &mut Vec::new())
    }

    /// `open` holds the names whose definition is being resolved.
    fn resolve_within(
        &self,
        text: &AmountText,
        at: &At,
        open: &mut Vec<String>,
    ) -> Result<Quantity, StudyError> {
        let quantity = match Form::of(text, at)? {
            Form::Value { value, unit, statement } => self.value(value, unit, statement, at)?,
            Form::Reference(name) => self.reference(name, at, open)?,
            Form::Batches { batches, correlation } => self.batches(batches, correlation, at, open)?,
            Form::Allocation(allocation) => self.allocation(allocation, at, open)?,
            Form::Gas(gas) => {
                let estimate =
                    gas.at_reference().map_err(|source| StudyError::Gas { at: at.clone(), source })?;
                Quantity::new(estimate, Unit::CubicMetre)
            }
        };
        let quantity = quantity.scaled(text.scale.unwrap_or(1.0));
        let quantity = quantity.per_units(text.per_units.unwrap_or(1.0));
        let quantity = quantity.map_err(|source| StudyError::PerUnits { at: at.clone(), source })?;
        let Some(id) = text.id.as_ref() else { return Ok(quantity) };
        self.inline_names.borrow_mut().insert(id.clone());
        Ok(quantity.named(id))
    }

    fn value(&self, value: f64, unit: &str, statement: &Statement, at: &At) -> Result<Quantity, StudyError> {
        let unit = unit.parse().map_err(|source| StudyError::Unit { at: at.clone(), source })?;
        let estimate =
            Estimate::stated(value, statement).map_err(|source| StudyError::statement(at, source))?;
        if statement.is_outside_range(value) {
            self.outside_range.borrow_mut().insert(at.to_string());
        }
        Ok(Quantity::new(estimate, unit))
    }

    fn reference(&self, name: &str, at: &At, open: &mut Vec<String>) -> Result<Quantity, StudyError> {
        let leads_nowhere = || StudyError::Reference { at: at.clone(), name: name.to_owned() };
        if open.iter().any(|outer| outer == name) {
            return Err(leads_nowhere());
        }
        let text = self.named.get(name).ok_or_else(leads_nowhere)?;
        open.push(name.to_owned());
        let quantity = self.resolve_within(text, &At::new(&["quantities", name]), open)?;
        open.pop();
        Ok(if quantity.name().is_none() { quantity.named(name) } else { quantity })
    }

    /// The sum of batches, in the unit of the first: u2 = (1 - r) sum of u2 + r (sum of u)2, which is the
    /// root sum of squares for r = 0 and the linear sum for r = 1.
    fn batches(
        &self,
        batches: &[AmountText],
        r: f64,
        at: &At,
        open: &mut Vec<String>,
    ) -> Result<Quantity, StudyError> {
        let batches: Vec<Quantity> = batches
            .iter()
            .enumerate()
            .map(|(index, batch)| self.resolve_within(batch, &at.inner(&format!("batches[{index}]")), open))
            .collect::<Result<_, _>>()?;
        let wrong = |problem| StudyError::Form { at: at.clone(), problem };
        if batches.iter().any(|batch| batch.name().is_some()) {
            return Err(wrong("a batch is a measurement of its own: name the sum, not a batch"));
        }
        let unit = batches.first().map(Quantity::unit).ok_or_else(|| wrong("\"batches\" is empty"))?;
        let in_unit = |figure: fn(&Estimate) -> f64| -> Result<Vec<f64>, StudyError> {
            let convert =
                |batch: &Quantity| batch.unit().convert(batch.per_product(figure(batch.estimate())), unit);
            let converted: Result<_, _> = batches.iter().map(convert).collect();
            converted.map_err(|source| StudyError::Unit { at: at.clone(), source })
        };
        let (values, us) = (in_unit(Estimate::value)?, in_unit(Estimate::standard_uncertainty)?);
        let linear = sum(us.iter().map(|u| u.abs()));
        let u = root_sum_of_squares([(1.0 - r).sqrt() * root_sum_of_squares(us), r.sqrt() * linear]);
        let estimate = Estimate::stated(sum(values), &Statement::Standard { u });
        Ok(Quantity::new(estimate.map_err(|source| StudyError::statement(at, source))?, unit))
    }

    fn allocation(
        &self,
        allocation: &AllocationText,
        at: &At,
        open: &mut Vec<String>,
    ) -> Result<Quantity, StudyError> {
        let share = allocated_share(&allocation.model, &allocation.models);
        let share = share.map_err(|source| StudyError::Allocation { at: at.clone(), source })?;
        Ok(self.resolve_within(&allocation.total, &at.inner("total"), open)?.scaled(share))
    }
}

/// An amount in exactly one of its forms.
enum Form<'a> {
    Value { value: f64, unit: &'a str, statement: &'a Statement },
    Reference(&'a str),
    Batches { batches: &'a [AmountText], correlation: f64 },
    Allocation(&'a AllocationText),
    Gas(&'a GasVolume),
}

impl<'a> Form<'a> {
    fn of(text: &'a AmountText, at: &At) -> Result<Self, StudyError> {
        let wrong = |problem| StudyError::Form { at: at.clone(), problem };
        let is_value = text.value.is_some();
        if !is_value && (text.unit.is_some() || text.unc.is_some()) {
            return Err(wrong("\"unit\" and \"unc\" belong to a \"value\""));
        }
        if text.batches.is_none() && text.batch_correlation.is_some() {
            return Err(wrong("\"batch_correlation\" belongs to \"batches\""));
        }
        if let Some(scale) = text.scale.filter(|scale| !scale.is_finite()) {
            return Err(StudyError::statement(at, StatementError::NotFinite { what: "scale", value: scale }));
        }
        match (text.value, &text.reference, &text.batches, &text.allocate, &text.gas) {
            (Some(value), None, None, None, None) => {
                let unit = text.unit.as_deref().ok_or_else(|| wrong("\"unit\" is missing"))?;
                let statement =
                    text.unc.as_ref().ok_or_else(|| StudyError::NoUncertainty { at: at.clone() })?;
                Ok(Self::Value { value, unit, statement })
            }
            (None, Some(name), None, None, None) if text.id.is_none() => Ok(Self::Reference(name)),
            (None, Some(_), None, None, None) => {
                Err(wrong("a \"ref\" has a name already and takes no \"id\""))
            }
            (None, None, Some(batches), None, None) => {
                let correlation = text.batch_correlation.unwrap_or(0.0);
                let in_range = (0.0..=1.0).contains(&correlation);
                in_range
                    .then_some(Self::Batches { batches, correlation })
                    .ok_or_else(|| wrong("\"batch_correlation\" lies between 0 and 1"))
            }
            (None, None, None, Some(allocation), None) => Ok(Self::Allocation(allocation)),
            (None, None, None, None, Some(gas)) => Ok(Self::Gas(gas)),
            (None, None, None, None, None) => Err(wrong("none of them is given")),
            _ => Err(wrong("several of them are given")),
        }
    }
}
