//! A frame is the unit, the function, what belongs to it, and [`crc16`] low byte first. Its end follows from
//! its beginning: USB adapters leave gaps of many milliseconds inside frames, so silence ends none.

use super::{ExceptionCode, MAX_REGISTERS, ReadFunction, UnitId, crc16};
use crate::framing::{Line, Sight, Stream};
use crate::outcome::{Heard, Outcome, Refusal};

const REQUEST_LEN: usize = 8;
const EXCEPTION_LEN: usize = 5;
/// Unit, function, byte count and check of a reply.
const REPLY_OVERHEAD: usize = 5;
/// Set in the function code of an exception.
const EXCEPTION_FLAG: u8 = 0x80;
const MAX_REGISTER_BYTES: usize = 2 * MAX_REGISTERS as usize;

/// A request to read registers, as a device hears it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReadRequest {
    /// Who is asked.
    pub unit: UnitId,
    /// Which table.
    pub function: ReadFunction,
    /// The first register, as on the wire (0-based).
    pub start: u16,
    /// How many; a device refuses 0 and more than [`MAX_REGISTERS`].
    pub count: u16,
}

/// Finds read requests in everything that a device hears on its line.
///
/// Requests all have the same length, so noise never holds one up. A device that does not measure silence
/// cannot tell a request from the same eight bytes, check included, inside another device's reply.
#[derive(Clone, Debug)]
pub struct RequestScanner {
    stream: Stream,
}

impl RequestScanner {
    /// A scanner that has heard nothing.
    pub const fn new() -> Self {
        Self { stream: Stream::new(None) }
    }

    /// The requests that are complete with these bytes.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<ReadRequest> {
        Stream::pieces(bytes).flat_map(|piece| self.push_piece(piece)).collect()
    }

    /// Bytes that belonged to no read request; other devices' replies are among them.
    pub const fn noise_bytes(&self) -> u32 {
        self.stream.noise_bytes()
    }

    fn push_piece(&mut self, piece: &[u8]) -> Vec<ReadRequest> {
        self.stream.push(piece);
        let requests = std::iter::from_fn(|| self.stream.next_frame(Line::Open, look_for_request));
        requests.map(|(request, _)| request).collect()
    }
}

impl Default for RequestScanner {
    fn default() -> Self {
        Self::new()
    }
}

/// The reply with these registers, two bytes each. At most [`MAX_REGISTERS`] of them go out.
pub fn encode_reply(unit: UnitId, function: ReadFunction, registers: &[u8]) -> Vec<u8> {
    let registers = &registers[..registers.len().min(MAX_REGISTER_BYTES)];
    let byte_count = u8::try_from(registers.len()).expect("250 fits into a byte");
    with_crc([&[unit.get(), function.code(), byte_count], registers].concat())
}

/// The reply that refuses a request.
pub fn encode_exception(unit: UnitId, function: ReadFunction, code: ExceptionCode) -> Vec<u8> {
    with_crc(vec![unit.get(), function.code() | EXCEPTION_FLAG, code.0])
}

pub(crate) fn encode_request(request: ReadRequest) -> Vec<u8> {
    let ReadRequest { unit, function, start, count } = request;
    let ([start_high, start_low], [count_high, count_low]) = (start.to_be_bytes(), count.to_be_bytes());
    with_crc(vec![unit.get(), function.code(), start_high, start_low, count_high, count_low])
}

pub(crate) const fn request_len() -> usize {
    REQUEST_LEN
}

pub(crate) fn reply_len(count: u16) -> usize {
    REPLY_OVERHEAD + 2 * usize::from(count)
}

/// What begins with `bytes` for a master that sent `request`.
pub(crate) fn look(bytes: &[u8], request: ReadRequest) -> Sight<Heard> {
    look_for_reply(bytes).map(|body| understand(body, request))
}

/// Replies of every unit and read function are recognised, so that nothing inside a foreign one is taken for
/// ours.
fn look_for_reply(bytes: &[u8]) -> Sight<&[u8]> {
    match *bytes {
        [unit, ..] if UnitId::new(unit).is_none() => Sight::Noise,
        [_, code, ..] if ReadFunction::from_code(code & !EXCEPTION_FLAG).is_none() => Sight::Noise,
        [_, code, ..] if code & EXCEPTION_FLAG != 0 => checked(bytes, EXCEPTION_LEN),
        [_, _, byte_count, ..] if is_byte_count(byte_count) => {
            checked(bytes, REPLY_OVERHEAD + usize::from(byte_count))
        }
        [_, _, _, ..] => Sight::Noise,
        _ => Sight::Incomplete { len: None },
    }
}

/// A reply does not say which registers it holds: a late one to an earlier request to the same unit, function
/// and count cannot be told apart, so what came before the request has to be thrown away before it is sent.
fn understand(body: &[u8], request: ReadRequest) -> Heard {
    let (asked, function, register_bytes) =
        (request.unit.get(), request.function.code(), 2 * usize::from(request.count));
    match *body {
        [unit, code, exception] if unit == asked && code == function | EXCEPTION_FLAG => {
            Heard::Answer(Outcome::Refused(Refusal::Modbus(ExceptionCode(exception))))
        }
        [unit, code, _, ref registers @ ..]
            if unit == asked && code == function && registers.len() == register_bytes =>
        {
            Heard::Answer(Outcome::Payload(registers.to_vec()))
        }
        _ => Heard::Foreign,
    }
}

fn look_for_request(bytes: &[u8]) -> Sight<ReadRequest> {
    match *bytes {
        [unit, ..] if UnitId::new(unit).is_none() => Sight::Noise,
        [_, code, ..] if ReadFunction::from_code(code).is_none() => Sight::Noise,
        _ => checked(bytes, REQUEST_LEN).and_then(decode_request),
    }
}

fn decode_request(body: &[u8]) -> Option<ReadRequest> {
    let &[unit, code, start_high, start_low, count_high, count_low] = body else { return None };
    Some(ReadRequest {
        unit: UnitId::new(unit)?,
        function: ReadFunction::from_code(code)?,
        start: u16::from_be_bytes([start_high, start_low]),
        count: u16::from_be_bytes([count_high, count_low]),
    })
}

fn is_byte_count(byte_count: u8) -> bool {
    byte_count != 0 && byte_count.is_multiple_of(2) && usize::from(byte_count) <= MAX_REGISTER_BYTES
}

/// The first `len` bytes without their check, if that is good.
fn checked(bytes: &[u8], len: usize) -> Sight<&[u8]> {
    match bytes.get(..len).and_then(<[u8]>::split_last_chunk) {
        None => Sight::Incomplete { len: Some(len) },
        Some((body, check)) if crc16(body) == u16::from_le_bytes(*check) => Sight::Frame { frame: body, len },
        Some(_) => Sight::Noise,
    }
}

fn with_crc(mut frame: Vec<u8>) -> Vec<u8> {
    frame.extend(crc16(&frame).to_le_bytes());
    frame
}

#[cfg(test)]
mod tests {
    use super::*;
    use ReadFunction::{HoldingRegisters, InputRegisters};

    fn unit(number: u8) -> UnitId {
        UnitId::new(number).unwrap()
    }

    fn asked() -> ReadRequest {
        ReadRequest { unit: unit(17), function: HoldingRegisters, start: 0x006B, count: 3 }
    }

    fn check(wire: &[u8], expected: Heard) {
        let len = wire.len();
        assert_eq!(look(wire, asked()), Sight::Frame { frame: expected, len }, "{wire:02X?}");
    }

    /// The example of the Modbus Application Protocol V1.1b3, 6.3, on a serial line.
    #[test]
    fn published_example() {
        assert_eq!(encode_request(asked()), [0x11, 0x03, 0x00, 0x6B, 0x00, 0x03, 0x76, 0x87]);
        let registers = [0x02, 0x2B, 0x00, 0x00, 0x00, 0x64];
        check(
            &encode_reply(unit(17), HoldingRegisters, &registers),
            Heard::Answer(Outcome::Payload(registers.to_vec())),
        );
    }

    #[test]
    fn refusals() {
        let refusal = Refusal::Modbus(ExceptionCode::ILLEGAL_ADDRESS);
        let exception =
            |number, function| encode_exception(unit(number), function, ExceptionCode::ILLEGAL_ADDRESS);
        check(&exception(17, HoldingRegisters), Heard::Answer(Outcome::Refused(refusal)));
        check(&exception(17, InputRegisters), Heard::Foreign);
        check(&exception(18, HoldingRegisters), Heard::Foreign);
    }

    #[test]
    fn what_is_foreign() {
        check(&encode_reply(unit(18), HoldingRegisters, &[0; 6]), Heard::Foreign);
        check(&encode_reply(unit(17), InputRegisters, &[0; 6]), Heard::Foreign);
        check(&encode_reply(unit(17), HoldingRegisters, &[0; 4]), Heard::Foreign);
        check(&encode_reply(unit(17), HoldingRegisters, &[0; 250]), Heard::Foreign);
    }

    #[test]
    fn what_is_noise() {
        for wire in [
            encode_reply(unit(17), HoldingRegisters, &[]),
            encode_reply(unit(17), HoldingRegisters, &[0; 5]),
            with_crc(vec![0, 3, 2, 0, 0]),
            with_crc(vec![248, 3, 2, 0, 0]),
            with_crc(vec![17, 6, 2, 0, 0]),
            with_crc([&[17, 3, 252], &[0; 252][..]].concat()),
        ] {
            assert_eq!(look(&wire, asked()), Sight::Noise, "{wire:02X?}");
        }
    }

    #[test]
    fn the_length_is_known_as_soon_as_the_bytes_tell() {
        for (wire, len) in
            [(&[][..], None), (&[17], None), (&[17, 3], None), (&[17, 3, 6], Some(11)), (&[9, 0x84], Some(5))]
        {
            assert_eq!(look(wire, asked()), Sight::Incomplete { len }, "{wire:02X?}");
        }
    }

    #[test]
    fn a_reply_holds_no_more_than_the_protocol_allows() {
        assert_eq!(
            encode_reply(unit(1), InputRegisters, &[0; 300]),
            encode_reply(unit(1), InputRegisters, &[0; 250])
        );
    }

    #[test]
    fn a_device_counts_what_it_does_not_understand() {
        let mut scanner = RequestScanner::new();
        let write = with_crc(vec![17, 6, 0, 1, 0, 3]);
        assert_eq!(scanner.push(&[&write[..], &encode_request(asked())].concat()), [asked()]);
        assert_eq!(scanner.noise_bytes(), 8);
    }
}
