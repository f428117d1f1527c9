use std::fmt;
use std::str::FromStr;

/// The address of a device on a serial line, 1 to 247 (Modbus over Serial Line V1.02, 2.2); 0 would be a
/// broadcast, which nobody answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnitId(u8);

/// A text or number that is no unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a Modbus unit: addresses of devices go from 1 to 247; use the one set on the device")]
pub struct UnitIdError;

impl UnitId {
    /// `None` unless 1 to 247.
    pub const fn new(number: u8) -> Option<Self> {
        match number {
            1..=247 => Some(Self(number)),
            _ => None,
        }
    }

    /// 1 to 247.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl FromStr for UnitId {
    type Err = UnitIdError;

    fn from_str(text: &str) -> Result<Self, UnitIdError> {
        text.parse().ok().and_then(Self::new).ok_or(UnitIdError)
    }
}

impl fmt::Display for UnitId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Which table of registers is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ReadFunction {
    /// Function 03.
    HoldingRegisters,
    /// Function 04.
    InputRegisters,
}

impl ReadFunction {
    /// The function's code in a request.
    pub const fn code(self) -> u8 {
        match self {
            Self::HoldingRegisters => 0x03,
            Self::InputRegisters => 0x04,
        }
    }

    pub(crate) const fn from_code(code: u8) -> Option<Self> {
        match code {
            0x03 => Some(Self::HoldingRegisters),
            0x04 => Some(Self::InputRegisters),
            _ => None,
        }
    }
}

/// Why a device refuses (Modbus Application Protocol V1.1b3, 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExceptionCode(pub u8);

impl ExceptionCode {
    /// The device does not know the function.
    pub const ILLEGAL_FUNCTION: Self = Self(0x01);
    /// A register asked for does not exist.
    pub const ILLEGAL_ADDRESS: Self = Self(0x02);
    /// Mostly: too many registers at once.
    pub const ILLEGAL_VALUE: Self = Self(0x03);
    /// The device failed.
    pub const DEVICE_FAILURE: Self = Self(0x04);
    /// The device is busy; ask again later.
    pub const DEVICE_BUSY: Self = Self(0x06);
}

impl fmt::Display for ExceptionCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let meaning = match self.0 {
            0x01 => "illegal function",
            0x02 => "illegal address",
            0x03 => "illegal value",
            0x04 => "device failure",
            0x05 => "acknowledged, takes long",
            0x06 => "device busy",
            0x08 => "memory parity error",
            0x0A => "gateway has no path",
            0x0B => "gateway's target does not answer",
            _ => "unknown",
        };
        write!(formatter, "{:02X} ({meaning})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        for text in ["1", "17", "247"] {
            assert_eq!(text.parse::<UnitId>().unwrap().to_string(), text);
        }
        for text in ["", "0", "248", "256", "-1", "1.0", "x"] {
            assert_eq!(text.parse::<UnitId>(), Err(UnitIdError), "{text}");
        }
    }
}
