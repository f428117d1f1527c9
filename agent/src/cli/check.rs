//! `weighbridge check`.

use comfy_table::Table;
use serde_json::json;
use weighbridge_config::{LinkBudget, line_budget};

use super::site_file::{NotLoaded, SiteFile, show};
use super::table::table;
use super::{FAULTY_FILE, SUCCESS, print, print_json};

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
        "site `{}` is valid: {} links, {} devices, {channels} channels, {} sections, {} models, {} factors\n",
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
    let mut devices: Table = table(
        &["device", "requests", "load %", "if dead %", "channel", "every s", "oldest s"],
        &[1, 2, 3, 5, 6],
    );
    for device in &budget.devices {
        for (index, channel) in device.channels.iter().enumerate() {
            let once = |text: String| if index == 0 { text } else { String::new() };
            devices.add_row([
                once(device.name.clone()),
                once(device.requests.to_string()),
                once(format!("{:.1}", 100.0 * device.utilisation)),
                once(format!("{:.1}", 100.0 * device.dead_utilisation)),
                channel.name.clone(),
                seconds(f64::from(channel.poll_interval_ms)),
                seconds(channel.worst_age_ms),
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

fn seconds(milliseconds: f64) -> String {
    let text = format!("{:.3}", milliseconds / 1e3);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
