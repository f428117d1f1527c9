//! What the page and `weighbridge status` show: a view of what the tasks are doing, made when somebody asks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use tokio::sync::watch;
use weighbridge_config::site::{Device, Site};

use crate::aggregate::BatchView;
use crate::aggregate::document::{InstrumentReference, PrimaryData};
use crate::buffer::{Store, StoreError};
use crate::clock::{Clock, ClockState, iso8601};
use crate::handover::{self, SiteFootprint};
use crate::link::{LinkStatistics, Statistics};
use crate::publish::PublishStatus;
use crate::reading::{ChannelId, Quality, Reading, in_unit, kind_name};

/// Everything that can be looked at. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Board {
    /// The site as configured.
    pub site: Arc<Site>,
    /// The agent's clock.
    pub clock: Clock,
    /// The buffer.
    pub store: Arc<Store>,
    /// Whether the plant behind the wires is simulated.
    pub demo: bool,
    /// One for each link of the site.
    pub links: Vec<Arc<Statistics>>,
    /// The connection to the broker, if one is configured.
    pub publisher: Option<Arc<Mutex<PublishStatus>>>,
    /// Batches as they stand.
    pub batches: watch::Receiver<Arc<Vec<Arc<BatchView>>>>,
    /// Newest readings.
    pub live: Arc<Live>,
}

/// The newest reading of each channel.
#[derive(Debug)]
pub struct Live {
    channels: Vec<LiveChannel>,
    place: HashMap<ChannelId, usize>,
    newest: Mutex<Newest>,
}

/// A channel of the site and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct LiveChannel {
    /// Identity in the store.
    pub id: ChannelId,
    /// Index of the device.
    pub device: usize,
    /// Index of the channel within the device.
    pub channel: usize,
}

#[derive(Debug, Default)]
struct Newest {
    last: HashMap<ChannelId, Reading>,
    last_good: HashMap<ChannelId, Reading>,
    bad: u64,
}

impl Live {
    /// Nothing read yet.
    pub fn new(channels: Vec<LiveChannel>) -> Self {
        let place = channels.iter().enumerate().map(|(place, channel)| (channel.id, place)).collect();
        Self { channels, place, newest: Mutex::default() }
    }

    /// Keeps the newest readings up to date with what is stored, until the buffer's writer is gone.
    pub async fn run(self: Arc<Self>, store: Arc<Store>, mut stored: watch::Receiver<u64>) {
        let mut cursor = store.next_sequence();
        while stored.changed().await.is_ok() {
            let upto = *stored.borrow_and_update();
            if cursor < upto {
                for block in store.blocks_from(cursor).flatten() {
                    let noted =
                        usize::try_from(cursor.saturating_sub(block.first_sequence)).unwrap_or(usize::MAX);
                    self.note(block.readings.get(noted..).unwrap_or_default());
                    cursor = cursor.max(block.next_sequence());
                }
                cursor = cursor.max(upto);
            }
        }
    }

    fn note(&self, readings: &[Reading]) {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        for reading in readings.iter().filter(|reading| self.place.contains_key(&reading.channel)) {
            newest.last.insert(reading.channel, *reading);
            if matches!(reading.quality, Quality::Bad(_)) {
                newest.bad += 1;
            } else {
                newest.last_good.insert(reading.channel, *reading);
            }
        }
    }
}

/// A value with its time and quality.
#[derive(Clone, Debug, Serialize)]
pub struct LiveView {
    device: String,
    channel: String,
    unit: String,
    kind: &'static str,
    section: Option<String>,
    value: Option<String>,
    quality: &'static str,
    reason: Option<&'static str>,
    time: String,
    last_good: Option<TimedValue>,
}

#[derive(Clone, Debug, Serialize)]
struct TimedValue {
    value: Option<String>,
    time: String,
}

/// The whole agent at a glance.
#[derive(Clone, Debug, Serialize)]
pub struct StatusView {
    site: String,
    gateway: String,
    timezone: String,
    time: String,
    version: &'static str,
    epoch: u32,
    demo: bool,
    speed: f64,
    clock: ClockView,
    links: Vec<LinkView>,
    devices: Vec<DeviceView>,
    sections: Vec<SectionView>,
    models: Vec<ModelView>,
    buffer: BufferView,
    mqtt: MqttView,
}

#[derive(Clone, Debug, Serialize)]
struct ClockView {
    state: &'static str,
    /// Wall clock minus the agent's, milliseconds; a step of the wall clock shows here.
    wall_offset_ms: i64,
}

#[derive(Clone, Debug, Serialize)]
struct LinkView {
    name: String,
    port: String,
    state: &'static str,
    #[serde(flatten)]
    statistics: LinkStatistics,
}

#[derive(Clone, Debug, Serialize)]
struct DeviceView {
    name: String,
    link: String,
    profile: String,
    vendor: String,
    model: String,
    address: String,
    section: Option<String>,
    state: &'static str,
    last_good: Option<String>,
    last_error: Option<String>,
    exchanges: u64,
    failed: u64,
    answer_ms: Option<f64>,
    instrument: InstrumentReference,
}

#[derive(Clone, Debug, Serialize)]
struct SectionView {
    name: String,
    title: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
struct ModelView {
    name: String,
    specification: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
struct BufferView {
    stored: u64,
    bad: u64,
    disk_bytes: u64,
}

#[derive(Clone, Debug, Serialize)]
struct MqttView {
    configured: bool,
    connected: bool,
    broker: Option<String>,
    acknowledged: u64,
    backlog: u64,
    last_error: Option<String>,
}

/// Points of one channel over time.
#[derive(Clone, Debug, Serialize)]
pub struct TrendView {
    unit: String,
    /// Seconds since 1970.
    times: Vec<f64>,
    /// Null where there was no good value.
    values: Vec<Option<f64>>,
}

impl Board {
    /// The agent at a glance.
    pub fn status(&self) -> StatusView {
        let site = &self.site;
        StatusView {
            site: site.name.clone(),
            gateway: site.gateway.clone(),
            timezone: site.timezone.to_string(),
            time: iso8601(self.clock.now_utc_us()),
            version: env!("CARGO_PKG_VERSION"),
            epoch: self.store.epoch(),
            demo: self.demo,
            speed: self.clock.speed(),
            clock: ClockView {
                state: match self.clock.state() {
                    ClockState::Set => "set",
                    ClockState::NotSet => "not-set",
                },
                wall_offset_ms: self.clock.wall_offset_us() / 1_000,
            },
            links: self.links(),
            devices: self.devices(),
            sections: site
                .sections
                .iter()
                .map(|section| SectionView { name: section.name.clone(), title: section.title.clone() })
                .collect(),
            models: site
                .models
                .iter()
                .map(|model| ModelView {
                    name: model.name.clone(),
                    specification: model.specification.clone(),
                })
                .collect(),
            buffer: self.buffer(),
            mqtt: self.mqtt(),
        }
    }

    fn links(&self) -> Vec<LinkView> {
        let view = |(link, statistics): (&weighbridge_config::site::Link, &Arc<Statistics>)| {
            let (statistics, _) = statistics.snapshot(&self.clock);
            LinkView {
                name: link.name.clone(),
                port: link.connection.to_string(),
                state: if statistics.up { "up" } else { "down" },
                statistics,
            }
        };
        self.site.links.iter().zip(&self.links).map(view).collect()
    }

    fn devices(&self) -> Vec<DeviceView> {
        let figures: HashMap<usize, _> = self
            .links
            .iter()
            .flat_map(|statistics| statistics.snapshot(&self.clock).1)
            .map(|device| (device.site_index, device))
            .collect();
        let view = |(index, device): (usize, &Device)| {
            let figures = figures.get(&index).cloned().unwrap_or_default();
            DeviceView {
                name: device.name.clone(),
                link: self.site.links[device.link].name.clone(),
                profile: device.profile.name.clone(),
                vendor: device.profile.vendor.clone(),
                model: device.profile.model.clone(),
                address: device.address.to_string(),
                section: self.section_of(device),
                state: match (figures.silent, figures.refusing, figures.last_good_utc_us) {
                    (true, _, _) => "silent",
                    (_, true, _) => "refusing",
                    (_, _, Some(_)) => "good",
                    _ => "waiting",
                },
                last_good: figures.last_good_utc_us.map(iso8601),
                last_error: figures.last_error,
                exchanges: figures.exchanges,
                failed: figures.failed,
                answer_ms: figures.answer_ms,
                instrument: InstrumentReference::of(&device.instrument),
            }
        };
        self.site.devices.iter().enumerate().map(view).collect()
    }

    fn section_of(&self, device: &Device) -> Option<String> {
        device.measures.as_ref().map(|measure| self.site.sections[measure.section].name.clone())
    }

    fn buffer(&self) -> BufferView {
        let newest = self.live.newest.lock().unwrap_or_else(PoisonError::into_inner);
        BufferView {
            stored: self.store.next_sequence() - 1,
            bad: newest.bad,
            disk_bytes: self.store.disk_bytes(),
        }
    }

    fn mqtt(&self) -> MqttView {
        let publisher = self
            .publisher
            .as_ref()
            .map(|status| status.lock().unwrap_or_else(PoisonError::into_inner).clone());
        let broker = self.site.mqtt.as_ref().map(|mqtt| format!("{}:{}", mqtt.host, mqtt.port));
        let acknowledged = self.store.acknowledged();
        MqttView {
            configured: publisher.is_some(),
            connected: publisher.as_ref().is_some_and(|status| status.connected),
            broker,
            acknowledged: acknowledged.saturating_sub(1),
            backlog: self.store.next_sequence().saturating_sub(acknowledged),
            last_error: publisher.and_then(|status| status.last_error),
        }
    }

    /// The newest value of every channel that has been read since the start.
    pub fn live(&self) -> Vec<LiveView> {
        let newest = self.live.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let view = |live: &LiveChannel| {
            let reading = newest.last.get(&live.id)?;
            let device = &self.site.devices[live.device];
            let channel = &device.channels[live.channel];
            let value = |reading: &Reading| reading.value.and_then(|raw| in_unit(raw, channel.factor));
            let timed = |good: &Reading| TimedValue { value: value(good), time: iso8601(good.utc_us) };
            Some(LiveView {
                device: device.name.clone(),
                channel: channel.name.clone(),
                unit: channel.unit.to_string(),
                kind: kind_name(channel.kind),
                section: self.section_of(device),
                value: value(reading),
                quality: reading.quality.name(),
                reason: reading.quality.reason().map(|reason| reason.name()),
                time: iso8601(reading.utc_us),
                last_good: newest.last_good.get(&live.id).map(timed),
            })
        };
        self.live.channels.iter().filter_map(view).collect()
    }

    /// Batches, newest first.
    pub fn batches(&self) -> Arc<Vec<Arc<BatchView>>> {
        self.batches.borrow().clone()
    }

    /// Footprints of the models, from the stored documents.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn footprint(&self) -> Result<SiteFootprint, StoreError> {
        let documents: Result<Vec<PrimaryData>, StoreError> =
            self.store.documents_from(1).map(|document| Ok(document?.1)).collect();
        Ok(handover::footprint(&self.site, &documents?))
    }

    /// Values of one channel over the last minutes; `None` if there is no such channel. Reads the store.
    pub fn trend(&self, device: &str, channel: &str, minutes: u32) -> Option<TrendView> {
        let live = self.live.channels.iter().find(|live| {
            let of_site = &self.site.devices[live.device];
            of_site.name == device && of_site.channels[live.channel].name == channel
        })?;
        let channel = &self.site.devices[live.device].channels[live.channel];
        let since_us = self.clock.now_utc_us() - i64::from(minutes) * 60_000_000;
        let mut points = Vec::new();
        for block in self.store.blocks_backwards().flatten() {
            let of_channel = block.readings.iter().rev().filter(|reading| reading.channel == live.id);
            points.extend(of_channel.filter(|reading| reading.utc_us >= since_us).copied());
            if block.readings.iter().all(|reading| reading.utc_us < since_us) {
                break;
            }
        }
        points.reverse();
        let number = |reading: &Reading| {
            reading.value.and_then(|raw| in_unit(raw, channel.factor)).and_then(|value| value.parse().ok())
        };
        Some(TrendView {
            unit: channel.unit.to_string(),
            times: points.iter().map(|reading| reading.utc_us as f64 / 1e6).collect(),
            values: points.iter().map(number).collect(),
        })
    }
}
