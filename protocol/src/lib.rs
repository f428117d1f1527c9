//! Bytes on the wire and what they mean: the protocols of meters, without any input or output.
//!
//! A caller plans its requests ([`plan()`]), sends the bytes of an [`Exchange`], feeds it whatever the line
//! returns, and decodes each [`Item`] from the payload. Nothing here knows a clock, a port, a runtime or a
//! logger, and no register becomes a floating-point number that the device did not send as one.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::float_cmp))]

/// Exact decimal numbers: digits times a power of ten.
mod decimal;

/// Packed decimal digits, two to a byte, the least significant byte first, as DL/T 645 sends them.
pub mod bcd;

/// The two checksums that guard the frames.
pub mod checksum;

/// The search for frames in a stream of bytes, which decides what candidate is tested when.
mod framing;

/// DL/T 645-2007: electricity meters of the Chinese standard.
pub mod dlt645;

/// Modbus RTU: instruments whose values lie in registers.
pub mod modbus;

/// One value of a device: where it sits on the wire and how it is encoded.
mod item;

/// What is asked in one exchange, and of whom.
mod query;

/// How an exchange ends: the bytes asked for, or the device's refusal.
mod outcome;

/// One request and the reply that belongs to it, on a half-duplex line.
mod exchange;

/// Which requests fetch a set of items.
mod plan;

pub use decimal::{Decimal, DecimalError};
pub use exchange::{Dropped, Exchange};
pub use item::{BadValue, Decoded, Item, Raw};
pub use outcome::{Outcome, Refusal};
pub use plan::{PlanLimits, Planned, plan};
pub use query::{DeviceAddress, Query};
