//! Functions that ask whether values are empty: `default`, `coalesce`, `ternary` and their like.

use crate::function::{Functions, Variadic};
use crate::value::Value;

pub(super) fn add(functions: &mut Functions) {
    functions.add("default", |default: Value, given: Variadic<Value>| match given.0.into_iter().next() {
        Some(given) if given.is_true() => given,
        _ => default,
    });
    functions.add("empty", |value: Value| !value.is_true());
    functions.add("coalesce", |values: Variadic<Value>| values.0.into_iter().find(Value::is_true).unwrap_or_default());
    functions.add("all", |values: Variadic<Value>| values.0.iter().all(Value::is_true));
    functions.add("any", |values: Variadic<Value>| values.0.iter().any(Value::is_true));
    functions.add("ternary", |yes: Value, no: Value, condition: bool| if condition { yes } else { no });
}

#[cfg(test)]
mod tests {
    use crate::sprig::check::shown_of;

    #[test]
    fn what_is_empty_gives_way() {
        for (name, arguments, expected) in [
            ("default", "1", "1"),
            ("default", "1, 0", "1"),
            ("default", "1, 2", "2"),
            ("empty", "{}", "true"),
            ("empty", "[0]", "false"),
            ("coalesce", r#"0, "", null, "a", "b""#, r#""a""#),
            ("coalesce", "", "null"),
            ("all", "1, [1], true", "true"),
            ("all", "1, []", "false"),
            ("any", "0, []", "false"),
            ("any", "", "false"),
            ("ternary", r#""a", "b", false"#, r#""b""#),
        ] {
            assert_eq!(shown_of(name, arguments), expected, "{name} {arguments}");
        }
    }
}
