//! What a model of device offers: its channels, where each sits on the wire, and the limits to respect.
//!
//! Device knowledge is data: one TOML file a model under `config/profiles/`, or in the user's own folder. How
//! such a file is written, with an example, stands in `config/profiles/README.md`.

use std::fmt;
use std::sync::Arc;

use weighbridge_protocol::{Decimal, Item, PlanLimits};

use crate::unit::Unit;

/// One model of device, checked. Made by [`Profile::parse`].
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// `maker/model`, as a site file names it: `"acrel/adw300"`.
    pub name: String,
    /// The maker, as on the name plate.
    pub vendor: String,
    /// The maker's name of the model.
    pub model: String,
    /// What kind of instrument it is.
    pub kind: DeviceKind,
    /// Where the facts come from: manual with page, public code with commit.
    pub sources: Vec<String>,
    /// What an integrator should know before trusting a value.
    pub notes: Vec<String>,
    /// How the device is asked.
    pub protocol: ProtocolLimits,
    /// Factory setting of the serial line.
    pub line: LineSettings,
    /// Baud rates that the device can be set to; never empty, contains `line.baud`.
    pub supported_baud: Vec<u32>,
    /// The longest time from the end of a request to the first byte of its reply, in milliseconds.
    pub max_turn_round_ms: u32,
    /// The least silence between a reply and the next request to this device, in milliseconds, beyond what
    /// the protocol itself demands.
    pub min_gap_ms: u32,
    /// What can be read, in the order of the file; names are unique. Never empty.
    pub channels: Vec<ProfileChannel>,
}

impl Profile {
    /// The channel of this name.
    pub fn channel(&self, name: &str) -> Option<&ProfileChannel> {
        self.channels.iter().find(|channel| channel.name == name)
    }
}

/// What kind of instrument a device is; decides the row of table 3 of the JJF draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    /// Electricity meter.
    Electricity,
    /// Flow meter of liquid, gas or steam.
    Flow,
    /// Weighing indicator or scale.
    Scale,
}

/// The protocol and the device's own limits within it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProtocolLimits {
    /// DL/T 645-2007 over a serial line.
    Dlt645,
    /// Modbus RTU over a serial line.
    Modbus {
        /// The most registers that one request may ask for, 1 to 125.
        max_registers: u16,
        /// Whether registers that no channel names may be read along to join two channels in one request.
        read_across_holes: bool,
    },
}

impl ProtocolLimits {
    /// What a plan of requests to the device has to respect.
    pub const fn plan_limits(&self) -> PlanLimits {
        match *self {
            // One identifier a request; there are no registers to join.
            Self::Dlt645 => PlanLimits { max_registers: 1, read_across_holes: false },
            Self::Modbus { max_registers, read_across_holes } => {
                PlanLimits { max_registers, read_across_holes }
            }
        }
    }
}

/// One quantity that the device offers.
#[derive(Clone, Debug, PartialEq)]
pub struct ProfileChannel {
    /// Unique in the profile: `"energy_import"`.
    pub name: String,
    /// Channels of one group share a poll period unless the site says otherwise: `"energy"`, `"power"`.
    pub group: String,
    /// How the value behaves in time.
    pub kind: ChannelKind,
    /// Unit of `raw * scale`.
    pub unit: Unit,
    /// Where the value sits and how it is encoded.
    pub item: Item,
    /// What one count of the raw value is worth in `unit`, before transformer ratios. For a DL/T 645 item
    /// this is the place of its last digit (0.01 for XXXXXX.XX).
    pub scale: Decimal,
    /// Which transformer ratios bring the value to the primary side.
    pub ratio: RatioUse,
    /// For a counter: the number of counts after which the register starts again at 0 (10^8 for XXXXXX.XX,
    /// 2^32 for u32), in raw counts. `None` where it never rolls over in practice (float), and for what is no
    /// counter.
    pub capacity: Option<i128>,
    /// For a counter that the device sends as IEEE-754: the decimal place to which its differences are
    /// formed, in `unit` before ratios. `None` for exact values.
    pub resolution: Option<Decimal>,
}

/// How a value behaves in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChannelKind {
    /// A register that only grows: kWh, m3, kg totalisers.
    Counter,
    /// Power, voltage, flow rate, weight on the pan.
    Gauge,
    /// Enumerated or bit field.
    State,
}

/// Which transformer ratios of the site bring a register to the primary side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RatioUse {
    /// The register is on the primary side already, or has no side.
    None,
    /// Times the current transformer's ratio.
    Current,
    /// Times the voltage transformer's ratio.
    Voltage,
    /// Times both: power and energy on the secondary side.
    Both,
}

/// Settings of an asynchronous serial line. Eight data bits always.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LineSettings {
    /// Bits per second.
    pub baud: u32,
    /// The parity bit.
    pub parity: Parity,
    /// 1 or 2.
    pub stop_bits: u8,
}

/// The parity bit of a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Parity {
    /// No parity bit.
    None,
    /// The number of ones in data and parity is even.
    Even,
    /// The number of ones in data and parity is odd.
    Odd,
}

impl LineSettings {
    /// Bits that one character takes on the wire: start, 8 data, parity, stop.
    pub const fn bits_per_character(self) -> u32 {
        1 + 8 + (!matches!(self.parity, Parity::None)) as u32 + self.stop_bits as u32
    }

    /// Time of `characters` on the wire, in nanoseconds.
    pub const fn duration_ns(self, characters: u64) -> u64 {
        characters * self.bits_per_character() as u64 * 1_000_000_000 / self.baud as u64
    }

    /// The silence that ends a Modbus RTU frame, in nanoseconds: 3.5 characters, or 1.75 ms above 19200 bit/s
    /// (Modbus over Serial Line V1.02, 2.5.1.1).
    pub const fn frame_silence_ns(self) -> u64 {
        if self.baud > 19_200 { 1_750_000 } else { self.duration_ns(7) / 2 }
    }
}

/// As engineers write it: `9600 8N1`.
impl fmt::Display for LineSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parity = match self.parity {
            Parity::None => 'N',
            Parity::Even => 'E',
            Parity::Odd => 'O',
        };
        write!(f, "{} 8{parity}{}", self.baud, self.stop_bits)
    }
}

impl fmt::Display for Parity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Parity::None => "none",
            Parity::Even => "even",
            Parity::Odd => "odd",
        })
    }
}

impl fmt::Display for DeviceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            DeviceKind::Electricity => "electricity",
            DeviceKind::Flow => "flow",
            DeviceKind::Scale => "scale",
        })
    }
}

impl fmt::Display for ChannelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            ChannelKind::Counter => "counter",
            ChannelKind::Gauge => "gauge",
            ChannelKind::State => "state",
        })
    }
}

/// Shared, since a site has many devices of one model.
pub type SharedProfile = Arc<Profile>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_timing() {
        let dlt645 = LineSettings { baud: 2400, parity: Parity::Even, stop_bits: 1 };
        assert_eq!(dlt645.to_string(), "2400 8E1");
        assert_eq!(dlt645.bits_per_character(), 11);
        assert_eq!(dlt645.duration_ns(2400), 11_000_000_000);
        assert_eq!(dlt645.frame_silence_ns(), 16_041_666);
        let fast = LineSettings { baud: 38_400, parity: Parity::None, stop_bits: 2 };
        assert_eq!(fast.to_string(), "38400 8N2");
        assert_eq!(fast.frame_silence_ns(), 1_750_000);
    }
}
