//! The types of Go, as far as templates can see them.

use std::fmt;
use std::sync::Arc;

use crate::function::{Function, Signature};
use crate::named::NamedType;
use crate::value::{List, Map, Pointer, Struct, Value};

/// A type of Go. It prints as Go's `%T` does: `map[string]interface {}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// `bool`
    Bool,
    /// `int`, `int8` …
    Int(IntKind),
    /// `uint`, `uint8` …
    Uint(UintKind),
    /// `float32` and `float64`
    Float(FloatKind),
    /// `complex128`
    Complex,
    /// `string`
    String,
    /// `interface {}`, also called `any`: a value of any type, or nil
    Any,
    /// `[]T`
    List(Arc<Type>),
    /// `map[K]T`
    Map(Arc<Type>, Arc<Type>),
    /// `*T`
    Pointer(Arc<Type>),
    /// A type with a name: a struct, or another type with methods of its own
    Named(NamedType),
    /// `func(…) …`
    Function(Arc<Signature>),
}

/// Size of a signed integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IntKind {
    /// `int`, of 64 bits
    Int,
    /// `int8`
    Int8,
    /// `int16`
    Int16,
    /// `int32`, also called `rune`
    Int32,
    /// `int64`
    Int64,
}

/// Size of an unsigned integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UintKind {
    /// `uint`, of 64 bits
    Uint,
    /// `uint8`, also called `byte`
    Uint8,
    /// `uint16`
    Uint16,
    /// `uint32`
    Uint32,
    /// `uint64`
    Uint64,
    /// `uintptr`, of 64 bits
    Uintptr,
}

/// Size of a floating-point number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FloatKind {
    /// `float32`
    Float32,
    /// `float64`
    Float64,
}

/// What a type is made of, whatever its name: Go's `reflect.Kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Of no type: nil itself
    Invalid,
    /// `bool`
    Bool,
    /// Signed integers
    Int(IntKind),
    /// Unsigned integers
    Uint(UintKind),
    /// Floating-point numbers
    Float(FloatKind),
    /// `complex128`
    Complex,
    /// `string`
    String,
    /// `interface`
    Interface,
    /// `slice`
    List,
    /// `map`
    Map,
    /// `ptr`
    Pointer,
    /// `struct`
    Struct,
    /// `func`
    Function,
}

impl Type {
    /// `int`
    pub const INT: Self = Self::Int(IntKind::Int);
    /// `int64`
    pub const INT64: Self = Self::Int(IntKind::Int64);
    /// `float64`
    pub const FLOAT64: Self = Self::Float(FloatKind::Float64);

    /// `[]element`
    pub fn list(element: Self) -> Self {
        Self::List(Arc::new(element))
    }

    /// `map[string]element`
    pub fn map(element: Self) -> Self {
        Self::Map(Arc::new(Self::String), Arc::new(element))
    }

    /// `*target`
    pub fn pointer(target: Self) -> Self {
        Self::Pointer(Arc::new(target))
    }

    /// What it is made of.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Bool => Kind::Bool,
            Self::Int(kind) => Kind::Int(*kind),
            Self::Uint(kind) => Kind::Uint(*kind),
            Self::Float(kind) => Kind::Float(*kind),
            Self::Complex => Kind::Complex,
            Self::String => Kind::String,
            Self::Any => Kind::Interface,
            Self::List(_) => Kind::List,
            Self::Map(..) => Kind::Map,
            Self::Pointer(_) => Kind::Pointer,
            Self::Named(named) => named.kind(),
            Self::Function(_) => Kind::Function,
        }
    }

    /// Whether it is `interface {}`. A comparison says so too, but takes longer.
    pub(crate) fn is_any(&self) -> bool {
        matches!(self, Self::Any)
    }

    /// Whether nil may stand for a value of it.
    pub fn can_be_nil(&self) -> bool {
        matches!(self.kind(), Kind::Interface | Kind::List | Kind::Map | Kind::Pointer | Kind::Function)
    }

    /// The value of a variable that was never set: 0, "", false, nil, or a struct of such.
    pub fn zero(&self) -> Value {
        match self {
            Self::Bool => Value::Bool(false),
            Self::Int(kind) => Value::Int(0, *kind),
            Self::Uint(kind) => Value::Uint(0, *kind),
            Self::Float(kind) => Value::Float(0.0, *kind),
            Self::Complex => Value::Complex(0.0, 0.0),
            Self::String => Value::String("".into()),
            Self::Any => Value::Nil,
            Self::Function(signature) => Function::nil((**signature).clone()).into(),
            Self::List(element) => List::nil((**element).clone()).into(),
            Self::Map(key, element) => Map::nil((**key).clone(), (**element).clone()).into(),
            Self::Pointer(target) => Pointer::nil((**target).clone()).into(),
            Self::Named(named) => match named.underlying() {
                Some(underlying) => Value::named(named.clone(), underlying.zero()),
                None => Struct::zero(named.clone()).into(),
            },
        }
    }

    /// The value where this type is wanted, if Go lets it be assigned. Of two types for lists, maps, pointers or functions
    /// only one need have a name, and that of this type counts.
    pub(crate) fn assign(&self, value: &Value) -> Option<Value> {
        match (self, value) {
            (Self::Any, _) | (Self::String, Value::String(_)) | (Self::Bool, Value::Bool(_)) => Some(value.clone()),
            (Self::Int(wanted), Value::Int(_, kind)) => (wanted == kind).then(|| value.clone()),
            (_, Value::Nil) => self.can_be_nil().then(|| self.zero()),
            (Self::Named(named), Value::List(_) | Value::Map(_) | Value::Pointer(_) | Value::Function(_)) => {
                let underlying = named.underlying()?.assign(value)?;
                Some(Value::named(named.clone(), underlying))
            }
            (Self::List(_) | Self::Map(..) | Self::Pointer(_) | Self::Function(_), Value::Named(named)) => {
                self.assign(named.value())
            }
            _ => value.type_of().filter(|given| given == self).map(|_| value.clone()),
        }
    }
}

impl Kind {
    /// As Go's `reflect.Kind` prints: `slice`, `ptr`, `float64`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Bool => "bool",
            Self::Int(kind) => kind.name(),
            Self::Uint(kind) => kind.name(),
            Self::Float(kind) => kind.name(),
            Self::Complex => "complex128",
            Self::String => "string",
            Self::Interface => "interface",
            Self::List => "slice",
            Self::Map => "map",
            Self::Pointer => "ptr",
            Self::Struct => "struct",
            Self::Function => "func",
        }
    }
}

impl IntKind {
    /// As Go writes it: `int`, `int8` …
    pub fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
        }
    }

    /// The low bits of `value`, as Go's conversion takes them.
    pub fn wrap(self, value: i64) -> i64 {
        match self {
            Self::Int | Self::Int64 => value,
            Self::Int8 => i64::from(value as i8),
            Self::Int16 => i64::from(value as i16),
            Self::Int32 => i64::from(value as i32),
        }
    }
}

impl UintKind {
    /// As Go writes it: `uint`, `uint8` …
    pub fn name(self) -> &'static str {
        match self {
            Self::Uint => "uint",
            Self::Uint8 => "uint8",
            Self::Uint16 => "uint16",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
            Self::Uintptr => "uintptr",
        }
    }

    /// The low bits of `value`, as Go's conversion takes them.
    pub fn wrap(self, value: u64) -> u64 {
        match self {
            Self::Uint | Self::Uint64 | Self::Uintptr => value,
            Self::Uint8 => u64::from(value as u8),
            Self::Uint16 => u64::from(value as u16),
            Self::Uint32 => u64::from(value as u32),
        }
    }
}

impl FloatKind {
    /// As Go writes it: `float32` or `float64`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Float32 => "float32",
            Self::Float64 => "float64",
        }
    }

    /// The nearest number of that size.
    pub fn round(self, value: f64) -> f64 {
        match self {
            Self::Float32 => f64::from(value as f32),
            Self::Float64 => value,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("interface {}"),
            Self::List(element) => write!(f, "[]{element}"),
            Self::Map(key, element) => write!(f, "map[{key}]{element}"),
            Self::Pointer(target) => write!(f, "*{target}"),
            Self::Named(named) => fmt::Display::fmt(named.name(), f),
            Self::Function(signature) => fmt::Display::fmt(signature, f),
            scalar => f.write_str(scalar.kind().name()),
        }
    }
}
