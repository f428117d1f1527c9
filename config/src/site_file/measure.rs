//! `measures` and `rated_maximum` of a device: what its counter stands for.

use weighbridge_protocol::Decimal;

use super::read_identifier;
use crate::code::Code;
use crate::profile::{ChannelKind, Profile};
use crate::raw::{Names, Reported, Table, Value, borrow, nearest, nearest_hint};
use crate::site::{Channel, Measure};

/// The carrier that has a source.
pub const ELECTRICITY: &str = "electricity";

const KEYS: &[&str] = &["channel", "carrier", "source", "section"];
/// Origins of electricity by table A.4 of the JJF draft.
const SOURCES: &[(&str, &str)] = &[("grid", "grid"), ("green", "green"), ("on-site", "on-site")];

/// What a device offers and what of it is polled, each if it could be read.
#[derive(Clone, Copy)]
pub(super) struct Offer<'p> {
    pub(super) profile: Result<&'p Profile, Reported>,
    pub(super) channels: Result<&'p [Channel], Reported>,
}

pub(super) fn read_measure(
    value: &Value<'_>,
    offer: Offer<'_>,
    sections: &Names<'_>,
) -> Result<Measure, Reported> {
    let table = value.part(Some(KEYS))?;
    let channel = match table.get("channel") {
        Some(value) => read_counter(&value, offer),
        None => first_counter(value, offer),
    };
    let carrier = table.required("carrier", read_identifier);
    let source = borrow(&carrier).and_then(|carrier| read_source(&table, carrier));
    let section = table.required("section", |value| sections.resolve(value, Code::UnknownSection, "section"));
    Ok(Measure { channel: channel?, carrier: carrier?, source: source?, section: section? })
}

/// `source` of a carrier: electricity needs one, another must have none.
pub(super) fn read_source(table: &Table<'_>, carrier: &str) -> Result<Option<String>, Reported> {
    let source = table.optional("source", |value| value.word(SOURCES))?;
    match (carrier == ELECTRICITY, source, table.get("source")) {
        (true, None, _) => {
            let fault = Code::SourceMismatch
                .at(table.span.clone(), format!("{} states no source of the electricity", table.title));
            Err(table.report.error(
                fault.label("`source` is missing").hint("add source = \"grid\", \"green\" or \"on-site\""),
            ))
        }
        (false, Some(_), Some(value)) => {
            let fault = value.fault(Code::SourceMismatch, format!("the carrier `{carrier}` has no source"));
            let hint = match nearest(carrier, [ELECTRICITY].into_iter()) {
                Some(near) => format!("did you mean carrier = \"{near}\"?"),
                None => "leave `source` out".to_owned(),
            };
            Err(table.report.error(fault.label("only electricity has one").hint(hint)))
        }
        (_, source, _) => Ok(source.map(str::to_owned)),
    }
}

/// What the device passes at most, in the unit of its counter per hour.
pub(super) fn read_rated_maximum(
    value: &Value<'_>,
    offer: Offer<'_>,
    measures: Option<&Measure>,
) -> Result<Decimal, Reported> {
    let counter = match (measures, offer.channels) {
        (Some(measure), Ok(channels)) => Some(channels[measure.channel].profile_channel),
        _ => default_counter(offer)?,
    };
    let profile = offer.profile?;
    match counter.and_then(|counter| profile.channels[counter].unit.per_hour()) {
        Some(unit) => value.positive_in(unit),
        None => {
            let label = "this device counts no amount";
            Err(value.error(Code::NotACounter, "`rated_maximum` belongs to a counter", label))
        }
    }
}

/// The polled counter of this name.
fn read_counter(value: &Value<'_>, offer: Offer<'_>) -> Result<usize, Reported> {
    let (name, profile) = (value.text()?, offer.profile?);
    let Some(offered) = profile.channel(name) else {
        let fault = value.fault(Code::UnknownChannel, format!("{} has no channel `{name}`", profile.name));
        let counters = profile.channels.iter().filter(|channel| channel.kind == ChannelKind::Counter);
        let hint = nearest_hint(name, counters.map(|channel| &*channel.name));
        return Err(value.report.error(fault.label("not known").hint(hint)));
    };
    if offered.kind != ChannelKind::Counter {
        let message = format!("`{name}` is a {}: an amount is the difference of a counter", offered.kind);
        return Err(value.error(Code::NotACounter, message, "not a counter"));
    }
    offer
        .channels?
        .iter()
        .position(|channel| channel.name == name)
        .ok_or_else(|| refuse_unpolled(value, name))
}

/// The first counter that is polled.
fn first_counter(value: &Value<'_>, offer: Offer<'_>) -> Result<usize, Reported> {
    let (profile, channels) = (offer.profile?, offer.channels?);
    channels.iter().position(|channel| channel.kind == ChannelKind::Counter).ok_or_else(|| {
        let counter = profile.channels.iter().find(|channel| channel.kind == ChannelKind::Counter);
        match counter {
            Some(counter) => refuse_unpolled(value, &counter.name),
            None => {
                value.error(Code::NotACounter, format!("{} has no counter", profile.name), "measured here")
            }
        }
    })
}

fn refuse_unpolled(value: &Value<'_>, counter: &str) -> Reported {
    let fault =
        value.fault(Code::NotPolled, format!("the counter `{counter}` is not polled")).label("measured here");
    value.report.error(fault.hint(format!("add it to `poll`: {counter} = \"60 s\"")))
}

/// The first counter that is polled or else offered: its index in the profile.
fn default_counter(offer: Offer<'_>) -> Result<Option<usize>, Reported> {
    let profile = offer.profile?;
    let counters =
        (0..profile.channels.len()).filter(|index| profile.channels[*index].kind == ChannelKind::Counter);
    let polled = |index: &usize| {
        offer.channels.is_ok_and(|channels| channels.iter().any(|channel| channel.profile_channel == *index))
    };
    Ok(counters.clone().find(polled).or_else(|| counters.min()))
}
