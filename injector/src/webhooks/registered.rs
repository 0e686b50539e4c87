//! The webhooks of a cluster, as its MutatingWebhookConfigurations have them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use sidecar_contract::config::{DEFAULT_REVISION, WEBHOOK_PATH, WEBHOOK_SUFFIX};
use sidecar_contract::label;

use super::Webhook;
use crate::path_variables;
use crate::selector::LabelSelector;
use crate::workload::{metadata_map, metadata_text};

/// A webhook that calls an injector, and what else its configuration says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// Which pods it selects.
    pub webhook: Webhook,
    /// Name of its MutatingWebhookConfiguration; empty when it is not from a cluster.
    pub configuration: String,
    /// The tag that the configuration is for, another name of the revision; none when it is for the revision itself.
    pub tag: Option<String>,
    /// The Service by which the API server reaches the injector, as namespace and name; none when it is a URL.
    pub service: Option<(String, String)>,
    /// Variables of the sidecar in the path at which the API server calls.
    pub variables: BTreeMap<String, String>,
    /// Since when that is there, in RFC 3339; empty when it does not say.
    pub created: String,
    /// Whether a pod is created although the injector does not answer.
    pub is_ignored_on_failure: bool,
    /// Conditions (CEL) that only the API server can evaluate, as `name: expression`.
    pub conditions: Vec<String>,
}

impl From<Webhook> for Registered {
    /// A webhook of which no more is known than which pods it selects.
    fn from(webhook: Webhook) -> Self {
        Self {
            webhook,
            configuration: String::new(),
            tag: None,
            service: None,
            variables: BTreeMap::new(),
            created: String::new(),
            is_ignored_on_failure: false,
            conditions: Vec::new(),
        }
    }
}

/// How far a selector matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected {
    /// The first requirement on the namespace that is not met, as `kubectl get --selector` takes it.
    pub unmet_by_namespace: Option<String>,
    /// The first requirement on the pod that is not met.
    pub unmet_by_pod: Option<String>,
}

/// The webhooks of a MutatingWebhookConfiguration that call an injector, known by the end of their names.
pub fn registered(configuration: &Value) -> Vec<Registered> {
    let labelled = |name: &str| metadata_map(configuration, "labels").get(name).and_then(Value::as_str);
    let revision = labelled(label::REVISION);
    let webhooks = configuration.get("webhooks").and_then(Value::as_array).into_iter().flatten();
    let name_of = |webhook: &Value| webhook.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let ours = webhooks.filter(|webhook| name_of(webhook).ends_with(WEBHOOK_SUFFIX));
    ours.map(|webhook| Registered {
        webhook: Webhook {
            name: name_of(webhook),
            revision: revision.unwrap_or(DEFAULT_REVISION).to_owned(),
            namespace_selector: selector(webhook, "namespaceSelector"),
            object_selector: selector(webhook, "objectSelector"),
        },
        configuration: metadata_text(configuration, "name").to_owned(),
        tag: labelled(label::TAG).map(str::to_owned),
        service: service(webhook),
        variables: variables(webhook),
        created: metadata_text(configuration, "creationTimestamp").to_owned(),
        is_ignored_on_failure: webhook.get("failurePolicy").is_some_and(|policy| policy == "Ignore"),
        conditions: conditions(webhook),
    })
    .collect()
}

impl Webhook {
    /// How far it matches a pod with `pod_labels` in a namespace with `namespace_labels`.
    pub fn selected(&self, namespace_labels: &Map<String, Value>, pod_labels: &Map<String, Value>) -> Selected {
        let unmet = |selector: &LabelSelector, labels| {
            let invalid = || selector.problems().into_iter().next().map(|problem| format!("(invalid: {problem})"));
            if selector.matches(labels) { None } else { selector.first_unmet(labels).or_else(invalid) }
        };
        Selected {
            unmet_by_namespace: unmet(&self.namespace_selector, namespace_labels),
            unmet_by_pod: unmet(&self.object_selector, pod_labels),
        }
    }
}

/// The API server has checked it; what cannot be read here selects nothing.
fn selector(webhook: &Value, field: &str) -> LabelSelector {
    match webhook.get(field) {
        None | Some(Value::Null) => LabelSelector::default(),
        Some(selector) => serde_json::from_value(selector.clone()).unwrap_or_else(|_| LabelSelector {
            match_labels: [(label::DEACTIVATED.to_owned(), label::DEACTIVATED_NEVER.to_owned())].into(),
            ..LabelSelector::default()
        }),
    }
}

fn service(webhook: &Value) -> Option<(String, String)> {
    let service = webhook.pointer("/clientConfig/service")?;
    let text = |field: &str| Some(service.get(field)?.as_str()?.to_owned());
    Some((text("namespace")?, text("name")?))
}

/// Those in what follows `/inject` in the path. What is before it does not come to the injector.
fn variables(webhook: &Value) -> BTreeMap<String, String> {
    let text = |pointer: &str| webhook.pointer(pointer).and_then(Value::as_str);
    let of_url = |url| {
        let (_, rest) = str::split_once(url, "://")?;
        rest.find('/').map(|path| &rest[path..])
    };
    let path = text("/clientConfig/service/path").or_else(|| of_url(text("/clientConfig/url")?)).unwrap_or_default();
    let mut ends = path.match_indices(WEBHOOK_PATH).map(|(at, part)| &path[at + part.len()..]);
    path_variables::parse(ends.find(|rest| rest.is_empty() || rest.starts_with('/')).unwrap_or_default())
}

fn conditions(webhook: &Value) -> Vec<String> {
    let conditions = webhook.get("matchConditions").and_then(Value::as_array).into_iter().flatten();
    let text = |condition: &Value, key: &str| condition.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    conditions.map(|condition| format!("{}: {}", text(condition, "name"), text(condition, "expression"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registration::Settings;
    use crate::webhooks::webhooks;
    use serde_json::json;

    #[test]
    fn what_is_registered_is_what_is_selected_offline() {
        for (revision, tags, by_default) in [("", vec![], false), ("", vec![], true), ("canary", vec!["prod"], false)] {
            let tags: Vec<String> = tags.into_iter().map(str::to_owned).collect();
            let names: Vec<&str> = tags.iter().map(String::as_str).collect();
            let expected = webhooks(revision, &names, by_default);
            let settings = Settings {
                revision: revision.to_owned(),
                tags: tags.clone(),
                enable_namespaces_by_default: by_default,
                ..Settings::default()
            };
            let objects = settings.configurations().unwrap();
            let read: Vec<Registered> = objects.iter().flat_map(|wanted| registered(&wanted.object)).collect();
            assert_eq!(read.len(), expected.len());
            for (read, expected) in read.iter().zip(&expected) {
                assert_eq!((&read.webhook.name, &read.webhook.revision), (&expected.name, &expected.revision));
                let labels = json!({"istio.io/rev": "prod", "kubernetes.io/metadata.name": "demo"});
                let (labels, none) = (labels.as_object().unwrap(), Map::new());
                assert_eq!(read.webhook.matches(labels, &none), expected.matches(labels, &none), "{read:?}");
            }
        }
    }

    #[test]
    fn other_webhooks_are_left_out_and_conditions_are_told() {
        let object = json!({"metadata": {"name": "a", "labels": {"istio.io/rev": "canary"}}, "webhooks": [
            {"name": "validate.example.com"},
            {"name": "own.sidecar-injector.istio.io", "failurePolicy": "Ignore",
                "namespaceSelector": {"matchLabels": {"a": "b"}},
                "matchConditions": [{"name": "c", "expression": "true"}]},
        ]});
        let read = registered(&object);
        assert_eq!((read.len(), read[0].webhook.revision.as_str()), (1, "canary"));
        assert!(read[0].is_ignored_on_failure);
        assert_eq!(read[0].conditions, ["c: true"]);
        let selected = read[0].webhook.selected(&Map::new(), &Map::new());
        assert_eq!(selected, Selected { unmet_by_namespace: Some("a=b".to_owned()), unmet_by_pod: None });
    }
}
