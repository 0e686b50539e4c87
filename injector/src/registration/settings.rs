//! Mistakes in the settings of a registration, found before the API server finds them one by one.

use std::collections::BTreeSet;

use super::{Endpoint, SLASH, Settings};

/// More match conditions than the API server takes.
const MAX_MATCH_CONDITIONS: usize = 64;

/// A mistake in one setting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{setting}: {problem}")]
pub struct SettingsError {
    /// The setting, as a flag.
    pub setting: &'static str,
    /// What is wrong, and what to do.
    pub problem: String,
}

/// All mistakes.
pub(super) fn check(settings: &Settings) -> Vec<SettingsError> {
    let mut errors = Vec::new();
    let mut problem = |setting, problem: String| errors.push(SettingsError { setting, problem });
    if !is_label_part(&settings.namespace) {
        problem("--namespace", format!("{} cannot be part of a name; {LABEL_RULE}", quoted(&settings.namespace)));
    }
    if !settings.revision.is_empty() && !is_label_part(&settings.revision) {
        problem("--revision", format!("{} cannot be part of a name; {LABEL_RULE}", quoted(&settings.revision)));
    }
    for (tag, message) in bad_tags(settings) {
        problem("--tag", format!("{} {message}", quoted(tag)));
    }
    if !(1..=30).contains(&settings.timeout_seconds) {
        problem("--webhook-timeout", "use whole seconds, from 1s to 30s".to_owned());
    }
    for name in settings.excluded_namespaces.iter().filter(|name| !is_label_part(name)) {
        problem("--exclude-namespace", format!("{} is not the name of a namespace; {LABEL_RULE}", quoted(name)));
    }
    for message in bad_conditions(settings) {
        problem("--match-condition", message);
    }
    if let Some(certificate) = &settings.cert_manager
        && !certificate.split_once('/').is_some_and(|(namespace, name)| is_label_part(namespace) && is_subdomain(name))
    {
        let certificate = quoted(certificate);
        problem("--ca-bundle", format!("{certificate} does not name a Certificate; use cert-manager=NAMESPACE/NAME"));
    }
    match &settings.endpoint {
        Endpoint::Service { name, port } => check_service(settings, name, *port, &mut problem),
        Endpoint::Url(url) => check_url(settings, url, &mut problem),
    }
    errors
}

fn check_service(settings: &Settings, name: &str, port: u16, problem: &mut impl FnMut(&'static str, String)) {
    if !is_label_part(name) {
        problem("--service-name", format!("{} is not the name of a service; {LABEL_RULE}", quoted(name)));
    }
    if port == 0 {
        problem("--service-port", "0 is no port; use 1 to 65535".to_owned());
    }
    for (name, value) in &settings.path_variables {
        if !is_subdomain(name) || !is_subdomain(&value.replace('/', SLASH)) {
            let given = quoted(&format!("{name}={value}"));
            problem(
                "--path-variable",
                format!(
                    "{given} cannot be part of the path of a service; {LABEL_RULE} and '.', or a --url, which takes more"
                ),
            );
        }
    }
}

fn check_url(settings: &Settings, url: &str, problem: &mut impl FnMut(&'static str, String)) {
    if let Err(message) = url_mistake(url) {
        problem("--url", format!("{} {message}", quoted(url)));
    }
    for (name, value) in &settings.path_variables {
        let is_plain = |part: &str| !part.is_empty() && part.bytes().all(is_unescaped);
        if name.contains('/') || !is_plain(name) || !is_plain(value) {
            let given = quoted(&format!("{name}={value}"));
            problem(
                "--path-variable",
                format!("{given} cannot be part of a URL; use letters, digits, '-', '.', '_' and '~'"),
            );
        }
    }
}

fn quoted(text: &str) -> String {
    format!("`{}`", text.escape_default())
}

const LABEL_RULE: &str = "use at most 63 of a-z, 0-9 and '-'";

fn bad_tags(settings: &Settings) -> Vec<(&str, String)> {
    let mut seen = BTreeSet::new();
    let message = |tag: &str, is_new: bool| {
        if !is_label_part(tag) {
            Some(format!("cannot be part of a name; {LABEL_RULE}"))
        } else if !is_new {
            Some("is given twice".to_owned())
        } else if tag == settings.revision {
            Some("is the revision itself: a tag is another name for it".to_owned())
        } else {
            None
        }
    };
    settings.tags.iter().filter_map(|tag| Some((tag.as_str(), message(tag, seen.insert(tag))?))).collect()
}

fn bad_conditions(settings: &Settings) -> Vec<String> {
    let conditions = &settings.match_conditions;
    let mut seen = BTreeSet::new();
    let mut messages = Vec::new();
    if conditions.len() > MAX_MATCH_CONDITIONS {
        messages.push(format!(
            "{} conditions are more than the {MAX_MATCH_CONDITIONS} that the API server takes",
            conditions.len()
        ));
    }
    for condition in conditions {
        let name = condition.name.escape_default();
        if !is_qualified_name(&condition.name) {
            messages.push(format!(
                "`{name}` cannot name a condition; use letters, digits, '-', '_' and '.', as in not-mirror"
            ));
        }
        if !seen.insert(&condition.name) {
            messages.push(format!("`{name}` is given twice"));
        }
        if condition.expression.trim().is_empty() {
            messages.push(format!("`{name}` has no expression; use NAME=CEL"));
        }
    }
    messages
}

/// The host in an https URL, without brackets and port.
pub(super) fn host_of(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://")?;
    let authority = rest.split('/').next()?;
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None => authority.split(':').next()?,
    };
    Some(host).filter(|host| !host.is_empty())
}

/// What follows the host's colon.
fn port_of(url: &str) -> Option<&str> {
    let authority = url.strip_prefix("https://")?.split('/').next()?;
    let after_host = authority.rsplit_once(']').map_or(authority, |(_, rest)| rest);
    after_host.split_once(':').map(|(_, port)| port)
}

fn url_mistake(url: &str) -> Result<(), String> {
    if !url.starts_with("https://") {
        return Err("does not begin with https://, which the API server asks for".to_owned());
    }
    if let Some(character) = url.chars().find(|c| matches!(c, '@' | '?' | '#')) {
        return Err(format!("has a '{character}': user, query and fragment are not taken by the API server"));
    }
    if let Some(character) = url.chars().find(|c| !c.is_ascii_graphic()) {
        return Err(format!("has a '{}', which a URL escapes", character.escape_default()));
    }
    let is_host = |host: &str| rustls::pki_types::ServerName::try_from(host).is_ok();
    if !host_of(url).is_some_and(is_host) {
        return Err("has no host that a certificate can be for".to_owned());
    }
    if port_of(url).is_some_and(|port| !port.parse::<u16>().is_ok_and(|port| port > 0)) {
        return Err("has no port from 1 to 65535".to_owned());
    }
    Ok(())
}

fn is_unescaped(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte)
}

/// As DNS-1123 labels: names of namespaces and services, and so what names are made of.
fn is_label_part(text: &str) -> bool {
    let is_inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len()) && !text.starts_with('-') && !text.ends_with('-') && text.bytes().all(is_inside)
}

fn is_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_label_part)
}

fn is_qualified_name(text: &str) -> bool {
    let (prefix, name) = text.split_once('/').map_or((None, text), |(prefix, name)| (Some(prefix), name));
    let is_inside = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let ends = [name.bytes().next(), name.bytes().last()];
    name.len() <= 63
        && ends.into_iter().all(|byte| byte.is_some_and(|byte| byte.is_ascii_alphanumeric()))
        && name.bytes().all(is_inside)
        && prefix.is_none_or(is_subdomain)
}
