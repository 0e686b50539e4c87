//! Lists: `first`, `append`, `uniq`, `slice` and their like.

mod cut;

use super::panics::nil_dereference;
use crate::function::{Function, FunctionError, Functions, IntoFunction, Variadic};
use crate::limits::Budget;
use crate::types::Type;
use crate::value::{List, Value, deep_equal};

pub(super) fn add(functions: &mut Functions) {
    let mut alias = |names: &[&str], function: Function| {
        for name in names {
            functions.add(*name, function.clone());
        }
    };
    alias(&["list", "tuple"], list.into_function());
    alias(&["append", "push", "mustAppend", "mustPush"], append.into_function());
    alias(&["prepend", "mustPrepend"], prepend.into_function());
    alias(&["first", "mustFirst"], cut::first.into_function());
    alias(&["rest", "mustRest"], cut::rest.into_function());
    alias(&["last", "mustLast"], cut::last.into_function());
    alias(&["initial", "mustInitial"], cut::initial.into_function());
    alias(&["slice", "mustSlice"], cut::slice.into_function());
    alias(&["chunk", "mustChunk"], cut::chunk.into_function());
    alias(&["reverse", "mustReverse"], reverse.into_function());
    alias(&["uniq", "mustUniq"], uniq.into_function());
    alias(&["without", "mustWithout"], without.into_function());
    alias(&["compact", "mustCompact"], compact.into_function());
    alias(&["has", "mustHas"], has.into_function());
    alias(&["concat"], concat.into_function());
}

fn list(budget: &Budget, items: Variadic<Value>) -> Result<List, FunctionError> {
    make(budget, items.0)
}

fn append(budget: &Budget, list: Value, item: Value) -> Result<List, FunctionError> {
    let list = items(&list, "push on")?;
    joined(budget, &[list, &[item]])
}

fn prepend(budget: &Budget, list: Value, item: Value) -> Result<List, FunctionError> {
    let list = items(&list, "prepend on")?;
    joined(budget, &[&[item], list])
}

fn concat(budget: &Budget, lists: Variadic<Value>) -> Result<Value, FunctionError> {
    let lists = lists.0.iter().map(|list| match list_of(list)? {
        Some(list) => Ok(list),
        None => Err(FunctionError::new(format!("Cannot concat type {} as list", list.kind().name()))),
    });
    let lists: Vec<&[Value]> = lists.collect::<Result<_, _>>()?;
    Ok(match lists.iter().all(|list| list.is_empty()) {
        true => List::nil(Type::Any).into(),
        false => joined(budget, &lists)?.into(),
    })
}

fn reverse(budget: &Budget, list: Value) -> Result<List, FunctionError> {
    let items = items(&list, "find reverse on")?;
    budget.allocate_values(items.len())?;
    Ok(List::any(items.iter().rev().cloned().collect()))
}

fn uniq(budget: &Budget, list: Value) -> Result<List, FunctionError> {
    let mut seen: Vec<Value> = Vec::new();
    for item in items(&list, "find uniq on")? {
        if !contains(budget, &seen, item)? {
            seen.push(item.clone());
        }
    }
    make(budget, seen)
}

fn without(budget: &Budget, list: Value, unwanted: Variadic<Value>) -> Result<List, FunctionError> {
    let mut kept = Vec::new();
    for item in items(&list, "find without on")? {
        if !contains(budget, &unwanted.0, item)? {
            kept.push(item.clone());
        }
    }
    make(budget, kept)
}

fn compact(budget: &Budget, list: Value) -> Result<List, FunctionError> {
    let items = items(&list, "compact on")?;
    budget.work(items.len() as u64 / 4)?;
    make(budget, items.iter().filter(|item| item.is_true()).cloned().collect())
}

fn has(budget: &Budget, item: Value, list: Value) -> Result<bool, FunctionError> {
    match list {
        Value::Nil => Ok(false),
        list => contains(budget, items(&list, "find has on")?, &item),
    }
}

fn contains(budget: &Budget, items: &[Value], wanted: &Value) -> Result<bool, FunctionError> {
    for item in items {
        if deep_equal(wanted, item, budget)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn joined(budget: &Budget, lists: &[&[Value]]) -> Result<List, FunctionError> {
    budget.allocate_values(lists.iter().map(|list| list.len()).sum())?;
    Ok(List::any(lists.concat()))
}

fn make(budget: &Budget, items: Vec<Value>) -> Result<List, FunctionError> {
    budget.allocate_values(items.len())?;
    Ok(List::any(items))
}

/// The items of a list, or the error of a function that does `what` to it.
fn items<'a>(value: &'a Value, what: &str) -> Result<&'a [Value], FunctionError> {
    list_of(value)?.ok_or_else(|| FunctionError::new(format!("Cannot {what} type {}", value.kind().name())))
}

fn list_of(value: &Value) -> Result<Option<&[Value]>, FunctionError> {
    match value.underlying() {
        Value::List(list) => Ok(Some(list)),
        Value::Nil => Err(nil_dereference()),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use crate::sprig::check::{call, read, shown, shown_of};
    use crate::{FloatKind, List, Type, Value};

    #[test]
    fn lists_are_made_anew() {
        for (name, arguments, expected) in [
            ("list", "", "[]"),
            ("tuple", r#"1, "a", null"#, r#"[1,"a",null]"#),
            ("append", "[1], [2]", "[1,[2]]"),
            ("push", "[], 1", "[1]"),
            ("prepend", "[1], 2", "[2,1]"),
            ("first", "[1, 2]", "1"),
            ("first", "[]", "null"),
            ("last", "[1, 2]", "2"),
            ("rest", "[1, 2, 3]", "[2,3]"),
            ("rest", "[]", "null"),
            ("initial", "[1, 2, 3]", "[1,2]"),
            ("reverse", "[1, 2, 3]", "[3,2,1]"),
            ("uniq", r#"[1, "1", [2], [2], 1]"#, r#"[1,"1",[2]]"#),
            ("without", "[1, 2, 3, 2], 2, 3", "[1]"),
            ("compact", r#"[0, 1, "", [], {}, null, false, "a"]"#, r#"[1,"a"]"#),
            ("has", "{}, [1, {}]", "true"),
            ("has", "1, null", "false"),
            ("concat", "[1], [], [2, 3]", "[1,2,3]"),
            ("concat", "[]", "null"),
        ] {
            assert_eq!(shown_of(name, arguments), expected, "{name} {arguments}");
        }
    }

    #[test]
    fn what_is_no_list_is_refused() {
        let nil = "runtime error: invalid memory address or nil pointer dereference";
        for (name, arguments, expected) in [
            ("append", "1, 2", "Cannot push on type float64"),
            ("mustPrepend", r#""a", 2"#, "Cannot prepend on type string"),
            ("first", "{}", "Cannot find first on type map"),
            ("initial", "true", "Cannot find initial on type bool"),
            ("compact", "1", "Cannot compact on type float64"),
            ("has", "1, 1", "Cannot find has on type float64"),
            ("concat", "[1], 1", "Cannot concat type float64 as list"),
            ("slice", "1", "list should be type of slice or array but float64"),
            ("rest", "null", nil),
            ("concat", "[1], null", nil),
        ] {
            assert_eq!(shown_of(name, arguments), expected, "{name} {arguments}");
        }
    }

    #[test]
    fn slices_keep_their_type() {
        let texts: Value = List::new(Type::String, ["a", "b", "c"].map(Value::from).into()).into();
        let part = call("slice", &[texts.clone(), Value::int(1)]).unwrap();
        assert_eq!(part.type_of(), Some(Type::list(Type::String)));
        let bounds = [
            (vec![], r#"["a","b","c"]"#),
            (vec![Value::int(1), Value::Float(2.9, FloatKind::Float64)], r#"["b"]"#),
            (vec![Value::from("0x2")], r#"["c"]"#),
            (vec![Value::int(3)], "[]"),
            (vec![Value::int(4)], "reflect.Value.Slice: slice index out of bounds"),
            (vec![Value::int(2), Value::int(1)], "reflect.Value.Slice: slice index out of bounds"),
            (vec![Value::int(-1)], "reflect.Value.Slice: slice index out of bounds"),
        ];
        for (bounds, expected) in bounds {
            assert_eq!(shown("slice", &[vec![texts.clone()], bounds].concat()), expected);
        }
        assert_eq!(shown("slice", &[read("[]"), Value::int(7)]), "null");
    }

    #[test]
    fn chunks_are_of_the_size_but_for_the_last() {
        let out_of_range = "runtime error: makeslice: len out of range";
        for (size, list, expected) in [
            (2, "[1, 2, 3]", "[[1,2],[3]]"),
            (3, "[1, 2, 3]", "[[1,2,3]]"),
            (5, "[]", "[]"),
            (0, "[1]", out_of_range),
            (-1, "[1]", out_of_range),
            (-5, "[1]", "[[1]]"),
            (-5, "[1, 2]", "[]"),
        ] {
            assert_eq!(shown("chunk", &[Value::int(size), read(list)]), expected, "{size} {list}");
        }
    }
}
