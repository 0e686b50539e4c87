//! What values are: `typeOf`, `kindIs` and their like.

use crate::function::{FunctionError, Functions};
use crate::limits::Budget;
use crate::text::Str;
use crate::value::{Value, deep_equal};

pub(super) fn add(functions: &mut Functions) {
    functions.add("typeOf", |value: Value| type_of(&value));
    functions.add("typeIs", |name: Str, value: Value| name == *type_of(&value));
    functions.add("typeIsLike", |name: Str, value: Value| {
        let type_of = type_of(&value);
        name == *type_of || type_of.strip_prefix('*').is_some_and(|target| name == *target)
    });
    functions.add("kindOf", |value: Value| value.kind().name());
    functions.add("kindIs", |name: Str, value: Value| name == *value.kind().name());
    functions.add("deepEqual", |budget: &Budget, a: Value, b: Value| -> Result<bool, FunctionError> {
        deep_equal(&a, &b, budget)
    });
}

fn type_of(value: &Value) -> String {
    value.type_of().map_or_else(|| "<nil>".to_owned(), |type_of| type_of.to_string())
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use crate::sprig::check::{call, shown, shown_of};
    use crate::{List, Map, Pointer, Type, Value};

    #[test]
    fn types_and_kinds_have_the_names_of_go() {
        let map: Value = Map::with_keys(Type::INT, Type::list(Type::String)).into();
        for (value, type_name, kind) in [
            (Value::Nil, "<nil>", "invalid"),
            (map.clone(), "map[int][]string", "map"),
            (Pointer::new(map).into(), "*map[int][]string", "ptr"),
            (List::any(vec![]).into(), "[]interface {}", "slice"),
        ] {
            assert_eq!(shown("typeOf", from_ref(&value)), format!("{type_name:?}"));
            assert_eq!(shown("kindOf", from_ref(&value)), format!("{kind:?}"));
            assert_eq!(shown("typeIs", &[type_name.into(), value.clone()]), "true");
            assert_eq!(shown("kindIs", &[kind.into(), value]), "true");
        }
    }

    #[test]
    fn a_pointer_is_like_its_target() {
        let pointer = Value::from(Pointer::new(Value::int(1)));
        for (name, expected) in [("int", true), ("*int", true), ("**int", false), ("int8", false)] {
            let result = call("typeIsLike", &[name.into(), pointer.clone()]).unwrap();
            assert!(matches!(result, Value::Bool(result) if result == expected), "{name}");
        }
    }

    #[test]
    fn deep_equal_compares_whole_values() {
        assert_eq!(shown_of("deepEqual", r#"{"a": [1]}, {"a": [1]}"#), "true");
        assert_eq!(shown_of("deepEqual", r#"{"a": [1]}, {"a": ["1"]}"#), "false");
    }
}
