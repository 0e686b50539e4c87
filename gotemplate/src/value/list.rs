//! Slices.

use std::ops::Deref;
use std::sync::Arc;

use super::{Value, release};
use crate::types::Type;

/// A slice of Go. It dereferences to its items.
///
/// Its capacity is its length: nothing lies behind its end that `slice` could reach.
#[derive(Clone, Debug)]
pub struct List(Arc<Items>);

#[derive(Debug)]
struct Items {
    element: Type,
    /// Absent in a nil slice.
    items: Option<Vec<Value>>,
}

impl List {
    /// `[]element`. The items must be of that type.
    pub fn new(element: Type, items: Vec<Value>) -> Self {
        Self(Arc::new(Items { element, items: Some(items) }))
    }

    /// `[]interface {}`
    pub fn any(items: Vec<Value>) -> Self {
        Self::new(Type::Any, items)
    }

    /// A nil slice, which is empty.
    pub fn nil(element: Type) -> Self {
        Self(Arc::new(Items { element, items: None }))
    }

    /// Whether it is nil, not only empty.
    pub fn is_nil(&self) -> bool {
        self.0.items.is_none()
    }

    /// The type of its items.
    pub fn element_type(&self) -> &Type {
        &self.0.element
    }

    /// Whether both are the same list, not only equal ones.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Takes the items out, when nobody else holds the list.
    pub(super) fn take(&mut self) -> Vec<Value> {
        Arc::get_mut(&mut self.0).and_then(|items| items.items.take()).unwrap_or_default()
    }
}

impl Deref for List {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        self.0.items.as_deref().unwrap_or_default()
    }
}

impl Drop for Items {
    fn drop(&mut self) {
        if let Some(items) = self.items.take() {
            release::all(items);
        }
    }
}
