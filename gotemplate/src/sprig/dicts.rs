//! Maps: `dict`, `set`, `merge`, `dig` and their like.

mod copy;
mod merge;

use super::panics;
use super::text::strval;
use crate::function::{FunctionError, Functions, Variadic};
use crate::limits::Budget;
use crate::text::Str;
use crate::types::Type;
use crate::value::{Key, Map, Value};

pub(super) fn add(functions: &mut Functions) {
    functions.add("dict", dict);
    functions.add("get", |map: Map, key: Str| map.get(&key).unwrap_or_else(|| Value::from("")));
    functions.add("set", set);
    functions.add("unset", |map: Map, key: Str| {
        map.remove(&key);
        map
    });
    functions.add("hasKey", |map: Map, key: Str| map.get(&key).is_some());
    functions.add("pluck", pluck);
    functions.add("keys", keys);
    functions.add("values", values);
    functions.add("pick", pick);
    functions.add("omit", omit);
    functions.add("dig", dig);
    copy::add(functions);
    merge::add(functions);
}

/// A last key without a value gets an empty text.
fn dict(budget: &Budget, items: Variadic<Value>) -> Result<Map, FunctionError> {
    let map = Map::any();
    for pair in items.0.chunks(2) {
        if let [key, value @ ..] = pair {
            let value = value.first().cloned().unwrap_or_else(|| Value::from(""));
            put(budget, &map, strval(budget, key)?, value)?;
        }
    }
    Ok(map)
}

fn set(budget: &Budget, map: Map, key: Str, value: Value) -> Result<Map, FunctionError> {
    if map.is_nil() {
        return Err("assignment to entry in nil map".into());
    }
    check_within(budget, &map, &value)?;
    put(budget, &map, key, value)?;
    Ok(map)
}

fn pluck(budget: &Budget, key: Str, maps: Variadic<Map>) -> Result<Vec<Value>, FunctionError> {
    budget.allocate_values(maps.0.len())?;
    Ok(maps.0.iter().filter_map(|map| map.get(&key)).collect())
}

fn keys(budget: &Budget, maps: Variadic<Map>) -> Result<Vec<Str>, FunctionError> {
    let mut keys = Vec::new();
    for map in maps.0 {
        budget.allocate_values(map.len())?;
        keys.extend(map.entries().into_iter().filter_map(|(key, _)| text_of(key)));
    }
    Ok(keys)
}

fn values(budget: &Budget, map: Map) -> Result<Vec<Value>, FunctionError> {
    budget.allocate_values(map.len())?;
    Ok(map.entries().into_iter().map(|(_, value)| value).collect())
}

fn pick(budget: &Budget, map: Map, keys: Variadic<Str>) -> Result<Map, FunctionError> {
    let picked = Map::any();
    for key in keys.0 {
        if let Some(value) = map.get(&key) {
            put(budget, &picked, key, value)?;
        }
    }
    Ok(picked)
}

fn omit(budget: &Budget, map: Map, mut keys: Variadic<Str>) -> Result<Map, FunctionError> {
    keys.0.sort();
    budget.allocate_values(map.len().saturating_mul(2))?;
    let rest = Map::any();
    for (key, value) in map.entries() {
        if let Some(key) = text_of(key).filter(|key| keys.0.binary_search(key).is_err()) {
            put(budget, &rest, key, value)?;
        }
    }
    Ok(rest)
}

/// `dig "key" "key" … default map`: what stands under the keys, one within the other.
fn dig(words: Variadic<Value>) -> Result<Value, FunctionError> {
    let [keys @ .., default, map] = &*words.0 else { return Err(too_few_to_dig()) };
    if keys.is_empty() {
        return Err(too_few_to_dig());
    }
    let mut map = any_map(map)?;
    let keys = keys.iter().map(|key| match key {
        Value::String(text) => Ok(text),
        other => Err(panics::conversion(other, "string")),
    });
    let keys: Vec<&Str> = keys.collect::<Result<_, _>>()?;
    let Some((last, way)) = keys.split_last() else { return Err(too_few_to_dig()) };
    for key in way {
        match map.get(key) {
            Some(step) => map = any_map(&step)?,
            None => return Ok(default.clone()),
        }
    }
    Ok(map.get(last).unwrap_or_else(|| default.clone()))
}

fn too_few_to_dig() -> FunctionError {
    "dig needs at least three arguments".into()
}

fn any_map(value: &Value) -> Result<Map, FunctionError> {
    match value {
        Value::Map(map) if *map.key_type() == Type::String && *map.element_type() == Type::Any => Ok(map.clone()),
        other => Err(panics::conversion(other, "map[string]interface {}")),
    }
}

/// Refuses a value that holds the map which is to hold it.
fn check_within(budget: &Budget, map: &Map, value: &Value) -> Result<(), FunctionError> {
    match map.is_within(value, budget)? {
        true => Err("the map would contain itself".into()),
        false => Ok(()),
    }
}

fn put(budget: &Budget, map: &Map, key: Str, value: Value) -> Result<(), FunctionError> {
    budget.allocate_values(2)?;
    map.insert(key, value);
    Ok(())
}

fn text_of(key: Key) -> Option<Str> {
    match key {
        Key::String(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::sprig::check::{call, read, shown, shown_of, written};
    use crate::{Key, List, Map, Type, Value};

    #[test]
    fn dicts_are_read_and_made() {
        for (name, arguments, expected) in [
            ("dict", r#""a", 1, "b", [2], "c""#, r#"{"a":1,"b":[2],"c":""}"#),
            ("get", r#"{"a": 1}, "a""#, "1"),
            ("get", r#"{"a": 1}, "b""#, r#""""#),
            ("hasKey", r#"{"a": null}, "a""#, "true"),
            ("pluck", r#""a", {"a": 1}, {"b": 2}, {"a": 3}"#, "[1,3]"),
            ("keys", r#"{"b": 1, "a": 2}, {"a": 3}"#, r#"["a","b","a"]"#),
            ("values", r#"{"b": 1, "a": 2}"#, "[2,1]"),
            ("pick", r#"{"a": 1, "b": 2}, "b", "c""#, r#"{"b":2}"#),
            ("omit", r#"{"a": 1, "b": 2, "c": 3}, "b", "d", "a""#, r#"{"c":3}"#),
            ("dig", r#""a", "b", 0, {"a": {"b": 5}}"#, "5"),
            ("dig", r#""a", "x", 0, {"a": {"b": 5}}"#, "0"),
        ] {
            assert_eq!(shown_of(name, arguments), expected, "{name} {arguments}");
        }
    }

    #[test]
    fn dig_says_what_is_of_another_type() {
        for (arguments, expected) in [
            (r#""a", {}"#, "dig needs at least three arguments"),
            (r#"1, 0, {}"#, "interface conversion: interface {} is float64, not string"),
            (r#""a", 0, []"#, "interface conversion: interface {} is []interface {}, not map[string]interface {}"),
            (r#""a", "b", 0, {"a": null}"#, "interface conversion: interface {} is nil, not map[string]interface {}"),
        ] {
            assert_eq!(shown_of("dig", arguments), expected, "{arguments}");
        }
    }

    #[test]
    fn set_and_unset_change_the_map_itself() {
        let map = Map::any();
        call("set", &[map.clone().into(), "a".into(), Value::int(1)]).unwrap();
        call("set", &[map.clone().into(), "b".into(), Value::int(2)]).unwrap();
        call("unset", &[map.clone().into(), "a".into()]).unwrap();
        assert_eq!(written(&map.into()), r#"{"b":2}"#);
        let nil = Map::nil(Type::String, Type::Any);
        assert_eq!(shown("set", &[nil.into(), "a".into(), Value::Nil]), "assignment to entry in nil map");
    }

    #[test]
    fn a_map_cannot_be_put_within_itself() {
        let map = Map::any();
        let holding: Value = List::any(vec![map.clone().into()]).into();
        let expected = "the map would contain itself";
        assert_eq!(shown("set", &[map.clone().into(), "a".into(), holding.clone()]), expected);
        let other = Map::of(Type::Any, [("a", holding)]);
        assert_eq!(shown("merge", &[map.clone().into(), other.into()]), expected);
        assert!(map.is_empty());
    }

    #[test]
    fn merge_fills_up_and_merge_overwrite_replaces() {
        for (name, maps, expected) in [
            ("merge", r#"{"a": 1}, {"a": 2, "b": 3}, {"b": 4, "c": 5}"#, r#"{"a":1,"b":3,"c":5}"#),
            ("merge", r#"{"a": 0, "b": "", "c": []}, {"a": 1, "b": 2, "c": [3]}"#, r#"{"a":1,"b":2,"c":[3]}"#),
            ("merge", r#"{"m": {"a": 1}}, {"m": {"a": 2, "b": 3}}"#, r#"{"m":{"a":1,"b":3}}"#),
            ("merge", r#"{"m": 1}, {"m": {"a": 2}}"#, r#"{"m":1}"#),
            ("merge", r#"{}, {"a": null}"#, "{}"),
            ("mergeOverwrite", r#"{"a": 1, "b": 2}, {"a": 3}"#, r#"{"a":3,"b":2}"#),
            ("mergeOverwrite", r#"{"m": {"a": 1, "b": 2}}, {"m": {"a": 3}}"#, r#"{"m":{"a":3,"b":2}}"#),
            (
                "mergeOverwrite",
                r#"{"a": [1], "b": 1, "c": 1}, {"a": [], "b": "", "c": null}"#,
                r#"{"a":[],"b":"","c":null}"#,
            ),
        ] {
            assert_eq!(shown_of(name, maps), expected, "{name} {maps}");
        }
    }

    #[test]
    fn merge_shares_what_it_takes_over() {
        let map = Map::any();
        let other = read(r#"{"m": {"a": 1}}"#);
        call("merge", &[map.clone().into(), other.clone(), read(r#"{"m": {"b": 2}}"#)]).unwrap();
        assert_eq!(written(&other), r#"{"m":{"a":1,"b":2}}"#);
    }

    #[test]
    fn merge_does_not_mix_types_of_maps() {
        let texts = Map::of(Type::String, [("a", "x")].map(|(key, text)| (key, text.into())));
        let map = || Map::of(Type::Any, [("m", Value::from(texts.clone()))]);
        let message = "reflect.Value.SetMapIndex: value of type interface {} is not assignable to type string";
        assert_eq!(shown("merge", &[map().into(), read(r#"{"m": {"b": "y"}}"#)]), message);
        let numbers = Map::with_keys(Type::INT, Type::Any);
        numbers.insert_key(Key::of(&Value::int(1)).unwrap(), Value::Nil);
        let numbers = Map::of(Type::Any, [("m", Value::from(numbers))]);
        let message = "reflect.Value.MapIndex: value of type int is not assignable to type string";
        assert_eq!(shown("merge", &[map().into(), numbers.into()]), message);
    }

    #[test]
    fn a_deep_copy_shares_nothing() {
        let original = read(r#"{"m": {"a": [1, {}]}, "n": null}"#);
        let copy = call("deepCopy", std::slice::from_ref(&original)).unwrap();
        let (Value::Map(map), Value::Map(copied)) = (&original, &copy) else { panic!("no maps") };
        let inner = map.get("m").unwrap();
        assert_eq!(written(&copy), written(&original));
        call("set", &[inner, "b".into(), Value::int(1)]).unwrap();
        assert_eq!(written(&copied.get("m").unwrap()), r#"{"a":[1,{}]}"#);
        assert_eq!(shown("deepCopy", &[Value::Nil]), "reflect: call of reflect.Value.Type on zero Value");
    }
}
