//! The functions for regular expressions as templates call them.

use crate::Functions;
use crate::limits::{Budget, Limits};
use crate::sprig::check::call;
use crate::value::Value;

/// Parts of a list with `|` after each.
fn shown(name: &str, arguments: &[Value]) -> String {
    match call(name, arguments) {
        Ok(Value::String(text)) => text.to_string(),
        Ok(Value::Bool(value)) => value.to_string(),
        Ok(Value::List(list)) if list.is_nil() => "nil".to_owned(),
        Ok(Value::List(list)) => list
            .iter()
            .map(|part| match part {
                Value::String(part) => format!("{part}|"),
                part => panic!("{part:?} is no string"),
            })
            .collect(),
        Ok(value) => panic!("{name} gave {value:?}"),
        Err(error) => format!("error: {error}"),
    }
}

#[test]
fn patterns_match_as_in_go() {
    let all = Value::int(-1);
    for (name, arguments, expected) in [
        ("regexMatch", vec!["^a+$".into(), "aaa".into()], "true"),
        ("regexMatch", vec!["[".into(), "aaa".into()], "false"),
        ("regexMatch", vec![r"\d".into(), "٣".into()], "false"),
        ("regexMatch", vec![r"(?i)\w{2}\bk".into(), "ſ\u{212a}".into()], "false"),
        ("regexFind", vec!["(a|ab)(c|bcd)(d*)".into(), "abcd".into()], "abcd"),
        ("regexFindAll", vec!["a*".into(), "baac".into(), all.clone()], "|aa||"),
        ("regexFindAll", vec!["x".into(), "abc".into(), all.clone()], "nil"),
        ("regexFindAll", vec![".".into(), "aé日".into(), Value::int(2)], "a|é|"),
        ("regexSplit", vec![",".into(), "a,b,,c".into(), all.clone()], "a|b||c|"),
        ("regexSplit", vec!["".into(), "héy".into(), all.clone()], "h|é|y|"),
        ("regexSplit", vec!["a*".into(), "baac".into(), Value::int(2)], "b|c|"),
        ("regexReplaceAll", vec!["a(x*)b".into(), "-ab-axxb-".into(), "${1}W".into()], "-W-xxW-"),
        ("regexReplaceAll", vec!["a(x*)b".into(), "-ab-axxb-".into(), "$1W".into()], "---"),
        ("regexReplaceAll", vec!["(?P<n>a)|(?P<n>b)".into(), "ab".into(), "<$n>$$".into()], "<a>$<b>$"),
        ("regexReplaceAllLiteral", vec!["b*".into(), "abc".into(), "$1".into()], "$1a$1c$1"),
        ("regexQuoteMeta", vec!["a.b[é]".into()], r"a\.b\[é\]"),
    ] {
        assert_eq!(shown(name, &arguments), expected, "{name} {arguments:?}");
    }
}

#[test]
fn bytes_that_are_not_utf8_are_replacement_characters_to_patterns() {
    let text = Value::string(&b"a\xffb\xe2\x82"[..]);
    let Value::List(list) = call("regexFindAll", &[r"\x{fffd}b?".into(), text.clone(), Value::int(-1)]).unwrap() else {
        panic!("a list of matches");
    };
    assert!(matches!(&list[0], Value::String(part) if part.as_bytes() == b"\xffb"));
    assert!(matches!(&list[2], Value::String(part) if part.as_bytes() == b"\x82"));
    let replaced = call("regexReplaceAllLiteral", &["b".into(), text, "-".into()]).unwrap();
    assert!(matches!(replaced, Value::String(text) if text.as_bytes() == b"a\xff-\xe2\x82"));
}

#[test]
fn errors_are_those_of_go() {
    let check = |pattern: &str, expected: &str| {
        let error = shown("mustRegexMatch", &[pattern.into(), "".into()]);
        assert_eq!(error, format!("error: error parsing regexp: {expected}"), "{pattern}");
    };
    check("a[b", "missing closing ]: `[b`");
    check("(a", "missing closing ): `(a`");
    check("a)", "unexpected ): `a)`");
    check("a**", "invalid nested repetition operator: `**`");
    check("|*", "missing argument to repetition operator: `*`");
    check("a{1001}", "invalid repeat count: `{1001}`");
    check("((a{100}){11})", "invalid repeat count: `{11}`");
    check(r"\8", r"invalid escape sequence: `\8`");
    check(r"a\", "trailing backslash at end of expression: ``");
    check("(?=a)", "invalid or unsupported Perl syntax: `(?=`");
    check("(?P<n", "invalid named capture: `(?P<n`");
    check(r"\p{Nope}", r"invalid character class range: `\p{Nope}`");
    check("[z-a]", "invalid character class range: `z-a`");
    check(&"(".repeat(2000), &format!("missing closing ): `{}`", "(".repeat(2000)));
    check(
        &format!("{}{}", "(".repeat(2000), ")".repeat(2000)),
        &format!("expression nests too deeply: `{}{}`", "(".repeat(2000), ")".repeat(2000)),
    );
    let panicked = shown("regexFind", &["`[".into(), "".into()]);
    assert_eq!(panicked, "error: regexp: Compile(\"`[\"): error parsing regexp: missing closing ]: `[`");
}

#[test]
fn patterns_that_take_long_are_stopped() {
    let budget = Budget::new(Limits { steps: 100_000, memory: 64 << 20, ..Limits::default() });
    let call = |pattern: &str, text: String| {
        let function = Functions::sprig().get(b"regexFindAll").cloned().unwrap();
        function.call(&budget, &[pattern.into(), text.into(), Value::int(-1)])
    };
    assert!(call("(?:a|b)*a(?:a|b){200}c", "ab".repeat(1_000_000)).unwrap_err().is_limit());
    assert!(call("(?:a.*b)|a", "a".repeat(100_000)).unwrap_err().is_limit());
    assert!(call(r"\pL{1000}", String::new()).unwrap_err().is_limit());
    assert!(call(&r"\pL".repeat(100_000), String::new()).unwrap_err().is_limit());
}
