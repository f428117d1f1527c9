use std::fmt;

use crate::dlt645::{self, Address, DataIdentifier};
use crate::framing::Sight;
use crate::modbus::rtu::{self, ReadRequest};
use crate::modbus::{ReadFunction, UnitId};
use crate::outcome::Heard;

/// Who is asked: a device's address in its protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeviceAddress {
    /// A DL/T 645-2007 meter.
    Dlt645(Address),
    /// A Modbus unit.
    Modbus(UnitId),
}

impl fmt::Display for DeviceAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dlt645(address) => address.fmt(formatter),
            Self::Modbus(unit) => unit.fmt(formatter),
        }
    }
}

/// What is asked in one exchange, and of whom.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Query {
    /// DL/T 645-2007, read (11H).
    Dlt645Read {
        /// The meter, by its full address.
        address: Address,
        /// What to read.
        di: DataIdentifier,
        /// Bytes that the value has.
        reply_bytes: u8,
    },
    /// Modbus RTU, read registers (03, 04).
    ModbusRead {
        /// The device.
        unit: UnitId,
        /// Which table.
        function: ReadFunction,
        /// The first register, as on the wire (0-based).
        start: u16,
        /// How many registers, 1 to 125.
        count: u16,
    },
}

impl Query {
    /// The request as it goes over the wire; DL/T 645 with its preamble of four bytes FEH.
    pub fn encode(&self) -> Vec<u8> {
        match *self {
            Self::Dlt645Read { address, di, .. } => dlt645::encode_request(address, di),
            Self::ModbusRead { unit, function, start, count } => {
                rtu::encode_request(ReadRequest { unit, function, start, count })
            }
        }
    }

    /// Characters of the request on the wire, with the preamble.
    pub fn request_len(&self) -> usize {
        match self {
            Self::Dlt645Read { .. } => dlt645::request_len(),
            Self::ModbusRead { .. } => rtu::request_len(),
        }
    }

    /// Characters of the good reply on the wire, without a preamble. A refusal is shorter.
    pub fn reply_len(&self) -> usize {
        match *self {
            Self::Dlt645Read { reply_bytes, .. } => dlt645::reply_len(reply_bytes),
            Self::ModbusRead { count, .. } => rtu::reply_len(count),
        }
    }

    /// The byte that a sender may put before its frames.
    pub(crate) const fn preamble(&self) -> Option<u8> {
        match self {
            Self::Dlt645Read { .. } => Some(dlt645::PREAMBLE),
            Self::ModbusRead { .. } => None,
        }
    }

    /// What the beginning of `bytes` is to who sent this query.
    pub(crate) fn look(&self, bytes: &[u8]) -> Sight<Heard> {
        match *self {
            Self::Dlt645Read { address, di, .. } => dlt645::look(bytes, address, di),
            Self::ModbusRead { unit, function, start, count } => {
                rtu::look(bytes, ReadRequest { unit, function, start, count })
            }
        }
    }
}
