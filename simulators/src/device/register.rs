//! A channel of a device as the device itself keeps it: counters cut to whole counts that start again at their capacity,
//! floats rounded to what the register holds.

use weighbridge_config::profile::{ChannelKind, ProfileChannel};
use weighbridge_protocol::modbus::RegisterType;
use weighbridge_protocol::{Item, Raw};

use super::feed::{Measurand, subject};
use super::{DeviceSetup, SetupError};
use crate::draw::{Draw, Purpose};
use crate::plant::Plant;

/// Where counters stand when nothing else is said, in the unit of the register: no one's meter is new.
const USUAL_FIRST: (f64, f64) = (100.0, 1000.0);

/// All values of a device at one instant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Snapshot<'a> {
    pub(super) registers: &'a [Register],
    pub(super) plant: &'a Plant,
    pub(super) utc_us: i64,
}

impl Snapshot<'_> {
    /// The bytes of a register's item; those of "not available" where the value does not fit, and `None` where the device has
    /// no way to say even that.
    pub(super) fn bytes(&self, register: usize) -> Option<Vec<u8>> {
        let register = self.registers.get(register)?;
        let raw = register.raw_at(self.plant, self.utc_us);
        register.item.encode(Some(raw)).or_else(|| register.item.encode(None))
    }
}

/// One value that a device holds ready.
#[derive(Clone, Debug)]
pub(super) struct Register {
    pub(super) item: Item,
    kind: ChannelKind,
    measurand: Measurand,
    /// Raw counts for one of the channel's unit on the primary side, the device's error included.
    counts_per_unit: f64,
    /// Raw counts at the start of the plant; 0 for a gauge.
    first_count: f64,
    capacity: Option<i128>,
}

impl Register {
    pub(super) fn new(
        channel: &ProfileChannel,
        setup: &DeviceSetup,
        plant: &Plant,
    ) -> Result<Register, SetupError> {
        let measurand = Measurand::of(channel, &setup.feeds, setup.ratio, plant)?;
        let scale = channel.scale.to_f64();
        let error = if measurand.is_measured() { setup.true_relative_error } else { 0.0 };
        let counts_per_unit = (1.0 + error) / (scale * setup.ratio.of(channel.ratio));
        if !counts_per_unit.is_finite() || counts_per_unit == 0.0 {
            return Err(SetupError::Scale { channel: channel.name.clone() });
        }
        let first = setup.initial_count.unwrap_or_else(|| usual_first(channel, setup));
        let first_count = if channel.kind == ChannelKind::Counter { first / scale } else { 0.0 };
        Ok(Register {
            item: channel.item.clone(),
            kind: channel.kind,
            measurand,
            counts_per_unit,
            first_count,
            capacity: channel.capacity.filter(|capacity| *capacity > 0),
        })
    }

    /// What the register holds at `utc_us`.
    fn raw_at(&self, plant: &Plant, utc_us: i64) -> Raw {
        let count = self.first_count + self.measurand.at(plant, utc_us) * self.counts_per_unit;
        match float_kind(&self.item) {
            Some(RegisterType::F32) => Raw::Float(f64::from(nearest_f32(self.wrapped_float(count)))),
            Some(_) => Raw::Float(self.wrapped_float(count)),
            None if self.kind == ChannelKind::Counter => Raw::Integer(self.wrapped(whole(count.floor()))),
            None => Raw::Integer(whole(count.round())),
        }
    }

    fn wrapped(&self, count: i64) -> i64 {
        let capacity = self.capacity.and_then(|capacity| i64::try_from(capacity).ok());
        capacity.map_or(count, |capacity| count.rem_euclid(capacity))
    }

    fn wrapped_float(&self, count: f64) -> f64 {
        self.capacity.map_or(count, |capacity| count.rem_euclid(capacity as f64))
    }
}

fn float_kind(item: &Item) -> Option<RegisterType> {
    match item {
        Item::Modbus { format, .. } if matches!(format.kind, RegisterType::F32 | RegisterType::F64) => {
            Some(format.kind)
        }
        _ => None,
    }
}

fn usual_first(channel: &ProfileChannel, setup: &DeviceSetup) -> f64 {
    let seed = u64::from(subject(&setup.address.to_string()));
    let (least, most) = USUAL_FIRST;
    Draw::keyed(seed, Purpose::FirstCount, subject(&channel.name), 0).between(least, most)
}

#[expect(clippy::cast_possible_truncation, reason = "saturates, and the encoder refuses what does not fit")]
fn whole(count: f64) -> i64 {
    count as i64
}

#[expect(clippy::cast_possible_truncation, reason = "to the precision of the register, as the device does")]
fn nearest_f32(count: f64) -> f32 {
    count as f32
}
