//! Studies as files: what is refused, with which code, and where.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use weighbridge_engine::{Footprint, Study, StudyError};

fn study(stages: &Value) -> Value {
    json!({
        "factors": {
            "cu": { "value": 4.08, "unit": "kgCO2e/kg", "unc": { "type": "standard", "u": 0.31 } },
            "road": { "value": 0.129, "unit": "kgCO2e/(t*km)", "unc": { "type": "standard", "u": 0.0098 } },
        },
        "quantities": {
            "m_cu": { "value": 620, "unit": "kg", "unc": { "type": "standard", "u": 9 }, "per_units": 1000 },
            "a": { "ref": "b" },
            "b": { "ref": "a" },
        },
        "stages": stages,
    })
}

fn answer(study: Value) -> Result<Footprint, StudyError> {
    serde_json::from_value::<Study>(study).unwrap().footprint()
}

fn with_quantity(quantity: &Value) -> Result<Footprint, StudyError> {
    answer(study(&json!({ "raw": { "items": [{ "id": "x", "quantity": quantity, "factor": "cu" }] } })))
}

#[test]
fn faults_have_a_code_and_a_place() {
    let refuse = |quantity: Value, code: &str, message: &str| {
        let error = with_quantity(&quantity).unwrap_err();
        assert_eq!(error.code(), code, "{quantity}: {error}");
        assert!(error.to_string().starts_with(message), "{quantity}: {error}");
    };
    let x = "stages.raw.x";
    let u = json!({ "type": "standard", "u": 0.1 });
    refuse(json!({ "value": 3, "unit": "kg" }), "E_NO_UNCERTAINTY", "stages.raw.x has no uncertainty");
    refuse(
        json!({ "value": 3, "unit": "kg", "unc": { "type": "standard", "u": -0.1 } }),
        "E_NEGATIVE_UNCERTAINTY",
        x,
    );
    refuse(
        json!({ "value": 3, "unit": "kg", "unc": { "type": "mpe_relative", "mpe": -1 } }),
        "E_NEGATIVE_UNCERTAINTY",
        x,
    );
    refuse(json!({ "value": 3, "unit": "kg", "unc": { "type": "expanded", "U": 1, "k": 0 } }), "E_VALUE", x);
    refuse(json!({ "value": 3, "unit": "kWh", "unc": u }), "E_UNIT", "raw.x is given in kWh");
    refuse(json!({ "value": 3, "unit": "stone", "unc": u }), "E_UNIT", "stages.raw.x: \"stone\" is no unit");
    refuse(json!({ "value": 3, "unc": u }), "E_FORM", x);
    refuse(json!({ "unit": "kg", "unc": u }), "E_FORM", x);
    refuse(json!({}), "E_FORM", x);
    refuse(json!({ "value": 3, "unit": "kg", "unc": u, "ref": "m_cu" }), "E_FORM", x);
    refuse(json!({ "ref": "m_cu", "id": "y" }), "E_FORM", x);
    refuse(json!({ "ref": "m_cu", "batch_correlation": 1 }), "E_FORM", x);
    refuse(json!({ "ref": "lead" }), "E_REFERENCE", "stages.raw.x: \"lead\" is not defined");
    refuse(json!({ "ref": "a" }), "E_REFERENCE", "quantities.b: \"a\" is not defined, or by itself");
    refuse(json!({ "value": 3, "unit": "kg", "unc": u, "per_units": 0 }), "E_PER_UNITS", x);
    refuse(json!({ "batches": [] }), "E_FORM", x);
    refuse(json!({ "batches": [{ "ref": "m_cu" }] }), "E_FORM", x);
    refuse(
        json!({ "batches": [{ "value": 3, "unit": "kg", "unc": u }], "batch_correlation": 2 }),
        "E_FORM",
        x,
    );
    refuse(
        json!({ "batches": [{ "value": 3, "unit": "kg" }] }),
        "E_NO_UNCERTAINTY",
        "stages.raw.x.batches[0]",
    );
    let mixed = json!([{ "value": 3, "unit": "kg", "unc": u }, { "value": 3, "unit": "kWh", "unc": u }]);
    refuse(json!({ "batches": mixed }), "E_UNIT", x);
    let total = json!({ "ref": "m_cu" });
    refuse(json!({ "allocate": { "total": total, "model": "A", "models": [] } }), "E_ALLOCATION", x);
    let gas = json!({
        "volume_m3": 1, "p_kPa": 0, "t_C": 0, "ref_t_C": 0, "ref_p_kPa": 101.325,
        "u_volume_m3": 0, "u_p_kPa": 0, "u_t_C": 0,
    });
    refuse(json!({ "gas": gas }), "E_VALUE", x);
}

#[test]
fn batches_are_correlated_only_if_it_is_said() {
    let u = |batch_correlation: Option<f64>| {
        let batch = |value: f64, unit: &str, u: f64| {
            let unc = json!({ "type": "standard", "u": u });
            json!({ "value": value, "unit": unit, "unc": unc })
        };
        let mut quantity = json!({ "batches": [batch(1.0, "kg", 0.3), batch(1000.0, "g", 400.0)] });
        if let Some(r) = batch_correlation {
            quantity["batch_correlation"] = json!(r);
        }
        let footprint = with_quantity(&quantity).unwrap();
        assert!((footprint.total.emission_kgco2e - 8.16).abs() < 1e-12);
        // Without the factor's share.
        (footprint.total.document.u.powi(2) - (2.0_f64 * 0.31).powi(2)).sqrt() / 4.08
    };
    for (r, expected) in [(None, 0.5), (Some(0.0), 0.5), (Some(1.0), 0.7), (Some(0.5), 0.37_f64.sqrt())] {
        assert!((u(r) - expected).abs() < 1e-12, "{r:?}: {}", u(r));
    }
}

#[test]
fn one_leg_is_assessed_one_way() {
    let mass = json!({ "ref": "m_cu" });
    let distance = json!({ "value": 300, "unit": "km", "unc": { "type": "standard", "u": 6 } });
    let check = |material: &str, mode: &str, code: Option<&str>| {
        let legs = json!([
            { "id": "1", "material": "cu", "mode": "road",
              "variant": "distance", "mass": mass, "distance": distance, "factor": "road" },
            { "id": "2", "material": material, "mode": mode,
              "variant": "energy", "energies": [{ "quantity": mass, "factor": "cu" }] },
        ]);
        let answered = answer(study(&json!({ "raw": { "transport": legs } })));
        assert_eq!(answered.err().map(|error| error.code()), code, "{material} by {mode}");
    };
    check("cu", "road", Some("E_TRANSPORT_DOUBLE"));
    check("cu", "rail", None);
    check("steel", "road", None);
}

#[test]
fn an_inline_name_is_one_measurement_too() {
    let item = |id: &str, value: f64| {
        let unc = json!({ "type": "standard", "u": 0.1 });
        let quantity = json!({ "value": value, "unit": "kg", "unc": unc, "id": "m" });
        json!({ "id": id, "factor": "cu", "quantity": quantity })
    };
    let raw = |first: f64, second: f64| {
        answer(study(&json!({ "raw": { "items": [item("1", first), item("2", second)] } })))
    };
    let budget = raw(3.0, 3.0).unwrap().budget_correlated;
    assert_eq!(budget.iter().map(|entry| entry.input.as_str()).collect::<Vec<_>>(), ["cu", "m"]);
    assert_eq!(raw(3.0, 3.5).unwrap_err().code(), "E_NAME");
}

#[test]
fn correlations_name_what_there_is() {
    let with = |correlation: Value| {
        let mut study = study(
            &json!({ "raw": { "items": [{ "id": "x", "quantity": { "ref": "m_cu" }, "factor": "cu" }] } }),
        );
        study["correlations"] = json!([correlation]);
        answer(study)
    };
    assert_eq!(with(json!(["cu", "lead", 0.5])).unwrap_err().code(), "E_REFERENCE");
    assert_eq!(with(json!(["cu", "m_cu", 1.5])).unwrap_err().code(), "E_CORRELATION");
    let unused = with(json!(["cu", "road", 0.5])).unwrap().total;
    assert!((unused.correlated.u - unused.document.u).abs() < 1e-15);
    let (plus, minus) =
        (with(json!(["cu", "m_cu", 1.0])).unwrap(), with(json!(["cu", "m_cu", -1.0])).unwrap());
    let (c_cu, c_m): (f64, f64) = (0.62 * 0.31, 4.08 * 0.009);
    assert!((plus.total.correlated.u - (c_cu + c_m)).abs() < 1e-12);
    assert!((minus.total.correlated.u - (c_cu - c_m)).abs() < 1e-12);
    assert_eq!(plus.total.correlated_exact, None);
}

#[test]
fn a_default_outside_its_range_is_warned_of() {
    let quantity =
        json!({ "value": 70, "unit": "kg", "unc": { "type": "secondary", "min": 71.5, "max": 96 } });
    let warnings = serde_json::to_value(with_quantity(&quantity).unwrap().warnings).unwrap();
    assert_eq!(warnings, json!([{ "code": "W_RANGE", "at": "stages.raw.x" }]));
}

#[test]
fn unknown_keys_are_refused() {
    for (study, key) in [
        (json!({ "factor": {} }), "factor"),
        (study(&json!({ "raw": { "item": [] } })), "item"),
        (
            study(
                &json!({ "raw": { "items": [{ "id": "x", "quantity": { "vlaue": 3 }, "factor": "cu" }] } }),
            ),
            "vlaue",
        ),
        (study(&json!({ "reuse": {} })), "reuse"),
    ] {
        let error = serde_json::from_value::<Study>(study).unwrap_err().to_string();
        assert!(error.contains(key), "{error}");
    }
}
