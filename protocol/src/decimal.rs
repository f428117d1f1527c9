use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// An exact decimal number: `mantissa * 10^exponent`.
///
/// The digits are kept as written, so `0.10` prints as `0.10`; comparison and hashing go by value, so it
/// equals `0.1`. Arithmetic is exact or `None`.
#[derive(Clone, Copy, Debug)]
pub struct Decimal {
    mantissa: i128,
    exponent: i8,
}

/// A text that is not a decimal number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Something else than an optional minus, digits and an optional point between digits.
    #[error(
        "not a decimal number: only digits, a minus before and a point between them are known; write it like -12.50"
    )]
    Syntax,
    /// The digits do not fit into 128 bits.
    #[error("too many digits: 38 are exact, more cannot be kept; leave out digits that nobody measured")]
    TooLong,
}

impl Decimal {
    /// 0
    pub const ZERO: Self = Self::new(0, 0);
    /// 1
    pub const ONE: Self = Self::new(1, 0);

    /// `mantissa * 10^exponent`
    pub const fn new(mantissa: i128, exponent: i8) -> Self {
        Self { mantissa, exponent }
    }

    /// The digits without the point.
    pub const fn mantissa(self) -> i128 {
        self.mantissa
    }

    /// The power of ten of the last digit.
    pub const fn exponent(self) -> i8 {
        self.exponent
    }

    /// The product; `None` if its digits or its exponent do not fit.
    pub fn checked_mul(self, other: Self) -> Option<Self> {
        let mantissa = self.mantissa.checked_mul(other.mantissa)?;
        Some(Self::new(mantissa, self.exponent.checked_add(other.exponent)?))
    }

    /// The sum at the finer of the two exponents; `None` if its digits do not fit.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let (left, right) = self.aligned(other)?;
        Some(Self::new(left.mantissa.checked_add(right.mantissa)?, left.exponent))
    }

    /// The difference at the finer of the two exponents; `None` if its digits do not fit.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        let (left, right) = self.aligned(other)?;
        Some(Self::new(left.mantissa.checked_sub(right.mantissa)?, left.exponent))
    }

    /// The same value with another exponent; `None` if that would round or the digits do not fit.
    pub fn rescale(self, exponent: i8) -> Option<Self> {
        let shift = i32::from(self.exponent) - i32::from(exponent);
        let mantissa = match power_of_ten(shift.unsigned_abs()) {
            _ if self.mantissa == 0 => 0,
            Some(power) if shift >= 0 => self.mantissa.checked_mul(power)?,
            Some(power) if self.mantissa % power == 0 => self.mantissa / power,
            _ => return None,
        };
        Some(Self::new(mantissa, exponent))
    }

    /// The same value with the fewest digits: no zeros at the end of the mantissa, and zero as `0 * 10^0`.
    pub fn normalized(self) -> Self {
        if self.mantissa == 0 {
            return Self::ZERO;
        }
        let Self { mut mantissa, mut exponent } = self;
        while mantissa % 10 == 0 && exponent < i8::MAX {
            mantissa /= 10;
            exponent += 1;
        }
        Self::new(mantissa, exponent)
    }

    /// `numerator / denominator` where that is a finite decimal that fits: 200/5 is 40, 100/3 is `None`.
    pub fn from_ratio(numerator: Self, denominator: Self) -> Option<Self> {
        if denominator.mantissa == 0 {
            return None;
        }
        let (numerator, denominator) = (numerator.normalized(), denominator.normalized());
        let divisor = greatest_common_divisor(numerator.mantissa, denominator.mantissa)?;
        let (above, below) = (numerator.mantissa / divisor, denominator.mantissa / divisor);
        let (twos, rest) = split_factor(below.checked_abs()?, 2);
        let (fives, rest) = split_factor(rest, 5);
        if rest != 1 {
            return None;
        }
        // above / (2^twos * 5^fives) = above * 2^(shift - twos) * 5^(shift - fives) / 10^shift
        let shift = twos.max(fives);
        let factor = 2_i128.checked_pow(shift - twos)?.checked_mul(5_i128.checked_pow(shift - fives)?)?;
        let mantissa = above.checked_mul(factor)?.checked_mul(below.signum())?;
        let exponent =
            i32::from(numerator.exponent) - i32::from(denominator.exponent) - i32::try_from(shift).ok()?;
        Some(Self::new(mantissa, i8::try_from(exponent).ok()?))
    }

    /// The nearest floating-point number, ties to even.
    pub fn to_f64(self) -> f64 {
        let text = format!("{}e{}", self.mantissa, self.exponent);
        text.parse().expect("an integer with an exponent is a floating-point literal")
    }

    fn aligned(self, other: Self) -> Option<(Self, Self)> {
        let exponent = self.exponent.min(other.exponent);
        Some((self.rescale(exponent)?, other.rescale(exponent)?))
    }

    /// Place of the first digit relative to the point; both numbers must not be zero for it to mean anything.
    fn magnitude(self) -> i64 {
        let digits = self.mantissa.unsigned_abs().checked_ilog10().unwrap_or(0);
        i64::from(digits) + i64::from(self.exponent)
    }

    fn cmp_absolute(self, other: Self) -> Ordering {
        self.magnitude().cmp(&other.magnitude()).then_with(|| {
            // Of two numbers with the same first place, only the one with fewer digits is widened, to the
            // digits of the other: at most 39, so overflow tells that it is the greater one.
            let shift = u32::from(self.exponent.abs_diff(other.exponent));
            let (left, right) = (self.mantissa.unsigned_abs(), other.mantissa.unsigned_abs());
            let widened =
                |digits: u128| 10_u128.checked_pow(shift).and_then(|power| digits.checked_mul(power));
            if self.exponent >= other.exponent {
                widened(left).map_or(Ordering::Greater, |left| left.cmp(&right))
            } else {
                widened(right).map_or(Ordering::Less, |right| left.cmp(&right))
            }
        })
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = self.mantissa.signum();
        sign.cmp(&other.mantissa.signum()).then_with(|| match sign {
            0 => Ordering::Equal,
            1 => self.cmp_absolute(*other),
            _ => other.cmp_absolute(*self),
        })
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Decimal {}

impl Hash for Decimal {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { mantissa, exponent } = self.normalized();
        (mantissa, exponent).hash(state);
    }
}

impl FromStr for Decimal {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, DecimalError> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
        let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !is_digits(whole) || !is_digits(fraction) {
            return Err(DecimalError::Syntax);
        }
        let decimals = unsigned.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        let exponent = i8::try_from(decimals).map_err(|_| DecimalError::TooLong)?;
        let mantissa = text.replace('.', "").parse().map_err(|_| DecimalError::TooLong)?;
        Ok(Self::new(mantissa, -exponent))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = self.mantissa.unsigned_abs().to_string();
        let decimals = usize::from(self.exponent.min(0).unsigned_abs());
        if decimals > 0 {
            digits = format!("{digits:0>width$}", width = decimals + 1);
            digits.insert(digits.len() - decimals, '.');
        } else if self.mantissa != 0 {
            digits.extend(std::iter::repeat_n('0', usize::from(self.exponent.unsigned_abs())));
        }
        formatter.pad_integral(self.mantissa >= 0, "", &digits)
    }
}

fn power_of_ten(exponent: u32) -> Option<i128> {
    10_i128.checked_pow(exponent)
}

/// Euclid's algorithm; positive, and `None` only for the one value whose absolute value does not fit.
fn greatest_common_divisor(left: i128, right: i128) -> Option<i128> {
    let (mut left, mut right) = (left.checked_abs()?, right.checked_abs()?);
    while right != 0 {
        (left, right) = (right, left % right);
    }
    Some(left)
}

/// How often `factor` divides `number`, and what is left.
fn split_factor(mut number: i128, factor: i128) -> (u32, i128) {
    let mut times = 0;
    while number % factor == 0 {
        number /= factor;
        times += 1;
    }
    (times, number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn texts_keep_their_digits() {
        for text in
            ["0", "0.00", "0.10", "-0.01", "123456.78", "007", "-170141183460469231731687303715884105728"]
        {
            let kept = if text == "007" { "7" } else { text };
            assert_eq!(decimal(text).to_string(), kept);
        }
        assert_eq!(Decimal::new(-4, 2).to_string(), "-400");
        assert_eq!(Decimal::new(0, 2).to_string(), "0");
        assert_eq!(format!("{:>8}|{:+}", decimal("-0.5"), decimal("2")), "    -0.5|+2");
    }

    #[test]
    fn texts_that_are_no_decimals() {
        for text in ["", "-", ".", "1.", ".5", "1e3", "+1", "--1", "-.5", "1.2.3", "1 ", "١", "0x1", "1,5"] {
            assert_eq!(text.parse::<Decimal>(), Err(DecimalError::Syntax), "{text}");
        }
        for text in ["1".repeat(40), format!("0.{}", "0".repeat(128))] {
            assert_eq!(text.parse::<Decimal>(), Err(DecimalError::TooLong), "{text}");
        }
    }

    #[test]
    fn ratios() {
        for (numerator, denominator, ratio) in [
            ("200", "5", Some("40")),
            ("10000", "100", Some("100")),
            ("1", "8", Some("0.125")),
            ("-0.3", "0.06", Some("-5")),
            ("1", "-4", Some("-0.25")),
            ("0", "3", Some("0")),
            ("100", "3", None),
            ("1", "0", None),
        ] {
            let found = Decimal::from_ratio(decimal(numerator), decimal(denominator));
            assert_eq!(found, ratio.map(decimal), "{numerator}/{denominator}");
        }
    }

    #[test]
    fn limits_give_none_and_no_panic() {
        let (greatest, least) = (Decimal::new(i128::MAX, i8::MAX), Decimal::new(i128::MIN, i8::MIN));
        for (left, right) in [(greatest, greatest), (greatest, least), (least, greatest), (least, least)] {
            assert_eq!(left.checked_mul(right), None);
            assert_eq!(left.cmp(&right), left.mantissa.cmp(&right.mantissa));
            let _ = (left.checked_add(right), left.checked_sub(right), Decimal::from_ratio(left, right));
            let _ = (left.normalized(), left.rescale(0), left.to_string(), left.to_f64());
        }
        assert_eq!(Decimal::new(0, 100).rescale(-100), Some(Decimal::ZERO));
        assert!(Decimal::new(1, 100) > Decimal::new(i128::MAX, 61));
        assert!(Decimal::new(9, 30) > Decimal::new(i128::MAX, -8));
    }

    #[test]
    fn floats_are_the_nearest() {
        for (text, nearest) in
            [("0.1", 0.1), ("123456.78", 123_456.78), ("9007199254740993", 9_007_199_254_740_992.0)]
        {
            assert_eq!(decimal(text).to_f64(), nearest);
        }
    }

    fn any_decimal() -> impl Strategy<Value = Decimal> {
        (any::<i64>(), -6..6_i8).prop_map(|(mantissa, exponent)| Decimal::new(mantissa.into(), exponent))
    }

    proptest! {
        #[test]
        fn text_and_back(number in any_decimal()) {
            prop_assert_eq!(decimal(&number.to_string()), number);
        }

        #[test]
        fn order_is_that_of_the_integers_at_one_exponent(left in any_decimal(), right in any_decimal()) {
            let finest = left.exponent.min(right.exponent);
            if let (Some(a), Some(b)) = (left.rescale(finest), right.rescale(finest)) {
                prop_assert_eq!(left.cmp(&right), a.mantissa.cmp(&b.mantissa));
                prop_assert_eq!(left.checked_sub(right).unwrap().cmp(&Decimal::ZERO), left.cmp(&right));
            }
        }

        #[test]
        fn equal_values_are_one_value(number in any_decimal(), zeros in 0..10_i8) {
            let longer = number.rescale(number.exponent - zeros).unwrap();
            prop_assert_eq!(longer, number);
            let (kept, normalized) = (number.normalized(), longer.normalized());
            prop_assert_eq!((kept.mantissa, kept.exponent), (normalized.mantissa, normalized.exponent));
            prop_assert_eq!(longer.to_f64(), number.to_f64());
        }

        #[test]
        fn sums_come_apart_again(left in any_decimal(), right in any_decimal()) {
            let sum = left.checked_add(right).unwrap();
            prop_assert_eq!(sum.checked_sub(right), Some(left));
        }

        #[test]
        fn products_come_apart_again(left in any_decimal(), right in any_decimal()) {
            prop_assume!(right != Decimal::ZERO);
            let product = left.checked_mul(right).unwrap();
            prop_assert_eq!(Decimal::from_ratio(product, right), Some(left));
        }
    }
}
