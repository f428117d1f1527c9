//! The line budget: what the polls of a site ask of its wires.
//!
//! One exchange takes, on the wire of its link at the device's own line settings,
//!
//! ```text
//! request characters · turn-round · reply characters · silence of 3.5 characters · the profile's min_gap
//! ```
//!
//! with these assumptions, all on the careful side or stated:
//! - the turn-round is what a healthy device needs: [`TYPICAL_TURN_ROUND_MS`], or the profile's longest if
//!   that is shorter;
//! - a DL/T 645 reply begins with four FE, the most that a meter sends;
//! - channels of one period share requests, channels of different periods never do;
//! - the gap keeps the whole link waiting, even where another device could be asked meanwhile;
//! - nothing is repeated: a repetition after noise comes on top.
//!
//! Over Modbus TCP the wire costs nothing, and no silence is kept: what is left is the turn-round and the
//! gap. A serial line behind a TCP gateway is not seen from here.
//!
//! A dead device costs its time-out instead: request characters · the profile's longest turn-round · silence
//! · gap.

use std::collections::BTreeMap;

use serde::Serialize;
use weighbridge_protocol::{Item, Query, plan};

use crate::profile::{LineSettings, Profile};
use crate::site::{Connection, Device, DeviceIndex, Link, LinkIndex, Site};

/// What a healthy device needs from the end of a request to the first byte of its reply, in milliseconds: the
/// least that DL/T 645-2007 5.3.3 allows a meter, and more than most Modbus devices take.
pub const TYPICAL_TURN_ROUND_MS: u32 = 20;

/// The utilisation from which a link counts as crowded: one dead device or a few repetitions then make polls
/// late.
pub const CROWDED_UTILISATION: f64 = 0.8;

/// FE bytes before a DL/T 645 reply; `Query::reply_len` counts none.
const REPLY_PREAMBLE_CHARACTERS: usize = 4;

const NS_PER_MS: u64 = 1_000_000;

/// What one link has to carry.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LinkBudget {
    /// The link.
    pub link: LinkIndex,
    /// Its name.
    pub name: String,
    /// Share of time in which the wire is busy or kept silent; above 1 polls fall behind without end.
    pub utilisation: f64,
    /// How long it takes to ask everything on the link once, in milliseconds.
    pub cycle_ms: f64,
    /// The devices on the link, in the order of the site.
    pub devices: Vec<DeviceBudget>,
}

/// What one device takes of its link.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeviceBudget {
    /// The device.
    pub device: DeviceIndex,
    /// Its name.
    pub name: String,
    /// Its part of the link's utilisation.
    pub utilisation: f64,
    /// The part that it takes instead when it does not answer.
    pub dead_utilisation: f64,
    /// How long it takes to ask everything of this device once, in milliseconds.
    pub cycle_ms: f64,
    /// Requests that it takes to ask everything once.
    pub requests: usize,
    /// Its polled channels, in the order of the site.
    pub channels: Vec<ChannelBudget>,
}

/// How fresh one channel stays.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChannelBudget {
    /// The channel's name.
    pub name: String,
    /// Its poll period in milliseconds.
    pub poll_interval_ms: u32,
    /// The greatest age of the newest value in milliseconds, all devices answering: its period and one cycle
    /// of the link, since a value may come first in one round and last in the next. Infinite on a link that
    /// is over-subscribed.
    pub worst_age_ms: f64,
}

/// The budget of every link of a site, in the site's order.
pub fn line_budget(site: &Site) -> Vec<LinkBudget> {
    let devices: Vec<_> = site.devices.iter().enumerate().collect();
    let links = site.links.iter().enumerate();
    links.map(|(index, link)| link_budget(index, link, &devices)).collect()
}

/// The budget of one link; devices on other links are passed over.
pub(crate) fn link_budget(index: LinkIndex, link: &Link, devices: &[(DeviceIndex, &Device)]) -> LinkBudget {
    let on_link = devices.iter().filter(|(_, device)| device.link == index);
    let mut devices: Vec<_> =
        on_link.map(|(index, device)| device_budget(*index, device, &link.connection)).collect();
    let utilisation = devices.iter().map(|device| device.utilisation).sum();
    let cycle_ms: f64 = devices.iter().map(|device| device.cycle_ms).sum();
    for channel in devices.iter_mut().flat_map(|device| &mut device.channels) {
        let age_ms = f64::from(channel.poll_interval_ms) + cycle_ms;
        channel.worst_age_ms = if utilisation > 1.0 { f64::INFINITY } else { age_ms };
    }
    LinkBudget { link: index, name: link.name.clone(), utilisation, cycle_ms, devices }
}

impl LinkBudget {
    /// Utilisation of the link while one of its devices, given by its place in
    /// [`devices`](LinkBudget::devices), is dead.
    pub fn utilisation_without(&self, device: usize) -> f64 {
        let change = |device: &DeviceBudget| device.dead_utilisation - device.utilisation;
        self.utilisation + self.devices.get(device).map_or(0.0, change)
    }
}

/// The requests of one device that share a period.
pub(crate) struct Round {
    pub(crate) interval_ms: u32,
    /// Time of the requests, all answered.
    pub(crate) alive_ns: u64,
    /// Time of the requests, none answered.
    pub(crate) dead_ns: u64,
    requests: usize,
}

/// The rounds of a device, shortest period first.
pub(crate) fn rounds(device: &Device, connection: &Connection) -> Vec<Round> {
    let mut periods: BTreeMap<u32, Vec<Item>> = BTreeMap::new();
    for channel in &device.channels {
        let item = device.profile.channels[channel.profile_channel].item.clone();
        periods.entry(channel.poll_interval_ms).or_default().push(item);
    }
    let wire = Wire { line: connection.is_serial().then_some(device.line), profile: &device.profile };
    let round = |(interval_ms, items): (u32, Vec<Item>)| {
        let requests = plan(device.address, &items, device.profile.protocol.plan_limits());
        Round {
            interval_ms,
            alive_ns: requests.iter().map(|planned| wire.answered_ns(&planned.query)).sum(),
            dead_ns: requests.iter().map(|planned| wire.unanswered_ns(&planned.query)).sum(),
            requests: requests.len(),
        }
    };
    periods.into_iter().map(round).collect()
}

fn device_budget(index: DeviceIndex, device: &Device, connection: &Connection) -> DeviceBudget {
    let rounds = rounds(device, connection);
    let share = |time: fn(&Round) -> u64| {
        rounds.iter().map(|round| utilisation(time(round), round.interval_ms)).sum()
    };
    let channels = device.channels.iter().map(|channel| ChannelBudget {
        name: channel.name.clone(),
        poll_interval_ms: channel.poll_interval_ms,
        worst_age_ms: f64::INFINITY,
    });
    DeviceBudget {
        device: index,
        name: device.name.clone(),
        utilisation: share(|round| round.alive_ns),
        dead_utilisation: share(|round| round.dead_ns),
        cycle_ms: milliseconds(rounds.iter().map(|round| round.alive_ns).sum()),
        requests: rounds.iter().map(|round| round.requests).sum(),
        channels: channels.collect(),
    }
}

/// The share of a period that a time takes.
pub(crate) fn utilisation(time_ns: u64, interval_ms: u32) -> f64 {
    milliseconds(time_ns) / f64::from(interval_ms)
}

/// What times an exchange.
struct Wire<'p> {
    /// `None` over TCP.
    line: Option<LineSettings>,
    profile: &'p Profile,
}

impl Wire<'_> {
    fn answered_ns(&self, query: &Query) -> u64 {
        let preamble = if matches!(query, Query::Dlt645Read { .. }) { REPLY_PREAMBLE_CHARACTERS } else { 0 };
        let turn_round_ms = self.profile.max_turn_round_ms.min(TYPICAL_TURN_ROUND_MS);
        self.characters_ns(query.request_len() + query.reply_len() + preamble) + self.pauses_ns(turn_round_ms)
    }

    fn unanswered_ns(&self, query: &Query) -> u64 {
        self.characters_ns(query.request_len()) + self.pauses_ns(self.profile.max_turn_round_ms)
    }

    fn characters_ns(&self, characters: usize) -> u64 {
        let characters = u64::try_from(characters).unwrap_or(u64::MAX);
        self.line.map_or(0, |line| line.duration_ns(characters))
    }

    fn pauses_ns(&self, turn_round_ms: u32) -> u64 {
        let pauses_ms = u64::from(turn_round_ms) + u64::from(self.profile.min_gap_ms);
        pauses_ms * NS_PER_MS + self.line.map_or(0, LineSettings::frame_silence_ns)
    }
}

/// Exact below 2^53 ns, which is a hundred days.
fn milliseconds(time_ns: u64) -> f64 {
    std::time::Duration::from_nanos(time_ns).as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::ProfileLibrary;

    const SITE: &str = r#"
        site = { name = "s", timezone = "UTC" }
        link = [{ name = "a", serial = { port = "a", baud = 9600 } }, { name = "b", serial = { port = "b", baud = 38400 } },
            { name = "c", modbus_tcp = { host = "gateway.lan" } }]

        [[device]]
        name = "dlt645"
        link = "a"
        profile = "dlt645-2007/single-phase"
        address = "000000000001"
        line = { baud = 2400, parity = "even" }
        poll = { energy_import = "1 s" }

        [[device]]
        name = "modbus"
        link = "a"
        profile = "acrel/adw300"
        address = 1
        poll = { energy_import = "500 ms", energy_export = "500 ms", active_power = "1 s" }

        [[device]]
        name = "fast"
        link = "b"
        profile = "acrel/adw300"
        address = 1
        poll = { voltage = "1 s" }

        [[device]]
        name = "remote"
        link = "c"
        profile = "acrel/adw300"
        address = 1
        poll = { voltage = "1 s" }
    "#;

    fn budgets(text: &str) -> Vec<LinkBudget> {
        line_budget(&Site::parse("site", text, &ProfileLibrary::shipped()).unwrap().site)
    }

    #[track_caller]
    fn check(found: f64, expected_ms: f64) {
        assert!((found - expected_ms).abs() < 1e-5, "{found} is not {expected_ms}");
    }

    /// By hand: 20 + 24 characters of 11 bits at 2400 bit/s, 3.5 characters of silence, 20 ms turn-round, 10
    /// ms gap.
    #[test]
    fn a_dlt645_exchange() {
        let link = &budgets(SITE)[0];
        check(link.devices[0].cycle_ms, 47.5 * 11.0 / 2.4 + 30.0);
        check(link.devices[0].utilisation, (47.5 * 11.0 / 2.4 + 30.0) / 1000.0);
        check(link.devices[0].dead_utilisation, (23.5 * 11.0 / 2.4 + 510.0) / 1000.0);
        assert_eq!(link.devices[0].requests, 1);
    }

    /// By hand: two counters in one request of 8 and a reply of 5 + 8 characters, the power in one of 8 and 5
    /// + 4; 10 bits a character at 9600 bit/s; each with 3.5 characters, 20 ms and 10 ms.
    #[test]
    fn a_modbus_device_joins_registers_of_one_period() {
        let link = &budgets(SITE)[0];
        let (energy_ms, power_ms) = (24.5 * 10.0 / 9.6 + 30.0, 20.5 * 10.0 / 9.6 + 30.0);
        check(link.devices[1].cycle_ms, energy_ms + power_ms);
        check(link.devices[1].utilisation, energy_ms / 500.0 + power_ms / 1000.0);
        assert_eq!(link.devices[1].requests, 2);
    }

    /// Above 19200 bit/s the silence is 1.75 ms.
    #[test]
    fn a_fast_line_keeps_a_fixed_silence() {
        check(budgets(SITE)[1].cycle_ms, 19.0 * 10.0 / 38.4 + 1.75 + 30.0);
    }

    #[test]
    fn over_tcp_only_the_device_takes_time() {
        check(budgets(SITE)[2].cycle_ms, 30.0);
    }

    #[test]
    fn a_link_is_the_sum_of_its_devices() {
        let links = budgets(SITE);
        assert_eq!(links.iter().map(|link| link.devices.len()).collect::<Vec<_>>(), [2, 1, 1]);
        let [first, second] = &*links[0].devices else { panic!("two devices") };
        check(links[0].utilisation, first.utilisation + second.utilisation);
        check(links[0].cycle_ms, first.cycle_ms + second.cycle_ms);
        check(second.channels[0].worst_age_ms, 500.0 + links[0].cycle_ms);
        check(links[0].utilisation_without(0), first.dead_utilisation + second.utilisation);
        check(links[0].utilisation_without(7), links[0].utilisation);
    }
}
