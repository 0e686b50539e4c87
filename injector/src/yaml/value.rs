//! Values as kubectl has them from YAML, where the parser has others.

use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Number, Value};
use serde_saphyr::{Error, Location, Spanned};

/// A value with the places of what is in it, in which numbers that are too large are not known yet.
pub(super) enum Placed {
    Mapping(Vec<(String, Spanned<Placed>)>),
    List(Vec<Spanned<Placed>>),
    Scalar(Value),
    /// Infinite, or not a number.
    NotFinite,
}

/// A number, as Go writes it in JSON: `1.0` and `1e3` are integers there.
pub(super) fn number(value: f64) -> Option<Number> {
    // What is larger has no exact integer of 64 bits.
    const LARGEST: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "it has no fraction, and fits")]
    if value.fract() == 0.0 && value.abs() <= LARGEST {
        return Some(Number::from(value as i64));
    }
    Number::from_f64(value)
}

/// Makes integers of all numbers that have no fraction.
pub(super) fn without_fractions(value: &mut Value) {
    match value {
        Value::Object(map) => map.values_mut().for_each(without_fractions),
        Value::Array(items) => items.iter_mut().for_each(without_fractions),
        Value::Number(given) if given.is_f64() => {
            if let Some(number) = given.as_f64().and_then(number) {
                *given = number;
            }
        }
        _ => {}
    }
}

/// Whether a number could not be read because it is larger than any. It is a text to kubectl: as is `7e12345`, the start of
/// a commit's name.
pub(super) fn is_too_large(error: &Error) -> bool {
    matches!(error, Error::NonFiniteFloat { value, .. } if looks_like_number(value))
}

fn looks_like_number(text: &str) -> bool {
    text.trim_start_matches(['+', '-']).starts_with(|first: char| first.is_ascii_digit())
}

impl Placed {
    /// The value, with the texts of numbers that are too large.
    ///
    /// # Errors
    /// When there is something else in it that is no number.
    pub(super) fn value(node: Spanned<Self>, text: &str) -> Result<Value, Error> {
        Ok(match node.value {
            Self::Mapping(entries) => {
                let entries = entries.into_iter().map(|(key, value)| Ok((key, Self::value(value, text)?)));
                Value::Object(entries.collect::<Result<Map<_, _>, Error>>()?)
            }
            Self::List(items) => {
                Value::Array(items.into_iter().map(|item| Self::value(item, text)).collect::<Result<_, Error>>()?)
            }
            Self::Scalar(value) => value,
            Self::NotFinite => {
                let scalar = scalar(node.defined, text).unwrap_or_default().to_owned();
                if !looks_like_number(&scalar) {
                    return Err(Error::NonFiniteFloat { value: scalar, location: node.defined });
                }
                Value::String(scalar)
            }
        })
    }
}

/// What stands at this place.
fn scalar(location: Location, text: &str) -> Option<&str> {
    let offset = |number: Option<u64>| usize::try_from(number?).ok();
    let (start, length) = (offset(location.span().byte_offset())?, offset(location.span().byte_len())?);
    text.get(start..start + length).map(str::trim)
}

impl<'de> Deserialize<'de> for Placed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PlacedVisitor)
    }
}

struct PlacedVisitor;

impl<'de> Visitor<'de> for PlacedVisitor {
    type Value = Placed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Placed, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Placed::Mapping(entries))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Placed, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Placed::List(items))
    }

    fn visit_str<E>(self, text: &str) -> Result<Placed, E> {
        Ok(Placed::Scalar(text.into()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Placed, E> {
        Ok(Placed::Scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Placed, E> {
        Ok(Placed::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Placed, E> {
        Ok(Placed::Scalar(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Placed, E> {
        Ok(Number::from_f64(value).map_or(Placed::NotFinite, |number| Placed::Scalar(number.into())))
    }

    fn visit_unit<E>(self) -> Result<Placed, E> {
        Ok(Placed::Scalar(Value::Null))
    }
}

#[cfg(test)]
mod tests {
    use super::super::*;
    use serde_json::json;

    fn read(text: &str) -> Value {
        let (noted, _) = read_manifest_noting_duplicates(text).unwrap();
        assert_eq!(read_manifest(text).unwrap().to_string(), noted.to_string());
        noted
    }

    #[test]
    fn numbers_without_a_fraction_are_integers() {
        let text = "a: 1.0\nb: 1e3\nc: 08\nd: [-2.0, 0.5, 1e300]\ne: 18446744073709551615\nf: 0.0\n";
        let expected = r#"{"a":1,"b":1000,"c":8,"d":[-2,0.5,1e+300],"e":18446744073709551615,"f":0}"#;
        assert_eq!(read(text).to_string(), expected);
    }

    #[test]
    fn numbers_larger_than_any_are_texts() {
        let text = "# \u{e9}\ncommit: 7e12345 # of the release\nb: &b\n- -1e999\n- {c: 1.5e400, d: 1.0}\ne: *b\nf: \"1e400\"\n1e400: null\n";
        let list = json!(["-1e999", {"c": "1.5e400", "d": 1}]);
        let expected = json!({"commit": "7e12345", "b": list, "e": list, "f": "1e400", "1e400": null});
        assert_eq!(read(text), expected);
        assert_eq!(read("a: 1e400\na: {b: 2}\n"), json!({"a": {"b": 2}}));
    }

    #[test]
    fn what_json_has_no_value_for_is_refused_with_what_to_do() {
        for (text, line, what) in [
            ("a: 1e400\nb: .inf\n", 2, "`.inf` is no number in JSON; write it in quotes"),
            ("a: 1\nb: -.NaN\n", 2, "`-.NaN` is no number in JSON; write it in quotes"),
            ("~: x\n", 1, "a key without a name; write it in quotes"),
            ("a: 1\nb: !!timestamp 2001-01-01\n", 2, "a tag that JSON has no type for; leave it away"),
        ] {
            let error = read_manifest(text).unwrap_err();
            assert_eq!((error.line, error.message.as_str()), (Some(line), what), "{text:?}");
        }
    }
}
