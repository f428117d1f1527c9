//! One table of a document.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::report::{Report, Reported};
use super::value::Value;
use crate::code::Code;
use crate::diagnostic::Fault;

/// A table whose unknown keys have been reported.
#[derive(Clone)]
pub(crate) struct Table<'a> {
    pub(crate) report: &'a Report<'a>,
    entries: &'a DeTable<'a>,
    /// What points at the table as a whole: its header, or its braces.
    pub(crate) span: Range<usize>,
    /// How messages call it: ``[[device]] `smt-incomer` ``.
    pub(crate) title: String,
}

impl<'a> Table<'a> {
    pub(super) fn top(report: &'a Report<'a>, entries: &'a DeTable<'a>, keys: &[&str]) -> Self {
        let table = Table { report, entries, span: 0..0, title: "the file".to_owned() };
        table.refuse_unknown(keys);
        table
    }

    pub(super) fn open(
        report: &'a Report<'a>,
        entries: &'a DeTable<'a>,
        span: Range<usize>,
        title: &str,
        keys: Option<&[&str]>,
    ) -> Self {
        let name = entries.get("name").and_then(|value| value.get_ref().as_str());
        let title = name.map_or_else(|| title.to_owned(), |name| format!("{title} `{name}`"));
        let table = Table { report, entries, span, title };
        if let Some(keys) = keys {
            table.refuse_unknown(keys);
        }
        table
    }

    /// The value of a key that must be there.
    pub(crate) fn required<T>(
        &self,
        key: &str,
        read: impl FnOnce(&Value<'a>) -> Result<T, Reported>,
    ) -> Result<T, Reported> {
        let value = self.get(key).ok_or_else(|| self.missing(key));
        read(&value?)
    }

    /// The value of a key that may be missing.
    pub(crate) fn optional<T>(
        &self,
        key: &str,
        read: impl FnOnce(&Value<'a>) -> Result<T, Reported>,
    ) -> Result<Option<T>, Reported> {
        self.get(key).map(|value| read(&value)).transpose()
    }

    /// The value of a key, or its default.
    pub(crate) fn or<T>(
        &self,
        key: &str,
        default: T,
        read: impl FnOnce(&Value<'a>) -> Result<T, Reported>,
    ) -> Result<T, Reported> {
        self.optional(key, read).map(|found| found.unwrap_or(default))
    }

    /// The tables of `[[key]]`; none if the key is missing.
    pub(crate) fn entries(&self, key: &str, keys: &[&str]) -> Result<Vec<Table<'a>>, Reported> {
        let Some(value) = self.get(key) else { return Ok(Vec::new()) };
        let elements = value.elements(&format!("[[{key}]]"))?;
        elements.iter().map(|element| element.table(&format!("[[{key}]]"), Some(keys))).collect()
    }

    /// Every key with its value, in the order of the file.
    pub(crate) fn pairs(&self) -> Vec<Value<'a>> {
        let mut pairs: Vec<_> = self.entries.iter().map(|(key, value)| self.value(key, value)).collect();
        pairs.sort_by_key(|value| value.key_span.start);
        pairs
    }

    pub(crate) fn get(&self, key: &str) -> Option<Value<'a>> {
        self.entries.get_key_value(key).map(|(key, value)| self.value(key, value))
    }

    /// Where a remark about this entry points: its name if it has one, else the whole.
    pub(crate) fn name_span(&self) -> Range<usize> {
        self.get("name").map_or_else(|| self.span.clone(), |value| value.span)
    }

    pub(crate) fn missing(&self, key: &str) -> Reported {
        self.report.error(self.missing_fault(key))
    }

    pub(crate) fn missing_fault(&self, key: &str) -> Fault {
        Code::MissingKey
            .at(self.span.clone(), format!("{} lacks `{key}`", self.title))
            .label(format!("`{key}` is missing here"))
    }

    fn value(
        &self,
        key: &'a Spanned<std::borrow::Cow<'a, str>>,
        value: &'a Spanned<DeValue<'a>>,
    ) -> Value<'a> {
        Value {
            report: self.report,
            key: key.get_ref(),
            key_span: key.span(),
            value: value.get_ref(),
            span: value.span(),
            owner: self.title.clone(),
        }
    }

    fn refuse_unknown(&self, keys: &[&str]) {
        for value in self.pairs().iter().filter(|value| !keys.contains(&value.key)) {
            let fault = Code::UnknownKey
                .at(value.key_span.clone(), format!("unknown key `{}` in {}", value.key, self.title))
                .label("nothing reads this");
            self.report.error(fault.hint(nearest_hint(value.key, keys.iter().copied())));
        }
    }
}

/// The names of the entries of one kind, for references from elsewhere.
pub(crate) struct Names<'a> {
    named: Vec<(&'a str, usize)>,
    /// Set where an entry has no readable name: a reference that leads nowhere may mean that entry.
    unnamed: Option<Reported>,
}

impl<'a> Names<'a> {
    /// Finds the `name` of each entry and reports names that stand twice. `read` says how reading each entry
    /// went. `whole` says how reading the list went.
    pub(crate) fn collect<T>(
        tables: &[Table<'a>],
        read: &[Result<T, Reported>],
        whole: Result<(), Reported>,
    ) -> Self {
        let mut names = Names { named: Vec::new(), unnamed: whole.err() };
        for (index, (table, read)) in tables.iter().zip(read).enumerate() {
            let named = table.get("name").and_then(|value| Some((value.value.as_str()?, value)));
            let Some((name, value)) = named else {
                names.unnamed = names.unnamed.or(read.as_ref().err().copied());
                continue;
            };
            if let Some(first) = names.find(name) {
                let earlier = table.report.line_of(tables[first].name_span().start);
                let fault = Code::DuplicateName.at(value.span.clone(), format!("the name `{name}` is taken"));
                table.report.error(
                    fault.label(format!("first used in {earlier}")).hint("give one of the two another name"),
                );
            } else {
                names.named.push((name, index));
            }
        }
        names
    }

    /// Index of the entry of this name.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.named.iter().find(|(known, _)| *known == name).map(|(_, index)| *index)
    }

    /// Resolves a reference or reports it with `code`. `kind` says what is referred to: "link".
    pub(crate) fn resolve(&self, value: &Value<'_>, code: Code, kind: &str) -> Result<usize, Reported> {
        let name = value.text()?;
        if let Some(index) = self.find(name) {
            return Ok(index);
        }
        Err(self.unnamed.unwrap_or_else(|| {
            let fault = code.at(value.span.clone(), format!("there is no {kind} `{name}`"));
            let hint = nearest_hint(name, self.named.iter().map(|(name, _)| *name));
            value.report.error(fault.label(format!("no [[{kind}]] has this name")).hint(hint))
        }))
    }
}

/// `did you mean ...?` where a known word is near, else the list of the known.
pub(crate) fn nearest_hint<'k>(word: &str, known: impl Iterator<Item = &'k str> + Clone) -> String {
    if let Some(near) = nearest(word, known.clone()) {
        return format!("did you mean `{near}`?");
    }
    let mut known: Vec<_> = known.collect();
    known.sort_unstable();
    match known.as_slice() {
        [] => "none is defined".to_owned(),
        known => format!("known here: {}", known.join(", ")),
    }
}

/// The known word that is nearest, if it is near: at most a third of the letters differ.
pub(crate) fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let allowed = word.chars().count().max(3) / 3;
    known
        .map(|candidate| {
            (strsim::damerau_levenshtein(&word.to_lowercase(), &candidate.to_lowercase()), candidate)
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}
