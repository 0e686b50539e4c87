//! Parameters of Istio's functions that are Go types of their own.

use gotemplate::{FromArgument, FunctionError, IntoReturn, List, Map, Pointer, Str, Struct, Type, Value};

use crate::template::schema::named_type;

/// `map[string]string`
pub(super) struct Texts(pub(super) Map);

/// `v1.ObjectMeta`
pub(super) struct Metadata(Struct);

/// `[]v1.Container`
pub(super) struct Containers(List);

/// `*v1alpha1.MeshConfig`, nil included
pub(super) struct Mesh(Pointer);

/// `*durationpb.Duration`, nil included
pub(super) struct Duration(Pointer);

impl Texts {
    pub(super) fn get(&self, key: impl AsRef<[u8]>) -> Option<Str> {
        match self.0.get(key) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        }
    }
}

impl Metadata {
    /// The value of an annotation, if there is one of that name.
    pub(super) fn annotation(&self, name: &Str) -> Option<Str> {
        match self.0.field("Annotations") {
            Some(Value::Map(annotations)) => Texts(annotations.clone()).get(name),
            _ => None,
        }
    }
}

impl Containers {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Struct> {
        self.0.iter().filter_map(|container| match container {
            Value::Struct(container) => Some(container),
            _ => None,
        })
    }
}

impl Mesh {
    /// Elements of a list of messages in it.
    pub(super) fn messages(&self, list: &str) -> Vec<Struct> {
        match self.0.target().and_then(message).and_then(|mesh| mesh.field(list)) {
            Some(Value::List(items)) => items.iter().filter_map(message).cloned().collect(),
            _ => Vec::new(),
        }
    }
}

impl Duration {
    pub(super) fn nanoseconds(&self) -> i64 {
        let part = |name: &str| match self.0.target().and_then(message).and_then(|duration| duration.field(name)) {
            Some(Value::Int(value, _)) => *value,
            _ => 0,
        };
        part("Seconds").saturating_mul(1_000_000_000).saturating_add(part("Nanos"))
    }
}

/// The struct that a value is or points to.
pub(super) fn message(value: &Value) -> Option<&Struct> {
    match value {
        Value::Struct(structure) => Some(structure),
        Value::Pointer(pointer) => pointer.target().and_then(message),
        _ => None,
    }
}

/// The text in a field, also of a named type.
pub(super) fn text_of(structure: &Struct, field: &str) -> Str {
    match structure.field(field).map(Value::underlying) {
        Some(Value::String(text)) => text.clone(),
        _ => Str::default(),
    }
}

impl IntoReturn for Texts {
    fn result_type() -> Type {
        Type::map(Type::String)
    }

    fn into_return(self) -> Result<Value, FunctionError> {
        Ok(self.0.into())
    }
}

macro_rules! arguments {
    ($($rust:ident: $go:expr, $pattern:pat => $argument:expr;)*) => {$(
        impl FromArgument for $rust {
            fn parameter_type() -> Type {
                $go
            }

            fn from_argument(value: &Value) -> Result<Self, FunctionError> {
                match value {
                    $pattern => Ok(Self($argument)),
                    _ => Err(FunctionError::new(format!("wrong type for value; expected {}", Self::parameter_type()))),
                }
            }
        }
    )*};
}

arguments! {
    Texts: Type::map(Type::String), Value::Map(map) => map.clone();
    Metadata: named_type("v1.ObjectMeta"), Value::Struct(metadata) => metadata.clone();
    Containers: Type::list(named_type("v1.Container")), Value::List(containers) => containers.clone();
    Mesh: Type::pointer(named_type("v1alpha1.MeshConfig")), Value::Pointer(mesh) => mesh.clone();
    Duration: Type::pointer(named_type("durationpb.Duration")), Value::Pointer(duration) => duration.clone();
}
