//! The daemon: everything that touches the world. The modules stand in the order of one reading's way.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::float_cmp, clippy::cast_possible_truncation, clippy::cast_sign_loss)
)]

/// The one place that reads time.
pub mod clock;

/// What is due on which link, given now.
pub mod schedule;

/// One task per bus: asks, listens, decodes.
pub mod link;

/// What a device said, when, and what it is worth.
pub mod reading;

/// The durable store of readings, with the numbers that they keep for ever.
pub mod buffer;

/// Readings to brokers, until they are acknowledged.
pub mod publish;

/// Readings to what each batch drew.
pub mod aggregate;

/// What batches drew to the calculation engine.
pub mod handover;

/// What can be looked at while it runs.
pub mod board;

/// The page and the API.
pub mod web;

/// Which tasks there are and what flows between them.
pub mod daemon;

/// The simulated plant at the other end of a site's wires.
#[cfg(feature = "demo")]
pub mod simulation;

/// The command line.
pub mod cli;
