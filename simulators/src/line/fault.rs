//! What goes wrong on a line, from a seed: the same requests meet the same faults, run after run.

use std::time::Duration;

use super::Statistics;
use crate::draw::{Draw, Purpose};

/// How often a line misbehaves. Probabilities lie between 0 and 1; the default is a line without fault.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LineFaults {
    /// What the faults are drawn from.
    pub seed: u64,
    /// A byte, either way, arrives with one bit turned over.
    pub flip_per_byte: f64,
    /// A byte, either way, does not arrive; its time on the wire passes.
    pub loss_per_byte: f64,
    /// One to three stray 00 or FF stand before a reply, as on pairs without bias.
    pub glitch_per_reply: f64,
    /// The master hears what it sends, as with some two-wire adapters.
    pub echo: bool,
    /// The device ignores a request.
    pub mute_per_request: f64,
    /// The device answers later than its turn-round time.
    pub late_per_request: f64,
    /// By how much later.
    pub late_by: Duration,
    /// A frame of another address, with values of an hour ago, stands before a reply, as when a collector repeats one.
    pub foreign_per_reply: f64,
}

impl LineFaults {
    /// What a tolerable RS-485 trunk between machines does: about one reply in a hundred comes to harm.
    pub fn shop_floor(seed: u64) -> LineFaults {
        LineFaults {
            seed,
            flip_per_byte: 1e-4,
            loss_per_byte: 5e-5,
            glitch_per_reply: 0.02,
            echo: false,
            mute_per_request: 0.002,
            late_per_request: 0.002,
            late_by: Duration::from_millis(800),
            foreign_per_reply: 0.005,
        }
    }
}

/// The faults of one line, in the order in which they strike.
#[derive(Clone, Debug)]
pub(crate) struct FaultSource {
    faults: LineFaults,
    request_bytes: Draw,
    requests: Draw,
    reply_bytes: Draw,
}

/// What becomes of a request that a device has heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Answered,
    Late(Duration),
    Ignored,
}

impl FaultSource {
    pub(crate) fn new(faults: LineFaults) -> FaultSource {
        let draw = |purpose| Draw::new(faults.seed, purpose, 0);
        FaultSource {
            request_bytes: draw(Purpose::RequestBytes),
            requests: draw(Purpose::Request),
            reply_bytes: draw(Purpose::ReplyBytes),
            faults,
        }
    }

    /// Whether the master hears itself.
    pub(crate) fn echoes(&self) -> bool {
        self.faults.echo
    }

    /// What the devices hear of `sent`.
    pub(crate) fn towards_devices(&mut self, sent: &[u8], statistics: &mut Statistics) -> Vec<u8> {
        let arriving =
            sent.iter().map(|&byte| noisy(&self.faults, &mut self.request_bytes, byte, statistics));
        arriving.flatten().collect()
    }

    /// What the master hears of `sent`; `None` where a byte is lost.
    pub(crate) fn towards_master(&mut self, sent: &[u8], statistics: &mut Statistics) -> Vec<Option<u8>> {
        sent.iter().map(|&byte| noisy(&self.faults, &mut self.reply_bytes, byte, statistics)).collect()
    }

    /// What becomes of the next request.
    pub(crate) fn fate(&mut self, statistics: &mut Statistics) -> Fate {
        if self.requests.happens(self.faults.mute_per_request) {
            statistics.muted_requests += 1;
            return Fate::Ignored;
        }
        if self.requests.happens(self.faults.late_per_request) {
            statistics.late_replies += 1;
            return Fate::Late(self.faults.late_by);
        }
        Fate::Answered
    }

    /// Stray bytes before the next reply; mostly none.
    pub(crate) fn glitch(&mut self, statistics: &mut Statistics) -> Vec<u8> {
        if !self.requests.happens(self.faults.glitch_per_reply) {
            return Vec::new();
        }
        statistics.glitches += 1;
        let length = 1 + self.requests.below(3);
        (0..length).map(|_| if self.requests.below(2) == 0 { 0x00 } else { 0xff }).collect()
    }

    /// Whether a foreign frame stands before the next reply.
    pub(crate) fn foreign(&mut self, statistics: &mut Statistics) -> bool {
        let foreign = self.requests.happens(self.faults.foreign_per_reply);
        statistics.foreign_frames += u64::from(foreign);
        foreign
    }
}

fn noisy(faults: &LineFaults, draw: &mut Draw, byte: u8, statistics: &mut Statistics) -> Option<u8> {
    if draw.happens(faults.loss_per_byte) {
        statistics.lost_bytes += 1;
        return None;
    }
    if draw.happens(faults.flip_per_byte) {
        statistics.flipped_bytes += 1;
        return Some(byte ^ 1 << draw.below(8));
    }
    Some(byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strike(faults: LineFaults) -> (Vec<Vec<Option<u8>>>, Vec<Fate>, Statistics) {
        let mut source = FaultSource::new(faults);
        let mut statistics = Statistics::default();
        let replies = (0..500).map(|_| source.towards_master(&[0x68; 20], &mut statistics)).collect();
        let fates = (0..500)
            .map(|_| {
                source.glitch(&mut statistics);
                source.foreign(&mut statistics);
                source.fate(&mut statistics)
            })
            .collect();
        (replies, fates, statistics)
    }

    #[test]
    fn a_seed_is_a_run_of_faults() {
        let noisy = |seed| LineFaults { flip_per_byte: 0.01, ..LineFaults::shop_floor(seed) };
        assert_eq!(strike(noisy(1)), strike(noisy(1)));
        assert_ne!(strike(noisy(1)), strike(noisy(2)));
    }

    #[test]
    fn faults_strike_as_often_as_told() {
        let faults = LineFaults {
            seed: 3,
            flip_per_byte: 0.02,
            loss_per_byte: 0.01,
            glitch_per_reply: 0.2,
            mute_per_request: 0.1,
            late_per_request: 0.3,
            late_by: Duration::from_millis(9),
            foreign_per_reply: 0.05,
            echo: false,
        };
        let (replies, fates, statistics) = strike(faults);
        let near = |count: u64, expected: f64| {
            assert!((count as f64 - expected).abs() < 4.0 * expected.sqrt() + 1.0, "{count} for {expected}");
        };
        near(statistics.flipped_bytes, 198.0);
        near(statistics.lost_bytes, 100.0);
        near(statistics.glitches, 100.0);
        near(statistics.muted_requests, 50.0);
        near(statistics.late_replies, 135.0);
        near(statistics.foreign_frames, 25.0);
        let lost = replies.iter().flatten().filter(|byte| byte.is_none()).count() as u64;
        let flipped =
            replies.iter().flatten().flatten().filter(|&&byte| (byte ^ 0x68).count_ones() == 1).count()
                as u64;
        assert_eq!((lost, flipped), (statistics.lost_bytes, statistics.flipped_bytes));
        assert_eq!(
            fates.iter().filter(|&&fate| fate == Fate::Ignored).count() as u64,
            statistics.muted_requests
        );
    }

    #[test]
    fn a_line_without_fault_changes_nothing() {
        let (replies, fates, statistics) = strike(LineFaults::default());
        assert!(replies.iter().flatten().all(|byte| *byte == Some(0x68)));
        assert!(fates.iter().all(|fate| *fate == Fate::Answered));
        assert_eq!(statistics, Statistics::default());
    }
}
