//! `merge` and `mergeOverwrite`.

use super::check_within;
use crate::function::{FunctionError, Functions, Variadic};
use crate::limits::Budget;
use crate::named::Field;
use crate::stack;
use crate::types::{Kind, Type};
use crate::value::{Key, Map, Struct, Value};

pub(super) fn add(functions: &mut Functions) {
    for (name, must_name, overwrite) in [("merge", "mustMerge", false), ("mergeOverwrite", "mustMergeOverwrite", true)]
    {
        functions.add(name, move |budget: &Budget, map: Map, others: Variadic<Map>| {
            match merge(budget, map, &others.0, overwrite) {
                Err(Failure::Returned(_)) => Ok(Value::from("")),
                Err(Failure::Panicked(error)) => Err(error),
                Ok(map) => Ok(map.into()),
            }
        });
        functions.add(must_name, move |budget: &Budget, map: Map, others: Variadic<Map>| {
            match merge(budget, map, &others.0, overwrite) {
                Err(Failure::Returned(error) | Failure::Panicked(error)) => Err(error),
                Ok(map) => Ok(Value::from(map)),
            }
        });
    }
}

/// Why maps cannot be merged.
enum Failure {
    /// What Go returns as an error, which the plain functions keep silent about.
    Returned(FunctionError),
    /// What Go panics with, and limits.
    Panicked(FunctionError),
}

impl From<FunctionError> for Failure {
    fn from(error: FunctionError) -> Self {
        Self::Panicked(error)
    }
}

fn merge(budget: &Budget, map: Map, others: &[Map], overwrite: bool) -> Result<Map, Failure> {
    let mut map = map;
    let merge = Merge { budget, overwrite };
    for other in others {
        if map.is_nil() && !other.is_nil() {
            map = Map::any();
        }
        merge.fill(&map, other)?;
    }
    Ok(map)
}

struct Merge<'a> {
    budget: &'a Budget,
    /// Whether what is there already gives way.
    overwrite: bool,
}

impl Merge<'_> {
    /// Fills up a map with the entries of another. Maps under the same key are filled in turn.
    fn fill(&self, map: &Map, other: &Map) -> Result<(), Failure> {
        self.budget.allocate_values(other.len())?;
        for (key, new) in other.entries() {
            self.budget.step()?;
            if map.key_type() != other.key_type() {
                return Err(not_assignable("MapIndex", other.key_type(), map.key_type()).into());
            }
            let old = map.get_key(&key);
            if can_be_nil(other.element_type()) && new.is_nil() && !is_boxed_nil(other, &new) {
                if self.overwrite {
                    self.put(map, key, new, other.element_type())?;
                }
                continue;
            }
            match new.kind() {
                Kind::Struct | Kind::Pointer | Kind::Map => {
                    if let Some(old) = &old {
                        self.descend(old, &new)?;
                    }
                }
                Kind::List => self.put_list(map, &key, old.as_ref(), &new)?,
                _ => {}
            }
            let old = old.filter(|old| !is_empty(old));
            let is_done = match (&old, new.kind()) {
                (None, _) => false,
                (Some(_), Kind::List) => true,
                (Some(old), Kind::Map) if old.kind() == Kind::Map => true,
                (Some(_), _) => !self.overwrite || other.element_type().kind() == Kind::Pointer,
            };
            if !is_done {
                self.put(map, key, new, other.element_type())?;
            }
        }
        Ok(())
    }

    /// Merges what stands under the same key. Only maps can change: what holds them is left as it is.
    fn descend(&self, old: &Value, new: &Value) -> Result<(), Failure> {
        self.budget.step()?;
        stack::with_room(|| match (old.underlying(), new.underlying()) {
            (Value::Map(_), Value::Struct(_)) if old.is_nil() => {
                Err(FunctionError::from("reflect: call of reflect.Value.IsNil on struct Value").into())
            }
            (Value::Map(old), Value::Map(new)) if !old.is_nil() => self.fill(old, new),
            (Value::Struct(old), new) => self.descend_struct(old, new),
            (Value::Pointer(old), new) => match (old.target(), new) {
                (None, _) | (_, Value::Nil) => Ok(()),
                (Some(old), Value::Pointer(new)) => new.target().map_or(Ok(()), |new| self.descend(old, new)),
                (Some(_), _) if self.overwrite => Ok(()),
                (Some(old), new) if old.type_of() == new.type_of() => self.descend(old, new),
                _ => Err(Failure::Returned("src and dst must be of same type".into())),
            },
            _ => Ok(()),
        })
    }

    fn descend_struct(&self, old: &Struct, new: &Value) -> Result<(), Failure> {
        let fields = old.struct_type().fields();
        if !fields.iter().any(Field::is_exported) {
            return Ok(());
        }
        let Value::Struct(new) = new else {
            let kind = new.kind().name();
            return Err(FunctionError::new(format!("reflect: call of reflect.Value.Field on {kind} Value")).into());
        };
        for ((field, old), position) in fields.iter().zip(old.fields()).zip(0..) {
            match new.fields().get(position) {
                None => return Err(FunctionError::from("reflect: Field index out of range").into()),
                Some(new) if field.is_exported() && old.kind() == new.kind() => self.descend(old, new)?,
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// A list is never merged with another: either the old one stays or the new one takes its place.
    fn put_list(&self, map: &Map, key: &Key, old: Option<&Value>, new: &Value) -> Result<(), Failure> {
        if old.is_some() && !can_be_nil(map.element_type()) {
            let kind = map.element_type().kind().name();
            return Err(FunctionError::new(format!("reflect: call of reflect.Value.IsNil on {kind} Value")).into());
        }
        if self.overwrite || map.is_empty() || old.is_none_or(Value::is_nil) {
            let list_type = new.type_of().unwrap_or(Type::Any);
            self.put(map, key.clone(), new.clone(), &list_type)?;
        }
        Ok(())
    }

    /// `given` is the type that Go sees: of a value from a `map[string]any` it is `interface {}`.
    fn put(&self, map: &Map, key: Key, value: Value, given: &Type) -> Result<(), Failure> {
        if *map.element_type() != Type::Any && map.element_type() != given {
            return Err(not_assignable("SetMapIndex", given, map.element_type()).into());
        }
        check_within(self.budget, map, &value)?;
        self.budget.allocate_values(2)?;
        map.insert_key(key, value);
        Ok(())
    }
}

fn not_assignable(what: &str, given: &Type, wanted: &Type) -> FunctionError {
    FunctionError::new(format!("reflect.Value.{what}: value of type {given} is not assignable to type {wanted}"))
}

/// Whether it is nil with a type, in a map of any values: then it is not nil itself.
fn is_boxed_nil(map: &Map, value: &Value) -> bool {
    *map.element_type() == Type::Any && !matches!(value, Value::Nil)
}

fn can_be_nil(element: &Type) -> bool {
    matches!(element.kind(), Kind::Interface | Kind::List | Kind::Map | Kind::Function)
}

fn is_empty(value: &Value) -> bool {
    match value.underlying() {
        Value::Pointer(pointer) => pointer.target().is_none_or(is_empty),
        Value::Complex(..) => false,
        value => !value.is_true(),
    }
}
