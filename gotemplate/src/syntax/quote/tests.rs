//! What is quoted and unquoted, and what is refused.

use super::*;
use crate::format::quote;

#[test]
fn quoted_text_is_printable_and_on_one_line() {
    let cases: &[(&[u8], &str)] = &[
        (b"", r#""""#),
        (b"say \"hi\" \\ 'yo'", r#""say \"hi\" \\ 'yo'""#),
        (b"\x07\x08\x0c\n\r\t\x0b", r#""\a\b\f\n\r\t\v""#),
        (b"\0\x1f\x7f", r#""\x00\x1f\x7f""#),
        ("caf\u{e9} \u{65e5} \u{1f600}".as_bytes(), "\"caf\u{e9} \u{65e5} \u{1f600}\""),
        ("\u{a0}\u{ad}\u{feff}\u{e0001}".as_bytes(), r#""\u00a0\u00ad\ufeff\U000e0001""#),
        (b"\xff\xe2\x82", r#""\xff\xe2\x82""#),
        ("\u{fffd}".as_bytes(), "\"\u{fffd}\""),
    ];
    for (text, expected) in cases {
        assert_eq!(quote(text), *expected);
    }
}

#[test]
fn literals_stand_for_their_text() {
    let cases: &[(&[u8], &[u8])] = &[
        (br#""""#, b""),
        (br#""a 'b' `c`""#, b"a 'b' `c`"),
        (br#""\a\b\f\n\r\t\v\\\"""#, b"\x07\x08\x0c\n\r\t\x0b\\\""),
        (br#""\x41\xff\101\377""#, b"A\xffA\xff"),
        (br#""\u00e9\U0001f600""#, "\u{e9}\u{1f600}".as_bytes()),
        (b"\"\xff\xe2\x82\"", "\u{fffd}\u{fffd}\u{fffd}".as_bytes()),
        (b"`a\\n\r\n\xff\"`", b"a\\n\n\xff\""),
        (b"``", b""),
        (br"'\''", b"'"),
        (b"'\"'", b"\""),
        (b"''", b""),
    ];
    for (literal, expected) in cases {
        assert_eq!(unquote(literal).as_deref(), Ok(*expected), "{}", quote(literal));
    }
}

#[test]
fn malformed_literals_are_refused() {
    let cases: &[&[u8]] = &[
        b"",
        b"\"",
        b"a",
        b"\"a",
        b"\"a\"b\"",
        b"\"a\nb\"",
        b"\"\\\"",
        b"`a",
        b"`a`b`",
        b"'ab'",
        b"'",
        b"'a",
        b"\"a'",
        br#""\q""#,
        br#""\'""#,
        br#"'\"'"#,
        br#""\x4""#,
        br#""\xg0""#,
        br#""\18""#,
        br#""\400""#,
        br#""\u12""#,
        br#""\ud800""#,
        br#""\U00110000""#,
        br#""\UFFFFFFFF""#,
    ];
    for literal in cases {
        assert_eq!(unquote(literal), Err(InvalidSyntax), "{}", quote(literal));
    }
}

#[test]
fn one_character_is_unquoted_at_a_time() {
    assert_eq!(unquote_character(br"\xe9'", b'\''), Ok((Unquoted::Byte(0xe9), b"'".as_slice())));
    assert_eq!(unquote_character(b"\xffz", b'\''), Ok((Unquoted::Character('\u{fffd}'), b"z".as_slice())));
    assert_eq!(unquote_character(br"\'", b'\''), Ok((Unquoted::Character('\''), b"".as_slice())));
    assert_eq!(unquote_character(b"'", b'\''), Err(InvalidSyntax));
    assert_eq!(unquote_character(b"", b'\''), Err(InvalidSyntax));
}
