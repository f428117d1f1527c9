//! The reference cases, which an independent implementation computed with 100 digits.
#![allow(clippy::unwrap_used, non_snake_case)]

use std::path::Path;

use serde_json::{Value, json};
use weighbridge_engine::Study;

/// Relative tolerance of every number, exact variances included.
const TOLERANCE: f64 = 1e-12;

macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        $(#[test] fn $name() { check(stringify!($name)); })*

        const CASES: &[&str] = &[$(stringify!($name)),*];
    };
}

cases!(
    fp_500_terms,
    fp_allocation_three_products,
    fp_batches_same_instrument,
    fp_cut_off_sum_exactly_5,
    fp_electricity_split_year,
    fp_empty_stages,
    fp_full_five_stages,
    fp_gas_reference_20C,
    fp_large_relative_triple,
    fp_missing_uncertainty,
    fp_secondary_c1,
    fp_seeded_five_stages,
    fp_shared_grid_factor,
    fp_shared_quantity,
    fp_statement_forms_seeded,
    fp_total_zero,
    fp_transport_distance,
    fp_transport_energy,
    fp_transport_factor_unit,
    fp_units,
    fp_zero_quantity_with_u,
);

#[test]
fn every_case_is_checked() {
    let names =
        std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut cases: Vec<String> =
        names.filter_map(|name| Some(name.strip_suffix(".json")?.to_owned())).collect();
    cases.sort();
    assert_eq!(cases, CASES);
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

fn check(name: &str) {
    let text = std::fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
    let case: Value = serde_json::from_str(&text).unwrap();
    let study: Study = serde_json::from_value(case["inputs"].clone()).unwrap();
    let answer = match study.footprint() {
        Ok(footprint) => serde_json::to_value(footprint).unwrap(),
        Err(error) => json!({ "error": error.code() }),
    };
    compare(name, &case["expected"], &answer);
}

/// Everything expected is answered; the answer may say more, but no list may be longer.
fn compare(at: &str, expected: &Value, answer: &Value) {
    match (expected, answer) {
        (Value::Object(fields), Value::Object(_)) => {
            for (key, field) in fields {
                compare(&format!("{at}.{key}"), field, &answer[key]);
            }
        }
        (Value::Array(entries), Value::Array(answered)) => {
            assert_eq!(entries.len(), answered.len(), "{at}");
            for (index, (entry, answered)) in entries.iter().zip(answered).enumerate() {
                compare(&format!("{at}[{index}]"), entry, answered);
            }
        }
        (Value::Number(expected), Value::Number(answered)) => {
            let (expected, answered) = (expected.as_f64().unwrap(), answered.as_f64().unwrap());
            let within = (answered - expected).abs() <= TOLERANCE * expected.abs();
            assert!(within, "{at} is {answered:e}, expected {expected:e}");
        }
        _ => assert_eq!(answer, expected, "{at}"),
    }
}
