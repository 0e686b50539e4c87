//! What the annotations of a pod may say.
//!
//! Their values end up in rendered text, so each is held to its grammar before anything is rendered, and all mistakes
//! are reported together.

pub(crate) mod grammar;
mod resources;

use serde_json::Value;
use sidecar_contract::annotation as name;

use crate::mode::Mode;
use crate::workload::metadata_map;

use grammar::Check;

/// How much of a value an error repeats, in characters.
const SHOWN: usize = 100;

/// How long all annotations of an object may be together, names and values, in bytes (Kubernetes).
pub const LONGEST_IN_ALL: usize = 256 * 1024;

/// An annotation whose value cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid value '{value}' for annotation '{annotation}': {problem}")]
pub struct AnnotationError {
    /// Name of the annotation.
    pub annotation: &'static str,
    /// The start of the value given, with control characters escaped.
    pub value: String,
    /// What is wrong with it, and what would be right.
    pub problem: String,
}

impl AnnotationError {
    /// A mistake in an annotation of that value.
    pub fn new(annotation: &'static str, value: &str, problem: impl Into<String>) -> Self {
        Self { annotation, value: printable(value), problem: problem.into() }
    }
}

/// An annotation, what is asked of it in [`Mode::Istio`] (`None` when Istio takes everything), and what otherwise.
type Rule = (&'static str, Option<Check>, Check);

/// Istio checks what is the same in both modes, except where rendered text could be broken: these it does not check, and
/// they are checked here all the same. `proxy.istio.io/config` has a parser of its own, [`crate::proxy_config`].
const RULES: [Rule; 34] = [
    both(name::INTERCEPTION_MODE, grammar::interception_mode),
    both(name::INCLUDE_OUTBOUND_IP_RANGES, grammar::ip_ranges_or_all),
    both(name::EXCLUDE_OUTBOUND_IP_RANGES, grammar::ip_ranges),
    both(name::INCLUDE_OUTBOUND_PORTS, grammar::ports),
    both(name::EXCLUDE_OUTBOUND_PORTS, grammar::ports),
    both(name::INCLUDE_INBOUND_PORTS, grammar::ports_or_all),
    both(name::EXCLUDE_INBOUND_PORTS, grammar::ports),
    both(name::EXCLUDE_INTERFACES, grammar::interfaces),
    both(name::KUBEVIRT_INTERFACES, grammar::interfaces),
    both(name::REROUTE_INTERFACES, grammar::interfaces),
    both(name::STATUS_PORT, grammar::port),
    both(name::READINESS_INITIAL_DELAY, grammar::number),
    both(name::READINESS_PERIOD, grammar::number),
    both(name::READINESS_FAILURE_THRESHOLD, grammar::number),
    (name::PROXY_CPU, Some(grammar::quantity), grammar::amount),
    (name::PROXY_CPU_LIMIT, Some(grammar::quantity), grammar::amount),
    (name::PROXY_MEMORY, Some(grammar::quantity), grammar::amount),
    (name::PROXY_MEMORY_LIMIT, Some(grammar::quantity), grammar::amount),
    both(name::MERGE_METRICS, grammar::boolean),
    both(name::USER_VOLUME, grammar::volumes),
    both(name::USER_VOLUME_MOUNT, grammar::volumes),
    both(name::NETWORKS, grammar::networks),
    both(name::DATADOG_ENVIRONMENT, grammar::environment),
    ours(name::REWRITE_PROBES, grammar::boolean),
    ours(name::CAP_NET_BIND_SERVICE, grammar::boolean),
    ours(name::LOG_LEVEL, grammar::log_level),
    ours(name::COMPONENT_LOG_LEVEL, grammar::component_log_levels),
    ours(name::AGENT_LOG_LEVEL, grammar::agent_log_levels),
    ours(name::PROXY_IMAGE, grammar::image),
    ours(name::PROXY_IMAGE_TYPE, grammar::image_type),
    ours(name::TEMPLATES, grammar::template_names),
    ours(name::BOOTSTRAP_OVERRIDE, grammar::object_name),
    ours(name::SCRAPE_TARGETS, grammar::scrape_targets),
    ours(name::SECURE_METRICS_PORT, grammar::port),
];

const fn both(annotation: &'static str, check: Check) -> Rule {
    (annotation, Some(check), check)
}

const fn ours(annotation: &'static str, check: Check) -> Rule {
    (annotation, None, check)
}

/// Checks every annotation of `pod` that injection reads, but for `proxy.istio.io/config`.
///
/// # Errors
/// All annotations whose value cannot be used.
pub fn check(pod: &Value, mode: Mode) -> Result<(), Vec<AnnotationError>> {
    let annotations = metadata_map(pod, "annotations");
    let mut errors: Vec<_> = RULES
        .iter()
        .filter_map(|(annotation, of_istio, of_ours)| {
            let value = annotations.get(*annotation)?.as_str()?;
            let check = if mode.is_istio() { (*of_istio)? } else { *of_ours };
            Some(AnnotationError::new(annotation, value, check(value).err()?))
        })
        .collect();
    if !mode.is_istio() {
        errors.extend(resources::beyond_limits(annotations));
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// Whether the annotation is known and its value keeps to the grammar, so that it means in rendered text what it says.
pub(crate) fn keeps_to_its_grammar(annotation: &str, value: &str) -> bool {
    let rule = RULES.iter().find(|(known, ..)| *known == annotation);
    rule.is_some_and(|(_, of_istio, of_ours)| of_istio.unwrap_or(*of_ours)(value).is_ok())
}

/// The items of a comma separated list, without the spaces around them; an empty text has none.
pub fn items(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(|item| item.trim_matches(' ')).filter(|item| !item.is_empty())
}

/// A bool as Go's `strconv.ParseBool` reads it.
pub fn go_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

/// The start of `value` for an error: escaped, and marked where it is cut.
fn printable(value: &str) -> String {
    let start: String = value.chars().take(SHOWN).flat_map(escaped).collect();
    if value.chars().nth(SHOWN).is_some() { start + "…" } else { start }
}

fn escaped(c: char) -> impl Iterator<Item = char> {
    let is_plain =
        !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let (plain, escape) = if is_plain { (Some(c), None) } else { (None, Some(c.escape_default())) };
    plain.into_iter().chain(escape.into_iter().flatten())
}

#[cfg(test)]
mod tests;
