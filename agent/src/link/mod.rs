//! One task per bus: it owns the port, asks what is due, and turns what comes back into readings.
//!
//! Each exchange carries its own line settings, so devices of different protocols and baud rates share one pair. Only this
//! module knows tokio-serial and tokio-modbus.

mod plan;
mod serial;
mod statistics;
mod tcp;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use weighbridge_config::site::Connection;
use weighbridge_protocol::{Decoded, Dropped, Outcome, Raw, Refusal};

pub use self::plan::{Bus, BusDevice, Part, PlannedExchange};
use self::serial::SerialLine;
pub use self::statistics::{DeviceStatistics, LinkStatistics, Statistics};
use self::tcp::TcpConnection;
use crate::clock::{Clock, ClockState};
use crate::reading::{Quality, Reading, Reason};
use crate::schedule::{self, Next, Schedule};

/// The least time between two attempts to open a port or connection that is not there.
const REOPEN_PAUSE: Duration = Duration::from_secs(1);

/// Runs one bus until `stop` turns true or the buffer is gone.
pub async fn run(
    bus: Bus,
    clock: Clock,
    replies: mpsc::Sender<Vec<Reading>>,
    statistics: Arc<Statistics>,
    mut stop: watch::Receiver<bool>,
) {
    let mut schedule = Schedule::new(bus.polls(&clock), clock.speed(), clock.now_utc_us());
    let mut wire = Wire::Closed { retry: clock.instant(), why: String::new() };
    while !*stop.borrow() {
        match schedule.poll_next(clock.now_utc_us()) {
            Next::Wait { until_utc_us } => {
                let due = clock.instant_at(until_utc_us.min(clock.now_utc_us() + 3_600_000_000));
                tokio::select! {
                    () = tokio::time::sleep_until(due) => {}
                    _ = stop.changed() => {}
                }
            }
            Next::Exchange(poll) => {
                let planned = &bus.exchanges[poll];
                let attempt = wire.exchange(&bus, planned, &clock).await;
                let is_last_word = schedule.handle_outcome(poll, attempt.outcome(), clock.now_utc_us());
                statistics.record(planned.device, &attempt, &schedule, &clock);
                let readings = match (&attempt.answer, is_last_word) {
                    (Answer::Failed(_), false) => continue,
                    (Answer::Failed(_), true) if schedule.is_silent(planned.device) => {
                        failed_readings(bus.parts_of(planned.device), &attempt, &clock)
                    }
                    _ => to_readings(planned, &attempt, &clock),
                };
                if replies.send(readings).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// What became of one exchange.
#[derive(Debug)]
pub struct Attempt {
    answer: Answer,
    /// When the request had left.
    asked: Instant,
    /// From there to the first byte of the answer; zero where there was none.
    turn_round: Duration,
    /// How long the line was taken, the silence before the request included.
    busy: Duration,
    /// Bytes and frames that did not belong.
    dropped: Dropped,
}

#[derive(Debug)]
enum Answer {
    Payload(Vec<u8>),
    Refused(Refusal),
    Failed(Fault),
}

/// Why nothing usable came.
#[derive(Debug)]
enum Fault {
    NoAnswer,
    Garbled,
    Jabber,
    LinkDown(String),
}

impl From<std::io::Error> for Fault {
    fn from(lost: std::io::Error) -> Self {
        Self::LinkDown(lost.to_string())
    }
}

impl Attempt {
    fn outcome(&self) -> schedule::Outcome {
        match &self.answer {
            Answer::Failed(Fault::LinkDown(_) | Fault::Jabber) => schedule::Outcome::NotAsked,
            Answer::Failed(_) => schedule::Outcome::Unanswered,
            Answer::Payload(_) | Answer::Refused(_) => schedule::Outcome::Answered,
        }
    }

    fn new(outcome: Result<Outcome, Fault>, asked: Instant, turn_round: Duration, dropped: Dropped) -> Self {
        let answer = match outcome {
            Ok(Outcome::Payload(payload)) => Answer::Payload(payload),
            Ok(Outcome::Refused(refusal)) => Answer::Refused(refusal),
            Err(fault) => Answer::Failed(fault),
        };
        Self { answer, asked, turn_round, busy: Duration::ZERO, dropped }
    }
}

/// The port or connection, if it is there.
enum Wire {
    Closed { retry: Instant, why: String },
    Serial(SerialLine),
    Tcp(TcpConnection),
}

impl Wire {
    /// One exchange; opens what is not there, and lets go of what failed. That a connection kept from before is gone may only mean
    /// that the device closed it as idle, so that a new one is tried at once.
    async fn exchange(&mut self, bus: &Bus, planned: &PlannedExchange, clock: &Clock) -> Attempt {
        let begun = clock.instant();
        let was_kept = matches!(self, Wire::Tcp(_));
        let mut attempt = self.try_once(bus, planned, clock).await;
        if was_kept && matches!(attempt.answer, Answer::Failed(Fault::LinkDown(_))) {
            *self = Wire::Closed { retry: clock.instant(), why: String::new() };
            attempt = self.try_once(bus, planned, clock).await;
        }
        attempt.busy = clock.instant() - begun;
        attempt
    }

    async fn try_once(&mut self, bus: &Bus, planned: &PlannedExchange, clock: &Clock) -> Attempt {
        if let Wire::Closed { retry, why } = self
            && *retry <= clock.instant()
        {
            match open(bus, clock).await {
                Ok(wire) => *self = wire,
                Err(refused) => *self = Wire::closed_again(bus, why, refused, clock),
            }
        }
        let attempt = match self {
            Wire::Serial(line) => line.exchange(planned, clock).await,
            Wire::Tcp(connection) => connection.exchange(planned, clock).await,
            Wire::Closed { why, .. } => {
                let down = Err(Fault::LinkDown(why.clone()));
                return Attempt::new(down, clock.instant(), Duration::ZERO, Dropped::default());
            }
        };
        if let Answer::Failed(Fault::LinkDown(why)) = &attempt.answer {
            tracing::warn!(link = bus.name, why, "link lost");
            *self = Wire::Closed { retry: clock.instant() + REOPEN_PAUSE, why: why.clone() };
        } else if matches!(self, Wire::Tcp(connection) if connection.is_given_up()) {
            *self = Wire::Closed { retry: clock.instant(), why: String::new() };
        }
        attempt
    }

    /// What keeps a link closed is told once, not at every attempt.
    fn closed_again(bus: &Bus, before: &str, why: String, clock: &Clock) -> Self {
        if why != before {
            tracing::warn!(link = bus.name, why, "link not open; tried again every second");
        }
        Wire::Closed { retry: clock.instant() + REOPEN_PAUSE, why }
    }
}

async fn open(bus: &Bus, clock: &Clock) -> Result<Wire, String> {
    let wire = match &bus.connection {
        Connection::Serial { port } => SerialLine::open(port, bus.line, clock).map(Wire::Serial),
        Connection::ModbusTcp { host, port } => TcpConnection::open(host, *port).await.map(Wire::Tcp),
    };
    if wire.is_ok() {
        tracing::info!(link = bus.name, "link open");
    }
    wire
}

/// One reading for each channel that the exchange was for.
fn to_readings(planned: &PlannedExchange, attempt: &Attempt, clock: &Clock) -> Vec<Reading> {
    let Answer::Payload(payload) = &attempt.answer else {
        return failed_readings(planned.parts.iter(), attempt, clock);
    };
    let half = attempt.turn_round / 2;
    let utc_us = clock.utc_us_at(attempt.asked + half);
    let half_width_us = u32::try_from(clock.span_us(half)).unwrap_or(u32::MAX);
    let reading = |part: &Part| {
        let (value, quality) = graded(part.item.decode(&planned.query, payload), clock.state());
        Reading { channel: part.channel, utc_us, half_width_us, value, quality }
    };
    planned.parts.iter().map(reading).collect()
}

fn graded(decoded: Decoded, clock: ClockState) -> (Option<Raw>, Quality) {
    match (decoded, clock) {
        (Decoded::Value(raw), ClockState::Set) => (Some(raw), Quality::Good),
        (Decoded::Value(raw), ClockState::NotSet) => (Some(raw), Quality::Uncertain(Reason::ClockNotSet)),
        (Decoded::Absent, _) => (None, Quality::Bad(Reason::Absent)),
        (Decoded::Bad(_), _) => (None, Quality::Bad(Reason::Impossible)),
    }
}

/// That there is no value is a fact too: one bad reading for each channel, with the reason.
fn failed_readings<'a>(
    parts: impl Iterator<Item = &'a Part>,
    attempt: &Attempt,
    clock: &Clock,
) -> Vec<Reading> {
    let reason = match &attempt.answer {
        Answer::Refused(_) => Reason::Refused,
        Answer::Failed(Fault::Garbled | Fault::Jabber) => Reason::Garbled,
        Answer::Failed(Fault::LinkDown(_)) => Reason::LinkDown,
        Answer::Failed(Fault::NoAnswer) | Answer::Payload(_) => Reason::NoAnswer,
    };
    let utc_us = clock.utc_us_at(attempt.asked);
    parts
        .map(|part| Reading {
            channel: part.channel,
            utc_us,
            half_width_us: 0,
            value: None,
            quality: Quality::Bad(reason),
        })
        .collect()
}
