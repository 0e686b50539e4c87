//! URLs: `urlParse` and `urlJoin`, by the rules of Go's `net/url`.

mod address;
mod escape;
mod parse;

use self::escape::{Part, escape};
use self::parse::Url;
use super::panics::nil_dereference;
use crate::function::{FunctionError, Functions};
use crate::limits::Budget;
use crate::text::Str;
use crate::types::Kind;
use crate::value::{Map, Value};

pub(super) fn add(functions: &mut Functions) {
    functions.add("urlParse", url_parse);
    functions.add("urlJoin", url_join);
}

fn url_parse(budget: &Budget, text: Str) -> Result<Map, FunctionError> {
    // No part is longer than three times the text, when it is escaped.
    budget.allocate(text.len().saturating_mul(8))?;
    let url = Url::parse(&text).map_err(|error| FunctionError::new(format!("unable to parse url: {error}")))?;
    let userinfo = url.user.as_ref().map(parse::User::escaped).unwrap_or_default();
    let hostname = url.hostname().to_vec();
    let parts = [
        ("scheme", url.scheme),
        ("host", url.host),
        ("hostname", hostname),
        ("path", url.path),
        ("query", url.query),
        ("opaque", url.opaque),
        ("fragment", url.fragment),
        ("userinfo", userinfo),
    ];
    let map = Map::any();
    for (name, part) in parts {
        map.insert(name, Value::string(part));
    }
    Ok(map)
}

fn url_join(budget: &Budget, map: Map) -> Result<Vec<u8>, FunctionError> {
    let [scheme, host, path, query, opaque, fragment] =
        ["scheme", "host", "path", "query", "opaque", "fragment"].map(|key| part(&map, key));
    let (scheme, host, path) = (scheme?, host?, path?);
    let (query, opaque, fragment) = (query?, opaque?, fragment?);
    let userinfo = part(&map, "userinfo")?;
    let length: usize =
        [&scheme, &host, &path, &query, &opaque, &fragment, &userinfo].iter().map(|part| part.len()).sum();
    budget.allocate(length.saturating_mul(3))?;
    let user = if userinfo.is_empty() { None } else { user_of(&userinfo)? };
    let mut url = Vec::new();
    if !scheme.is_empty() {
        url.extend_from_slice(scheme.as_bytes());
        url.push(b':');
    }
    if opaque.is_empty() {
        if !scheme.is_empty() || !host.is_empty() || user.is_some() {
            if !host.is_empty() || !path.is_empty() || user.is_some() {
                url.extend_from_slice(b"//");
            }
            if let Some(user) = &user {
                url.extend_from_slice(&user.escaped());
                url.push(b'@');
            }
            url.extend_from_slice(&escape(host.as_bytes(), Part::Host));
        }
        let is_relative = url.is_empty();
        join_path(&mut url, path.as_bytes(), is_relative, !host.is_empty());
    } else {
        url.extend_from_slice(opaque.as_bytes());
    }
    if !query.is_empty() {
        url.push(b'?');
        url.extend_from_slice(query.as_bytes());
    }
    if !fragment.is_empty() {
        url.push(b'#');
        url.extend_from_slice(&escape(fragment.as_bytes(), Part::Fragment));
    }
    Ok(url)
}

fn join_path(url: &mut Vec<u8>, path: &[u8], is_relative: bool, has_host: bool) {
    let path = if path == b"*" { path.to_vec() } else { escape(path, Part::Path) };
    if has_host && !path.is_empty() && !path.starts_with(b"/") {
        url.push(b'/');
    }
    let mut first_segment = path.iter().take_while(|byte| **byte != b'/');
    if is_relative && first_segment.any(|byte| *byte == b':') {
        // Or it would be read as a scheme.
        url.extend_from_slice(b"./");
    }
    url.extend_from_slice(&path);
}

/// A text of the map; empty when it is not there.
fn part(map: &Map, key: &str) -> Result<Str, FunctionError> {
    match map.get(key) {
        None => Ok(Str::default()),
        Some(value) => match value.underlying() {
            Value::String(text) => Ok(text.clone()),
            Value::Nil => Err(nil_dereference()),
            other => {
                let kind: Kind = other.kind();
                let kind = kind.name();
                Err(FunctionError::new(format!("unable to parse {key} key, must be of type string, but {kind} found")))
            }
        },
    }
}

fn user_of(userinfo: &Str) -> Result<Option<parse::User>, FunctionError> {
    let url = [b"proto://", userinfo.as_bytes(), b"@host"].concat();
    let url = Url::parse(&url);
    let url = url.map_err(|error| FunctionError::new(format!("unable to parse userinfo in dict: {error}")))?;
    Ok(url.user)
}

#[cfg(test)]
mod tests;
