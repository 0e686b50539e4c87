//! Variables of the sidecar that are part of the webhook's path.
//!
//! A cluster whose pods are injected from elsewhere says so in the URL of its webhook: `/inject/cluster/c1/net/n1`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use sidecar_contract::environment;

/// What stands for a slash within a value.
const SLASH: &str = "--slash--";
/// Separator of the older form, `/inject/:ENV:cluster=c1:ENV:net=n1`.
const OLD_SEPARATOR: &str = ":ENV:";
/// More than any template knows; the API server's URLs are shorter still.
const MAX_LENGTH: usize = 8 * 1024;

/// The variables in `path`, what follows `/inject`: names and values in turn. `cluster` and `net` stand for the names that
/// the sidecar knows them by; any other is the variable's name, in capitals. Escapes of URLs are taken out. A last name
/// without a value is passed over, and so is a path of more than 8 KiB.
pub fn parse(path: &str) -> BTreeMap<String, String> {
    if path.len() > MAX_LENGTH {
        return BTreeMap::new();
    }
    let path = unescaped(path);
    let path = path.trim_matches('/');
    let pairs: Vec<(&str, &str)> = if path.starts_with(OLD_SEPARATOR) {
        path.split(OLD_SEPARATOR).filter_map(|pair| pair.split_once('=')).collect()
    } else {
        let parts: Vec<&str> = path.split('/').collect();
        parts.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
    };
    let named = pairs.into_iter().filter(|(name, _)| !name.is_empty());
    named.map(|(name, value)| (variable(name), value.replace(SLASH, "/"))).collect()
}

/// A path without the escapes of URLs; one that is not as it should be, or whose text is not UTF-8, stays as it is.
fn unescaped(path: &str) -> Cow<'_, str> {
    let mut bytes = Vec::new();
    let mut parts = path.split('%');
    bytes.extend_from_slice(parts.next().unwrap_or_default().as_bytes());
    for part in parts {
        let escape = part.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let Some(byte) = escape.and_then(|digits| u8::from_str_radix(digits, 16).ok()) else {
            return path.into();
        };
        bytes.push(byte);
        bytes.extend(part.bytes().skip(2));
    }
    String::from_utf8(bytes).map_or(path.into(), Cow::Owned)
}

fn variable(name: &str) -> String {
    match name {
        "cluster" => environment::CLUSTER_ID.to_owned(),
        "net" => environment::NETWORK.to_owned(),
        other => other.to_uppercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, expected: &[(&str, &str)]) {
        let parsed = parse(path);
        let parsed: Vec<_> = parsed.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(parsed, expected, "{path}");
    }

    #[test]
    fn names_and_values_come_in_turn() {
        check("", &[]);
        check("/", &[]);
        check("/cluster/c1", &[("ISTIO_META_CLUSTER_ID", "c1")]);
        check("/cluster/c1/net/n--slash--1/", &[("ISTIO_META_CLUSTER_ID", "c1"), ("ISTIO_META_NETWORK", "n/1")]);
        check("/custom_env1/Value/odd", &[("CUSTOM_ENV1", "Value")]);
        check("/a/b%20%c3%A9", &[("A", "b é")]);
        for odd in ["b%2", "b%", "b%+1", "%ff"] {
            check(&format!("/a/{odd}"), &[("A", odd)]);
        }
        check("/cluster/a/cluster/b", &[("ISTIO_META_CLUSTER_ID", "b")]);
    }

    #[test]
    fn the_older_form_still_works() {
        check("/:ENV:cluster=c1:ENV:net=n1", &[("ISTIO_META_CLUSTER_ID", "c1"), ("ISTIO_META_NETWORK", "n1")]);
        check("/:ENV:a=1=2", &[("A", "1=2")]);
        check("/:ENV:a", &[]);
    }
}
