//! The objects themselves, as JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use sidecar_contract::config::DEFAULT_REVISION;
use sidecar_contract::{label, namespace};

use super::{Endpoint, Owner, Settings};
use crate::selector::{LabelSelector, Operator, Requirement};
use crate::webhooks::{Webhook, webhooks};

/// Label that tells the injector's objects from others.
pub const MANAGER_LABEL: &str = "app";
/// The value of [`MANAGER_LABEL`].
pub const MANAGER_VALUE: &str = "sidecar-injector";
/// Read by cert-manager's cainjector, which then writes every `caBundle` of the object.
const CERT_MANAGER_ANNOTATION: &str = "cert-manager.io/inject-ca-from";

/// One wanted MutatingWebhookConfiguration.
#[derive(Clone, Debug, PartialEq)]
pub struct Configuration {
    /// Its name.
    pub name: String,
    /// All of it that we want to own.
    pub object: Value,
}

impl Configuration {
    /// The same with `pem` (certificates) as the `caBundle` of every webhook.
    #[must_use]
    pub fn with_bundle(mut self, pem: &str) -> Self {
        let encoded = STANDARD.encode(pem);
        for webhook in self.object["webhooks"].as_array_mut().into_iter().flatten() {
            webhook["clientConfig"]["caBundle"] = encoded.clone().into();
        }
        self
    }

    /// The webhooks, as far as they select pods.
    pub fn names_of_webhooks(&self) -> Vec<&str> {
        self.object["webhooks"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|webhook| webhook["name"].as_str())
            .collect()
    }
}

/// That of the revision.
pub(super) fn of_revision(settings: &Settings) -> Configuration {
    let selecting = webhooks(&settings.revision, &[], settings.enable_namespaces_by_default);
    // A tag that takes the place of the revision without a name leaves it nothing to match.
    let is_replaced = settings.revision.is_empty()
        && (settings.is_replaced || settings.tags.iter().any(|tag| tag == DEFAULT_REVISION));
    let deactivate = |webhook: Webhook| if is_replaced { webhook.deactivated() } else { webhook };
    configuration(settings, settings.revision_name(), None, selecting.into_iter().map(deactivate))
}

/// That of a tag.
pub(super) fn of_tag(settings: &Settings, tag: &str) -> Configuration {
    let own = webhooks(&settings.revision, &[], settings.enable_namespaces_by_default).len();
    let selecting = webhooks(&settings.revision, &[tag], settings.enable_namespaces_by_default);
    configuration(settings, settings.tag_name(tag), Some(tag), selecting.into_iter().skip(own))
}

fn configuration(
    settings: &Settings,
    name: String,
    tag: Option<&str>,
    selecting: impl Iterator<Item = Webhook>,
) -> Configuration {
    let revision = if settings.revision.is_empty() { DEFAULT_REVISION } else { &settings.revision };
    let mut labels = json!({MANAGER_LABEL: MANAGER_VALUE, label::REVISION: revision});
    if let Some(tag) = tag {
        labels[label::TAG] = tag.into();
    }
    let mut metadata = json!({"name": name, "labels": labels});
    if let Some(certificate) = &settings.cert_manager {
        metadata["annotations"] = json!({CERT_MANAGER_ANNOTATION: certificate});
    }
    if let Some(Owner { name, uid }) = &settings.owner {
        let owner = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "name": name,
            "uid": uid,
        });
        metadata["ownerReferences"] = json!([owner]);
    }
    let object = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": metadata,
        "webhooks": selecting.map(|webhook| self::webhook(settings, webhook)).collect::<Vec<_>>(),
    });
    Configuration { name, object }
}

fn webhook(settings: &Settings, selecting: Webhook) -> Value {
    let selecting = if selecting.is_deactivated() { selecting } else { excluding(settings, selecting) };
    let mut webhook = json!({
        "name": selecting.name,
        "clientConfig": client_config(settings),
        "rules": [{
            "apiGroups": [""],
            "apiVersions": ["v1"],
            "operations": ["CREATE"],
            "resources": ["pods"],
            "scope": "Namespaced",
        }],
        "namespaceSelector": selector(&selecting.namespace_selector),
        "objectSelector": selector(&selecting.object_selector),
        "failurePolicy": format!("{:?}", settings.failure_policy),
        "matchPolicy": "Equivalent",
        "reinvocationPolicy": format!("{:?}", settings.reinvocation_policy),
        // Reviews write Events, but none for a dry run.
        "sideEffects": "NoneOnDryRun",
        "timeoutSeconds": settings.timeout_seconds,
        "admissionReviewVersions": ["v1", "v1beta1"],
    });
    if !settings.match_conditions.is_empty() {
        let condition =
            |condition: &super::MatchCondition| json!({"name": condition.name, "expression": condition.expression});
        webhook["matchConditions"] = settings.match_conditions.iter().map(condition).collect();
    }
    webhook
}

fn client_config(settings: &Settings) -> Value {
    match &settings.endpoint {
        Endpoint::Service { name, port } => json!({
            "service": {"name": name, "namespace": settings.namespace, "path": settings.path(), "port": port},
        }),
        Endpoint::Url(url) => {
            let (url, path) = (url.trim_end_matches('/'), settings.path());
            let has_path = url.trim_start_matches("https://").contains('/');
            // What follows `/inject` belongs to a path of one's own, too.
            let path = if has_path { path.trim_start_matches(sidecar_contract::config::WEBHOOK_PATH) } else { &path };
            json!({"url": format!("{url}{path}")})
        }
    }
}

/// The webhook without the namespaces that are never shown to the injector.
fn excluding(settings: &Settings, mut webhook: Webhook) -> Webhook {
    let mut values: Vec<String> = namespace::NEVER_INJECTED.iter().map(|name| (*name).to_owned()).collect();
    for name in std::iter::once(&settings.namespace).chain(&settings.excluded_namespaces) {
        if !values.contains(name) {
            values.push(name.clone());
        }
    }
    let excluded = Requirement { key: label::NAMESPACE_NAME.to_owned(), operator: Operator::NotIn, values };
    let expressions = &mut webhook.namespace_selector.match_expressions;
    // Istio's own exclusion, of one of its webhooks, is part of ours.
    expressions.retain(|requirement| requirement.key != label::NAMESPACE_NAME);
    expressions.push(excluded);
    webhook
}

fn selector(selector: &LabelSelector) -> Value {
    let requirement = |requirement: &Requirement| {
        let Requirement { key, operator, values } = requirement;
        let mut expression = json!({"key": key, "operator": operator_name(operator)});
        if !values.is_empty() {
            expression["values"] = values.clone().into();
        }
        expression
    };
    let mut object = Map::new();
    if !selector.match_labels.is_empty() {
        object.insert("matchLabels".to_owned(), json!(selector.match_labels));
    }
    if !selector.match_expressions.is_empty() {
        object.insert("matchExpressions".to_owned(), selector.match_expressions.iter().map(requirement).collect());
    }
    Value::Object(object)
}

fn operator_name(operator: &Operator) -> &str {
    match operator {
        Operator::In => "In",
        Operator::NotIn => "NotIn",
        Operator::Exists => "Exists",
        Operator::DoesNotExist => "DoesNotExist",
        Operator::Unknown(name) => name,
    }
}
