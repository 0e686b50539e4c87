//! Where a value is not what it should be.

use serde_json::Value;

/// A step from a collection to what is in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

/// The way from the whole value to one in it.
pub(super) type Path = Vec<Step>;

/// More places than this are not mended one by one.
const MOST_PLACES: usize = 64;

/// The deepest places where `found` is not `wanted`. A place that was rewritten before, and did not get right by that, is
/// replaced by the one around it.
pub(super) fn differences(found: &Value, wanted: &Value, rewritten: &[Path]) -> Vec<Path> {
    let mut places = Vec::new();
    collect(found, wanted, &mut Vec::new(), &mut places);
    if places.len() > MOST_PLACES {
        return vec![Vec::new()];
    }
    for place in &mut places {
        while rewritten.contains(place) && place.pop().is_some() {}
    }
    places.sort();
    places.dedup();
    places
}

fn collect(found: &Value, wanted: &Value, path: &mut Path, places: &mut Vec<Path>) {
    if places.len() > MOST_PLACES || found == wanted {
        return;
    }
    match (found, wanted) {
        (Value::Object(found), Value::Object(wanted))
            if found.len() == wanted.len() && found.keys().all(|key| wanted.contains_key(key)) =>
        {
            for (key, value) in found {
                path.push(Step::Key(key.clone()));
                collect(value, &wanted[key], path, places);
                path.pop();
            }
        }
        (Value::Array(found), Value::Array(wanted)) if found.len() == wanted.len() => {
            for (index, (value, wanted)) in found.iter().zip(wanted).enumerate() {
                path.push(Step::Index(index));
                collect(value, wanted, path, places);
                path.pop();
            }
        }
        _ => places.push(path.clone()),
    }
}

/// The collections around these places, one further out with each attempt.
pub(super) fn shortened(places: &[Path], attempt: usize) -> Vec<Path> {
    let mut places: Vec<Path> = if places.len() > MOST_PLACES {
        vec![Vec::new()]
    } else {
        places.iter().map(|path| path[..path.len().saturating_sub(attempt)].to_vec()).collect()
    };
    places.sort();
    places.dedup();
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_deepest_places_are_found_and_then_those_around_them() {
        let (found, wanted) = (json!({"a": [1, {"b": 2}], "c": 3}), json!({"a": [1, {"b": 4}], "c": 3}));
        let (a, index, b) = (Step::Key("a".into()), Step::Index(1), Step::Key("b".into()));
        let deepest = vec![a.clone(), index.clone(), b];
        assert_eq!(differences(&found, &wanted, &[]), std::slice::from_ref(&deepest));
        assert_eq!(differences(&found, &wanted, &[deepest]), [vec![a, index]]);
    }
}
