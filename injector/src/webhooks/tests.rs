//! The selectors of all installations, on namespaces and pods with all labels that matter.

use super::*;
use serde_json::json;

/// The revision without a name and the revision `canary`, side by side.
fn two_revisions() -> Vec<Webhook> {
    [webhooks("", &[], false), webhooks("canary", &[], false)].concat()
}

fn called(webhooks: &[Webhook], namespace: &Value, pod: &Value) -> String {
    let labels = |labels: &Value| labels.as_object().unwrap().clone();
    let pod_labels = pod.pointer("/metadata/labels").map(labels).unwrap_or_default();
    let webhooks: Vec<Registered> = webhooks.iter().cloned().map(Registered::from).collect();
    match deciding(&matching(&webhooks, &labels(namespace), &pod_labels), None) {
        Some(Registered { webhook, .. }) => {
            format!("{} {}", webhook.name.replace(".sidecar-injector.istio.io", ""), webhook.revision)
        }
        None => NoMatch::of(&webhooks, &labels(namespace), pod).code().to_owned(),
    }
}

fn labelled(labels: Value) -> Value {
    json!({"metadata": {"labels": labels}})
}

#[test]
fn labels_of_namespace_and_pod_choose_the_webhook() {
    let enabled = || json!({"istio-injection": "enabled"});
    let inject = |value: &str| labelled(json!({label::INJECT: value}));
    let revision = |value: &str| labelled(json!({label::REVISION: value}));
    let annotated = json!({"metadata": {"annotations": {label::INJECT: "true"}}});
    for (namespace, pod, expected) in [
        (enabled(), json!({}), "namespace default"),
        (enabled(), inject("false"), "webhook_pod_label_false"),
        (json!({"istio-injection": "enabled", "istio.io/rev": "canary"}), json!({}), "namespace default"),
        (enabled(), revision("canary"), "namespace default"),
        (json!({"istio.io/rev": "canary"}), revision("default"), "rev.namespace canary"),
        (json!({"istio.io/rev": "canary"}), inject("false"), "webhook_pod_label_false"),
        (json!({"istio.io/rev": "default"}), json!({}), "rev.namespace default"),
        (json!({"istio.io/rev": "gone"}), inject("true"), "webhook_other_revision"),
        (json!({"istio-injection": "disabled"}), inject("true"), "webhook_namespace_disabled"),
        (json!({"istio-injection": ""}), inject("true"), "webhook_namespace_disabled"),
        (json!({}), inject("true"), "object default"),
        (json!({}), inject("yes"), "webhook_pod_label_invalid"),
        (json!({}), revision("canary"), "rev.object canary"),
        (json!({}), revision("gone"), "webhook_other_revision"),
        (json!({}), json!({}), "webhook_namespace_not_labelled"),
        (json!({}), annotated, "webhook_annotation_only"),
    ] {
        assert_eq!(called(&two_revisions(), &namespace, &pod), expected, "{namespace} {pod}");
    }
}

#[test]
fn a_revision_alone_serves_nothing_but_its_name() {
    let canary = webhooks("canary", &[], true);
    assert_eq!(canary.len(), 2);
    let enabled = json!({"istio-injection": "enabled"});
    assert_eq!(called(&canary, &enabled, &json!({})), "webhook_no_default_revision");
    let asks = labelled(json!({label::INJECT: "true"}));
    assert_eq!(called(&canary, &json!({}), &asks), "webhook_no_default_revision");
    let tagged = webhooks("canary", &["default", "prod"], false);
    assert_eq!(called(&tagged, &enabled, &json!({})), "namespace canary");
    assert_eq!(called(&tagged, &json!({}), &asks), "object canary");
    assert_eq!(called(&tagged, &json!({"istio.io/rev": "prod"}), &json!({})), "rev.namespace canary");
}

#[test]
fn silent_namespaces_are_injected_when_they_are_by_default() {
    let auto = webhooks("", &[], true);
    let named = |name: &str| json!({"kubernetes.io/metadata.name": name});
    assert_eq!(called(&auto, &named("demo"), &json!({})), "auto default");
    assert_eq!(called(&auto, &named("demo"), &labelled(json!({label::INJECT: "true"}))), "object default");
    assert_eq!(called(&auto, &named("kube-system"), &json!({})), "webhook_selectors");
    let tagged = webhooks("canary", &["default"], true);
    assert_eq!(called(&tagged, &named("demo"), &json!({})), "auto canary");
}

#[test]
fn a_tag_takes_the_place_of_the_default_revision() {
    let enabled = json!({"istio-injection": "enabled"});
    let deactivated: Vec<_> = webhooks("", &[], false).into_iter().map(Webhook::deactivated).collect();
    assert_eq!(called(&deactivated, &enabled, &json!({})), "webhook_deactivated");
    let beside = [deactivated.clone(), webhooks("canary", &[], false)].concat();
    assert_eq!(called(&beside, &enabled, &json!({})), "webhook_deactivated");
    assert_eq!(called(&beside, &json!({}), &labelled(json!({label::INJECT: "true"}))), "webhook_deactivated");
    let replaced = [deactivated, webhooks("canary", &["default"], false)].concat();
    assert_eq!(called(&replaced, &enabled, &json!({})), "namespace canary");
    let own = webhooks("", &["default"], false);
    assert_eq!(own.iter().filter(|webhook| webhook.is_deactivated()).count(), 4);
    assert_eq!(called(&own, &enabled, &json!({})), "namespace default");
}

#[test]
fn selectors_of_somebody_else_are_told_by_what_they_lack() {
    let mut own = webhooks("", &[], false);
    for webhook in &mut own {
        webhook.namespace_selector.match_labels.insert("stage".to_owned(), "prod".to_owned());
    }
    let labels = json!({"istio-injection": "enabled"});
    let registered: Vec<Registered> = own.into_iter().map(Registered::from).collect();
    let no_match = NoMatch::of(&registered, labels.as_object().unwrap(), &json!({}));
    assert_eq!(no_match.code(), "webhook_selectors");
    assert!(no_match.to_string().ends_with("stage=prod"), "{no_match}");
    assert_eq!(called(&[], &labels, &json!({})), "webhook_none");
}

#[test]
fn no_two_webhooks_of_a_configuration_match_the_same_pod() {
    let values = [None, Some("enabled"), Some("default"), Some("true"), Some("false"), Some("")];
    let labels = |pairs: [(&str, Option<&str>); 2]| -> Map<String, Value> {
        pairs.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.into()))).collect()
    };
    let all = webhooks("", &[], true);
    for injection in values {
        for revision in values {
            let namespace = labels([(label::NAMESPACE_INJECTION, injection), (label::REVISION, revision)]);
            for (inject, revision) in values.into_iter().flat_map(|inject| values.map(|revision| (inject, revision))) {
                let pod = labels([(label::INJECT, inject), (label::REVISION, revision)]);
                let count = all.iter().filter(|webhook| webhook.matches(&namespace, &pod)).count();
                assert!(count <= 1, "{namespace:?} {pod:?}");
            }
        }
    }
}
