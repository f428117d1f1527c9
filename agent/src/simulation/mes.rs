//! The manufacturing execution system of the simulated plant: opens and closes batches through the agent's API, as a real one
//! would.

use std::net::SocketAddr;

use anyhow::Context as _;
use serde_json::{Value, json};
use weighbridge_simulators::{PlannedBatch, Plant};

use crate::cli::client::Client;
use crate::clock::{Clock, iso8601};

/// How far ahead the plan is asked for.
const HORIZON_US: i64 = 3_600_000_000;

/// Something to say, and when.
#[derive(Debug)]
struct Event {
    utc_us: i64,
    call: &'static str,
    body: Value,
}

/// Follows the plant's plan: batches that open from `from_utc_us` on and close before `until_utc_us`. Ends after the last.
///
/// # Errors
/// When the agent does not take a command.
pub async fn follow(
    plant: &Plant,
    clock: &Clock,
    agent: SocketAddr,
    token: &str,
    (from_utc_us, until_utc_us): (i64, i64),
) -> anyhow::Result<()> {
    let client = Client::new(agent, Some(token.to_owned()));
    let mut planned_until = from_utc_us;
    let mut waiting: Vec<Event> = Vec::new();
    loop {
        if waiting.is_empty() {
            if planned_until >= until_utc_us {
                return Ok(());
            }
            let horizon = planned_until.saturating_add(HORIZON_US).min(until_utc_us);
            waiting = events(plant, planned_until, horizon, until_utc_us);
            planned_until = horizon;
            continue;
        }
        let event = waiting.remove(0);
        tokio::time::sleep_until(clock.instant_at(event.utc_us)).await;
        let (client, call) = (client.clone(), event.call);
        tokio::task::spawn_blocking(move || client.post(call, &event.body))
            .await?
            .with_context(|| format!("the agent did not take {call}"))?;
    }
}

/// What is to be said of batches that open within `[from, to)` and close before `until`, in order of time.
fn events(plant: &Plant, from_utc_us: i64, to_utc_us: i64, until_utc_us: i64) -> Vec<Event> {
    let opens_here = |batch: &PlannedBatch| (from_utc_us..to_utc_us).contains(&batch.opens_utc_us);
    let planned = plant.batches_between(from_utc_us, to_utc_us);
    let complete =
        planned.into_iter().filter(|batch| opens_here(batch) && batch.closes_utc_us < until_utc_us);
    let mut events: Vec<Event> = complete.flat_map(|batch| [opening(&batch), closing(&batch)]).collect();
    events.sort_by_key(|event| event.utc_us);
    events
}

fn opening(batch: &PlannedBatch) -> Event {
    let body = json!({
        "batch": batch.id, "model": batch.model, "sections": batch.sections,
        "at": iso8601(batch.opens_utc_us), "author": "mes",
    });
    Event { utc_us: batch.opens_utc_us, call: "batches/open", body }
}

fn closing(batch: &PlannedBatch) -> Event {
    let body = json!({
        "batch": batch.id, "at": iso8601(batch.closes_utc_us), "good": batch.good, "rejected": batch.rejected,
        "author": "mes",
    });
    Event { utc_us: batch.closes_utc_us, call: "batches/close", body }
}
