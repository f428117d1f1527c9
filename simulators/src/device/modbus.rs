//! A Modbus RTU device: answers reads of holding and input registers (03, 04), and is silent to everything else.

use std::collections::BTreeMap;

use weighbridge_config::profile::ProtocolLimits;
use weighbridge_protocol::Item;
use weighbridge_protocol::modbus::rtu::{ReadRequest, RequestScanner, encode_exception, encode_reply};
use weighbridge_protocol::modbus::{ExceptionCode, ReadFunction, UnitId};

use super::Sender;
use super::register::{Register, Snapshot};

#[derive(Debug)]
pub(super) struct RegisterDevice {
    unit: UnitId,
    scanner: RequestScanner,
    max_registers: u16,
    read_across_holes: bool,
    /// Which word of which register stands where; the first channel that names a place has it.
    words: BTreeMap<(ReadFunction, u16), Word>,
}

#[derive(Clone, Copy, Debug)]
struct Word {
    register: usize,
    offset: usize,
}

impl RegisterDevice {
    pub(super) fn new(unit: UnitId, limits: &ProtocolLimits, registers: &[Register]) -> RegisterDevice {
        let (max_registers, read_across_holes) = match *limits {
            ProtocolLimits::Modbus { max_registers, read_across_holes } => (max_registers, read_across_holes),
            ProtocolLimits::Dlt645 => (0, false),
        };
        let mut words = BTreeMap::new();
        for (register, item) in registers.iter().map(|register| &register.item).enumerate() {
            let Item::Modbus { function, start, format } = item else { continue };
            for word in 0..format.kind.registers() {
                let place = (*function, start.wrapping_add(word));
                words.entry(place).or_insert(Word { register, offset: 2 * usize::from(word) });
            }
        }
        RegisterDevice { unit, scanner: RequestScanner::new(), max_registers, read_across_holes, words }
    }

    /// The last request in what is heard; the ones before it were overrun.
    pub(super) fn hear(&mut self, heard: &[u8]) -> Option<ReadRequest> {
        self.scanner.push(heard).into_iter().rev().find(|request| request.unit == self.unit)
    }

    pub(super) fn forget(&mut self) {
        self.scanner = RequestScanner::new();
    }

    /// The reply of the own unit, or of a neighbour's.
    pub(super) fn answer(&self, sender: Sender, request: &ReadRequest, snapshot: &Snapshot<'_>) -> Vec<u8> {
        let unit = match sender {
            Sender::Own => self.unit,
            Sender::Neighbour => neighbour_of(self.unit),
        };
        match self.read(request, snapshot) {
            Ok(words) => encode_reply(unit, request.function, &words),
            Err(exception) => encode_exception(unit, request.function, exception),
        }
    }

    fn read(&self, request: &ReadRequest, snapshot: &Snapshot<'_>) -> Result<Vec<u8>, ExceptionCode> {
        let &ReadRequest { function, start, count, .. } = request;
        if !self.words.keys().any(|(known, _)| *known == function) {
            return Err(ExceptionCode::ILLEGAL_FUNCTION);
        }
        if count == 0 || count > self.max_registers {
            return Err(ExceptionCode::ILLEGAL_VALUE);
        }
        let last = start.checked_add(count - 1).ok_or(ExceptionCode::ILLEGAL_ADDRESS)?;
        let mut current: Option<(usize, Vec<u8>)> = None;
        let mut reply = Vec::with_capacity(2 * usize::from(count));
        for place in start..=last {
            let Some(word) = self.words.get(&(function, place)) else {
                reply.extend(self.hole()?);
                continue;
            };
            let bytes = match current.take() {
                Some((register, bytes)) if register == word.register => bytes,
                _ => snapshot.bytes(word.register).ok_or(ExceptionCode::DEVICE_FAILURE)?,
            };
            reply.extend_from_slice(&bytes[word.offset..word.offset + 2]);
            current = Some((word.register, bytes));
        }
        Ok(reply)
    }

    fn hole(&self) -> Result<[u8; 2], ExceptionCode> {
        if self.read_across_holes { Ok([0, 0]) } else { Err(ExceptionCode::ILLEGAL_ADDRESS) }
    }
}

fn neighbour_of(unit: UnitId) -> UnitId {
    UnitId::new(unit.get() + 1).or(UnitId::new(unit.get() - 1)).unwrap_or(unit)
}
