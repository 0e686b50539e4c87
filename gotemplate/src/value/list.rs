//! Slices.

use std::ops::Deref;
use std::sync::Arc;

use super::{Value, release};
use crate::types::Type;

/// A slice of Go. It dereferences to its items.
///
/// Its capacity is its length, unless it is a part of a longer one.
#[derive(Clone, Debug)]
pub struct List(pub(super) Arc<Items>);

#[derive(Debug)]
pub(super) struct Items {
    element: Type,
    /// Absent in a nil slice.
    items: Option<Vec<Value>>,
    /// Of a part: the list that it is a part of, where it begins there, and where what it can reach ends.
    whole: Option<(List, usize, usize)>,
}

impl List {
    /// `[]element`. The items must be of that type.
    pub fn new(element: Type, items: Vec<Value>) -> Self {
        Self(Arc::new(Items { element, items: Some(items), whole: None }))
    }

    /// `[]interface {}`
    pub fn any(items: Vec<Value>) -> Self {
        Self::new(Type::Any, items)
    }

    /// A nil slice, which is empty.
    pub fn nil(element: Type) -> Self {
        Self(Arc::new(Items { element, items: None, whole: None }))
    }

    /// Whether it is nil, not only empty.
    pub fn is_nil(&self) -> bool {
        self.0.items.is_none()
    }

    /// The type of its items.
    pub fn element_type(&self) -> &Type {
        &self.0.element
    }

    /// What a part of it can reach: `slice` may go beyond the end of a part, up to here.
    pub fn capacity(&self) -> usize {
        self.0.whole.as_ref().map_or(self.len(), |(_, start, end)| end - start)
    }

    /// The items from `start` to before `end`, as a part that reaches to `capacity`: Go's `list[start:end:capacity]`.
    /// None unless `start <= end <= capacity`, and this list reaches so far.
    pub fn part(&self, start: usize, end: usize, capacity: usize) -> Option<Self> {
        if self.is_nil() {
            return (capacity == 0 && start == 0 && end == 0).then(|| self.clone());
        }
        let (whole, offset) = self.0.whole.as_ref().map_or((self, 0), |(whole, start, _)| (whole, *start));
        if capacity > self.capacity() || end > capacity {
            return None;
        }
        let items = whole.get(offset + start..offset + end)?.to_vec();
        let whole = Some((whole.clone(), offset + start, offset + capacity));
        Some(Self(Arc::new(Items { element: self.element_type().clone(), items: Some(items), whole })))
    }

    /// Whether both are the same list, not only equal ones.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whether nobody else holds it: it was made just now.
    pub(crate) fn is_unshared(&self) -> bool {
        Arc::strong_count(&self.0) == 1
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
