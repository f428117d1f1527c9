//! Where a channel's value comes from.

use weighbridge_config::profile::{ChannelKind, ProfileChannel, RatioUse};
use weighbridge_config::unit::Unit;

use super::{SetupError, TransformerRatio};
use crate::plant::Plant;

/// What a channel of a simulated device measures. Totals count from the start of the plant.
#[derive(Clone, Debug, PartialEq)]
pub enum Feed {
    /// Electricity taken by a section; kWh.
    Energy {
        /// Name of the section.
        section: String,
    },
    /// Electric power of a section; kW or W.
    Power {
        /// Name of the section.
        section: String,
    },
    /// Material used; kg.
    Material {
        /// Name of the material.
        name: String,
    },
    /// Rate at which material is used; kg/h or kg/s.
    MaterialRate {
        /// Name of the material.
        name: String,
    },
    /// Weight in the hopper that feeds a material: falls by what is used, is filled up when a tenth is left; kg.
    Hopper {
        /// Name of the material.
        material: String,
        /// Weight when filled up, in kg.
        capacity_kg: f64,
    },
    /// Always this value, in the channel's unit.
    Constant(f64),
}

/// A load for channels that are told nothing: 3 kW, drawn at 220 V in three phases.
const PLAIN_LOAD_KW: f64 = 3.0;
const PHASE_VOLTAGE_V: f64 = 220.0;
const PLAIN_FLOW_PER_H: f64 = 12.0;
const REACTIVE_SHARE: f64 = 0.3;

/// A quantity in a channel's unit on the primary side, as a function of the plant and of time.
#[derive(Clone, Debug)]
pub(super) struct Measurand {
    course: Course,
    /// From the course's unit to the channel's, and for a phase its share.
    factor: f64,
}

#[derive(Clone, Debug)]
enum Course {
    Fed(Feed),
    /// Grows by so much an hour.
    Steady(f64),
    /// Wanders about a middle.
    Wandering {
        middle: f64,
        spread: f64,
        subject: u16,
    },
}

impl Measurand {
    /// What `channel` measures: its feed if it has one among `feeds`, otherwise what suits its unit beside the others.
    pub(super) fn of(
        channel: &ProfileChannel,
        feeds: &[(String, Feed)],
        ratio: TransformerRatio,
        plant: &Plant,
    ) -> Result<Measurand, SetupError> {
        let Some((_, feed)) = feeds.iter().find(|(name, _)| *name == channel.name) else {
            return Ok(plausible(channel, feeds, ratio));
        };
        check_names(feed, plant)?;
        let factor = unit_factor(feed, channel.unit)
            .ok_or_else(|| SetupError::Unit { channel: channel.name.clone(), unit: channel.unit })?;
        Ok(Measurand { course: Course::Fed(feed.clone()), factor })
    }

    /// The true value at `utc_us`.
    pub(super) fn at(&self, plant: &Plant, utc_us: i64) -> f64 {
        self.factor * self.course.at(plant, utc_us)
    }

    /// Whether the device's own error shows in it.
    pub(super) fn is_measured(&self) -> bool {
        !matches!(self.course, Course::Fed(Feed::Constant(_)) | Course::Wandering { .. })
    }
}

impl Course {
    fn at(&self, plant: &Plant, utc_us: i64) -> f64 {
        match self {
            Course::Fed(Feed::Energy { section }) => plant.energy_kwh(section, utc_us),
            Course::Fed(Feed::Power { section }) => plant.power_kw(section, utc_us),
            Course::Fed(Feed::Material { name }) => plant.material_kg(name, utc_us),
            Course::Fed(Feed::MaterialRate { name }) => plant.material_rate_kg_per_h(name, utc_us),
            Course::Fed(Feed::Hopper { material, capacity_kg }) => {
                plant.hopper_kg(material, *capacity_kg, utc_us)
            }
            Course::Fed(Feed::Constant(value)) => *value,
            Course::Steady(per_hour) => {
                per_hour * (utc_us.saturating_sub(plant.start_utc_us())).max(0) as f64 / 3.6e9
            }
            Course::Wandering { middle, spread, subject } => middle + spread * plant.wander(*subject, utc_us),
        }
    }
}

fn check_names(feed: &Feed, plant: &Plant) -> Result<(), SetupError> {
    let (known, name) = match feed {
        Feed::Energy { section } | Feed::Power { section } => (plant.sections(), section),
        Feed::Material { name } | Feed::MaterialRate { name } | Feed::Hopper { material: name, .. } => {
            (plant.materials(), name)
        }
        Feed::Constant(_) => return Ok(()),
    };
    if known.contains(&name.as_str()) {
        return Ok(());
    }
    Err(SetupError::Unknown { name: name.clone(), known: known.join(", ") })
}

/// From the feed's unit to the channel's; `None` if they do not measure the same.
fn unit_factor(feed: &Feed, unit: Unit) -> Option<f64> {
    match (feed, unit) {
        (Feed::Power { .. }, Unit::Watt) => Some(1000.0),
        (Feed::MaterialRate { .. }, Unit::KilogramPerSecond) => Some(1.0 / 3600.0),
        (Feed::Energy { .. }, Unit::KilowattHour)
        | (Feed::Power { .. }, Unit::Kilowatt)
        | (Feed::Material { .. } | Feed::Hopper { .. }, Unit::Kilogram)
        | (Feed::MaterialRate { .. }, Unit::KilogramPerHour)
        | (Feed::Constant(_), _) => Some(1.0),
        _ => None,
    }
}

/// What suits the unit of a channel without a feed: electrical quantities follow the section or the plain load that the
/// device measures, flows the material; the rest wanders about what is usual.
fn plausible(channel: &ProfileChannel, feeds: &[(String, Feed)], ratio: TransformerRatio) -> Measurand {
    let (course, factor) = match channel.kind {
        ChannelKind::State => (Course::Fed(Feed::Constant(0.0)), 1.0),
        _ if channel.name.contains("export") => (Course::Fed(Feed::Constant(0.0)), 1.0),
        ChannelKind::Counter => plausible_total(channel.unit, feeds),
        ChannelKind::Gauge => plausible_level(channel, feeds, ratio),
    };
    let divided = matches!(
        channel.unit,
        Unit::KilowattHour | Unit::KilovarHour | Unit::Kilowatt | Unit::Watt | Unit::Kilovar
    );
    let share = if divided && is_of_one_phase(&channel.name) { 1.0 / 3.0 } else { 1.0 };
    Measurand { course, factor: factor * share }
}

fn plausible_total(unit: Unit, feeds: &[(String, Feed)]) -> (Course, f64) {
    match unit {
        Unit::KilowattHour => (load_kwh(feeds), 1.0),
        Unit::KilovarHour => (load_kwh(feeds), REACTIVE_SHARE),
        Unit::Kilogram => (flow_total(feeds), 1.0),
        _ => (Course::Steady(PLAIN_FLOW_PER_H), 1.0),
    }
}

fn plausible_level(
    channel: &ProfileChannel,
    feeds: &[(String, Feed)],
    ratio: TransformerRatio,
) -> (Course, f64) {
    let wandering = |middle: f64, spread: f64| {
        (Course::Wandering { middle, spread, subject: subject(&channel.name) }, 1.0)
    };
    let voltage = match channel.ratio {
        RatioUse::None | RatioUse::Current => 1.0,
        RatioUse::Voltage | RatioUse::Both => ratio.voltage,
    };
    match channel.unit {
        Unit::Kilowatt => (load_kw(feeds), 1.0),
        Unit::Watt => (load_kw(feeds), 1000.0),
        Unit::Kilovar => (load_kw(feeds), REACTIVE_SHARE),
        Unit::Ampere => (load_kw(feeds), 1000.0 / (3.0 * PHASE_VOLTAGE_V)),
        Unit::Volt => wandering(PHASE_VOLTAGE_V * voltage, 4.0 * voltage),
        Unit::Hertz => wandering(50.0, 0.03),
        Unit::One => wandering(0.95, 0.02),
        Unit::KilogramPerHour => (flow_rate(feeds), 1.0),
        Unit::KilogramPerSecond => (flow_rate(feeds), 1.0 / 3600.0),
        Unit::Kilogram | Unit::KilowattHour | Unit::KilovarHour => wandering(125.0, 5.0),
        Unit::CubicMetre | Unit::CubicMetrePerHour => wandering(PLAIN_FLOW_PER_H, 0.5),
        Unit::KilogramPerCubicMetre => wandering(998.0, 1.0),
        Unit::DegreeCelsius => wandering(25.0, 3.0),
        Unit::Percent => wandering(50.0, 10.0),
    }
}

fn is_of_one_phase(name: &str) -> bool {
    ["_l1", "_l2", "_l3", "_a", "_b", "_c"].iter().any(|phase| name.ends_with(phase))
}

fn load_kwh(feeds: &[(String, Feed)]) -> Course {
    section(feeds).map_or(Course::Steady(PLAIN_LOAD_KW), |section| Course::Fed(Feed::Energy { section }))
}

fn load_kw(feeds: &[(String, Feed)]) -> Course {
    let plain = Course::Fed(Feed::Constant(PLAIN_LOAD_KW));
    section(feeds).map_or(plain, |section| Course::Fed(Feed::Power { section }))
}

fn flow_total(feeds: &[(String, Feed)]) -> Course {
    material(feeds).map_or(Course::Steady(PLAIN_FLOW_PER_H), |name| Course::Fed(Feed::Material { name }))
}

fn flow_rate(feeds: &[(String, Feed)]) -> Course {
    let plain = Course::Fed(Feed::Constant(PLAIN_FLOW_PER_H));
    material(feeds).map_or(plain, |name| Course::Fed(Feed::MaterialRate { name }))
}

/// The section that the device measures, if its feeds tell one.
fn section(feeds: &[(String, Feed)]) -> Option<String> {
    feeds.iter().find_map(|(_, feed)| match feed {
        Feed::Energy { section } | Feed::Power { section } => Some(section.clone()),
        _ => None,
    })
}

/// The material that the device measures, if its feeds tell one.
fn material(feeds: &[(String, Feed)]) -> Option<String> {
    feeds.iter().find_map(|(_, feed)| match feed {
        Feed::Material { name } | Feed::MaterialRate { name } | Feed::Hopper { material: name, .. } => {
            Some(name.clone())
        }
        _ => None,
    })
}

/// Lets quantities of different names wander differently (FNV-1a, folded).
pub(super) fn subject(name: &str) -> u16 {
    let hash =
        name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let [a, b, c, d] = hash.to_be_bytes();
    u16::from_be_bytes([a ^ c, b ^ d])
}
