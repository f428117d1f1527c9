//! Rust sources as the paths, calls, modules and constants in them. Comments, texts and what is built for tests alone do not
//! count; `use` trees are written out, so `use std::{fs, io}` is `std::fs` and `std::io`.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// What one source file says, as far as rules look at it.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// Every path, a single word being a path of one segment.
    pub paths: Vec<PathUse>,
    /// Every path or method followed by arguments.
    pub calls: Vec<Call>,
    /// Every `mod name;`.
    pub modules: Vec<Named>,
    /// Every `const`.
    pub constants: Vec<Named>,
}

/// A path where it stands.
#[derive(Clone, Debug)]
pub struct PathUse {
    /// Its segments.
    pub segments: Vec<String>,
    /// Counted from 1.
    pub line: usize,
}

/// A call where it stands.
#[derive(Clone, Debug)]
pub struct Call {
    /// What is called: the path, or the method's name alone.
    pub segments: Vec<String>,
    /// The tokens between the parentheses.
    pub arguments: String,
    /// Counted from 1.
    pub line: usize,
}

/// Something declared, with what its doc comment says.
#[derive(Clone, Debug)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// The doc comment, its lines joined by blanks; empty when there is none.
    pub documentation: String,
    /// Counted from 1.
    pub line: usize,
}

impl Source {
    /// Reads a source text.
    ///
    /// # Errors
    /// When it is no sequence of Rust tokens.
    pub fn parse(text: &str) -> Result<Self, String> {
        let tokens: TokenStream = text.parse().map_err(|why| format!("no Rust tokens: {why}"))?;
        let mut source = Self::default();
        source.read(tokens);
        Ok(source)
    }

    fn read(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut documentation = String::new();
        let mut at = 0;
        while at < tokens.len() {
            if let Some((attribute, after)) = attribute(&tokens, at) {
                at = if is_for_tests(&attribute) { skip_item(&tokens, after) } else { after };
                document(&mut documentation, &attribute);
                continue;
            }
            match word(&tokens, at).as_deref() {
                Some("pub") => {
                    at += 1 + usize::from(group(&tokens, at + 1, Delimiter::Parenthesis).is_some())
                }
                Some("use") => {
                    at = self.read_use(&tokens, at + 1);
                    documentation.clear();
                }
                Some(keyword @ ("mod" | "const")) => {
                    self.read_declaration(keyword, &tokens, at, std::mem::take(&mut documentation));
                    at += 1;
                }
                Some(_) => {
                    at = self.read_path(&tokens, at);
                    documentation.clear();
                }
                None => {
                    if let TokenTree::Group(inner) = &tokens[at] {
                        self.read(inner.stream());
                    }
                    at += 1;
                    documentation.clear();
                }
            }
        }
    }

    fn read_declaration(&mut self, keyword: &str, tokens: &[TokenTree], at: usize, documentation: String) {
        let Some(name) = word(tokens, at + 1) else { return };
        let named = Named { name, documentation, line: line(&tokens[at]) };
        if keyword == "const" {
            self.constants.push(named);
        } else if is_punctuation(tokens.get(at + 2), ';') {
            self.modules.push(named);
        }
    }

    fn read_path(&mut self, tokens: &[TokenTree], at: usize) -> usize {
        let (segments, mut after) = path(tokens, at);
        let line = line(&tokens[at]);
        let end = after;
        if is_separator(tokens, after) && is_punctuation(tokens.get(after + 2), '<') {
            after = skip_turbofish(tokens, after + 2);
        }
        if let Some(arguments) = group(tokens, after, Delimiter::Parenthesis) {
            self.calls.push(Call { segments: segments.clone(), arguments: arguments.to_string(), line });
        }
        self.paths.push(PathUse { segments, line });
        end
    }

    /// Returns where the `use` ends.
    fn read_use(&mut self, tokens: &[TokenTree], at: usize) -> usize {
        let end =
            (at..tokens.len()).find(|&end| is_punctuation(tokens.get(end), ';')).unwrap_or(tokens.len());
        self.read_use_tree(&[], &tokens[at..end]);
        end
    }

    fn read_use_tree(&mut self, prefix: &[String], tree: &[TokenTree]) {
        for branch in tree.split(|token| is_punctuation(Some(token), ',')) {
            let start = if is_separator(branch, 0) { 2 } else { 0 };
            let Some(first) = branch.get(start) else { continue };
            let (segments, after) = path(branch, start);
            let whole: Vec<String> = prefix.iter().cloned().chain(segments).collect();
            let after = if is_separator(branch, after) { after + 2 } else { after };
            match group(branch, after, Delimiter::Brace) {
                Some(branches) => self.read_use_tree(&whole, &branches.into_iter().collect::<Vec<_>>()),
                None => self.paths.push(PathUse { segments: whole, line: line(first) }),
            }
        }
    }
}

/// The longest path that begins here, and where it ends.
fn path(tokens: &[TokenTree], at: usize) -> (Vec<String>, usize) {
    let mut segments = Vec::new();
    let mut after = at;
    while let Some(segment) = word(tokens, after) {
        segments.push(segment);
        after += 1;
        if !(is_separator(tokens, after) && word(tokens, after + 2).is_some()) {
            break;
        }
        after += 2;
    }
    (segments, after)
}

/// The content of the attribute that begins here, and where it ends.
fn attribute(tokens: &[TokenTree], at: usize) -> Option<(TokenStream, usize)> {
    let inner = usize::from(is_punctuation(tokens.get(at + 1), '!'));
    let content = group(tokens, at + 1 + inner, Delimiter::Bracket)?;
    is_punctuation(tokens.get(at), '#').then_some((content, at + 2 + inner))
}

fn is_for_tests(attribute: &TokenStream) -> bool {
    attribute.to_string().replace(' ', "") == "cfg(test)"
}

fn document(documentation: &mut String, attribute: &TokenStream) {
    let text = attribute.to_string();
    if let Some(line) = text.strip_prefix("doc = ") {
        if !documentation.is_empty() {
            documentation.push(' ');
        }
        documentation.push_str(line.trim_start_matches('r').trim_matches('"').trim());
    }
}

/// Behind the item that begins here: after its block or semicolon.
fn skip_item(tokens: &[TokenTree], at: usize) -> usize {
    let ends =
        |&end: &usize| is_punctuation(tokens.get(end), ';') || group(tokens, end, Delimiter::Brace).is_some();
    (at..tokens.len()).find(ends).map_or(tokens.len(), |end| end + 1)
}

fn skip_turbofish(tokens: &[TokenTree], at: usize) -> usize {
    let mut open = 0_usize;
    for (place, token) in tokens.iter().enumerate().skip(at) {
        open += usize::from(is_punctuation(Some(token), '<'));
        if is_punctuation(Some(token), '>') {
            open -= 1;
        }
        if open == 0 {
            return place + 1;
        }
    }
    tokens.len()
}

fn word(tokens: &[TokenTree], at: usize) -> Option<String> {
    match tokens.get(at) {
        Some(TokenTree::Ident(word)) => Some(word.to_string()),
        _ => None,
    }
}

fn group(tokens: &[TokenTree], at: usize, delimiter: Delimiter) -> Option<TokenStream> {
    match tokens.get(at) {
        Some(TokenTree::Group(group)) if group.delimiter() == delimiter => Some(group.stream()),
        _ => None,
    }
}

fn is_separator(tokens: &[TokenTree], at: usize) -> bool {
    is_punctuation(tokens.get(at), ':') && is_punctuation(tokens.get(at + 1), ':')
}

fn is_punctuation(token: Option<&TokenTree>, sign: char) -> bool {
    matches!(token, Some(TokenTree::Punct(found)) if found.as_char() == sign)
}

fn line(token: &TokenTree) -> usize {
    token.span().start().line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, paths: &[&str]) {
        let source = Source::parse(text).expect("the case is Rust");
        let found: Vec<String> = source.paths.iter().map(|path| path.segments.join("::")).collect();
        assert_eq!(found, paths, "{text}");
    }

    #[test]
    fn paths_are_found_and_written_out() {
        check("use std::{fs, io::{self, Read as _}};", &["std::fs", "std::io::self", "std::io::Read"]);
        check("fn f() { ::std::fs::read(a.b) }", &["fn", "f", "std::fs::read", "a", "b"]);
        check("// std::fs\n/// std::fs\nlet x = \"std::fs\";", &["let", "x"]);
        check("let x = 'a';", &["let", "x"]);
    }

    #[test]
    fn what_is_for_tests_alone_does_not_count() {
        check("#[cfg(test)] mod tests { use a::b; } c", &["c"]);
        check("#[cfg(test)] #[allow(x)] mod tests; c", &["c"]);
        check("#[cfg(not(test))] fn f() { a::b() }", &["fn", "f", "a::b"]);
    }

    #[test]
    fn calls_modules_and_constants_are_found() {
        let text = "/// How\n/// many.\npub(super) const ROOM: usize = 3; \
                    /// Inner.\npub mod inner; mod other { } fn f() { mpsc::channel::<Vec<u8>>(ROOM) }";
        let source = Source::parse(text).expect("the case is Rust");
        assert_eq!(source.constants[0].name, "ROOM");
        assert_eq!(source.constants[0].documentation, "How many.");
        let modules: Vec<_> =
            source.modules.iter().map(|module| (&*module.name, &*module.documentation)).collect();
        assert_eq!(modules, [("inner", "Inner.")]);
        let call = source.calls.iter().find(|call| call.segments == ["mpsc", "channel"]).expect("is there");
        assert_eq!(call.arguments, "ROOM");
    }

    #[test]
    fn lines_count_from_one() {
        let source = Source::parse("a\n\nb").expect("the case is Rust");
        assert_eq!(source.paths.iter().map(|path| path.line).collect::<Vec<_>>(), [1, 3]);
    }
}
