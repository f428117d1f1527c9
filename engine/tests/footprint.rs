//! Footprints from Rust: what is refused, what is warned of, and the limits of the exact answer.
#![allow(clippy::unwrap_used, clippy::float_cmp)]

use weighbridge_engine::footprint::{Correlation, InputKind, Warning};
use weighbridge_engine::{
    Estimate, Factor, Factors, FootprintError, Inventory, Quantity, Stage, Statement, Term, Unit, production,
};

fn factors() -> Factors {
    let factor =
        |value, unit: &str, u| Factor::new(value, unit.parse().unwrap(), &Statement::Standard { u }).unwrap();
    Factors::from([
        ("grid".to_owned(), factor(0.5703, "kgCO2e/kWh", 0.0114)),
        ("road".to_owned(), factor(0.129, "kgCO2e/(t*km)", 0.0098)),
        ("copper".to_owned(), factor(4.08, "kgCO2e/kg", 0.31)),
    ])
}

fn measured(value: f64, class: f64, unit: Unit) -> Quantity {
    Quantity::new(Estimate::measured(value, 0.0, [("instrument", class)]).unwrap(), unit)
}

fn refused(terms: Vec<Term>) -> FootprintError {
    production(terms, factors()).unwrap_err()
}

#[test]
fn names_what_it_refuses() {
    let check = |term: Term, message: &str| assert_eq!(refused(vec![term]).to_string(), message);
    check(
        Term::item("a", measured(1.0, 0.1, Unit::KilowattHour), "coal"),
        "production.a uses the factor \"coal\", which is not defined; define it or correct the name",
    );
    check(
        Term::item("a", measured(1.0, 0.1, Unit::Kilogram), "grid"),
        "production.a is given in kg, but its factor \"grid\" in kgCO2e/kWh; \
         give both for the same kind of amount",
    );
    check(
        Term::leg_distance(
            "a",
            measured(1.0, 0.1, Unit::Kilogram),
            measured(1.0, 0.1, Unit::Kilometre),
            "copper",
        ),
        "production.transport.a is given in kg * km, but its factor \"copper\" in kgCO2e/kg; \
         give both for the same kind of amount",
    );
    check(
        Term::item("a", measured(f64::MAX, 0.1, Unit::MegawattHour), "grid"),
        "production.a is too large for a number; check the amounts and the factors for a slipped unit",
    );
}

#[test]
fn one_name_is_one_measurement() {
    let named = |id: &str, value, unit| Term::item(id, measured(value, 0.1, unit).named("m_cu"), "copper");
    for (value, unit) in [(2.0, Unit::Kilogram), (1.0, Unit::Tonne)] {
        let error = refused(vec![named("a", 1.0, Unit::Kilogram), named("b", value, unit)]);
        assert_eq!(error, FootprintError::NameConflict { term: "production.b".into(), name: "m_cu".into() });
    }
    let same = [named("a", 1.0, Unit::Kilogram), named("b", 1.0, Unit::Kilogram)];
    assert!(production(same, factors()).is_ok());
}

#[test]
fn impossible_correlations_are_refused() {
    let check = |correlations: &[(&str, &str, f64)], message: &str| {
        let term = |id: &str, unit, factor: &str| Term::item(id, measured(1.0, 0.1, unit), factor);
        let terms = [term("a", Unit::KilowattHour, "grid"), term("b", Unit::Kilogram, "copper")];
        let mut inventory = Inventory::new(factors()).stage(Stage::Production, terms);
        let correlation = |(one, other, r): &(&str, &str, f64)| Correlation {
            one: (*one).into(),
            other: (*other).into(),
            r: *r,
        };
        inventory.correlations = correlations.iter().map(correlation).collect();
        let error = inventory.footprint().unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    };
    check(&[("grid", "copper", 1.5)], "r of grid and copper is 1.5:");
    check(&[("grid", "copper", f64::NAN)], "r of grid and copper is NaN:");
    check(&[("grid", "copper", 0.5), ("copper", "grid", 0.4)], "r of copper and grid contradicts");
    check(&[("grid", "grid", 0.5)], "r of grid and grid contradicts");
    check(
        &[("grid", "copper", 1.0), ("copper", "instrument", 1.0)],
        "no quantities can have these correlations",
    );
}

#[test]
fn coverage_factors_are_checked() {
    let mut inventory = Inventory::new(factors());
    for k in [0.0, -2.0, f64::NAN, f64::INFINITY] {
        inventory.coverage_factor = k;
        assert!(matches!(inventory.footprint(), Err(FootprintError::CoverageFactor(_))), "{k}");
    }
}

#[test]
fn production_alone_is_a_partial_footprint() {
    let footprint = production([], factors()).unwrap();
    assert_eq!(footprint.missing_stages, [Stage::Raw, Stage::Distribution, Stage::Use, Stage::EndOfLife]);
    assert_eq!(footprint.total.document.expanded_rel_pct, None);
    assert_eq!(footprint.stages.keys().collect::<Vec<_>>(), [&Stage::Production]);
}

#[test]
fn the_instrument_stands_in_the_budget() {
    let meter = |id: &str| Term::item(id, measured(100.0, 0.5, Unit::KilowattHour), "grid");
    let footprint = production([meter("smt"), meter("dip")], factors()).unwrap();
    let instrument =
        footprint.budget_correlated.iter().find(|entry| entry.kind == InputKind::Instrument).unwrap();
    assert_eq!((instrument.input.as_str(), instrument.sensitivity, instrument.u), ("instrument", None, None));
    assert!((instrument.component - 2.0 * 0.5 * 0.5703).abs() < 1e-15);
    assert_eq!(footprint.budget_rows, []);
}

/// Rows of one name are still measurements of their own.
#[test]
fn the_same_row_name_twice_is_not_the_same_error() {
    let quantity =
        |u| Quantity::new(Estimate::stated(100.0, &Statement::Standard { u }).unwrap(), Unit::Kilogram);
    let mut factors = factors();
    factors.insert(
        "exact".into(),
        Factor::new(1.0, "kgCO2e/kg".parse().unwrap(), &Statement::Standard { u: 0.0 }).unwrap(),
    );
    let rows = [Term::item("a", quantity(3.0), "exact"), Term::item("a", quantity(4.0), "exact")];
    let footprint = production(rows, factors).unwrap();
    assert_eq!((footprint.total.document.u, footprint.total.correlated.u), (5.0, 5.0));
    assert_eq!(footprint.budget_rows.iter().map(|row| row.component).collect::<Vec<_>>(), [3.0, 4.0]);
}

/// Mass and distance out of one instrument: the square of its error enters, of which two moments know
/// nothing.
#[test]
fn an_input_twice_in_one_term_has_no_exact_answer() {
    let leg = Term::leg_distance(
        "a",
        measured(1.0, 0.1, Unit::Tonne),
        measured(10.0, 1.0, Unit::Kilometre),
        "road",
    );
    let footprint = production([leg], factors()).unwrap();
    assert_eq!(footprint.total.correlated_exact, None);
    let (u_amounts, u_factor) = ((0.1 * 10.0 + 1.0 * 1.0) * 0.129, 10.0 * 0.0098);
    let first_order = f64::hypot(u_amounts, u_factor);
    assert!((footprint.total.correlated.u - first_order).abs() < 1e-15);
    assert!(footprint.total.document.u < first_order);
}

#[test]
fn warns_of_what_a_reader_should_know() {
    let item = |id: &str, value| {
        Term::item(id, Quantity::new(Estimate::exact(value).unwrap(), Unit::KilowattHour), "grid")
    };
    let warnings = |terms: Vec<Term>| production(terms, factors()).unwrap().warnings;
    assert_eq!(warnings(vec![item("a", 10.0)]), []);
    assert!(matches!(warnings(vec![item("a", 10.0), item("b", 10.0)])[..], [Warning::Correlation { .. }]));
    let [Warning::Correlation { .. }, Warning::Credit { term: credit }, Warning::Duplicate { term: twice }] =
        &warnings(vec![item("a", 10.0), item("b", -9.0), item("a", 10.0)])[..]
    else {
        panic!("expected three warnings");
    };
    assert_eq!((credit.as_str(), twice.as_str()), ("production.b", "production.a"));
}

#[test]
fn a_total_that_cancels_is_zero() {
    let item = |id: &str, value| {
        Term::item(id, Quantity::new(Estimate::exact(value).unwrap(), Unit::KilowattHour), "grid")
    };
    let total = production([item("a", 0.3), item("b", -0.1), item("c", -0.2)], factors()).unwrap().total;
    assert_eq!(
        (total.emission_kgco2e, total.correlated.u, total.correlated.expanded_rel_pct),
        (0.0, 0.0, None)
    );
    assert!(total.document.u > 0.0);
}

#[test]
fn exactly_one_percent_is_not_negligible() {
    let item = |id: &str, value| {
        Term::item(id, Quantity::new(Estimate::exact(value).unwrap(), Unit::KilowattHour), "grid")
    };
    let ok = |kept: f64, dropped: &[f64]| {
        let dropped = dropped.iter().enumerate().map(|(id, value)| item(&id.to_string(), *value).cut_off());
        let footprint = production(dropped.chain([item("kept", kept)]), factors()).unwrap();
        let cut_off = footprint.cut_off.unwrap();
        (cut_off.ok, cut_off.sum_ok)
    };
    assert_eq!(ok(99.0, &[1.0]), (false, true));
    assert_eq!(ok(9.9, &[0.1]), (false, true));
    assert_eq!(ok(99.1, &[0.9]), (true, true));
    assert_eq!(ok(95.0, &[0.9, 0.9, 0.9, 0.9, 0.9, 0.5]), (true, true));
    assert_eq!(ok(94.9, &[0.9, 0.9, 0.9, 0.9, 0.9, 0.6]), (false, false));
    assert_eq!(ok(101.0, &[-0.5]), (true, true));
    assert_eq!(ok(0.0, &[0.0]), (false, false));
}
