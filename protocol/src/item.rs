use crate::Query;
use crate::bcd;
use crate::dlt645::{DataIdentifier, Format};
use crate::modbus::{ReadFunction, RegisterFormat};

/// One value of a device: where it sits on the wire and how it is encoded.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Item {
    /// A quantity of a DL/T 645-2007 meter.
    Dlt645 {
        /// Its name.
        di: DataIdentifier,
        /// Its digits.
        format: Format,
    },
    /// One or more registers of a Modbus device.
    Modbus {
        /// Which table.
        function: ReadFunction,
        /// The first register, as on the wire (0-based).
        start: u16,
        /// What lies in them.
        format: RegisterFormat,
    },
}

/// What a device sent for an item.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Raw {
    /// A count of the last digit: 12345 for 123.45 in the format XXX.XX, or the number in an integer
    /// register.
    Integer(i64),
    /// The number in a float register, finite; binary32 is widened without change.
    Float(f64),
}

/// What an item's bytes mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decoded {
    /// A value.
    Value(Raw),
    /// The device says that it has no such value: all bytes FFH in DL/T 645, a mark of the profile or NaN in
    /// Modbus.
    Absent,
    /// Bytes that are no value.
    Bad(BadValue),
}

/// Why bytes that arrived well are no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum BadValue {
    /// A half-byte above 9.
    #[error("the reply holds something else than decimal digits")]
    NotBcd,
    /// More or fewer bytes than the item has.
    #[error(
        "the reply holds {actual} bytes, the item has {expected}; compare the profile with the device's manual"
    )]
    WrongLength {
        /// Bytes that the item has.
        expected: usize,
        /// Bytes that came.
        actual: usize,
    },
    /// A number that does not fit into 64 bits with sign.
    #[error("the number exceeds 63 bits")]
    OutOfRange,
    /// An infinite float.
    #[error("the float is infinite")]
    NotFinite,
    /// The query asked for something else.
    #[error("the query did not ask for this item")]
    NotAsked,
}

impl Item {
    /// The item's value in the payload of the answer to `query`.
    pub fn decode(&self, query: &Query, payload: &[u8]) -> Decoded {
        match (self, query) {
            (Self::Dlt645 { di, format }, Query::Dlt645Read { di: asked, .. }) if di == asked => {
                decode_digits(*format, payload)
            }
            (
                Self::Modbus { function, start, format },
                Query::ModbusRead { function: asked, start: first, count, .. },
            ) if function == asked => match registers_within(payload, *start, format, *first, *count) {
                Ok(registers) => format.decode(registers),
                Err(bad) => Decoded::Bad(bad),
            },
            _ => Decoded::Bad(BadValue::NotAsked),
        }
    }

    /// The bytes that a device sends for `value`, or for "not available" if there is none; a DL/T 645
    /// payload, or the item's registers. `None` if the value does not fit, or the item has no way to say "not
    /// available".
    pub fn encode(&self, value: Option<Raw>) -> Option<Vec<u8>> {
        match self {
            Self::Dlt645 { format, .. } => encode_digits(*format, value),
            Self::Modbus { format, .. } => format.encode(value),
        }
    }
}

const SIGN: u8 = 0x80;
const ABSENT: u8 = 0xFF;

fn decode_digits(format: Format, payload: &[u8]) -> Decoded {
    let expected = usize::from(format.bytes);
    if payload.len() != expected {
        return Decoded::Bad(BadValue::WrongLength { expected, actual: payload.len() });
    }
    if payload.iter().all(|byte| *byte == ABSENT) {
        return Decoded::Absent;
    }
    let mut digits = payload.to_vec();
    let is_negative = format.signed && take_sign(&mut digits);
    let number =
        bcd::decode(&digits).and_then(|number| i64::try_from(number).map_err(|_| BadValue::OutOfRange));
    match number {
        Ok(number) => Decoded::Value(Raw::Integer(if is_negative { -number } else { number })),
        Err(bad) => Decoded::Bad(bad),
    }
}

/// Whether the highest bit of the highest byte, which comes last, was set; clears it.
fn take_sign(digits: &mut [u8]) -> bool {
    digits.last_mut().is_some_and(|highest| {
        let is_negative = *highest & SIGN != 0;
        *highest &= !SIGN;
        is_negative
    })
}

fn encode_digits(format: Format, value: Option<Raw>) -> Option<Vec<u8>> {
    let len = usize::from(format.bytes);
    let number = match value {
        None => return Some(vec![ABSENT; len]),
        Some(Raw::Integer(number)) => number,
        Some(Raw::Float(_)) => return None,
    };
    let mut digits = bcd::encode(number.unsigned_abs(), len)?;
    match digits.last_mut() {
        Some(highest) if format.signed && *highest & SIGN == 0 => {
            *highest |= if number < 0 { SIGN } else { 0 };
            Some(digits)
        }
        _ => (!format.signed && number >= 0).then_some(digits),
    }
}

/// The part of `payload`, which holds `count` registers from `first`, that belongs to an item at `start`.
fn registers_within<'a>(
    payload: &'a [u8],
    start: u16,
    format: &RegisterFormat,
    first: u16,
    count: u16,
) -> Result<&'a [u8], BadValue> {
    let expected = 2 * usize::from(count);
    if payload.len() != expected {
        return Err(BadValue::WrongLength { expected, actual: payload.len() });
    }
    let offset = 2 * usize::from(start.checked_sub(first).ok_or(BadValue::NotAsked)?);
    payload.get(offset..offset + format.kind.bytes()).ok_or(BadValue::NotAsked)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dlt645::Address;
    use crate::modbus::{RegisterType, UnitId, WordOrder};

    const DI: DataIdentifier = DataIdentifier(0x0001_0000);

    fn digits(bytes: u8, signed: bool) -> (Item, Query) {
        let item = Item::Dlt645 { di: DI, format: Format { bytes, decimals: 0, signed } };
        (item, Query::Dlt645Read { address: Address([0; 6]), di: DI, reply_bytes: bytes })
    }

    fn registers(start: u16, first: u16, count: u16) -> (Item, Query) {
        let function = ReadFunction::InputRegisters;
        let format = RegisterFormat { kind: RegisterType::U32, order: WordOrder::Abcd, absent: Vec::new() };
        let unit = UnitId::new(1).unwrap();
        (Item::Modbus { function, start, format }, Query::ModbusRead { unit, function, start: first, count })
    }

    #[test]
    fn digits_of_dlt645() {
        use BadValue::{NotBcd, OutOfRange, WrongLength};
        use Decoded::{Absent, Bad, Value};
        for (signed, payload, decoded) in [
            (false, &[0x78, 0x56, 0x34, 0x12][..], Value(Raw::Integer(12_345_678))),
            (true, &[0x67, 0x45, 0x23, 0x81], Value(Raw::Integer(-1_234_567))),
            (true, &[0x99, 0x79], Value(Raw::Integer(7999))),
            (true, &[0x00, 0x80], Value(Raw::Integer(0))),
            (false, &[0x00, 0x80], Value(Raw::Integer(8000))),
            (false, &[0xFF, 0xFF], Absent),
            (true, &[0xFF, 0xFF], Absent),
            (true, &[0x00, 0xFF], Bad(NotBcd)),
            (false, &[0x0E, 0x00], Bad(NotBcd)),
            (false, &[0x99; 10], Bad(OutOfRange)),
        ] {
            let (item, query) = digits(u8::try_from(payload.len()).unwrap(), signed);
            assert_eq!(item.decode(&query, payload), decoded, "{payload:02X?}");
        }
        let (item, query) = digits(4, false);
        assert_eq!(item.decode(&query, &[0; 5]), Bad(WrongLength { expected: 4, actual: 5 }));
        assert_eq!(item.decode(&query, &[]), Bad(WrongLength { expected: 4, actual: 0 }));
    }

    #[test]
    fn digits_that_do_not_fit_are_not_sent() {
        for (signed, raw) in [
            (false, Raw::Integer(-1)),
            (false, Raw::Integer(10_000)),
            (true, Raw::Integer(8_000)),
            (true, Raw::Integer(-8_000)),
            (true, Raw::Integer(i64::MIN)),
            (false, Raw::Float(1.0)),
        ] {
            assert_eq!(digits(2, signed).0.encode(Some(raw)), None, "{raw:?}");
        }
        assert_eq!(digits(2, false).0.encode(None), Some(vec![0xFF, 0xFF]));
    }

    #[test]
    fn registers_come_from_their_place() {
        let payload = [0, 0, 0, 1, 0, 0, 0, 2];
        for (start, decoded) in [
            (99, Decoded::Bad(BadValue::NotAsked)),
            (100, Decoded::Value(Raw::Integer(1))),
            (101, Decoded::Value(Raw::Integer(0x1_0000))),
            (102, Decoded::Value(Raw::Integer(2))),
            (103, Decoded::Bad(BadValue::NotAsked)),
            (u16::MAX, Decoded::Bad(BadValue::NotAsked)),
        ] {
            let (item, query) = registers(start, 100, 4);
            assert_eq!(item.decode(&query, &payload), decoded, "{start}");
        }
        let (item, query) = registers(100, 100, 3);
        assert_eq!(
            item.decode(&query, &payload),
            Decoded::Bad(BadValue::WrongLength { expected: 6, actual: 8 })
        );
    }

    #[test]
    fn an_answer_to_something_else_is_no_value() {
        let (number, read_number) = digits(4, false);
        let (register, read_register) = registers(0, 0, 2);
        for (item, query) in [(&number, &read_register), (&register, &read_number)] {
            assert_eq!(item.decode(query, &[0; 4]), Decoded::Bad(BadValue::NotAsked));
        }
    }

    proptest! {
        #[test]
        fn digits_there_and_back(
            bytes in 1..=9_u8,
            signed in any::<bool>(),
            number in any::<i64>(),
            shift in 0..64_u32,
        ) {
            let ((item, query), number) = (digits(bytes, signed), number >> shift);
            if let Some(payload) = item.encode(Some(Raw::Integer(number))) {
                prop_assert_eq!(item.decode(&query, &payload), Decoded::Value(Raw::Integer(number)));
            } else {
                let limit = 10_i64.pow(2 * u32::from(bytes)) / 10 * if signed { 8 } else { 10 };
                prop_assert!(number.unsigned_abs() >= limit.unsigned_abs() || (number < 0 && !signed));
            }
        }

        #[test]
        fn arbitrary_payloads_never_panic(
            payload in prop::collection::vec(any::<u8>(), 0..20),
            bytes in any::<u8>(),
        ) {
            let (item, query) = digits(bytes, true);
            item.decode(&query, &payload);
            let (item, query) = registers(1, u16::from(bytes), 9);
            item.decode(&query, &payload);
        }
    }
}
