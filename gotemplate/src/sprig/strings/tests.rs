//! The functions for strings as templates call them.

use crate::Functions;
use crate::limits::{Budget, Limits};
use crate::sprig::check::call;
use crate::types::Type;
use crate::value::{List, Value};

fn text(name: &str, arguments: &[Value]) -> String {
    match call(name, arguments) {
        Ok(Value::String(text)) => text.to_string(),
        Ok(value) => panic!("{name} gave {value:?}"),
        Err(error) => format!("error: {error}"),
    }
}

#[test]
fn strings_are_made_of_strings() {
    let int = |value| Value::int(value);
    for (name, arguments, expected) in [
        ("repeat", vec![int(3), "ab".into()], "ababab"),
        ("repeat", vec![int(-1), "ab".into()], "error: strings: negative Repeat count"),
        ("repeat", vec![int(i64::MAX), "ab".into()], "error: strings: Repeat output length overflow"),
        ("indent", vec![int(2), "a\n\nb\n".into()], "  a\n  \n  b\n  "),
        ("nindent", vec![int(1), "a".into()], "\n a"),
        ("replace", vec!["a".into(), "bb".into(), "banana".into()], "bbbnbbnbb"),
        ("replace", vec!["".into(), "-".into(), "äb".into()], "-ä-b-"),
        ("plural", vec!["one".into(), "many".into(), int(1)], "one"),
        ("wrap", vec![int(3), "one two".into()], "one\ntwo"),
        ("wrapWith", vec![int(2), "".into(), "abc".into()], "ab\nc"),
        ("trimAll", vec!["ab".into(), "abcab".into()], "c"),
        ("quote", vec!["a\"b".into(), Value::Nil, int(1)], r#""a\"b" "1""#),
        ("squote", vec!["a'b".into(), Value::Bool(true)], "'a'b' 'true'"),
        ("cat", vec![int(1), Value::Nil, "b".into()], "1 b"),
        ("toString", vec![Value::Nil], "<nil>"),
        ("join", vec!["-".into(), List::any(vec![int(1), Value::Nil, "b".into()]).into()], "1-b"),
        ("join", vec!["-".into(), int(7)], "7"),
    ] {
        assert_eq!(text(name, &arguments), expected, "{name} {arguments:?}");
    }
}

#[test]
fn lists_of_strings_say_so() {
    for (name, arguments, expected) in [
        ("splitList", vec![",".into(), "a,b".into()], Type::list(Type::String)),
        ("split", vec![",".into(), "a,b".into()], Type::map(Type::String)),
        ("toStrings", vec![Value::Nil], Type::list(Type::String)),
        ("sortAlpha", vec![List::any(vec!["b".into(), "a".into()]).into()], Type::list(Type::String)),
    ] {
        let value = call(name, &arguments).unwrap();
        assert_eq!(value.type_of(), Some(expected), "{name}");
    }
}

#[test]
fn much_of_little_is_stopped_by_the_limits() {
    let budget = Budget::new(Limits { memory: 1 << 20, ..Limits::default() });
    let line = Value::from("\n".repeat(2000));
    for (name, arguments) in [
        ("repeat", vec![Value::int(1 << 40), "a".into()]),
        ("indent", vec![Value::int(1 << 40), "a".into()]),
        ("indent", vec![Value::int(2000), line.clone()]),
        ("replace", vec!["\n".into(), "x".repeat(2000).into(), line]),
        ("wrapWith", vec![Value::int(1), "x".repeat(2000).into(), "y".repeat(2000).into()]),
    ] {
        let error = Functions::sprig().get(name.as_bytes()).unwrap().call(&budget, &arguments).unwrap_err();
        assert!(error.is_limit(), "{name}: {error}");
    }
}
