//! Product carbon footprint with measurement uncertainty, as pure arithmetic on quantities.
//!
//! Nothing here reads a file, a clock or a socket, and nothing logs: amounts, factors and their uncertainties
//! come in, numbers come out, and the same input gives the same output. The formulas are those of the JJF
//! draft on the carbon footprint of electricity meters, numbered (1) to (18) and C.1 as there; uncertainties
//! follow the GUM (JCGM 100).
//!
//! Sum the amounts, divide them by the meters made, name a factor:
//!
//! ```
//! use weighbridge_engine::{Estimate, Factor, Factors, Quantity, Statement, Term, Unit, production};
//!
//! // Two batches of one meter, kWh: value, independent u, and u by the class of the instrument.
//! let first = Estimate::measured(812.4, 0.02, [("meter-07", 2.35)])?;
//! let second = Estimate::measured(640.0, 0.02, [("meter-07", 1.85)])?;
//! let electricity = Quantity::new(Estimate::sum([&first, &second]), Unit::KilowattHour).per_units(1200.0)?;
//!
//! let grid = Factor::new(0.5703, "kgCO2e/kWh".parse()?, &Statement::Relative { u_rel: 0.02 })?;
//! let factors = Factors::from([("grid".to_owned(), grid)]);
//!
//! let footprint = production(vec![Term::item("smt.electricity", electricity, "grid")], factors)?;
//! let report = footprint.report_document.expect("the uncertainty is not zero");
//! assert_eq!((report.value.as_str(), report.expanded.as_str()), ("0.690", "0.028"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::float_cmp))]

/// The share of a product model in what several models consumed.
mod allocation;
/// A value with its uncertainty, the shares of instruments kept apart.
mod estimate;
/// Units of emission factors.
mod factor_unit;
/// The footprint: stages, terms, factors; formulas (1) to (18).
pub mod footprint;
/// Gas volumes at a reference state.
mod gas;
/// An estimate in a unit, for one product.
mod quantity;
/// Numbers as a report prints them.
mod round;
/// What a certificate, a class or a table says about the uncertainty of a value.
mod statement;
/// A whole study, as its JSON file states it.
pub mod study;
/// Sums whose result does not depend on the order of their terms.
mod sum;
/// Units, and conversion between those of one dimension.
mod unit;

pub use allocation::{AllocationError, ModelOutput, allocated_share};
pub use estimate::Estimate;
pub use factor_unit::FactorUnit;
pub use footprint::{Factor, Factors, Footprint, FootprintError, Inventory, Stage, Term, production};
pub use gas::{GasError, GasVolume};
pub use quantity::{Quantity, QuantityError};
pub use round::{Reported, report};
pub use statement::{Distribution, Statement, StatementError};
pub use study::{Study, StudyError};
pub use sum::{Sum, root_sum_of_squares, sum};
pub use unit::{Dimension, Unit, UnitError};
