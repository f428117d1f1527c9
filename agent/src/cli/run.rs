//! `weighbridge run`.

use crate::clock::Clock;
use crate::daemon::{self, Setup};

use super::site_file::SiteFile;
use super::{FAULTY_FILE, SUCCESS, interrupted, log, runtime};

/// Runs the daemon until it is stopped by Ctrl-C or SIGTERM
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  weighbridge run /etc/weighbridge/site.toml")]
pub(super) struct Run {
    #[command(flatten)]
    file: SiteFile,
}

impl Run {
    pub(super) fn run(&self) -> anyhow::Result<u8> {
        log("info");
        let Some(loaded) = self.file.load_or_complain()? else { return Ok(FAULTY_FILE) };
        let setup = Setup { site: loaded.site, folder: loaded.folder, clock: Clock::system(), demo: false };
        runtime()?.block_on(async {
            let mut daemon = daemon::start(setup).await?;
            tracing::info!("the page is at http://{}/", daemon.address);
            let failed = tokio::select! {
                stopped = interrupted() => stopped.err().map(anyhow::Error::from),
                failed = daemon.failed() => Some(failed),
            };
            tracing::info!("stopping");
            let stopped = daemon.stop().await;
            failed.map_or(stopped, Err)
        })?;
        Ok(SUCCESS)
    }
}
