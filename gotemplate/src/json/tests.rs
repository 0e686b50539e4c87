//! What JSON is read and written as.

use crate::function::FunctionError;
use crate::json::{Style, decode, decode_partly, encode};
use crate::{Budget, Definition, Field, FloatKind, Function, IntKind, Key, Limits, List, Map, NamedType, Pointer};
use crate::{Struct, Type, UintKind, Value};

fn written(value: impl Into<Value>, style: Style) -> String {
    match encode(&value.into(), &Budget::default(), style) {
        Ok(json) => String::from_utf8(json).unwrap(),
        Err(error) => error.to_string(),
    }
}

fn compact(value: impl Into<Value>) -> String {
    written(value, Style::Compact)
}

fn read(text: &str) -> Result<String, String> {
    decode(text.as_bytes(), &Budget::default()).map(compact).map_err(|error| error.to_string())
}

#[test]
fn floats_are_as_short_as_they_read_back() {
    for (number, expected) in [
        (0.0, "0"),
        (-0.0, "-0"),
        (100.0, "100"),
        (0.1, "0.1"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (-2.5e300, "-2.5e+300"),
        (0.000001, "0.000001"),
        (0.0000001, "1e-7"),
        (1.5e-10, "1.5e-10"),
        (f64::MAX, "1.7976931348623157e+308"),
        (f64::NAN, "json: unsupported value: NaN"),
        (f64::INFINITY, "json: unsupported value: +Inf"),
        (f64::NEG_INFINITY, "json: unsupported value: -Inf"),
    ] {
        assert_eq!(compact(Value::float(number)), expected);
    }
    assert_eq!(compact(Value::Float(f64::from(0.1_f32), FloatKind::Float32)), "0.1");
}

#[test]
fn texts_are_escaped_for_html_too() {
    let bytes = Value::string(&b"<&>\"\\\n\x01\x7f\xe2\x80\xa8\xff\xe2\x82"[..]);
    let expected = r#""\u003c\u0026\u003e\"\\\n\u0001"#.to_owned() + "\u{7f}" + r#"\u2028\ufffd\ufffd\ufffd""#;
    assert_eq!(compact(bytes), expected);
    assert_eq!(written("<&>\u{2029}", Style::Raw), r#""<&>\u2029""#);
}

#[test]
fn maps_are_sorted_by_their_keys_as_texts() {
    let numbers = Map::with_keys(Type::INT, Type::Any);
    for number in [10, 9, -1] {
        numbers.insert_key(Key::Int(number, IntKind::Int), Value::Nil);
    }
    assert_eq!(compact(numbers), r#"{"-1":null,"10":null,"9":null}"#);
    let flags = Map::with_keys(Type::Bool, Type::Any);
    assert_eq!(compact(flags), "json: unsupported type: map[bool]interface {}");
}

#[test]
fn nil_is_null_and_bytes_are_base64() {
    assert_eq!(compact(List::nil(Type::Any)), "null");
    assert_eq!(compact(Map::nil(Type::String, Type::Any)), "null");
    assert_eq!(compact(Pointer::nil(Type::INT)), "null");
    assert_eq!(compact(Pointer::new(Value::int(3))), "3");
    let bytes = b"go?".iter().map(|byte| Value::Uint(u64::from(*byte), UintKind::Uint8)).collect();
    assert_eq!(compact(List::new(Type::Uint(UintKind::Uint8), bytes)), r#""Z28/""#);
    let function = List::any(vec![Function::new(|a: isize| a).into()]);
    assert_eq!(compact(function), "json: unsupported type: func(int) int");
    assert_eq!(compact(Value::Complex(0.0, 1.0)), "json: unsupported type: complex128");
}

#[test]
fn structs_follow_their_fields() {
    let inner = NamedType::declare("main.Inner");
    let renamed = |name: &str, json: &str| Field { json: Some(json.into()), ..Field::new(name, Type::Any) };
    inner.define(Definition::structure(vec![renamed("Kind", "kind"), renamed("Shadowed", "name")]));
    let outer = NamedType::declare("main.Outer");
    outer.define(Definition::structure(vec![
        Field { inline: true, json: None, ..Field::new("Inner", Type::Named(inner.clone())) },
        renamed("Name", "name"),
        Field { omit_empty: true, ..renamed("Empty", "empty") },
        Field { json: None, ..Field::new("Left", Type::Any) },
        Field::new("hidden", Type::INT),
    ]));
    let value = Struct::new(
        outer,
        [
            (
                "Inner",
                Struct::new(inner, [("Kind", "Pod"), ("Shadowed", "no")].map(|(name, text)| (name, text.into())))
                    .into(),
            ),
            ("Name", Value::from("yes")),
            ("Left", Value::from("out")),
        ],
    );
    assert_eq!(compact(value), r#"{"kind":"Pod","name":"yes"}"#);
}

#[test]
fn an_embedded_struct_with_a_name_in_json_is_a_field_there() {
    let inner = NamedType::declare("main.Inner");
    inner.define(Definition::structure(vec![Field::new("A", Type::INT)]));
    let outer = NamedType::declare("main.Outer");
    let embedded = Field::new("Inner", Type::Named(inner));
    outer.define(Definition::structure(vec![Field { inline: true, json: Some("inner".into()), ..embedded }]));
    assert_eq!(compact(Struct::zero(outer)), r#"{"inner":{"A":0}}"#);
}

#[test]
fn types_may_have_words_of_their_own() {
    let words = NamedType::declare("main.Words");
    words.define(Definition::structure(vec![]).json(|_| Ok(serde_json::json!({"b": ["<"], "a": 1}))));
    assert_eq!(compact(Struct::zero(words)), r#"{"b":["\u003c"],"a":1}"#);
    let silent = NamedType::declare("main.Silent");
    silent.define(Definition::structure(vec![]).json(|_| Err(FunctionError::new("no words"))));
    let pointer = Pointer::new(Struct::zero(silent).into());
    assert_eq!(compact(pointer), "json: error calling MarshalJSON for type *main.Silent: no words");
}

#[test]
fn indents_leave_empty_lists_on_their_line() {
    let value = decode(br#"{"a":[],"b":{},"c":[1,{"d":null}]}"#, &Budget::default()).unwrap();
    let expected = "{\n  \"a\": [],\n  \"b\": {},\n  \"c\": [\n    1,\n    {\n      \"d\": null\n    }\n  ]\n}";
    assert_eq!(written(value, Style::Indented), expected);
}

#[test]
fn what_is_read_is_written_again() {
    for (text, expected) in [
        (r#" {"b" : 1.50, "a":[true,false , null]} "#, r#"{"a":[true,false,null],"b":1.5}"#),
        (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
        (r#""\u00e9\ud83d\ude00\/""#, "\"é😀/\""),
        (r#""\ud83d\u0041\ude00""#, "\"\u{fffd}A\u{fffd}\""),
        ("1e-400", "0"),
        ("-0", "-0"),
    ] {
        assert_eq!(read(text).as_deref(), Ok(expected));
    }
    assert_eq!(decode(b"\"\xff\"", &Budget::default()).map(compact).unwrap(), "\"\u{fffd}\"");
}

#[test]
fn what_is_no_json_is_refused_in_the_words_of_go() {
    for (text, expected) in [
        ("", "unexpected end of JSON input"),
        ("[1,", "unexpected end of JSON input"),
        ("\"abc", "unexpected end of JSON input"),
        ("x", "invalid character 'x' looking for beginning of value"),
        ("'a'", r"invalid character '\'' looking for beginning of value"),
        ("é", "invalid character 'Ã' looking for beginning of value"),
        ("tru", "invalid character ' ' in literal true (expecting 'e')"),
        ("nulL", "invalid character 'L' in literal null (expecting 'l')"),
        ("01", "invalid character '1' after top-level value"),
        ("-", "invalid character ' ' in numeric literal"),
        ("1.x", "invalid character 'x' after decimal point in numeric literal"),
        ("1e+", "invalid character ' ' in exponent of numeric literal"),
        ("[1 2]", "invalid character '2' after array element"),
        ("{1:2}", "invalid character '1' looking for beginning of object key string"),
        (r#"{"a" 1}"#, "invalid character '1' after object key"),
        (r#"{"a":1 "#, "unexpected end of JSON input"),
        (r#"{"a":1]"#, "invalid character ']' after object key:value pair"),
        ("\"\n\"", r"invalid character '\n' in string literal"),
        (r#""\x""#, "invalid character 'x' in string escape code"),
        (r#""\ud83d\u12""#, r#"invalid character '"' in \u hexadecimal character escape"#),
        ("[1e999]", "json: cannot unmarshal number 1e999 into Go value of type float64"),
    ] {
        assert_eq!(read(text), Err(expected.to_owned()), "{text}");
    }
    let (value, error) = decode_partly(b"[1e999,2]", &Budget::default()).unwrap();
    assert_eq!((compact(value), error.is_some()), ("[null,2]".to_owned(), true));
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert_eq!(read(&nested(10_000)), Ok(nested(10_000)));
    assert_eq!(read(&nested(10_001)), Err("invalid character '[' exceeded max depth".to_owned()));
    let deepest = decode(nested(10_000).as_bytes(), &Budget::default()).unwrap();
    let deeper = List::any(vec![deepest]);
    assert_eq!(written(deeper, Style::Indented), "invalid character '[' exceeded max depth");
}

#[test]
fn shared_lists_use_up_the_budget_and_no_more() {
    let doubled = (0..40).fold(Value::from("x"), |value, _| List::any(vec![value.clone(), value]).into());
    let budget = Budget::new(Limits { steps: 10_000, ..Limits::default() });
    assert!(encode(&doubled, &budget, Style::Compact).unwrap_err().is_limit());
    let budget = Budget::new(Limits { memory: 100_000, ..Limits::default() });
    assert!(encode(&Value::string("<".repeat(50_000)), &budget, Style::Compact).unwrap_err().is_limit());
    assert!(decode("[1,".repeat(9_000).as_bytes(), &budget).unwrap_err().is_limit());
}
