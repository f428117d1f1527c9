//! `poll` of a device: which channels are asked, how often, and what their counts are worth.

use weighbridge_protocol::Decimal;

use crate::code::Code;
use crate::profile::{ChannelKind, Profile, ProfileChannel, RatioUse};
use crate::raw::{Reported, Table, Value, nearest_hint};
use crate::site::Channel;

/// Poll period of counters of a device that states no `poll`.
pub const DEFAULT_POLL_INTERVAL_MS: u32 = 60_000;

/// The shortest period: what a line at 9600 bit/s carries for a single device.
const SHORTEST_POLL_MS: u32 = 100;
/// The longest period: a day.
const LONGEST_POLL_MS: u32 = 86_400_000;

/// Transformer ratios as the site states them.
#[derive(Clone, Copy, Default)]
pub(super) struct Ratios {
    pub(super) current: Option<Decimal>,
    pub(super) voltage: Option<Decimal>,
}

/// The polled channels in the profile's order, with the ratios applied.
pub(super) fn read_channels(
    table: &Table<'_>,
    profile: &Profile,
    ratios: Result<Ratios, Reported>,
) -> Result<Vec<Channel>, Reported> {
    let polled = match table.get("poll") {
        Some(value) => read_poll(&value, profile),
        None => Ok(default_poll(profile)),
    };
    let (polled, ratios) = (polled?, ratios?);
    warn_of_ratios(table, profile, &polled, ratios);
    let channels = polled.iter().map(|polled| channel(table, profile, *polled, ratios));
    channels.collect()
}

/// Index into the profile's channels, and the period.
#[derive(Clone, Copy)]
struct Polled {
    index: usize,
    interval_ms: u32,
}

/// Every counter of the profile; of a profile without counters, every channel.
fn default_poll(profile: &Profile) -> Vec<Polled> {
    let is_counter = |channel: &ProfileChannel| channel.kind == ChannelKind::Counter;
    let counters = profile.channels.iter().any(is_counter);
    let indices =
        (0..profile.channels.len()).filter(|index| !counters || is_counter(&profile.channels[*index]));
    indices.map(|index| Polled { index, interval_ms: DEFAULT_POLL_INTERVAL_MS }).collect()
}

fn read_poll(value: &Value<'_>, profile: &Profile) -> Result<Vec<Polled>, Reported> {
    let periods = value.part(None)?.pairs();
    let read: Vec<_> = periods.iter().map(|period| read_period(period, profile)).collect();
    let read: Vec<_> = read.into_iter().collect::<Result<_, _>>()?;
    if read.is_empty() {
        return Err(value.error(
            Code::MissingKey,
            "`poll` names no channel",
            "leave `poll` out for every counter each minute",
        ));
    }
    let mut polled = Vec::new();
    for (index, channel) in profile.channels.iter().enumerate() {
        let own = read.iter().find(|period| period.name == channel.name);
        let group = read.iter().find(|period| period.name == channel.group && channel.group != channel.name);
        if let (Some(own), Some(group)) = (own, group) {
            warn_of_both(value, own, group);
        }
        polled.extend(own.or(group).map(|period| Polled { index, interval_ms: period.interval_ms }));
    }
    Ok(polled)
}

struct Period<'a> {
    name: &'a str,
    key_span: std::ops::Range<usize>,
    interval_ms: u32,
}

fn read_period<'a>(value: &Value<'a>, profile: &Profile) -> Result<Period<'a>, Reported> {
    let name = value.key;
    let interval_ms = value.milliseconds(SHORTEST_POLL_MS..=LONGEST_POLL_MS);
    if !profile.channels.iter().any(|channel| channel.name == name || channel.group == name) {
        let mut known: Vec<&str> =
            profile.channels.iter().flat_map(|channel| [&*channel.group, &*channel.name]).collect();
        known.dedup();
        let fault = Code::UnknownChannel
            .at(value.key_span.clone(), format!("{} has no channel or group `{name}`", profile.name));
        return Err(value.report.error(fault.label("not known").hint(nearest_hint(name, known.into_iter()))));
    }
    Ok(Period { name, key_span: value.key_span.clone(), interval_ms: interval_ms? })
}

fn warn_of_both(value: &Value<'_>, own: &Period<'_>, group: &Period<'_>) {
    let message = format!("`{}` is polled under its own name and in the group `{}`", own.name, group.name);
    let fault = Code::PolledTwice.at(own.key_span.clone(), message).label("this period decides");
    value.report.warn(fault.hint("leave one out if they are the same"));
}

fn channel(
    table: &Table<'_>,
    profile: &Profile,
    polled: Polled,
    ratios: Ratios,
) -> Result<Channel, Reported> {
    let offered = &profile.channels[polled.index];
    let (current, voltage) = (ratios.current.unwrap_or(Decimal::ONE), ratios.voltage.unwrap_or(Decimal::ONE));
    let factor = match offered.ratio {
        RatioUse::None => Some(offered.scale),
        RatioUse::Current => offered.scale.checked_mul(current),
        RatioUse::Voltage => offered.scale.checked_mul(voltage),
        RatioUse::Both => offered.scale.checked_mul(current).and_then(|factor| factor.checked_mul(voltage)),
    };
    let factor = factor.ok_or_else(|| {
        let span = table.get("ratio").map_or(table.span.clone(), |value| value.span);
        table.report.error(Code::BadRatio.at(span, "the ratios are too large to count exactly").label("here"))
    });
    Ok(Channel {
        name: offered.name.clone(),
        profile_channel: polled.index,
        kind: offered.kind,
        unit: offered.unit,
        factor: factor?,
        poll_interval_ms: polled.interval_ms,
    })
}

/// A ratio that is forgotten, or given to a meter that multiplies by itself, makes every value wrong by that
/// ratio.
fn warn_of_ratios(table: &Table<'_>, profile: &Profile, polled: &[Polled], ratios: Ratios) {
    let uses = |wanted: RatioUse| {
        let ratios = polled.iter().map(|polled| profile.channels[polled.index].ratio);
        ratios.into_iter().any(|ratio| ratio == wanted || ratio == RatioUse::Both)
    };
    let sides =
        [("ct", uses(RatioUse::Current), ratios.current), ("pt", uses(RatioUse::Voltage), ratios.voltage)];
    for (key, used, stated) in sides {
        if stated.is_some() && !used {
            let span = table.get("ratio").map_or(table.span.clone(), |value| value.span);
            let message = format!("`{key}` has no effect on {}", table.title);
            let fault =
                Code::RatioUnused.at(span, message).label("no polled channel is on the secondary side");
            table
                .report
                .warn(fault.hint(format!("set the ratio in the meter itself, and leave `{key}` out")));
        }
    }
    let current_missing = uses(RatioUse::Current) && ratios.current.is_none();
    if current_missing {
        let message = format!(
            "{} counts on the secondary side of a current transformer, whose ratio is not stated",
            table.title
        );
        let fault = Code::RatioAssumed.at(table.name_span(), message).label("1 is taken");
        table.report.warn(fault.hint(
            "add ratio = { ct = \"200/5\" }, or { ct = \"1\" } for a meter that is connected directly",
        ));
    }
}
