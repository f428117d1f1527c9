//! From the site's devices on a bus to the exchanges that poll them.

use std::collections::BTreeMap;
use std::time::Duration;

use weighbridge_config::profile::LineSettings;
use weighbridge_config::site::{Connection, Device, Site};
use weighbridge_protocol::{Item, Query, plan};

use crate::clock::Clock;
use crate::reading::ChannelId;
use crate::schedule::Poll;

const LEAST_LATE_ANSWER: Duration = Duration::from_secs(1);

/// One bus with everything its task needs.
#[derive(Clone, Debug)]
pub struct Bus {
    /// The link's name.
    pub name: String,
    /// How to reach it.
    pub connection: Connection,
    /// Settings to open a serial port with.
    pub line: LineSettings,
    /// Devices on it, in the order of the site file.
    pub devices: Vec<BusDevice>,
    /// What to ask for, device after device.
    pub exchanges: Vec<PlannedExchange>,
}

/// A device on the bus.
#[derive(Clone, Debug)]
pub struct BusDevice {
    /// Index in the site.
    pub site_index: usize,
    /// Its name.
    pub name: String,
}

/// One request, repeated, and the channels that its reply carries.
#[derive(Clone, Debug)]
pub struct PlannedExchange {
    /// Index into [`Bus::devices`].
    pub device: usize,
    /// What is asked.
    pub query: Query,
    /// Channels in the reply.
    pub parts: Vec<Part>,
    /// Line settings to ask with.
    pub line: LineSettings,
    /// The longest time until the first byte of the reply.
    pub max_turn_round: Duration,
    /// The least silence before the request.
    pub min_gap: Duration,
    /// Poll period in milliseconds.
    pub period_ms: u32,
}

impl PlannedExchange {
    /// How long after its time-out the device's answer may still come. Profiles state the longest turn-round; serial servers and
    /// busy meters have been seen to exceed it, so three times that, and a second at least.
    fn late_answer(&self) -> Duration {
        (3 * self.max_turn_round).max(LEAST_LATE_ANSWER)
    }
}

/// One channel in a reply.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its identity in the store.
    pub channel: ChannelId,
    /// Where its value sits.
    pub item: Item,
}

impl Bus {
    /// Plans the link with index `link` of a site; `channel_id` tells the store's identity of (device index, channel index).
    pub fn plan(site: &Site, link: usize, channel_id: impl Fn(usize, usize) -> ChannelId) -> Self {
        let of_link = || site.devices.iter().enumerate().filter(move |(_, device)| device.link == link);
        let mut exchanges = Vec::new();
        for (place, (site_index, device)) in of_link().enumerate() {
            exchanges.extend(plan_device(device, place, |channel| channel_id(site_index, channel)));
        }
        let devices = of_link()
            .map(|(site_index, device)| BusDevice { site_index, name: device.name.clone() })
            .collect();
        let link = &site.links[link];
        Self {
            name: link.name.clone(),
            connection: link.connection.clone(),
            line: link.line,
            devices,
            exchanges,
        }
    }

    /// The schedule's view of the exchanges.
    pub(super) fn polls(&self, clock: &Clock) -> Vec<Poll> {
        let mut lines: Vec<LineSettings> = Vec::new();
        let mut line_number = |line| {
            lines.iter().position(|known| *known == line).unwrap_or_else(|| {
                lines.push(line);
                lines.len() - 1
            })
        };
        let poll = |exchange: &PlannedExchange| Poll {
            device: exchange.device,
            period_us: i64::from(exchange.period_ms) * 1_000,
            line: line_number(exchange.line),
            late_us: clock.span_us(exchange.late_answer()),
        };
        self.exchanges.iter().map(poll).collect()
    }

    /// All channels of one device.
    pub(super) fn parts_of(&self, device: usize) -> impl Iterator<Item = &Part> {
        self.exchanges
            .iter()
            .filter(move |exchange| exchange.device == device)
            .flat_map(|exchange| &exchange.parts)
    }
}

/// Channels of one period share requests where the protocol lets them.
fn plan_device(
    device: &Device,
    place: usize,
    channel_id: impl Fn(usize) -> ChannelId,
) -> Vec<PlannedExchange> {
    let mut by_period: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (index, channel) in device.channels.iter().enumerate() {
        by_period.entry(channel.poll_interval_ms).or_default().push(index);
    }
    let item = |channel: usize| &device.profile.channels[device.channels[channel].profile_channel].item;
    let mut exchanges = Vec::new();
    for (period_ms, channels) in by_period {
        let items: Vec<Item> = channels.iter().map(|&channel| item(channel).clone()).collect();
        for planned in plan(device.address, &items, device.profile.protocol.plan_limits()) {
            let part =
                |&index: &usize| Part { channel: channel_id(channels[index]), item: items[index].clone() };
            exchanges.push(PlannedExchange {
                device: place,
                parts: planned.items.iter().map(part).collect(),
                query: planned.query,
                line: device.line,
                max_turn_round: Duration::from_millis(u64::from(device.profile.max_turn_round_ms)),
                min_gap: Duration::from_millis(u64::from(device.profile.min_gap_ms)),
                period_ms,
            });
        }
    }
    exchanges
}
