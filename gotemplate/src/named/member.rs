//! Fields and methods by name, those of embedded structs included.

use super::{Method, NamedType};
use crate::types::{Kind, Type};

/// What a name behind a dot stands for in a type.
pub(crate) struct Member<T> {
    pub(crate) found: T,
    /// Positions of the embedded fields that lead to the type that has it; empty when the type itself does.
    pub(crate) path: Vec<usize>,
}

/// A type that is embedded, or the outermost one.
struct Embedded<'t> {
    named: &'t NamedType,
    path: Vec<usize>,
}

impl NamedType {
    /// The field that a template reads by that name: the one that is embedded least deeply, unless there are several.
    pub(crate) fn find_field(&self, name: &[u8]) -> Option<Member<usize>> {
        self.find(|named| named.position(name))
    }

    /// The method that a template calls by that name, found as [`NamedType::find_field`] finds a field. A field that is
    /// embedded less deeply, or as deeply, hides it.
    pub(crate) fn find_method(&self, name: &[u8]) -> Option<Member<&Method>> {
        let Member { found, path } = self.find(|named| own_method(named, name))?;
        Some(Member { found: found?, path })
    }

    fn find<'t, T>(&'t self, own: impl Fn(&'t Self) -> Option<T>) -> Option<Member<T>> {
        if let Some(found) = own(self) {
            return Some(Member { found, path: Vec::new() });
        }
        let mut seen = vec![self];
        let mut level = embedded(&Embedded { named: self, path: Vec::new() });
        while !level.is_empty() {
            let mut hits = level.iter().filter_map(|place| own(place.named).map(|found| (found, place)));
            match (hits.next(), hits.next()) {
                (Some((found, place)), None) => {
                    return Some(Member { found, path: place.path.clone() });
                }
                (Some(_), Some(_)) => return None,
                (None, _) => {}
            }
            seen.extend(level.iter().map(|place| place.named));
            level = next_level(&level, &seen);
        }
        None
    }
}

/// The method of the type itself; nothing in it for a field, which hides what is deeper.
fn own_method<'t>(named: &'t NamedType, name: &[u8]) -> Option<Option<&'t Method>> {
    match named.method(name) {
        Some(method) => Some(Some(method)),
        None => named.position(name).map(|_| None),
    }
}

/// What is embedded in the types of a level. Two of a type are as ambiguous as many.
fn next_level<'t>(level: &[Embedded<'t>], seen: &[&NamedType]) -> Vec<Embedded<'t>> {
    let mut next: Vec<Embedded<'t>> = Vec::new();
    for place in level.iter().flat_map(embedded) {
        let copies = next.iter().filter(|other| other.named == place.named).count();
        if copies < 2 && !seen.contains(&place.named) {
            next.push(place);
        }
    }
    next
}

fn embedded<'t>(outer: &Embedded<'t>) -> Vec<Embedded<'t>> {
    let fields = outer.named.fields().iter().enumerate().filter(|(_, field)| field.inline);
    let types = fields.filter_map(|(position, field)| {
        let named = match &field.field_type {
            Type::Named(named) => named,
            Type::Pointer(target) => match &**target {
                Type::Named(named) if named.kind() == Kind::Struct => named,
                _ => return None,
            },
            _ => return None,
        };
        let path = [&outer.path[..], &[position]].concat();
        Some(Embedded { named, path })
    });
    types.collect()
}
