//! Numbers as a report prints them (R-A32): the expanded uncertainty with two significant digits, the value
//! to the same place (JJF 1059.1, 5.3.8), halves to the even digit (GB/T 8170), each straight from the
//! unrounded figure.
//!
//! Rounding is done on decimal text, where "half" means what the reader sees: 0.245 is a half although the
//! nearest binary number lies beside it. The text has the 15 significant digits that every `f64` carries, so
//! that the noise of a calculation does not decide a half either.

use serde::Serialize;

/// A value and its expanded uncertainty, rounded, in plain digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reported {
    /// The value, to the place of the uncertainty's second digit.
    #[serde(rename = "E")]
    pub value: String,
    /// The expanded uncertainty, two significant digits.
    #[serde(rename = "U")]
    pub expanded: String,
}

/// Rounds `value` and its expanded uncertainty for a report. `None` when the uncertainty is 0 or a figure is
/// not finite: then nothing says where to round.
#[must_use]
pub fn report(value: f64, expanded: f64) -> Option<Reported> {
    if expanded == 0.0 || !expanded.is_finite() || !value.is_finite() {
        return None;
    }
    let expanded = Decimal::of(expanded.abs());
    let place = expanded.leading_place - 1;
    let once = expanded.rounded(place);
    let place = if once.digits.len() > 2 { place + 1 } else { place };
    let text = |decimal: &Decimal| decimal.rounded(place).text();
    Some(Reported { value: text(&Decimal::of(value)), expanded: text(&expanded) })
}

/// The last of the significant digits that `f64` always carries, counted after the first.
const DIGITS_AFTER_FIRST: usize = f64::DIGITS as usize - 1;

/// Digits, the first of which stands at 10^`leading_place`.
struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    leading_place: i32,
}

/// A whole number of 10^`place`, without leading zeros; no digits for zero.
struct Rounded {
    negative: bool,
    digits: Vec<u8>,
    place: i32,
}

impl Decimal {
    fn of(value: f64) -> Self {
        let text = format!("{:.*e}", DIGITS_AFTER_FIRST, value.abs());
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let digits = mantissa.bytes().filter(u8::is_ascii_digit).map(|digit| digit - b'0').collect();
        Self { negative: value < 0.0, digits, leading_place: exponent.parse().unwrap_or(0) }
    }

    fn rounded(&self, place: i32) -> Rounded {
        let negative = self.negative;
        let Ok(kept) = usize::try_from(self.leading_place - place + 1) else {
            return Rounded { negative, digits: Vec::new(), place };
        };
        let (head, rest) = self.digits.split_at(kept.min(self.digits.len()));
        let mut digits = head.to_vec();
        digits.resize(kept, 0);
        if rounds_up(digits.last().copied().unwrap_or(0), rest) {
            add_one(&mut digits);
        }
        let zeros = digits.iter().take_while(|digit| **digit == 0).count();
        Rounded { negative, digits: digits.split_off(zeros), place }
    }
}

fn rounds_up(last_kept: u8, rest: &[u8]) -> bool {
    match rest.split_first() {
        Some((5, beyond)) => last_kept % 2 == 1 || beyond.iter().any(|digit| *digit != 0),
        Some((first, _)) => *first > 5,
        None => false,
    }
}

fn add_one(digits: &mut Vec<u8>) {
    for digit in digits.iter_mut().rev() {
        *digit = (*digit + 1) % 10;
        if *digit != 0 {
            return;
        }
    }
    digits.insert(0, 1);
}

impl Rounded {
    fn text(&self) -> String {
        let mut digits: String = self.digits.iter().map(|digit| char::from(b'0' + digit)).collect();
        let sign = if self.negative && !digits.is_empty() { "-" } else { "" };
        let after_point = usize::try_from(-self.place).unwrap_or(0);
        if !digits.is_empty() {
            digits.extend(std::iter::repeat_n('0', usize::try_from(self.place).unwrap_or(0)));
        }
        let digits = format!("{digits:0>width$}", width = after_point + 1);
        let (whole, fraction) = digits.split_at(digits.len() - after_point);
        let point = if fraction.is_empty() { "" } else { "." };
        format!("{sign}{whole}{point}{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rounds_as_a_report_prints() {
        let check = |value: f64, expanded: f64, printed: (&str, &str)| {
            let reported = report(value, expanded).unwrap();
            assert_eq!(
                (reported.value.as_str(), reported.expanded.as_str()),
                printed,
                "{value} with {expanded}"
            );
        };
        check(62.733_000_000_000_004, 6.173_431_902_693_995, ("62.7", "6.2"));
        check(0.0, 0.456_24, ("0.00", "0.46"));
        check(95.0, 1.0, ("95.0", "1.0"));
        check(162_937.5, 21_322.207_656_066_348, ("163000", "21000"));
        // A carry moves the second digit one place up.
        check(1.234_56, 0.0996, ("1.23", "0.10"));
        check(12.345, 9.96, ("12", "10"));
        check(1234.5, 99.6, ("1230", "100"));
        check(1234.5, 99.4, ("1234", "99"));
        // Halves to even, as seen in decimal, whatever the binary neighbour or the noise of a calculation.
        check(0.125, 0.25, ("0.12", "0.25"));
        check(0.245, 0.11, ("0.24", "0.11"));
        check(0.255, 0.11, ("0.26", "0.11"));
        check(0.245_000_000_000_000_02, 0.11, ("0.24", "0.11"));
        check(0.245_000_000_000_1, 0.11, ("0.25", "0.11"));
        check(1.0, 0.125, ("1.00", "0.12"));
        check(1.0, 0.135, ("1.00", "0.14"));
        // A value below the place, a credit, and figures far apart.
        check(3.0, 2100.0, ("0", "2100"));
        check(60.0, 2100.0, ("100", "2100"));
        check(50.0, 2100.0, ("0", "2100"));
        check(-12.35, 1.2, ("-12.4", "1.2"));
        check(-0.04, 1.2, ("0.0", "1.2"));
        check(5e-324, 1.0, ("0.0", "1.0"));
        check(1.0, 1.5e-7, ("1.00000000", "0.00000015"));
        check(1e20, 12.0, ("100000000000000000000", "12"));
        check(0.999, 0.12, ("1.00", "0.12"));
        check(9.99, 1.2, ("10.0", "1.2"));
    }

    #[test]
    fn nothing_to_round_to() {
        for (value, expanded) in [(1.0, 0.0), (1.0, f64::NAN), (f64::NAN, 1.0), (f64::INFINITY, 1.0)] {
            assert_eq!(report(value, expanded), None);
        }
    }

    proptest! {
        #[test]
        fn is_within_half_a_place(value in -1e9..1e9_f64, expanded in 1e-6..1e6_f64) {
            let reported = report(value, expanded).unwrap();
            let places = |digits: usize| i32::try_from(digits).unwrap();
            let place = 10_f64.powi(match reported.expanded.split_once('.') {
                Some((_, fraction)) => -places(fraction.len()),
                None => places(reported.expanded.len()) - 2,
            });
            let [printed, u] = [&reported.value, &reported.expanded].map(|text| text.parse::<f64>().unwrap());
            prop_assert!((printed - value).abs() <= place * 0.5 + 1e-14 * value.abs());
            prop_assert!((u - expanded).abs() <= place * 0.5 + 1e-14 * expanded);
            let significant = reported.expanded.trim_start_matches(['0', '.']).replace('.', "");
            prop_assert!(significant.len() == 2 || significant[2..].bytes().all(|digit| digit == b'0'));
            let after = |text: &str| text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
            prop_assert_eq!(after(&reported.value), after(&reported.expanded));
        }
    }
}
