//! Collects the findings of one file.

use std::cell::RefCell;

use crate::code::{Code, Severity};
use crate::diagnostic::{Diagnostic, Fault, Faults};

/// The findings so far.
pub(crate) struct Report<'a> {
    file: &'a str,
    text: &'a str,
    found: RefCell<Vec<Diagnostic>>,
}

/// Proof that an error has been reported; only [`Report::error`] makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reported(());

/// The value of a part that others refer to, or the proof that its fault is reported already.
pub(crate) fn borrow<T>(outcome: &Result<T, Reported>) -> Result<&T, Reported> {
    outcome.as_ref().map_err(|reported| *reported)
}

impl<'a> Report<'a> {
    pub(crate) fn new(file: &'a str, text: &'a str) -> Self {
        Report { file, text, found: RefCell::default() }
    }

    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    /// Reports an error. Not for `W` codes: they make no file invalid, so they prove nothing.
    pub(crate) fn error(&self, fault: Fault) -> Reported {
        debug_assert_eq!(fault.code().severity(), Severity::Error);
        self.push(fault);
        Reported(())
    }

    pub(crate) fn warn(&self, fault: Fault) {
        debug_assert_eq!(fault.code().severity(), Severity::Warning);
        self.push(fault);
    }

    /// Ends the walk: the value and the warnings, or everything that was found.
    pub(crate) fn close<T>(self, outcome: Result<T, Reported>) -> Result<(T, Vec<Diagnostic>), Faults> {
        let mut found = self.found.into_inner();
        found.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.span.end, diagnostic.code));
        found.dedup();
        match outcome {
            Ok(value) if found.iter().all(|diagnostic| diagnostic.severity == Severity::Warning) => {
                Ok((value, found))
            }
            _ => Err(Faults(found)),
        }
    }

    /// `line 12`, for labels that point at an earlier place.
    pub(crate) fn line_of(&self, offset: usize) -> String {
        format!("line {}", crate::diagnostic::place(self.text, offset).0)
    }

    fn push(&self, fault: Fault) {
        self.found.borrow_mut().push(Diagnostic::new(self.file, self.text, fault));
    }
}

impl Code {
    /// Shorthand: a fault of this code at a span.
    pub(crate) fn at(self, span: std::ops::Range<usize>, message: impl Into<String>) -> Fault {
        Fault::new(self, span, message)
    }
}
