//! Rust source as a flat list of tokens: comments are gone and strings are single tokens, so that a rule
//! about code is not confused by text about code.

use std::str::FromStr;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A token and the line, from 1, that it begins on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// The tokens of a file: identifiers, literals, brackets, and punctuation one character each.
/// A file that is not Rust has none; the compiler will say so.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    if let Ok(stream) = TokenStream::from_str(text) {
        flatten(stream, &mut found);
    }
    found
}

/// The tokens without the items under `#[cfg(test)]`.
pub(crate) fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if starts_with(&tokens[at..], &["#", "[", "cfg", "(", "test", ")", "]"]) {
            at = end_of_item(tokens, at + 7);
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

/// Every path in the tokens, as line and segments. A group is taken apart: `use a::{b, c::d}` has the paths `a::b` and
/// `a::c::d`. A lone identifier is a path of one segment.
pub(crate) fn paths(tokens: &[Token]) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        at = if is_identifier(&tokens[at]) { path(tokens, at, &[], &mut found) } else { at + 1 };
    }
    found
}

/// Whether the tokens begin with these texts.
pub(crate) fn starts_with(tokens: &[Token], texts: &[&str]) -> bool {
    tokens.len() >= texts.len() && tokens.iter().zip(texts).all(|(token, text)| token.text == *text)
}

/// Whether the tokens begin with `mod name;`.
pub(crate) fn is_module_declaration(tokens: &[Token]) -> bool {
    matches!(tokens, [keyword, name, end, ..] if keyword.text == "mod" && is_identifier(name) && end.text == ";")
}

/// Index of the bracket that closes the one at `open`; the last token when nothing does.
pub(crate) fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    tokens.len().saturating_sub(1)
}

fn flatten(stream: TokenStream, found: &mut Vec<Token>) {
    for tree in stream {
        let line = tree.span().start().line;
        let mut push = |line, text: &str| found.push(Token { line, text: text.to_owned() });
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                push(line, open);
                flatten(group.stream(), found);
                found.push(Token { line: group.span_close().start().line, text: close.to_owned() });
            }
            other => push(line, &other.to_string()),
        }
    }
}

/// Index after the item that begins at `at`, with its further attributes: after its `;` or its block.
fn end_of_item(tokens: &[Token], mut at: usize) -> usize {
    while at < tokens.len() {
        match tokens[at].text.as_str() {
            ";" => return at + 1,
            "{" => return closing(tokens, at) + 1,
            "(" | "[" => at = closing(tokens, at) + 1,
            _ => at += 1,
        }
    }
    at
}

/// Adds the path, or the paths of the group, that begins at `at`; returns the index after it.
fn path(tokens: &[Token], mut at: usize, prefix: &[String], found: &mut Vec<(usize, Vec<String>)>) -> usize {
    let line = tokens[at].line;
    let mut segments = [prefix, &[tokens[at].text.clone()]].concat();
    at += 1;
    while starts_with(&tokens[at..], &[":", ":"]) && at + 2 < tokens.len() {
        let next = &tokens[at + 2];
        if is_identifier(next) {
            segments.push(next.text.clone());
            at += 3;
        } else if next.text == "{" {
            let end = closing(tokens, at + 2);
            at += 3;
            while at < end {
                at = if is_identifier(&tokens[at]) { path(tokens, at, &segments, found) } else { at + 1 };
            }
            return end + 1;
        } else {
            break;
        }
    }
    found.push((line, segments));
    at
}

fn is_identifier(token: &Token) -> bool {
    token.text.starts_with(|first: char| first.is_alphabetic() || first == '_')
        // A string with a prefix (b"…", r"…") is a literal.
        && !token.text.contains(['"', '\''])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(text: &str) -> Vec<String> {
        paths(&tokens(text)).into_iter().map(|(line, segments)| format!("{line} {}", segments.join("::"))).collect()
    }

    #[test]
    fn comments_are_gone_and_strings_are_single_tokens() {
        let found = tokens("// todo!()\nlet text = \"todo!()\"; /* std::fs */");
        let texts: Vec<&str> = found.iter().map(|token| token.text.as_str()).collect();
        assert_eq!(texts, ["let", "text", "=", "\"todo!()\"", ";"]);
        assert_eq!(found[0].line, 2);
    }

    #[test]
    fn groups_of_paths_are_taken_apart() {
        assert_eq!(
            joined("std::{fs, net::{IpAddr, TcpStream}};\na::b(c);"),
            ["1 std::fs", "1 std::net::IpAddr", "1 std::net::TcpStream", "2 a::b", "2 c"]
        );
    }

    #[test]
    fn what_is_compiled_for_tests_only_can_be_left_out() {
        let kept = without_tests(&tokens("a; #[cfg(test)] mod tests; #[cfg(test)] #[x(y)] mod t { b; } c"));
        let texts: Vec<&str> = kept.iter().map(|token| token.text.as_str()).collect();
        assert_eq!(texts, ["a", ";", "c"]);
    }
}
