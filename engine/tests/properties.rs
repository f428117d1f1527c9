//! What must hold of every footprint, whatever the figures.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use weighbridge_engine::footprint::Correlation;
use weighbridge_engine::{
    Estimate, Factor, Factors, Footprint, Inventory, Quantity, Stage, Statement, Term, Unit,
};

/// Inputs of one term: amount, relative class part, relative independent part, instrument and factor.
#[derive(Clone, Debug)]
struct Row {
    amount: f64,
    class: f64,
    independent: f64,
    instrument: usize,
    factor: usize,
}

const FACTORS: [(f64, f64); 3] = [(0.5703, 0.02), (2.162, 0.3), (0.045, 0.0)];

fn row() -> impl Strategy<Value = Row> {
    let figures = (-1e4..1e4_f64, 0.0..0.3_f64, 0.0..0.3_f64, 0..3_usize, 0..FACTORS.len());
    figures.prop_map(|(amount, class, independent, instrument, factor)| Row {
        amount,
        class,
        independent,
        instrument,
        factor,
    })
}

fn positive_row() -> impl Strategy<Value = Row> {
    row().prop_map(|row| Row { amount: row.amount.abs() + 1.0, ..row })
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec(row(), 1..20)
}

impl Row {
    fn estimate(&self) -> Estimate {
        let part = |relative: f64| relative * self.amount.abs();
        let instrument = [(format!("meter-{}", self.instrument), part(self.class))];
        Estimate::measured(self.amount, part(self.independent), instrument).unwrap()
    }

    fn term(&self, id: usize) -> Term {
        Term::item(id.to_string(), Quantity::new(self.estimate(), Unit::KilowattHour), factor_id(self.factor))
    }
}

fn factor_id(index: usize) -> String {
    format!("factor-{index}")
}

fn factors() -> Factors {
    let unit = "kgCO2e/kWh".parse().unwrap();
    let factor =
        |(value, u_rel): (f64, f64)| Factor::new(value, unit, &Statement::Relative { u_rel }).unwrap();
    FACTORS.into_iter().enumerate().map(|(index, figures)| (factor_id(index), factor(figures))).collect()
}

fn terms(rows: &[Row]) -> Vec<Term> {
    rows.iter().enumerate().map(|(id, row)| row.term(id)).collect()
}

fn footprint(terms: Vec<Term>) -> Footprint {
    weighbridge_engine::production(terms, factors()).unwrap()
}

fn uncertainties(footprint: &Footprint) -> [f64; 4] {
    let total = &footprint.total;
    [total.document.u, total.document_exact.u, total.correlated.u, total.correlated_exact.unwrap().u]
}

fn close(one: f64, other: f64, scale: f64) -> bool {
    (one - other).abs() <= 1e-11 * scale.abs()
}

/// The uncertainty that linear addition of everything would give: the scale of rounding where components
/// cancel.
fn worst(footprint: &Footprint) -> f64 {
    footprint.terms.iter().map(|term| term.u).sum()
}

fn magnitude(footprint: &Footprint) -> f64 {
    footprint.terms.iter().map(|term| term.emission_kgco2e.abs()).sum()
}

proptest! {
    #[test]
    fn scales_with_its_amounts(rows in rows(), by in 1e-3..1e3_f64) {
        let scaled = |row: &Row| Row { amount: row.amount * by, ..row.clone() };
        let scaled: Vec<_> = rows.iter().map(scaled).collect();
        let (one, other) = (footprint(terms(&rows)), footprint(terms(&scaled)));
        prop_assert!(close(one.total.emission_kgco2e * by, other.total.emission_kgco2e, magnitude(&other)));
        for (u, scaled) in uncertainties(&one).into_iter().zip(uncertainties(&other)) {
            prop_assert!(close(u * by, scaled, worst(&other)));
        }
    }

    #[test]
    fn covering_more_products_divides(rows in rows(), count in 1..100_000_u32) {
        let count = f64::from(count);
        let divided = rows.iter().enumerate().map(|(id, row)| {
            let quantity = Quantity::new(row.estimate(), Unit::KilowattHour).per_units(count).unwrap();
            Term::item(id.to_string(), quantity, factor_id(row.factor))
        });
        let (one, other) = (footprint(terms(&rows)), footprint(divided.collect()));
        for (u, divided) in uncertainties(&one).into_iter().zip(uncertainties(&other)) {
            prop_assert!(close(u / count, divided, worst(&other)));
        }
    }

    #[test]
    fn order_does_not_matter(
        (rows, shuffled) in rows().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle()))
    ) {
        let (one, other) = (footprint(terms(&rows)), footprint(terms(&shuffled)));
        prop_assert!(close(one.total.emission_kgco2e, other.total.emission_kgco2e, magnitude(&one)));
        for (u, shuffled) in uncertainties(&one).into_iter().zip(uncertainties(&other)) {
            prop_assert!(close(u, shuffled, worst(&one)));
        }
    }

    /// A row and its two halves are the same physics: with common inputs recognised, the answer is the same.
    #[test]
    fn merging_rows_changes_nothing_when_common_inputs_are_recognised(rows in rows(), again in row()) {
        let twin = Row { factor: rows[0].factor, ..again };
        let split = [&rows[..], std::slice::from_ref(&twin)].concat();
        let merged_amount = Quantity::new(&rows[0].estimate() + &twin.estimate(), Unit::KilowattHour);
        let mut merged = terms(&rows);
        merged[0] = Term::item("merged", merged_amount, factor_id(twin.factor));
        let (one, other) = (footprint(merged), footprint(terms(&split)));
        prop_assert!(close(one.total.emission_kgco2e, other.total.emission_kgco2e, magnitude(&other)));
        let ([.., u, exact], [.., u_split, exact_split]) = (uncertainties(&one), uncertainties(&other));
        prop_assert!(close(u, u_split, worst(&other)));
        prop_assert!(close(exact, exact_split, worst(&other)));
    }

    #[test]
    fn without_uncertainty_there_is_none(amounts in prop::collection::vec(-1e4..1e4_f64, 1..20)) {
        let exact = |(id, amount): (usize, &f64)| {
            let quantity = Quantity::new(Estimate::exact(*amount).unwrap(), Unit::KilowattHour);
            Term::item(id.to_string(), quantity, factor_id(2))
        };
        let footprint = footprint(amounts.iter().enumerate().map(exact).collect());
        prop_assert!(uncertainties(&footprint).into_iter().all(|u| u == 0.0));
        prop_assert_eq!(footprint.report_document, None);
    }

    #[test]
    fn with_nothing_in_common_both_answers_agree(amounts in prop::collection::vec(row(), FACTORS.len())) {
        let apart = |(id, row): (usize, Row)| Row { instrument: id, factor: id, ..row };
        let rows: Vec<_> = amounts.into_iter().enumerate().map(apart).collect();
        let footprint = footprint(terms(&rows));
        let [document, document_exact, correlated, correlated_exact] = uncertainties(&footprint);
        prop_assert!(close(document, correlated, document));
        prop_assert!(close(document_exact, correlated_exact, document_exact));
        let shares: f64 = footprint.terms.iter().filter_map(|term| term.variance_share_pct).sum();
        prop_assert!(close(shares, 100.0, 100.0) || document == 0.0);
    }

    #[test]
    fn what_comes_from_one_instrument_adds_linearly(
        amounts in prop::collection::vec(0.0..1e4_f64, 1..20), class in 0.001..0.1_f64
    ) {
        let metered = |amount| Row { amount, class, independent: 0.0, instrument: 0, factor: 2 };
        let rows: Vec<_> = amounts.into_iter().map(metered).collect();
        let footprint = footprint(terms(&rows));
        let total = &footprint.total;
        prop_assert!(close(total.correlated.u, class * total.emission_kgco2e, total.correlated.u));
        prop_assert!(total.document.u <= total.correlated.u * (1.0 + 1e-12));
    }

    #[test]
    fn a_common_factor_adds_linearly(amounts in prop::collection::vec(0.0..1e4_f64, 1..20)) {
        let counted = |amount| Row { amount, class: 0.0, independent: 0.0, instrument: 0, factor: 1 };
        let rows: Vec<_> = amounts.into_iter().map(counted).collect();
        let total = footprint(terms(&rows)).total;
        prop_assert!(close(total.correlated.u, FACTORS[1].1 * total.emission_kgco2e, total.correlated.u));
    }

    #[test]
    fn the_budget_accounts_for_the_whole_uncertainty(rows in rows()) {
        let footprint = footprint(terms(&rows));
        let entries = footprint.budget_correlated.iter().chain(&footprint.budget_rows);
        let squares: f64 = entries.map(|entry| entry.component.powi(2)).sum();
        prop_assert!(close(squares.sqrt(), footprint.total.correlated.u, worst(&footprint)));
    }

    /// The exact variance exceeds the first order by the squares of the mixed terms, never the other way
    /// round.
    #[test]
    fn the_exact_uncertainty_is_not_below_the_first_order(rows in rows()) {
        let footprint = footprint(terms(&rows));
        let [document, document_exact, correlated, correlated_exact] = uncertainties(&footprint);
        prop_assert!(document <= document_exact && correlated <= correlated_exact);
    }

    /// For one product, against the definition: product of (x2 + u2) - product of x2.
    #[test]
    fn the_exact_uncertainty_is_that_of_its_definition(row in row()) {
        let footprint = footprint(vec![row.term(0)]);
        let (amount, (factor, u_rel)) = (row.estimate(), FACTORS[row.factor]);
        let (x2, y2) = (amount.value().powi(2), factor * factor);
        let (u2, v2) = (amount.standard_uncertainty().powi(2), (factor * u_rel).powi(2));
        let difference = (x2 + u2) * (y2 + v2) - x2 * y2;
        let exact = footprint.total.document_exact.u;
        prop_assert!((exact.powi(2) - difference).abs() <= 1e-12 * (x2 + u2) * (y2 + v2));
        prop_assert!(close(exact, footprint.total.correlated_exact.unwrap().u, exact));
    }

    /// Against brute force: let every error be plus or minus one standard uncertainty, each equally likely, and take the
    /// variance over all combinations. Two moments decide it, so any distribution will do.
    #[test]
    fn the_exact_correlated_uncertainty_is_that_of_every_combination(rows in prop::collection::vec(row(), 1..5)) {
        let emission = |signs: u32| {
            let sign = |bit: usize| if signs >> bit & 1 == 1 { 1.0 } else { -1.0 };
            let of_row = |(id, row): (usize, &Row)| {
                let errors = row.class * sign(row.instrument) + row.independent * sign(6 + id);
                let (factor, u_rel) = FACTORS[row.factor];
                (row.amount + row.amount.abs() * errors) * factor * (1.0 + u_rel * sign(3 + row.factor))
            };
            rows.iter().enumerate().map(of_row).sum::<f64>()
        };
        let combinations = 1_u32 << (6 + rows.len());
        let footprint = footprint(terms(&rows));
        let mean = footprint.total.emission_kgco2e;
        let square: f64 = (0..combinations).map(|signs| (emission(signs) - mean).powi(2)).sum();
        let u = (square / f64::from(combinations)).sqrt();
        prop_assert!(close(footprint.total.correlated_exact.unwrap().u, u, worst(&footprint)));
    }

    /// Two factors that vary together altogether are as good as one.
    #[test]
    fn full_correlation_is_the_same_as_one_input(rows in prop::collection::vec(positive_row(), 2..10)) {
        let shared: Vec<_> = rows.iter().map(|row| Row { factor: 0, ..row.clone() }).collect();
        let twins = shared.iter().enumerate().map(|(id, row)| {
            let quantity = Quantity::new(row.estimate(), Unit::KilowattHour);
            Term::item(id.to_string(), quantity, if id % 2 == 0 { "factor-0" } else { "twin" })
        });
        let mut factors = factors();
        factors.insert("twin".to_owned(), factors["factor-0"].clone());
        let mut inventory = Inventory::new(factors).stage(Stage::Production, twins);
        let mut u_with = |r: f64| {
            inventory.correlations = vec![Correlation { one: "factor-0".into(), other: "twin".into(), r }];
            let total = inventory.footprint().unwrap().total;
            assert_eq!(total.correlated_exact, None);
            total.correlated.u
        };
        let one_input = footprint(terms(&shared)).total.correlated.u;
        prop_assert!(close(u_with(1.0), one_input, one_input));
        prop_assert!(u_with(0.0) <= u_with(0.5) && u_with(0.5) <= one_input * (1.0 + 1e-12));
    }

    /// Whatever comes in, what goes out is finite or an error.
    #[test]
    fn never_panics_and_never_answers_nonsense(
        value in any::<f64>(), independent in any::<f64>(), class in any::<f64>(),
        count in any::<f64>(), share in any::<f64>()
    ) {
        let Ok(estimate) = Estimate::measured(value, independent, [("meter", class)]) else { return Ok(()) };
        let quantity = Quantity::new(estimate, Unit::KilowattHour).scaled(share);
        let Ok(quantity) = quantity.per_units(count) else { return Ok(()) };
        let terms = [Term::item("a", quantity.clone(), "factor-0"), Term::item("b", quantity, "factor-1")];
        if let Ok(footprint) = weighbridge_engine::production(terms, factors()) {
            prop_assert!(footprint.total.emission_kgco2e.is_finite());
            prop_assert!(uncertainties(&footprint).into_iter().all(|u| u.is_finite() && u >= 0.0));
        }
    }
}
