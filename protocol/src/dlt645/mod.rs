//! Reading only: request 11H and its answers 91H (value), B1H (more follows) and D1H (refusal).
//!
//! Facts follow DL/T 645-2007 clause 5 and annex A, checked against captures of real meters
//! (`tests/captures`). There is no encoder of any command that changes a meter.

/// Addresses of meters.
mod address;

/// Names of quantities and the notation of their digits.
mod identifier;

/// Frames: start, address, control, length, shifted bytes, check, end.
mod frame;

/// The read command and what answers it.
mod read;

pub use address::Address;
pub use frame::{Frame, FrameScanner, MAX_PAYLOAD};
pub use identifier::{DataIdentifier, Format};
pub use read::{ErrorByte, PREAMBLE, control};
pub(crate) use read::{encode_request, look, reply_len, request_len};

/// A text that names nothing in DL/T 645.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotationError {
    /// Not an address.
    #[error(
        "not a meter address: it has 12 decimal digits as printed on the meter; fill up with zeros in front"
    )]
    Address,
    /// The address that every meter listens to and none answers.
    #[error(
        "999999999999 is the broadcast address, which no meter answers; use the meter's own, as printed on it"
    )]
    Broadcast,
    /// Not a data identifier.
    #[error("not a data identifier: it has 8 hexadecimal digits, DI3 first; write it like 00010000")]
    DataIdentifier,
    /// Not a format.
    #[error(
        "not a format: it has 2 to 18 X, two to a byte, and at most one point between them; write it like XXXXXX.XX"
    )]
    Format,
}
