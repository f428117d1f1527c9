//! The one place that reads time.
//!
//! UTC is tied to the monotonic clock once and never follows a step of the wall clock, so readings are never reordered. A
//! gateway that boots without a battery starts in 1970 or at its build date: such a clock is `ClockState::NotSet`, and its
//! readings say so until the wall clock has become plausible. Times are microseconds since 1970-01-01T00:00:00Z, `i64`.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Wall clocks before this instant (2025-01-01T00:00:00Z) cannot be right: the program is younger.
const EARLIEST_PLAUSIBLE_UTC_US: i64 = 1_735_689_600_000_000;

/// Monotonic time tied to UTC. Cheap to clone; all clones agree.
#[derive(Clone, Debug)]
pub struct Clock {
    anchor: Arc<Anchor>,
}

#[derive(Debug)]
struct Anchor {
    instant: Instant,
    utc_us: AtomicI64,
    /// Microseconds of UTC for one of monotonic time: 1 but for the demo.
    speed: f64,
    follows_wall: bool,
}

/// Whether times are worth anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockState {
    /// The wall clock was plausible when it was last read.
    Set,
    /// The gateway does not know the time yet.
    NotSet,
}

impl Clock {
    /// A clock tied to the wall clock as it stands now.
    pub fn system() -> Self {
        Self::new(wall_utc_us(), 1.0, true)
    }

    /// A clock that starts at `start_utc_us` and runs `speed` times as fast as the monotonic clock.
    pub fn simulated(start_utc_us: i64, speed: f64) -> Self {
        Self::new(start_utc_us, speed, false)
    }

    fn new(utc_us: i64, speed: f64, follows_wall: bool) -> Self {
        let anchor = Anchor { instant: Instant::now(), utc_us: AtomicI64::new(utc_us), speed, follows_wall };
        Self { anchor: Arc::new(anchor) }
    }

    /// Monotonic now.
    pub fn instant(&self) -> Instant {
        Instant::now()
    }

    /// UTC now, in microseconds.
    pub fn now_utc_us(&self) -> i64 {
        self.utc_us_at(Instant::now())
    }

    /// UTC at a monotonic instant, in microseconds.
    #[expect(clippy::cast_possible_truncation, reason = "microseconds since 1970 fit i64 for 292 000 years")]
    pub fn utc_us_at(&self, instant: Instant) -> i64 {
        let anchor = self.anchor.instant;
        let since = match instant.checked_duration_since(anchor) {
            Some(after) => after.as_secs_f64(),
            None => -(anchor.duration_since(instant).as_secs_f64()),
        };
        self.anchor.utc_us.load(Ordering::Relaxed) + (since * self.anchor.speed * 1e6).round() as i64
    }

    /// The monotonic instant of a time to come; now for one that has passed.
    pub fn instant_at(&self, utc_us: i64) -> Instant {
        let now = Instant::now();
        let ahead_us = utc_us.saturating_sub(self.utc_us_at(now)).max(0);
        now + Duration::from_secs_f64(ahead_us as f64 / self.anchor.speed / 1e6)
    }

    /// A span of monotonic time, in microseconds of UTC.
    #[expect(clippy::cast_possible_truncation, reason = "spans are far below 292 000 years")]
    pub fn span_us(&self, span: Duration) -> i64 {
        (span.as_secs_f64() * self.anchor.speed * 1e6).round() as i64
    }

    /// How many times faster than real time this clock runs.
    pub fn speed(&self) -> f64 {
        self.anchor.speed
    }

    /// Whether the time is known.
    pub fn state(&self) -> ClockState {
        if self.anchor.follows_wall && self.now_utc_us() < EARLIEST_PLAUSIBLE_UTC_US {
            ClockState::NotSet
        } else {
            ClockState::Set
        }
    }

    /// Wall clock minus this one, in microseconds: 0 but for steps of the wall clock, which are told and not followed.
    pub fn wall_offset_us(&self) -> i64 {
        if self.anchor.follows_wall { wall_utc_us() - self.now_utc_us() } else { 0 }
    }

    /// Ties a clock that was not set anew once the wall clock is plausible; a set clock stays as it is. The offset afterwards.
    pub fn observe_wall(&self) -> i64 {
        let offset_us = self.wall_offset_us();
        if self.state() == ClockState::NotSet && wall_utc_us() >= EARLIEST_PLAUSIBLE_UTC_US {
            self.anchor.utc_us.fetch_add(offset_us, Ordering::Relaxed);
            return 0;
        }
        offset_us
    }
}

fn wall_utc_us() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX)
}

/// ISO 8601 in UTC with milliseconds, as every document and message of Weighbridge writes a time.
pub fn iso8601(utc_us: i64) -> String {
    chrono::DateTime::from_timestamp_micros(utc_us)
        .map(|time| time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
        .unwrap_or_else(|| format!("{utc_us} us"))
}

/// Reads a time with its zone (`2026-11-21T08:00:00+08:00` or `...Z`).
///
/// # Errors
/// A sentence for people when the text is no such time.
pub fn parse_iso8601(text: &str) -> Result<i64, String> {
    chrono::DateTime::parse_from_rfc3339(text).map(|time| time.timestamp_micros()).map_err(|why| {
        format!("`{text}` is not a time with its zone ({why}); write it like 2026-11-21T08:00:00+08:00")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn simulated_time_runs_at_its_speed() {
        let clock = Clock::simulated(1_000_000, 20.0);
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(clock.now_utc_us(), 11_000_000);
        let due = clock.instant_at(31_000_000);
        assert_eq!(due - clock.instant(), Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn an_unset_clock_says_so_and_is_tied_anew_once() {
        let clock = Clock::new(5_000_000, 1.0, true);
        assert_eq!(clock.state(), ClockState::NotSet);
        assert_eq!(clock.observe_wall(), 0);
        assert_eq!(clock.state(), ClockState::Set);
        assert!((clock.now_utc_us() - wall_utc_us()).abs() < 1_000_000);
    }

    #[test]
    fn times_are_written_and_read() {
        let text = "2026-11-21T08:00:00.250Z";
        assert_eq!(iso8601(parse_iso8601(text).unwrap()), text);
        assert_eq!(parse_iso8601("2026-11-21T16:00:00.250+08:00"), parse_iso8601(text));
        assert!(parse_iso8601("yesterday").unwrap_err().contains("yesterday"));
    }
}
