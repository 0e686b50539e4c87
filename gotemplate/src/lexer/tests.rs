//! What the tokens of a text are, and on which lines.

use super::*;

fn tokens(text: &[u8], left: &str, right: &str) -> Vec<Token> {
    let delimiters = Delimiters { left: left.as_bytes(), right: right.as_bytes() };
    let mut lexer = Lexer::new(text, delimiters, LoopKeywords { breaks: true, continues: false });
    let mut tokens = Vec::new();
    loop {
        let token = lexer.next();
        tokens.push(token);
        if matches!(token.kind, TokenKind::EndOfText | TokenKind::Fault(_)) {
            return tokens;
        }
    }
}

/// The text of each token but the spaces, with a slash between.
fn words(text: &str, left: &str, right: &str) -> String {
    let words: Vec<_> = tokens(text.as_bytes(), left, right)
        .iter()
        .filter(|token| token.kind != TokenKind::Space)
        .map(|token| &text[token.start as usize..token.end as usize])
        .collect();
    words.join("/")
}

#[test]
fn trim_markers_take_the_space_beside_them() {
    let cases = [
        ("a {{x}} b", "a /{{/x/}}/ b/"),
        ("a \n{{- x -}}\t b", "a/{{/x/}}/b/"),
        (" \n {{- x -}} ", "{{/x/}}/"),
        ("a {{-3}} b", "a /{{/-3/}}/ b/"),
        ("a {{- -3 -}} b", "a/{{/-3/}}/b/"),
        ("a{{x   -}} b", "a/{{/x/}}/b/"),
        ("a {{/* x */}} b", "a / b/"),
        ("a {{- /* }} */ -}} b", "a/b/"),
        ("a {{- /*x*/}} b", "a/ b/"),
        ("a {{-}} b", "a /{{/-/}}/ b/"),
    ];
    for (text, expected) in cases {
        let found = words(text, "", "");
        // A hyphen alone is no number, but that is for the parser to find.
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn delimiters_may_be_anything() {
    assert_eq!(words("a<<x>>{{y}}", "<<", ">>"), "a/<</x/>>/{{y}}/");
    assert_eq!(words("a|x|b", "|", "|"), "a/|/x/|/b/");
    assert_eq!(words("a{{.end}}b end", "", "end"), "a/{{/./end/}}b end/");
}

#[test]
fn tokens_have_their_kinds() {
    use TokenKind::{
        Assign, Bool, Character, Complex, Declare, Dot, EndOfText, Field, Identifier, LeftDelimiter, LeftParenthesis,
        Number, Pipe, Punctuation, RawString, RightDelimiter, RightParenthesis, Space, String, Variable,
    };
    let text = "{{$ $x .y . z true nil break continue 1 1+2i 'c' \"s\" `r`(|):==,}}";
    let kinds: Vec<_> =
        tokens(text.as_bytes(), "", "").iter().map(|token| token.kind).filter(|&kind| kind != Space).collect();
    let expected = [
        LeftDelimiter,
        Variable,
        Variable,
        Field,
        Dot,
        Identifier,
        Bool,
        TokenKind::Keyword(Keyword::Nil),
        TokenKind::Keyword(Keyword::Break),
        Identifier,
        Number,
        Complex,
        Character,
        String,
        RawString,
        LeftParenthesis,
        Pipe,
        RightParenthesis,
        Declare,
        Assign,
        Punctuation,
        RightDelimiter,
        EndOfText,
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn what_cannot_be_read_is_the_last_token() {
    let cases: &[(&[u8], &str)] = &[
        (b"{{", "unclosed action"),
        (b"{{/* x", "unclosed comment"),
        (b"{{/* x */ }}", "comment ends before closing delimiter"),
        (b"{{(x}}", "unclosed left paren"),
        (b"{{x)}}", "unexpected right paren"),
        (b"{{:}}", "expected :="),
        (b"{{\"x\n\"}}", "unterminated quoted string"),
        (b"{{\"x\\\n\"}}", "unterminated quoted string"),
        (b"{{`x", "unterminated raw quoted string"),
        (b"{{'x", "unterminated character constant"),
        (b"{{3x}}", "bad number syntax: \"3x\""),
        (b"{{1+2}}", "bad number syntax: \"1+2\""),
        (b"{{x!}}", "bad character U+0021 '!'"),
        (b"{{.x\xff}}", "bad character U+FFFD '\u{fffd}'"),
        (b"{{\0}}", "unrecognized character in action: U+0000"),
        (b"{{\xe2\x82}}", "unrecognized character in action: U+FFFD '\u{fffd}'"),
    ];
    for (text, expected) in cases {
        let last = *tokens(text, "", "").last().unwrap();
        assert_eq!(last.describe(&text[last.start as usize..last.end as usize]), *expected);
    }
}

#[test]
fn line_ends_count_wherever_they_are_but_in_delimiters() {
    let line_of_last = |text: &str, left, right| tokens(text.as_bytes(), left, right).last().unwrap().line;
    assert_eq!(line_of_last("\n{{- /*\n*/\n-}}\n\n{{`\n`\n}}\n", "", ""), 9);
    assert_eq!(line_of_last("\n[x]\n", "\n[", "]\n"), 1);
    assert_eq!(line_of_last("\n[/*x*/]\n", "\n[", "]\n"), 3);
}
