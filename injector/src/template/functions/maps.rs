//! Istio's functions for maps of texts.

use gotemplate::{Budget, FunctionError, Functions, List, Map, Str, Type, Value, Variadic};

use super::arguments::Texts;
use super::json;

pub(super) fn add(functions: &mut Functions) {
    functions
        .add("mergeMaps", |budget: &Budget, maps: Variadic<Texts>| merge(budget, &maps.0).map(Texts))
        .add("omit", omit)
        .add("omitNil", |budget: &Budget, value: Value| omit_nil(budget, &value))
        .add("strdict", strdict)
        .add("toJsonMap", |budget: &Budget, maps: Variadic<Texts>| {
            json::text_or_empty(budget, &merge(budget, &maps.0)?.into())
        });
}

/// One map of all; of equal keys the last counts.
fn merge(budget: &Budget, maps: &[Texts]) -> Result<Map, FunctionError> {
    let merged = Map::new(Type::String);
    for map in maps {
        budget.allocate_values(map.0.len())?;
        for (key, value) in map.0.entries() {
            merged.insert_key(key, value);
        }
    }
    Ok(merged)
}

/// The map without these keys.
fn omit(budget: &Budget, map: Texts, keys: Variadic<Str>) -> Result<Texts, FunctionError> {
    let rest = merge(budget, &[map])?;
    for key in keys.0 {
        rest.remove(key);
    }
    Ok(Texts(rest))
}

/// A map of keys and values in turn; a last key alone has an empty value.
fn strdict(words: Variadic<Str>) -> Texts {
    let pairs = words.0.chunks(2).filter_map(|pair| {
        let (key, value) = pair.split_first()?;
        Some((key.clone(), Value::String(value.first().cloned().unwrap_or_default())))
    });
    Texts(Map::of(Type::String, pairs))
}

/// The value without the nils in it, at any depth. What has nothing left becomes nil too; what was empty stays.
fn omit_nil(budget: &Budget, value: &Value) -> Result<Value, FunctionError> {
    budget.step()?;
    budget.allocate_values(1)?;
    stacker::maybe_grow(32 * 1024, 1024 * 1024, || match value {
        Value::Map(map) if !map.is_empty() && *map.element_type() == Type::Any => {
            let rest = Map::with_keys(map.key_type().clone(), Type::Any);
            for (key, value) in map.entries() {
                let value = omit_nil(budget, &value)?;
                if !value.is_nil() {
                    rest.insert_key(key, value);
                }
            }
            Ok(if rest.is_empty() { Value::Nil } else { rest.into() })
        }
        Value::List(list) if !list.is_empty() && *list.element_type() == Type::Any => {
            let mut rest = Vec::new();
            for item in list.iter() {
                let item = omit_nil(budget, item)?;
                if !item.is_nil() {
                    rest.push(item);
                }
            }
            Ok(if rest.is_empty() { Value::Nil } else { List::any(rest).into() })
        }
        other => Ok(other.clone()),
    })
}
