//! A reading: channel, time, value as the device sent it, quality.

use weighbridge_config::profile::ChannelKind;
use weighbridge_config::site::{Channel, Device};
use weighbridge_protocol::{Decimal, Raw};

/// Identity of one revision of one channel in the store; survives restarts and edits of the site file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChannelId(pub u32);

/// What a device said (or that it did not) about one quantity at one instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// Which quantity of which device.
    pub channel: ChannelId,
    /// The instant that the value stands for, UTC microseconds: the middle between the end of the request and the first byte
    /// of the answer. Of a poll that failed: the end of its request.
    pub utc_us: i64,
    /// Half of that span in microseconds: the device sampled within `utc_us` +- this.
    pub half_width_us: u32,
    /// As sent: a count of the register's last digit, or an IEEE-754 number bit for bit. `None` when there is none.
    pub value: Option<Raw>,
    /// What the value is worth.
    pub quality: Quality,
}

/// What a value is worth, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quality {
    /// As the device sent it, at a known time.
    Good,
    /// There is a value, with a doubt.
    Uncertain(Reason),
    /// There is no value to use.
    Bad(Reason),
}

/// Why a reading is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Reason {
    /// Nothing came back in time.
    NoAnswer = 1,
    /// Bytes came back, but no frame with a good checksum that belongs to the request.
    Garbled = 2,
    /// The device answered that it will not or cannot (exception code, error byte).
    Refused = 3,
    /// The frame was sound and its content impossible (not BCD, wrong length, infinite).
    Impossible = 4,
    /// The device says that it has no such quantity now.
    Absent = 5,
    /// The serial port or connection is not there.
    LinkDown = 6,
    /// The gateway did not know the time.
    ClockNotSet = 7,
}

impl Quality {
    /// Two bytes for the store: the grade, then the reason (0 for none).
    pub const fn to_bytes(self) -> [u8; 2] {
        match self {
            Self::Good => [0, 0],
            Self::Uncertain(reason) => [1, reason as u8],
            Self::Bad(reason) => [2, reason as u8],
        }
    }

    /// The inverse of [`Quality::to_bytes`]; `None` for bytes that it never writes.
    pub fn from_bytes(bytes: [u8; 2]) -> Option<Self> {
        match bytes {
            [0, 0] => Some(Self::Good),
            [1, reason] => Reason::from_byte(reason).map(Self::Uncertain),
            [2, reason] => Reason::from_byte(reason).map(Self::Bad),
            _ => None,
        }
    }

    /// `"good"`, `"uncertain"` or `"bad"`, as messages carry it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Uncertain(_) => "uncertain",
            Self::Bad(_) => "bad",
        }
    }

    /// Why it is not good.
    pub const fn reason(self) -> Option<Reason> {
        match self {
            Self::Good => None,
            Self::Uncertain(reason) | Self::Bad(reason) => Some(reason),
        }
    }
}

impl Reason {
    const ALL: [Self; 7] = [
        Self::NoAnswer,
        Self::Garbled,
        Self::Refused,
        Self::Impossible,
        Self::Absent,
        Self::LinkDown,
        Self::ClockNotSet,
    ];

    fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| *reason as u8 == byte)
    }

    /// In words, as messages carry it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoAnswer => "no answer",
            Self::Garbled => "checksum",
            Self::Refused => "device exception",
            Self::Impossible => "impossible content",
            Self::Absent => "absent",
            Self::LinkDown => "link down",
            Self::ClockNotSet => "clock not set",
        }
    }
}

/// What stands in the store about one revision of a channel: enough to read its values without the site file of that day.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ChannelRecord {
    /// Name of the device.
    pub device: String,
    /// Name of the quantity in the device's profile.
    pub channel: String,
    /// Unit of `raw * factor`, as written in messages.
    pub unit: String,
    /// `"counter"`, `"gauge"` or `"state"`.
    pub kind: String,
    /// What one raw count is worth in `unit`; a decimal string. The one place where scale and transformer ratios act.
    pub factor: String,
    /// Counts up from 1 each time that unit, kind or factor change under the same name.
    pub revision: u32,
}

impl ChannelRecord {
    /// What is to be on record for a configured channel, as a first revision.
    pub fn of(device: &Device, channel: &Channel) -> Self {
        Self {
            device: device.name.clone(),
            channel: channel.name.clone(),
            unit: channel.unit.to_string(),
            kind: kind_name(channel.kind).to_owned(),
            factor: channel.factor.to_string(),
            revision: 1,
        }
    }

    /// Whether values of both mean the same.
    pub fn same_meaning(&self, other: &Self) -> bool {
        Self { revision: other.revision, ..self.clone() } == *other
    }
}

/// `"counter"`, `"gauge"` or `"state"`.
pub const fn kind_name(kind: ChannelKind) -> &'static str {
    match kind {
        ChannelKind::Counter => "counter",
        ChannelKind::Gauge => "gauge",
        ChannelKind::State => "state",
    }
}

/// A raw value in the channel's unit, in decimal digits: exact for what was sent as integer or BCD, the shortest text that
/// reads back to the same number for what was sent as IEEE-754. `None` if the product does not fit.
pub fn in_unit(raw: Raw, factor: Decimal) -> Option<String> {
    match raw {
        Raw::Integer(count) => {
            Decimal::new(i128::from(count), 0).checked_mul(factor).map(|value| value.to_string())
        }
        Raw::Float(value) if factor == Decimal::ONE => Some(shortest(value)),
        Raw::Float(value) => Some(shortest(value * factor.to_f64())),
    }
}

/// A float32 read as double prints its float32 digits: 230.1, not 230.10000610351563.
#[expect(clippy::cast_possible_truncation, reason = "that the value is a float32 is what is being tested")]
fn shortest(value: f64) -> String {
    let single = value as f32;
    if f64::from(single).to_bits() == value.to_bits() { single.to_string() } else { value.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quality_survives_the_store() {
        let mut all = vec![Quality::Good];
        all.extend(Reason::ALL.map(Quality::Uncertain));
        all.extend(Reason::ALL.map(Quality::Bad));
        for quality in all {
            assert_eq!(Quality::from_bytes(quality.to_bytes()), Some(quality));
        }
        assert_eq!(Quality::from_bytes([0, 1]), None);
        assert_eq!(Quality::from_bytes([2, 99]), None);
    }

    #[test]
    fn values_are_written_exactly() {
        let cases = [
            (Raw::Integer(12_345_678), "0.01", "123456.78"),
            (Raw::Integer(-1), "0.4", "-0.4"),
            (Raw::Integer(0), "0.01", "0.00"),
            (Raw::Float(f64::from(230.1_f32)), "1", "230.1"),
            (Raw::Float(0.1), "1", "0.1"),
        ];
        for (raw, factor, text) in cases {
            assert_eq!(in_unit(raw, factor.parse().unwrap()).as_deref(), Some(text));
        }
    }
}
