//! The other end of every wire: a plant that knows the truth, the devices that measure it, and the lines that they hang on.
//!
//! A [`Plant`] is a pure function of time. A [`DeviceSetup`] makes a device of a profile and says what of the plant its
//! channels measure. A [`Line`] is the half-duplex wire as a pure model, and a [`Host`] lets it run in real time behind a
//! pseudo-terminal. Everything random comes from a seed.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::float_cmp, clippy::cast_possible_truncation))]

/// Seeded numbers, the same on every machine.
mod draw;

/// The factory: batches, energy and material as pure functions of time.
mod plant;

/// A device from its profile: bytes in, bytes out.
mod device;

/// The half-duplex wire: when each byte is on it, and what goes wrong.
mod line;

/// A line in real time behind a pseudo-terminal.
mod host;

pub use device::{Device, DeviceSetup, Feed, Reply, SetupError, TransformerRatio};
pub use host::{Host, LineSetup, Now};
pub use line::{Line, LineFaults, Statistics};
pub use plant::{PlannedBatch, Plant};

#[cfg(test)]
mod sample;
