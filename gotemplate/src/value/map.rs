//! Maps.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashSet};
use std::mem;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use super::{Value, release};
use crate::function::FunctionError;
use crate::limits::Budget;
use crate::named::NamedType;
use crate::text::Str;
use crate::types::{FloatKind, IntKind, Type, UintKind};

/// A map of Go, whose keys are strings mostly. Its clones are the same map: a change is seen by all of them.
#[derive(Clone, Debug)]
pub struct Map(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    key: Type,
    element: Type,
    is_nil: bool,
    /// As it was made. Few maps ever change, and these are read without a lock.
    made: Entries,
    /// As it is, once it was changed.
    changed: OnceLock<RwLock<Entries>>,
}

#[derive(Clone, Debug)]
enum Entries {
    /// Apart from the others, since a text can be looked up here without a [`Key`].
    Text(BTreeMap<Str, Value>),
    Other(BTreeMap<Key, Value>),
}

/// A key of a map, ordered as Go prints and ranges: false before true, numbers by value, texts by bytes.
#[derive(Clone, Debug)]
pub enum Key {
    /// `bool`
    Bool(bool),
    /// A signed integer
    Int(i64, IntKind),
    /// An unsigned integer
    Uint(u64, UintKind),
    /// A floating-point number; NaN comes first
    Float(f64, FloatKind),
    /// `string`
    String(Str),
    /// One of the others, of a type with a name. Ordered and found as that without the name.
    Named(NamedType, Box<Key>),
}

impl Map {
    /// An empty `map[string]element`.
    pub fn new(element: Type) -> Self {
        Self::with_keys(Type::String, element)
    }

    /// An empty `map[string]interface {}`.
    pub fn any() -> Self {
        Self::new(Type::Any)
    }

    /// An empty `map[key]element`. The key is of a type that [`Key`] has.
    pub fn with_keys(key: Type, element: Type) -> Self {
        Self::empty(key, element, false)
    }

    /// A nil map, which is empty and stays so.
    pub fn nil(key: Type, element: Type) -> Self {
        Self::empty(key, element, true)
    }

    /// `map[string]element` of these entries, which must be of that type. Of equal keys the last counts.
    pub fn of<K: Into<Str>>(element: Type, entries: impl IntoIterator<Item = (K, Value)>) -> Self {
        let entries = entries.into_iter().map(|(key, value)| (key.into(), value)).collect();
        Self::make(Type::String, element, false, Entries::Text(entries))
    }

    fn empty(key: Type, element: Type, is_nil: bool) -> Self {
        let entries = match key {
            Type::String => Entries::Text(BTreeMap::new()),
            _ => Entries::Other(BTreeMap::new()),
        };
        Self::make(key, element, is_nil, entries)
    }

    fn make(key: Type, element: Type, is_nil: bool, made: Entries) -> Self {
        Self(Arc::new(Shared { key, element, is_nil, made, changed: OnceLock::new() }))
    }

    /// Whether it is nil, not only empty.
    pub fn is_nil(&self) -> bool {
        self.0.is_nil
    }

    /// Whether both are the same map, not only equal ones.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whether nobody else holds it: it was made just now.
    pub(crate) fn is_unshared(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    /// The type of its keys.
    pub fn key_type(&self) -> &Type {
        &self.0.key
    }

    /// The type of its values.
    pub fn element_type(&self) -> &Type {
        &self.0.element
    }

    /// Its own type.
    pub fn map_type(&self) -> Type {
        Type::Map(Arc::new(self.0.key.clone()), Arc::new(self.0.element.clone()))
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.look(|entries| match entries {
            Entries::Text(entries) => entries.len(),
            Entries::Other(entries) => entries.len(),
        })
    }

    /// Whether it has no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of a key that is a string.
    pub fn get(&self, key: impl AsRef<[u8]>) -> Option<Value> {
        self.look(|entries| match entries {
            Entries::Text(entries) => entries.get(key.as_ref()).cloned(),
            Entries::Other(_) => None,
        })
    }

    /// The value of a key that is a string, where it is. None unless the map has such keys and was never changed.
    pub(crate) fn peek(&self, key: &[u8]) -> Option<Option<&Value>> {
        match (&self.0.made, self.0.changed.get()) {
            (Entries::Text(entries), None) => Some(entries.get(key)),
            _ => None,
        }
    }

    /// The value of any key.
    pub fn get_key(&self, key: &Key) -> Option<Value> {
        self.look(|entries| match (entries, key.underlying()) {
            (Entries::Text(entries), Key::String(text)) => entries.get(text).cloned(),
            (Entries::Text(_), _) => None,
            (Entries::Other(entries), key) => entries.get(key).cloned(),
        })
    }

    /// Sets the value of a key that is a string. A nil map, and one with other keys, stays as it is.
    ///
    /// The value must not contain the map: see [`Map::is_within`].
    pub fn insert(&self, key: impl Into<Str>, value: Value) {
        self.insert_key(Key::String(key.into()), value);
    }

    /// Sets the value of any key, as [`Map::insert`] does.
    pub fn insert_key(&self, key: Key, value: Value) {
        if self.0.is_nil {
            return;
        }
        // What was there is dropped after the lock is released.
        let _old = self.change(|entries| match (entries, key) {
            (Entries::Text(entries), Key::String(text)) => entries.insert(text, value),
            (Entries::Text(_), _) => None,
            (Entries::Other(entries), key) => entries.insert(key.of_type(&self.0.key), value),
        });
    }

    /// Removes a key that is a string.
    pub fn remove(&self, key: impl AsRef<[u8]>) -> Option<Value> {
        self.change(|entries| match entries {
            Entries::Text(entries) => entries.remove(key.as_ref()),
            Entries::Other(_) => None,
        })
    }

    /// The entries as they are now, in the order of their keys.
    pub fn entries(&self) -> Vec<(Key, Value)> {
        self.look(|entries| match entries {
            Entries::Text(entries) => {
                entries.iter().map(|(key, value)| (Key::String(key.clone()), value.clone())).collect()
            }
            Entries::Other(entries) => entries.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
        })
    }

    /// Whether `value` is this map or holds it somewhere: then it cannot become a value of it, or nothing could print
    /// or free them again.
    ///
    /// # Errors
    /// When the budget does not suffice for a walk over all that `value` holds.
    pub fn is_within(&self, value: &Value, budget: &Budget) -> Result<bool, FunctionError> {
        let mut seen = HashSet::new();
        let mut pending = vec![value.clone()];
        while let Some(value) = pending.pop() {
            budget.step()?;
            match value {
                Value::Map(map) if self.is_same(&map) => return Ok(true),
                Value::Map(map) if seen.insert(Arc::as_ptr(&map.0).cast::<()>()) => {
                    budget.work(map.len() as u64)?;
                    pending.extend(map.containers());
                }
                Value::List(list) if seen.insert(list.as_ptr().cast::<()>()) => {
                    budget.work(list.len() as u64)?;
                    pending.extend(list.iter().filter(|item| release::holds_values(item)).cloned());
                }
                Value::Struct(structure) => pending.extend_from_slice(structure.fields()),
                Value::Pointer(pointer) => pending.extend(pointer.target().cloned()),
                Value::Named(named) => pending.push(named.value().clone()),
                _ => {}
            }
        }
        Ok(false)
    }

    /// The values that hold values in turn.
    fn containers(&self) -> Vec<Value> {
        let holds_values = |value: &&Value| release::holds_values(value);
        self.look(|entries| match entries {
            Entries::Text(entries) => entries.values().filter(holds_values).cloned().collect(),
            Entries::Other(entries) => entries.values().filter(holds_values).cloned().collect(),
        })
    }

    /// One with the same keys and other values.
    pub(super) fn mapped(&self, change: impl FnMut(&Value) -> Value) -> Self {
        // The lock is not held while the values are made.
        let entries = match self.look(Entries::clone) {
            Entries::Text(entries) => Entries::Text(mapped(entries, change)),
            Entries::Other(entries) => Entries::Other(mapped(entries, change)),
        };
        Self::make(self.0.key.clone(), self.0.element.clone(), self.0.is_nil, entries)
    }

    pub(super) fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// Takes the values out, when nobody else holds the map.
    pub(super) fn take(&mut self) -> Vec<Value> {
        Arc::get_mut(&mut self.0).map(Shared::take).unwrap_or_default()
    }

    fn look<R>(&self, look: impl FnOnce(&Entries) -> R) -> R {
        match self.0.changed.get() {
            None => look(&self.0.made),
            // Nothing in here panics half-way through a change, so the entries are whole.
            Some(changed) => look(&changed.read().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    fn change<R>(&self, change: impl FnOnce(&mut Entries) -> R) -> R {
        let changed = self.0.changed.get_or_init(|| RwLock::new(self.0.made.clone()));
        change(&mut changed.write().unwrap_or_else(PoisonError::into_inner))
    }
}

fn mapped<K: Ord>(entries: BTreeMap<K, Value>, mut change: impl FnMut(&Value) -> Value) -> BTreeMap<K, Value> {
    entries.into_iter().map(|(key, value)| (key, change(&value))).collect()
}

impl Entries {
    fn take(&mut self) -> Vec<Value> {
        match self {
            Self::Text(entries) => mem::take(entries).into_values().collect(),
            Self::Other(entries) => mem::take(entries).into_values().collect(),
        }
    }
}

impl Shared {
    fn take(&mut self) -> Vec<Value> {
        let mut values = self.made.take();
        if let Some(changed) = self.changed.take() {
            values.append(&mut changed.into_inner().unwrap_or_else(PoisonError::into_inner).take());
        }
        values
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        release::all(self.take());
    }
}

impl Key {
    /// `value` as a key, if it can be one.
    pub fn of(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Named(named) => {
                Self::Named(named.named_type().clone(), Box::new(Self::of(named.value())?.into_underlying()))
            }
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(value, kind) => Self::Int(*value, *kind),
            Value::Uint(value, kind) => Self::Uint(*value, *kind),
            Value::Float(value, kind) => Self::Float(*value, *kind),
            Value::String(text) => Self::String(text.clone()),
            _ => return None,
        })
    }

    /// The key as a value.
    pub fn into_value(self) -> Value {
        match self {
            Self::Bool(value) => Value::Bool(value),
            Self::Int(value, kind) => Value::Int(value, kind),
            Self::Uint(value, kind) => Value::Uint(value, kind),
            Self::Float(value, kind) => Value::Float(value, kind),
            Self::String(text) => Value::String(text),
            Self::Named(named, key) => Value::named(named, key.into_value()),
        }
    }

    /// The key without its name.
    pub fn underlying(&self) -> &Self {
        match self {
            Self::Named(_, key) => key.underlying(),
            key => key,
        }
    }

    fn into_underlying(self) -> Self {
        match self {
            Self::Named(_, key) => key.into_underlying(),
            key => key,
        }
    }

    /// With the name that keys of a map have.
    fn of_type(self, wanted: &Type) -> Self {
        match wanted {
            Type::Named(named) => Self::Named(named.clone(), Box::new(self.into_underlying())),
            _ => self,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Int(..) => 0,
            Self::Uint(..) => 1,
            Self::Float(..) => 2,
            Self::String(_) => 3,
            Self::Bool(_) => 4,
            Self::Named(_, key) => key.rank(),
        }
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.underlying(), other.underlying()) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Int(a, _), Self::Int(b, _)) => a.cmp(b),
            (Self::Uint(a, _), Self::Uint(b, _)) => a.cmp(b),
            (Self::Float(a, _), Self::Float(b, _)) => a.partial_cmp(b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan())),
            (Self::String(a), Self::String(b)) => a.cmp(b),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Key {}
