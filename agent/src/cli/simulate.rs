//! `weighbridge simulate`.

use super::site_file::SiteFile;
use super::{FAULTY_FILE, SUCCESS, interrupted, log, runtime};
use crate::clock::Clock;
use crate::simulation::{Faults, World};

/// Simulates the other end of every serial line of a site, at the ports that the site file names
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example, in two terminals:
  weighbridge simulate examples/meter-factory.toml
  weighbridge run examples/meter-factory.toml")]
pub(super) struct Simulate {
    #[command(flatten)]
    file: SiteFile,
    /// What plant, instruments and lines are drawn from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What goes wrong on the lines
    #[arg(long, value_enum, default_value_t = Faults::None)]
    faults: Faults,
}

impl Simulate {
    pub(super) fn run(&self) -> anyhow::Result<u8> {
        log("info");
        let Some(mut loaded) = self.file.load_or_complain()? else { return Ok(FAULTY_FILE) };
        runtime()?.block_on(async {
            let world = World::open(&mut loaded.site, self.seed, self.faults, &Clock::system(), true)?;
            for (link, _) in &world.lines {
                tracing::info!(link, "simulated");
            }
            interrupted().await?;
            anyhow::Ok(())
        })?;
        Ok(SUCCESS)
    }
}
