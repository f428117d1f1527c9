use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::wait::until;

const PROGRAM: &str = "/usr/bin/chromium";

/// The browser reads commands from descriptor 3 and writes answers and events to descriptor 4: no port, no web socket. A shell
/// ties them to the pipes of stdin and stdout.
const TIE: &str = r#"exec "$0" "$@" 3<&0 4>&1 0</dev/null 1>&2"#;

/// A headless Chromium with one page, controlled over a pipe by the Chrome DevTools Protocol.
#[derive(Debug)]
pub struct Browser {
    child: Child,
    commands: ChildStdin,
    heard: Arc<Mutex<Vec<Value>>>,
    session: Option<String>,
    sent: u64,
    _profile: TempDir,
}

impl Browser {
    /// Opens a page.
    ///
    /// # Panics
    /// When Chromium is not installed or does not start.
    pub fn open(url: &str) -> Self {
        let mut browser = Self::start();
        let target =
            browser.tell("Target.createTarget", &json!({ "url": "about:blank" }))["targetId"].clone();
        let attached = browser.tell("Target.attachToTarget", &json!({ "targetId": target, "flatten": true }));
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Runtime.enable", "Log.enable", "Page.enable"] {
            browser.tell(domain, &json!({}));
        }
        browser.tell("Page.navigate", &json!({ "url": url }));
        browser
    }

    fn start() -> Self {
        assert!(std::path::Path::new(PROGRAM).exists(), "{PROGRAM} is missing: run tests/install-peers");
        let profile =
            tempfile::Builder::new().prefix("wb-").tempdir().expect("a temporary folder can be made");
        let mut command = Command::new("sh");
        command.args([
            "-c",
            TIE,
            PROGRAM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
        ]);
        command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
        command.args(["--disable-dev-shm-usage", "--remote-debugging-pipe", "--window-size=1400,1000"]);
        command.arg(format!("--user-data-dir={}", profile.path().display()));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child =
            std::os::unix::process::CommandExt::process_group(&mut command, 0).spawn().expect("sh starts");
        let commands = child.stdin.take().expect("stdin is a pipe");
        let answers = child.stdout.take().expect("stdout is a pipe");
        let heard = Arc::<Mutex<Vec<Value>>>::default();
        let into = heard.clone();
        std::thread::spawn(move || {
            for message in BufReader::new(answers).split(0).map_while(Result::ok) {
                let message = serde_json::from_slice(&message).unwrap_or(Value::Null);
                into.lock().unwrap_or_else(PoisonError::into_inner).push(message);
            }
        });
        Self { child, commands, heard, session: None, sent: 0, _profile: profile }
    }

    /// The value of an expression in the page.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        self.tell("Runtime.evaluate", &json!({ "expression": expression, "returnByValue": true }))["result"]["value"].clone()
    }

    /// The text that the page shows.
    pub fn text(&mut self) -> String {
        self.evaluate("document.body.innerText").as_str().unwrap_or_default().to_owned()
    }

    /// Errors and warnings on the console and exceptions that nobody caught, as the browser reports them.
    pub fn complaints(&self) -> Vec<Value> {
        let is_complaint = |message: &&Value| match message["method"].as_str() {
            Some("Runtime.exceptionThrown") => true,
            Some("Runtime.consoleAPICalled") => {
                ["error", "warning", "assert"].iter().any(|kind| message["params"]["type"] == *kind)
            }
            Some("Log.entryAdded") => {
                ["error", "warning"].iter().any(|level| message["params"]["entry"]["level"] == *level)
            }
            _ => false,
        };
        self.heard().iter().filter(is_complaint).cloned().collect()
    }

    fn tell(&mut self, method: &str, parameters: &Value) -> Value {
        self.sent += 1;
        let id = self.sent;
        let mut command = json!({ "id": id, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            command["sessionId"] = json!(session);
        }
        let sent = self.commands.write_all(format!("{command}\0").as_bytes());
        sent.unwrap_or_else(|why| panic!("Chromium does not listen to {method}: {why}"));
        let answer = until(&format!("Chromium's answer to {method}"), || {
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("Chromium ended: {status}");
            }
            self.heard().iter().find(|message| message["id"] == id).cloned()
        });
        assert!(answer.get("error").is_none(), "{method}: {}", answer["error"]);
        answer["result"].clone()
    }

    fn heard(&self) -> Vec<Value> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let group = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        // It may have ended by itself.
        let _ = group.map(|group| kill_process_group(group, Signal::KILL));
        let _ = self.child.wait();
    }
}
