//! The MutatingWebhookConfiguration: whom it calls, and for which pods.

use std::collections::BTreeMap;

use k8s_openapi::api::admissionregistration::v1::{MutatingWebhook, MutatingWebhookConfiguration};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use sidecar_contract::{config, label, namespace, port};

use crate::decode;

fn webhooks() -> Vec<MutatingWebhook> {
    let configuration: MutatingWebhookConfiguration = decode("manifests/webhook.yaml");
    assert_eq!(configuration.metadata.name.as_deref(), Some(config::INJECTOR_NAME));
    configuration.webhooks.unwrap()
}

type Labels<'a> = BTreeMap<&'a str, &'a str>;

fn matches(selector: &Option<LabelSelector>, labels: &Labels<'_>) -> bool {
    let selector = selector.as_ref().unwrap();
    assert!(selector.match_labels.is_none(), "only expressions are evaluated here");
    selector.match_expressions.iter().flatten().all(|requirement| {
        let value = labels.get(requirement.key.as_str());
        let is_one_of = value.is_some_and(|value| requirement.values.iter().flatten().any(|one| one == value));
        match requirement.operator.as_str() {
            "In" => is_one_of,
            "NotIn" => !is_one_of,
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            _ => unreachable!("the API knows no other operator"),
        }
    })
}

/// Prefixes of the webhooks that are called for such a pod.
fn called(namespace: &[(&'static str, &'static str)], pod: &[(&'static str, &'static str)]) -> Vec<String> {
    let (namespace, pod) = (namespace.iter().copied().collect(), pod.iter().copied().collect());
    let selected =
        |hook: &MutatingWebhook| matches(&hook.namespace_selector, &namespace) && matches(&hook.object_selector, &pod);
    let prefix = |hook: &MutatingWebhook| hook.name.strip_suffix(config::WEBHOOK_SUFFIX).unwrap().to_owned();
    webhooks().iter().filter(|hook| selected(hook)).map(prefix).collect()
}

#[test]
fn every_webhook_calls_the_service_on_its_path_for_new_pods() {
    for hook in webhooks() {
        let service = hook.client_config.service.as_ref().unwrap();
        assert_eq!((service.name.as_str(), service.namespace.as_str()), (config::INJECTOR_NAME, namespace::INJECTOR));
        assert_eq!(service.path.as_deref(), Some(config::WEBHOOK_PATH));
        assert_eq!(service.port, Some(i32::from(port::WEBHOOK_SERVICE)));
        let rule = &hook.rules.as_ref().unwrap()[0];
        assert_eq!(rule.operations.as_deref(), Some(&["CREATE".to_owned()][..]));
        assert_eq!(rule.resources.as_deref(), Some(&["pods".to_owned()][..]));
        assert_eq!((hook.failure_policy.as_deref(), hook.side_effects.as_str()), (Some("Fail"), "None"));
    }
}

#[test]
fn labels_of_namespace_and_pod_choose_one_webhook_or_none() {
    const ON: (&str, &str) = (label::NAMESPACE_INJECTION, label::NAMESPACE_INJECTION_ENABLED);
    const OFF: (&str, &str) = (label::NAMESPACE_INJECTION, "disabled");
    const OURS: (&str, &str) = (label::REVISION, config::DEFAULT_REVISION);
    const CANARY: (&str, &str) = (label::REVISION, "canary");
    const YES: (&str, &str) = (label::INJECT, "true");
    const NO: (&str, &str) = (label::INJECT, "false");
    for (namespace, pod, expected) in [
        (&[ON][..], &[][..], &["namespace."][..]),
        (&[ON], &[NO], &[]),
        (&[ON, CANARY], &[], &["namespace."]),
        (&[ON], &[CANARY], &["namespace."]),
        (&[CANARY], &[OURS], &[]),
        (&[OURS], &[], &["rev.namespace."]),
        (&[OURS], &[NO], &[]),
        (&[OFF], &[YES], &[]),
        (&[], &[YES], &["object."]),
        (&[], &[OURS], &["rev.object."]),
        (&[], &[CANARY], &[]),
        (&[], &[], &[]),
    ] {
        assert_eq!(called(namespace, pod), expected, "namespace {namespace:?}, pod {pod:?}");
    }
}

#[test]
fn system_namespaces_are_never_shown_whatever_their_labels() {
    for system in namespace::NEVER_INJECTED {
        let name = ("kubernetes.io/metadata.name", system);
        let on = (label::NAMESPACE_INJECTION, label::NAMESPACE_INJECTION_ENABLED);
        let ours = (label::REVISION, config::DEFAULT_REVISION);
        assert!(called(&[name, on], &[]).is_empty());
        assert!(called(&[name, ours], &[]).is_empty());
        assert!(called(&[name], &[(label::INJECT, "true")]).is_empty());
        assert!(called(&[name], &[ours]).is_empty());
    }
}
