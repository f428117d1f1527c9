use super::Address;
use super::read::PREAMBLE;
use crate::checksum::sum8;
use crate::framing::{Line, Sight, Stream};

/// The most bytes that the length field of a read may state (clause 5.2 of the standard).
pub const MAX_PAYLOAD: usize = 200;

const START: u8 = 0x68;
const END: u8 = 0x16;
/// Added to every payload byte by the sender (clause 5.2), so that the line does not rest long.
const SHIFT: u8 = 0x33;
/// Bit D7 of the control byte: sent by the meter.
const FROM_METER: u8 = 0x80;
/// Everything but the payload: two start bytes, six of address, control, length, check, end.
pub(super) const OVERHEAD: usize = 12;

const SECOND_START_AT: usize = 7;
const CONTROL_AT: usize = 8;
const LENGTH_AT: usize = 9;
const PAYLOAD_AT: usize = 10;

/// `68 A0..A5 68 C L payload CS 16`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Whose frame it is.
    pub address: Address,
    /// Direction, error and follow-up bits, and the function; see [`super::control`].
    pub control: u8,
    /// The bytes after the length, with the shift by 33H removed.
    pub payload: Vec<u8>,
}

impl Frame {
    /// The frame as a meter sends it, without a preamble: the direction bit D7 is always set, so this never
    /// forms a command.
    ///
    /// At most [`MAX_PAYLOAD`] bytes of the payload go out.
    pub fn encode(&self) -> Vec<u8> {
        encode(self.address, self.control | FROM_METER, &self.payload)
    }
}

/// Finds frames in everything that a meter hears on its line.
///
/// The order in which candidates are tested is that of an [`Exchange`](crate::Exchange): by their first byte,
/// waiting where a frame is incomplete.
#[derive(Clone, Debug)]
pub struct FrameScanner {
    stream: Stream,
}

impl FrameScanner {
    /// A scanner that has heard nothing.
    pub const fn new() -> Self {
        Self { stream: Stream::new(Some(PREAMBLE)) }
    }

    /// The frames that are complete with these bytes.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Frame> {
        Stream::pieces(bytes).flat_map(|piece| self.push_piece(piece)).collect()
    }

    /// The frames that noise looking like the beginning of a longer frame had hidden. To be called when no
    /// byte came for longer than the standard allows between two bytes of a frame, 500 ms.
    pub fn handle_silence(&mut self) -> Vec<Frame> {
        self.frames(Line::Silent)
    }

    /// Bytes that belonged to no frame. A preamble is not counted.
    pub const fn noise_bytes(&self) -> u32 {
        self.stream.noise_bytes()
    }

    fn push_piece(&mut self, piece: &[u8]) -> Vec<Frame> {
        self.stream.push(piece);
        self.frames(Line::Open)
    }

    fn frames(&mut self, line: Line) -> Vec<Frame> {
        std::iter::from_fn(|| self.stream.next_frame(line, look)).map(|(frame, _)| frame).collect()
    }
}

impl Default for FrameScanner {
    fn default() -> Self {
        Self::new()
    }
}

pub(super) fn encode(address: Address, control: u8, payload: &[u8]) -> Vec<u8> {
    let payload = &payload[..payload.len().min(MAX_PAYLOAD)];
    let len = u8::try_from(payload.len()).expect("200 fits into a byte");
    let mut frame = vec![START];
    frame.extend(address.0);
    frame.extend([START, control, len]);
    frame.extend(payload.iter().map(|byte| byte.wrapping_add(SHIFT)));
    frame.extend([sum8(&frame), END]);
    frame
}

/// 68H and 16H occur inside addresses and payloads too, so both starts, length, check and end must agree.
pub(super) fn look(bytes: &[u8]) -> Sight<Frame> {
    let is_start = |at: usize| bytes.get(at).is_none_or(|byte| *byte == START);
    if !is_start(0) || !is_start(SECOND_START_AT) {
        return Sight::Noise;
    }
    let Some(payload_len) = bytes.get(LENGTH_AT).map(|len| usize::from(*len)) else {
        return Sight::Incomplete { len: None };
    };
    let len = OVERHEAD + payload_len;
    match bytes.get(..len) {
        _ if payload_len > MAX_PAYLOAD => Sight::Noise,
        None => Sight::Incomplete { len: Some(len) },
        Some(frame) => decode(frame).map_or(Sight::Noise, |frame| Sight::Frame { frame, len }),
    }
}

fn decode(bytes: &[u8]) -> Option<Frame> {
    let (checked, [check, END]) = bytes.split_last_chunk()? else { return None };
    let address = Address(bytes.get(1..SECOND_START_AT)?.try_into().ok()?);
    let payload = checked.get(PAYLOAD_AT..)?.iter().map(|byte| byte.wrapping_sub(SHIFT)).collect();
    (*check == sum8(checked)).then_some(Frame { address, control: bytes[CONTROL_AT], payload })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is wrong is wrong in one place only: the check is right again.
    fn check(change: impl FnOnce(&mut Vec<u8>), expected_frames: usize) {
        let mut wire = Frame { address: Address([1; 6]), control: 0x91, payload: vec![2; 3] }.encode();
        change(&mut wire);
        let at = wire.len() - 2;
        wire[at] = sum8(&wire[..at]);
        let mut scanner = FrameScanner::new();
        let mut frames = scanner.push(&wire);
        frames.extend(scanner.handle_silence());
        assert_eq!(frames.len(), expected_frames, "{wire:02X?}");
    }

    #[test]
    fn everything_has_to_agree() {
        check(|_| {}, 1);
        check(|wire| wire[0] = 0x69, 0);
        check(|wire| wire[SECOND_START_AT] = 0x69, 0);
        check(|wire| wire[LENGTH_AT] -= 1, 0);
        check(|wire| wire[LENGTH_AT] += 1, 0);
        check(|wire| wire[OVERHEAD + 3 - 1] = 0x17, 0);
    }

    #[test]
    fn the_length_has_a_limit() {
        let with_payload =
            |len: usize| Frame { address: Address([1; 6]), control: 0x91, payload: vec![2; len] };
        let longest = with_payload(MAX_PAYLOAD);
        assert_eq!(FrameScanner::new().push(&longest.encode()), std::slice::from_ref(&longest));
        assert_eq!(with_payload(MAX_PAYLOAD + 1).encode(), longest.encode());

        let too_long = [0x68, 1, 1, 1, 1, 1, 1, 0x68, 0x91, 201];
        let mut scanner = FrameScanner::new();
        assert_eq!(scanner.push(&[&too_long[..], &longest.encode()].concat()), [longest]);
        assert_eq!(scanner.noise_bytes(), 10);
    }
}
