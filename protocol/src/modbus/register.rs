use crate::item::{BadValue, Decoded, Raw};

/// What one or more registers hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RegisterType {
    /// One register, unsigned.
    U16,
    /// One register, two's complement.
    I16,
    /// Two registers, unsigned.
    U32,
    /// Two registers, two's complement.
    I32,
    /// Four registers, unsigned.
    U64,
    /// Four registers, two's complement.
    I64,
    /// Two registers, IEEE 754 binary32.
    F32,
    /// Four registers, IEEE 754 binary64.
    F64,
}

impl RegisterType {
    /// 1, 2 or 4.
    pub const fn registers(self) -> u16 {
        match self {
            Self::U16 | Self::I16 => 1,
            Self::U32 | Self::I32 | Self::F32 => 2,
            Self::U64 | Self::I64 | Self::F64 => 4,
        }
    }

    /// 2, 4 or 8.
    pub const fn bytes(self) -> usize {
        2 * self.registers() as usize
    }

    const fn bits(self) -> u32 {
        16 * self.registers() as u32
    }
}

/// In which order the bytes of a value arrive, A being the most significant of four. Values of eight bytes
/// follow the same rule: words in or against the order of significance, bytes within each word likewise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WordOrder {
    /// High word first, high byte first: the order that Modbus itself uses within a register.
    Abcd,
    /// Low word first, high byte first.
    Cdab,
    /// High word first, low byte first.
    Badc,
    /// Low word first, low byte first.
    Dcba,
}

impl WordOrder {
    /// From the wire to the order of significance, and equally back.
    fn rearrange(self, bytes: &mut [u8]) {
        if matches!(self, Self::Cdab | Self::Dcba) {
            bytes.reverse();
        }
        // Reversing all bytes turned the words' own bytes as well: that is Dcba. Cdab turns them back.
        if matches!(self, Self::Cdab | Self::Badc) {
            bytes.chunks_exact_mut(2).for_each(<[u8]>::reverse);
        }
    }
}

/// How a value lies in registers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RegisterFormat {
    /// Its type.
    pub kind: RegisterType,
    /// The order of its bytes.
    pub order: WordOrder,
    /// Bit patterns, in the order of significance, with which the device says "not available". NaN always
    /// says so.
    pub absent: Vec<u64>,
}

impl RegisterFormat {
    /// The value in the bytes of its registers.
    pub(crate) fn decode(&self, wire: &[u8]) -> Decoded {
        let expected = self.kind.bytes();
        if wire.len() != expected {
            return Decoded::Bad(BadValue::WrongLength { expected, actual: wire.len() });
        }
        let mut bytes = [0; 8];
        let (_, value) = bytes.split_at_mut(8 - expected);
        value.copy_from_slice(wire);
        self.order.rearrange(value);
        self.decode_bits(u64::from_be_bytes(bytes))
    }

    /// The bytes of `value`, or of the first absent mark for `None`; a float is rounded to the register's
    /// precision, as a device does. `None` if there is no such mark, or the value does not fit or would be
    /// read as absent.
    pub(crate) fn encode(&self, value: Option<Raw>) -> Option<Vec<u8>> {
        let bits = match value {
            Some(raw) => self.encode_bits(raw).filter(|bits| !self.absent.contains(bits))?,
            None => self.absent_bits()?,
        };
        let mut wire = bits.to_be_bytes()[8 - self.kind.bytes()..].to_vec();
        self.order.rearrange(&mut wire);
        Some(wire)
    }

    fn decode_bits(&self, bits: u64) -> Decoded {
        if self.absent.contains(&bits) {
            return Decoded::Absent;
        }
        match self.kind {
            RegisterType::U16 | RegisterType::U32 | RegisterType::U64 => unsigned(bits),
            RegisterType::I16 | RegisterType::I32 | RegisterType::I64 => {
                let unused = 64 - self.kind.bits();
                Decoded::Value(Raw::Integer((bits << unused).cast_signed() >> unused))
            }
            RegisterType::F32 => {
                let [_, _, _, _, a, b, c, d] = bits.to_be_bytes();
                float(f64::from(f32::from_be_bytes([a, b, c, d])))
            }
            RegisterType::F64 => float(f64::from_bits(bits)),
        }
    }

    fn encode_bits(&self, raw: Raw) -> Option<u64> {
        let unused = 64 - self.kind.bits();
        match (self.kind, raw) {
            (RegisterType::U16 | RegisterType::U32 | RegisterType::U64, Raw::Integer(number)) => {
                u64::try_from(number).ok().filter(|bits| bits << unused >> unused == *bits)
            }
            (RegisterType::I16 | RegisterType::I32 | RegisterType::I64, Raw::Integer(number)) => {
                let fits = number << unused >> unused == number;
                fits.then(|| number.cast_unsigned() << unused >> unused)
            }
            (RegisterType::F32, Raw::Float(number)) => {
                let rounded = round_to_f32(number);
                rounded.is_finite().then(|| u64::from(rounded.to_bits()))
            }
            (RegisterType::F64, Raw::Float(number)) => number.is_finite().then(|| number.to_bits()),
            _ => None,
        }
    }

    fn absent_bits(&self) -> Option<u64> {
        self.absent.first().copied().or(match self.kind {
            RegisterType::F32 => Some(u64::from(f32::NAN.to_bits())),
            RegisterType::F64 => Some(f64::NAN.to_bits()),
            _ => None,
        })
    }
}

fn unsigned(bits: u64) -> Decoded {
    i64::try_from(bits)
        .map_or(Decoded::Bad(BadValue::OutOfRange), |number| Decoded::Value(Raw::Integer(number)))
}

fn float(number: f64) -> Decoded {
    if number.is_nan() {
        Decoded::Absent
    } else if number.is_infinite() {
        Decoded::Bad(BadValue::NotFinite)
    } else {
        Decoded::Value(Raw::Float(number))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "rounds to the nearest, and to infinity out of range")]
const fn round_to_f32(number: f64) -> f32 {
    number as f32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KINDS: [RegisterType; 8] = [
        RegisterType::U16,
        RegisterType::I16,
        RegisterType::U32,
        RegisterType::I32,
        RegisterType::U64,
        RegisterType::I64,
        RegisterType::F32,
        RegisterType::F64,
    ];
    const ORDERS: [WordOrder; 4] = [WordOrder::Abcd, WordOrder::Cdab, WordOrder::Badc, WordOrder::Dcba];

    fn format(kind: RegisterType, order: WordOrder) -> RegisterFormat {
        RegisterFormat { kind, order, absent: Vec::new() }
    }

    #[test]
    fn orders() {
        let number = Decoded::Value(Raw::Integer(0x0102_0304_0506_0708));
        for (order, wire) in [
            (WordOrder::Abcd, [1, 2, 3, 4, 5, 6, 7, 8]),
            (WordOrder::Cdab, [7, 8, 5, 6, 3, 4, 1, 2]),
            (WordOrder::Badc, [2, 1, 4, 3, 6, 5, 8, 7]),
            (WordOrder::Dcba, [8, 7, 6, 5, 4, 3, 2, 1]),
        ] {
            assert_eq!(format(RegisterType::U64, order).decode(&wire), number, "{order:?}");
        }
        assert_eq!(
            format(RegisterType::U16, WordOrder::Cdab).decode(&[1, 2]),
            Decoded::Value(Raw::Integer(0x0102))
        );
        assert_eq!(
            format(RegisterType::U16, WordOrder::Badc).decode(&[1, 2]),
            Decoded::Value(Raw::Integer(0x0201))
        );
    }

    #[test]
    fn limits() {
        let wrong = BadValue::WrongLength { expected: 4, actual: 2 };
        for (kind, wire, decoded) in [
            (RegisterType::I16, &[0x80, 0x00][..], Decoded::Value(Raw::Integer(-0x8000))),
            (RegisterType::U32, &[0xFF; 4], Decoded::Value(Raw::Integer(0xFFFF_FFFF))),
            (RegisterType::I64, &[0xFF; 8], Decoded::Value(Raw::Integer(-1))),
            (RegisterType::U64, &[0xFF; 8], Decoded::Bad(BadValue::OutOfRange)),
            (
                RegisterType::F32,
                &[0x3D, 0xCC, 0xCC, 0xCD],
                Decoded::Value(Raw::Float(0.100_000_001_490_116_12)),
            ),
            (RegisterType::F32, &[0x7F, 0xC0, 0x00, 0x00], Decoded::Absent),
            (RegisterType::F32, &[0xFF, 0x80, 0x00, 0x01], Decoded::Absent),
            (RegisterType::F32, &[0x7F, 0x80, 0x00, 0x00], Decoded::Bad(BadValue::NotFinite)),
            (RegisterType::F64, &[0xFF, 0xF0, 0, 0, 0, 0, 0, 0], Decoded::Bad(BadValue::NotFinite)),
            (RegisterType::F32, &[0x00, 0x00], Decoded::Bad(wrong)),
        ] {
            assert_eq!(format(kind, WordOrder::Abcd).decode(wire), decoded, "{kind:?} {wire:02X?}");
        }
    }

    #[test]
    fn what_does_not_fit_is_not_sent() {
        for (kind, raw) in [
            (RegisterType::U16, Raw::Integer(-1)),
            (RegisterType::U16, Raw::Integer(0x1_0000)),
            (RegisterType::I16, Raw::Integer(0x8000)),
            (RegisterType::I32, Raw::Integer(-0x8000_0001)),
            (RegisterType::U16, Raw::Float(1.0)),
            (RegisterType::F32, Raw::Integer(1)),
            (RegisterType::F32, Raw::Float(1e39)),
            (RegisterType::F64, Raw::Float(f64::NAN)),
        ] {
            assert_eq!(format(kind, WordOrder::Abcd).encode(Some(raw)), None, "{kind:?} {raw:?}");
        }
        assert_eq!(format(RegisterType::U16, WordOrder::Abcd).encode(None), None);
    }

    #[test]
    fn absent_marks() {
        for (kind, mark, wire) in [
            (RegisterType::I16, 0xF830, &[0xF8, 0x30][..]),
            (RegisterType::I32, 0x7FFF_FFFF, &[0x7F, 0xFF, 0xFF, 0xFF]),
            (RegisterType::U64, u64::MAX, &[0xFF; 8]),
        ] {
            let format = RegisterFormat { kind, order: WordOrder::Abcd, absent: vec![mark] };
            assert_eq!(format.decode(wire), Decoded::Absent);
            assert_eq!(format.encode(None).as_deref(), Some(wire));
        }
        let sensor = RegisterFormat { kind: RegisterType::I16, order: WordOrder::Abcd, absent: vec![0xF830] };
        assert_eq!(sensor.encode(Some(Raw::Integer(-2000))), None, "it would be read as absent");
    }

    proptest! {
        #[test]
        fn there_and_back(
            kind in prop::sample::select(&KINDS),
            order in prop::sample::select(&ORDERS),
            bits in any::<[u8; 8]>(),
        ) {
            let (format, wire) = (format(kind, order), &bits[..kind.bytes()]);
            match format.decode(wire) {
                Decoded::Value(raw) => {
                    let sent = format.encode(Some(raw));
                    prop_assert_eq!(sent.as_deref(), Some(wire));
                }
                Decoded::Absent => {
                    prop_assert_eq!(format.decode(&format.encode(None).unwrap()), Decoded::Absent);
                }
                Decoded::Bad(bad) => prop_assert!(matches!(bad, BadValue::OutOfRange | BadValue::NotFinite)),
            }
        }

        #[test]
        fn a_float_arrives_rounded_to_its_register(
            order in prop::sample::select(&ORDERS),
            number in -1e9..1e9,
        ) {
            let format = format(RegisterType::F32, order);
            let arrived = format.decode(&format.encode(Some(Raw::Float(number))).unwrap());
            prop_assert_eq!(arrived, Decoded::Value(Raw::Float(f64::from(round_to_f32(number)))));
        }
    }
}
