//! A DL/T 645-2007 meter: answers reads (11H) and the address query (13H), and is silent to everything else.

use std::collections::HashMap;

use weighbridge_protocol::Item;
use weighbridge_protocol::dlt645::{
    Address, DataIdentifier, ErrorByte, Frame, FrameScanner, PREAMBLE, control,
};

use super::Sender;
use super::register::{Register, Snapshot};

/// Read address: asked with the wildcard address, answered with the own one (clause 7.2 of the standard).
const READ_ADDRESS: u8 = 0x13;
const ADDRESS: u8 = 0x93;
/// Stands for any two digits in the address of a request.
const WILDCARD: u8 = 0xaa;
/// What meters send before a reply to wake the master; the standard allows 0 to 4.
const REPLY_PREAMBLE: [u8; 4] = [PREAMBLE; 4];

#[derive(Debug)]
pub(super) struct Meter {
    address: Address,
    scanner: FrameScanner,
    by_identifier: HashMap<DataIdentifier, usize>,
}

/// A request that the meter answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MeterRequest {
    Read(DataIdentifier),
    Address,
}

impl Meter {
    pub(super) fn new(address: Address, registers: &[Register]) -> Meter {
        let identifiers = registers.iter().enumerate().filter_map(|(index, register)| match register.item {
            Item::Dlt645 { di, .. } => Some((di, index)),
            Item::Modbus { .. } => None,
        });
        Meter { address, scanner: FrameScanner::new(), by_identifier: identifiers.collect() }
    }

    /// The last request in what is heard; the ones before it were overrun.
    pub(super) fn hear(&mut self, heard: &[u8]) -> Option<MeterRequest> {
        let frames = self.scanner.push(heard);
        frames.iter().rev().find_map(|frame| self.understand(frame))
    }

    pub(super) fn forget(&mut self) {
        self.scanner = FrameScanner::new();
    }

    /// The reply of the own address, or of a neighbour's.
    pub(super) fn answer(&self, sender: Sender, request: &MeterRequest, snapshot: &Snapshot<'_>) -> Vec<u8> {
        let address = match sender {
            Sender::Own => self.address,
            Sender::Neighbour => neighbour_of(self.address),
        };
        let (control, payload) = match request {
            MeterRequest::Address => (ADDRESS, address.0.to_vec()),
            MeterRequest::Read(di) => self.read(*di, snapshot),
        };
        [REPLY_PREAMBLE.as_slice(), &Frame { address, control, payload }.encode()].concat()
    }

    fn read(&self, di: DataIdentifier, snapshot: &Snapshot<'_>) -> (u8, Vec<u8>) {
        let Some(&register) = self.by_identifier.get(&di) else {
            return (control::REFUSAL, vec![ErrorByte::NO_SUCH_QUANTITY.0]);
        };
        match snapshot.bytes(register) {
            Some(value) => (control::VALUE, [di.to_wire().as_slice(), &value].concat()),
            None => (control::REFUSAL, vec![ErrorByte::OTHER.0]),
        }
    }

    fn understand(&self, frame: &Frame) -> Option<MeterRequest> {
        if !self.is_meant(frame.address) {
            return None;
        }
        match (frame.control, frame.payload.as_slice()) {
            (READ_ADDRESS, []) => Some(MeterRequest::Address),
            (control::READ, &[di0, di1, di2, di3, ..]) => {
                Some(MeterRequest::Read(DataIdentifier::from_wire([di0, di1, di2, di3])))
            }
            _ => None,
        }
    }

    fn is_meant(&self, asked: Address) -> bool {
        asked.0.iter().zip(self.address.0).all(|(&asked, own)| asked == own || asked == WILDCARD)
    }
}

fn neighbour_of(address: Address) -> Address {
    let mut wire = address.0;
    wire[0] = if wire[0] == 0x01 { 0x02 } else { 0x01 };
    Address(wire)
}
