//! A finding in a file: what is wrong, where, and what to do about it.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::Serialize;

use crate::code::{Code, Severity};

/// One finding in one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Error or warning; follows from the code.
    pub severity: Severity,
    /// What kind of finding it is. Stable.
    pub code: Code,
    /// What is wrong, as one sentence without a full stop.
    pub message: String,
    /// The file's name as the caller gave it.
    pub file: String,
    /// Bytes of the file that the finding is about; empty at a place where something is missing.
    pub span: Range<usize>,
    /// Line of the span's start, counted from 1.
    pub line: usize,
    /// Column of the span's start, counted from 1 in characters.
    pub column: usize,
    /// What stands beside the marked text.
    pub label: String,
    /// What to do, where that can be said.
    pub hint: Option<String>,
}

/// All errors of one file, and its warnings, in the order of their places. Holds at least one error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Faults(pub Vec<Diagnostic>);

/// Prints a diagnostic with the lines that it is about, as rustc does. `text` is the file that it was found
/// in.
///
/// A `text` that is not that file gives a picture of the wrong lines, never a panic.
pub fn render(diagnostic: &Diagnostic, text: &str, color: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mark = AnnotationKind::Primary.span(within(&diagnostic.span, text)).label(&diagnostic.label);
    let snippet = Snippet::source(text).path(&diagnostic.file).annotation(mark);
    let title = level.primary_title(&diagnostic.message).id(diagnostic.code.as_str());
    let mut group: Group<'_> = title.element(snippet);
    if let Some(hint) = &diagnostic.hint {
        group = group.element(Level::HELP.message(hint));
    }
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    renderer.render(&[group])
}

impl Diagnostic {
    pub(crate) fn new(file: &str, text: &str, fault: Fault) -> Self {
        let span = within(&fault.span, text);
        let (line, column) = place(text, span.start);
        let Fault { code, message, label, hint, .. } = fault;
        Diagnostic {
            severity: code.severity(),
            code,
            message,
            file: file.to_owned(),
            span,
            line,
            column,
            label,
            hint,
        }
    }
}

/// A finding before it knows its file.
#[derive(Debug)]
pub(crate) struct Fault {
    code: Code,
    span: Range<usize>,
    message: String,
    label: String,
    hint: Option<String>,
}

impl Fault {
    pub(crate) fn new(code: Code, span: Range<usize>, message: impl Into<String>) -> Self {
        Fault { code, span, message: message.into(), label: String::new(), hint: None }
    }

    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn code(&self) -> Code {
        self.code
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Diagnostic { code, message, file, line, column, .. } = self;
        write!(f, "{file}:{line}:{column}: {code} {message}")?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, " ({hint})"))
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{diagnostic}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// The span moved into the text and onto character boundaries.
fn within(span: &Range<usize>, text: &str) -> Range<usize> {
    let boundary =
        |index: usize| (0..=index.min(text.len())).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0);
    let start = boundary(span.start);
    start..boundary(span.end).max(start)
}

/// Line and column, both from 1, of a byte offset that lies on a character boundary.
pub(crate) fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, span: Range<usize>, line: usize, column: usize) -> Diagnostic {
        let fault = Fault::new(Code::UnknownKey, span, "unknown key `bauds`")
            .label("not known here")
            .hint("did you mean `baud`?");
        let diagnostic = Diagnostic::new("site.toml", text, fault);
        assert_eq!((diagnostic.line, diagnostic.column), (line, column));
        diagnostic
    }

    #[test]
    fn places_count_characters_from_one() {
        check("a\nbc", 0..1, 1, 1);
        check("a\nbc", 3..4, 2, 2);
        check("工段 = 1\n", 9..10, 1, 6);
        check("工", 1..2, 1, 1);
        check("a", 7..9, 1, 2);
    }

    #[test]
    fn renders_like_rustc() {
        let text = "[[link]]\nserial = { bauds = 9600 }\n";
        let picture = render(&check(text, 20..25, 2, 12), text, false);
        for part in [
            "error[E0103]: unknown key `bauds`",
            "site.toml:2:12",
            "^^^^^ not known here",
            "help: did you mean `baud`?",
        ] {
            assert!(picture.contains(part), "{part:?} is missing in\n{picture}");
        }
        assert!(render(&check(text, 20..25, 2, 12), text, true).contains('\u{1b}'));
    }

    #[test]
    fn serialises_for_machines() {
        let json = serde_json::to_value(check("a\nbc", 3..4, 2, 2)).unwrap();
        assert_eq!(json["code"], "E0103");
        assert_eq!(json["severity"], "error");
        assert_eq!(json["span"], serde_json::json!({"start": 3, "end": 4}));
    }

    proptest::proptest! {
        #[test]
        fn renders_any_text_and_span(text in "\\PC*|[\\s\\S]{0,80}", start in 0usize..90, length in 0usize..40) {
            let fault = Fault::new(Code::Syntax, start..start + length, "m").label("l").hint("h");
            let diagnostic = Diagnostic::new("f", &text, fault);
            render(&diagnostic, &text, false);
            render(&diagnostic, "another text\r\n", true);
        }
    }
}
