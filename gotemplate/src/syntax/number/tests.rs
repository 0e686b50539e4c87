//! The kinds that literal numbers have, and the messages about those that are none.

use super::*;

fn plain(text: &str) -> Number {
    Number::parse(text.as_bytes(), Notation::Plain).unwrap_or_else(|message| panic!("{text}: {message}"))
}

/// Values are compared by how they are shown, since NaN equals nothing.
fn shown(value: &Value) -> String {
    format!("{value:?}")
}

fn ideal(number: &Number) -> String {
    number.ideal.as_ref().map_or_else(|| "overflow".to_owned(), shown)
}

#[test]
fn integers_are_read_in_every_base() {
    let cases = [
        ("0", 0),
        ("42", 42),
        ("+7", 7),
        ("-7", -7),
        ("0x1F", 31),
        ("0X_f_f", 255),
        ("0b101", 5),
        ("0o17", 15),
        ("017", 15),
        ("0_7", 7),
        ("1_000_000", 1_000_000),
        ("9223372036854775807", i64::MAX),
        ("-9223372036854775808", i64::MIN),
    ];
    for (text, expected) in cases {
        let number = plain(text);
        assert_eq!((number.int, ideal(&number)), (Some(expected), shown(&Value::int(expected))), "{text}");
        assert_eq!(number.float, Some(expected as f64), "{text}");
        assert_eq!(number.complex, None, "{text}");
    }
}

#[test]
fn unsigned_are_those_without_sign_and_zero() {
    assert_eq!(plain("42").uint, Some(42));
    assert_eq!(plain("-0").uint, Some(0));
    assert_eq!(plain("+42").uint, None);
    assert_eq!(plain("-1").uint, None);
    let large = plain("0xffffffffffffffff");
    assert_eq!((large.int, large.uint, ideal(&large)), (None, Some(u64::MAX), "overflow".to_owned()));
}

#[test]
fn floats_are_integers_too_where_they_have_no_fraction() {
    for (text, int, uint) in [
        ("1e3", Some(1000), Some(1000)),
        ("-2.0", Some(-2), None),
        ("1.5", None, None),
        ("0x1p4", Some(16), Some(16)),
        ("9223372036854775808.0", None, Some(1 << 63)),
        ("-9223372036854775808.0", Some(i64::MIN), None),
        ("18446744073709551616.0", None, None),
        ("1e300", None, None),
    ] {
        let number = plain(text);
        assert_eq!((number.int, number.uint), (int, uint), "{text}");
        assert_eq!(ideal(&number), shown(&Value::float(number.float.unwrap())), "{text}");
    }
}

#[test]
fn the_letter_e_makes_a_hexadecimal_float_only_behind_a_sign() {
    assert_eq!(ideal(&plain("0x1e")), shown(&Value::int(30)));
    assert_eq!(ideal(&plain("-0x1e")), shown(&Value::float(-30.0)));
}

#[test]
fn characters_are_numbers() {
    for (text, expected) in [("'a'", 97), (r"'\n'", 10), (r"'\xff'", 255), ("'\u{65e5}'", 0x65e5), ("'e'", 101)] {
        let number = Number::parse(text.as_bytes(), Notation::Character).unwrap();
        assert_eq!((number.int, number.uint), (Some(expected), u64::try_from(expected).ok()), "{text}");
        assert_eq!(ideal(&number), shown(&Value::int(expected)), "{text}");
    }
}

#[test]
fn imaginary_numbers_are_real_where_they_are_zero() {
    let imaginary = plain("2.5i");
    assert_eq!((imaginary.complex, imaginary.float), (Some((0.0, 2.5)), None));
    assert_eq!(plain("0i").int, Some(0));
    let complex = Number::parse(b"-1.5+0x1p2i", Notation::Complex).unwrap();
    assert_eq!(ideal(&complex), shown(&Value::Complex(-1.5, 4.0)));
    assert_eq!(complex.int, None);
    let real = Number::parse(b"3+0i", Notation::Complex).unwrap();
    assert_eq!((real.int, real.uint, real.float), (Some(3), Some(3), Some(3.0)));
    assert_eq!(ideal(&real), shown(&Value::Complex(3.0, 0.0)));
}

#[test]
fn what_is_no_number_is_told_as_go_tells_it() {
    let cases: &[(Notation, &[u8], &[u8])] = &[
        (Notation::Plain, b".", b"illegal number syntax: \".\""),
        (Notation::Plain, b"+", b"illegal number syntax: \"+\""),
        (Notation::Plain, b"1__0", b"illegal number syntax: \"1__0\""),
        (Notation::Plain, b"0x1i", b"illegal number syntax: \"0x1i\""),
        (Notation::Plain, b"0x1.8", b"illegal number syntax: \"0x1.8\""),
        (Notation::Plain, b"1e400", b"illegal number syntax: \"1e400\""),
        (Notation::Plain, b"08", b"integer overflow: \"08\""),
        (Notation::Plain, b"18446744073709551616", b"integer overflow: \"18446744073709551616\""),
        (Notation::Character, b"''", b"invalid syntax"),
        (Notation::Character, br"'\q'", b"invalid syntax"),
        (Notation::Character, b"'\xffb'", b"malformed character constant: '\xffb'"),
        (Notation::Complex, b"1+i", b"syntax error scanning complex number"),
        (Notation::Complex, b"0b1+2i", b"syntax error scanning complex number"),
        (Notation::Complex, b"1e400+2i", b"strconv.ParseFloat: parsing \"1e400\": value out of range"),
        (Notation::Complex, b"1+0x2i", b"strconv.ParseFloat: parsing \"+0x2\": invalid syntax"),
    ];
    for (notation, text, expected) in cases {
        let message = Number::parse(text, *notation).map(|number| number.ideal).unwrap_err();
        assert_eq!(message, Str::from(*expected));
    }
}

#[test]
fn floats_are_rounded_to_the_nearest_with_ties_to_even() {
    for (text, expected) in [
        ("0x1.00000000000008p0", 1.0),
        ("0x1.000000000000080000000000000000001p0", 1.0 + f64::EPSILON),
        ("0x1.00000000000018p0", 1.0 + 2.0 * f64::EPSILON),
        ("0x1p-1074", f64::from_bits(1)),
        ("0x1p-1075", 0.0),
        ("0x1.8p-1075", f64::from_bits(1)),
        ("0x0.fffffffffffffcp-1022", f64::MIN_POSITIVE),
        ("0x1.fffffffffffff7p1023", f64::MAX),
        ("-0x_1.8p1", -3.0),
        ("2.4703282292062327e-324", 0.0),
        ("1_0.5e1_0", 1.05e11),
        ("-INFINITY", f64::NEG_INFINITY),
    ] {
        assert_eq!(parse_float(text.as_bytes()), Ok(expected), "{text}");
    }
    assert!(parse_float(b"NaN").unwrap().is_nan());
    assert_eq!(parse_float(b"-0.0").unwrap().to_bits(), (-0.0_f64).to_bits());
    for text in ["0x1.fffffffffffff8p1023", "1e309", "-0x1p99999999999999999999"] {
        assert_eq!(parse_float(text.as_bytes()), Err(NumberError::Range), "{text}");
    }
    for text in ["", "-", "e5", "1e", "1e_5", "1.2.3", "0x", "0xp1", "0x1", "+nan", "in", "1 ", "1_", "0x1p1.0"] {
        assert_eq!(parse_float(text.as_bytes()), Err(NumberError::Syntax), "{text}");
    }
}

#[test]
fn integers_of_a_given_base_have_no_prefix() {
    assert_eq!(parse_signed(b"-ff", 16), Ok(-255));
    assert_eq!(parse_signed(b"0x10", 10), Err(NumberError::Syntax));
    assert_eq!(parse_signed(b"1_0", 10), Err(NumberError::Syntax));
    assert_eq!(parse_signed(b"-9223372036854775809", 10), Err(NumberError::Range));
    assert_eq!(parse_unsigned(b"-1", 10), Err(NumberError::Syntax));
    assert_eq!(parse_unsigned(b"18446744073709551616", 10), Err(NumberError::Range));
    assert_eq!(parse_unsigned(b"0b", 0), Err(NumberError::Syntax));
    assert_eq!(parse_unsigned(b"", 10), Err(NumberError::Syntax));
}
