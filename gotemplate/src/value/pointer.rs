//! Pointers.

use std::sync::Arc;

use super::{Value, release};
use crate::types::Type;

/// A pointer of Go, or nil with a type. What it points to never changes.
#[derive(Clone, Debug)]
pub struct Pointer(pub(super) Arc<Place>);

#[derive(Debug)]
pub(super) struct Place {
    target_type: Type,
    target: Option<Value>,
}

impl Pointer {
    /// A pointer to a value.
    pub fn new(target: Value) -> Self {
        let target_type = target.type_of().unwrap_or(Type::Any);
        Self(Arc::new(Place { target_type, target: Some(target) }))
    }

    /// A nil pointer to that type.
    pub fn nil(target_type: Type) -> Self {
        Self(Arc::new(Place { target_type, target: None }))
    }

    /// What it points to; none for nil.
    pub fn target(&self) -> Option<&Value> {
        self.0.target.as_ref()
    }

    /// The type of what it points to.
    pub fn target_type(&self) -> &Type {
        &self.0.target_type
    }

    /// Whether both point to the same place, or both are nil.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || (self.target().is_none() && other.target().is_none())
    }

    /// One of the same type to another value.
    pub(super) fn with_target(&self, target: Value) -> Self {
        Self(Arc::new(Place { target_type: self.target_type().clone(), target: Some(target) }))
    }

    pub(super) fn take(&mut self) -> Option<Value> {
        Arc::get_mut(&mut self.0).and_then(|place| place.target.take())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        release::all(self.target.take());
    }
}
