//! `weighbridge batch`.

use serde_json::{Value, json};

use super::client::Client;
use super::site_file::SiteFile;
use super::table::{cell, table};
use super::{FAULTY_FILE, SUCCESS, print, print_json};
use crate::web::existing_token;

/// Opens, closes and lists production batches of a running daemon
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  weighbridge batch open site.toml B-1001 --model DTZ-A --sections smt,dip,coating
  weighbridge batch close site.toml B-1001 --good 236 --rejected 4
  weighbridge batch close site.toml B-1001 --good 236 --rejected 4 --at 2026-11-21T08:30:00+08:00
  weighbridge batch list site.toml")]
pub(super) struct Batch {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Production of a batch begins
    Open {
        #[command(flatten)]
        file: SiteFile,
        /// Identity of the batch; never used twice
        batch: String,
        /// Product model, as the site file names it
        #[arg(long)]
        model: String,
        /// Sections that the batch occupies, separated by commas
        #[arg(long, value_delimiter = ',', required = true)]
        sections: Vec<String>,
        #[command(flatten)]
        said: Said,
    },
    /// Production of a batch ends
    Close {
        #[command(flatten)]
        file: SiteFile,
        /// Identity of the batch
        batch: String,
        /// Pieces that passed
        #[arg(long)]
        good: u64,
        /// Pieces that did not
        #[arg(long, default_value_t = 0)]
        rejected: u64,
        #[command(flatten)]
        said: Said,
    },
    /// The newest batches and what they drew
    List {
        #[command(flatten)]
        file: SiteFile,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

/// When, and by whom.
#[derive(Debug, clap::Args)]
struct Said {
    /// The instant, with its zone [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Who says so [default: the user's name]
    #[arg(long)]
    author: Option<String>,
}

impl Said {
    fn author(&self) -> String {
        self.author
            .clone()
            .or_else(|| std::env::var("USER").ok())
            .unwrap_or_else(|| "command line".to_owned())
    }
}

impl Batch {
    pub(super) fn run(&self) -> anyhow::Result<u8> {
        match &self.action {
            Action::Open { file, batch, model, sections, said } => {
                let (at, author) = (&said.at, said.author());
                let body = json!({ "batch": batch, "model": model, "sections": sections, "at": at, "author": author });
                tell(file, "batches/open", &body)
            }
            Action::Close { file, batch, good, rejected, said } => {
                let (at, author) = (&said.at, said.author());
                let body =
                    json!({ "batch": batch, "good": good, "rejected": rejected, "at": at, "author": author });
                tell(file, "batches/close", &body)
            }
            Action::List { file, json } => list(file, *json),
        }
    }
}

fn tell(file: &SiteFile, call: &str, body: &Value) -> anyhow::Result<u8> {
    let Some(loaded) = file.load_or_complain()? else { return Ok(FAULTY_FILE) };
    let token = existing_token(&loaded.folder.join(&loaded.site.buffer.path))?;
    Client::new(loaded.site.http.listen, Some(token)).post(call, body)?;
    eprintln!("done");
    Ok(SUCCESS)
}

fn list(file: &SiteFile, json: bool) -> anyhow::Result<u8> {
    let Some(loaded) = file.load_or_complain()? else { return Ok(FAULTY_FILE) };
    let batches = Client::new(loaded.site.http.listen, None).get("batches")?;
    if json {
        print_json(&batches)?;
        return Ok(SUCCESS);
    }
    let mut rows = table(
        &["batch", "model", "state", "opened", "good", "carrier", "section", "amount", "± U (k=2)", "unit"],
        &[4, 7, 8],
    );
    for batch in batches.as_array().into_iter().flatten() {
        for (index, amount) in batch["amounts"].as_array().into_iter().flatten().enumerate() {
            let once = |key: &str| if index == 0 { cell(&batch[key]) } else { String::new() };
            let expanded = amount["expanded"].as_f64().map_or_else(|| "—".to_owned(), |u| format!("{u:.4}"));
            rows.add_row([
                once("id"),
                once("model"),
                once("state"),
                once("opened"),
                once("good"),
                cell(&amount["carrier"]),
                cell(&amount["section"]),
                cell(&amount["value"]),
                expanded,
                cell(&amount["unit"]),
            ]);
        }
    }
    print(&rows.to_string());
    Ok(SUCCESS)
}
