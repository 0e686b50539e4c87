//! Merging of lists: keyed ones, sets of scalars, and the order of their elements.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::directives::{Strategy, patch_strategy};
use super::path::Path;
use super::{MergeError, added, merge_value};
use crate::pod_schema::{List, Schema};

/// Merges the list `patch` onto the list `original`; `order` is the `$setElementOrder` that came with it.
///
/// # Errors
/// When an element of the patch or of the order lacks its key, or the order contradicts the patch.
pub(super) fn merge_list(
    original: &mut Vec<Value>,
    patch: &[Value],
    order: Option<&[Value]>,
    schema: &Schema,
    path: &Path<'_>,
) -> Result<(), MergeError> {
    let order = Order::read(order, patch, schema.list, path)?;
    let items = match schema.list {
        List::Keyed(key) => merge_keyed(original, patch, key, schema, path)?,
        List::Set => unite(original, patch, path)?,
        List::Whole if order.is_none() => {
            *original = new_list(patch, schema, path)?;
            return Ok(());
        }
        List::Whole => {
            let list = new_list(patch, schema, path)?;
            list.into_iter().map(|value| Item { position: None, rank: Some(0), value }).collect()
        }
    };
    *original = arrange(items, order.as_ref());
    Ok(())
}

/// Puts a list that the patch does not change into the order that it asks for.
///
/// # Errors
/// When an element of the order lacks its key.
pub(super) fn reorder(
    original: &mut Vec<Value>,
    order: &[Value],
    schema: &Schema,
    path: &Path<'_>,
) -> Result<(), MergeError> {
    let order = Order::read(Some(order), &[], schema.list, path)?;
    let items = std::mem::take(original).into_iter().enumerate();
    let items = items.map(|(position, value)| Item { position: Some(position), rank: None, value }).collect();
    *original = arrange(items, order.as_ref());
    Ok(())
}

/// Takes `values` out of a list of scalars.
///
/// # Errors
/// When the list has something other than scalars.
pub(super) fn delete_scalars(original: &mut Vec<Value>, values: &[Value], path: &Path<'_>) -> Result<(), MergeError> {
    if !original.iter().all(is_scalar) {
        return Err(path.error("`$deleteFromPrimitiveList` is for lists of scalars, and this is none"));
    }
    let values: HashSet<&Value> = values.iter().collect();
    original.retain(|value| !values.contains(value));
    Ok(())
}

/// A list where there was none: without the elements that are directives.
///
/// # Errors
/// When an element of a keyed list lacks its key, or a directive cannot be one.
pub(super) fn new_list(patch: &[Value], schema: &Schema, path: &Path<'_>) -> Result<Vec<Value>, MergeError> {
    let mut list = Vec::with_capacity(patch.len());
    for element in patch {
        let value = match schema.list {
            List::Keyed(key) => match read_element(element, key, path)? {
                Element::Merged(key) => added(element, schema, &Path::Element(path, key))?,
                Element::Deleted(_) | Element::Replacing => None,
            },
            List::Whole | List::Set => added(element, schema, path)?,
        };
        list.extend(value);
    }
    Ok(list)
}

/// An element of the result, not yet in its place.
struct Item {
    /// Where it was in the original.
    position: Option<usize>,
    /// Where it is in the patch.
    rank: Option<usize>,
    value: Value,
}

enum Element<'a> {
    Merged(&'a Value),
    Deleted(&'a Value),
    /// The list is to take the place of the present one.
    Replacing,
}

fn read_element<'a>(element: &'a Value, key: &str, path: &Path<'_>) -> Result<Element<'a>, MergeError> {
    let id = || key_of(element, key, path);
    Ok(match patch_strategy(element, path)? {
        None => Element::Merged(id()?),
        Some(Strategy::Delete) => Element::Deleted(id()?),
        Some(Strategy::Replace) => Element::Replacing,
    })
}

fn key_of<'a>(element: &'a Value, key: &str, path: &Path<'_>) -> Result<&'a Value, MergeError> {
    match element.get(key) {
        Some(id) if is_scalar(id) && !id.is_null() => Ok(id),
        Some(id) if !id.is_null() => Err(path.error(format!("the `{key}` of an element is not a scalar"))),
        _ => Err(path.error(format!("an element has no `{key}`, by which this list is merged"))),
    }
}

fn is_scalar(value: &Value) -> bool {
    !value.is_object() && !value.is_array()
}

/// Of several elements with one key, as a port number for TCP and UDP, the first meets the first, the second the second.
fn merge_keyed(
    original: &mut Vec<Value>,
    patch: &[Value],
    key: &str,
    schema: &Schema,
    path: &Path<'_>,
) -> Result<Vec<Item>, MergeError> {
    let mut elements = Vec::with_capacity(patch.len());
    let mut deleted = HashSet::new();
    for element in patch {
        match read_element(element, key, path)? {
            Element::Merged(id) => elements.push((id, element)),
            Element::Deleted(id) => drop(deleted.insert(id)),
            Element::Replacing => original.clear(),
        }
    }
    if !deleted.is_empty() {
        original.retain(|element| element.get(key).is_none_or(|id| !deleted.contains(id)));
    }
    let positions = positions(original, &elements, key);
    let mut untouched: Vec<Option<Value>> = std::mem::take(original).into_iter().map(Some).collect();
    let mut items = Vec::with_capacity(untouched.len() + elements.len());
    for (rank, ((id, element), position)) in elements.into_iter().zip(positions).enumerate() {
        let at = Path::Element(path, id);
        let present = position.and_then(|position| untouched.get_mut(position)?.take());
        let value = match present {
            Some(mut value) => {
                merge_value(&mut value, element, schema, &at)?;
                Some(value)
            }
            None => added(element, schema, &at)?,
        };
        items.extend(value.map(|value| Item { position, rank: Some(rank), value }));
    }
    let untouched = untouched.into_iter().enumerate();
    let kept =
        |(position, value): (usize, Option<Value>)| Some(Item { position: Some(position), rank: None, value: value? });
    items.extend(untouched.filter_map(kept));
    Ok(items)
}

/// For each element of the patch, the one of the original that it meets.
fn positions(original: &[Value], elements: &[(&Value, &Value)], key: &str) -> Vec<Option<usize>> {
    // To each key its first element that has not been met, and to each element the next with the same key.
    let mut first: HashMap<&Value, usize> = HashMap::with_capacity(original.len());
    let mut next = vec![None; original.len()];
    for (position, element) in original.iter().enumerate().rev() {
        if let Some(id) = element.get(key) {
            next[position] = first.insert(id, position);
        }
    }
    let mut meet = |id: &Value| {
        let position = first.remove(id)?;
        if let Some((following, id)) = next[position].zip(original[position].get(key)) {
            first.insert(id, following);
        }
        Some(position)
    };
    elements.iter().map(|(id, _)| meet(id)).collect()
}

fn unite(original: &[Value], patch: &[Value], path: &Path<'_>) -> Result<Vec<Item>, MergeError> {
    if !patch.iter().all(is_scalar) {
        return Err(path.error("this list is a set of scalars, and the patch has others"));
    }
    let mut ranks = ranks(patch);
    let mut items = Vec::with_capacity(original.len() + patch.len());
    let mut seen = HashSet::new();
    for (position, value) in original.iter().enumerate() {
        if seen.insert(value) {
            items.push(Item { position: Some(position), rank: ranks.remove(value), value: value.clone() });
        }
    }
    items.extend(ranks.into_iter().map(|(value, rank)| Item {
        position: None,
        rank: Some(rank),
        value: value.clone(),
    }));
    Ok(items)
}

/// The first place of each value.
fn ranks<'a>(values: impl IntoIterator<Item = &'a Value>) -> HashMap<&'a Value, usize> {
    let mut ranks = HashMap::new();
    for (rank, value) in values.into_iter().enumerate() {
        ranks.entry(value).or_insert(rank);
    }
    ranks
}

/// What `$setElementOrder` asks for.
struct Order<'a> {
    list: List,
    ranks: HashMap<&'a Value, usize>,
}

impl<'a> Order<'a> {
    /// Nothing for an empty order, which asks for nothing.
    fn read(
        order: Option<&'a [Value]>,
        patch: &[Value],
        list: List,
        path: &Path<'_>,
    ) -> Result<Option<Self>, MergeError> {
        let Some(order) = order.filter(|order| !order.is_empty()) else { return Ok(None) };
        let error = |problem: &str| path.error(format!("`$setElementOrder` {problem}"));
        let ids = match list {
            List::Keyed(key) => {
                order.iter().map(|element| key_of(element, key, path)).collect::<Result<Vec<_>, _>>()?
            }
            List::Set | List::Whole if order.iter().chain(patch).all(is_scalar) => order.iter().collect(),
            List::Set | List::Whole => return Err(error("is for keyed lists and for lists of scalars")),
        };
        let mut following = ids.iter();
        for element in patch {
            let id = match list {
                List::Keyed(key) => match read_element(element, key, path)? {
                    Element::Merged(id) => id,
                    Element::Deleted(_) | Element::Replacing => continue,
                },
                List::Set | List::Whole => element,
            };
            if !following.any(|wanted| *wanted == id) {
                return Err(error("lacks an element of the patch, or has it in another place"));
            }
        }
        Ok(Some(Self { list, ranks: ranks(ids) }))
    }

    fn rank(&self, element: &Value) -> Option<usize> {
        let id = match self.list {
            List::Keyed(key) => element.get(key)?,
            List::Set | List::Whole => element,
        };
        self.ranks.get(id).copied()
    }
}

/// Those with a rank by rank, and among them those without by position: before the first one that was behind them in
/// the original.
fn arrange(mut items: Vec<Item>, order: Option<&Order<'_>>) -> Vec<Value> {
    if let Some(order) = order {
        for item in &mut items {
            item.rank = order.rank(&item.value);
        }
    }
    let length = items.len();
    let (mut ranked, others): (Vec<Item>, Vec<Item>) = items.into_iter().partition(|item| item.rank.is_some());
    ranked.sort_by_key(|item| item.rank);
    let mut others = others.into_iter().peekable();
    let mut arranged = Vec::with_capacity(length);
    for item in ranked {
        let is_earlier = |other: &Item| item.position.is_some_and(|position| other.position < Some(position));
        while let Some(other) = others.next_if(is_earlier) {
            arranged.push(other.value);
        }
        arranged.push(item.value);
    }
    arranged.extend(others.map(|item| item.value));
    arranged
}
