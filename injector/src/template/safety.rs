//! Whether text of a pod stays text in what a template renders.
//!
//! Templates make YAML by putting texts together, and not all of them quote what comes from the pod. A line end or a
//! quote in the right place would add an argument or a container. So a pod with such characters is rendered twice, the
//! second time with letters in their place: both results must have the same shape.

mod sites;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::annotations::grammar::{is_environment_name, plain_value};
use crate::workload::FieldError;
use sites::{Site, sites};

/// How many fields an error names.
const NAMED: usize = 20;
/// How many fields are looked into one by one; each costs a rendering.
const EXAMINED: usize = 64;

/// A copy of `pod` in which letters take the place of all characters that mean something to YAML; `None` when there are
/// no such characters, which is mostly so.
///
/// Annotations that keep to their grammar are left as they are (see [`crate::annotations`]), and so are those that hold
/// a document of their own, which templates take apart or quote.
pub(crate) fn neutral(pod: &Value) -> Option<Value> {
    sites::has_any(pod).then(|| sites::replace(pod, &|_| true))
}

/// Whether `text` stays text wherever it is put, for what templates see beside the pod.
pub(crate) fn is_plain(text: &str) -> bool {
    text == sites::harmless(text) || text == "null"
}

/// Whether `one` and `other` differ in the contents of scalars only: everything is of the same type, mappings have the
/// same keys in the same order, and lists have the same length.
pub(crate) fn same_shape(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|((key, value), (other_key, other_value))| key == other_key && same_shape(value, other_value))
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same_shape(one, other))
        }
        _ => std::mem::discriminant(one) == std::mem::discriminant(other),
    }
}

/// The fields of `pod` that give `rendered` its shape, where the rendering of [`neutral`] has another one or fails. At
/// most 20; none when it is all right.
///
/// `render` renders a copy of the pod; `None` when that fails. It fails for harmless text where a template takes a text
/// apart, as with `fromJSON`: such fields are left alone, and the rest is to be harmless without them.
pub(crate) fn culprits(pod: &Value, rendered: &Value, render: impl Fn(&Value) -> Option<Value>) -> Vec<String> {
    let sites = sites(pod);
    let verdict = |places: &BTreeSet<usize>| match render(&sites::replace(pod, &|place| places.contains(&place))) {
        Some(harmless) if same_shape(rendered, &harmless) => Verdict::Same,
        Some(_) => Verdict::Other,
        None => Verdict::Fails,
    };
    let everything = sites.iter().map(|site| site.number).collect();
    let all = verdict(&everything);
    if all == Verdict::Same {
        return Vec::new();
    }
    let alone: Vec<(&Site, Verdict)> =
        sites.iter().take(EXAMINED).map(|site| (site, verdict(&BTreeSet::from([site.number])))).collect();
    let those = |wanted: Verdict| alone.iter().filter(move |(_, verdict)| *verdict == wanted).map(|(site, _)| *site);
    let guilty = named(those(Verdict::Other));
    if !guilty.is_empty() {
        return guilty;
    }
    let taken_apart: BTreeSet<usize> = those(Verdict::Fails).map(|site| site.number).collect();
    let rest = &everything - &taken_apart;
    if all == Verdict::Fails && !taken_apart.is_empty() && verdict(&rest) == Verdict::Same {
        return Vec::new();
    }
    // Only together do they do harm.
    named(sites.iter().filter(|site| rest.contains(&site.number)))
}

/// The fields of `pod` because of which a template cannot be rendered, where it can for [`neutral`]. At most 20.
///
/// `renders` tells whether a copy of the pod can be rendered.
pub(crate) fn breakers(pod: &Value, renders: impl Fn(&Value) -> bool) -> Vec<String> {
    let sites = sites(pod);
    let mends = |site: &&Site| renders(&sites::replace(pod, &|place| place == site.number));
    let guilty = named(sites.iter().take(EXAMINED).filter(mends));
    // Several may each be enough to break it.
    if guilty.is_empty() { named(sites.iter()) } else { guilty }
}

/// What is wrong with a ProxyConfig that comes from a pod: in Istio's templates, some of it is put into YAML as it is.
pub(crate) fn check_proxy_config(fields: &Map<String, Value>) -> Vec<FieldError> {
    const AUTHORITIES: [&str; 3] = ["tracing", "tlsSettings", "caCertificates"];
    let mut errors =
        fields.get("proxyMetadata").and_then(Value::as_object).map(check_metadata_entries).unwrap_or_default();
    let authorities = fields.get(AUTHORITIES[0]).and_then(|tracing| tracing.get(AUTHORITIES[1])?.get(AUTHORITIES[2]));
    if authorities.and_then(Value::as_str).is_some_and(|path| !is_plain(path)) {
        errors.push(FieldError::new(
            AUTHORITIES.join("."),
            "has characters that mean something to YAML; use a plain path",
        ));
    }
    errors
}

/// What is wrong with entries of `proxyMetadata` that templates put into `name: <key>` and `value: "<value>"`.
fn check_metadata_entries(metadata: &Map<String, Value>) -> Vec<FieldError> {
    let problem = |(key, value): (&String, &Value)| {
        let field = format!("proxyMetadata[{}]", sites::printable(key));
        if !is_environment_name(key) {
            return Some(FieldError::new(field, "is not the name of an environment variable"));
        }
        plain_value(value.as_str()?).err().map(|problem| FieldError::new(field, problem))
    };
    metadata.iter().filter_map(problem).collect()
}

/// How the shape of a rendering compares with the real one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Same,
    Other,
    Fails,
}

fn named<'a>(sites: impl Iterator<Item = &'a Site>) -> Vec<String> {
    let mut fields = Vec::new();
    for site in sites {
        if fields.len() < NAMED && !fields.contains(&site.path) {
            fields.push(site.path.clone());
        }
    }
    fields
}

#[cfg(test)]
mod tests;
