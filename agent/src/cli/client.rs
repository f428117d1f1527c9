//! A client of the running agent's API.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use serde_json::Value;

const TIMEOUT: Duration = Duration::from_secs(10);

/// Calls of one agent.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    agent: ureq::Agent,
    base: String,
    token: Option<String>,
}

impl Client {
    /// For the agent that listens at `address`; `token` is needed for what changes something.
    pub(crate) fn new(address: SocketAddr, token: Option<String>) -> Self {
        let config = ureq::Agent::config_builder().timeout_global(Some(TIMEOUT)).http_status_as_error(false);
        Self { agent: config.build().new_agent(), base: format!("http://{address}/api"), token }
    }

    /// What the agent says.
    pub(crate) fn get(&self, call: &str) -> anyhow::Result<Value> {
        let reply = self.agent.get(format!("{}/{call}", self.base)).call();
        self.answer(reply)
    }

    /// Has the agent do something.
    pub(crate) fn post(&self, call: &str, body: &Value) -> anyhow::Result<Value> {
        let token = self.token.as_deref().unwrap_or_default();
        let request = self.agent.post(format!("{}/{call}", self.base));
        let reply = request.header("authorization", format!("Bearer {token}")).send_json(body);
        self.answer(reply)
    }

    fn answer(&self, reply: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> anyhow::Result<Value> {
        let mut reply = reply
            .with_context(|| format!("no agent answers at {}; is `weighbridge run` running?", self.base))?;
        let answer: Value = reply.body_mut().read_json().context("the agent's answer is no JSON")?;
        if reply.status().is_success() {
            return Ok(answer);
        }
        Err(anyhow!("{}", answer["error"].as_str().unwrap_or("the agent refused")))
    }
}
