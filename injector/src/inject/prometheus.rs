//! Merged metrics: Prometheus scrapes the sidecar, and the sidecar scrapes the application.

use serde::Serialize;
use serde_json::{Map, Value};
use sidecar_contract::{annotation, environment, port};

use crate::annotations::{AnnotationError, go_bool};
use crate::containers;
use crate::context::{Context, PodSettings};
use crate::workload::metadata_map;

/// Annotations for Prometheus; injection sets the first three, and takes all away before.
const NAMES: [&str; 4] = [
    annotation::PROMETHEUS_PORT,
    annotation::PROMETHEUS_PATH,
    annotation::PROMETHEUS_SCRAPE,
    annotation::SCRAPE_TARGETS,
];
/// Path under which the sidecar serves merged metrics.
pub(crate) const MERGED_PATH: &str = "/stats/prometheus";
/// Path of an application's metrics that says none.
const DEFAULT_PATH: &str = "/metrics";
/// Ports of the sidecar: behind none of them is the application.
const RESERVED: [u16; 9] = [
    port::ADMIN,
    port::OUTBOUND,
    // Debugging of Istio's agent.
    15004,
    port::INBOUND,
    port::TUNNEL,
    port::STATUS,
    port::HEALTH,
    port::DNS,
    port::PROMETHEUS,
];

/// Where the application serves its metrics, in the form that the sidecar's agent reads.
#[derive(Debug, Default, PartialEq, Serialize)]
struct Scrape<'a> {
    scrape: &'a str,
    path: &'a str,
    port: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    targets: Vec<Target<'a>>,
}

/// One of several places.
#[derive(Debug, PartialEq, Serialize)]
struct Target<'a> {
    port: &'a str,
    path: &'a str,
}

/// Points the pod's Prometheus annotations to the sidecar, and tells the sidecar what they said before.
///
/// # Errors
/// When the annotation with several targets cannot be read.
pub(super) fn merge(pod: &mut Value, context: &Context<'_>, settings: &PodSettings) -> Result<(), AnnotationError> {
    let annotations = metadata_map(pod, "annotations");
    let status_port = context.status_ports(pod, settings).metrics;
    let is_off = given(annotations, annotation::PROMETHEUS_SCRAPE).and_then(go_bool) == Some(false);
    let is_ours = given(annotations, annotation::PROMETHEUS_PORT) == Some(status_port.to_string().as_str());
    let is_nowhere = status_port == 0 && !context.mode().is_istio();
    if is_off || is_ours || is_nowhere || !is_enabled(annotations, context) {
        return Ok(());
    }
    let scrape = scrape(annotations, status_port)?;
    let text = if scrape == Scrape::default() { None } else { serde_json::to_string(&scrape).ok() };
    // Without a sidecar nobody answers there. Istio sets the annotations all the same.
    if containers::sidecar(pod).is_none() && !context.mode().is_istio() {
        return Ok(());
    }
    if let Some(text) = text
        && let Some(list) = containers::sidecar_mut(pod).and_then(containers::variables_mut)
    {
        list.push(containers::new_variable(environment::PROMETHEUS_ANNOTATIONS, &text));
    }
    if let Some(annotations) = containers::metadata_mut(pod, "annotations") {
        annotations.retain(|name, _| !NAMES.iter().any(|known| is_same(name, known)));
        for (name, value) in
            [(NAMES[0], status_port.to_string()), (NAMES[1], MERGED_PATH.to_owned()), (NAMES[2], "true".to_owned())]
        {
            annotations.insert(name.to_owned(), value.into());
        }
    }
    Ok(())
}

/// Says on which port the sidecar serves merged metrics with TLS, if it does.
pub(super) fn secure_port(pod: &mut Value) {
    let port =
        containers::sidecar(pod).and_then(|sidecar| containers::variable(sidecar, environment::SECURE_METRICS_PORT));
    let Some(port) = port.filter(|port| !matches!(*port, "" | "0")).map(str::to_owned) else { return };
    if let Some(annotations) = containers::metadata_mut(pod, "annotations") {
        annotations.entry(annotation::SECURE_METRICS_PORT).or_insert_with(|| port.into());
    }
}

/// Takes the annotations away, if they point to the sidecar.
pub(super) fn remove_merged(pod: &mut Value, context: &Context<'_>) {
    let status_port = context.injector.configuration.mesh.status_port().to_string();
    if let Some(annotations) = containers::metadata_mut(pod, "annotations")
        && given(annotations, annotation::PROMETHEUS_PORT) == Some(status_port.as_str())
    {
        annotations.retain(|name, _| !NAMES.iter().any(|known| is_same(name, known)));
    }
}

fn is_enabled(annotations: &Map<String, Value>, context: &Context<'_>) -> bool {
    let given = annotations.get(annotation::MERGE_METRICS).and_then(Value::as_str);
    given.and_then(go_bool).unwrap_or_else(|| context.injector.configuration.mesh.prometheus_merge())
}

fn scrape(annotations: &Map<String, Value>, status_port: u16) -> Result<Scrape<'_>, AnnotationError> {
    let text = |name: &str| given(annotations, name).unwrap_or_default();
    let targets = match given(annotations, annotation::SCRAPE_TARGETS) {
        Some(list) => targets(list, status_port)
            .map_err(|problem| AnnotationError::new(annotation::SCRAPE_TARGETS, list, problem))?,
        None => Vec::new(),
    };
    let first = targets.first();
    Ok(Scrape {
        scrape: text(annotation::PROMETHEUS_SCRAPE),
        path: first.map_or_else(|| text(annotation::PROMETHEUS_PATH), |target| target.path),
        port: first.map_or_else(|| text(annotation::PROMETHEUS_PORT), |target| target.port),
        targets,
    })
}

fn targets(list: &str, status_port: u16) -> Result<Vec<Target<'_>>, String> {
    list.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(|item| {
            let (port, path) = item.split_once(':').unwrap_or((item, DEFAULT_PATH));
            let (port, path) = (port.trim(), path.trim());
            match port.parse::<u16>() {
                Ok(number) if number == status_port || RESERVED.contains(&number) => {
                    Err(format!("port {number} is one of the sidecar's own; name the application's"))
                }
                Ok(1..) => Ok(Target { port, path: if path.is_empty() { DEFAULT_PATH } else { path } }),
                _ => Err(format!("'{}' is not a port from 1 to 65535; use 8080:/metrics,9100", port.escape_default())),
            }
        })
        .collect()
}

/// The value of an annotation, whatever stands in its name for what Prometheus does not take in a label: it reads
/// `prometheus.io/port` and `prometheus_io_port` as one.
fn given<'a>(annotations: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    let found = annotations
        .get(name)
        .or_else(|| annotations.iter().find(|(other, _)| is_same(other, name)).map(|(_, value)| value));
    found.and_then(Value::as_str)
}

fn is_same(name: &str, other: &str) -> bool {
    let plain = |character: char| if character.is_ascii_alphanumeric() { character } else { '_' };
    name.len() == other.len() && name.chars().map(plain).eq(other.chars().map(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_have_a_port_and_maybe_a_path() {
        let target = |port, path| Target { port, path };
        assert_eq!(
            targets(" 80 , 81:/a,82:", 15020).unwrap(),
            [target("80", "/metrics"), target("81", "/a"), target("82", "/metrics")]
        );
        for bad in ["0", "65536", "http", "15090", "15020:/x", "16020"] {
            assert!(targets(bad, 16020).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_are_the_same_in_all_their_spellings() {
        assert!(is_same("prometheus.io.scrape", "prometheus.io/scrape"));
        assert!(!is_same("prometheus.io/scrapes", "prometheus.io/scrape"));
    }
}
