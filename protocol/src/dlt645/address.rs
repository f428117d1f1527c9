use std::fmt;
use std::str::FromStr;

use super::NotationError;
use crate::bcd;

/// A meter's address as it goes over the wire: six bytes with two decimal digits each, the least significant
/// first.
///
/// As text it is the 12 digits that are printed on the meter. Frames on a line may carry bytes that are no
/// digits (AAH is a wildcard); those print as hexadecimal and cannot be parsed, since only a full address
/// tells whose the reply is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Address(pub [u8; 6]);

const BROADCAST: Address = Address([0x99; 6]);

impl FromStr for Address {
    type Err = NotationError;

    fn from_str(text: &str) -> Result<Self, NotationError> {
        if text.len() != 12 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NotationError::Address);
        }
        let number = text.parse().map_err(|_| NotationError::Address)?;
        let wire =
            bcd::encode(number, 6).and_then(|wire| wire.try_into().ok()).ok_or(NotationError::Address)?;
        Some(Self(wire)).filter(|address| *address != BROADCAST).ok_or(NotationError::Broadcast)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().rev().try_for_each(|byte| write!(formatter, "{byte:02X}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        let address: Address = "123456789012".parse().unwrap();
        assert_eq!(address, Address([0x12, 0x90, 0x78, 0x56, 0x34, 0x12]));
        assert_eq!(address.to_string(), "123456789012");
        assert_eq!(Address([0xAA; 6]).to_string(), "AAAAAAAAAAAA");
        for text in
            ["", "12345678901", "1234567890123", "AAAAAAAAAAAA", "12345678901 ", "-12345678901", "１２３４"]
        {
            assert_eq!(text.parse::<Address>(), Err(NotationError::Address), "{text}");
        }
        assert_eq!("999999999999".parse::<Address>(), Err(NotationError::Broadcast));
    }
}
