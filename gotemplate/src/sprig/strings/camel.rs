//! `camelcase`: words joined by their capitals.

use crate::sprig::text::push;
use crate::sprig::unicode::{is_upper, to_lower, to_upper};
use crate::unicode::decode;

/// Words that begin with a capital and are joined: `http_server` becomes `HttpServer`, as does `HTTP_SERVER`.
///
/// Spaces, `_` and `-` join words. Those at the beginning stay, and of several in a row all but one stay.
pub(super) fn camelcase(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    let mut pending = None;
    // Whether all letters of the word were capitals so far: then those that follow the first become small.
    let mut in_capitals = false;
    while let Some((character, width)) = decode(rest) {
        rest = rest.get(width..).unwrap_or_default();
        if !is_connector(character) {
            in_capitals = is_upper(character);
            pending = Some(to_upper(character));
            break;
        }
        push(&mut out, character);
        // A text of nothing but connectors ends with the last of them twice.
        pending = Some(character);
    }
    let Some(mut pending) = pending else {
        return out;
    };
    while let Some((mut character, width)) = decode(rest) {
        rest = rest.get(width..).unwrap_or_default();
        match (is_connector(pending), is_connector(character)) {
            (true, true) => push(&mut out, pending),
            (true, false) => {
                in_capitals = is_upper(character);
                character = to_upper(character);
            }
            (false, _) => {
                in_capitals &= is_upper(character);
                if in_capitals {
                    character = to_lower(character);
                }
                push(&mut out, pending);
            }
        }
        pending = character;
    }
    push(&mut out, pending);
    out
}

/// What stands between words: `-`, `_` and white space.
pub(super) fn is_connector(character: char) -> bool {
    character == '-' || character == '_' || character.is_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_joined_by_capitals() {
        for (text, expected) in [
            ("", ""),
            ("some_words", "SomeWords"),
            ("http-server 2", "HttpServer2"),
            ("GO_IS_GREAT", "GoIsGreat"),
            ("_two__lines_", "_Two_Lines_"),
            ("mixedCase ABc", "MixedCaseAbc"),
            ("_", "__"),
            ("_a", "_A"),
        ] {
            assert_eq!(camelcase(text.as_bytes()), expected.as_bytes(), "{text:?}");
        }
    }
}
