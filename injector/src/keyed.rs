//! Keyed lists: what their elements are called, and which of them keep their order.

use std::collections::HashSet;

use serde_json::Value;

/// What `element` is called in a list keyed by `key`: the text of a string or an integer; `None` for anything else.
pub(crate) fn id(element: &Value, key: &str) -> Option<String> {
    match element.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}

/// What the elements of `list` are called; `None` when one has no name or two have the same.
pub(crate) fn ids(list: &[Value], key: &str) -> Option<Vec<String>> {
    let ids: Vec<String> = list.iter().map(|element| id(element, key)).collect::<Option<_>>()?;
    let distinct: HashSet<&str> = ids.iter().map(String::as_str).collect();
    (distinct.len() == ids.len()).then_some(ids)
}

/// Marks a longest ascending subsequence of `numbers`, which are distinct: what need not move to sort them.
pub(crate) fn ascending(numbers: &[usize]) -> Vec<bool> {
    // `ends[length]`: where the ascending run of that length ends whose last number is smallest.
    let mut ends: Vec<usize> = Vec::new();
    let mut previous: Vec<Option<usize>> = Vec::with_capacity(numbers.len());
    for (index, number) in numbers.iter().enumerate() {
        let length = ends.partition_point(|end| numbers[*end] < *number);
        previous.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        ends.truncate(ends.len().max(length + 1));
        match ends.get_mut(length) {
            Some(end) => *end = index,
            None => ends.push(index),
        }
    }
    let mut marked = vec![false; numbers.len()];
    let mut at = ends.last().copied();
    while let Some(index) = at {
        marked[index] = true;
        at = previous[index];
    }
    marked
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_list_is_keyed_by_strings_and_integers_that_differ() {
        let ids = |list: Value| ids(list.as_array().unwrap(), "name");
        assert_eq!(ids(json!([{"name": "a"}, {"name": 7}])), Some(vec!["a".to_owned(), "7".to_owned()]));
        assert_eq!(ids(json!([])), Some(Vec::new()));
        for list in
            [json!([{"name": "a"}, {"name": "a"}]), json!([{"name": "7"}, {"name": 7}]), json!([{}]), json!([1])]
        {
            assert_eq!(ids(list.clone()), None, "{list}");
        }
        assert_eq!(ids(json!([{"name": 1.5}])), None);
    }

    #[test]
    fn the_longest_ascending_run_stays() {
        let kept = |numbers: &[usize]| {
            let marked = ascending(numbers);
            numbers.iter().zip(marked).filter(|(_, marked)| *marked).map(|(number, _)| *number).collect::<Vec<_>>()
        };
        assert_eq!(kept(&[]), [0; 0]);
        assert_eq!(kept(&[3, 0, 1, 2]), [0, 1, 2]);
        assert_eq!(kept(&[1, 2, 3, 0]), [1, 2, 3]);
        assert_eq!(kept(&[2, 5, 3, 7, 11, 8, 10, 13, 6]).len(), 6);
    }
}
