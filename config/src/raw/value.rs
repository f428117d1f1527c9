//! One value of a document.

use std::fmt::Display;
use std::ops::{Range, RangeInclusive};

use chrono::NaiveDate;
use toml::de::DeValue;
use weighbridge_protocol::Decimal;

use super::report::{Report, Reported};
use super::table::{Table, nearest_hint};
use crate::code::Code;
use crate::diagnostic::Fault;
use crate::quantity::{self, Misread};
use crate::unit::Unit;

/// A value and the key that it belongs to.
#[derive(Clone)]
pub(crate) struct Value<'a> {
    pub(crate) report: &'a Report<'a>,
    pub(crate) key: &'a str,
    pub(crate) key_span: Range<usize>,
    pub(crate) value: &'a DeValue<'a>,
    pub(crate) span: Range<usize>,
    pub(super) owner: String,
}

impl<'a> Value<'a> {
    pub(crate) fn text(&self) -> Result<&'a str, Reported> {
        self.value.as_str().ok_or_else(|| self.wrong_type("a text in quotes"))
    }

    /// A text that is not empty, has no control characters and no space at either end.
    pub(crate) fn title(&self) -> Result<String, Reported> {
        let text = self.text()?;
        let fine = !text.is_empty() && text.trim() == text && !text.chars().any(char::is_control);
        let label = "one line of text, without spaces at its ends";
        if fine {
            Ok(text.to_owned())
        } else {
            Err(self.error(Code::BadText, format!("`{}` is no proper text", self.key), label))
        }
    }

    pub(crate) fn integer(&self, range: RangeInclusive<i64>) -> Result<i64, Reported> {
        let DeValue::Integer(integer) = self.value else { return Err(self.wrong_type("an integer")) };
        let value = i64::from_str_radix(integer.as_str(), integer.radix()).ok();
        value
            .filter(|value| range.contains(value))
            .ok_or_else(|| self.out_of_range(integer, range.start(), range.end()))
    }

    /// An integer of a narrower type; the range must fit it.
    pub(crate) fn narrow<T: TryFrom<i64>>(&self, range: RangeInclusive<i64>) -> Result<T, Reported> {
        let (low, high) = (*range.start(), *range.end());
        let value = self.integer(range)?;
        T::try_from(value).map_err(|_| self.out_of_range(value, low, high))
    }

    /// A number, written as integer or float, within bounds.
    pub(crate) fn number(&self, low: f64, high: f64) -> Result<f64, Reported> {
        let text = match self.value {
            DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str(),
            DeValue::Float(float) => float.as_str(),
            _ => return Err(self.wrong_type("a number")),
        };
        let number = text.parse().ok().filter(|number| (low..=high).contains(number));
        number.ok_or_else(|| self.out_of_range(text, low, high))
    }

    pub(crate) fn boolean(&self) -> Result<bool, Reported> {
        self.value.as_bool().ok_or_else(|| self.wrong_type("true or false"))
    }

    pub(crate) fn date(&self) -> Result<NaiveDate, Reported> {
        let datetime = self.value.as_datetime().filter(|datetime| datetime.time.is_none());
        let date = datetime.and_then(|datetime| datetime.date);
        date.and_then(|date| NaiveDate::from_ymd_opt(date.year.into(), date.month.into(), date.day.into()))
            .ok_or_else(|| self.wrong_type("a date without quotes, such as 2027-12-31"))
    }

    pub(crate) fn table(&self, title: &str, keys: Option<&[&str]>) -> Result<Table<'a>, Reported> {
        let entries = self.value.as_table().ok_or_else(|| self.wrong_type("a table"))?;
        Ok(Table::open(self.report, entries, self.span.clone(), title, keys))
    }

    /// A table that belongs to another: ```poll` of [[device]] `smt-incomer` ``.
    pub(crate) fn part(&self, keys: Option<&[&str]>) -> Result<Table<'a>, Reported> {
        self.table(&format!("`{}` of {}", self.key, self.owner), keys)
    }

    /// A value inside a table, without any report.
    pub(crate) fn child(&self, key: &str) -> Option<Value<'a>> {
        let (key, value) = self.value.as_table()?.get_key_value(key)?;
        let (key_span, span) = (key.span(), value.span());
        Some(Value { key: key.get_ref(), key_span, value: value.get_ref(), span, ..self.clone() })
    }

    /// The elements of an array; `form` says in messages how one is written.
    pub(crate) fn elements(&self, form: &str) -> Result<Vec<Value<'a>>, Reported> {
        let array =
            self.value.as_array().ok_or_else(|| self.wrong_type(&format!("a list, written {form}")))?;
        Ok(array
            .iter()
            .map(|element| Value { value: element.get_ref(), span: element.span(), ..self.clone() })
            .collect())
    }

    /// One of a few words.
    pub(crate) fn word<T: Copy>(&self, words: &[(&str, T)]) -> Result<T, Reported> {
        let text = self.text()?;
        words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning).ok_or_else(|| {
            let fault = self.fault(Code::UnknownWord, format!("`{}` cannot be `{text}`", self.key));
            self.report.error(
                fault
                    .label("not one of the known words")
                    .hint(nearest_hint(text, words.iter().map(|(word, _)| *word))),
            )
        })
    }

    /// An exact decimal in quotes, or an integer.
    pub(crate) fn decimal(&self) -> Result<Decimal, Reported> {
        if let DeValue::Integer(_) = self.value {
            return self.integer(i64::MIN..=i64::MAX).map(|value| Decimal::new(value.into(), 0));
        }
        let text = self.text()?;
        quantity::decimal(text)
            .ok_or_else(|| self.misread(text, Misread::Number, "an exact decimal such as \"0.01\""))
    }

    /// A time span in whole milliseconds.
    pub(crate) fn milliseconds(&self, range: RangeInclusive<u32>) -> Result<u32, Reported> {
        let text = self.text()?;
        let expected = "a time such as \"500 ms\", \"10 s\", \"1 min\" or \"1 h\"";
        let value = quantity::milliseconds(text).map_err(|misread| self.misread(text, misread, expected))?;
        let fits = range.contains(&value);
        let bounds = || (format!("{} ms", range.start()), format!("{} ms", range.end()));
        if fits { Ok(value) } else { Err(self.out_of_range(text, bounds().0, bounds().1)) }
    }

    /// A fraction above 0 and not above 1 written in percent: 0.005 from "0.5 %".
    pub(crate) fn fraction(&self) -> Result<f64, Reported> {
        let text = self.text()?;
        let fraction = quantity::fraction(text)
            .map_err(|misread| self.misread(text, misread, "a percentage such as \"0.5 %\""))?;
        let value = fraction.to_f64();
        if value > 0.0 && value <= 1.0 {
            Ok(value)
        } else {
            Err(self.out_of_range(text, "more than 0 %", "100 %"))
        }
    }

    /// A positive quantity in exactly this unit.
    pub(crate) fn positive_in(&self, unit: Unit) -> Result<Decimal, Reported> {
        let text = self.text()?;
        let expected = format!("a quantity in {unit} such as \"60 {unit}\"");
        let value =
            quantity::in_unit(text, unit).map_err(|misread| self.misread(text, misread, &expected))?;
        if value.mantissa() > 0 { Ok(value) } else { Err(self.out_of_range(text, "more than 0", "any")) }
    }

    pub(crate) fn fault(&self, code: Code, message: impl Into<String>) -> Fault {
        code.at(self.span.clone(), message)
    }

    pub(crate) fn error(&self, code: Code, message: impl Into<String>, label: impl Into<String>) -> Reported {
        self.report.error(self.fault(code, message).label(label))
    }

    pub(crate) fn wrong_type(&self, expected: &str) -> Reported {
        let (article, found) = match self.value.type_str() {
            "integer" => ("an", "integer"),
            "array" => ("an", "array"),
            "datetime" => ("a", "date or time"),
            other => ("a", other),
        };
        let message = format!("`{}` needs {expected}, not {article} {found}", self.key);
        self.error(Code::WrongType, message, format!("{article} {found}"))
    }

    pub(crate) fn out_of_range(
        &self,
        found: impl Display,
        low: impl Display,
        high: impl Display,
    ) -> Reported {
        let message = format!("`{}` cannot be {found}", self.key);
        self.error(Code::OutOfRange, message, format!("must be from {low} to {high}"))
    }

    pub(crate) fn misread(&self, text: &str, misread: Misread, expected: &str) -> Reported {
        let (code, label) = match misread {
            Misread::Number => (Code::BadNumber, "not an exact decimal number"),
            Misread::Precision => (Code::BadNumber, "finer or larger than can be kept"),
            Misread::NoUnit => (Code::BadUnit, "the unit is missing"),
            Misread::Unit => (Code::BadUnit, "this unit does not fit"),
        };
        let fault = self.fault(code, format!("`{}` cannot be read from \"{text}\"", self.key));
        self.report.error(fault.label(label).hint(format!("write {expected}")))
    }
}
