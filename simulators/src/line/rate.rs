//! When each byte is on the wire.

use weighbridge_config::profile::{LineSettings, Parity};

/// Bytes of a reply are handed over in bunches of at most this length on the wire, except for the first and the last one, which
/// come exactly when they are due: waking for each byte at 9600 bit/s would cost more than it shows.
const BUNCH_NS: u64 = 7_000_000;

/// The silence that ends a frame: 3.5 characters, above 19 200 bit/s 1.75 ms (Modbus over Serial Line V1.02, 2.5.1.1).
pub(crate) fn frame_gap_ns(line: LineSettings) -> u64 {
    if line.baud > 19_200 { 1_750_000 } else { line.duration_ns(7) / 2 }
}

/// Settings at which a character of a master that set `baud` is counted: those of a device at this rate, the slowest if they
/// differ, since a pseudo-terminal tells the rate but not the parity; without any, 8E1.
pub(crate) fn masters_line(baud: u32, devices: impl Iterator<Item = LineSettings>) -> LineSettings {
    let own = devices.filter(|line| line.baud == baud).max_by_key(|line| line.bits_per_character());
    own.unwrap_or(LineSettings { baud, parity: Parity::Even, stop_bits: 1 })
}

/// Bytes on their way to the master, each due when its last bit has left the wire.
#[derive(Clone, Debug)]
pub(crate) struct Transmission {
    /// `None` where a byte is lost: its time passes.
    bytes: Vec<Option<u8>>,
    /// Settings of the sender.
    pub(crate) line: LineSettings,
    /// Whether a device sends it; otherwise it is an echo.
    pub(crate) is_reply: bool,
    begins_ns: u64,
    released: usize,
}

impl Transmission {
    pub(crate) fn reply(bytes: Vec<Option<u8>>, line: LineSettings, begins_ns: u64) -> Transmission {
        Transmission { bytes, line, is_reply: true, begins_ns, released: 0 }
    }

    pub(crate) fn echo(bytes: Vec<Option<u8>>, line: LineSettings, begins_ns: u64) -> Transmission {
        Transmission { bytes, line, is_reply: false, begins_ns, released: 0 }
    }

    /// When the last byte is due.
    pub(crate) fn ends_ns(&self) -> u64 {
        self.due_ns(self.bytes.len())
    }

    /// Whether every byte has been released.
    pub(crate) fn is_over(&self) -> bool {
        self.released == self.bytes.len()
    }

    /// When to release next; `None` once it is over.
    pub(crate) fn wake_ns(&self) -> Option<u64> {
        if self.is_over() {
            return None;
        }
        let bunch = if self.released == 0 { 1 } else { self.characters_in_bunch() };
        Some(self.due_ns((self.released + bunch).min(self.bytes.len())))
    }

    /// Bytes that are due at `now_ns` and were not released before.
    pub(crate) fn release(&mut self, now_ns: u64) -> Vec<u8> {
        let from = self.released;
        while !self.is_over() && self.due_ns(self.released + 1) <= now_ns {
            self.released += 1;
        }
        self.bytes[from..self.released].iter().copied().flatten().collect()
    }

    /// Changes every byte that has not been released.
    pub(crate) fn garble_rest(&mut self) {
        self.bytes[self.released..].iter_mut().flatten().for_each(|byte| *byte = garbled(*byte));
    }

    fn characters_in_bunch(&self) -> usize {
        let characters = BUNCH_NS / self.line.duration_ns(1).max(1);
        usize::try_from(characters).map_or(usize::MAX, |characters| characters.max(1))
    }

    fn due_ns(&self, characters: usize) -> u64 {
        self.begins_ns + self.line.duration_ns(characters as u64)
    }
}

/// What a receiver makes of a byte that collided or came at another rate than its own.
pub(crate) fn garbled(byte: u8) -> u8 {
    byte.wrapping_mul(5).wrapping_add(0xa3)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SLOW: LineSettings = LineSettings { baud: 2400, parity: Parity::Even, stop_bits: 1 };
    const FAST: LineSettings = LineSettings { baud: 9600, parity: Parity::None, stop_bits: 1 };

    #[test]
    fn gaps_by_rate() {
        for (baud, gap_ns) in
            [(2400, 16_041_666), (19_200, 2_005_208), (38_400, 1_750_000), (115_200, 1_750_000)]
        {
            let line = LineSettings { baud, ..SLOW };
            assert_eq!(frame_gap_ns(line), gap_ns, "at {baud}");
        }
    }

    #[test]
    fn a_masters_character_is_counted_as_that_of_the_devices_at_its_rate() {
        let devices = || [SLOW, FAST, LineSettings { parity: Parity::Odd, ..FAST }].into_iter();
        assert_eq!(masters_line(2400, devices()), SLOW);
        assert_eq!(masters_line(9600, devices()).bits_per_character(), 11);
        assert_eq!(masters_line(9600, [FAST].into_iter()), FAST);
        assert_eq!(masters_line(1200, devices()).bits_per_character(), 11);
    }

    /// Wakes exactly when asked to; returns the instants and what was released at each.
    fn play(mut sent: Transmission) -> Vec<(u64, Vec<u8>)> {
        let mut played = Vec::new();
        while let Some(wake_ns) = sent.wake_ns() {
            played.push((wake_ns, sent.release(wake_ns)));
        }
        played
    }

    #[test]
    fn twenty_characters_at_2400_8e1_take_their_91_ms() {
        let bytes: Vec<u8> = (0..20).collect();
        let played =
            play(Transmission::reply(bytes.iter().copied().map(Some).collect(), SLOW, 1_000_000_000));
        assert_eq!(played.first().unwrap(), &(1_004_583_333, vec![0]));
        assert_eq!(played.last().unwrap(), &(1_091_666_666, vec![19]));
        assert_eq!(played.iter().flat_map(|(_, bytes)| bytes.clone()).collect::<Vec<u8>>(), bytes);
    }

    #[test]
    fn what_is_garbled_is_only_what_was_still_to_come() {
        let mut sent = Transmission::reply(vec![Some(1), Some(2), None, Some(3)], SLOW, 0);
        assert_eq!(sent.release(SLOW.duration_ns(1)), [1]);
        sent.garble_rest();
        assert_eq!(sent.release(u64::MAX), [garbled(2), garbled(3)]);
        assert!((0..=255).all(|byte| garbled(byte) != byte));
    }

    proptest! {
        #[test]
        fn no_byte_is_early_and_none_waits_longer_than_a_bunch(
            length in 1_usize..260, baud in prop::sample::select(vec![600_u32, 1200, 2400, 9600, 19_200, 115_200]), begins_ns in 0..u64::MAX / 4,
        ) {
            let line = LineSettings { baud, ..FAST };
            let played = play(Transmission::reply(vec![Some(0x55); length], line, begins_ns));
            let longest_ns = BUNCH_NS.max(line.duration_ns(1)) + 1;
            let mut released = 0;
            for (at_ns, bytes) in &played {
                prop_assert!(!bytes.is_empty(), "a wake-up for nothing");
                prop_assert!(*at_ns <= begins_ns + line.duration_ns(released as u64) + longest_ns);
                released += bytes.len();
                prop_assert!(*at_ns >= begins_ns + line.duration_ns(released as u64));
            }
            prop_assert_eq!(played[0].0, begins_ns + line.duration_ns(1));
            prop_assert_eq!(released, length);
            prop_assert_eq!(played.last().unwrap().0, begins_ns + line.duration_ns(length as u64));
            let most = 2 + 2 * line.duration_ns(length as u64) / BUNCH_NS;
            prop_assert!(played.len() as u64 <= most, "{} wake-ups", played.len());
        }
    }
}
