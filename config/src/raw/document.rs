//! The parsed document, and TOML's own faults.

use toml::Spanned;
use toml::de::{DeTable, Error};

use super::report::{Report, Reported};
use super::table::Table;
use crate::code::Code;

/// A whole file after the TOML parser.
pub(crate) struct Document<'a> {
    root: Spanned<DeTable<'a>>,
    outcome: Result<(), Reported>,
}

impl<'a> Document<'a> {
    /// Parses the report's text and reports what is no TOML: the first fault alone, since others usually
    /// follow from it, or else every key that stands twice.
    pub(crate) fn parse(report: &Report<'a>) -> Self {
        let (root, mut errors) = DeTable::parse_recoverable(report.text());
        errors.sort_by_key(start);
        let broken = errors.iter().find(|error| !is_doubled_key(error));
        if broken.is_none() {
            errors.iter().for_each(|error| report_doubled_key(report, error));
        }
        Document { root, outcome: broken.map_or(Ok(()), |error| Err(report_broken(report, error))) }
    }

    /// The top table. After a syntax error there is none, since what can be recovered would only raise faults
    /// that are none.
    pub(crate) fn top<'d>(&'d self, report: &'d Report<'d>, keys: &[&str]) -> Result<Table<'d>, Reported> {
        self.outcome?;
        Ok(Table::top(report, self.root.get_ref(), keys))
    }
}

fn start(error: &Error) -> usize {
    error.span().map_or(0, |span| span.start)
}

/// The parser goes on after a key that stands twice and keeps the first.
fn is_doubled_key(error: &Error) -> bool {
    error.message() == "duplicate key"
}

fn report_doubled_key(report: &Report<'_>, error: &Error) {
    let fault = Code::Syntax.at(error.span().unwrap_or(0..0), "a key stands twice in one table");
    report.error(fault.label("it has a value already").hint("keep one of the two"));
}

fn report_broken(report: &Report<'_>, error: &Error) -> Reported {
    let fault = Code::Syntax.at(error.span().unwrap_or(0..0), format!("not valid TOML: {}", error.message()));
    let hint = "texts stand in double quotes; a table begins with [name], an entry of a list with [[name]]";
    report.error(fault.label("here").hint(hint))
}
