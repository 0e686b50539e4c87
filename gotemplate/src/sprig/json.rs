//! JSON: `toJson`, `fromJson` and their like.

use crate::function::{FunctionError, Functions};
use crate::json::{Style, decode, decode_partly, encode};
use crate::limits::Budget;
use crate::text::Str;
use crate::value::Value;

pub(super) fn add(functions: &mut Functions) {
    for (name, must_name, style) in [
        ("toJson", "mustToJson", Style::Compact),
        ("toPrettyJson", "mustToPrettyJson", Style::Indented),
        ("toRawJson", "mustToRawJson", Style::Raw),
    ] {
        let must = move |budget: &Budget, value: Value| encode(&value, budget, style);
        functions.add(must_name, must);
        match style {
            // This one panics on what is not JSON; the others are silent about it.
            Style::Raw => functions.add(name, must),
            Style::Compact | Style::Indented => {
                functions.add(name, move |budget: &Budget, value: Value| or_empty(encode(&value, budget, style)))
            }
        };
    }
    functions.add("mustFromJson", |budget: &Budget, text: Str| decode(text.as_bytes(), budget));
    functions.add("fromJson", |budget: &Budget, text: Str| {
        or_empty(decode_partly(text.as_bytes(), budget).map(|(value, _)| value))
    });
}

fn or_empty<T: Default>(result: Result<T, FunctionError>) -> Result<T, FunctionError> {
    match result {
        Err(error) if !error.is_limit() => Ok(T::default()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use crate::sprig::check::{shown, shown_of};
    use crate::{List, Value};

    #[test]
    fn json_is_written_in_three_styles() {
        assert_eq!(shown_of("toJson", r#"["<"]"#), r#""[\"\\u003c\"]""#);
        assert_eq!(shown_of("toRawJson", r#"["<"]"#), r#""[\"<\"]""#);
        assert_eq!(shown_of("toPrettyJson", "[1]"), r#""[\n  1\n]""#);
    }

    #[test]
    fn only_the_must_forms_and_the_raw_one_complain() {
        let bad = [List::any(vec![Value::float(f64::NAN)]).into()];
        for (name, expected) in [
            ("toJson", r#""""#),
            ("toPrettyJson", r#""""#),
            ("toRawJson", "json: unsupported value: NaN"),
            ("mustToJson", "json: unsupported value: NaN"),
            ("mustToRawJson", "json: unsupported value: NaN"),
        ] {
            assert_eq!(shown(name, &bad), expected, "{name}");
        }
        assert_eq!(shown_of("fromJson", r#""[1""#), "null");
        assert_eq!(shown_of("fromJson", r#""[1, 1e999]""#), "[1,null]");
        assert_eq!(shown_of("mustFromJson", r#""[1""#), "unexpected end of JSON input");
    }
}
