//! What versions are, and which constraints they meet.

use crate::sprig::check::{call, shown};
use crate::{Budget, Function, Kind, Value};

fn version(text: &str) -> Value {
    call("semver", &[text.into()]).unwrap()
}

fn method(name: &str) -> (Function, bool) {
    let Value::Pointer(pointer) = version("1") else { panic!("no pointer") };
    let Some(Value::Struct(structure)) = pointer.target() else { panic!("no struct") };
    let method = structure.struct_type().method(name.as_bytes()).unwrap();
    (method.function.clone(), method.pointer_receiver)
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Struct(structure) => match &structure.struct_type().definition().display {
            Some(display) => display(value).to_string(),
            None => panic!("prints as a struct"),
        },
        Value::String(text) => text.to_string(),
        Value::Uint(number, _) => number.to_string(),
        Value::Int(number, _) => number.to_string(),
        Value::Bool(value) => value.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn versions_may_be_incomplete() {
    for (text, expected) in [
        ("1.2.3", r#""1.2.3""#),
        ("v1", r#""1.0.0""#),
        ("1.2-alpha.1+meta.01", r#""1.2.0-alpha.1+meta.01""#),
        ("01.2", r#""1.2.0""#),
        ("", "Invalid Semantic Version"),
        ("1.2.3.4", "Invalid Semantic Version"),
        ("1.2.3-", "Invalid Semantic Version"),
        (" 1", "Invalid Semantic Version"),
        ("1.2.3-01", "Version segment starts with 0"),
        (
            "1.18446744073709551616",
            "Error parsing version segment: strconv.ParseUint: parsing \"18446744073709551616\": value out of range",
        ),
    ] {
        assert_eq!(shown("semver", &[text.into()]), expected, "{text}");
    }
}

#[test]
fn versions_have_methods() {
    let text = "v1.2.3-rc.1+build";
    for (name, arguments, expected) in [
        ("Major", vec![], "1"),
        ("Minor", vec![], "2"),
        ("Patch", vec![], "3"),
        ("Prerelease", vec![], "rc.1"),
        ("Metadata", vec![], "build"),
        ("Original", vec![], text),
        ("String", vec![], "1.2.3-rc.1+build"),
        ("IncPatch", vec![], "1.2.3"),
        ("IncMinor", vec![], "1.3.0"),
        ("IncMajor", vec![], "2.0.0"),
        ("SetPrerelease", vec!["beta".into()], "1.2.3-beta+build"),
        ("SetMetadata", vec!["".into()], "1.2.3-rc.1"),
        ("Compare", vec![version("1.2.3")], "-1"),
        ("LessThan", vec![version("1.2.3-rc.2")], "true"),
        ("GreaterThan", vec![version("1.2.3-alpha")], "true"),
        ("Equal", vec![version("1.2.3-rc.1")], "true"),
        ("GreaterThanEqual", vec![version("2")], "false"),
    ] {
        let arguments = [vec![version(text)], arguments].concat();
        let result = method(name).0.call(&Budget::default(), &arguments).unwrap();
        assert_eq!(text_of(&result), expected, "{name}");
    }
    assert_eq!(version(text).kind(), Kind::Pointer);
    assert!(method("Original").1);
    assert!(!method("Major").1);
    let error = method("SetPrerelease").0.call(&Budget::default(), &[version(text), "a b".into()]);
    assert_eq!(error.unwrap_err().message(), "Invalid Prerelease string");
}

#[test]
fn constraints_are_met() {
    for (constraint, met, unmet) in [
        ("1.2.3", "v1.2.3+x", "1.2.4"),
        ("=1.2", "1.2.9", "1.3.0"),
        ("*", "0.0.1", "1.0.0-alpha"),
        ("!=1.2.x", "1.3.0", "1.2.5"),
        (">1.2", "1.3.0", "1.2.9"),
        (">=1.2, <3", "2.9.9", "3.0.0"),
        ("<=2.3", "2.3.9", "2.4.0"),
        ("<2 || >=4", "4.0.0", "3.0.0"),
        ("1.2 - 1.4.5", "1.4.5", "1.4.6"),
        ("~1.2.3", "1.2.9", "1.3.0"),
        ("~> 1", "1.9.0", "2.0.0"),
        ("^1.2.3", "1.9.0", "2.0.0"),
        ("^0.2.3", "0.2.9", "0.3.0"),
        ("^0.0.3", "0.0.3", "0.0.4"),
        (">=1.0.0-0", "1.0.0-alpha", "0.9.0"),
        (">1.0.0-rc.9", "1.0.0-rc.10", "1.0.0-rc.8"),
    ] {
        assert_eq!(shown("semverCompare", &[constraint.into(), met.into()]), "true", "{constraint} {met}");
        assert_eq!(shown("semverCompare", &[constraint.into(), unmet.into()]), "false", "{constraint} {unmet}");
    }
}

#[test]
fn constraints_that_make_no_sense_are_refused() {
    for (constraint, expected) in [
        ("", "improper constraint: "),
        (">>1", "improper constraint: >>1"),
        ("1 || x.y", "improper constraint:  x.y"),
        ("1.2.3.4", "improper constraint: 1.2.3.4"),
        ("1x.2", "constraint Parser Error"),
        ("1.2.3-01", "constraint Parser Error"),
    ] {
        assert_eq!(shown("semverCompare", &[constraint.into(), "1".into()]), expected, "{constraint}");
    }
    let long = "1 ".repeat(40_000) + "- ";
    assert!(shown("semverCompare", &[long.into(), "1".into()]).starts_with("improper constraint: 1 1"));
}
