use crate::BadValue;

/// The number in `bytes`, at most 18 446 744 073 709 551 615.
///
/// # Errors
/// [`BadValue::NotBcd`] for a half-byte above 9, [`BadValue::OutOfRange`] for a number of more than 64 bits.
pub fn decode(bytes: &[u8]) -> Result<u64, BadValue> {
    bytes.iter().rev().try_fold(0_u64, |number, byte| {
        let (tens, ones) = (byte >> 4, byte & 0x0F);
        if tens > 9 || ones > 9 {
            return Err(BadValue::NotBcd);
        }
        let pair = u64::from(tens * 10 + ones);
        number.checked_mul(100).and_then(|number| number.checked_add(pair)).ok_or(BadValue::OutOfRange)
    })
}

/// `number` in `len` bytes; `None` if it has more than `2 * len` digits.
pub fn encode(number: u64, len: usize) -> Option<Vec<u8>> {
    let mut rest = number;
    let bytes = (0..len).map(|_| {
        let pair = u8::try_from(rest % 100).expect("a remainder of 100 fits into a byte");
        rest /= 100;
        ((pair / 10) << 4) | (pair % 10)
    });
    let bytes = bytes.collect();
    (rest == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_and_their_bytes() {
        for (number, bytes) in
            [(0, &[][..]), (7, &[0x07]), (12_345_678, &[0x78, 0x56, 0x34, 0x12]), (90, &[0x90, 0x00])]
        {
            assert_eq!(decode(bytes), Ok(number));
            assert_eq!(encode(number, bytes.len()).as_deref(), Some(bytes));
        }
        assert_eq!(encode(100, 1), None);
        assert_eq!(decode(&[0x0A]), Err(BadValue::NotBcd));
        assert_eq!(decode(&[0xA0]), Err(BadValue::NotBcd));
        assert_eq!(decode(&[0x99; 10]), Err(BadValue::OutOfRange));
    }

    proptest! {
        #[test]
        fn there_and_back(number in any::<u64>(), len in 10..20_usize) {
            prop_assert_eq!(decode(&encode(number, len).unwrap()), Ok(number));
        }
    }
}
