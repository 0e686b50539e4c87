//! Values as templates see them: Go's, with their types.

mod convert;
mod copy;
mod equality;
mod list;
mod map;
mod pointer;
mod release;
mod serialize;
mod structure;

use std::sync::Arc;

use copy::Copier;
pub(crate) use equality::{deep_equal, is_comparable, same};
pub use list::List;
pub use map::{Key, Map};
pub use pointer::Pointer;
pub use serialize::SerializeError;
pub use structure::{Named, Struct};

use crate::function::Function;
use crate::named::NamedType;
use crate::text::Str;
use crate::types::{FloatKind, IntKind, Kind, Type, UintKind};

/// A value of Go.
///
/// A clone shares what it is made of. Lists and structs never change; a map does when a template calls sprig's `set`,
/// `unset` or `merge`, and then every clone of it sees the change, as in Go. Data that must not change is handed to each
/// execution as a [`Value::deep_clone`].
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// Nil without a type: what an absent key gives, and `null` in JSON
    #[default]
    Nil,
    /// `bool`
    Bool(bool),
    /// A signed integer; the value is within its size
    Int(i64, IntKind),
    /// An unsigned integer; the value is within its size
    Uint(u64, UintKind),
    /// A floating-point number
    Float(f64, FloatKind),
    /// `complex128`: real and imaginary part
    Complex(f64, f64),
    /// `string`
    String(Str),
    /// A slice
    List(List),
    /// A map
    Map(Map),
    /// A struct
    Struct(Struct),
    /// A pointer, or nil with a type
    Pointer(Pointer),
    /// A value of a named type that is not a struct
    Named(Named),
    /// A function
    Function(Function),
}

impl Value {
    /// An `int`.
    pub fn int(value: i64) -> Self {
        Self::Int(value, IntKind::Int)
    }

    /// A `float64`.
    pub fn float(value: f64) -> Self {
        Self::Float(value, FloatKind::Float64)
    }

    /// A `string`.
    pub fn string(text: impl Into<Str>) -> Self {
        Self::String(text.into())
    }

    /// `value`, of the underlying type of `named`, as a value of that type.
    pub fn named(named: NamedType, value: Self) -> Self {
        Self::Named(Named::new(named, value))
    }

    /// Its type; none for nil without one.
    pub fn type_of(&self) -> Option<Type> {
        Some(match self {
            Self::Nil => return None,
            Self::Bool(_) => Type::Bool,
            Self::Int(_, kind) => Type::Int(*kind),
            Self::Uint(_, kind) => Type::Uint(*kind),
            Self::Float(_, kind) => Type::Float(*kind),
            Self::Complex(..) => Type::Complex,
            Self::String(_) => Type::String,
            Self::List(list) => Type::list(list.element_type().clone()),
            Self::Map(map) => map.map_type(),
            Self::Struct(structure) => Type::Named(structure.struct_type().clone()),
            Self::Pointer(pointer) => Type::pointer(pointer.target_type().clone()),
            Self::Named(named) => Type::Named(named.named_type().clone()),
            Self::Function(function) => Type::Function(Arc::clone(function.signature())),
        })
    }

    /// What its type is made of.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Nil => Kind::Invalid,
            Self::Bool(_) => Kind::Bool,
            Self::Int(_, kind) => Kind::Int(*kind),
            Self::Uint(_, kind) => Kind::Uint(*kind),
            Self::Float(_, kind) => Kind::Float(*kind),
            Self::Complex(..) => Kind::Complex,
            Self::String(_) => Kind::String,
            Self::List(_) => Kind::List,
            Self::Map(_) => Kind::Map,
            Self::Struct(_) => Kind::Struct,
            Self::Pointer(_) => Kind::Pointer,
            Self::Named(named) => named.named_type().kind(),
            Self::Function(_) => Kind::Function,
        }
    }

    /// The value without its name: an `int32` for a `Mode` that is made from one.
    pub fn underlying(&self) -> &Self {
        match self {
            Self::Named(named) => named.value(),
            value => value,
        }
    }

    /// Nil, with a type or without.
    pub fn is_nil(&self) -> bool {
        match self.underlying() {
            Self::Nil => true,
            Self::List(list) => list.is_nil(),
            Self::Map(map) => map.is_nil(),
            Self::Pointer(pointer) => pointer.target().is_none(),
            Self::Function(function) => function.is_nil(),
            _ => false,
        }
    }

    /// What `if` makes of it: false for false, 0, nil and whatever is empty. A struct is always true.
    pub fn is_true(&self) -> bool {
        match self.underlying() {
            Self::Nil => false,
            Self::Bool(value) => *value,
            Self::Int(value, _) => *value != 0,
            Self::Uint(value, _) => *value != 0,
            Self::Float(value, _) => *value != 0.0,
            Self::Complex(real, imaginary) => *real != 0.0 || *imaginary != 0.0,
            Self::String(text) => !text.as_bytes().is_empty(),
            Self::List(list) => !list.is_empty(),
            Self::Map(map) => !map.is_empty(),
            Self::Pointer(pointer) => pointer.target().is_some(),
            Self::Function(function) => !function.is_nil(),
            Self::Struct(_) | Self::Named(_) => true,
        }
    }

    /// A copy that shares no map with this value, for an execution that may change maps. What is shared within the value
    /// is shared within the copy.
    #[must_use]
    pub fn deep_clone(&self) -> Self {
        Copier::default().copy(self)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text.into())
    }
}

impl From<Str> for Value {
    fn from(text: Str) -> Self {
        Self::String(text)
    }
}

impl From<List> for Value {
    fn from(list: List) -> Self {
        Self::List(list)
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}

impl From<Struct> for Value {
    fn from(structure: Struct) -> Self {
        Self::Struct(structure)
    }
}

impl From<Pointer> for Value {
    fn from(pointer: Pointer) -> Self {
        Self::Pointer(pointer)
    }
}

impl From<Function> for Value {
    fn from(function: Function) -> Self {
        Self::Function(function)
    }
}
