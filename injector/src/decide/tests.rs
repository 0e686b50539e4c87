//! Which reason settles a decision.

use super::*;
use serde_json::json;
use sidecar_contract::annotation;

fn config(policy: &str) -> Config {
    serde_json::from_value(json!({
        "policy": policy,
        "neverInjectSelector": [{}, {"matchLabels": {"never": "yes"}}],
        "alwaysInjectSelector": [{"matchExpressions": [{"key": "broken", "operator": "in", "values": ["yes"]}]}, {"matchLabels": {"always": "yes"}}],
    }))
    .unwrap()
}

fn decided(policy: &str, namespace: &str, pod: &Value) -> (bool, &'static str) {
    let decision = decide(pod, namespace, &config(policy));
    (decision.inject(), decision.reason.code())
}

#[test]
fn the_first_rule_that_applies_decides() {
    let label = |value: &str| json!({"metadata": {"labels": {label::INJECT: value}}});
    let annotated = |value: &str| json!({"metadata": {"annotations": {annotation::INJECT: value}}});
    let both = json!({"metadata": {"labels": {label::INJECT: "false"}, "annotations": {annotation::INJECT: "true"}}});
    let empty_label =
        json!({"metadata": {"labels": {label::INJECT: ""}, "annotations": {annotation::INJECT: "false"}}});
    let empty_and_always = json!({"metadata": {"labels": {label::INJECT: "", "always": "yes"}}});
    let asks_and_never = json!({"metadata": {"labels": {label::INJECT: "true", "never": "yes"}}});
    let refuses_and_always = json!({"metadata": {"labels": {label::INJECT: "false", "always": "yes"}}});
    let broken = json!({"metadata": {"labels": {"broken": "yes"}}});
    let labelled = |key: &str| json!({"metadata": {"labels": {key: "yes"}}});
    let never_and_always = json!({"metadata": {"labels": {"never": "yes", "always": "yes"}}});
    let on_host = json!({"spec": {"hostNetwork": true}, "metadata": {"labels": {label::INJECT: "true"}}});
    for (policy, namespace, pod, expected) in [
        ("enabled", "demo", json!({}), (true, "policy_enabled")),
        ("disabled", "demo", json!({}), (false, "policy_disabled")),
        ("enabled", "demo", label("false"), (false, "label_false")),
        ("disabled", "demo", label("true"), (true, "label_true")),
        ("disabled", "demo", annotated("true"), (true, "annotation_true")),
        ("enabled", "demo", annotated("false"), (false, "annotation_false")),
        ("enabled", "demo", empty_label, (true, "policy_enabled")),
        ("disabled", "demo", empty_and_always, (true, "always_inject_selector")),
        ("enabled", "demo", asks_and_never, (true, "label_true")),
        ("disabled", "demo", refuses_and_always, (false, "label_false")),
        ("disabled", "demo", broken, (false, "policy_disabled")),
        ("enabled", "kube-system", on_host.clone(), (false, "host_network")),
        ("enabled", "demo", both, (false, "label_false")),
        ("enabled", "demo", labelled("never"), (false, "never_inject_selector")),
        ("disabled", "demo", labelled("always"), (true, "always_inject_selector")),
        ("disabled", "demo", never_and_always, (false, "never_inject_selector")),
        ("enabled", "kube-system", label("true"), (false, "system_namespace")),
        ("enabled", "demo", on_host, (false, "host_network")),
        ("enable", "demo", label("true"), (false, "policy_invalid")),
        ("", "demo", labelled("always"), (false, "policy_invalid")),
    ] {
        assert_eq!(decided(policy, namespace, &pod), expected, "policy {policy}, {namespace}, {pod}");
    }
}

#[test]
fn a_senseless_value_has_no_effect_and_is_warned_about() {
    for value in ["yes", "True", "1", "on"] {
        let pod = json!({"metadata": {"labels": {label::INJECT: value}}});
        let decision = decide(&pod, "demo", &config("enabled"));
        assert_eq!(decision.reason, Reason::PolicyEnabled);
        assert!(decision.warnings[0].contains(value), "{decision:?}");
    }
}

#[test]
fn the_selectors_of_the_webhooks_come_first() {
    let webhooks: Vec<Registered> =
        crate::webhooks::webhooks("", &[], true).into_iter().map(Registered::from).collect();
    let labels = |labels: Value| labels.as_object().unwrap().clone();
    let (enabled, disabled) = (json!({"istio-injection": "enabled"}), json!({"istio-injection": "disabled"}));
    let asks = json!({"metadata": {"labels": {label::INJECT: "true"}}});
    for (namespace, namespace_labels, pod, expected) in [
        ("demo", disabled, asks.clone(), "webhook_namespace_disabled"),
        ("demo", enabled.clone(), asks.clone(), "label_true"),
        ("kube-system", enabled, asks, "system_namespace"),
        ("kube-system", json!({}), json!({}), "webhook_selectors"),
        ("demo", json!({}), json!({}), "policy_enabled"),
    ] {
        let namespace_labels = labels(namespace_labels);
        let subject = Subject {
            pod: &pod,
            namespace,
            namespace_labels: Some(&namespace_labels),
            webhooks: Some(&webhooks),
            revision: None,
        };
        assert_eq!(subject.decide(&config("enabled")).reason.code(), expected, "{subject:?}");
        let unknown = Subject { webhooks: None, ..subject };
        assert_eq!(unknown.decide(&config("enabled")), decide_with_warnings(&unknown));
    }
}

fn decide_with_warnings(subject: &Subject<'_>) -> Decision {
    decide(subject.pod, subject.namespace, &config("enabled"))
}

#[test]
fn labels_without_effect_are_warned_about() {
    let labels = json!({"istio-injection": "enabled", "istio.io/rev": "canary"});
    let pod = json!({"metadata": {"labels": {label::REVISION: "canary"}}});
    let subject =
        Subject { pod: &pod, namespace: "demo", namespace_labels: labels.as_object(), webhooks: None, revision: None };
    assert_eq!(subject.decide(&config("enabled")).warnings.len(), 2);
}

#[test]
fn labels_that_would_decide_and_are_not_known_are_told() {
    let webhooks: Vec<Registered> =
        crate::webhooks::webhooks("", &[], false).into_iter().map(Registered::from).collect();
    let pod = json!({});
    let webhooks = Some(&*webhooks);
    let subject = Subject { pod: &pod, namespace: "new", namespace_labels: None, webhooks, revision: None };
    let decision = subject.decide(&config("enabled"));
    assert_eq!((decision.inject(), decision.warnings[0].code), (true, "unknown_namespace"));
}

#[test]
fn the_rules_are_asked_in_order_until_one_settles_it() {
    let pod = json!({"metadata": {"labels": {label::INJECT: "true"}}});
    let answers = rulings(&pod, "demo", &config("enable")).map(|ruling| ruling.answer);
    let invalid = Answer::Settles(Reason::PolicyInvalid("enable".to_owned()));
    let (pass, not_asked, overruled) = (Answer::Passes, Answer::NotAsked, Answer::Overruled(Reason::Label(true)));
    let expected = [pass.clone(), pass, overruled, not_asked.clone(), not_asked.clone(), not_asked, invalid];
    assert_eq!(answers, expected);
}

#[test]
fn every_code_is_listed_once() {
    let codes: Vec<_> = Reason::all_codes().collect();
    let unique: std::collections::BTreeSet<_> = codes.iter().collect();
    assert_eq!(unique.len(), codes.len());
    for reason in [
        Reason::NotCalled(NoMatch::AnnotationOnly),
        Reason::HostNetwork,
        Reason::SystemNamespace(String::new()),
        Reason::Label(true),
        Reason::Label(false),
        Reason::Annotation(true),
        Reason::Annotation(false),
        Reason::NeverInjectSelector(String::new()),
        Reason::AlwaysInjectSelector(String::new()),
        Reason::PolicyEnabled,
        Reason::PolicyDisabled,
        Reason::PolicyInvalid(String::new()),
    ] {
        assert!(codes.contains(&reason.code()), "{reason:?}");
    }
}
