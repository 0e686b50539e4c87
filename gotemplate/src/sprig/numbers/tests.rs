//! The functions for numbers as templates call them.

use crate::limits::{Budget, Limits};
use crate::types::{FloatKind, IntKind};
use crate::value::Value;
use crate::{FunctionError, Functions};

fn call(name: &str, arguments: &[Value]) -> Result<Value, FunctionError> {
    let budget = Budget::new(Limits { memory: 1 << 20, ..Limits::default() });
    Functions::sprig().get(name.as_bytes()).expect(name).call(&budget, arguments)
}

fn ints(numbers: &[i64]) -> Vec<Value> {
    numbers.iter().copied().map(Value::int).collect()
}

#[test]
fn whole_numbers_wrap_around() {
    for (name, arguments, expected) in [
        ("add", ints(&[]), 0),
        ("add", ints(&[1, 2, 3]), 6),
        ("add1", ints(&[i64::MAX]), i64::MIN),
        ("sub", ints(&[1, 3]), -2),
        ("mul", ints(&[2, 3, 7]), 42),
        ("div", ints(&[-7, 2]), -3),
        ("div", ints(&[i64::MIN, -1]), i64::MIN),
        ("mod", ints(&[-7, 2]), -1),
        ("max", ints(&[1, 9, 3]), 9),
        ("min", ints(&[1, 9, -3]), -3),
    ] {
        let value = call(name, &arguments).unwrap();
        assert!(matches!(value, Value::Int(value, IntKind::Int64) if value == expected), "{name} {value:?}");
    }
    assert_eq!(call("mod", &ints(&[1, 0])).unwrap_err().message(), "runtime error: integer divide by zero");
}

#[test]
fn fractions_are_decimal() {
    let floats = |numbers: &[f64]| numbers.iter().copied().map(Value::float).collect::<Vec<_>>();
    for (name, arguments, expected) in [
        ("addf", floats(&[0.1, 0.2]), 0.3),
        ("add1f", floats(&[0.1]), 1.1),
        ("subf", floats(&[1.1, 0.1, 3.0]), -2.0),
        ("mulf", floats(&[0.1, 3.0]), 0.3),
        ("mulf", floats(&[1e308, 10.0, 0.1]), 1e308),
        ("divf", floats(&[2.0, 3.0]), 0.666_666_666_666_666_7),
        ("divf", floats(&[-1.0, 3e16]), 0.0),
        ("divf", floats(&[-1.0, 2e16]), -1e-16),
        ("maxf", floats(&[-0.0, 0.0]), 0.0),
        ("minf", floats(&[0.0, -0.0]), -0.0),
        ("round", vec![Value::float(123.5555), Value::int(3)], 123.556),
        ("round", vec![Value::float(-1.1), Value::int(0)], -2.0),
        ("round", vec![Value::float(1.3), Value::int(0), Value::float(0.2)], 2.0),
        ("round", vec![Value::float(1255.0), Value::int(-1)], 1260.0),
        ("ceil", vec![Value::from("1.2")], 2.0),
    ] {
        let value = call(name, &arguments).unwrap();
        let is_expected =
            matches!(value, Value::Float(value, FloatKind::Float64) if value.to_bits() == f64::to_bits(expected));
        assert!(is_expected, "{name} {arguments:?} {value:?}");
    }
    for (name, arguments, expected) in [
        ("divf", floats(&[1.0, 0.0]), "decimal division by 0"),
        ("addf", floats(&[f64::NEG_INFINITY]), "Cannot create a Decimal from -Inf"),
    ] {
        assert_eq!(call(name, &arguments).unwrap_err().message(), expected);
    }
}

#[test]
fn sequences_end_before_their_bound_or_at_it() {
    for (name, arguments, expected) in [
        ("until", ints(&[3]), vec![0, 1, 2]),
        ("until", ints(&[-2]), vec![0, -1]),
        ("untilStep", ints(&[3, 10, 3]), vec![3, 6, 9]),
        ("untilStep", ints(&[3, 0, 3]), vec![]),
        ("untilStep", ints(&[3, 9, 0]), vec![]),
    ] {
        let Value::List(list) = call(name, &arguments).unwrap() else { panic!("{name} gives a list") };
        let numbers: Vec<i64> = list.iter().map(crate::sprig::cast::to_int).collect();
        assert_eq!(numbers, expected, "{name} {arguments:?}");
    }
    for (bounds, expected) in [
        (ints(&[]), ""),
        (ints(&[0]), "1 0"),
        (ints(&[0, 2]), "0 1 2"),
        (ints(&[2, 0]), "2 1 0"),
        (ints(&[0, 2, 5]), "0 2 4"),
        (ints(&[2, -2, -2]), "2 0 -2"),
        (ints(&[2, 1, 0]), ""),
    ] {
        let value = call("seq", &bounds).unwrap();
        assert!(matches!(&value, Value::String(text) if *text == expected), "{bounds:?} {value:?}");
    }
    assert!(call("until", &ints(&[i64::MAX])).unwrap_err().is_limit());
    assert!(call("untilStep", &ints(&[0, i64::MAX, i64::MAX - 1])).unwrap_err().is_limit());
}
