//! What is due on one link. Pure: time comes in, decisions come out.
//!
//! Polls stand on the grid of the wall clock (a 10 s poll at :00, :10, :20), so readings of different devices and gateways line
//! up. A device that did not answer is not asked again before its late answer can no longer come: other devices have the line
//! meanwhile. One that stops answering is left alone but for one probe at growing intervals, so it costs the others little; its
//! first good reply puts it back at once.

use std::time::Duration;

/// Index of a poll within its link.
pub type PollIndex = usize;

/// How often a poll is tried within its period.
const ATTEMPTS: u32 = 2;
/// Failures in a row after which a device counts as silent.
const FAILURES_UNTIL_SILENT: u32 = 4;
/// The first pause between probes of a silent device; doubles each time.
const FIRST_PROBE_PAUSE: Duration = Duration::from_secs(2);
/// The longest pause between probes: a device is back within this time of its recovery at worst.
const LONGEST_PROBE_PAUSE: Duration = Duration::from_secs(60);

/// A poll that comes later than this was not crowded out: the gateway has learnt the time meanwhile.
const CLOCK_WAS_SET_US: i64 = 86_400_000_000;

/// One request that is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Poll {
    /// Whom it asks; equal numbers share one fate.
    pub device: usize,
    /// Period on the grid, in microseconds of UTC; positive.
    pub period_us: i64,
    /// Polls with equal numbers use the line with equal settings.
    pub line: usize,
    /// How long after a failed attempt its answer may still come, in microseconds of UTC.
    pub late_us: i64,
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Make this exchange.
    Exchange(PollIndex),
    /// Nothing is due before this time, UTC microseconds.
    Wait {
        /// When to ask again.
        until_utc_us: i64,
    },
}

/// How an exchange ended, as far as the schedule cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The device said something: a value, or that it refuses.
    Answered,
    /// It was asked and nothing usable came.
    Unanswered,
    /// It could not be asked: the link is down.
    NotAsked,
}

/// The polls of one link and how its devices fare.
#[derive(Clone, Debug)]
pub struct Schedule {
    polls: Vec<Poll>,
    due_utc_us: Vec<i64>,
    asked_utc_us: Vec<i64>,
    attempts: Vec<u32>,
    devices: Vec<Health>,
    held_until_utc_us: Vec<i64>,
    line: usize,
    speed: f64,
    skipped: u64,
}

#[derive(Clone, Copy, Debug)]
enum Health {
    Answers { failures: u32 },
    Silent { probe_utc_us: i64, pause: Duration },
}

impl Schedule {
    /// All polls due at the first grid point from `now_utc_us` on. `speed` is the clock's: pauses between probes are spans of
    /// real time.
    pub fn new(polls: Vec<Poll>, speed: f64, now_utc_us: i64) -> Self {
        let due_utc_us = polls.iter().map(|poll| grid_from(now_utc_us, poll.period_us)).collect();
        let asked_utc_us = vec![i64::MIN; polls.len()];
        let devices = polls.iter().map(|poll| poll.device + 1).max().unwrap_or(0);
        Self {
            due_utc_us,
            asked_utc_us,
            attempts: vec![0; polls.len()],
            devices: vec![Health::Answers { failures: 0 }; devices],
            held_until_utc_us: vec![i64::MIN; devices],
            polls,
            line: 0,
            speed,
            skipped: 0,
        }
    }

    /// Whether a device has stopped answering.
    pub fn is_silent(&self, device: usize) -> bool {
        matches!(self.devices[device], Health::Silent { .. })
    }

    /// Grid points that passed without their poll because the line was busy.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// What is to be done at `now_utc_us`: the poll that waits longest; of those of one grid point, one that needs no change of
    /// the line's settings, then the one that was asked longest ago.
    pub fn poll_next(&mut self, now_utc_us: i64) -> Next {
        self.let_silent_devices_rest(now_utc_us);
        let ready = (0..self.polls.len()).filter(|&poll| self.ready_utc_us(poll) <= now_utc_us);
        let first = ready.min_by_key(|&poll| {
            (self.due_utc_us[poll], self.polls[poll].line != self.line, self.asked_utc_us[poll])
        });
        let Some(poll) = first else {
            let soonest = (0..self.polls.len()).map(|poll| self.ready_utc_us(poll)).min();
            return Next::Wait { until_utc_us: soonest.unwrap_or(i64::MAX) };
        };
        self.line = self.polls[poll].line;
        self.asked_utc_us[poll] = now_utc_us;
        Next::Exchange(poll)
    }

    /// When a poll is due and its device free of answers that may still come.
    fn ready_utc_us(&self, poll: PollIndex) -> i64 {
        self.due_utc_us[poll].max(self.held_until_utc_us[self.polls[poll].device])
    }

    /// Takes note how the exchange of a poll ended, at `now_utc_us`. True if that is the last word for this grid point; false if
    /// the poll will be tried once more.
    pub fn handle_outcome(&mut self, poll: PollIndex, outcome: Outcome, now_utc_us: i64) -> bool {
        let Poll { device, period_us, late_us, .. } = self.polls[poll];
        self.devices[device] = self.health_after(device, outcome, now_utc_us);
        self.attempts[poll] += 1;
        let next = grid_from(self.asked_utc_us[poll] + 1, period_us);
        if outcome == Outcome::Unanswered {
            self.held_until_utc_us[device] = now_utc_us + late_us;
            if self.attempts[poll] < ATTEMPTS && !self.is_silent(device) && now_utc_us + late_us < next {
                return false;
            }
        }
        let passed_us = next - self.due_utc_us[poll];
        if passed_us < CLOCK_WAS_SET_US {
            self.skipped += u64::try_from(passed_us / period_us - 1).unwrap_or(0);
        }
        self.due_utc_us[poll] = next;
        self.attempts[poll] = 0;
        true
    }

    fn health_after(&self, device: usize, outcome: Outcome, now_utc_us: i64) -> Health {
        match (outcome, self.devices[device]) {
            // A silent device's probe that could not be made is put off like one that failed, or it would be due for ever.
            (Outcome::NotAsked, Health::Silent { pause, .. }) => self.silent_for(pause, now_utc_us),
            (Outcome::NotAsked, health) => health,
            (Outcome::Answered, _) => Health::Answers { failures: 0 },
            (Outcome::Unanswered, Health::Answers { failures }) if failures + 1 < FAILURES_UNTIL_SILENT => {
                Health::Answers { failures: failures + 1 }
            }
            (Outcome::Unanswered, Health::Answers { .. }) => self.silent_for(FIRST_PROBE_PAUSE, now_utc_us),
            (Outcome::Unanswered, Health::Silent { pause, .. }) => {
                self.silent_for((pause * 2).min(LONGEST_PROBE_PAUSE), now_utc_us)
            }
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "a minute, scaled, fits")]
    fn silent_for(&self, pause: Duration, now_utc_us: i64) -> Health {
        Health::Silent { probe_utc_us: now_utc_us + (pause.as_secs_f64() * self.speed * 1e6) as i64, pause }
    }

    /// Of a silent device only its first due poll stays, at the time of its probe; the others follow their grid unseen.
    fn let_silent_devices_rest(&mut self, now_utc_us: i64) {
        for poll in 0..self.polls.len() {
            let Poll { device, period_us, .. } = self.polls[poll];
            let Health::Silent { probe_utc_us, .. } = self.devices[device] else { continue };
            let is_probe = self.polls.iter().position(|other| other.device == device) == Some(poll);
            if is_probe {
                self.due_utc_us[poll] = probe_utc_us;
            } else if self.due_utc_us[poll] <= now_utc_us {
                self.due_utc_us[poll] = grid_from(now_utc_us + 1, period_us);
            }
        }
    }
}

/// The first grid point at or after a time.
fn grid_from(utc_us: i64, period_us: i64) -> i64 {
    utc_us
        .div_euclid(period_us)
        .saturating_add(i64::from(utc_us.rem_euclid(period_us) != 0))
        .saturating_mul(period_us)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: i64 = 1_000_000;

    fn poll(device: usize, seconds: i64, line: usize) -> Poll {
        Poll { device, period_us: seconds * SECOND, line, late_us: SECOND / 5 }
    }

    /// Runs a schedule with exchanges of a fixed length; returns (time, poll, probe) of each.
    fn run(
        polls: &[Poll],
        exchange_us: i64,
        until_us: i64,
        answers: impl Fn(usize, i64) -> bool,
    ) -> Vec<(i64, PollIndex, bool)> {
        let (mut now, mut made) = (0, Vec::new());
        let mut schedule = Schedule::new(polls.to_vec(), 1.0, now);
        while now < until_us {
            match schedule.poll_next(now) {
                Next::Wait { until_utc_us } => now = until_utc_us,
                Next::Exchange(poll) => {
                    made.push((now, poll, schedule.is_silent(polls[poll].device)));
                    now += exchange_us;
                    let answered = answers(polls[poll].device, now);
                    let outcome = if answered { Outcome::Answered } else { Outcome::Unanswered };
                    schedule.handle_outcome(poll, outcome, now);
                }
            }
        }
        made
    }

    #[test]
    fn polls_stand_on_the_grid_and_group_by_line_settings() {
        let polls = [poll(0, 10, 0), poll(1, 10, 1), poll(2, 10, 0), poll(3, 5, 1)];
        let made = run(&polls, 1_000, 20 * SECOND, |_, _| true);
        let order: Vec<_> = made.iter().map(|(now, poll, _)| (now / SECOND, *poll)).collect();
        let expected = [(0, 0), (0, 2), (0, 1), (0, 3), (5, 3), (10, 1), (10, 3), (10, 0), (10, 2), (15, 3)];
        assert_eq!(order, expected);
    }

    #[test]
    fn an_overloaded_line_serves_all_in_turn_and_counts_what_it_skips() {
        let polls = [poll(0, 1, 0), poll(1, 1, 0), poll(2, 1, 0)];
        let made = run(&polls, SECOND / 2, 60 * SECOND, |_, _| true);
        for index in 0..3 {
            let times = made.iter().filter(|(_, poll, _)| *poll == index).count();
            assert!((38..=42).contains(&times), "poll {index}: {times} of 120 exchanges");
        }
    }

    #[test]
    fn after_a_failure_others_have_the_line_until_no_late_answer_can_come() {
        let polls = [poll(0, 10, 0), poll(0, 10, 0), poll(1, 10, 0)];
        let fails_first = |device: usize, now: i64| device == 1 || now > SECOND / 10;
        let made = run(&polls, SECOND / 10, 9 * SECOND, fails_first);
        let order: Vec<_> = made.iter().map(|(now, poll, _)| (now / (SECOND / 10), *poll)).collect();
        assert_eq!(
            order,
            [(0, 0), (1, 2), (3, 1), (4, 0)],
            "device 0 rests from 0.1 s to 0.3 s, then both its polls run"
        );
    }

    #[test]
    fn a_dead_device_is_probed_at_growing_intervals_and_comes_back_at_once() {
        let polls = [poll(0, 1, 0), poll(0, 1, 0), poll(1, 1, 0)];
        let dead = |device: usize, now: i64| device == 1 || !(10 * SECOND..400 * SECOND).contains(&now);
        let made = run(&polls, SECOND / 10, 600 * SECOND, dead);
        let probes: Vec<_> = made
            .iter()
            .filter(|(_, poll, probe)| *probe && *poll < 2)
            .map(|(now, _, _)| now / SECOND)
            .collect();
        assert!((5..12).contains(&probes.len()), "{probes:?}");
        assert!(probes.windows(3).all(|pair| pair[2] - pair[1] + 1 >= pair[1] - pair[0]), "{probes:?}");
        assert!(*probes.last().unwrap() < 460, "back within the longest pause: {probes:?}");
        let others = made.iter().filter(|(_, poll, _)| *poll == 2).count();
        assert_eq!(others, 600, "the other device keeps its period");
        let after = made.iter().filter(|(now, poll, _)| *now > 460 * SECOND && *poll < 2).count();
        assert!(after >= 278, "back at both polls: {after}");
    }

    #[test]
    fn a_silent_device_on_a_lost_link_is_not_asked_without_end() {
        let mut schedule = Schedule::new(vec![poll(0, 1, 0), poll(0, 1, 0)], 1.0, 0);
        let (mut now, mut attempts) = (0, 0);
        while now < 100 * SECOND {
            match schedule.poll_next(now) {
                Next::Wait { until_utc_us } => now = until_utc_us,
                Next::Exchange(poll) => {
                    attempts += 1;
                    assert!(attempts < 1_000, "at {now} us");
                    let outcome = if now < 10 * SECOND { Outcome::Unanswered } else { Outcome::NotAsked };
                    schedule.handle_outcome(poll, outcome, now);
                }
            }
        }
        assert!(schedule.is_silent(0));
    }

    #[test]
    fn a_clock_that_is_set_late_is_no_overload() {
        let now_utc_us = 1_800_000_000 * SECOND;
        let mut schedule = Schedule::new(vec![poll(0, 10, 0)], 1.0, 5 * SECOND);
        assert_eq!(schedule.poll_next(now_utc_us), Next::Exchange(0));
        schedule.handle_outcome(0, Outcome::Answered, now_utc_us + SECOND);
        assert_eq!(schedule.skipped(), 0);
        assert_eq!(
            schedule.poll_next(now_utc_us + SECOND),
            Next::Wait { until_utc_us: now_utc_us + 10 * SECOND }
        );
    }

    proptest! {
        #[test]
        fn nothing_runs_before_its_time_or_twice_in_a_period(
            periods in prop::collection::vec((1_i64..20, 0_usize..4, 0_usize..2), 1..8),
            exchange_us in 1_000_i64..400_000,
        ) {
            let polls: Vec<_> = periods.iter().map(|(seconds, device, line)| poll(*device, *seconds, *line)).collect();
            let made = run(&polls, exchange_us, 120 * SECOND, |_, _| true);
            for (index, poll) in polls.iter().enumerate() {
                let slots: Vec<_> = made.iter().filter(|made| made.1 == index).map(|made| made.0 / poll.period_us).collect();
                prop_assert!(slots.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", slots);
                prop_assert!(!slots.is_empty());
            }
        }
    }
}
