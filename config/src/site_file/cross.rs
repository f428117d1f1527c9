//! Checks that look at several entries of a site file at once.

use super::{Entries, Parts};
use crate::code::Code;
use crate::line_budget::{CROWDED_UTILISATION, link_budget, rounds, utilisation};
use crate::profile::ProfileChannel;
use crate::raw::{Table, nearest};
use crate::site::{Device, DeviceIndex, Factor, Link, LinkIndex, Measure};
use crate::unit::Unit;

/// How many channels a hint names before it only counts the others.
const LISTED_CHANNELS: usize = 8;

/// Reports what does not fit together among the parts that could be read.
pub(super) fn check(parts: &Parts<'_>) {
    let devices: Vec<_> = parts.devices.good().map(|(index, device, _)| (index, device)).collect();
    for (index, link, table) in parts.links.good() {
        check_link(index, link, table, &devices, parts.devices.is_whole());
    }
    if parts.devices.is_whole() {
        warn_of_unused_sections(parts);
    }
    check_factors(&parts.factors);
    check_carriers(parts);
}

fn check_link(
    index: LinkIndex,
    link: &Link,
    table: &Table<'_>,
    devices: &[(DeviceIndex, &Device)],
    whole: bool,
) {
    let budget = link_budget(index, link, devices);
    if budget.devices.is_empty() && whole {
        let fault =
            Code::UnusedLink.at(table.name_span(), format!("no device hangs on the link `{}`", link.name));
        table.report.warn(fault.label("unused"));
    }
    let percent = budget.utilisation * 100.0;
    if budget.utilisation > 1.0 {
        let message = format!("the link `{}` would be busy {percent:.0} % of the time", link.name);
        let fault = Code::Oversubscribed.at(table.name_span(), message).label("more than its wire can carry");
        table.report.error(fault.hint(slow_down(index, link, devices)));
    } else if budget.utilisation > CROWDED_UTILISATION {
        let message = format!("the link `{}` is busy {percent:.0} % of the time", link.name);
        let fault = Code::CrowdedLink
            .at(table.name_span(), message)
            .label("little room for repetitions and dead devices");
        table.report.warn(fault.hint(slow_down(index, link, devices)));
    }
}

/// Which channels to slow down, and to what: the shortest period that brings the link to
/// [`CROWDED_UTILISATION`] if no channel is polled faster.
fn slow_down(index: LinkIndex, link: &Link, devices: &[(DeviceIndex, &Device)]) -> String {
    let on_link: Vec<_> =
        devices.iter().map(|(_, device)| *device).filter(|device| device.link == index).collect();
    let loads: Vec<(u64, u32)> = on_link
        .iter()
        .flat_map(|device| rounds(device, &link.connection))
        .map(|round| (round.alive_ns, round.interval_ms))
        .collect();
    let floor_ms = shortest_floor_ms(&loads);
    let mut names = Vec::new();
    for device in on_link {
        let fast = device.channels.iter().filter(|channel| channel.poll_interval_ms < floor_ms);
        names.extend(fast.map(|channel| format!("{}/{}", device.name, channel.name)));
    }
    format!("poll {} every {} or slower, or raise the baud rate", listed(&names), written(floor_ms))
}

/// The first names, and how many follow.
fn listed(names: &[String]) -> String {
    match names.len().checked_sub(LISTED_CHANNELS) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more channels", names[..LISTED_CHANNELS].join(", ")),
    }
}

/// The least floor under all periods, in milliseconds, at which the loads (time in ns, period in ms) fit. The
/// load falls as the floor rises, so halving finds it.
fn shortest_floor_ms(loads: &[(u64, u32)]) -> u32 {
    let fits = |floor_ms: u32| {
        let total: f64 = loads
            .iter()
            .map(|(time_ns, interval_ms)| utilisation(*time_ns, (*interval_ms).max(floor_ms)))
            .sum();
        total <= CROWDED_UTILISATION
    };
    let (mut too_short, mut enough) = (0, u32::MAX);
    while enough - too_short > 1 {
        let middle = too_short + (enough - too_short) / 2;
        if fits(middle) { enough = middle } else { too_short = middle }
    }
    round_up(enough)
}

/// To the next tenth of a second, or second from ten seconds on.
fn round_up(milliseconds: u32) -> u32 {
    let step = if milliseconds < 10_000 { 100 } else { 1_000 };
    milliseconds.div_ceil(step).saturating_mul(step)
}

fn written(milliseconds: u32) -> String {
    if milliseconds.is_multiple_of(1_000) {
        format!("\"{} s\"", milliseconds / 1_000)
    } else {
        format!("\"{milliseconds} ms\"")
    }
}

fn warn_of_unused_sections(parts: &Parts<'_>) {
    let measures = parts.devices.good().filter_map(|(_, device, _)| device.measures.as_ref());
    let fed: Vec<_> =
        measures.filter_map(|measure| parts.sections.read[measure.section].as_ref().ok()).collect();
    for (_, section, table) in parts.sections.good() {
        if !fed.iter().any(|fed| fed.name == section.name) {
            let message = format!("no device measures anything for the section `{}`", section.name);
            table
                .report
                .warn(Code::UnusedSection.at(table.name_span(), message).label("nothing is booked here"));
        }
    }
}

/// One factor for each carrier and source.
fn check_factors(factors: &Entries<'_, Factor>) {
    let factors: Vec<_> = factors.good().collect();
    for (index, (_, factor, table)) in factors.iter().enumerate() {
        let same = |(_, earlier, _): &&(usize, &Factor, &Table<'_>)| {
            (&earlier.carrier, &earlier.source) == (&factor.carrier, &factor.source)
        };
        if let Some((_, earlier, _)) = factors[..index].iter().find(same) {
            let message = format!("the factors `{}` and `{}` apply to the same", earlier.name, factor.name);
            let label =
                format!("{} has a factor already", described(&factor.carrier, factor.source.as_deref()));
            table.report.error(
                Code::DuplicateFactor.at(table.name_span(), message).label(label).hint("keep one of the two"),
            );
        }
    }
}

/// Amounts of one carrier are added up, and multiplied by its factor: units must agree.
fn check_carriers(parts: &Parts<'_>) {
    let measured: Vec<_> =
        parts.devices.good().filter_map(|(_, device, table)| measured(device, table)).collect();
    for (index, amount) in measured.iter().enumerate() {
        let first =
            measured[..index].iter().find(|earlier| earlier.measure.carrier == amount.measure.carrier);
        if let Some(first) = first.filter(|first| first.unit != amount.unit) {
            let message =
                format!("`{}` is measured in {} and in {}", amount.measure.carrier, first.unit, amount.unit);
            let label = format!("in {}", amount.unit);
            amount.table.report.error(Code::MixedUnits.at(amount.span(), message).label(label));
        }
    }
    for (_, factor, table) in parts.factors.good() {
        let unit =
            measured.iter().find(|amount| amount.measure.carrier == factor.carrier).map(|amount| amount.unit);
        if let Some(unit) = unit.filter(|unit| *unit != factor.per) {
            let span = table.get("value").map_or(table.span.clone(), |value| value.span);
            let message =
                format!("`{}` is measured in {unit}, its factor is per {}", factor.carrier, factor.per);
            let fault = Code::FactorUnit.at(span, message).label(format!("must be per {unit}"));
            table.report.error(fault.hint("convert the published figure, and say so in `origin`"));
        }
    }
    if parts.factors.is_whole() {
        measured.iter().for_each(|amount| warn_of_missing(amount, &parts.factors));
    }
}

/// What one device measures.
struct Amount<'p, 'a> {
    measure: &'p Measure,
    unit: Unit,
    device: &'p Device,
    table: &'p Table<'a>,
}

fn measured<'p, 'a>(device: &'p Device, table: &'p Table<'a>) -> Option<Amount<'p, 'a>> {
    let measure = device.measures.as_ref()?;
    Some(Amount { measure, unit: device.channels[measure.channel].unit, device, table })
}

impl Amount<'_, '_> {
    fn span(&self) -> std::ops::Range<usize> {
        self.table.get("measures").map_or(self.table.span.clone(), |value| value.span)
    }

    fn counter(&self) -> &ProfileChannel {
        &self.device.profile.channels[self.device.channels[self.measure.channel].profile_channel]
    }
}

/// What may be missing beside an amount: the factor of an energy carrier, and the rated maximum of a counter
/// that rolls over. A material by mass needs no factor here: it belongs to the raw-material stage, whose
/// factors a study brings along.
fn warn_of_missing(amount: &Amount<'_, '_>, factors: &Entries<'_, Factor>) {
    let Measure { carrier, source, .. } = amount.measure;
    let covers =
        |factor: &Factor| factor.carrier == *carrier && (factor.source.is_none() || factor.source == *source);
    if amount.unit != Unit::Kilogram && !factors.good().any(|(_, factor, _)| covers(factor)) {
        let what = described(carrier, source.as_deref());
        let fault = Code::NoFactor.at(amount.span(), format!("no [[factor]] says what {what} emits"));
        let known =
            factors.good().map(|(_, factor, _)| factor.carrier.as_str()).filter(|known| *known != carrier);
        let hint = match nearest(carrier, known) {
            Some(near) => format!("did you mean the carrier `{near}`?"),
            None => format!("add a [[factor]] with carrier = \"{carrier}\""),
        };
        amount.table.report.warn(fault.label("will be missing in the footprint").hint(hint));
    }
    if amount.counter().capacity.is_some() && amount.device.rated_maximum_per_hour.is_none() {
        let rate = amount.unit.per_hour().map_or("", Unit::symbol);
        let message = format!("{} states no rated maximum", amount.table.title);
        let fault = Code::NoRatedMaximum
            .at(amount.table.name_span(), message)
            .label("every fall of its counter will be a break");
        amount
            .table
            .report
            .warn(fault.hint(format!("add rated_maximum = \"60 {rate}\": what can pass at most")));
    }
}

fn described(carrier: &str, source: Option<&str>) -> String {
    source.map_or_else(|| format!("`{carrier}`"), |source| format!("`{carrier}` from `{source}`"))
}
