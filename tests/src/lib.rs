//! What the tests from wire to footprint have in common: the program under test, and parts that we did not write to test it
//! with. Nothing here sleeps for a while and hopes; it waits for a condition, with a limit far beyond what is needed.

#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "all of this crate is tests")]

/// The rules of ARCHITECTURE.md, looked for in manifests and sources.
pub mod architecture;

/// Waiting for conditions.
mod wait;

/// Ports of this machine that no other test uses.
mod port;

/// Child processes that end with the test, whatever becomes of it.
mod program;

/// A folder with a site file, and the commands of `weighbridge` on it.
mod bench;

/// A small site on simulated lines.
mod two_meters;

/// A running agent and its API.
mod agent;

/// Mosquitto as broker.
mod mosquitto;

/// A subscriber that misses nothing while it is away.
mod subscriber;

/// Python programs as meters and clients.
mod python;

/// A browser that is told what to do, and says what it sees.
mod browser;

pub use agent::Agent;
pub use bench::{Bench, weighbridge};
pub use browser::Browser;
pub use mosquitto::Mosquitto;
pub use port::Port;
pub use program::{Finished, Program};
pub use python::{Peer, python};
pub use subscriber::{Message, Subscriber};
pub use two_meters::{TWO_PORTS, two_meters};
pub use wait::{LIMIT, until, until_within};
