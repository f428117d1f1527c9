//! A block: some hundred readings as one value in the store, able to describe and defend itself.
//!
//! ```text
//! offset size
//!  0      4   magic "WBB1"
//!  4      1   codec, 1 = delta varints as below
//!  5      3   0
//!  8      4   epoch, little endian as all below
//! 12      8   sequence of the first reading; the others follow without holes
//! 20      4   number of readings, 1 to 512
//! 24      4   length of the body in bytes
//! 28      4   CRC-32C of bytes 0..28 and the body
//! 32      .   body, column after column:
//!             times       zigzag varint, difference to the time before (first: to 0), UTC microseconds
//!             half widths varint, microseconds
//!             channels    zigzag varint, difference to the channel before
//!             qualities   runs: varint count, 2 bytes of `Quality::to_bytes`
//!             value tags  runs: varint count, 1 byte: 0 none, 1 integer, 2 float
//!             integers    zigzag varint, wrapping difference to the channel's integer before in this block (first: to 0)
//!             floats      8 bytes, IEEE-754 binary64
//! ```
//!
//! Whatever engine keeps it: flipped bytes are noticed by the CRC, and a block found in a damaged file says what it holds.
//! A codec that packs tighter takes the next codec number; both stay readable.

use std::collections::HashMap;

use integer_encoding::VarInt;
use thiserror::Error;
use weighbridge_protocol::Raw;

use crate::reading::{ChannelId, Quality, Reading};

const MAGIC: [u8; 4] = *b"WBB1";
const CODEC_DELTA_VARINT: u8 = 1;
const HEADER_BYTES: usize = 32;
const CRC_OFFSET: usize = 28;

/// The most readings of one block: keeps a block below 7 kB, where sled holds values inside its log (above it makes a file
/// each, which is never synced).
pub const MAX_READINGS: usize = 512;

/// Readings with the identity of the first; the others follow without holes.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// The run of the agent that stored them.
    pub epoch: u32,
    /// Sequence number of the first reading.
    pub first_sequence: u64,
    /// At least one, at most [`MAX_READINGS`].
    pub readings: Vec<Reading>,
}

/// Bytes that are no sound block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DamagedBlock {
    /// Too short, or another magic.
    #[error("not a block of readings")]
    NotABlock,
    /// The CRC does not fit: bytes were changed after they were written.
    #[error("a block of readings fails its CRC-32C")]
    Checksum,
    /// The CRC fits, so a newer release wrote it.
    #[error("a block of readings has codec {0}, which this release does not know")]
    UnknownCodec(u8),
    /// The CRC fits but the columns do not: a fault of the writer.
    #[error("a block of readings has a sound CRC but columns that do not fit together")]
    Inconsistent,
}

impl Block {
    /// Sequence number after the last reading.
    pub fn next_sequence(&self) -> u64 {
        self.first_sequence + self.readings.len() as u64
    }

    /// The bytes to store.
    ///
    /// # Panics
    /// On more than [`MAX_READINGS`], which no caller in this module makes.
    pub fn encode(&self) -> Vec<u8> {
        assert!(self.readings.len() <= MAX_READINGS, "a block holds at most {MAX_READINGS} readings");
        let body = encode_columns(&self.readings);
        let mut bytes = Vec::with_capacity(HEADER_BYTES + body.len());
        bytes.extend(MAGIC);
        bytes.extend([CODEC_DELTA_VARINT, 0, 0, 0]);
        bytes.extend(self.epoch.to_le_bytes());
        bytes.extend(self.first_sequence.to_le_bytes());
        bytes.extend(length(&self.readings).to_le_bytes());
        bytes.extend(length(&body).to_le_bytes());
        let crc = crc32c::crc32c_append(crc32c::crc32c(&bytes), &body);
        bytes.extend(crc.to_le_bytes());
        bytes.extend(body);
        bytes
    }

    /// The readings of stored bytes.
    ///
    /// # Errors
    /// [`DamagedBlock`]; nothing of a damaged block is handed out.
    pub fn decode(bytes: &[u8]) -> Result<Self, DamagedBlock> {
        let (header, body) = bytes.split_at_checked(HEADER_BYTES).ok_or(DamagedBlock::NotABlock)?;
        if header[..4] != MAGIC {
            return Err(DamagedBlock::NotABlock);
        }
        let crc = crc32c::crc32c_append(crc32c::crc32c(&header[..CRC_OFFSET]), body);
        if u32_at(header, CRC_OFFSET) != crc || u32_at(header, 24) as usize != body.len() {
            return Err(DamagedBlock::Checksum);
        }
        if header[4] != CODEC_DELTA_VARINT {
            return Err(DamagedBlock::UnknownCodec(header[4]));
        }
        let count = u32_at(header, 20) as usize;
        let readings = decode_columns(body, count).ok_or(DamagedBlock::Inconsistent)?;
        let first_sequence = u64::from(u32_at(header, 12)) | u64::from(u32_at(header, 16)) << 32;
        Ok(Self { epoch: u32_at(header, 8), first_sequence, readings })
    }
}

/// A block holds 512 readings of some ten bytes at most: the length always fits.
fn length<T>(items: &[T]) -> u32 {
    u32::try_from(items.len()).unwrap_or(u32::MAX)
}

fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    let mut four = [0; 4];
    four.copy_from_slice(&bytes[offset..offset + 4]);
    u32::from_le_bytes(four)
}

fn encode_columns(readings: &[Reading]) -> Vec<u8> {
    let mut out = Vec::with_capacity(readings.len() * 4);
    let mut before = 0_i64;
    for reading in readings {
        put_signed(&mut out, reading.utc_us.wrapping_sub(before));
        before = reading.utc_us;
    }
    for reading in readings {
        put_unsigned(&mut out, u64::from(reading.half_width_us));
    }
    let mut before = 0_i64;
    for reading in readings {
        put_signed(&mut out, i64::from(reading.channel.0) - before);
        before = i64::from(reading.channel.0);
    }
    put_runs(&mut out, readings.iter().map(|reading| reading.quality.to_bytes()));
    put_runs(&mut out, readings.iter().map(|reading| [value_tag(reading.value)]));
    put_values(&mut out, readings);
    out
}

const fn value_tag(value: Option<Raw>) -> u8 {
    match value {
        None => 0,
        Some(Raw::Integer(_)) => 1,
        Some(Raw::Float(_)) => 2,
    }
}

fn put_values(out: &mut Vec<u8>, readings: &[Reading]) {
    let mut before: HashMap<ChannelId, i64> = HashMap::new();
    for reading in readings {
        if let Some(Raw::Integer(count)) = reading.value {
            let last = before.insert(reading.channel, count).unwrap_or(0);
            put_signed(out, count.wrapping_sub(last));
        }
    }
    for reading in readings {
        if let Some(Raw::Float(value)) = reading.value {
            out.extend(value.to_le_bytes());
        }
    }
}

fn put_signed(out: &mut Vec<u8>, value: i64) {
    out.extend(value.encode_var_vec());
}

fn put_unsigned(out: &mut Vec<u8>, value: u64) {
    out.extend(value.encode_var_vec());
}

fn put_runs<const N: usize>(out: &mut Vec<u8>, mut cells: impl Iterator<Item = [u8; N]>) {
    let Some(mut current) = cells.next() else { return };
    let mut run = 1;
    for cell in cells {
        if cell == current {
            run += 1;
        } else {
            put_unsigned(out, run);
            out.extend(current);
            (current, run) = (cell, 1);
        }
    }
    put_unsigned(out, run);
    out.extend(current);
}

/// `None` wherever the columns do not fit together.
fn decode_columns(body: &[u8], count: usize) -> Option<Vec<Reading>> {
    if count == 0 || count > MAX_READINGS {
        return None;
    }
    let mut columns = Columns { rest: body };
    let times = columns.differences(count)?;
    let half_widths = columns.collect(count, |columns| u32::try_from(columns.unsigned()?).ok())?;
    let channels = columns.differences(count)?;
    let qualities = columns.runs::<2>(count)?;
    let tags = columns.runs::<1>(count)?;
    let channels: Option<Vec<_>> =
        channels.into_iter().map(|id| u32::try_from(id).ok().map(ChannelId)).collect();
    let channels = channels?;
    let values = columns.values(&channels, &tags)?;
    if !columns.rest.is_empty() {
        return None;
    }
    (0..count)
        .map(|index| {
            Some(Reading {
                channel: channels[index],
                utc_us: times[index],
                half_width_us: half_widths[index],
                value: values[index],
                quality: Quality::from_bytes(qualities[index])?,
            })
        })
        .collect()
}

/// What is left of a body while its columns are taken off the front.
struct Columns<'a> {
    rest: &'a [u8],
}

impl Columns<'_> {
    fn signed(&mut self) -> Option<i64> {
        let (value, used) = i64::decode_var(self.rest)?;
        self.rest = &self.rest[used..];
        Some(value)
    }

    fn unsigned(&mut self) -> Option<u64> {
        let (value, used) = u64::decode_var(self.rest)?;
        self.rest = &self.rest[used..];
        Some(value)
    }

    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*taken)
    }

    fn collect<T>(&mut self, count: usize, mut next: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        (0..count).map(|_| next(self)).collect()
    }

    fn differences(&mut self, count: usize) -> Option<Vec<i64>> {
        let mut value = 0_i64;
        self.collect(count, |columns| {
            value = value.wrapping_add(columns.signed()?);
            Some(value)
        })
    }

    fn runs<const N: usize>(&mut self, count: usize) -> Option<Vec<[u8; N]>> {
        let mut cells = Vec::with_capacity(count);
        while cells.len() < count {
            let run = usize::try_from(self.unsigned()?).ok()?;
            if run == 0 || run > count - cells.len() {
                return None;
            }
            let cell = self.bytes::<N>()?;
            cells.resize(cells.len() + run, cell);
        }
        Some(cells)
    }

    fn values(&mut self, channels: &[ChannelId], tags: &[[u8; 1]]) -> Option<Vec<Option<Raw>>> {
        let mut values = vec![None; tags.len()];
        let mut before: HashMap<ChannelId, i64> = HashMap::new();
        for (index, tag) in tags.iter().enumerate() {
            match tag {
                [0] | [2] => {}
                [1] => {
                    let last = before.entry(channels[index]).or_insert(0);
                    *last = last.wrapping_add(self.signed()?);
                    values[index] = Some(Raw::Integer(*last));
                }
                _ => return None,
            }
        }
        for (index, _) in tags.iter().enumerate().filter(|(_, tag)| **tag == [2]) {
            values[index] = Some(Raw::Float(f64::from_le_bytes(self.bytes::<8>()?)));
        }
        Some(values)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reading::Reason;

    fn any_reading() -> impl Strategy<Value = Reading> {
        let value = prop_oneof![
            Just(None),
            any::<i64>().prop_map(|count| Some(Raw::Integer(count))),
            any::<f64>()
                .prop_filter("a NaN never equals itself", |value| !value.is_nan())
                .prop_map(|value| Some(Raw::Float(value))),
        ];
        let quality = prop_oneof![
            Just(Quality::Good),
            Just(Quality::Uncertain(Reason::ClockNotSet)),
            Just(Quality::Bad(Reason::NoAnswer))
        ];
        (any::<u32>(), any::<i64>(), any::<u32>(), value, quality).prop_map(
            |(channel, utc_us, half_width_us, value, quality)| Reading {
                channel: ChannelId(channel),
                utc_us,
                half_width_us,
                value,
                quality,
            },
        )
    }

    fn any_block() -> impl Strategy<Value = Block> {
        (any::<u32>(), any::<u32>(), prop::collection::vec(any_reading(), 1..40))
            .prop_map(|(epoch, first, readings)| Block { epoch, first_sequence: u64::from(first), readings })
    }

    proptest! {
        #[test]
        fn what_is_stored_comes_back(block in any_block()) {
            prop_assert_eq!(Block::decode(&block.encode()), Ok(block));
        }

        #[test]
        fn no_flipped_bit_passes(block in any_block(), place in any::<prop::sample::Index>(), bit in 0_u32..8) {
            let mut bytes = block.encode();
            let at = place.index(bytes.len());
            bytes[at] ^= 1_u8 << bit;
            prop_assert!(Block::decode(&bytes).is_err());
        }

        #[test]
        fn no_cut_passes(block in any_block(), place in any::<prop::sample::Index>()) {
            let bytes = block.encode();
            prop_assert!(Block::decode(&bytes[..place.index(bytes.len())]).is_err());
        }

        #[test]
        fn columns_of_any_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..300), count in 0_usize..600) {
            let _ = decode_columns(&body, count);
        }
    }

    #[test]
    fn a_full_block_of_large_values_stays_inside_the_log() {
        let reading = |index: u32| Reading {
            channel: ChannelId(index % 40),
            utc_us: 1_800_000_000_000_000 + i64::from(index) * 3_000,
            half_width_us: 12_000,
            value: Some(if index.is_multiple_of(2) {
                Raw::Integer(12_345_678 + i64::from(index))
            } else {
                Raw::Float(f64::from(index) * 1.1)
            }),
            quality: Quality::Good,
        };
        let readings = (0..MAX_READINGS as u32).map(reading).collect();
        let bytes = Block { epoch: 1, first_sequence: 1, readings }.encode();
        assert!(bytes.len() < 7_000, "{} bytes", bytes.len());
    }
}
