use crc::{CRC_16_MODBUS, Crc};

const MODBUS: Crc<u16> = Crc::<u16>::new(&CRC_16_MODBUS);

/// The sum of all bytes modulo 256: the check of DL/T 645 frames.
///
/// It finds every single wrong bit, but not two that cancel out: with two wrong bits, one reply in about 600
/// passes with another value. The parity bits of the characters find those.
pub fn sum8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte))
}

/// CRC-16 with polynomial 8005H (reflected A001H) and initial value FFFFH: the check of Modbus RTU frames,
/// sent low byte first (Modbus over Serial Line V1.02, 2.5.1.2).
///
/// It finds up to three wrong bits in a frame. A frame with its check followed by 00H passes the same check
/// again.
pub fn crc16(bytes: &[u8]) -> u16 {
    MODBUS.checksum(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        // The check value of the CRC catalogue, and the exception in the Modbus captures.
        assert_eq!(crc16(b"123456789"), 0x4B37);
        assert_eq!(crc16(&[0x01, 0x83, 0x02]), 0xF1C0);
        assert_eq!(
            sum8(&[0x68, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0x68, 0x11, 0x04, 0x33, 0x33, 0x34, 0x33]),
            0xAE
        );
    }

    #[test]
    fn a_zero_behind_a_checked_frame_passes_again() {
        let frame = [0x01, 0x83, 0x02, 0xC0];
        assert_eq!(crc16(&frame).to_le_bytes(), [0xF1, 0x00]);
    }
}
