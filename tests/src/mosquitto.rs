use std::net::{SocketAddr, TcpStream};
use std::process::Command;

use tempfile::TempDir;

use crate::port::Port;
use crate::program::Program;
use crate::wait::until;

const PROGRAM: &str = "/usr/sbin/mosquitto";

/// Mosquitto with its memory in a folder of its own, on a port of its own. It can be stopped and started again.
#[derive(Debug)]
pub struct Mosquitto {
    folder: TempDir,
    port: Port,
    running: Option<Program>,
}

impl Mosquitto {
    /// A broker that is not running yet.
    ///
    /// # Panics
    /// When Mosquitto is not installed.
    pub fn new() -> Self {
        assert!(std::path::Path::new(PROGRAM).exists(), "{PROGRAM} is missing: run tests/install-peers");
        let folder =
            tempfile::Builder::new().prefix("wb-").tempdir().expect("a temporary folder can be made");
        let port = Port::claim();
        let path = folder.path().display();
        // Started by root, it would give its rights up and could not write into the folder. A queue without limit: how much a
        // subscriber may miss while it is away is the broker's policy, and not what is tested.
        let configuration = format!(
            "listener {} 127.0.0.1\nallow_anonymous true\nuser root\npersistence true\npersistence_location {path}/\n\
             max_queued_messages 0\nlog_type all\n",
            port.number()
        );
        std::fs::write(folder.path().join("mosquitto.conf"), configuration)
            .expect("a temporary folder can be written");
        Self { folder, port, running: None }
    }

    /// A running broker.
    pub fn started() -> Self {
        let mut broker = Self::new();
        broker.start();
        broker
    }

    /// Starts it and waits until it takes connections.
    ///
    /// # Panics
    /// When it ends at once.
    pub fn start(&mut self) {
        let mut command = Command::new(PROGRAM);
        command.arg("-c").arg(self.folder.path().join("mosquitto.conf"));
        let mut program = Program::start(command);
        until("Mosquitto to listen", || {
            if let Some(status) = program.ended() {
                panic!("Mosquitto ended: {status}");
            }
            TcpStream::connect(self.address()).ok()
        });
        self.running = Some(program);
    }

    /// Stops it with SIGTERM. It saves what it has promised: with SIGKILL it would lose what it has acknowledged since it last
    /// saved, which is half an hour by default, and no publisher could know.
    ///
    /// # Panics
    /// When it is not running.
    pub fn stop(&mut self) {
        self.running.take().expect("the broker runs").terminate();
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.port.address()
    }
}

impl Default for Mosquitto {
    fn default() -> Self {
        Self::new()
    }
}
