//! When values are equal: Go's `==`, and `reflect.DeepEqual`.

use super::{List, Map, Struct, Value};
use crate::function::FunctionError;
use crate::limits::Budget;
use crate::named::NamedType;
use crate::stack;
use crate::types::Type;

/// Whether both are of one type and hold the same, lists item by item and maps entry by entry: `reflect.DeepEqual`.
/// A function that is not nil equals nothing, not even itself.
pub(crate) fn deep_equal(a: &Value, b: &Value, budget: &Budget) -> Result<bool, FunctionError> {
    budget.step()?;
    match (a, b) {
        (Value::List(a), Value::List(b)) => deep_equal_lists(a, b, budget),
        (Value::Map(a), Value::Map(b)) => deep_equal_maps(a, b, budget),
        (Value::Struct(a), Value::Struct(b)) => {
            let alike = a.struct_type() == b.struct_type() && same_hidden(a, b);
            Ok(alike && deep_equal_items(a.fields(), b.fields(), budget)?)
        }
        (Value::Pointer(a), Value::Pointer(b)) if a.target_type() == b.target_type() => {
            match (a.target(), b.target()) {
                _ if a.is_same(b) => Ok(true),
                (Some(a), Some(b)) => stack::with_room(|| deep_equal(a, b, budget)),
                _ => Ok(false),
            }
        }
        (Value::Named(a), Value::Named(b)) if a.named_type() == b.named_type() => {
            stack::with_room(|| deep_equal(a.value(), b.value(), budget))
        }
        (Value::Function(a), Value::Function(b)) => Ok(a.is_nil() && b.is_nil() && a.signature() == b.signature()),
        _ => Ok(same_scalars(a, b)),
    }
}

/// Go's `==` between two interfaces: false for values of different types.
///
/// # Errors
/// The type that cannot be compared, where Go panics.
pub(crate) fn same(a: &Value, b: &Value) -> Result<bool, Type> {
    match (a, b) {
        (Value::Struct(a), Value::Struct(b)) if a.struct_type() == b.struct_type() => same_structs(a, b),
        (Value::Pointer(a), Value::Pointer(b)) => Ok(a.target_type() == b.target_type() && a.is_same(b)),
        (Value::Named(a), Value::Named(b)) if a.named_type() == b.named_type() => {
            stack::with_room(|| same(a.value(), b.value()))
        }
        (Value::List(_), Value::List(_))
        | (Value::Map(_), Value::Map(_))
        | (Value::Function(_), Value::Function(_)) => match (a.type_of(), b.type_of()) {
            (Some(a), Some(b)) if a == b => Err(a),
            _ => Ok(false),
        },
        _ => Ok(same_scalars(a, b)),
    }
}

/// False for values that are no scalars.
fn same_scalars(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Nil, Value::Nil) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(a, a_kind), Value::Int(b, b_kind)) => a == b && a_kind == b_kind,
        (Value::Uint(a, a_kind), Value::Uint(b, b_kind)) => a == b && a_kind == b_kind,
        (Value::Float(a, a_kind), Value::Float(b, b_kind)) => a == b && a_kind == b_kind,
        (Value::Complex(a, a_imaginary), Value::Complex(b, b_imaginary)) => a == b && a_imaginary == b_imaginary,
        (Value::String(a), Value::String(b)) => a == b,
        _ => false,
    }
}

fn deep_equal_lists(a: &List, b: &List, budget: &Budget) -> Result<bool, FunctionError> {
    if a.element_type() != b.element_type() || a.is_nil() != b.is_nil() {
        return Ok(false);
    }
    Ok(a.is_same(b) || deep_equal_items(a, b, budget)?)
}

fn deep_equal_items(a: &[Value], b: &[Value], budget: &Budget) -> Result<bool, FunctionError> {
    if a.len() != b.len() {
        return Ok(false);
    }
    stack::with_room(|| {
        for (a, b) in a.iter().zip(b) {
            if !deep_equal(a, b, budget)? {
                return Ok(false);
            }
        }
        Ok(true)
    })
}

fn deep_equal_maps(a: &Map, b: &Map, budget: &Budget) -> Result<bool, FunctionError> {
    let alike = a.key_type() == b.key_type() && a.element_type() == b.element_type();
    if !alike || a.is_nil() != b.is_nil() || a.len() != b.len() {
        return Ok(false);
    }
    if a.is_same(b) {
        return Ok(true);
    }
    budget.allocate_values(a.len())?;
    stack::with_room(|| {
        for (key, value) in a.entries() {
            match b.get_key(&key) {
                Some(other) if deep_equal(&value, &other, budget)? => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    })
}

fn same_structs(a: &Struct, b: &Struct) -> Result<bool, Type> {
    if !is_comparable_struct(a.struct_type()) {
        return Err(Type::Named(a.struct_type().clone()));
    }
    let mut equal = same_hidden(a, b);
    for (a, b) in a.fields().iter().zip(b.fields()) {
        equal = equal && stack::with_room(|| same(a, b))?;
    }
    Ok(equal)
}

/// What is hidden in a struct is known by how it prints alone.
fn same_hidden(a: &Struct, b: &Struct) -> bool {
    match (&a.struct_type().definition().display, a.is_hiding() || b.is_hiding()) {
        (_, false) => true,
        (Some(display), true) => display(&a.clone().into()) == display(&b.clone().into()),
        (None, true) => a.is_same(b),
    }
}

fn is_comparable_struct(struct_type: &NamedType) -> bool {
    struct_type.fields().iter().all(|field| is_comparable(&field.field_type))
}

/// Whether Go lets two values of the type be compared. A struct holds another only where its type cannot refer back.
pub(crate) fn is_comparable(value_type: &Type) -> bool {
    stack::with_room(|| match value_type {
        Type::List(_) | Type::Map(..) | Type::Function(_) => false,
        Type::Named(named) => named.underlying().map_or_else(|| is_comparable_struct(named), is_comparable),
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Definition, Field, Function, Key, Limits, NamedType, Pointer};

    fn equal(a: impl Into<Value>, b: impl Into<Value>) -> bool {
        deep_equal(&a.into(), &b.into(), &Budget::default()).unwrap()
    }

    fn list(items: &[i64]) -> List {
        List::any(items.iter().map(|item| Value::int(*item)).collect())
    }

    #[test]
    fn types_must_be_the_same_throughout() {
        assert!(equal(list(&[1, 2]), list(&[1, 2])));
        assert!(!equal(list(&[1, 2]), list(&[2, 1])));
        assert!(!equal(list(&[1]), List::any(vec![Value::float(1.0)])));
        assert!(!equal(List::nil(Type::Any), list(&[])));
        assert!(!equal(list(&[1]), List::new(Type::INT, vec![Value::int(1)])));
        assert!(equal(Value::Nil, Value::Nil));
        assert!(!equal(Value::Nil, Pointer::nil(Type::INT)));
        assert!(equal(Pointer::new(list(&[1]).into()), Pointer::new(list(&[1]).into())));
    }

    #[test]
    fn maps_are_equal_by_their_entries() {
        let map = |key: &str, value: i64| Map::of(Type::INT, [(key, Value::int(value))]);
        assert!(equal(map("a", 1), map("a", 1)));
        assert!(!equal(map("a", 1), map("a", 2)));
        assert!(!equal(map("a", 1), map("b", 1)));
        let other = Map::with_keys(Type::INT, Type::INT);
        other.insert_key(Key::of(&Value::int(1)).unwrap(), Value::int(1));
        assert!(!equal(map("a", 1), other));
    }

    #[test]
    fn what_is_shared_is_equal_whatever_it_holds() {
        let odd = List::any(vec![Value::float(f64::NAN), Function::new(|a: isize| a).into()]);
        assert!(equal(odd.clone(), odd.clone()));
        assert!(!equal(odd.clone(), List::any(odd.to_vec())));
    }

    #[test]
    fn equality_has_a_budget_and_no_depth() {
        let deep = || (0..100_000).fold(Value::Nil, |value, _| List::any(vec![value]).into());
        assert!(equal(deep(), deep()));
        let wide = || (0..40).fold(Value::Nil, |value, _| List::any(vec![value.clone(), value]).into());
        let budget = Budget::new(Limits { steps: 1000, ..Limits::default() });
        assert!(deep_equal(&wide(), &wide(), &budget).unwrap_err().is_limit());
    }

    #[test]
    fn some_types_cannot_be_compared() {
        assert_eq!(same(&Value::int(1), &Value::int(1)), Ok(true));
        assert_eq!(same(&Value::int(1), &Value::float(1.0)), Ok(false));
        assert_eq!(same(&list(&[]).into(), &Map::any().into()), Ok(false));
        assert_eq!(same(&list(&[]).into(), &list(&[]).into()), Err(Type::list(Type::Any)));
        let structure = |field_type: Type, value: Value| {
            let named = NamedType::declare("main.T");
            named.define(Definition::structure(vec![Field::new("A", field_type)]));
            Struct::new(named, [("A", value)]).into()
        };
        let holding: Value = structure(Type::INT, Value::int(1));
        assert_eq!(same(&holding, &holding), Ok(true));
        let holding: Value = structure(Type::Any, list(&[]).into());
        assert_eq!(same(&holding, &holding), Err(Type::list(Type::Any)));
        let holding: Value = structure(Type::list(Type::INT), List::nil(Type::INT).into());
        assert_eq!(same(&holding, &holding), Err(holding.type_of().unwrap()));
    }
}
