//! A rule about what sources must not name.

use std::fmt;

use super::source::Source;

/// Paths that sources must not name.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The rule as ARCHITECTURE.md puts it.
    pub sentence: &'static str,
    /// Which files it binds, by their path from the repository's root.
    pub binds: fn(&str) -> bool,
    /// Paths as they are written in Rust: `std::fs` forbids that path, whole or as part of a longer one; a single word
    /// forbids each path that holds it.
    pub forbidden: &'static [&'static str],
    /// Longer paths that are allowed all the same.
    pub allowed: &'static [&'static str],
    /// Sources that break it.
    pub bad: &'static [&'static str],
    /// Sources that look alike and do not.
    pub good: &'static [&'static str],
}

/// Where a rule is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// The file, from the repository's root.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    /// What stands there.
    pub what: String,
}

impl Rule {
    /// Where a source breaks this rule.
    pub fn breaches(&self, file: &str, source: &Source) -> Vec<Breach> {
        let names = |path: &&super::PathUse| {
            let has = |pattern: &&str| contains(&path.segments, pattern);
            self.forbidden.iter().any(has) && !self.allowed.iter().any(has)
        };
        let breach = |path: &super::PathUse| Breach {
            file: file.to_owned(),
            line: path.line,
            what: path.segments.join("::"),
        };
        source.paths.iter().filter(names).map(breach).collect()
    }
}

fn contains(segments: &[String], pattern: &str) -> bool {
    let pattern: Vec<&str> = pattern.split("::").collect();
    segments.windows(pattern.len()).any(|window| window == pattern)
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}
