//! Which item of a list became which.

use std::collections::HashMap;

use serde_json::Value;

/// More pairs than this are not compared: items are paired in order instead.
const MOST_COMPARISONS: usize = 1 << 20;
/// So far apart two items are not looked for each other.
const MOST_LOOKED_AT: usize = 64;
/// So deep two items are searched for something in common.
const MOST_LEVELS_LOOKED_AT: usize = 5;

/// Pairs of indices, both rising: which old item became which new one. Items without a pair went or came.
///
/// Equal items at both ends are pairs. Between them items with the same name (`name`, or `metadata.name`) are; then as
/// many equal ones as can be; then, between those, what has no name of its own is paired in order.
pub(crate) fn pairs(old: &[Value], new: &[Value]) -> Vec<(usize, usize)> {
    let front = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    let (old_rest, new_rest) = (&old[front..], &new[front..]);
    let back = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(old, new)| old == new).count();
    let (old_middle, new_middle) = (&old_rest[..old_rest.len() - back], &new_rest[..new_rest.len() - back]);
    let mut pairs: Vec<(usize, usize)> = (0..front).map(|index| (index, index)).collect();
    pairs.extend(middle(old_middle, new_middle).into_iter().map(|(old, new)| (old + front, new + front)));
    pairs.extend((0..back).map(|index| (old.len() - back + index, new.len() - back + index)));
    pairs
}

fn middle(old: &[Value], new: &[Value]) -> Vec<(usize, usize)> {
    if old.is_empty() || new.is_empty() {
        return Vec::new();
    }
    let sure = by_name(old, new).unwrap_or_else(|| by_equality(old, new));
    // Between what is sure, what may have become what.
    let mut pairs = Vec::new();
    let (mut old_from, mut new_from) = (0, 0);
    for (old_at, new_at) in sure.into_iter().chain([(old.len(), new.len())]) {
        pairs.extend(in_order(old, new, old_from..old_at, new_from..new_at));
        if old_at < old.len() {
            pairs.push((old_at, new_at));
        }
        (old_from, new_from) = (old_at + 1, new_at + 1);
    }
    pairs
}

/// Pairs by name, as many as keep their order; `None` where names do not tell items apart.
fn by_name(old: &[Value], new: &[Value]) -> Option<Vec<(usize, usize)>> {
    let mut places = HashMap::new();
    for (at, item) in old.iter().enumerate() {
        if places.insert(name(item)?, at).is_some() {
            return None;
        }
    }
    let mut seen = HashMap::new();
    let mut both = Vec::new();
    for (at, item) in new.iter().enumerate() {
        let name = name(item)?;
        if seen.insert(name, at).is_some() {
            return None;
        }
        both.extend(places.get(name).map(|old| (*old, at)));
    }
    Some(longest_rising(&both))
}

fn name(item: &Value) -> Option<&str> {
    item.get("name").or_else(|| item.get("metadata")?.get("name"))?.as_str()
}

/// The longest part of the pairs, which rise in the second place, that rises in the first place too.
fn longest_rising(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // For each length, the pair with the smallest first place that ends a rising part so long; and what came before each.
    let mut ends: Vec<usize> = Vec::new();
    let mut before = vec![None; pairs.len()];
    for (index, (old, _)) in pairs.iter().enumerate() {
        let length = ends.partition_point(|end| pairs[*end].0 < *old);
        before[index] = length.checked_sub(1).map(|shorter| ends[shorter]);
        if length == ends.len() {
            ends.push(index);
        } else {
            ends[length] = index;
        }
    }
    let mut rising: Vec<_> =
        std::iter::successors(ends.last().copied(), |index| before[*index]).map(|index| pairs[index]).collect();
    rising.reverse();
    rising
}

/// The longest common subsequence.
fn by_equality(old: &[Value], new: &[Value]) -> Vec<(usize, usize)> {
    if old.len().saturating_mul(new.len()) > MOST_COMPARISONS {
        return Vec::new();
    }
    // Length of the longest one of what is left of both, by index.
    let width = new.len() + 1;
    let mut lengths = vec![0_u32; (old.len() + 1) * width];
    let mut equal = vec![false; old.len() * width];
    for (at, item) in old.iter().enumerate().rev() {
        for (other_at, other) in new.iter().enumerate().rev() {
            let here = at * width + other_at;
            equal[here] = item == other;
            lengths[here] =
                if equal[here] { lengths[here + width + 1] + 1 } else { lengths[here + width].max(lengths[here + 1]) };
        }
    }
    let mut pairs = Vec::new();
    let (mut at, mut other_at) = (0, 0);
    while at < old.len() && other_at < new.len() {
        let here = at * width + other_at;
        // Where neither is needed, they may have become each other.
        if equal[here] || lengths[here + width + 1] == lengths[here] {
            if equal[here] {
                pairs.push((at, other_at));
            }
            (at, other_at) = (at + 1, other_at + 1);
        } else if lengths[here + width] >= lengths[here + 1] {
            at += 1;
        } else {
            other_at += 1;
        }
    }
    pairs
}

/// Pairs of what is of the same kind, in order; never of two with different names.
fn in_order(
    old: &[Value],
    new: &[Value],
    old_range: std::ops::Range<usize>,
    new_range: std::ops::Range<usize>,
) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    let mut new_from = new_range.start;
    let is_only = old_range.len() == 1 && new_range.len() == 1;
    for old_at in old_range {
        let mut candidates = (new_from..new_range.end).take(MOST_LOOKED_AT);
        let found = candidates.find(|new_at| {
            let (old, new) = (&old[old_at], &new[*new_at]);
            may_be(old, new) && (is_only || is_alike(old, new))
        });
        if let Some(new_at) = found {
            pairs.push((old_at, new_at));
            new_from = new_at + 1;
        }
        if new_from == new_range.end {
            break;
        }
    }
    pairs
}

fn may_be(old: &Value, new: &Value) -> bool {
    let same_kind = std::mem::discriminant(old) == std::mem::discriminant(new);
    same_kind && name(old).zip(name(new)).is_none_or(|(old, new)| old == new)
}

/// Whether two items of the same kind have anything in common.
fn is_alike(old: &Value, new: &Value) -> bool {
    if let (Value::String(old), Value::String(new)) = (old, new) {
        let common = old.bytes().zip(new.bytes()).take_while(|(old, new)| old == new).count();
        return common * 2 >= old.len().min(new.len());
    }
    !matches!(old, Value::Array(_) | Value::Object(_)) || shares(old, new, MOST_LEVELS_LOOKED_AT)
}

/// Whether two values are equal, or have something in the same place that is.
fn shares(old: &Value, new: &Value, levels: usize) -> bool {
    let Some(levels) = levels.checked_sub(1) else { return false };
    match (old, new) {
        (Value::Object(old), Value::Object(new)) if !old.is_empty() && !new.is_empty() => {
            old.iter().any(|(key, value)| new.get(key).is_some_and(|other| shares(value, other, levels)))
        }
        (Value::Array(old), Value::Array(new)) if !old.is_empty() && !new.is_empty() => {
            let front = old.iter().zip(new);
            let back = old.iter().rev().zip(new.iter().rev());
            front.chain(back).take(MOST_LOOKED_AT).any(|(value, other)| shares(value, other, levels))
        }
        (Value::Object(_), Value::Object(_)) | (Value::Array(_), Value::Array(_)) => true,
        _ => old == new,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(old: Value, new: Value) -> Vec<(usize, usize)> {
        pairs(old.as_array().unwrap(), new.as_array().unwrap())
    }

    #[test]
    fn named_items_keep_their_pair_wherever_others_come() {
        let (app, changed, proxy) = (json!({"name": "app"}), json!({"name": "app", "x": 1}), json!({"name": "proxy"}));
        assert_eq!(of(json!([app]), json!([proxy, changed])), [(0, 1)]);
        assert_eq!(of(json!([proxy, app]), json!([changed])), [(1, 0)]);
        assert_eq!(of(json!([app]), json!([proxy])), [], "another name is another item");
    }

    #[test]
    fn as_many_as_possible_keep_their_order() {
        let named = |names: &str| Value::from(names.chars().map(|name| json!({"name": name})).collect::<Vec<_>>());
        assert_eq!(of(named("abcde"), named("eabcd")), [(0, 1), (1, 2), (2, 3), (3, 4)]);
    }

    #[test]
    fn equal_items_are_pairs_and_what_is_between_them_is_paired_in_order() {
        assert_eq!(of(json!(["a", "b", "c"]), json!(["x", "a", "y", "c"])), [(0, 1), (1, 2), (2, 3)]);
        assert_eq!(of(json!([1, "b"]), json!(["b", 2])), [(1, 0)]);
        assert_eq!(of(json!([{"x": 1, "y": 1}]), json!([{"x": 2, "y": 1}, 5])), [(0, 0)]);
        assert_eq!(of(json!([[1, 2]]), json!([[3]])), [(0, 0)], "the only one became the only one");
    }

    #[test]
    fn what_has_nothing_in_common_did_not_become_each_other() {
        let (old, new) = (json!([{"port": 1}, {"port": 2}]), json!([{"port": 3}, {"port": 4}]));
        assert_eq!(of(old, new), []);
        assert_eq!(of(json!(["run", "--level=info"]), json!(["--level=debug", "--port=1"])), [(1, 0)]);
    }
}
