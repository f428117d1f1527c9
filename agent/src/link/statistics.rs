//! How the links fare, for the page and for `weighbridge status`.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::plan::Bus;
use super::{Answer, Attempt, Fault};
use crate::clock::Clock;
use crate::schedule::Schedule;

/// Weight of the newest exchange in the mean answer time.
const NEWEST_SHARE: f64 = 0.1;

/// Figures of one link since the start of the agent.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct LinkStatistics {
    /// Whether the port is open.
    pub up: bool,
    /// Why it is not.
    pub reason: Option<String>,
    /// Exchanges made.
    pub exchanges: u64,
    /// Of them, answered with values.
    pub good: u64,
    /// Answered with a refusal.
    pub refused: u64,
    /// Not answered, or not usably.
    pub failed: u64,
    /// Bytes that belonged to no reply: noise, echoes, late answers.
    pub dropped_bytes: u64,
    /// Sound frames that were not for us.
    pub foreign_frames: u64,
    /// Grid points that passed without their poll.
    pub skipped: u64,
    /// Seconds of real time in which the line was taken.
    pub busy_seconds: f64,
    /// Share of time since the start in which the line was taken, 0 to 1.
    pub busy_share: f64,
}

/// Figures of one device.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct DeviceStatistics {
    /// Index of the device in the site.
    #[serde(skip)]
    pub site_index: usize,
    /// Exchanges made.
    pub exchanges: u64,
    /// Not answered, or not usably.
    pub failed: u64,
    /// Whether it is only probed.
    pub silent: bool,
    /// Whether it refused the last time.
    pub refusing: bool,
    /// When it last answered with values, UTC microseconds.
    pub last_good_utc_us: Option<i64>,
    /// What last went wrong, in words.
    pub last_error: Option<String>,
    /// Mean time from request to answer, milliseconds of real time.
    pub answer_ms: Option<f64>,
}

/// The shared figures of one link.
#[derive(Debug)]
pub struct Statistics {
    begun: tokio::time::Instant,
    figures: Mutex<(LinkStatistics, Vec<DeviceStatistics>)>,
}

impl Statistics {
    /// All zero.
    pub fn new(bus: &Bus, clock: &Clock) -> Self {
        let device = |site_index| DeviceStatistics { site_index, ..DeviceStatistics::default() };
        let devices = bus.devices.iter().map(|on_bus| device(on_bus.site_index)).collect();
        Self { begun: clock.instant(), figures: Mutex::new((LinkStatistics::default(), devices)) }
    }

    /// A copy of the figures: the link's, and those of its devices.
    pub fn snapshot(&self, clock: &Clock) -> (LinkStatistics, Vec<DeviceStatistics>) {
        let (mut link, devices) = self.figures().clone();
        let age = (clock.instant() - self.begun).as_secs_f64();
        link.busy_share = if age > 0.0 { (link.busy_seconds / age).min(1.0) } else { 0.0 };
        (link, devices)
    }

    pub(super) fn record(&self, device: usize, attempt: &Attempt, schedule: &Schedule, clock: &Clock) {
        let mut figures = self.figures();
        let (link, devices) = &mut *figures;
        let device_figures = &mut devices[device];
        link.count(attempt, schedule.skipped());
        device_figures.count(attempt, clock);
        device_figures.silent = schedule.is_silent(device);
    }

    fn figures(&self) -> MutexGuard<'_, (LinkStatistics, Vec<DeviceStatistics>)> {
        self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LinkStatistics {
    fn count(&mut self, attempt: &Attempt, skipped: u64) {
        self.exchanges += 1;
        self.skipped = skipped;
        self.busy_seconds += attempt.busy.as_secs_f64();
        self.dropped_bytes += u64::from(attempt.dropped.noise_bytes) + u64::from(attempt.dropped.echo_bytes);
        self.foreign_frames += u64::from(attempt.dropped.foreign_frames);
        (self.up, self.reason) = match &attempt.answer {
            Answer::Failed(Fault::LinkDown(why)) => (false, Some(why.clone())),
            _ => (true, None),
        };
        match &attempt.answer {
            Answer::Payload(_) => self.good += 1,
            Answer::Refused(_) => self.refused += 1,
            Answer::Failed(_) => self.failed += 1,
        }
    }
}

impl DeviceStatistics {
    fn count(&mut self, attempt: &Attempt, clock: &Clock) {
        self.exchanges += 1;
        self.refusing = matches!(attempt.answer, Answer::Refused(_));
        match &attempt.answer {
            Answer::Payload(_) => {
                self.last_good_utc_us = Some(clock.utc_us_at(attempt.asked));
                self.answer_ms = Some(smoothed(self.answer_ms, attempt.turn_round));
            }
            Answer::Refused(refusal) => self.last_error = Some(refusal.to_string()),
            Answer::Failed(fault) => {
                self.failed += 1;
                self.last_error = Some(fault.to_string());
            }
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoAnswer => {
                write!(f, "no answer in time: is it powered, is the address right, are A and B swapped?")
            }
            Self::Garbled => {
                write!(f, "bytes came, but no sound frame that answers: baud rate, parity, or noise")
            }
            Self::Jabber => write!(f, "the line is never quiet: something on it talks without being asked"),
            Self::LinkDown(why) => write!(f, "the link is down: {why}"),
        }
    }
}

fn smoothed(mean_ms: Option<f64>, newest: Duration) -> f64 {
    let newest_ms = newest.as_secs_f64() * 1e3;
    mean_ms.map_or(newest_ms, |mean_ms| mean_ms + NEWEST_SHARE * (newest_ms - mean_ms))
}
