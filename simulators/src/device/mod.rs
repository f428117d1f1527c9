//! A device from its profile alone: bytes in, bytes out, without a clock or a port.

mod dlt645;
mod feed;
mod modbus;
mod register;

pub use feed::Feed;

use std::sync::Arc;
use std::time::Duration;

use weighbridge_config::profile::{LineSettings, ProtocolLimits, RatioUse, SharedProfile};
use weighbridge_config::unit::Unit;
use weighbridge_protocol::DeviceAddress;
use weighbridge_protocol::modbus::rtu::ReadRequest;

use self::dlt645::{Meter, MeterRequest};
use self::modbus::RegisterDevice;
use self::register::{Register, Snapshot};
use crate::plant::Plant;

/// Pause between two bytes after which a DL/T 645 meter gives up a frame (clause 5.3.3 of the standard).
const LONGEST_PAUSE_NS: u64 = 500_000_000;
/// How old the values of a foreign frame are.
const FOREIGN_AGE_US: i64 = 3_600_000_000;

/// What a simulated device is.
#[derive(Clone, Debug)]
pub struct DeviceSetup {
    /// What it offers.
    pub profile: SharedProfile,
    /// Its address on the bus; of the profile's protocol.
    pub address: DeviceAddress,
    /// The settings at which it listens and talks.
    pub line: LineSettings,
    /// From the end of a request to the beginning of the reply.
    pub turn_round: Duration,
    /// What its channels measure, by channel name. A channel that is missing here gets something that suits its unit.
    pub feeds: Vec<(String, Feed)>,
    /// By how much it measures too much, as a fraction: 0.002 for +0.2 %. Acts on what is measured, not on constants.
    pub true_relative_error: f64,
    /// The transformers before it: registers show the secondary side where the profile says so.
    pub ratio: TransformerRatio,
    /// What every counter shows at the start of the plant, in its unit before transformer ratios; may exceed the capacity.
    /// `None`: between 100 and 1000, by address and channel.
    pub initial_count: Option<f64>,
}

/// Ratios of the transformers before a device, primary to secondary; 40 for 200/5 A.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TransformerRatio {
    /// Of the current transformer.
    pub current: f64,
    /// Of the voltage transformer.
    pub voltage: f64,
}

/// Why a device cannot be simulated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// A feed for a channel that the profile does not have.
    #[error("no channel '{channel}' in profile '{profile}', so it cannot be fed; it has {known}")]
    NoSuchChannel {
        /// The channel of the feed.
        channel: String,
        /// Name of the profile.
        profile: String,
        /// What there is.
        known: String,
    },
    /// A feed names what the plant does not have.
    #[error("the plant has no '{name}'; feed from one of {known}")]
    Unknown {
        /// The section or material.
        name: String,
        /// What there is.
        known: String,
    },
    /// A feed does not measure what the channel's unit says.
    #[error(
        "channel '{channel}' is in {unit}, which its feed does not measure; feed energy to kWh, power to kW or W, material to kg, rates to kg/h or kg/s"
    )]
    Unit {
        /// The channel.
        channel: String,
        /// Its unit.
        unit: Unit,
    },
    /// A scale or ratio of zero.
    #[error(
        "channel '{channel}' has a scale, ratio or error that leaves nothing of its value; use ratios above 0"
    )]
    Scale {
        /// The channel.
        channel: String,
    },
    /// An address of another protocol.
    #[error(
        "address {address} does not belong to the protocol of profile '{profile}'; DL/T 645 has 12 digits, Modbus 1 to 247"
    )]
    Address {
        /// The address.
        address: String,
        /// Name of the profile.
        profile: String,
    },
}

/// What a device sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The whole reply, a preamble included.
    pub bytes: Vec<u8>,
    /// From the end of the request to the beginning of the reply.
    pub turn_round: Duration,
}

/// A simulated device.
#[derive(Debug)]
pub struct Device {
    plant: Arc<Plant>,
    line: LineSettings,
    turn_round: Duration,
    registers: Vec<Register>,
    protocol: Protocol,
}

#[derive(Debug)]
enum Protocol {
    Dlt645(Meter),
    Modbus(RegisterDevice),
}

/// In whose name a reply goes out.
#[derive(Clone, Copy, Debug)]
enum Sender {
    Own,
    Neighbour,
}

/// A request to a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    Dlt645(MeterRequest),
    Modbus(ReadRequest),
}

impl Device {
    /// A device in `plant`.
    ///
    /// # Errors
    /// If the setup does not fit its profile or the plant.
    pub fn new(setup: &DeviceSetup, plant: Arc<Plant>) -> Result<Device, SetupError> {
        let profile = &setup.profile;
        check_channels(setup)?;
        let channels = profile.channels.iter();
        let registers: Vec<Register> =
            channels.map(|channel| Register::new(channel, setup, &plant)).collect::<Result<_, _>>()?;
        let protocol = match (&profile.protocol, setup.address) {
            (ProtocolLimits::Dlt645, DeviceAddress::Dlt645(address)) => {
                Protocol::Dlt645(Meter::new(address, &registers))
            }
            (limits @ ProtocolLimits::Modbus { .. }, DeviceAddress::Modbus(unit)) => {
                Protocol::Modbus(RegisterDevice::new(unit, limits, &registers))
            }
            (_, address) => {
                return Err(SetupError::Address {
                    address: address.to_string(),
                    profile: profile.name.clone(),
                });
            }
        };
        Ok(Device { plant, line: setup.line, turn_round: setup.turn_round, registers, protocol })
    }

    /// The settings at which it listens and talks.
    pub fn line(&self) -> LineSettings {
        self.line
    }

    /// From the end of a request to the beginning of the reply.
    pub fn turn_round(&self) -> Duration {
        self.turn_round
    }

    /// Takes what is heard up to `now_utc_us`, in microseconds UTC, in pieces of any size. Answers a request that is complete
    /// with it; the values are those of the instant at which the reply begins, one turn-round time later.
    pub fn handle(&mut self, heard: &[u8], now_utc_us: i64) -> Option<Reply> {
        let request = self.hear(heard)?;
        let turn_round_us = i64::try_from(self.turn_round.as_micros()).unwrap_or(i64::MAX);
        let bytes = self.answer(&request, now_utc_us.saturating_add(turn_round_us));
        Some(Reply { bytes, turn_round: self.turn_round })
    }

    /// Takes what is heard; the request that is complete with it, if it is one for this device.
    pub(crate) fn hear(&mut self, heard: &[u8]) -> Option<Request> {
        match &mut self.protocol {
            Protocol::Dlt645(meter) => meter.hear(heard).map(Request::Dlt645),
            Protocol::Modbus(device) => device.hear(heard).map(Request::Modbus),
        }
    }

    /// The reply to `request` with the values at `utc_us`.
    pub(crate) fn answer(&self, request: &Request, utc_us: i64) -> Vec<u8> {
        self.answer_from(Sender::Own, request, utc_us)
    }

    /// A reply as another device would give it, with values of an hour before `utc_us`.
    pub(crate) fn foreign_answer(&self, request: &Request, utc_us: i64) -> Vec<u8> {
        self.answer_from(Sender::Neighbour, request, utc_us.saturating_sub(FOREIGN_AGE_US))
    }

    fn answer_from(&self, sender: Sender, request: &Request, utc_us: i64) -> Vec<u8> {
        let snapshot = Snapshot { registers: &self.registers, plant: &self.plant, utc_us };
        match (&self.protocol, request) {
            (Protocol::Dlt645(meter), Request::Dlt645(request)) => meter.answer(sender, request, &snapshot),
            (Protocol::Modbus(device), Request::Modbus(request)) => device.answer(sender, request, &snapshot),
            _ => Vec::new(),
        }
    }

    /// Takes that nothing was heard for so long: what was begun before is given up.
    pub(crate) fn handle_silence(&mut self, silence_ns: u64) {
        match &mut self.protocol {
            _ if silence_ns < LONGEST_PAUSE_NS => {}
            Protocol::Dlt645(meter) => meter.forget(),
            Protocol::Modbus(device) => device.forget(),
        }
    }
}

impl TransformerRatio {
    /// No transformers.
    pub const NONE: TransformerRatio = TransformerRatio { current: 1.0, voltage: 1.0 };

    /// What a primary value is divided by on its way to the register.
    pub fn of(self, used: RatioUse) -> f64 {
        match used {
            RatioUse::None => 1.0,
            RatioUse::Current => self.current,
            RatioUse::Voltage => self.voltage,
            RatioUse::Both => self.current * self.voltage,
        }
    }
}

impl Default for TransformerRatio {
    fn default() -> TransformerRatio {
        TransformerRatio::NONE
    }
}

fn check_channels(setup: &DeviceSetup) -> Result<(), SetupError> {
    let known = || setup.profile.channels.iter().map(|channel| channel.name.as_str());
    let unknown = setup.feeds.iter().find(|(name, _)| !known().any(|channel| channel == name));
    unknown.map_or(Ok(()), |(name, _)| {
        Err(SetupError::NoSuchChannel {
            channel: name.clone(),
            profile: setup.profile.name.clone(),
            known: known().collect::<Vec<_>>().join(", "),
        })
    })
}

#[cfg(test)]
mod tests;
