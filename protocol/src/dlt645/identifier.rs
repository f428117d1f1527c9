use std::fmt;
use std::str::FromStr;

use super::NotationError;

/// The name of a quantity, DI3 in the highest byte: `00010000` is the forward active energy (annex A of the
/// standard).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DataIdentifier(pub u32);

impl DataIdentifier {
    /// DI0 first.
    pub const fn to_wire(self) -> [u8; 4] {
        self.0.to_le_bytes()
    }

    /// DI0 first.
    pub const fn from_wire(wire: [u8; 4]) -> Self {
        Self(u32::from_le_bytes(wire))
    }
}

impl FromStr for DataIdentifier {
    type Err = NotationError;

    fn from_str(text: &str) -> Result<Self, NotationError> {
        if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NotationError::DataIdentifier);
        }
        u32::from_str_radix(text, 16).map(Self).map_err(|_| NotationError::DataIdentifier)
    }
}

impl fmt::Display for DataIdentifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:08X}", self.0)
    }
}

/// How the digits of a quantity are laid out: `XXXXXX.XX` is four bytes with two decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Format {
    /// Bytes on the wire, two digits each; 1 to 9.
    pub bytes: u8,
    /// Digits after the point.
    pub decimals: u8,
    /// Whether the highest bit of the highest byte is a minus sign.
    pub signed: bool,
}

/// More digits would not fit into an `i64`.
const MAX_DIGITS: usize = 18;

/// Unsigned; the notation does not show a sign.
impl FromStr for Format {
    type Err = NotationError;

    fn from_str(text: &str) -> Result<Self, NotationError> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = whole.len() + fraction.len();
        let has_point = text.len() > digits;
        let is_plain = whole.bytes().chain(fraction.bytes()).all(|byte| byte == b'X');
        if !is_plain || whole.is_empty() || has_point == fraction.is_empty() {
            return Err(NotationError::Format);
        }
        if digits % 2 != 0 || digits > MAX_DIGITS {
            return Err(NotationError::Format);
        }
        let narrow = |count: usize| u8::try_from(count).map_err(|_| NotationError::Format);
        Ok(Self { bytes: narrow(digits / 2)?, decimals: narrow(fraction.len())?, signed: false })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = 2 * usize::from(self.bytes);
        let decimals = usize::from(self.decimals).min(digits);
        let point = if decimals > 0 { "." } else { "" };
        write!(formatter, "{}{point}{}", "X".repeat(digits - decimals), "X".repeat(decimals))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers() {
        let di: DataIdentifier = "0280000a".parse().unwrap();
        assert_eq!((di, di.to_string().as_str()), (DataIdentifier(0x0280_000A), "0280000A"));
        assert_eq!(di.to_wire(), [0x0A, 0x00, 0x80, 0x02]);
        assert_eq!(DataIdentifier::from_wire(di.to_wire()), di);
        for text in ["", "0001000", "000100000", "0001000G", "+0010000", "0x010000"] {
            assert_eq!(text.parse::<DataIdentifier>(), Err(NotationError::DataIdentifier), "{text}");
        }
    }

    #[test]
    fn formats() {
        for (text, bytes, decimals) in [
            ("XXXXXX.XX", 4, 2),
            ("X.XXX", 2, 3),
            ("XXX.X", 2, 1),
            ("XX", 1, 0),
            ("XXXXXXXXXXXXXXXXXX", 9, 0),
        ] {
            let format: Format = text.parse().unwrap();
            assert_eq!(format, Format { bytes, decimals, signed: false });
            assert_eq!(format.to_string(), text);
        }
        for text in ["", ".", "X", "XXX", "XX.", ".XX", "X.X.XX", "xx", "NN", "XX XX", "XXXXXXXXXXXXXXXXXXXX"]
        {
            assert_eq!(text.parse::<Format>(), Err(NotationError::Format), "{text}");
        }
    }
}
