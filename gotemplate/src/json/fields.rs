//! Which fields of a struct JSON has, and under which names.

use std::collections::BTreeMap;

use crate::named::NamedType;
use crate::text::Str;
use crate::types::{Kind, Type};
use crate::value::{Struct, Value};

/// A field of a struct, or of one that is embedded in it.
#[derive(Clone)]
pub(super) struct JsonField {
    pub(super) name: Str,
    pub(super) omit_empty: bool,
    /// Whether its name in JSON is another than its own.
    is_renamed: bool,
    /// Positions of the fields that lead to it, from the outermost struct on.
    path: Vec<usize>,
}

impl JsonField {
    /// Its value; none when a pointer on the way to it is nil.
    pub(super) fn of<'a>(&self, structure: &'a Struct) -> Option<&'a Value> {
        let (last, way) = self.path.split_last()?;
        let mut structure = structure;
        for position in way {
            structure = match structure.fields().get(*position)? {
                Value::Struct(embedded) => embedded,
                Value::Pointer(pointer) => match pointer.target()? {
                    Value::Struct(embedded) => embedded,
                    _ => return None,
                },
                _ => return None,
            };
        }
        structure.fields().get(*last)
    }
}

/// The fields in order, those of embedded structs in their place. Of fields of one name the one that is embedded least
/// deeply counts, then the one that JSON renames; where that leaves several, none does.
pub(super) fn fields(struct_type: &NamedType) -> Vec<JsonField> {
    let mut by_name: BTreeMap<Str, Vec<JsonField>> = BTreeMap::new();
    let mut seen: Vec<NamedType> = Vec::new();
    let mut level = vec![(struct_type.clone(), Vec::new())];
    while !level.is_empty() {
        let mut next: Vec<(NamedType, Vec<usize>)> = Vec::new();
        for (embedded, path) in &level {
            if seen.contains(embedded) {
                continue;
            }
            let copies = level.iter().filter(|(other, _)| other == embedded).count();
            for (field, deeper) in own_fields(embedded, path) {
                match deeper {
                    Some(deeper) => next.push((deeper, field.path)),
                    None => {
                        let same_name = by_name.entry(field.name.clone()).or_default();
                        same_name.extend(std::iter::repeat_n(field, copies));
                    }
                }
            }
        }
        seen.extend(level.into_iter().map(|(embedded, _)| embedded));
        level = next;
    }
    let mut fields: Vec<JsonField> = by_name.into_values().filter_map(dominant).collect();
    fields.sort_by(|a, b| a.path.cmp(&b.path));
    fields
}

/// The fields of one struct, and for those whose own fields stand in their place the type of these.
fn own_fields<'a>(
    struct_type: &'a NamedType,
    path: &'a [usize],
) -> impl Iterator<Item = (JsonField, Option<NamedType>)> + 'a {
    struct_type.fields().iter().enumerate().filter_map(move |(position, field)| {
        let in_its_place = field.inline && field.json.is_none();
        let embedded = if in_its_place { struct_of(&field.field_type) } else { None };
        let name = field.json.clone().or_else(|| embedded.is_some().then(Str::default))?;
        if embedded.is_none() && !field.is_exported() {
            return None;
        }
        let json_field = JsonField {
            is_renamed: name != field.name,
            name,
            omit_empty: field.omit_empty,
            path: [path, &[position]].concat(),
        };
        Some((json_field, embedded))
    })
}

fn struct_of(field_type: &Type) -> Option<NamedType> {
    match field_type {
        Type::Named(named) if named.kind() == Kind::Struct => Some(named.clone()),
        Type::Pointer(target) => match &**target {
            Type::Named(named) if named.kind() == Kind::Struct => Some(named.clone()),
            _ => None,
        },
        _ => None,
    }
}

fn dominant(mut same_name: Vec<JsonField>) -> Option<JsonField> {
    let rank = |field: &JsonField| (field.path.len(), !field.is_renamed);
    same_name.sort_by_key(rank);
    let is_alone = same_name.get(1).is_none_or(|second| Some(rank(second)) != same_name.first().map(rank));
    if is_alone { same_name.into_iter().next() } else { None }
}
