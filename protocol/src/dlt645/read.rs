use std::fmt;

use super::frame::{self, OVERHEAD};
use super::{Address, DataIdentifier, Frame};
use crate::framing::Sight;
use crate::outcome::{Heard, Outcome, Refusal};

/// Sent to wake the receiver; stands before a frame and belongs to no check.
pub const PREAMBLE: u8 = 0xFE;

/// As many as a master sends (clause 5.3 of the standard).
const PREAMBLE_LEN: usize = 4;
const IDENTIFIER_LEN: usize = 4;

/// Control bytes of reading (clause 7 of the standard).
pub mod control {
    /// Request.
    pub const READ: u8 = 0x11;
    /// Reply with the value.
    pub const VALUE: u8 = 0x91;
    /// Reply with a part of the value; the rest has to be asked for.
    pub const VALUE_FOLLOWED: u8 = 0xB1;
    /// Refusal with an [`ErrorByte`](super::ErrorByte).
    pub const REFUSAL: u8 = 0xD1;
}

/// Why a meter refuses: one bit for each reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ErrorByte(pub u8);

impl ErrorByte {
    /// "Other error".
    pub const OTHER: Self = Self(0x01);
    /// The meter does not know the identifier asked for.
    pub const NO_SUCH_QUANTITY: Self = Self(0x02);
    /// The meter wants a password for it.
    pub const NOT_AUTHORISED: Self = Self(0x04);
}

/// Reasons from bit 0 up.
const REASONS: [&str; 8] = [
    "other error",
    "no such quantity",
    "not authorised",
    "baud rate cannot change",
    "too many year zones",
    "too many day periods",
    "too many tariffs",
    "reserved bit 7",
];

impl fmt::Display for ErrorByte {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reasons = REASONS.iter().enumerate().filter(|(bit, _)| self.0 >> bit & 1 == 1);
        let names: Vec<_> = reasons.map(|(_, reason)| *reason).collect();
        let names = if names.is_empty() { "no reason given".to_owned() } else { names.join(", ") };
        write!(formatter, "{:02X} ({names})", self.0)
    }
}

pub(crate) fn encode_request(address: Address, di: DataIdentifier) -> Vec<u8> {
    let mut request = vec![PREAMBLE; PREAMBLE_LEN];
    request.extend(frame::encode(address, control::READ, &di.to_wire()));
    request
}

pub(crate) const fn request_len() -> usize {
    PREAMBLE_LEN + OVERHEAD + IDENTIFIER_LEN
}

/// Without a preamble, which a meter may leave out.
pub(crate) fn reply_len(reply_bytes: u8) -> usize {
    OVERHEAD + IDENTIFIER_LEN + usize::from(reply_bytes)
}

/// What begins with `bytes` for a master that asked `address` for `di`.
pub(crate) fn look(bytes: &[u8], address: Address, di: DataIdentifier) -> Sight<Heard> {
    frame::look(bytes).map(|frame| understand(&frame, address, di))
}

/// A reply of another length than expected is an answer too: its value is bad, but the meter is there.
///
/// A refusal does not say what it refuses, so a late one to an earlier request to the same meter cannot be
/// told apart.
fn understand(frame: &Frame, address: Address, di: DataIdentifier) -> Heard {
    if frame.address != address {
        return Heard::Foreign;
    }
    let value = frame.payload.strip_prefix(&di.to_wire());
    match (frame.control, value, frame.payload.as_slice()) {
        (control::VALUE, Some(value), _) => Heard::Answer(Outcome::Payload(value.to_vec())),
        (control::VALUE_FOLLOWED, Some(_), _) => Heard::Answer(Outcome::Refused(Refusal::FollowUp)),
        (control::REFUSAL, _, &[error]) => Heard::Answer(Outcome::Refused(Refusal::Dlt645(ErrorByte(error)))),
        (control::READ, Some([]), _) => Heard::Echo,
        _ => Heard::Foreign,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: Address = Address([0x12, 0x90, 0x78, 0x56, 0x34, 0x12]);
    const DI: DataIdentifier = DataIdentifier(0x0001_0000);

    fn check(address: Address, control: u8, payload: &[u8], expected: Heard) {
        let frame = Frame { address, control, payload: payload.to_vec() };
        assert_eq!(understand(&frame, ADDRESS, DI), expected, "{frame:02X?}");
    }

    fn refused(refusal: Refusal) -> Heard {
        Heard::Answer(Outcome::Refused(refusal))
    }

    #[test]
    fn meanings() {
        let value = Heard::Answer(Outcome::Payload(vec![7, 8]));
        check(ADDRESS, control::VALUE, &[0, 0, 1, 0, 7, 8], value);
        check(ADDRESS, control::VALUE, &[0, 0, 1, 0], Heard::Answer(Outcome::Payload(vec![])));
        check(ADDRESS, control::VALUE_FOLLOWED, &[0, 0, 1, 0, 7, 8], refused(Refusal::FollowUp));
        check(ADDRESS, control::REFUSAL, &[2], refused(Refusal::Dlt645(ErrorByte::NO_SUCH_QUANTITY)));
        check(ADDRESS, control::READ, &[0, 0, 1, 0], Heard::Echo);
    }

    #[test]
    fn what_is_foreign() {
        let other = Address([0xAA; 6]);
        for control in [control::VALUE, control::VALUE_FOLLOWED, control::READ] {
            check(other, control, &[0, 0, 1, 0, 7, 8], Heard::Foreign);
            check(ADDRESS, control, &[0, 0, 2, 0, 7, 8], Heard::Foreign);
            check(ADDRESS, control, &[0, 0, 1], Heard::Foreign);
        }
        check(other, control::REFUSAL, &[2], Heard::Foreign);
        check(ADDRESS, control::REFUSAL, &[2, 0], Heard::Foreign);
        check(ADDRESS, control::REFUSAL, &[], Heard::Foreign);
        check(ADDRESS, 0x93, &[0, 0, 1, 0, 7, 8], Heard::Foreign);
    }

    #[test]
    fn error_bytes_tell_every_reason() {
        assert_eq!(ErrorByte(0x02).to_string(), "02 (no such quantity)");
        assert_eq!(ErrorByte(0x06).to_string(), "06 (no such quantity, not authorised)");
        assert_eq!(ErrorByte(0x00).to_string(), "00 (no reason given)");
    }
}
