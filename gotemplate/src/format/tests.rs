//! What Go prints for the same values.

use std::sync::Arc;

use super::*;
use crate::function::Function;
use crate::limits::Limits;
use crate::named::{Definition, Field, NamedType};
use crate::types::{FloatKind, IntKind, Type, UintKind};
use crate::value::{List, Map, Pointer, Struct};

fn formatted(format: &str, arguments: &[Value]) -> String {
    let mut out = Vec::new();
    let arguments: Vec<_> = arguments.iter().collect();
    printf(&mut out, &Budget::default(), format.as_bytes(), &arguments).unwrap();
    String::from_utf8(out).unwrap()
}

fn shown(value: &Value) -> String {
    value.to_text(&Budget::default()).unwrap().to_string()
}

fn byte(value: u8) -> Value {
    Value::Uint(u64::from(value), UintKind::Uint8)
}

fn named(name: &str, definition: Definition) -> NamedType {
    let named = NamedType::declare(name);
    named.define(definition);
    named
}

#[test]
fn integers() {
    let five = Value::int(5);
    let cases = [
        ("%d|%5d|%-5d|%05d|%+d|% d", "5|    5|5    |00005|+5| 5"),
        ("%b|%o|%O|%x|%X|%#b|%#o|%#x", "101|5|0o5|5|5|0b101|05|0x5"),
        ("%.3d|%8.3d|%08.3d|%+.3d|%-08d|", "005|     005|     005|+005|5       |"),
        ("%c|%q|%U|%#U|%#v|%T", "\u{5}|'\\x05'|U+0005|U+0005|5|int"),
        ("%t|%s|%p|%!", "%!t(int=5)|%!s(int=5)|%!p(int=5)|%!!(int=5)"),
    ];
    for (format, expected) in cases {
        let count = format.matches('%').count();
        let arguments = vec![five.clone(); count];
        assert_eq!(formatted(format, &arguments), expected, "{format}");
    }
    let least = Value::Int(i64::MIN, IntKind::Int64);
    assert_eq!(
        formatted("%d|%x|%U", &[least.clone(), least.clone(), least]),
        "-9223372036854775808|-8000000000000000|U+8000000000000000"
    );
    assert_eq!(formatted("%.0d|%3.0d", &[Value::int(0), Value::int(0)]), "|   ");
    assert_eq!(formatted("%#v|%v|%c", &[byte(255), byte(255), Value::int(-1)]), "0xff|255|\u{fffd}");
}

#[test]
fn other_scalars() {
    let cases = [
        ("%v", Value::Bool(true), "true"),
        ("%6t|", Value::Bool(false), " false|"),
        ("%d", Value::Bool(true), "%!d(bool=true)"),
        ("%v", Value::float(1e21), "1e+21"),
        ("%08.3f", Value::float(-2.71728), "-002.717"),
        ("%+.2e", Value::float(0.0), "+0.00e+00"),
        ("%#g", Value::float(1.0), "1.00000"),
        ("%#x", Value::float(1.0), "0x1.0000p+00"),
        ("%06v", Value::float(f64::INFINITY), "  +Inf"),
        ("%v", Value::Float(f64::from(0.1_f32), FloatKind::Float32), "0.1"),
        ("%v", Value::Complex(1.0, -2.5), "(1-2.5i)"),
        ("%.1f", Value::Complex(1.0, 2.0), "(1.0+2.0i)"),
        ("%5.1s|", "héllo".into(), "    h|"),
        ("%-7s|", "héllo".into(), "héllo  |"),
        ("%05s", "ab".into(), "000ab"),
        ("%q", "a\"b\n".into(), r#""a\"b\n""#),
        ("%#q", "a\"b".into(), "`a\"b`"),
        ("%+q", "é".into(), r#""\u00e9""#),
        ("% x", "abc".into(), "61 62 63"),
        ("%# X", "abc".into(), "0X61 0X62 0X63"),
        ("%#v", "x".into(), "\"x\""),
        ("%d", "x".into(), "%!d(string=x)"),
        ("%d", Value::Nil, "%!d(<nil>)"),
        ("%8v", Value::Nil, "   <nil>"),
        ("%T", Value::Nil, "<nil>"),
        ("%w", Value::int(1), "%!w(int=1)"),
    ];
    for (format, value, expected) in cases {
        assert_eq!(formatted(format, &[value]), expected, "{format}");
    }
}

#[test]
fn formats_that_do_not_fit_their_operands() {
    let (one, text) = (Value::int(1), Value::from("x"));
    let cases: &[(&str, &[Value], &str)] = &[
        ("100%%", &[], "100%"),
        ("%d %d", std::slice::from_ref(&one), "1 %!d(MISSING)"),
        ("%d", &[one.clone(), text.clone(), Value::Nil], "1%!(EXTRA string=x, <nil>)"),
        ("%", &[], "%!(NOVERB)"),
        ("%[2]d %[1]d", &[one.clone(), Value::int(2)], "2 1"),
        ("%[3]*.[2]*[1]f|", &[Value::float(12.0), Value::int(2), Value::int(6)], " 12.00|"),
        ("%[5]d", std::slice::from_ref(&one), "%!d(BADINDEX)"),
        ("%[x]d", std::slice::from_ref(&one), "%!d(BADINDEX)"),
        ("%[1", std::slice::from_ref(&one), "%!(NOVERB)"),
        ("%[1]", std::slice::from_ref(&one), "%!(NOVERB)"),
        ("%*d", &[Value::int(-4), one.clone()], "1   "),
        ("%*d", &[text.clone(), one.clone()], "%!(BADWIDTH)1"),
        ("%.*d", &[Value::int(-1), one.clone()], "%!(BADPREC)1"),
        ("%100000000d", std::slice::from_ref(&one), "%!(NOVERB)%!(EXTRA int=1)"),
        ("%é", std::slice::from_ref(&one), "%!é(int=1)"),
    ];
    for (format, arguments, expected) in cases {
        assert_eq!(formatted(format, arguments), *expected, "{format}");
    }
}

#[test]
fn lists_and_maps() {
    let list = Value::from(List::any(vec![Value::int(1), "a b".into(), Value::Nil]));
    let bytes = Value::from(List::new(Type::Uint(UintKind::Uint8), vec![byte(104), byte(105)]));
    let map = Value::from(Map::of(Type::Any, [("b", Value::int(2)), ("a", list.clone())]));
    let cases = [
        ("%v", &list, "[1 a b <nil>]"),
        ("%q", &list, r#"['\x01' "a b" <nil>]"#),
        ("%#v", &list, r#"[]interface {}{1, "a b", interface {}(nil)}"#),
        ("%03d", &list, "[001 %!d(string=a b) <nil>]"),
        ("%p", &list, "0xc000012340"),
        ("%v", &bytes, "[104 105]"),
        ("%s|", &bytes, "hi|"),
        ("%x", &bytes, "6869"),
        ("%#v", &bytes, "[]byte{0x68, 0x69}"),
        ("%t", &bytes, "[%!t(uint8=104) %!t(uint8=105)]"),
        ("%v", &map, "map[a:[1 a b <nil>] b:2]"),
        ("%#v", &map, r#"map[string]interface {}{"a":[]interface {}{1, "a b", interface {}(nil)}, "b":2}"#),
        ("%s", &map, "map[a:[%!s(int=1) a b <nil>] b:%!s(int=2)]"),
        ("%w", &map, "%!w(map[string]interface {}=map[a:[1 a b <nil>] b:2])"),
    ];
    for (format, value, expected) in cases {
        assert_eq!(formatted(format, std::slice::from_ref(value)), expected, "{format}");
    }
    assert_eq!(formatted("%v %#v", &[List::nil(Type::INT).into(), List::nil(Type::INT).into()]), "[] []int(nil)");
}

#[test]
fn structs_pointers_and_functions() {
    let person = named(
        "main.Person",
        Definition::structure(vec![Field::new("Name", Type::String), Field::new("age", Type::INT)]),
    );
    let ann = Value::from(Struct::new(person.clone(), [("Name", Value::from("Ann")), ("age", Value::int(7))]));
    let pointer = Value::from(Pointer::new(ann.clone()));
    let nil = Value::from(Pointer::nil(Type::Named(person)));
    let function = Value::from(Function::new(|text: Str| text));
    let cases = [
        ("%v", ann.clone(), "{Ann 7}"),
        ("%+v", ann.clone(), "{Name:Ann age:7}"),
        ("%#v", ann.clone(), r#"main.Person{Name:"Ann", age:7}"#),
        ("%+v", pointer.clone(), "&{Name:Ann age:7}"),
        ("%v", List::any(vec![pointer.clone()]).into(), "[0xc000012340]"),
        ("%s", List::any(vec![pointer.clone()]).into(), "[%!s(*main.Person=&{Ann 7})]"),
        ("%v", nil.clone(), "<nil>"),
        ("%#v", nil, "(*main.Person)(nil)"),
        ("%T", pointer.clone(), "*main.Person"),
        ("%p", pointer, "0xc000012340"),
        ("%v", Pointer::new(Value::int(1)).into(), "0xc000012340"),
        ("%s", Pointer::new(Value::int(1)).into(), "%!s(*int=0xc000012340)"),
        ("%#v", function.clone(), "(func(string) string)(0xc000012340)"),
        ("%T", function, "func(string) string"),
    ];
    for (format, value, expected) in cases {
        assert_eq!(formatted(format, &[value]), expected, "{format}");
    }
}

#[test]
fn types_that_say_how_they_print() {
    let level = named(
        "main.Level",
        Definition::of(Type::INT).display(|value| match value.underlying() {
            Value::Int(1, _) => "low".into(),
            _ => "high".into(),
        }),
    );
    let counter = Definition { display_of_pointer: true, ..Definition::structure(vec![Field::new("N", Type::INT)]) };
    let counter = named("main.Counter", counter.display(|_| "counted".into()));
    let low = Value::named(level.clone(), Value::int(1));
    let count = Value::from(Struct::zero(counter.clone()));
    let pointer = Value::from(Pointer::new(count.clone()));
    let fields = vec![Field::new("Shown", Type::Any), Field::new("hidden", Type::Any)];
    let both = named("main.Both", Definition::structure(fields));
    let both = Struct::new(both, [("Shown", low.clone()), ("hidden", low.clone())]);
    let keys = Map::with_keys(Type::Named(level.clone()), Type::Any);
    keys.insert_key(crate::value::Key::Int(1, IntKind::Int), pointer.clone());
    let cases = [
        ("%v|", low.clone(), "low|"),
        ("%6s|", low.clone(), "   low|"),
        ("%q", low.clone(), "\"low\""),
        ("%x", low.clone(), "6c6f77"),
        ("%d", low.clone(), "1"),
        ("%#v", low.clone(), "1"),
        ("%t", low.clone(), "%!t(main.Level=1)"),
        ("%v", List::new(Type::Named(level.clone()), vec![low]).into(), "[low]"),
        ("%v", Pointer::nil(Type::Named(level)).into(), "<nil>"),
        ("%v", count, "{0}"),
        ("%v", pointer.clone(), "counted"),
        ("%v", List::any(vec![pointer]).into(), "[counted]"),
        ("%v", Pointer::nil(Type::Named(counter)).into(), "<nil>"),
        ("%v", both.into(), "{low 1}"),
        ("%v", keys.into(), "map[low:counted]"),
    ];
    for (format, value, expected) in cases {
        assert_eq!(formatted(format, &[value]), expected, "{format}");
    }
}

#[test]
fn print_puts_spaces_between_operands_that_are_no_strings() {
    let mut out = Vec::new();
    let operands = [Value::int(1), Value::int(2), "a".into(), "b".into(), Value::int(3), Value::Nil, Value::Bool(true)];
    print(&mut out, &Budget::default(), &operands.each_ref()).unwrap();
    out.push(b'|');
    println(&mut out, &Budget::default(), &operands.each_ref()).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), "1 2ab3 <nil> true|1 2 a b 3 <nil> true\n");
    assert_eq!(shown(&List::any(vec![Value::float(3.0)]).into()), "[3]");
    let bytes = Value::string(b"a\xff".as_slice());
    assert_eq!(bytes.to_text(&Budget::default()).unwrap().as_bytes(), b"a\xff");
}

#[test]
fn a_variable_of_an_interface_type_shows_what_it_holds() {
    let option = named("main.isOption", Definition::of(Type::Any));
    let holder = Definition::structure(vec![
        Field::new("Option", Type::Named(option)),
        Field::new("Call", Type::Function(Arc::new(crate::function::Signature::new(vec![], Type::INT)))),
    ]);
    let holder = Value::from(Struct::zero(named("main.Holder", holder)));
    assert_eq!(formatted("%v", std::slice::from_ref(&holder)), "{<nil> <nil>}");
    assert_eq!(formatted("%#v", &[holder]), "main.Holder{Option:main.isOption(nil), Call:(func() int)(nil)}");
}

#[test]
fn the_budget_bounds_what_is_printed() {
    let budget = || Budget::new(Limits { memory: 100_000, ..Limits::default() });
    let one = [Value::int(1)];
    for format in ["%1000000d", "%.1000000d", "%01000000d", "%.1000000f", "%1000000.1000000U", "%-1000000q"] {
        let mut out = Vec::new();
        assert!(
            printf(&mut out, &budget(), format.as_bytes(), &one.each_ref()).is_err_and(|error| error.is_limit()),
            "{format}"
        );
        assert!(out.len() <= 200_000, "{format}");
    }
    let mut twice = Value::from("x");
    for _ in 0..60 {
        twice = List::any(vec![twice.clone(), twice]).into();
    }
    assert!(twice.to_text(&budget()).is_err_and(|error| error.is_limit()));
    let steps = Budget::new(Limits { steps: 1000, ..Limits::default() });
    assert!(twice.to_text(&steps).is_err_and(|error| error.is_limit()));
}

#[test]
fn values_may_be_nested_deeper_than_the_stack() {
    let mut deep = Value::from("x");
    for _ in 0..100_000 {
        deep = List::any(vec![deep]).into();
    }
    assert_eq!(shown(&deep).len(), 200_001);
    let tight = Budget::new(Limits { memory: 10_000_000, ..Limits::default() });
    assert!(deep.to_text(&tight).is_err_and(|error| error.is_limit()));
}
