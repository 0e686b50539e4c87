//! What the annotations of a pod may say.
//!
//! Their values end up in rendered text, so each is held to its grammar before anything is rendered, and all mistakes
//! are reported together.

use std::str::FromStr;

use ipnet::IpNet;
use serde_json::Value;
use sidecar_contract::annotation as name;

use crate::workload::metadata_map;

/// An annotation whose value cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid value '{value}' for annotation '{annotation}': {problem}")]
pub struct AnnotationError {
    /// Name of the annotation.
    pub annotation: &'static str,
    /// The value given, with control characters escaped.
    pub value: String,
    /// What is wrong with it, and what would be right.
    pub problem: String,
}

impl AnnotationError {
    /// A mistake in an annotation of that value.
    pub fn new(annotation: &'static str, value: &str, problem: impl Into<String>) -> Self {
        Self { annotation, value: value.escape_default().to_string(), problem: problem.into() }
    }
}

/// A bool as Go's `strconv.ParseBool` reads it.
pub fn go_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

type Check = fn(&str) -> Result<(), String>;

const CHECKS: [(&str, Check); 14] = [
    (name::INTERCEPTION_MODE, interception_mode),
    (name::INCLUDE_OUTBOUND_IP_RANGES, ip_ranges_or_all),
    (name::EXCLUDE_OUTBOUND_IP_RANGES, ip_ranges),
    (name::INCLUDE_OUTBOUND_PORTS, ports),
    (name::EXCLUDE_OUTBOUND_PORTS, ports),
    (name::INCLUDE_INBOUND_PORTS, ports_or_all),
    (name::EXCLUDE_INBOUND_PORTS, ports),
    (name::PROXY_CPU, quantity),
    (name::PROXY_CPU_LIMIT, quantity),
    (name::PROXY_MEMORY, quantity),
    (name::PROXY_MEMORY_LIMIT, quantity),
    (name::LOG_LEVEL, log_level),
    (name::PROXY_IMAGE, image),
    (name::TEMPLATES, template_names),
];

/// Checks every annotation of `pod` that injection reads.
///
/// # Errors
/// All annotations whose value cannot be used.
pub fn check(pod: &Value, _mode: crate::mode::Mode) -> Result<(), Vec<AnnotationError>> {
    let annotations = metadata_map(pod, "annotations");
    let errors: Vec<_> = CHECKS
        .iter()
        .filter_map(|(annotation, check)| {
            let value = annotations.get(*annotation)?.as_str()?;
            let problem = check(value).err()?;
            Some(AnnotationError { annotation, value: value.escape_default().to_string(), problem })
        })
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// The items of a comma separated list, without the spaces around them; an empty text has none.
pub fn items(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(|item| item.trim_matches(' ')).filter(|item| !item.is_empty())
}

fn interception_mode(value: &str) -> Result<(), String> {
    match value {
        "REDIRECT" | "TPROXY" | "NONE" => Ok(()),
        _ => Err("use REDIRECT, TPROXY or NONE".to_owned()),
    }
}

fn ip_ranges_or_all(value: &str) -> Result<(), String> {
    if value == "*" { Ok(()) } else { ip_ranges(value).map_err(|problem| format!("{problem}, or * for all")) }
}

fn ip_ranges(value: &str) -> Result<(), String> {
    each(value, |item| IpNet::from_str(item).is_ok(), "an IP range; use CIDRs as 10.0.0.0/8,2001:db8::/32")
}

fn ports_or_all(value: &str) -> Result<(), String> {
    if value == "*" { Ok(()) } else { ports(value).map_err(|problem| format!("{problem}, or * for all")) }
}

fn ports(value: &str) -> Result<(), String> {
    let is_port = |item: &str| item.bytes().all(|byte| byte.is_ascii_digit()) && u16::from_str(item).is_ok();
    each(value, is_port, "a port; use numbers from 0 to 65535, as 80,443")
}

fn each(list: &str, is_valid: impl Fn(&str) -> bool, what: &str) -> Result<(), String> {
    if !list.is_empty() && items(list).next().is_none() {
        return Err("has commas and nothing between them; leave it empty for none".to_owned());
    }
    match items(list).find(|item| !is_valid(item)) {
        Some(item) => Err(format!("'{}' is not {what}", item.escape_default())),
        None => Ok(()),
    }
}

/// Kubernetes' quantity grammar: digits with an optional fraction, then a suffix or an exponent. It has signs too, but
/// no resource is negative.
fn quantity(value: &str) -> Result<(), String> {
    let digits_end = value.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(value.len());
    let (number, suffix) = value.split_at(digits_end);
    let number_is_valid = number.bytes().any(|byte| byte.is_ascii_digit()) && number.matches('.').count() <= 1;
    let suffix_is_valid = matches!(suffix, "" | "n" | "u" | "m" | "k" | "M" | "G" | "T" | "P" | "E")
        || matches!(suffix, "Ki" | "Mi" | "Gi" | "Ti" | "Pi" | "Ei")
        || suffix.strip_prefix(['e', 'E']).is_some_and(|exponent| i32::from_str(exponent).is_ok());
    if number_is_valid && suffix_is_valid {
        Ok(())
    } else {
        Err("use a Kubernetes quantity, as 100m or 128Mi".to_owned())
    }
}

fn log_level(value: &str) -> Result<(), String> {
    match value {
        "trace" | "debug" | "info" | "warning" | "error" | "critical" | "off" => Ok(()),
        _ => Err("use trace, debug, info, warning, error, critical or off".to_owned()),
    }
}

fn image(value: &str) -> Result<(), String> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/:@[]".contains(&byte);
    if !value.is_empty() && value.bytes().all(is_allowed) {
        Ok(())
    } else {
        Err("use an image reference, as registry.example/sidecar-proxy:1.0".to_owned())
    }
}

fn template_names(value: &str) -> Result<(), String> {
    let is_name = |item: &str| item.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if items(value).next().is_none() {
        return Err("names no template; leave the annotation out for the default".to_owned());
    }
    each(value, is_name, "a template name; use names separated by commas")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn accepts(annotation: &str, value: &str) -> bool {
        check(&json!({"metadata": {"annotations": {annotation: value}}}), crate::mode::Mode::Corrected).is_ok()
    }

    #[test]
    fn each_annotation_is_held_to_its_grammar() {
        let cases: [(&str, &[&str], &[&str]); 9] = [
            (name::INTERCEPTION_MODE, &["REDIRECT", "TPROXY", "NONE"], &["", "redirect", "REDIRECT "]),
            (name::INCLUDE_OUTBOUND_IP_RANGES, &["*", "", "10.0.0.0/8, ::/0"], &["10.0.0.0/33", "*,10.0.0.0/8", "a"]),
            (name::EXCLUDE_OUTBOUND_IP_RANGES, &["", "10.0.0.1/32"], &["*", "10.0.0.1"]),
            (
                name::INCLUDE_OUTBOUND_PORTS,
                &["", "80,443", " 80 , 443 "],
                &["80\"\n- x", "*", "65536", "+80", "-1", ",", " "],
            ),
            (name::INCLUDE_INBOUND_PORTS, &["*", "80"], &["http", "80;81"]),
            (
                name::PROXY_CPU,
                &["100m", "0.5", "2", "1e3", ".5"],
                &["", "m", "1.2.3", "1 m", "1Mb", "100m\n", "-1", "-5Mi"],
            ),
            (name::LOG_LEVEL, &["info", "warning"], &["warn", "INFO", ""]),
            (name::PROXY_IMAGE, &["hub/a:1", "h:5000/a@sha256:00", "auto"], &["", "a b", "a\nb", "a\"b"]),
            (name::TEMPLATES, &["sidecar", "a, b.c"], &["a b", "a\nb", "", ",,"]),
        ];
        for (annotation, good, bad) in cases {
            good.iter().for_each(|value| assert!(accepts(annotation, value), "{annotation}={value:?}"));
            bad.iter().for_each(|value| assert!(!accepts(annotation, value), "{annotation}={value:?}"));
        }
    }

    #[test]
    fn all_mistakes_are_reported_and_control_characters_escaped() {
        let pod =
            json!({"metadata": {"annotations": {name::PROXY_CPU: "much", name::EXCLUDE_INBOUND_PORTS: "80\n81"}}});
        let errors = check(&pod, crate::mode::Mode::Corrected).unwrap_err();
        assert_eq!(errors.len(), 2);
        let text = errors[0].to_string();
        assert!(text.contains("excludeInboundPorts") && text.contains("80\\n81") && !text.contains('\n'), "{text}");
    }
}
