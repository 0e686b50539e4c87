//! What is explained, for every reason and every way in which a running pod can stand.

mod knowledge;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use sidecar_contract::{annotation, label};

use super::text::{Marks, render};
use super::*;
use crate::config::{Config, Configuration};
use crate::context::Injector;
use crate::decide::{NO_VARIABLES, Reason};
use crate::defaults;
use crate::inject::inject;
use crate::mode::Mode;
use crate::owner::owner_of_pod;
use crate::registration::{FailurePolicy, MatchCondition, Settings};
use crate::webhooks::{NoMatch, registered};
use crate::workload::{WorkloadKind, metadata_text};

/// When the webhook configuration was made, the pod was created, and what came later.
const FIRST: &str = "2026-01-01T00:00:00Z";
const CREATED: &str = "2026-01-02T00:00:00Z";
const LATER: &str = "2026-01-03T00:00:00Z";

fn injector(config: &Value) -> Injector {
    let mut configuration = Configuration::load(&defaults::sources()).unwrap();
    let templates = configuration.config.templates.clone();
    configuration.config = serde_json::from_value::<Config>(config.clone()).unwrap();
    configuration.config.templates = templates;
    Injector::new(configuration)
}

fn enabled() -> Injector {
    injector(&json!({"policy": "enabled"}))
}

fn facts(labels: Value) -> NamespaceFacts {
    NamespaceFacts { labels: labels.as_object().unwrap().clone(), labelled: None }
}

fn in_cluster(change: impl FnOnce(&mut Settings)) -> Vec<Registered> {
    let mut settings = Settings::default();
    change(&mut settings);
    let objects = settings.configurations().unwrap();
    let created = |mut object: Value| {
        object["metadata"]["creationTimestamp"] = FIRST.into();
        registered(&object)
    };
    objects.into_iter().flat_map(|wanted| created(wanted.object)).collect()
}

fn pod(labels: &Value, annotations: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "web", "namespace": "demo", "creationTimestamp": CREATED,
            "labels": labels, "annotations": annotations},
        "spec": {"containers": [{"name": "app", "image": "a"}]}})
}

fn question<'a>(
    object: &'a Value,
    injector: &'a Injector,
    facts: Option<&'a NamespaceFacts>,
    registered: Option<&'a [Registered]>,
) -> Question<'a> {
    let workload = WorkloadKind::of(object, Mode::Corrected).unwrap();
    let namespace = metadata_text(object, "namespace");
    Question {
        object,
        workload,
        namespace,
        facts,
        registered,
        injector,
        configured: None,
        is_running: false,
        problems: &[],
        alternatives: &[],
    }
}

/// Labels of the namespace, labels and annotations of the pod, change of the registration, and the code.
type Row = (Value, Value, Value, &'static str, &'static str);

/// What is registered; none when it is not known.
fn webhooks_of(setting: &str) -> Option<Vec<Registered>> {
    Some(match setting {
        "no webhooks" | "system" => return None,
        "none" => Vec::new(),
        "canary" => in_cluster(|settings| settings.revision = "canary".to_owned()),
        "deactivated" => in_cluster(|settings| settings.is_replaced = true),
        "excluding" => in_cluster(|settings| settings.excluded_namespaces = vec!["demo".to_owned()]),
        _ => in_cluster(|_| ()),
    })
}

#[test]
fn every_reason_is_explained() {
    let (inject, none, enabled) = (label::INJECT, json!({}), json!({"istio-injection": "enabled"}));
    let rows: Vec<Row> = vec![
        (enabled.clone(), none.clone(), none.clone(), "enabled", "policy_enabled"),
        (enabled.clone(), none.clone(), none.clone(), "disabled", "policy_disabled"),
        (enabled.clone(), none.clone(), none.clone(), "enable", "policy_invalid"),
        (enabled.clone(), json!({inject: "true"}), none.clone(), "enable", "policy_invalid"),
        (enabled.clone(), json!({inject: "true"}), none.clone(), "disabled", "label_true"),
        (json!({"x": "y"}), json!({inject: "false"}), none.clone(), "no webhooks", "label_false"),
        (enabled.clone(), none.clone(), json!({annotation::INJECT: "true"}), "disabled", "annotation_true"),
        (enabled.clone(), none.clone(), json!({annotation::INJECT: "false"}), "enabled", "annotation_false"),
        (enabled.clone(), json!({"never": "yes"}), none.clone(), "enabled", "never_inject_selector"),
        (enabled.clone(), json!({"always": "yes"}), none.clone(), "disabled", "always_inject_selector"),
        (enabled.clone(), none.clone(), none.clone(), "host", "host_network"),
        (enabled.clone(), none.clone(), none.clone(), "system", "system_namespace"),
        (enabled.clone(), none.clone(), none.clone(), "none", "webhook_none"),
        (enabled.clone(), none.clone(), none.clone(), "deactivated", "webhook_deactivated"),
        (json!({"istio-injection": "off"}), none.clone(), none.clone(), "enabled", "webhook_namespace_disabled"),
        (enabled.clone(), none.clone(), none.clone(), "canary", "webhook_no_default_revision"),
        (enabled.clone(), json!({inject: "false"}), none.clone(), "enabled", "webhook_pod_label_false"),
        (none.clone(), json!({inject: "yes"}), none.clone(), "enabled", "webhook_pod_label_invalid"),
        (json!({"istio.io/rev": "x"}), none.clone(), none.clone(), "enabled", "webhook_other_revision"),
        (json!({"istio.io/rev": "canary"}), none.clone(), none.clone(), "canary", "webhook_calls_other"),
        (none.clone(), none.clone(), json!({annotation::INJECT: "true"}), "enabled", "webhook_annotation_only"),
        (none.clone(), none.clone(), none.clone(), "enabled", "webhook_namespace_not_labelled"),
        (enabled, none.clone(), none, "excluding", "webhook_selectors"),
    ];
    let mut told = BTreeSet::new();
    for (namespace_labels, labels, annotations, setting, code) in rows {
        let mut pod = pod(&labels, &annotations);
        let policy = if matches!(setting, "enable" | "disabled") { setting } else { "enabled" };
        let injector = injector(&json!({"policy": policy,
            "neverInjectSelector": [{"matchLabels": {"never": "yes"}}],
            "alwaysInjectSelector": [{"matchLabels": {"always": "yes"}}]}));
        match setting {
            "host" => pod["spec"]["hostNetwork"] = true.into(),
            "system" => pod["metadata"]["namespace"] = "kube-system".into(),
            _ => {}
        }
        let webhooks = webhooks_of(setting);
        let facts = facts(namespace_labels.clone());
        let explanation = explain(&question(&pod, &injector, Some(&facts), webhooks.as_deref())).unwrap();
        assert_eq!(explanation.decision.code, code, "{namespace_labels} {pod} {setting}");
        let settling: Vec<_> = explanation.rules.iter().filter(|rule| rule.settles).collect();
        assert_eq!(settling.len(), 1, "{:?}", explanation.rules);
        if explanation.called != Some(false) {
            assert_eq!(settling[0].text, explanation.decision.reason);
        }
        let text = render(&explanation, Marks::Words);
        assert!(text.contains(&explanation.decision.reason) && text.contains(code), "{text}");
        told.insert(code);
    }
    let missing: Vec<_> = Reason::all_codes().filter(|code| !told.contains(code)).collect();
    assert!(missing.is_empty(), "no row is about {missing:?}");
    assert!(NoMatch::CODES.iter().all(|code| told.contains(code)));
}

/// A running pod as `inject` has made it.
fn injected(injector: &Injector) -> Value {
    let pod = pod(&json!({}), &json!({}));
    let context = injector.context(owner_of_pod(&pod), injector.namespace("demo"), &NO_VARIABLES);
    inject(&pod, &context).unwrap().pod
}

fn stands(pod: &Value, injector: &Injector, facts: &NamespaceFacts, registered: &[Registered]) -> (State, String) {
    let question = Question {
        is_running: true,
        configured: Some(LATER),
        ..question(pod, injector, Some(facts), Some(registered))
    };
    let running = running(&question).unwrap();
    assert_eq!(explain(&question).unwrap().running.as_ref(), Some(&running));
    assert_eq!(serde_json::to_value(running.state).unwrap(), running.state.code());
    (running.state, running.cause.map(|cause| cause.code.to_owned()).unwrap_or_default())
}

#[test]
fn a_running_pod_stands_in_one_of_these_ways() {
    let (injector, webhooks) = (enabled(), in_cluster(|_| ()));
    let (labelled, silent) = (facts(json!({"istio-injection": "enabled"})), facts(json!({})));
    let plain = pod(&json!({}), &json!({}));
    let good = injected(&injector);
    let stands_with = |pod: &Value, facts: &NamespaceFacts| stands(pod, &injector, facts, &webhooks);
    assert_eq!(stands_with(&good, &labelled).0, State::AsItShouldBe);
    assert_eq!(stands_with(&plain, &silent).0, State::NoneWanted);
    assert_eq!(stands_with(&good, &silent).0, State::NotWanted);
    let (state, cause) = stands_with(&plain, &labelled);
    assert_eq!((state, cause.as_str()), (State::Missing, "created_before_configuration"));

    let mut gone = good.clone();
    gone["spec"]["containers"].as_array_mut().unwrap().retain(|container| container["name"] == "app");
    let (state, cause) = stands_with(&gone, &labelled);
    assert_eq!((state, cause.as_str()), (State::Incomplete, "removed_by_another_webhook"));

    let other = injected(&enabled().with(|settings| settings.revision = "old".to_owned()));
    assert_eq!(stands_with(&other, &labelled).0, State::OtherRevision);

    let native = enabled().with(|settings| settings.native_sidecars = crate::native::Setting::True);
    let (state, cause) = stands(&good, &native, &labelled, &webhooks);
    assert_eq!((state, cause.as_str()), (State::OtherConfiguration, "created_before_configuration"));

    let by_istio =
        r#"{"initContainers":["istio-init"],"containers":["istio-proxy"],"volumes":null,"revision":"default"}"#;
    let mut of_istio = good.clone();
    of_istio["metadata"]["annotations"][annotation::STATUS] = by_istio.into();
    assert_eq!(stands_with(&of_istio, &labelled).0, State::UnknownConfiguration);

    let mut failing = plain.clone();
    failing["metadata"]["annotations"] = json!({annotation::TEMPLATES: "nothing"});
    assert_eq!(stands_with(&failing, &labelled).1, "injection_fails");
}

#[test]
fn the_cause_of_a_missing_sidecar_is_the_surest_one() {
    let injector = enabled();
    let labelled = facts(json!({"istio-injection": "enabled"}));
    let plain = pod(&json!({}), &json!({}));
    let cause = |pod: &Value, facts: &NamespaceFacts, webhooks: &[Registered]| {
        let asked = question(pod, &injector, Some(facts), Some(webhooks));
        running(&Question { is_running: true, ..asked }).unwrap().cause.unwrap().code
    };
    let webhooks = in_cluster(|_| ());
    assert_eq!(cause(&plain, &labelled, &webhooks), "webhook_not_called");
    let late = NamespaceFacts { labelled: Some(LATER.to_owned()), ..labelled.clone() };
    assert_eq!(cause(&plain, &late, &webhooks), "created_before_label");
    let new: Vec<Registered> =
        webhooks.iter().map(|webhook| Registered { created: LATER.to_owned(), ..webhook.clone() }).collect();
    assert_eq!(cause(&plain, &late, &new), "created_before_webhook");
    let ignoring = in_cluster(|settings| settings.failure_policy = FailurePolicy::Ignore);
    assert_eq!(cause(&plain, &labelled, &ignoring), "webhook_failed");
    // Whoever labels a namespace makes all labels of that manager look as late.
    assert_eq!(cause(&plain, &late, &ignoring), "webhook_failed");
    let conditional = in_cluster(|settings| settings.match_conditions = vec![MatchCondition::skip_host_network()]);
    assert_eq!(cause(&plain, &labelled, &conditional), "webhook_condition");
    let mut relabelled = plain.clone();
    relabelled["metadata"]["managedFields"] = json!([{"time": LATER,
        "fieldsV1": {"f:metadata": {"f:labels": {"f:sidecar.istio.io/inject": {}}}}}]);
    assert_eq!(cause(&relabelled, &labelled, &ignoring), "labelled_later");
    let mut mirror = plain.clone();
    mirror["metadata"]["annotations"] = json!({"kubernetes.io/config.mirror": "x"});
    assert_eq!(cause(&mirror, &late, &new), "static_pod");
}

#[test]
fn a_deployment_is_explained_as_its_pods_would_be() {
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "demo"},
        "spec": {"template": {"metadata": {}, "spec": {"containers": [{"name": "app", "image": "a",
            "ports": [{"containerPort": 53, "protocol": "UDP"}]}]}}}});
    let (injector, webhooks) = (enabled(), in_cluster(|_| ()));
    let labelled = facts(json!({"istio-injection": "enabled"}));
    let explanation = explain(&question(&deployment, &injector, Some(&labelled), Some(&webhooks))).unwrap();
    sidecar_test_support::golden::check(
        concat!(env!("CARGO_MANIFEST_DIR"), "/src/explain/tests/deployment.txt").as_ref(),
        &render(&explanation, Marks::Words).replace(injector.configuration.digest(), "DIGEST"),
    )
    .unwrap();
    let mut json = serde_json::to_value(&explanation).unwrap();
    json["configuration"] = "DIGEST".into();
    sidecar_test_support::golden::check(
        concat!(env!("CARGO_MANIFEST_DIR"), "/src/explain/tests/deployment.json").as_ref(),
        &(serde_json::to_string_pretty(&json).unwrap() + "\n"),
    )
    .unwrap();
}

#[test]
fn a_pod_that_was_missed_is_explained() {
    let injector = enabled();
    let webhooks = in_cluster(|settings| settings.failure_policy = FailurePolicy::Ignore);
    let labelled = facts(json!({"istio-injection": "enabled", "istio.io/rev": "canary"}));
    let plain = pod(&json!({label::INJECT: "yes"}), &json!({}));
    let asked = question(&plain, &injector, Some(&labelled), Some(&webhooks));
    let explanation = explain(&Question { is_running: true, ..asked }).unwrap();
    sidecar_test_support::golden::check(
        concat!(env!("CARGO_MANIFEST_DIR"), "/src/explain/tests/missed.txt").as_ref(),
        &render(&explanation, Marks::Signs).replace(injector.configuration.digest(), "DIGEST"),
    )
    .unwrap();
}

#[test]
fn nothing_is_claimed_of_what_is_not_known() {
    let (plain, injector) = (pod(&json!({}), &json!({})), enabled());
    let explanation = explain(&question(&plain, &injector, None, None)).unwrap();
    assert_eq!((explanation.called, explanation.webhooks.is_none()), (None, true));
    assert!(render(&explanation, Marks::Words).contains("not known; give --namespace-labels"));
}

#[test]
fn the_revision_asked_is_the_one_that_is_called() {
    let both = [in_cluster(|_| ()), in_cluster(|settings| settings.revision = "canary".to_owned())].concat();
    let none = Map::new();
    let asked = |labels: Value, registered: &[Registered]| {
        revision_asked(registered, "demo", Some(&facts(labels)), &none, None).to_owned()
    };
    assert_eq!(asked(json!({"istio.io/rev": "canary"}), &both), "canary");
    assert_eq!(asked(json!({"istio-injection": "enabled"}), &both), "default");
    assert_eq!(asked(json!({}), &both), "");
    assert_eq!(asked(json!({}), &in_cluster(|settings| settings.revision = "canary".to_owned())), "canary");
}

#[test]
fn when_something_was_changed_is_told_by_who_manages_it() {
    let entry = |time: &str, name: &str| json!({"manager": "kubectl", "time": time, "fieldsV1": {"f:metadata": {"f:labels": {name: {}}}}});
    let namespace = json!({"metadata": {"labels": {"a": "b"}, "creationTimestamp": FIRST, "managedFields": [
        entry(CREATED, "f:istio-injection"), entry(LATER, "f:team")]}});
    assert_eq!(NamespaceFacts::of(&namespace).labelled.as_deref(), Some(CREATED));
    assert_eq!(facts::changed(&namespace).as_deref(), Some(LATER));
    assert_eq!(facts::changed(&json!({})), None);
}
