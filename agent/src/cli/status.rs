//! `weighbridge status`.

use serde_json::Value;

use super::client::Client;
use super::site_file::SiteFile;
use super::table::{cell, table};
use super::{FAULTY_FILE, SUCCESS, print, print_json};

/// What a running daemon is doing: links, devices, buffer, broker
#[derive(Debug, clap::Args)]
pub(super) struct Status {
    #[command(flatten)]
    file: SiteFile,
    /// As JSON
    #[arg(long)]
    json: bool,
}

impl Status {
    pub(super) fn run(&self) -> anyhow::Result<u8> {
        let Some(loaded) = self.file.load_or_complain()? else { return Ok(FAULTY_FILE) };
        let status = Client::new(loaded.site.http.listen, None).get("status")?;
        if self.json {
            print_json(&status)?;
        } else {
            print(&describe(&status));
        }
        Ok(SUCCESS)
    }
}

fn describe(status: &Value) -> String {
    let mut links =
        table(&["link", "state", "busy %", "exchanges", "failed", "dropped bytes"], &[2, 3, 4, 5]);
    for link in status["links"].as_array().into_iter().flatten() {
        let busy = 100.0 * link["busy_share"].as_f64().unwrap_or(0.0);
        links.add_row([
            cell(&link["name"]),
            cell(&link["state"]),
            format!("{busy:.1}"),
            cell(&link["exchanges"]),
            cell(&link["failed"]),
            cell(&link["dropped_bytes"]),
        ]);
    }
    let mut devices = table(&["device", "link", "state", "last good", "answers in ms", "last error"], &[4]);
    for device in status["devices"].as_array().into_iter().flatten() {
        let answers = device["answer_ms"].as_f64().map_or_else(|| "—".to_owned(), |ms| format!("{ms:.1}"));
        devices.add_row([
            cell(&device["name"]),
            cell(&device["link"]),
            cell(&device["state"]),
            cell(&device["last_good"]),
            answers,
            cell(&device["last_error"]),
        ]);
    }
    let buffer = &status["buffer"];
    format!(
        "{} / {}, {}, clock {}\n{links}\n{devices}\nbuffer: {} readings stored, {} bytes on disk\nbroker: {}",
        cell(&status["site"]),
        cell(&status["gateway"]),
        cell(&status["time"]),
        cell(&status["clock"]["state"]),
        cell(&buffer["stored"]),
        cell(&buffer["disk_bytes"]),
        broker(&status["mqtt"]),
    )
}

fn broker(mqtt: &Value) -> String {
    if mqtt["configured"] != true {
        return "none in the site file; readings stay in the buffer".to_owned();
    }
    let state = if mqtt["connected"] == true { "connected" } else { "not connected" };
    format!(
        "{state}, {} readings acknowledged, {} waiting",
        cell(&mqtt["acknowledged"]),
        cell(&mqtt["backlog"])
    )
}
