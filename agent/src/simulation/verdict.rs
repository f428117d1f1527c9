//! What the demo measured, held against what the plant knows.

use std::collections::BTreeMap;

use serde::Serialize;
use weighbridge_protocol::Decimal;
use weighbridge_simulators::Plant;

use super::World;
use super::broker::Tally;
use crate::aggregate::document::{Amount, PrimaryData};
use crate::buffer::{Store, StoreError};
use crate::clock::parse_iso8601;
use crate::handover::SiteFootprint;

/// Probability with which a correct agent may fail the demo by the expected share of misses.
const FALSE_ALARM: f64 = 1e-4;
/// Probability that a normally distributed result lies outside k = 2.
const MISS_PROBABILITY: f64 = 0.0455;

/// The demo's end.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    /// Whether everything held.
    pub ok: bool,
    /// What did not, in words.
    pub failures: Vec<String>,
    /// Seed of plant, instruments and lines.
    pub seed: u64,
    /// Real seconds that the demo took.
    pub seconds: f64,
    /// Plant seconds for one real second.
    pub speed: f64,
    /// What became of the readings.
    pub readings: Readings,
    /// Each batch's amounts beside the truth.
    pub batches: Vec<BatchVerdict>,
    /// The same summed over the batches of each model.
    pub models: Vec<ModelVerdict>,
    /// How many amounts lie within their expanded uncertainty.
    pub agreement: Agreement,
    /// Sum over batches and idle time against each meter's own difference.
    pub conservation: Vec<Conservation>,
    /// What happened on the simulated lines.
    pub lines: Vec<LineVerdict>,
    /// The production stage of each model.
    pub footprint: SiteFootprint,
}

/// What became of the readings.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Readings {
    /// Stored in the buffer.
    pub taken: u64,
    /// Of them without a value, with the reason on record.
    pub bad: u64,
    /// Different ones that the subscriber received.
    pub received: u64,
    /// Taken but not received.
    pub lost: u64,
    /// Received more than once.
    pub duplicated: u64,
    /// Messages that carried them.
    pub published_messages: u64,
    /// Acknowledged by the broker.
    pub acknowledged: u64,
}

/// One batch.
#[derive(Clone, Debug, Serialize)]
pub struct BatchVerdict {
    /// Identity.
    pub id: String,
    /// Product model.
    pub model: String,
    /// Good pieces.
    pub good: u64,
    /// Revision of the document.
    pub revision: u32,
    /// What was drawn.
    pub amounts: Vec<Comparison>,
}

/// One model.
#[derive(Clone, Debug, Serialize)]
pub struct ModelVerdict {
    /// Product model.
    pub model: String,
    /// Its batches.
    pub batches: usize,
    /// Good pieces of them.
    pub good: u64,
    /// What was drawn, by carrier, section and instrument.
    pub amounts: Vec<Comparison>,
}

/// Measured beside true.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// Carrier.
    pub carrier: String,
    /// Section.
    pub section: String,
    /// Instrument.
    pub device: String,
    /// Unit of all figures.
    pub unit: String,
    /// Exact decimal as measured; null where it is not known.
    pub measured: Option<String>,
    /// What the plant says.
    pub truth: f64,
    /// Measured minus true.
    pub difference: Option<f64>,
    /// Expanded uncertainty, k = 2.
    pub expanded: Option<f64>,
    /// Whether the difference is no larger.
    pub within: bool,
}

/// How often results agree with the truth.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Agreement {
    /// Amounts of batches.
    pub amounts: usize,
    /// Of them within their expanded uncertainty.
    pub within: usize,
    /// Misses that k = 2 lets expect at worst.
    pub allowed_misses: usize,
}

/// One meter from its first batch's opening to its last one's closing.
#[derive(Clone, Debug, Serialize)]
pub struct Conservation {
    /// Instrument.
    pub device: String,
    /// Unit of all figures.
    pub unit: String,
    /// The register's own difference.
    pub register: String,
    /// Sum over batches.
    pub batches: String,
    /// Between them.
    pub idle: String,
    /// Whether batches and idle are the register's difference to the last digit.
    pub exact: bool,
}

/// What happened on one simulated line.
#[derive(Clone, Debug, Serialize)]
pub struct LineVerdict {
    /// Link.
    pub link: String,
    /// Requests that a device understood.
    pub requests: u64,
    /// Requests begun within the silent interval.
    pub too_early: u64,
    /// Replies that the line was made to send late: one that nobody waits for any more may end right before a request.
    pub late_replies: u64,
    /// Faults injected.
    pub faults: u64,
}

/// What the verdict is made from.
#[derive(Debug)]
pub struct Evidence<'a> {
    /// Seed.
    pub seed: u64,
    /// Real seconds.
    pub seconds: f64,
    /// Plant seconds for one real second.
    pub speed: f64,
    /// The buffer after the end.
    pub store: &'a Store,
    /// What the subscriber received.
    pub tally: &'a Tally,
    /// The simulated world.
    pub world: &'a World,
    /// Batches that were closed by the plan.
    pub closed_batches: usize,
    /// What the engine made of it.
    pub footprint: SiteFootprint,
}

/// Judges a demo.
///
/// # Errors
/// When the buffer cannot be read.
pub fn judge(evidence: Evidence<'_>) -> Result<Verdict, StoreError> {
    let documents: Vec<&PrimaryData> = evidence.tally.documents.values().collect();
    let plant = &evidence.world.plant;
    let batches: Vec<BatchVerdict> =
        documents.iter().map(|document| batch_verdict(document, plant)).collect();
    let mut verdict = Verdict {
        ok: false,
        failures: Vec::new(),
        seed: evidence.seed,
        seconds: evidence.seconds,
        speed: evidence.speed,
        readings: readings(evidence.store, evidence.tally)?,
        agreement: agreement(&batches),
        models: model_verdicts(&documents, &batches),
        batches,
        conservation: conservation(&documents),
        lines: evidence
            .world
            .lines
            .iter()
            .map(|(link, counts)| line_verdict(link, &counts.borrow()))
            .collect(),
        footprint: evidence.footprint,
    };
    verdict.failures = failures(&verdict, evidence.closed_batches, evidence.tally.unreadable);
    verdict.ok = verdict.failures.is_empty();
    Ok(verdict)
}

fn readings(store: &Store, tally: &Tally) -> Result<Readings, StoreError> {
    let mut bad = 0;
    for block in store.blocks_from(1) {
        bad += block?.readings.iter().filter(|reading| reading.value.is_none()).count() as u64;
    }
    let taken = store.next_sequence() - 1;
    Ok(Readings {
        taken,
        bad,
        received: tally.received(),
        lost: taken.saturating_sub(tally.received()),
        duplicated: tally.duplicated(),
        published_messages: tally.messages,
        acknowledged: store.acknowledged() - 1,
    })
}

fn batch_verdict(document: &PrimaryData, plant: &Plant) -> BatchVerdict {
    BatchVerdict {
        id: document.batch.clone(),
        model: document.model.clone(),
        good: document.output.good,
        revision: document.revision,
        amounts: document
            .amounts
            .iter()
            .map(|amount| compare(amount, truth(document, amount, plant)))
            .collect(),
    }
}

/// What the plant drew in the section, or of the material, while the batch ran.
fn truth(document: &PrimaryData, amount: &Amount, plant: &Plant) -> f64 {
    let at = |utc_us| {
        if amount.carrier == weighbridge_config::ELECTRICITY {
            plant.energy_kwh(&amount.section, utc_us)
        } else {
            plant.material_kg(&amount.carrier, utc_us)
        }
    };
    match (parse_iso8601(&document.period.from), parse_iso8601(&document.period.to)) {
        (Ok(from), Ok(to)) => at(to) - at(from),
        _ => f64::NAN,
    }
}

fn compare(amount: &Amount, truth: f64) -> Comparison {
    comparison(amount, amount.value.clone(), truth, amount.expanded)
}

fn comparison(amount: &Amount, measured: Option<String>, truth: f64, expanded: Option<f64>) -> Comparison {
    let difference = measured.as_ref().and_then(|text| text.parse::<f64>().ok()).map(|value| value - truth);
    Comparison {
        carrier: amount.carrier.clone(),
        section: amount.section.clone(),
        device: amount.device.clone(),
        unit: amount.unit.clone(),
        measured,
        truth,
        difference,
        expanded,
        within: difference.zip(expanded).is_some_and(|(difference, expanded)| difference.abs() <= expanded),
    }
}

fn model_verdicts(documents: &[&PrimaryData], batches: &[BatchVerdict]) -> Vec<ModelVerdict> {
    let mut by_model: BTreeMap<&str, Vec<(&PrimaryData, &BatchVerdict)>> = BTreeMap::new();
    for (document, batch) in documents.iter().zip(batches) {
        by_model.entry(&document.model).or_default().push((document, batch));
    }
    let verdict = |(model, batches): (&str, Vec<(&PrimaryData, &BatchVerdict)>)| ModelVerdict {
        model: model.to_owned(),
        batches: batches.len(),
        good: batches.iter().map(|(_, batch)| batch.good).sum(),
        amounts: sum_by_instrument(&batches),
    };
    by_model.into_iter().map(verdict).collect()
}

/// Systematic parts of one instrument add up; independent parts as root sum of squares.
fn sum_by_instrument(batches: &[(&PrimaryData, &BatchVerdict)]) -> Vec<Comparison> {
    let mut by_device: BTreeMap<&str, Vec<(&Amount, f64)>> = BTreeMap::new();
    for (document, batch) in batches {
        for (amount, compared) in document.amounts.iter().zip(&batch.amounts) {
            by_device.entry(&amount.device).or_default().push((amount, compared.truth));
        }
    }
    let sum = |amounts: Vec<(&Amount, f64)>| {
        let measured = amounts.iter().try_fold(Decimal::ZERO, |sum, (amount, _)| {
            sum.checked_add(amount.value.as_ref()?.parse().ok()?)
        });
        let systematic: f64 = amounts.iter().filter_map(|(amount, _)| amount.u_systematic).sum();
        let independent: f64 =
            amounts.iter().filter_map(|(amount, _)| amount.u_independent).map(|u| u * u).sum();
        let expanded = 2.0 * systematic.hypot(independent.sqrt());
        let truth = amounts.iter().map(|(_, truth)| truth).sum();
        comparison(amounts[0].0, measured.map(|sum| sum.to_string()), truth, Some(expanded))
    };
    by_device.into_values().map(sum).collect()
}

fn agreement(batches: &[BatchVerdict]) -> Agreement {
    let amounts: Vec<&Comparison> = batches.iter().flat_map(|batch| &batch.amounts).collect();
    Agreement {
        amounts: amounts.len(),
        within: amounts.iter().filter(|amount| amount.within).count(),
        allowed_misses: allowed_misses(amounts.len()),
    }
}

/// The number of misses that a correct agent exceeds with a probability of [`FALSE_ALARM`] at most (binomial).
fn allowed_misses(amounts: usize) -> usize {
    let mut probability = (1.0 - MISS_PROBABILITY).powf(amounts as f64);
    let (mut misses, mut upto) = (0, probability);
    while 1.0 - upto > FALSE_ALARM && misses < amounts {
        let odds = MISS_PROBABILITY / (1.0 - MISS_PROBABILITY);
        probability *= (amounts - misses) as f64 / (misses + 1) as f64 * odds;
        misses += 1;
        upto += probability;
    }
    misses
}

fn conservation(documents: &[&PrimaryData]) -> Vec<Conservation> {
    let mut by_device: BTreeMap<&str, Vec<(&PrimaryData, &Amount)>> = BTreeMap::new();
    for document in documents {
        for amount in &document.amounts {
            by_device.entry(&amount.device).or_default().push((document, amount));
        }
    }
    by_device.into_values().filter_map(conserved).collect()
}

/// `None` where a register value is not known.
fn conserved(mut amounts: Vec<(&PrimaryData, &Amount)>) -> Option<Conservation> {
    amounts.sort_by_key(|(document, _)| document.period.from.clone());
    let number = |text: &Option<String>| text.as_ref()?.parse::<Decimal>().ok();
    let (first, last) = (amounts.first()?.1, amounts.last()?.1);
    let register = number(&last.register.to)?.checked_sub(number(&first.register.from)?)?;
    let mut batches = Decimal::ZERO;
    let mut idle = Decimal::ZERO;
    for (index, (_, amount)) in amounts.iter().enumerate() {
        batches = batches.checked_add(number(&amount.value)?)?;
        if let Some((_, next)) = amounts.get(index + 1) {
            idle =
                idle.checked_add(number(&next.register.from)?.checked_sub(number(&amount.register.to)?)?)?;
        }
    }
    Some(Conservation {
        device: first.device.clone(),
        unit: first.unit.clone(),
        exact: batches.checked_add(idle)?.partial_cmp(&register) == Some(std::cmp::Ordering::Equal),
        register: register.to_string(),
        batches: batches.to_string(),
        idle: idle.to_string(),
    })
}

fn line_verdict(link: &str, counts: &weighbridge_simulators::Statistics) -> LineVerdict {
    LineVerdict {
        link: link.to_owned(),
        requests: counts.requests_heard,
        too_early: counts.requests_too_early,
        late_replies: counts.late_replies,
        faults: counts.faults_injected(),
    }
}

fn failures(verdict: &Verdict, closed_batches: usize, unreadable: u64) -> Vec<String> {
    let mut failures = Vec::new();
    let mut expect = |holds: bool, failure: String| {
        if !holds {
            failures.push(failure);
        }
    };
    let Readings { taken, received, lost, duplicated, acknowledged, .. } = verdict.readings;
    expect(taken > 0, "no readings were taken".to_owned());
    expect(lost == 0, format!("{lost} readings were lost"));
    expect(
        received <= taken,
        format!("{} readings were received that were never taken", received.saturating_sub(taken)),
    );
    expect(duplicated == 0, format!("{duplicated} readings were received twice"));
    expect(acknowledged == taken, format!("the broker acknowledged {acknowledged} of {taken} readings"));
    expect(unreadable == 0, format!("{unreadable} messages could not be read"));
    expect(
        verdict.batches.len() == closed_batches && closed_batches > 0,
        format!("{} documents arrived for {closed_batches} closed batches", verdict.batches.len()),
    );
    let misses = verdict.agreement.amounts - verdict.agreement.within;
    let allowed = verdict.agreement.allowed_misses;
    expect(
        misses <= allowed,
        format!(
            "{misses} amounts miss the truth by more than U (k = 2); {allowed} are to be expected at worst"
        ),
    );
    for meter in verdict.conservation.iter().filter(|meter| !meter.exact) {
        expect(false, format!("{}: batches and idle time do not add up to the register", meter.device));
    }
    for line in verdict.lines.iter().filter(|line| line.too_early > line.late_replies) {
        expect(false, format!("{}: {} requests began within the silent interval", line.link, line.too_early));
    }
    failures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_misses_are_allowed_as_chance_explains() {
        for (amounts, allowed) in [(0, 0), (1, 1), (10, 4), (60, 10), (1_000, 72)] {
            let found = allowed_misses(amounts);
            assert!(found.abs_diff(allowed) <= 1, "{amounts}: {found}");
        }
    }
}
