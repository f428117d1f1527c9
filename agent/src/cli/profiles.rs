//! `weighbridge profiles`.

use std::path::PathBuf;

use weighbridge_config::{Profile, ProfileLibrary};

use super::site_file::{NotLoaded, library_with, profile, show};
use super::table::table;
use super::{FAILED, FAULTY_FILE, SUCCESS, print};
use crate::reading::kind_name;

/// Lists the device profiles, shows one, or validates one of your own
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  weighbridge profiles                      the library
  weighbridge profiles acrel/adw300         one profile with its channels and sources
  weighbridge profiles --check my-meter.toml")]
pub(super) struct Profiles {
    /// Name of a profile to show
    name: Option<String>,
    /// Validates a profile file
    #[arg(long, value_name = "FILE", conflicts_with = "name")]
    check: Option<PathBuf>,
    /// Folder with profiles of your own
    #[arg(long, value_name = "FOLDER")]
    profiles: Option<PathBuf>,
}

impl Profiles {
    pub(super) fn run(&self) -> anyhow::Result<u8> {
        match self.answer() {
            Ok(code) => Ok(code),
            Err(NotLoaded::Faults { faults, text }) => {
                show(&faults.0, &text);
                Ok(FAULTY_FILE)
            }
            Err(NotLoaded::Failed(why)) => Err(why),
        }
    }

    fn answer(&self) -> Result<u8, NotLoaded> {
        if let Some(path) = &self.check {
            let profile = profile(path)?;
            print(&format!("profile `{}` is valid: {} channels", profile.name, profile.channels.len()));
            return Ok(SUCCESS);
        }
        let library = match &self.profiles {
            Some(folder) => library_with(folder)?,
            None => ProfileLibrary::shipped(),
        };
        match &self.name {
            None => print(&list(&library)),
            Some(name) => match library.get(name) {
                Some(profile) => print(&describe(&profile)),
                None => {
                    eprintln!("error: there is no profile `{name}`; `weighbridge profiles` lists them");
                    return Ok(FAILED);
                }
            },
        }
        Ok(SUCCESS)
    }
}

fn list(library: &ProfileLibrary) -> String {
    let mut rows = table(&["profile", "maker", "model", "kind", "channels"], &[4]);
    for profile in library.names().filter_map(|name| library.get(name)) {
        let kind = format!("{:?}", profile.kind).to_lowercase();
        let channels = profile.channels.len().to_string();
        rows.add_row([profile.name.clone(), profile.vendor.clone(), profile.model.clone(), kind, channels]);
    }
    rows.to_string()
}

fn describe(profile: &Profile) -> String {
    let mut rows = table(&["channel", "group", "kind", "unit", "one count"], &[4]);
    for channel in &profile.channels {
        rows.add_row([
            channel.name.clone(),
            channel.group.clone(),
            kind_name(channel.kind).to_owned(),
            channel.unit.to_string(),
            channel.scale.to_string(),
        ]);
    }
    let lines = |title: &str, lines: &[String]| {
        lines.iter().map(|line| format!("{title}: {line}\n")).collect::<String>()
    };
    format!(
        "{}: {} {}\n{rows}\n{}{}",
        profile.name,
        profile.vendor,
        profile.model,
        lines("note", &profile.notes),
        lines("source", &profile.sources),
    )
}
