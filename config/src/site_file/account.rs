//! `[[section]]`, `[[model]]` and `[[factor]]`.

use weighbridge_protocol::Decimal;

use super::measure::read_source;
use super::read_identifier;
use crate::quantity::{self, Misread};
use crate::raw::{Reported, Table, Value};
use crate::site::{Factor, Model, Section};
use crate::unit::Unit;

pub(super) const SECTION_KEYS: &[&str] = &["name", "title"];
pub(super) const MODEL_KEYS: &[&str] = &["name", "specification"];
pub(super) const FACTOR_KEYS: &[&str] = &["name", "carrier", "source", "value", "uncertainty", "origin"];

pub(super) fn read_section(table: &Table<'_>) -> Result<Section, Reported> {
    let name = table.required("name", read_identifier);
    let title = table.optional("title", Value::title);
    Ok(Section { name: name?, title: title? })
}

pub(super) fn read_model(table: &Table<'_>) -> Result<Model, Reported> {
    let name = table.required("name", Value::title);
    let specification = table.optional("specification", Value::title);
    Ok(Model { name: name?, specification: specification? })
}

pub(super) fn read_factor(table: &Table<'_>) -> Result<Factor, Reported> {
    let name = table.required("name", Value::title);
    let carrier = table.required("carrier", read_identifier);
    let source = match (&carrier, table.get("source")) {
        (Ok(carrier), Some(_)) => read_source(table, carrier),
        _ => Ok(None),
    };
    let value = table.required("value", read_factor_value);
    let uncertainty = table.required("uncertainty", Value::fraction);
    let origin = table.required("origin", Value::title);
    let (value, per) = value?;
    Ok(Factor {
        name: name?,
        carrier: carrier?,
        source: source?,
        value,
        per,
        relative_standard_uncertainty: uncertainty?,
        origin: origin?,
    })
}

fn read_factor_value(value: &Value<'_>) -> Result<(Decimal, Unit), Reported> {
    let text = value.text()?;
    let misread = |misread: Misread| value.misread(text, misread, "a factor such as \"0.6205 kgCO2e/kWh\"");
    let (factor, per) = quantity::emission_factor(text).map_err(misread)?;
    if factor.mantissa() < 0 { Err(value.out_of_range(text, 0, "any")) } else { Ok((factor, per)) }
}
