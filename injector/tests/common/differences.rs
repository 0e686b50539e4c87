//! Where two values are not the same.

use serde_json::Value;

/// Where `given` is not `expected`, by path.
pub(crate) fn differences(given: &Value, expected: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare(given, expected, String::new(), &mut found);
    found
}

fn compare(given: &Value, expected: &Value, path: String, found: &mut Vec<String>) {
    match (given, expected) {
        (Value::Object(given), Value::Object(expected)) => {
            for (key, value) in given {
                match expected.get(key) {
                    Some(expected) => compare(value, expected, format!("{path}.{key}"), found),
                    None => found.push(format!("{path}.{key}: not wanted: {value}")),
                }
            }
            let missing = expected.iter().filter(|(key, _)| !given.contains_key(*key));
            found.extend(missing.map(|(key, value)| format!("{path}.{key}: missing: {value}")));
        }
        (Value::Array(given), Value::Array(expected)) => {
            if given.len() != expected.len() {
                found.push(format!("{path}: {} elements, not {}", given.len(), expected.len()));
            }
            for (index, (given, expected)) in given.iter().zip(expected).enumerate() {
                compare(given, expected, format!("{path}[{index}]"), found);
            }
        }
        _ if given == expected => {}
        _ => found.push(format!("{path}: is {given}, not {expected}")),
    }
}
