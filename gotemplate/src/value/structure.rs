//! Structs, and other values of named types.

use std::any::Any;
use std::fmt;
use std::mem;
use std::sync::Arc;

use super::{Value, release};
use crate::named::NamedType;
use crate::text::Str;

/// A struct of Go. It never changes.
#[derive(Clone)]
pub struct Struct(pub(super) Arc<Contents>);

pub(super) struct Contents {
    struct_type: NamedType,
    fields: Vec<Value>,
    hidden: Option<Arc<dyn Any + Send + Sync>>,
}

impl Struct {
    /// A struct in which every field is zero.
    pub fn zero(struct_type: NamedType) -> Self {
        let fields = zeros(&struct_type);
        Self(Arc::new(Contents { struct_type, fields, hidden: None }))
    }

    /// A struct of these fields; the others are zero. Names that the type does not have are left out.
    ///
    /// The values must be of the types of the fields.
    pub fn new<K: AsRef<[u8]>>(struct_type: NamedType, fields: impl IntoIterator<Item = (K, Value)>) -> Self {
        let mut given: Vec<Option<Value>> = struct_type.fields().iter().map(|_| None).collect();
        for (name, value) in fields {
            if let Some(position) = struct_type.position(name.as_ref()) {
                given[position] = Some(value);
            }
        }
        let with_zeros = given.into_iter().zip(struct_type.fields());
        let fields = with_zeros.map(|(value, field)| value.unwrap_or_else(|| field.field_type.zero())).collect();
        Self(Arc::new(Contents { struct_type, fields, hidden: None }))
    }

    /// A struct that shows no fields, for values of Rust that only the methods of the type know.
    pub fn hiding(struct_type: NamedType, hidden: impl Any + Send + Sync) -> Self {
        let fields = zeros(&struct_type);
        Self(Arc::new(Contents { struct_type, fields, hidden: Some(Arc::new(hidden)) }))
    }

    /// What [`Struct::hiding`] was given.
    pub fn hidden<T: Any>(&self) -> Option<&T> {
        self.0.hidden.as_deref().and_then(<dyn Any + Send + Sync>::downcast_ref)
    }

    /// Whether it was given something to hide.
    pub(crate) fn is_hiding(&self) -> bool {
        self.0.hidden.is_some()
    }

    /// Whether both are the same struct, not only equal ones.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Its type.
    pub fn struct_type(&self) -> &NamedType {
        &self.0.struct_type
    }

    /// The values of its fields, in the order of the type.
    pub fn fields(&self) -> &[Value] {
        &self.0.fields
    }

    /// The value of a field; none when the type has no such field.
    pub fn field(&self, name: impl AsRef<[u8]>) -> Option<&Value> {
        self.0.struct_type.position(name.as_ref()).and_then(|position| self.0.fields.get(position))
    }

    /// Fields with their names.
    pub fn entries(&self) -> impl Iterator<Item = (&Str, &Value)> {
        self.0.struct_type.fields().iter().map(|field| &field.name).zip(&self.0.fields)
    }

    /// One of the same type and with the same hidden value, but of these fields.
    pub(super) fn with_fields(&self, fields: Vec<Value>) -> Self {
        let Contents { struct_type, hidden, .. } = &*self.0;
        Self(Arc::new(Contents { struct_type: struct_type.clone(), fields, hidden: hidden.clone() }))
    }

    pub(super) fn take(&mut self) -> Vec<Value> {
        Arc::get_mut(&mut self.0).map(|contents| mem::take(&mut contents.fields)).unwrap_or_default()
    }
}

fn zeros(struct_type: &NamedType) -> Vec<Value> {
    struct_type.fields().iter().map(|field| field.field_type.zero()).collect()
}

impl Drop for Contents {
    fn drop(&mut self) {
        release::all(mem::take(&mut self.fields));
    }
}

impl fmt::Debug for Struct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(&self.struct_type().name().to_text()).field("fields", &self.fields()).finish_non_exhaustive()
    }
}

/// A value of a named type that is not a struct.
#[derive(Clone, Debug)]
pub struct Named(pub(super) Arc<Contained>);

#[derive(Debug)]
pub(super) struct Contained {
    named_type: NamedType,
    value: Value,
}

impl Named {
    /// `value`, of the underlying type of `named_type`, as a value of that type.
    pub fn new(named_type: NamedType, value: Value) -> Self {
        // A type that is made from another with a name has what that is made from.
        let value = value.underlying().clone();
        Self(Arc::new(Contained { named_type, value }))
    }

    /// Its type.
    pub fn named_type(&self) -> &NamedType {
        &self.0.named_type
    }

    /// The value without its name.
    pub fn value(&self) -> &Value {
        &self.0.value
    }

    pub(super) fn take(&mut self) -> Value {
        Arc::get_mut(&mut self.0).map(|contained| mem::take(&mut contained.value)).unwrap_or_default()
    }
}
