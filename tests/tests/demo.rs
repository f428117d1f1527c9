//! The demo's verdict, recomputed from its own figures.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use weighbridge_protocol::Decimal;
use weighbridge_tests::{Bench, Program};

/// Far more than the thirty seconds that the demo is asked for, and what it waits for at its end.
const LIMIT: Duration = Duration::from_secs(120);

#[test]
fn the_demo_of_seed_1_ends_with_a_sound_verdict() {
    check(1);
}

#[test]
fn the_demo_of_seed_77_ends_with_a_sound_verdict() {
    check(77);
}

fn check(seed: u64) {
    let bench = Bench::new();
    let seed_text = seed.to_string();
    // Twenty minutes of the plant: a round of its plan is over in ten.
    let arguments =
        ["demo", "--for", "30s", "--speed", "40", "--json", "--seed", &seed_text, "--listen", "127.0.0.1:0"];
    let finished = Program::start(bench.command(&arguments)).finished(LIMIT);
    let said = format!("seed {seed}:\n{}\n{}", finished.stdout, finished.stderr);
    let verdict: Value = serde_json::from_str(&finished.stdout).unwrap_or_else(|why| panic!("{why}: {said}"));
    assert!(finished.status.success(), "{said}");
    assert_eq!((&verdict["ok"], &verdict["seed"]), (&true.into(), &seed.into()), "{said}");
    assert_eq!(verdict["failures"].as_array().map(Vec::len), Some(0));

    nothing_lost_or_doubled(&verdict["readings"]);
    amounts_agree_with_the_truth(&verdict);
    models_are_the_sums_of_their_batches(&verdict);
    counters_are_conserved(&verdict);
    lines_were_kept_quiet(&verdict);
    footprints_carry_uncertainty(&verdict);
}

fn nothing_lost_or_doubled(readings: &Value) {
    let of = |key: &str| readings[key].as_u64().unwrap_or_else(|| panic!("{key} in {readings}"));
    assert!(of("taken") > 500, "{readings}");
    assert_eq!((of("received"), of("acknowledged")), (of("taken"), of("taken")), "{readings}");
    assert_eq!((of("lost"), of("duplicated")), (0, 0), "{readings}");
    assert!(of("published_messages") > 0 && of("bad") < of("taken") / 10, "{readings}");
}

/// The differences are formed and compared here once more, from measured and true figures.
fn amounts_agree_with_the_truth(verdict: &Value) {
    let amounts: Vec<&Value> =
        list(&verdict["batches"]).iter().flat_map(|batch| list(&batch["amounts"])).collect();
    let mut within = 0;
    for amount in &amounts {
        let difference = number(&amount["measured"]) - number(&amount["truth"]);
        assert!((difference - number(&amount["difference"])).abs() < 1e-9, "{amount}");
        assert!(number(&amount["expanded"]) > 0.0, "no measurement is exact: {amount}");
        let holds = difference.abs() <= number(&amount["expanded"]);
        assert_eq!(amount["within"], holds, "{amount}");
        within += usize::from(holds);
    }
    let agreement = &verdict["agreement"];
    assert_eq!(agreement["amounts"], amounts.len(), "{agreement}");
    assert_eq!(agreement["within"], within, "{agreement}");
    assert!(amounts.len() >= 20, "only {} amounts", amounts.len());
    // At k = 2 one in twenty-two lies outside; three times as many would mean that the uncertainties are wrong.
    let misses = amounts.len() - within;
    assert!(misses <= 2 + amounts.len() * 3 / 22, "{misses} of {} amounts miss the truth", amounts.len());
    // Nor are they right by being enormous.
    let relative = |amount: &&&Value| number(&amount["expanded"]) < 0.25 * number(&amount["truth"]);
    let sharp = amounts.iter().filter(relative).count();
    assert!(2 * sharp > amounts.len(), "only {sharp} of {} amounts are known to a quarter", amounts.len());
}

fn models_are_the_sums_of_their_batches(verdict: &Value) {
    let models = list(&verdict["models"]);
    let names: Vec<&str> = models.iter().filter_map(|model| model["model"].as_str()).collect();
    assert_eq!(names, ["DDZ-B", "DTZ-A"], "both models were made");
    for model in models {
        let batches: Vec<&Value> =
            list(&verdict["batches"]).iter().filter(|batch| batch["model"] == model["model"]).collect();
        assert_eq!(model["batches"], batches.len());
        assert_eq!(model["good"], batches.iter().filter_map(|batch| batch["good"].as_u64()).sum::<u64>());
        let mut sums: BTreeMap<&str, Decimal> = BTreeMap::new();
        for amount in batches.iter().flat_map(|batch| list(&batch["amounts"])) {
            let sum = sums.entry(amount["device"].as_str().unwrap()).or_insert(Decimal::ZERO);
            *sum = sum.checked_add(decimal(&amount["measured"])).unwrap();
        }
        for amount in list(&model["amounts"]) {
            let sum = sums.remove(amount["device"].as_str().unwrap()).unwrap();
            assert_eq!(
                sum.partial_cmp(&decimal(&amount["measured"])),
                Some(std::cmp::Ordering::Equal),
                "{amount}"
            );
        }
        assert!(sums.is_empty(), "{} lacks {sums:?}", model["model"]);
    }
}

/// What batches drew and what was drawn between them is the register's own difference, to the last digit.
fn counters_are_conserved(verdict: &Value) {
    let conservation = list(&verdict["conservation"]);
    assert!(conservation.len() >= 8, "{conservation:?}");
    for meter in conservation {
        let sum = decimal(&meter["batches"]).checked_add(decimal(&meter["idle"])).unwrap();
        assert_eq!(sum.partial_cmp(&decimal(&meter["register"])), Some(std::cmp::Ordering::Equal), "{meter}");
        assert_eq!(meter["exact"], true, "{meter}");
        let of_batches = list(&verdict["batches"]).iter().flat_map(|batch| list(&batch["amounts"]));
        let of_meter = of_batches
            .filter(|amount| amount["device"] == meter["device"])
            .map(|amount| decimal(&amount["measured"]));
        let total = of_meter.fold(Decimal::ZERO, |sum, amount| sum.checked_add(amount).unwrap());
        assert_eq!(
            total.partial_cmp(&decimal(&meter["batches"])),
            Some(std::cmp::Ordering::Equal),
            "{meter}"
        );
    }
}

fn lines_were_kept_quiet(verdict: &Value) {
    let lines = list(&verdict["lines"]);
    assert_eq!(lines.len(), 3, "{lines:?}");
    for line in lines {
        assert!(line["requests"].as_u64().unwrap() > 50, "{line}");
        assert_eq!(line["too_early"], 0, "{line}");
    }
    assert!(
        lines.iter().any(|line| line["faults"].as_u64().unwrap() > 0),
        "the lines of a shop floor are not perfect"
    );
}

fn footprints_carry_uncertainty(verdict: &Value) {
    let models = list(&verdict["footprint"]["models"]);
    assert_eq!(models.len(), 2);
    for model in models {
        let (value, expanded) = (number(&model["report"]["E"]), number(&model["report"]["U"]));
        assert!(
            value > 0.0 && expanded > 0.04 * value && expanded < value,
            "{value} +- {expanded} of {model}"
        );
        // All rows share one factor, whose 5 % no sum makes smaller.
        let correlated = number(&model["u_correlated"]) / number(&model["E"]);
        assert!((0.0499..0.2).contains(&correlated), "{correlated} of {model}");
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("no list: {value}"))
}

/// A number, or the digits of one.
fn number(value: &Value) -> f64 {
    value.as_f64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_else(|| panic!("no number: {value}"))
}

fn decimal(value: &Value) -> Decimal {
    value.as_str().and_then(|digits| digits.parse().ok()).unwrap_or_else(|| panic!("no decimal: {value}"))
}
