//! Quantities as people write them in a file: `"60 s"`, `"0.5 %"`, `"200/5"`, `"0.6205 kgCO2e/kWh"`. Exact
//! throughout.

use weighbridge_protocol::Decimal;

use crate::unit::Unit;

/// The most characters that any quantity takes; longer text is no number.
const LONGEST_QUANTITY: usize = 60;

/// Why a text is not the quantity that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Misread {
    /// It does not begin with a decimal number.
    Number,
    /// The number is finer or larger than the result can hold.
    Precision,
    /// Nothing follows the number.
    NoUnit,
    /// What follows the number is no unit, or none that fits.
    Unit,
}

/// An exact decimal without unit: `"0.01"`.
pub(crate) fn decimal(text: &str) -> Option<Decimal> {
    if text.len() > LONGEST_QUANTITY { None } else { text.parse().ok() }
}

/// A time in whole milliseconds: `"60 s"`.
pub(crate) fn milliseconds(text: &str) -> Result<u32, Misread> {
    let (number, unit) = split(text)?;
    let milliseconds_per_unit = match unit {
        "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        _ => return Err(Misread::Unit),
    };
    let exact = number.checked_mul(Decimal::new(milliseconds_per_unit, 0)).and_then(|value| value.rescale(0));
    exact.and_then(|value| u32::try_from(value.mantissa()).ok()).ok_or(Misread::Precision)
}

/// A fraction written in percent: 0.005 from `"0.5 %"`.
pub(crate) fn fraction(text: &str) -> Result<Decimal, Misread> {
    let percent = in_unit(text, Unit::Percent)?;
    percent.checked_mul(Decimal::new(1, -2)).ok_or(Misread::Precision)
}

/// A quantity in exactly this unit: 60 from `"60 kW"`.
pub(crate) fn in_unit(text: &str, unit: Unit) -> Result<Decimal, Misread> {
    let (number, written) = split(text)?;
    if written.parse() == Ok(unit) { Ok(number) } else { Err(Misread::Unit) }
}

/// An emission factor: 0.6205 and kWh from `"0.6205 kgCO2e/kWh"`.
pub(crate) fn emission_factor(text: &str) -> Result<(Decimal, Unit), Misread> {
    let (number, written) = split(text)?;
    let per = written.strip_prefix("kgCO2e/").and_then(|per| per.parse().ok());
    Ok((number, per.ok_or(Misread::Unit)?))
}

/// A transformer ratio, exact: 40 from `"200/5"` or `"40"`. `None` where no finite decimal states it, or it
/// is not positive.
pub(crate) fn ratio(text: &str) -> Option<Decimal> {
    let (primary, secondary) = text.split_once('/').unwrap_or((text, "1"));
    let (primary, secondary) = (decimal(primary.trim())?, decimal(secondary.trim())?);
    if primary.mantissa() <= 0 || secondary.mantissa() <= 0 {
        return None;
    }
    Decimal::from_ratio(primary, secondary)
}

/// The number and what follows it.
fn split(text: &str) -> Result<(Decimal, &str), Misread> {
    let end = text.find(|c: char| !matches!(c, '0'..='9' | '.' | '+' | '-')).unwrap_or(text.len());
    let number = decimal(&text[..end]).ok_or(Misread::Number)?;
    match text[end..].trim() {
        "" => Err(Misread::NoUnit),
        unit => Ok((number, unit)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn times() {
        let check = |text, expected| assert_eq!(milliseconds(text), expected, "{text}");
        check("500 ms", Ok(500));
        check("60s", Ok(60_000));
        check("0.5 s", Ok(500));
        check("1.5 min", Ok(90_000));
        check("24 h", Ok(86_400_000));
        check("0.0005 s", Err(Misread::Precision));
        check("-1 s", Err(Misread::Precision));
        check("1194 h", Err(Misread::Precision));
        check("60", Err(Misread::NoUnit));
        check("60 ", Err(Misread::NoUnit));
        check("60 S", Err(Misread::Unit));
        check("s", Err(Misread::Number));
        check("", Err(Misread::Number));
        check("1e3 s", Err(Misread::Unit));
    }

    #[test]
    fn fractions() {
        assert_eq!(fraction("0.5 %"), Ok(exact("0.005")));
        assert_eq!(fraction("0.5%").unwrap().to_f64(), 0.005);
        assert_eq!(fraction("0.5"), Err(Misread::NoUnit));
        assert_eq!(fraction("0.5 percent"), Err(Misread::Unit));
    }

    #[test]
    fn ratios() {
        let check = |text, expected: Option<&str>| assert_eq!(ratio(text), expected.map(exact), "{text}");
        check("200/5", Some("40"));
        check("150 / 5", Some("30"));
        check("10000/100", Some("100"));
        check("1.5", Some("1.5"));
        check("1/8", Some("0.125"));
        check("100/3", None);
        check("0", None);
        check("5/0", None);
        check("-200/-5", None);
        check("200/5/5", None);
        check("", None);
    }

    #[test]
    fn factors() {
        assert_eq!(emission_factor("0.6205 kgCO2e/kWh"), Ok((exact("0.6205"), Unit::KilowattHour)));
        assert_eq!(emission_factor("2 kgCO2e/m3"), Ok((exact("2"), Unit::CubicMetre)));
        assert_eq!(emission_factor("2 tCO2e/m3"), Err(Misread::Unit));
        assert_eq!(emission_factor("2 kgCO2e/ m3"), Err(Misread::Unit));
    }

    #[test]
    fn endless_digits_are_no_number() {
        assert_eq!(decimal(&"9".repeat(10_000)), None);
        assert_eq!(milliseconds(&format!("{} s", "9".repeat(59))), Err(Misread::Number));
    }
}
