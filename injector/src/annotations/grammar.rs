//! Grammars of annotations. Each function checks a value, and says what is wrong and what would be right.

use std::str::FromStr;

use ipnet::IpNet;
use serde_json::{Map, Value};

use super::{go_bool, items, printable};
use crate::quantity::Quantity;

/// What a value has to be.
pub(super) type Check = fn(&str) -> Result<(), String>;

pub(super) fn interception_mode(value: &str) -> Result<(), String> {
    need(matches!(value, "REDIRECT" | "TPROXY" | "NONE"), "use REDIRECT, TPROXY or NONE")
}

pub(super) fn ip_ranges_or_all(value: &str) -> Result<(), String> {
    or_all(value, ip_ranges)
}

pub(super) fn ip_ranges(value: &str) -> Result<(), String> {
    each(value, |item| IpNet::from_str(item).is_ok(), "an IP range; use CIDRs as 10.0.0.0/8,2001:db8::/32")
}

pub(super) fn ports_or_all(value: &str) -> Result<(), String> {
    or_all(value, ports)
}

pub(super) fn ports(value: &str) -> Result<(), String> {
    each(value, is_unsigned::<u16>, "a port; use numbers from 0 to 65535, as 80,443")
}

pub(super) fn port(value: &str) -> Result<(), String> {
    need(is_unsigned::<u16>(value), "use a port, a number from 0 to 65535")
}

pub(super) fn number(value: &str) -> Result<(), String> {
    need(is_unsigned::<u32>(value), "use a whole number from 0 to 4294967295")
}

/// Interfaces of Linux.
pub(super) fn interfaces(value: &str) -> Result<(), String> {
    let is_interface =
        |item: &str| item.len() <= 15 && item.starts_with(|c: char| c.is_ascii_alphabetic()) && has_only(item, "_-.");
    each(value, is_interface, "a network interface; use names as eth1,net1, of at most 15 characters")
}

pub(super) fn boolean(value: &str) -> Result<(), String> {
    need(go_bool(value).is_some(), "use true or false")
}

/// A quantity as Kubernetes reads it, signs included.
pub(super) fn quantity(value: &str) -> Result<(), String> {
    need(Quantity::parse(value).is_some(), "use a Kubernetes quantity, as 100m or 128Mi")
}

/// A quantity that a resource can have: Kubernetes takes a suffix alone for nothing, and no resource is negative.
pub(super) fn amount(value: &str) -> Result<(), String> {
    quantity(value)?;
    let has_digits = value.trim_start_matches('+').trim_start_matches('.').starts_with(|c: char| c.is_ascii_digit());
    need(has_digits, "use a Kubernetes quantity that is not negative, as 100m or 128Mi")
}

/// A JSON object of volumes, or of what belongs to volumes, by name.
pub(super) fn volumes(value: &str) -> Result<(), String> {
    let object = json_object(value, "{\"name\": {...}}")?;
    match object.iter().find(|(name, entry)| !is_dns_label(name) || !entry.is_object()) {
        Some((name, _)) if !is_dns_label(name) => {
            Err(format!("'{}' is not the name of a volume; use lower case letters, digits and -", printable(name)))
        }
        Some((name, _)) => Err(format!("what '{name}' stands for is not a JSON object")),
        None => Ok(()),
    }
}

/// Names of networks, or a JSON list. Templates put it between single quotes.
pub(super) fn networks(value: &str) -> Result<(), String> {
    let is_forbidden = |c: char| c == '\'' || is_break(c) || c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    need(!value.contains(is_forbidden), "has single quotes or control characters; use network names or a JSON list")
}

/// A JSON object of environment variables. Templates put the values between double quotes.
pub(super) fn environment(value: &str) -> Result<(), String> {
    for (name, entry) in &json_object(value, "{\"NAME\": \"value\"}")? {
        if !is_environment_name(name) {
            return Err(format!("'{}' is not the name of an environment variable", printable(name)));
        }
        match entry {
            Value::String(text) => plain_value(text).map_err(|problem| format!("the value of {name} {problem}"))?,
            Value::Bool(_) | Value::Number(_) => {}
            _ => return Err(format!("the value of {name} is not a string")),
        }
    }
    Ok(())
}

pub(super) fn log_level(value: &str) -> Result<(), String> {
    need(is_log_level(value), "use trace, debug, info, warning, error, critical or off")
}

pub(super) fn component_log_levels(value: &str) -> Result<(), String> {
    let is_pair = |item: &str| {
        item.split_once(':').is_some_and(|(component, level)| is_word(component, "_-.") && is_log_level(level))
    };
    each(value, is_pair, "a component and its level; use a list as misc:error,http:debug")
}

/// Levels of the agent's log, each with or without the scope that it is for.
pub(super) fn agent_log_levels(value: &str) -> Result<(), String> {
    let is_level = |level: &str| matches!(level, "debug" | "info" | "warn" | "error" | "fatal" | "none");
    let is_item = |item: &str| match item.split_once(':') {
        Some((scope, level)) => is_word(scope, "_-.") && is_level(level),
        None => is_level(item),
    };
    each(value, is_item, "a scope and its level; use a list as default:info,dns:debug")
}

/// An image reference, or the name of an image, which templates take for `auto` and the like.
pub(super) fn image(value: &str) -> Result<(), String> {
    let starts_well = value.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[');
    let ends_well = value.ends_with(|c: char| c.is_ascii_alphanumeric());
    need(
        starts_well && ends_well && has_only(value, "._-/:@[]"),
        "use an image reference, as registry.example/sidecar-proxy:1.0",
    )
}

pub(super) fn image_type(value: &str) -> Result<(), String> {
    need(is_word(value, "._-"), "use a variant of the image, as distroless, or default")
}

pub(super) fn template_names(value: &str) -> Result<(), String> {
    need(items(value).next().is_some(), "names no template; leave the annotation out for the default")?;
    let is_valid = |item: &str| is_word(item, "._-");
    match items(value).find(|item| !is_valid(item)) {
        Some(item) => Err(format!("'{}' is not a template name; use names separated by commas", printable(item))),
        None => Ok(()),
    }
}

/// The name of a Kubernetes object: a DNS subdomain.
pub(super) fn object_name(value: &str) -> Result<(), String> {
    let is_valid = value.len() <= 253 && value.split('.').all(is_dns_label);
    need(is_valid, "use the name of a ConfigMap: lower case letters, digits, - and .")
}

/// `port[:path]`, separated by commas.
pub(super) fn scrape_targets(value: &str) -> Result<(), String> {
    let is_target = |item: &str| {
        let (port, path) = item.split_once(':').unwrap_or((item, "/"));
        is_unsigned::<u16>(port.trim_matches(' ')) && url_path(path.trim_matches(' ')).is_ok()
    };
    each(value, is_target, "a port with a path; use a list as 8080:/metrics,9100")
}

/// Whether it can be the name of an environment variable, and is text to YAML too. Istio's templates do not quote it.
pub(crate) fn is_environment_name(name: &str) -> bool {
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let is_other_type = matches!(
        name.to_ascii_lowercase().as_str(),
        "null" | "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n"
    );
    starts_well && !is_other_type && has_only(name, "_-.")
}

/// Whether `value` is itself between the double quotes of YAML; otherwise what is in the way.
pub(crate) fn plain_value(value: &str) -> Result<(), String> {
    let is_forbidden = |c: char| c == '"' || c == '\\' || c.is_control() || is_break(c);
    need(
        !value.contains(is_forbidden),
        "has double quotes, backslashes, line ends or control characters; take them out",
    )
}

fn or_all(value: &str, check: Check) -> Result<(), String> {
    if value == "*" { Ok(()) } else { check(value).map_err(|problem| format!("{problem}, or * for all")) }
}

/// Every item of a comma separated list; an empty text is an empty list.
fn each(list: &str, is_valid: impl Fn(&str) -> bool, what: &str) -> Result<(), String> {
    if list.is_empty() {
        return Ok(());
    }
    match list.split(',').map(|item| item.trim_matches(' ')).find(|item| item.is_empty() || !is_valid(item)) {
        Some("") => Err("has commas and nothing between them; leave it empty for none".to_owned()),
        Some(item) => Err(format!("'{}' is not {what}", printable(item))),
        None => Ok(()),
    }
}

fn json_object(value: &str, example: &str) -> Result<Map<String, Value>, String> {
    match serde_json::from_str(value) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(format!("is not a JSON object; use {example}")),
        Err(error) => Err(format!("is not JSON: {error}; use {example}")),
    }
}

fn url_path(value: &str) -> Result<(), String> {
    let is_forbidden = |c: char| c.is_control() || is_break(c) || c == ' ' || c == '"' || c == '\\';
    need(!value.contains(is_forbidden), "use a path, as /metrics")
}

fn need(is_valid: bool, advice: &str) -> Result<(), String> {
    if is_valid { Ok(()) } else { Err(advice.to_owned()) }
}

fn is_unsigned<T: FromStr>(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && T::from_str(text).is_ok()
}

fn is_log_level(text: &str) -> bool {
    matches!(text, "trace" | "debug" | "info" | "warning" | "error" | "critical" | "off")
}

fn is_dns_label(text: &str) -> bool {
    let is_inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len()) && !text.starts_with('-') && !text.ends_with('-') && text.bytes().all(is_inside)
}

fn is_word(text: &str, marks: &str) -> bool {
    !text.is_empty() && has_only(text, marks)
}

fn has_only(text: &str, marks: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || marks.contains(c))
}

/// What YAML takes for the end of a line beside control characters.
fn is_break(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}
