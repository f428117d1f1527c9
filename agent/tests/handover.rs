//! From documents to a footprint, against sums done by hand. The factor is 0.5 kgCO2e/kWh with 5 %, sections are front and back.

#![allow(clippy::unwrap_used, clippy::float_cmp)]

mod sample;

use weighbridge::aggregate::document::{
    Amount, InstrumentReference, Output, Period, PrimaryData, Register, SCHEMA,
};
use weighbridge::handover::{SiteFootprint, footprint};
use weighbridge_config::site::Instrument;

/// A batch of these sections, its output, and (device, section, kWh) of its meters.
fn document(
    batch: &str,
    sections: &[&str],
    (good, rejected): (u64, u64),
    meters: &[(&str, &str, Option<&str>)],
) -> PrimaryData {
    PrimaryData {
        schema: SCHEMA.into(),
        site: "works".into(),
        gateway: "gateway".into(),
        batch: batch.into(),
        model: "M".into(),
        sections: sections.iter().map(|section| (*section).to_owned()).collect(),
        revision: 1,
        is_final: true,
        issued: String::new(),
        period: Period { from: String::new(), to: String::new() },
        output: Output { good, rejected },
        amounts: meters.iter().map(|(device, section, value)| amount(device, section, *value)).collect(),
    }
}

/// With 2 % from the instrument and nothing else.
fn amount(device: &str, section: &str, value: Option<&str>) -> Amount {
    let known = value.map(|value| value.parse::<f64>().unwrap());
    Amount {
        carrier: "electricity".into(),
        source: Some("grid".into()),
        section: section.into(),
        device: device.into(),
        channel: "energy".into(),
        unit: "kWh".into(),
        value: value.map(str::to_owned),
        u_systematic: known.map(|value| 0.02 * value),
        u_independent: known.map(|_| 0.0),
        expanded: known.map(|value| 0.04 * value),
        coverage: 1.0,
        quality: if value.is_some() { "good" } else { "bad" }.into(),
        reason: value.is_none().then(|| "the register jumped".into()),
        grade: None,
        flags: Vec::new(),
        register: Register { from: None, to: None },
        instrument: InstrumentReference::of(&Instrument::default()),
    }
}

fn of(documents: &[PrimaryData]) -> SiteFootprint {
    footprint(&sample::site(&sample::meter("m1", 1, "front")), documents)
}

/// The emission of each section per finished piece.
fn check(documents: &[PrimaryData], expected: &[(&str, f64)]) {
    let result = of(documents);
    let rows = &result.models[0].rows;
    assert_eq!(rows.len(), expected.len(), "{rows:?}");
    for (section, expected) in expected {
        let emission = rows.iter().find(|row| row.section == *section).unwrap().emission;
        assert!((emission - expected).abs() < 1e-12 * expected, "{section}: {emission}, by hand {expected}");
    }
    let total: f64 = expected.iter().map(|(_, emission)| emission).sum();
    assert!((result.models[0].emission - total).abs() < 1e-9, "{} {total}", result.models[0].emission);
}

fn front(batch: &str, output: (u64, u64), kilowatt_hours: &str) -> PrimaryData {
    document(batch, &["front"], output, &[("m1", "front", Some(kilowatt_hours))])
}

fn back(batch: &str, output: (u64, u64), kilowatt_hours: &str) -> PrimaryData {
    document(batch, &["back"], output, &[("m2", "back", Some(kilowatt_hours))])
}

/// 104 boards in, 100 good; 100 meters in, 90 good: the boards of ten scrapped meters belong to the ninety.
#[test]
fn scrap_behind_a_section_is_borne_by_what_is_finished() {
    let front_per_piece = 0.5 * 52.0 / 100.0 * 100.0 / 90.0;
    let back_per_piece = 0.5 * 9.0 / 90.0;
    let documents = [front("F", (100, 4), "52"), back("B", (90, 10), "9")];
    check(&documents, &[("front", front_per_piece), ("back", back_per_piece)]);
    let model = &of(&documents).models[0];
    assert_eq!((model.good, model.batches), (90, 2));
    // Terms are E = q f with u/E = sqrt(0.02^2 + 0.05^2); with the factor in common 5 % act on the sum.
    let own = 0.02 * front_per_piece.hypot(back_per_piece);
    let total = front_per_piece + back_per_piece;
    assert!((model.u_correlated - own.hypot(0.05 * total)).abs() < 1e-12, "{}", model.u_correlated);
    let apart = 0.02_f64.hypot(0.05) * front_per_piece.hypot(back_per_piece);
    assert!((model.u_document - apart).abs() < 1e-12, "{}", model.u_document);
}

#[test]
fn batches_of_a_leg_are_one_sum() {
    let documents = [
        front("F1", (60, 0), "30"),
        front("F2", (40, 4), "22"),
        back("B1", (50, 10), "5"),
        back("B2", (40, 0), "4"),
    ];
    check(&documents, &[("front", 0.5 * 52.0 / 100.0 * 100.0 / 90.0), ("back", 0.5 * 9.0 / 90.0)]);
}

#[test]
fn two_meters_of_a_section_add_up_and_their_pieces_do_not() {
    let both = [("m1", "front", Some("30")), ("m3", "front", Some("20"))];
    check(&[document("F", &["front"], (100, 0), &both)], &[("front", 0.5 * 50.0 / 100.0)]);
}

#[test]
fn in_which_order_a_batch_names_its_sections_means_nothing() {
    let meters = [("m1", "front", Some("10")), ("m2", "back", Some("5"))];
    let documents = [
        document("A", &["front", "back"], (40, 10), &meters),
        document("B", &["back", "front"], (50, 0), &meters),
    ];
    check(&documents, &[("front", 0.5 * 20.0 / 90.0), ("back", 0.5 * 10.0 / 90.0)]);
}

#[test]
fn the_newest_revision_wins_wherever_it_stands() {
    let old = front("F", (100, 0), "999");
    let new = PrimaryData { revision: 2, ..front("F", (100, 0), "52") };
    for documents in [[old.clone(), new.clone()], [new, old]] {
        check(&documents, &[("front", 0.26)]);
    }
}

#[test]
fn what_is_missing_is_listed_and_never_taken_for_nothing() {
    let unknown = |batch| document(batch, &["front"], (100, 0), &[("m1", "front", None)]);
    let half_known =
        document("F2", &["front"], (50, 0), &[("m1", "front", Some("9")), ("m3", "front", None)]);
    check(&[front("F1", (100, 0), "52"), half_known, unknown("F3")], &[("front", 0.26)]);
    let missing = of(&[front("F1", (100, 0), "52"), unknown("F3")]).missing;
    assert_eq!(missing, ["batch F3, m1: the register jumped"]);

    let mut gas = document("F", &["front"], (10, 0), &[("g1", "front", Some("7"))]);
    gas.amounts[0].carrier = "natural-gas".into();
    gas.amounts[0].source = None;
    let missing = of(&[gas]).missing;
    assert!(missing.iter().any(|why| why.contains("no factor for natural-gas")), "{missing:?}");
}

#[test]
fn an_amount_that_is_not_complete_is_told() {
    let mut uncertain = front("F", (100, 0), "52");
    uncertain.amounts[0].quality = "uncertain".into();
    uncertain.amounts[0].reason = Some("no good reading after the closing yet".into());
    assert_eq!(of(&[uncertain]).missing, ["batch F, m1: no good reading after the closing yet"]);
}

#[test]
fn outputs_that_no_factory_has_do_not_panic() {
    for output in [(0, 0), (0, 7), (u64::MAX, u64::MAX)] {
        of(&[front("F", output, "52"), front("G", output, "52"), back("B", output, "9")]);
    }
}
