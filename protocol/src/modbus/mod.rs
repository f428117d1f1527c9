//! Reading only: functions 03 and 04 and their answers.
//!
//! Facts follow the Modbus Application Protocol V1.1b3 (6.3, 6.4, 7) and Modbus over Serial Line V1.02. There
//! is no encoder of any function that changes a device.

/// Units and the functions that read them.
mod unit;

/// Registers: types, word orders and marks for "not available".
mod register;

/// Modbus RTU's frames on a serial line, as a master and as a device sees them.
pub mod rtu;

pub use crate::checksum::crc16;
pub use register::{RegisterFormat, RegisterType, WordOrder};
pub use unit::{ExceptionCode, ReadFunction, UnitId, UnitIdError};

/// The most registers that one request may ask for (Modbus Application Protocol V1.1b3, 6.3).
pub const MAX_REGISTERS: u16 = 125;
