//! Dashboard and alerts ask for metrics and label values that the injector has.

mod expression;

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use sidecar_injector::loading::{LoadOutcome, LoadReport};
use sidecar_injector::metrics::Metrics;
use sidecar_injector::registration::State;

use crate::rendered::rendered;
use crate::{text, yaml};

/// Of Prometheus itself: whether a target answered.
const UP: &str = "up";

/// Every series that the injector can have: of each metric, the names it is stored under.
fn exposed() -> BTreeSet<String> {
    let metrics = Metrics::default();
    // Without a label value there is no series yet: these have none before the first request, the first configuration,
    // and where nobody keeps the registration.
    metrics.requests.count("injected", "policy_enabled", Duration::from_millis(1));
    let in_use = Some("digest".to_owned());
    let report = LoadReport { outcome: LoadOutcome::Restored, offered: None, in_use, generation: 1 };
    metrics.configuration.loaded(&report, 0.0);
    metrics.registration.set_state(State::Current);
    let text = metrics.encode().unwrap();
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let stored = types.flat_map(|(name, kind)| {
        let suffixes: &[&str] = match kind {
            "counter" => &["_total"],
            "histogram" => &["_bucket", "_sum", "_count"],
            "info" => &["_info"],
            _ => &[""],
        };
        suffixes.iter().map(move |suffix| format!("{name}{suffix}"))
    });
    stored.chain([UP.to_owned()]).collect()
}

/// Every expression of dashboard and alerts, with the title of where it stands.
fn expressions() -> Vec<(String, String)> {
    let dashboard: Value = serde_json::from_str(&text("manifests/observability/dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| {
        let targets = panel["targets"].as_array().into_iter().flatten();
        targets.map(|target| (panel["title"].to_string(), target["expr"].as_str().unwrap().to_owned()))
    });
    let rules = yaml("manifests/observability/prometheus-rule.yaml");
    let groups = rules["spec"]["groups"].as_array().unwrap().iter();
    let alerts = groups.flat_map(|group| group["rules"].as_array().unwrap());
    let alerts = alerts.map(|rule| (rule["alert"].to_string(), rule["expr"].as_str().unwrap().to_owned()));
    targets.chain(alerts).collect()
}

#[test]
fn every_metric_asked_for_is_exposed() {
    let exposed = exposed();
    let mut missing = BTreeSet::new();
    for (title, text) in expressions() {
        let metrics = expression::metrics(&text);
        assert!(!metrics.is_empty(), "{title} asks for nothing: {text}");
        missing.extend(metrics.into_iter().filter(|metric| !exposed.contains(metric)));
    }
    assert!(missing.is_empty(), "not exposed: {missing:#?}");
}

#[test]
fn every_outcome_asked_for_is_one() {
    const OUTCOMES: [&str; 5] = ["injected", "skipped", "denied", "rejected", "abandoned"];
    for (title, text) in expressions() {
        for value in expression::values_of(&text, "outcome") {
            assert!(value.split('|').all(|outcome| OUTCOMES.contains(&outcome)), "{title}: {value}");
        }
    }
}

#[test]
fn alerts_are_whole() {
    let rules = yaml("manifests/observability/prometheus-rule.yaml");
    let rules = rules["spec"]["groups"][0]["rules"].as_array().unwrap();
    let names: BTreeSet<_> = rules.iter().map(|rule| rule["alert"].as_str().unwrap()).collect();
    assert_eq!(names.len(), rules.len(), "two alerts of one name");
    for rule in rules {
        assert!(rule["alert"].as_str().unwrap().starts_with("SidecarInjector"));
        assert!(["critical", "warning"].map(Value::from).contains(&rule["labels"]["severity"]), "{rule}");
        for field in ["/for", "/annotations/summary", "/annotations/description"] {
            assert!(rule.pointer(field).is_some_and(Value::is_string), "{rule}: no {field}");
        }
    }
}

#[test]
fn panels_lie_beside_each_other() {
    let dashboard: Value = serde_json::from_str(&text("manifests/observability/dashboard.json")).unwrap();
    let mut taken = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        let at = |name: &str| panel["gridPos"][name].as_u64().unwrap();
        assert!(at("x") + at("w") <= 24, "{panel}");
        for x in at("x")..at("x") + at("w") {
            for y in at("y")..at("y") + at("h") {
                assert!(taken.insert((x, y)), "{} lies over another", panel["title"]);
            }
        }
    }
}

#[test]
fn the_installed_dashboard_is_the_file() {
    let Some(rendered) = rendered("manifests/overlays/prometheus") else { return };
    let label = |map: &&Value| map["metadata"]["labels"]["grafana_dashboard"] == "1";
    let config_map = rendered.all("ConfigMap").find(label).unwrap();
    assert_eq!(config_map["data"]["sidecar-injector.json"], text("manifests/observability/dashboard.json"));
    let selected = &rendered.all("PodMonitor").next().unwrap()["spec"]["selector"]["matchLabels"];
    let labels = serde_json::to_value(rendered.deployment().spec.template.metadata.unwrap().labels).unwrap();
    assert!(selected.as_object().unwrap().iter().all(|(key, value)| labels.get(key) == Some(value)), "{selected}");
}
