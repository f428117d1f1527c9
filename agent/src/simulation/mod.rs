//! The other end of a site's wires: the site file told to the simulators, and what the demo needs around it.

pub mod broker;
pub mod mes;
pub mod verdict;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::sync::watch;
use weighbridge_config::profile::{ChannelKind, RatioUse};
use weighbridge_config::site::{Connection, Device, Instrument, Site};
use weighbridge_config::unit::Unit;
use weighbridge_protocol::Decimal;
use weighbridge_simulators::{
    DeviceSetup, Feed, Host, LineFaults, LineSetup, Now, Plant, Statistics, TransformerRatio,
};

use crate::clock::Clock;
use crate::daemon::Companion;

/// Turn-round of a simulated device, within what the protocols allow: DL/T 645 asks for 20 ms at least.
const TURN_ROUND: Duration = Duration::from_millis(25);

/// How much goes wrong on the simulated lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Faults {
    /// Nothing.
    None,
    /// What a tolerable trunk between machines does: about one reply in a hundred comes to harm.
    ShopFloor,
}

/// The simulated world: a plant, and a line for each link of the site.
#[derive(Debug)]
pub struct World {
    /// The plant, which knows the truth.
    pub plant: Arc<Plant>,
    /// Name of each link and what happens on its line.
    pub lines: Vec<(String, watch::Receiver<Statistics>)>,
    _hosts: Vec<Companion>,
}

impl World {
    /// Opens a line for every serial link. With `at_site_ports` it appears at the port that the site names; otherwise the site is
    /// changed to the pseudo-terminals that the lines got.
    ///
    /// # Errors
    /// When a device cannot be simulated or a port cannot be made.
    pub fn open(
        site: &mut Site,
        seed: u64,
        faults: Faults,
        clock: &Clock,
        at_site_ports: bool,
    ) -> anyhow::Result<Self> {
        let plant = Arc::new(Plant::new(seed, clock.now_utc_us()));
        let (mut lines, mut hosts) = (Vec::new(), Vec::new());
        for index in 0..site.links.len() {
            let Connection::Serial { port } = &site.links[index].connection else {
                bail!("link `{}` is no serial line; only those are simulated", site.links[index].name)
            };
            let port = port.clone();
            let setup = line_setup(site, index, &plant, seed, faults);
            let time = clock.clone();
            let now: Now = Arc::new(move || time.now_utc_us());
            let place = at_site_ports.then(|| Path::new(&port));
            let mut host = Host::open(setup, plant.clone(), now, place)
                .with_context(|| format!("cannot simulate link `{}`", site.links[index].name))?;
            if !at_site_ports {
                site.links[index].connection = Connection::Serial { port: host.path().display().to_string() };
            }
            lines.push((site.links[index].name.clone(), host.statistics()));
            hosts.push(Companion::start(async move {
                if let Err(why) = host.serve().await {
                    tracing::error!(%why, "a simulated line failed");
                }
            }));
        }
        Ok(Self { plant, lines, _hosts: hosts })
    }
}

fn line_setup(site: &Site, link: usize, plant: &Plant, seed: u64, faults: Faults) -> LineSetup {
    let line_seed = seed.wrapping_mul(31).wrapping_add(link as u64);
    let on_link = site.devices.iter().enumerate().filter(|(_, device)| device.link == link);
    LineSetup {
        name: site.links[link].name.clone(),
        devices: on_link.map(|(index, device)| device_setup(site, device, plant, seed, index)).collect(),
        faults: match faults {
            Faults::None => LineFaults::default(),
            Faults::ShopFloor => LineFaults::shop_floor(line_seed),
        },
    }
}

fn device_setup(site: &Site, device: &Device, plant: &Plant, seed: u64, index: usize) -> DeviceSetup {
    DeviceSetup {
        profile: device.profile.clone(),
        address: device.address,
        line: device.line,
        turn_round: TURN_ROUND.min(Duration::from_millis(u64::from(device.profile.max_turn_round_ms))),
        feeds: feeds(site, device, plant),
        true_relative_error: true_error(&device.instrument, seed, index),
        ratio: transformer_ratio(device),
        initial_count: None,
    }
}

/// What the site says that a device measures, its simulated twin measures in the plant.
fn feeds(site: &Site, device: &Device, plant: &Plant) -> Vec<(String, Feed)> {
    let Some(measure) = &device.measures else { return Vec::new() };
    let plant_names = PlantNames::of(plant);
    let section = plant_names.section(&site.sections[measure.section].name, measure.section);
    let is_electricity = measure.carrier == weighbridge_config::ELECTRICITY;
    let feed = |(index, channel): (usize, &weighbridge_config::site::Channel)| {
        let name = plant_names.material(&measure.carrier);
        let feed = match (channel.kind, channel.unit, is_electricity) {
            (ChannelKind::Counter, Unit::KilowattHour, true) if index == measure.channel => {
                Feed::Energy { section: section.clone() }
            }
            (ChannelKind::Counter, Unit::Kilogram, false) if index == measure.channel => {
                Feed::Material { name }
            }
            (ChannelKind::Gauge, Unit::Kilowatt | Unit::Watt, true) if channel.name == "active_power" => {
                Feed::Power { section: section.clone() }
            }
            (ChannelKind::Gauge, Unit::KilogramPerHour | Unit::KilogramPerSecond, false) => {
                Feed::MaterialRate { name }
            }
            (ChannelKind::Gauge, Unit::Kilogram, false) => Feed::Hopper { material: name, capacity_kg: 60.0 },
            _ => return None,
        };
        Some((channel.name.clone(), feed))
    };
    device.channels.iter().enumerate().filter_map(feed).collect()
}

/// The simulated plant makes electricity meters; a site of another trade borrows its sections and materials.
struct PlantNames<'a> {
    plant: &'a Plant,
}

impl<'a> PlantNames<'a> {
    fn of(plant: &'a Plant) -> Self {
        Self { plant }
    }

    /// The plant's section of this name, or any other by the place of the section in the site.
    fn section(&self, name: &str, place: usize) -> String {
        let sections = self.plant.sections();
        let known = sections.iter().find(|known| **known == name);
        known.unwrap_or(&sections[place % sections.len()]).to_string()
    }

    /// The plant's material of this name, or its first.
    fn material(&self, name: &str) -> String {
        let materials = self.plant.materials();
        materials.iter().find(|known| **known == name).unwrap_or(&materials[0]).to_string()
    }
}

/// The ratios that the site applies, so that the registers show the side that the profile says.
fn transformer_ratio(device: &Device) -> TransformerRatio {
    let ratio_of = |used: RatioUse| {
        device.channels.iter().find_map(|channel| {
            let in_profile = &device.profile.channels[channel.profile_channel];
            let matches = in_profile.ratio == used;
            matches
                .then(|| Decimal::from_ratio(channel.factor, in_profile.scale).map(Decimal::to_f64))
                .flatten()
        })
    };
    let voltage = ratio_of(RatioUse::Voltage).unwrap_or(1.0);
    let both = ratio_of(RatioUse::Both).unwrap_or(voltage);
    TransformerRatio { current: ratio_of(RatioUse::Current).unwrap_or(both / voltage), voltage }
}

/// Every instrument is wrong by something within what its class or calibration allows, as real ones are.
fn true_error(instrument: &Instrument, seed: u64, index: usize) -> f64 {
    let limit = instrument
        .calibration
        .map_or(instrument.mpe_relative.unwrap_or(0.0), |found| found.expanded_relative);
    limit * (2.0 * uniform(seed, index) - 1.0)
}

/// A number from 0 to 1, spread evenly over seeds and indices (splitmix64, Steele et al. 2014).
fn uniform(seed: u64, index: usize) -> f64 {
    let mut bits = seed.wrapping_add((index as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}
