//! A half-duplex line with devices on it, as a pure model: what is on the wire when, and what goes wrong on it.
//!
//! Time is nanoseconds since any fixed instant, handed in. A request occupies the wire from the moment that it arrives, or
//! from the end of what came before it; a device has heard it when its last bit has passed, and begins to reply its
//! turn-round time later. **The values of a reply are those of the instant at which it begins.**
//!
//! A device hears only what comes at its own rate. Two sides that send at once garble each other.

mod fault;
mod rate;
mod statistics;

pub use fault::LineFaults;
pub use statistics::Statistics;

use std::time::Duration;

use fault::{Fate, FaultSource};
use rate::{Transmission, frame_gap_ns, garbled, masters_line};

use crate::device::{Device, Request};

/// How far the wire may be booked ahead before the master's further bytes have to wait, as in a port's send buffer.
const BOOKED_AHEAD_NS: u64 = 100_000_000;

/// A half-duplex line and the devices on it.
#[derive(Debug)]
pub struct Line {
    devices: Vec<Device>,
    faults: FaultSource,
    statistics: Statistics,
    /// Replies that wait for their turn-round time.
    waiting: Vec<Waiting>,
    /// Echoes and replies on the wire.
    sending: Vec<Transmission>,
    /// When the last byte from the master has passed or will have passed.
    request_until_ns: u64,
    /// When the last byte of a reply has passed or will have passed.
    reply_until_ns: u64,
}

#[derive(Debug)]
struct Waiting {
    device: usize,
    request: Request,
    heard_ns: u64,
    begins_ns: u64,
}

impl Line {
    /// A silent line with `devices` on it.
    pub fn new(devices: Vec<Device>, faults: LineFaults) -> Line {
        Line {
            devices,
            faults: FaultSource::new(faults),
            statistics: Statistics::default(),
            waiting: Vec::new(),
            sending: Vec::new(),
            request_until_ns: 0,
            reply_until_ns: 0,
        }
    }

    /// What happened so far.
    pub fn statistics(&self) -> Statistics {
        self.statistics
    }

    /// From when on the line takes bytes from the master; before that they have to wait, as behind a full send buffer.
    pub fn free_from_ns(&self) -> u64 {
        self.request_until_ns.saturating_sub(BOOKED_AHEAD_NS)
    }

    /// Takes bytes that the master hands to its port at `now_ns`, the port being set to `baud`.
    pub fn handle_bytes(&mut self, now_ns: u64, baud: u32, bytes: &[u8]) {
        if baud == 0 || bytes.is_empty() {
            return;
        }
        let line = masters_line(baud, self.devices.iter().map(Device::line));
        let begins_ns = now_ns.max(self.request_until_ns);
        self.count_what_is_in_the_way(begins_ns, frame_gap_ns(line));
        let silence_ns = begins_ns - self.request_until_ns.max(self.reply_until_ns).min(begins_ns);
        self.request_until_ns = begins_ns + line.duration_ns(bytes.len() as u64);

        if self.faults.echoes() {
            let echoed = self.faults.towards_master(bytes, &mut self.statistics);
            self.sending.push(Transmission::echo(echoed, line, begins_ns));
        }
        if !self.devices.iter().any(|device| device.line().baud == baud) {
            self.statistics.unheard_bytes += bytes.len() as u64;
        }
        let heard = self.faults.towards_devices(bytes, &mut self.statistics);
        let collided = begins_ns < self.reply_until_ns;
        for device in 0..self.devices.len() {
            self.devices[device].handle_silence(silence_ns);
            self.let_hear(device, baud, collided, &heard);
        }
    }

    /// When [`Line::handle_time`] is to be called next; `None` while nothing is under way.
    pub fn poll_wake_ns(&self) -> Option<u64> {
        let begins = self.waiting.iter().map(|waiting| waiting.begins_ns);
        begins.chain(self.sending.iter().filter_map(Transmission::wake_ns)).min()
    }

    /// Lets replies begin whose time has come, with the plant's values at `utc_us`, and returns the bytes that the master's
    /// port has received by `now_ns`, the port being set to `baud`.
    pub fn handle_time(&mut self, now_ns: u64, baud: u32, utc_us: i64) -> Vec<u8> {
        while let Some(next) = self.next_reply(now_ns) {
            self.begin_reply(next, now_ns, utc_us);
        }
        let mut received = Vec::new();
        for sent in &mut self.sending {
            let released = sent.release(now_ns);
            let understood = sent.line.baud == baud;
            received.extend(released.into_iter().map(|byte| if understood { byte } else { garbled(byte) }));
        }
        let over = self.sending.extract_if(.., |sent| sent.is_over());
        self.statistics.replies_sent += over.filter(|sent| sent.is_reply).count() as u64;
        received
    }

    fn count_what_is_in_the_way(&mut self, begins_ns: u64, gap_ns: u64) {
        let first_after_reply = self.request_until_ns <= self.reply_until_ns;
        if first_after_reply && self.reply_until_ns > 0 && begins_ns < self.reply_until_ns + gap_ns {
            self.statistics.requests_too_early += 1;
        }
        if begins_ns < self.reply_until_ns {
            self.statistics.collisions += 1;
            self.sending.iter_mut().for_each(Transmission::garble_rest);
        }
    }

    fn let_hear(&mut self, device: usize, baud: u32, collided: bool, heard: &[u8]) {
        let own = self.devices[device].line();
        let request = if own.baud == baud && !collided {
            self.devices[device].hear(heard)
        } else {
            let noise: Vec<u8> = heard.iter().copied().map(garbled).collect();
            self.devices[device].hear(&noise)
        };
        let Some(request) = request else { return };
        self.statistics.requests_heard += 1;
        let late_ns = match self.faults.fate(&mut self.statistics) {
            Fate::Ignored => return,
            Fate::Late(by) => nanoseconds(by),
            Fate::Answered => 0,
        };
        let heard_ns = self.request_until_ns;
        let begins_ns =
            heard_ns.saturating_add(nanoseconds(self.devices[device].turn_round())).saturating_add(late_ns);
        self.waiting.push(Waiting { device, request, heard_ns, begins_ns });
    }

    /// Takes out the reply that begins first, if it begins by `now_ns`.
    fn next_reply(&mut self, now_ns: u64) -> Option<Waiting> {
        let waiting = self.waiting.iter().enumerate();
        let (first, _) = waiting.min_by_key(|(_, waiting)| waiting.begins_ns)?;
        (self.waiting[first].begins_ns <= now_ns).then(|| self.waiting.swap_remove(first))
    }

    fn begin_reply(&mut self, waiting: Waiting, now_ns: u64, utc_us: i64) {
        let device = &self.devices[waiting.device];
        let mut bytes = self.faults.glitch(&mut self.statistics);
        if self.faults.foreign(&mut self.statistics) {
            bytes.extend(device.foreign_answer(&waiting.request, utc_us));
        }
        bytes.extend(device.answer(&waiting.request, utc_us));
        let arriving = self.faults.towards_master(&bytes, &mut self.statistics);
        let mut reply = Transmission::reply(arriving, device.line(), now_ns);
        if self.collides(now_ns) {
            self.statistics.collisions += 1;
            self.sending.iter_mut().for_each(Transmission::garble_rest);
            reply.garble_rest();
        }
        self.reply_until_ns = self.reply_until_ns.max(reply.ends_ns());
        self.sending.push(reply);
    }

    /// Whether something else is on the wire; a request that is still under way will be understood by no one.
    fn collides(&mut self, now_ns: u64) -> bool {
        self.waiting.retain(|waiting| waiting.heard_ns <= now_ns);
        now_ns < self.request_until_ns || now_ns < self.reply_until_ns
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
