//! The functions for dates as templates call them.

use crate::limits::Budget;
use crate::sprig::check::call;
use crate::types::IntKind;
use crate::value::{Pointer, Value};

fn text(name: &str, arguments: &[Value]) -> String {
    match call(name, arguments) {
        Ok(value) => shown(&value),
        Err(error) => format!("error: {error}"),
    }
}

/// As `%v` prints it.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.to_string(),
        Value::Struct(structure) => structure.struct_type().definition().display.as_ref().unwrap()(value).to_string(),
        Value::Named(named) => named.named_type().definition().display.as_ref().unwrap()(value).to_string(),
        Value::Int(value, _) => value.to_string(),
        Value::Float(value, _) => value.to_string(),
        Value::Bool(value) => value.to_string(),
        value => panic!("{value:?}"),
    }
}

fn date(text: &str) -> Value {
    call("toDate", &["2006-01-02 15:04:05.999 -0700".into(), text.into()]).unwrap()
}

fn method(receiver: &Value, name: &str, arguments: &[Value]) -> Value {
    let (Value::Struct(_) | Value::Named(_)) = receiver else { panic!("{receiver:?}") };
    let named = match receiver {
        Value::Struct(structure) => structure.struct_type(),
        Value::Named(named) => named.named_type(),
        _ => panic!("{receiver:?} has no methods"),
    };
    let arguments = [std::slice::from_ref(receiver), arguments].concat();
    named.method(name.as_bytes()).expect(name).function.call(&Budget::default(), &arguments).unwrap()
}

#[test]
fn dates_are_shown_in_zones() {
    let winter = date("2024-01-31 23:30:00 -0100");
    let seconds = |kind| Value::Int(1_700_000_000, kind);
    for (name, arguments, expected) in [
        ("date", vec!["2006-01-02 15:04".into(), winter.clone()], "2024-02-01 00:30"),
        ("date", vec!["2006".into(), seconds(IntKind::Int)], "2023"),
        ("htmlDate", vec![Pointer::new(winter.clone()).into()], "2024-02-01"),
        ("htmlDateInZone", vec![winter.clone(), "America/New_York".into()], "2024-01-31"),
        ("dateInZone", vec!["15:04 MST".into(), winter.clone(), "Asia/Kolkata".into()], "06:00 IST"),
        ("date_in_zone", vec!["15:04 MST".into(), winter.clone(), "No/Where".into()], "00:30 UTC"),
        (
            "date",
            vec!["2006".into(), seconds(IntKind::Int8)],
            "error: int8 is no date, and for the present it reads the clock",
        ),
        ("date", vec!["2006".into(), Value::Nil], "error: nil is no date, and for the present it reads the clock"),
        ("unixEpoch", vec![winter.clone()], "1706747400"),
        ("dateModify", vec!["-1.5h".into(), winter.clone()], "2024-01-31 22:00:00 -0100 -0100"),
        ("date_modify", vec!["soon".into(), winter.clone()], "2024-01-31 23:30:00 -0100 -0100"),
        ("mustDateModify", vec!["soon".into(), winter], r#"error: time: invalid duration "soon""#),
        ("toDate", vec!["2006".into(), "x".into()], "0001-01-01 00:00:00 +0000 UTC"),
        (
            "mustToDate",
            vec!["2006".into(), "x".into()],
            r#"error: parsing time "x" as "2006": cannot parse "x" as "2006""#,
        ),
        ("duration", vec!["95".into()], "1m35s"),
        ("duration", vec![Value::int(95)], "0s"),
        ("durationRound", vec!["2h10m5s".into()], "2h"),
        ("durationRound", vec![seconds(IntKind::Int64)], "1s"),
    ] {
        assert_eq!(text(name, &arguments), expected, "{name} {arguments:?}");
    }
}

#[test]
fn dates_have_the_methods_of_go() {
    let leap = date("2024-02-29 13:14:15.678 +0200");
    let later = method(&leap, "AddDate", &[Value::int(1), Value::int(-1), Value::int(40)]);
    let span = method(&later, "Sub", std::slice::from_ref(&leap));
    let day = method(&date("2024-01-02 00:00:00 +0000"), "Sub", &[date("2024-01-01 00:00:00 +0000")]);
    for (receiver, name, arguments, expected) in [
        (&leap, "Year", vec![], "2024"),
        (&leap, "Month", vec![], "February"),
        (&leap, "Weekday", vec![], "Thursday"),
        (&leap, "YearDay", vec![], "60"),
        (&leap, "UnixMilli", vec![], "1709205255678"),
        (&leap, "UTC", vec![], "2024-02-29 11:14:15.678 +0000 UTC"),
        (&leap, "Before", vec![later.clone()], "true"),
        (&leap, "Compare", vec![leap.clone()], "0"),
        (&leap, "Round", vec![day.clone()], "2024-02-29 02:00:00 +0200 +0200"),
        (&leap, "GoString", vec![], r#"time.Date(2024, time.February, 29, 13, 14, 15, 678000000, time.Location(""))"#),
        (&later, "String", vec![], "2025-03-10 13:14:15.678 +0200 +0200"),
        (&span, "String", vec![], "9000h0m0s"),
        (&span, "Hours", vec![], "9000"),
        (&day, "Truncate", vec![span.clone()], "0s"),
    ] {
        assert_eq!(shown(&method(receiver, name, &arguments)), expected, "{name}");
    }
}
