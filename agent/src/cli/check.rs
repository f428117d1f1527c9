//! `weighbridge check`.

use std::collections::BTreeMap;

use comfy_table::Table;
use serde_json::json;
use weighbridge_config::{ChannelBudget, LinkBudget, line_budget};

use super::site_file::{NotLoaded, SiteFile, show};
use super::table::table;
use super::{FAULTY_FILE, SUCCESS, print, print_json};

/// Channels of one period are named up to this many.
const NAMED_CHANNELS: usize = 3;

/// Validates a site file: all faults at once, each with its place and what to do; then the load of each wire
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  weighbridge check site.toml\n  weighbridge check site.toml --json | jq .links"
)]
pub(super) struct Check {
    #[command(flatten)]
    file: SiteFile,
    /// Findings and budget as JSON
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(super) fn run(&self) -> anyhow::Result<u8> {
        match self.file.load() {
            Ok(loaded) => {
                let budgets = line_budget(&loaded.site);
                if self.json {
                    print_json(&json!({ "valid": true, "findings": loaded.warnings, "links": budgets }))?;
                } else {
                    loaded.show_warnings();
                    print(&summary(&loaded.site));
                    budgets.iter().for_each(|budget| print(&describe(budget)));
                }
                Ok(SUCCESS)
            }
            Err(NotLoaded::Faults { faults, text }) => {
                if self.json {
                    print_json(&json!({ "valid": false, "findings": faults.0 }))?;
                } else {
                    show(&faults.0, &text);
                    eprintln!("{} cannot be used: see above.", self.file.name());
                }
                Ok(FAULTY_FILE)
            }
            Err(NotLoaded::Failed(why)) => Err(why),
        }
    }
}

fn summary(site: &weighbridge_config::Site) -> String {
    let channels: usize = site.devices.iter().map(|device| device.channels.len()).sum();
    format!(
        "site `{}` is valid. Links: {}, devices: {}, channels: {channels}, sections: {}, models: {}, factors: {}\n",
        site.name,
        site.links.len(),
        site.devices.len(),
        site.sections.len(),
        site.models.len(),
        site.factors.len(),
    )
}

/// One link: its load, and for each device what it takes, what it would take dead, and how old its values can get.
fn describe(budget: &LinkBudget) -> String {
    let head = ["device", "requests", "load %", "if dead %", "every s", "oldest s", "channels"];
    let mut devices: Table = table(&head, &[1, 2, 3, 4, 5]);
    for device in &budget.devices {
        for (index, (interval_ms, channels)) in by_interval(&device.channels).into_iter().enumerate() {
            let once = |text: String| if index == 0 { text } else { String::new() };
            let oldest_ms = channels.iter().map(|channel| channel.worst_age_ms).fold(0.0, f64::max);
            devices.add_row([
                once(device.name.clone()),
                once(device.requests.to_string()),
                once(format!("{:.1}", 100.0 * device.utilisation)),
                once(format!("{:.1}", 100.0 * device.dead_utilisation)),
                seconds(f64::from(interval_ms)),
                seconds(oldest_ms),
                names(&channels),
            ]);
        }
    }
    format!(
        "link `{}`: {:.1} % of what the wire can carry; one round takes {} s\n{devices}\n",
        budget.name,
        100.0 * budget.utilisation,
        seconds(budget.cycle_ms),
    )
}

fn by_interval(channels: &[ChannelBudget]) -> BTreeMap<u32, Vec<&ChannelBudget>> {
    let mut intervals: BTreeMap<u32, Vec<&ChannelBudget>> = BTreeMap::new();
    for channel in channels {
        intervals.entry(channel.poll_interval_ms).or_default().push(channel);
    }
    intervals
}

fn names(channels: &[&ChannelBudget]) -> String {
    match channels {
        [] => String::new(),
        few if few.len() <= NAMED_CHANNELS => {
            few.iter().map(|channel| channel.name.as_str()).collect::<Vec<_>>().join(", ")
        }
        [first, .., last] => format!("{} channels, {} to {}", channels.len(), first.name, last.name),
        [only] => only.name.clone(),
    }
}

fn seconds(milliseconds: f64) -> String {
    let text = format!("{:.3}", milliseconds / 1e3);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
