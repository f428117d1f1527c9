//! # How the answer is found
//!
//! Everything that the protocol offers has to agree. DL/T 645: both starts, address, control byte,
//! identifier, length, check and end; Modbus: unit, function, byte count and check. Frames are searched by
//! the policy of [`crate::framing`], so a frame inside a longer one does not count, and a good frame that
//! answers something else is passed over whole.
//!
//! The own request comes back on many two-wire adapters. It is tested before anything else, because a Modbus
//! request may look like a reply to itself: with 04H as the high byte of the first register and a count of 2,
//! `01 03 04 10 00 02 CL CH` and one zero of line noise are a reply with a good check. While the bytes may
//! still become the echo, they are therefore not taken for a reply, even a complete one; silence decides.

use crate::framing::{Line, Sight, Stream};
use crate::outcome::{Heard, Outcome};
use crate::query::Query;

/// One request and the reply that belongs to it, on a half-duplex line.
///
/// The caller sends [`request`](Self::request), hands over whatever the line returns in pieces of any size,
/// and calls [`handle_silence`](Self::handle_silence) when it will not wait longer.
#[derive(Clone, Debug)]
pub struct Exchange {
    query: Query,
    request: Vec<u8>,
    stream: Stream,
    echo_bytes: u32,
    foreign_frames: u32,
    is_over: bool,
}

/// What came over the line before the answer and was not it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Bytes that belonged to no frame with a good check; the preamble of DL/T 645 is not counted.
    pub noise_bytes: u32,
    /// Bytes of the own request, heard back.
    pub echo_bytes: u32,
    /// Good frames that answer something else.
    pub foreign_frames: u32,
}

impl Exchange {
    /// An exchange whose request is still to be sent.
    pub fn new(query: Query) -> Self {
        let (request, stream) = (query.encode(), Stream::new(query.preamble()));
        Self { query, request, stream, echo_bytes: 0, foreign_frames: 0, is_over: false }
    }

    /// What is asked.
    pub const fn query(&self) -> &Query {
        &self.query
    }

    /// The bytes to send.
    pub fn request(&self) -> &[u8] {
        &self.request
    }

    /// The outcome, if these bytes complete it. Afterwards the exchange is over and further bytes are
    /// ignored.
    ///
    /// The same stream cut into other pieces has the same outcome.
    pub fn handle_bytes(&mut self, bytes: &[u8]) -> Option<Outcome> {
        Stream::pieces(bytes).find_map(|piece| {
            self.stream.push(piece);
            self.search(Line::Open)
        })
    }

    /// The outcome that was held back because the bytes before it looked like the beginning of a longer
    /// frame, or because it looked like an echo. To be called when the time for the reply is over; more bytes
    /// may be handed over even then.
    pub fn handle_silence(&mut self) -> Option<Outcome> {
        self.search(Line::Silent)
    }

    /// Characters that must still come at least before the good reply can be complete; 0 when the exchange is
    /// over.
    pub fn missing(&self) -> usize {
        if self.is_over {
            return 0;
        }
        let waiting = self.stream.waiting();
        let len = match look(&self.query, &self.request, waiting, Line::Open) {
            Sight::Incomplete { len: Some(len) } => len,
            _ => self.query.reply_len(),
        };
        len.saturating_sub(waiting.len()).max(1)
    }

    /// What was passed over so far.
    pub const fn dropped(&self) -> Dropped {
        Dropped {
            noise_bytes: self.stream.noise_bytes(),
            echo_bytes: self.echo_bytes,
            foreign_frames: self.foreign_frames,
        }
    }

    fn search(&mut self, line: Line) -> Option<Outcome> {
        while !self.is_over {
            let (heard, len) =
                self.stream.next_frame(line, |bytes| look(&self.query, &self.request, bytes, line))?;
            match heard {
                Heard::Echo => {
                    self.echo_bytes = self.echo_bytes.saturating_add(u32::try_from(len).unwrap_or(u32::MAX))
                }
                Heard::Foreign => self.foreign_frames = self.foreign_frames.saturating_add(1),
                Heard::Answer(outcome) => {
                    self.is_over = true;
                    return Some(outcome);
                }
            }
        }
        None
    }
}

fn look(query: &Query, request: &[u8], bytes: &[u8], line: Line) -> Sight<Heard> {
    if bytes.starts_with(request) {
        return Sight::Frame { frame: Heard::Echo, len: request.len() };
    }
    match query.look(bytes) {
        Sight::Frame { .. } | Sight::Noise if line == Line::Open && request.starts_with(bytes) => {
            Sight::Incomplete { len: None }
        }
        sight => sight,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dlt645::{Address, DataIdentifier};
    use crate::framing::LONGEST_FRAME;
    use crate::modbus::rtu::encode_reply;
    use crate::modbus::{ReadFunction, UnitId};

    fn registers(unit: u8, start: u16, count: u16) -> Exchange {
        let unit = UnitId::new(unit).unwrap();
        Exchange::new(Query::ModbusRead { unit, function: ReadFunction::HoldingRegisters, start, count })
    }

    fn reply(exchange: &Exchange, payload: &[u8]) -> Vec<u8> {
        match exchange.query() {
            Query::ModbusRead { unit, function, .. } => encode_reply(*unit, *function, payload),
            Query::Dlt645Read { .. } => panic!("{exchange:?}"),
        }
    }

    #[test]
    fn an_echo_and_a_zero_are_no_reply() {
        let mut exchange = registers(1, 0x0410, 2);
        let echo = exchange.request().to_vec();
        let forged = [&echo[..], &[0x00]].concat();
        assert_eq!(forged, reply(&exchange, &[0x10, 0x00, 0x02, echo[6]]), "a good reply by every check");
        assert_eq!(exchange.handle_bytes(&forged), None);
        assert_eq!(exchange.handle_silence(), None);
        assert_eq!(exchange.dropped(), Dropped { noise_bytes: 1, echo_bytes: 8, foreign_frames: 0 });
        let payload = vec![0x01, 0x02, 0x03, 0x04];
        let answer = reply(&exchange, &payload);
        assert_eq!(exchange.handle_bytes(&answer), Some(Outcome::Payload(payload)));
    }

    #[test]
    fn an_echo_without_its_whole_preamble_is_one() {
        let (address, di) = (Address([1; 6]), DataIdentifier(0x0001_0000));
        let mut exchange = Exchange::new(Query::Dlt645Read { address, di, reply_bytes: 4 });
        let echo = exchange.request()[2..].to_vec();
        assert_eq!(exchange.handle_bytes(&echo), None);
        assert_eq!(exchange.dropped(), Dropped { echo_bytes: 16, ..Dropped::default() });
    }

    /// Registers from 0200H, asked one at a time: for some units the reply 0000H is the beginning of the
    /// request.
    #[test]
    fn what_may_be_an_echo_is_decided_by_what_follows() {
        let resembles = |unit: &u8| {
            let exchange = registers(*unit, 0x0200, 1);
            exchange.request().starts_with(&reply(&exchange, &[0x00, 0x00]))
        };
        let unit = (1..=247).find(resembles).unwrap();
        let zero = Some(Outcome::Payload(vec![0x00, 0x00]));

        let mut alone = registers(unit, 0x0200, 1);
        let answer = reply(&alone, &[0x00, 0x00]);
        assert_eq!(alone.handle_bytes(&answer), None);
        assert_eq!(alone.missing(), 1);
        assert_eq!(alone.handle_silence(), zero);

        let mut with_noise = registers(unit, 0x0200, 1);
        assert_eq!(with_noise.handle_bytes(&[&answer[..], &[0xFF]].concat()), zero);

        let mut with_echo = registers(unit, 0x0200, 1);
        let echo = with_echo.request().to_vec();
        assert_eq!(with_echo.handle_bytes(&echo), None);
        assert_eq!(with_echo.handle_silence(), None);
        assert_eq!(
            with_echo.handle_bytes(&reply(&with_echo, &[0x12, 0x34])),
            Some(Outcome::Payload(vec![0x12, 0x34]))
        );
    }

    #[test]
    fn a_reply_behind_the_beginning_of_a_longer_frame_waits_for_silence() {
        let mut exchange = registers(1, 0, 2);
        let payload = vec![0x01, 0x02, 0x03, 0x04];
        let wire = [&[0x05, 0x04, 0x40][..], &reply(&exchange, &payload)].concat();
        assert_eq!(exchange.handle_bytes(&wire), None);
        assert_eq!(exchange.missing(), 5 + 0x40 - wire.len());
        assert_eq!(exchange.handle_silence(), Some(Outcome::Payload(payload)));
        assert_eq!(exchange.dropped(), Dropped { noise_bytes: 3, ..Dropped::default() });
        assert_eq!(exchange.missing(), 0);
    }

    #[test]
    fn an_exchange_that_is_over_ignores_what_comes() {
        let mut exchange = registers(1, 0, 1);
        let answer = reply(&exchange, &[0x00, 0x07]);
        assert!(exchange.handle_bytes(&answer).is_some());
        assert_eq!(exchange.handle_bytes(&answer), None);
        assert_eq!(exchange.handle_silence(), None);
        assert_eq!(exchange.dropped(), Dropped::default());
    }

    #[test]
    fn memory_is_bounded() {
        let longest_beginning = [0x05, 0x04, 0xFA];
        let mut exchange = registers(1, 0, 1);
        for piece in [&longest_beginning.repeat(100_000)[..], &longest_beginning[..]] {
            exchange.handle_bytes(piece);
            assert!(exchange.stream.waiting().len() < LONGEST_FRAME);
            assert!(exchange.stream.capacity() <= 4 * LONGEST_FRAME);
        }
    }
}
