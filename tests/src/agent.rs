use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::program::Program;
use crate::wait::until;

/// A running `weighbridge run`.
#[derive(Debug)]
pub struct Agent {
    program: Program,
    client: ureq::Agent,
    base: String,
    store: PathBuf,
}

impl Agent {
    pub(crate) fn start(command: Command, address: SocketAddr, store: &Path) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(10)))
            .http_status_as_error(false);
        let client = config.build().new_agent();
        let program = Program::start(command);
        Self { program, client, base: format!("http://{address}/api"), store: store.to_owned() }
    }

    /// Waits until its API answers.
    ///
    /// # Panics
    /// When it ends instead.
    #[must_use]
    pub fn ready(mut self) -> Self {
        until("the agent's API", || {
            if let Some(status) = self.program.ended() {
                panic!("the agent ended: {status}");
            }
            self.try_get("status")
        });
        self
    }

    /// What the API says; `None` when it does not answer.
    pub fn try_get(&self, call: &str) -> Option<Value> {
        let mut reply = self.client.get(format!("{}/{call}", self.base)).call().ok()?;
        reply.body_mut().read_json().ok()
    }

    /// What the API says.
    ///
    /// # Panics
    /// When it does not answer.
    pub fn get(&self, call: &str) -> Value {
        self.try_get(call).unwrap_or_else(|| panic!("no answer to {}/{call}", self.base))
    }

    /// Has the agent do something, as one who may.
    ///
    /// # Panics
    /// When it refuses.
    pub fn post(&self, call: &str, body: &Value) {
        let token =
            std::fs::read_to_string(self.store.join("command.token")).expect("the agent has made its token");
        let request = self.client.post(format!("{}/{call}", self.base));
        let mut reply = request
            .header("authorization", format!("Bearer {}", token.trim()))
            .send_json(body)
            .expect("the agent answers");
        let answer: Value = reply.body_mut().read_json().expect("the agent answers in JSON");
        assert!(reply.status().is_success(), "{call} was refused: {answer}");
    }

    /// Readings stored so far, as the API reports it.
    pub fn stored(&self) -> Option<u64> {
        self.try_get("status")?["buffer"]["stored"].as_u64()
    }

    /// Waits until so many readings are stored.
    pub fn has_stored(&self, readings: u64) -> u64 {
        until(&format!("{readings} stored readings"), || self.stored().filter(|stored| *stored >= readings))
    }

    /// Waits until the connection to the broker stands as wanted.
    pub fn is_connected(&self, wanted: bool) {
        let word = if wanted { "a" } else { "no" };
        until(&format!("{word} connection to the broker"), || {
            (self.try_get("status")?["mqtt"]["connected"] == wanted).then_some(())
        });
    }

    /// Waits until the broker has acknowledged so many readings.
    pub fn has_handed_over(&self, readings: u64) {
        until(&format!("{readings} acknowledged readings"), || {
            let acknowledged = self.try_get("status")?["mqtt"]["acknowledged"].as_u64()?;
            (acknowledged >= readings).then_some(())
        });
    }

    /// Waits until a channel has a reading, and returns it as the API shows it.
    pub fn live(&self, device: &str, channel: &str) -> Value {
        self.live_when(device, channel, |_| true)
    }

    /// Waits until a channel has a reading that is as wanted.
    pub fn live_when(&self, device: &str, channel: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut seen = Value::Null;
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            until(&format!("{device} / {channel}"), || {
                let live = self.try_get("live")?;
                let mut all = live.as_array()?.iter();
                let of_channel =
                    all.find(|reading| reading["device"] == device && reading["channel"] == channel)?.clone();
                seen = of_channel.clone();
                wanted(&of_channel).then_some(of_channel)
            })
        }));
        found.unwrap_or_else(|why| {
            eprintln!("last seen of {device} / {channel}: {seen}");
            std::panic::resume_unwind(why)
        })
    }

    /// The process.
    pub fn program(&mut self) -> &mut Program {
        &mut self.program
    }
}
