//! What is explained where several webhooks match, and where settings or a configuration are not known.

use super::*;

#[test]
fn variables_of_the_path_belong_to_the_sidecar() {
    let injector = enabled();
    let labelled = facts(json!({"istio-injection": "enabled"}));
    let with_path = |settings: &mut Settings| {
        settings.path_variables = vec![("cluster".to_owned(), "c1".to_owned()), ("net".to_owned(), "n/1".to_owned())];
    };
    let webhooks = in_cluster(with_path);
    let variables = &webhooks[0].variables;
    assert_eq!((variables["ISTIO_META_CLUSTER_ID"].as_str(), variables["ISTIO_META_NETWORK"].as_str()), ("c1", "n/1"));
    let by_url = in_cluster(|settings| {
        with_path(settings);
        settings.path_variables.truncate(1);
        settings.endpoint = crate::registration::Endpoint::Url("https://injector.example/inject".to_owned());
    });
    assert_eq!(by_url[0].variables.len(), 1);
    let pod = pod(&json!({}), &json!({}));
    let context = injector.context(owner_of_pod(&pod), injector.namespace("demo"), variables);
    let live = inject(&pod, &context).unwrap().pod;
    assert_eq!(stands(&live, &injector, &labelled, &webhooks).0, State::AsItShouldBe);
    assert_eq!(stands(&live, &injector, &labelled, &in_cluster(|_| ())).0, State::OtherConfiguration);
}

#[test]
fn settings_that_are_not_known_are_not_held_against_a_pod() {
    let (injector, webhooks) = (enabled(), in_cluster(|_| ()));
    let labelled = facts(json!({"istio-injection": "enabled"}));
    let native = enabled().with(|settings| settings.native_sidecars = crate::native::Setting::True);
    let alternatives = deployed::alternatives(&injector.settings);
    let state = |pod: &Value, alternatives: &[crate::context::InjectorSettings]| {
        let asked = question(pod, &injector, Some(&labelled), Some(&webhooks));
        let running = running(&Question { is_running: true, alternatives, ..asked }).unwrap();
        (running.state, running.cause.map(|cause| cause.code))
    };
    let live = injected(&native);
    assert_eq!(state(&live, &[]), (State::OtherConfiguration, Some("created_with_other_settings")));
    assert_eq!(state(&live, &alternatives), (State::AsItShouldBe, None));
    let other = live.to_string().replace("\\\"digest\\\":\\\"", "\\\"digest\\\":\\\"0");
    let other: Value = serde_json::from_str(&other).unwrap();
    assert_ne!(other, live);
    assert_eq!(state(&other, &alternatives), (State::UnknownConfiguration, None));
}

#[test]
fn without_a_configuration_selectors_and_the_first_rules_are_explained() {
    let (injector, webhooks) = (enabled(), in_cluster(|_| ()));
    let labelled = facts(json!({"istio-injection": "enabled"}));
    let problems = ["ConfigMap a/b: does not exist".to_owned()];
    let explained = |labels: Value, facts: &NamespaceFacts| {
        let pod = pod(&labels, &json!({}));
        let asked = question(&pod, &injector, Some(facts), Some(&webhooks));
        explain(&Question { problems: &problems, is_running: true, ..asked }).unwrap()
    };
    let unknown = explained(json!({}), &labelled);
    assert!(unknown.is_unknown() && unknown.running.is_none() && unknown.called == Some(true), "{unknown:?}");
    let text = render(&unknown, Marks::Words);
    assert!(text.contains("configuration not known") && text.contains("ConfigMap a/b: does not exist"), "{text}");
    assert_eq!(unknown.rules.iter().filter(|rule| rule.verdict == "unknown").count(), 3);
    let sure = explained(json!({}), &facts(json!({})));
    assert_eq!((sure.is_unknown(), sure.decision.code), (false, "webhook_namespace_not_labelled"));
}

#[test]
fn of_several_webhooks_that_of_the_own_revision_decides() {
    let own = in_cluster(|settings| settings.revision = "canary".to_owned());
    let mut other = in_cluster(|_| ());
    for registered in &mut other {
        registered.webhook.namespace_selector = own[0].webhook.namespace_selector.clone();
        registered.webhook.object_selector = own[0].webhook.object_selector.clone();
    }
    let labelled = facts(json!({"istio.io/rev": "canary"}));
    let plain = pod(&json!({}), &json!({}));
    let canary = enabled().with(|settings| settings.revision = "canary".to_owned());
    for webhooks in [[own.clone(), other.clone()].concat(), [other, own].concat()] {
        let explanation = explain(&question(&plain, &canary, Some(&labelled), Some(&webhooks))).unwrap();
        assert!(explanation.decision.inject, "{:?}", explanation.decision);
        assert!(explanation.warnings.iter().any(|warning| warning.code == warnings::SEVERAL_WEBHOOKS));
        let asked = |preferred| revision_asked(&webhooks, "demo", Some(&labelled), &Map::new(), preferred);
        assert_eq!((asked(Some("default")), asked(Some("canary"))), ("default", "canary"));
        assert_eq!(asked(None), webhooks.last().unwrap().webhook.revision);
    }
}

#[test]
fn who_was_to_have_a_sidecar_and_gets_none_is_found() {
    let (injector, webhooks) = (enabled(), in_cluster(|_| ()));
    let labelled = facts(json!({"istio-injection": "enabled"}));
    let found = |pod: &Value, facts: &NamespaceFacts| {
        explain(&question(pod, &injector, Some(facts), Some(&webhooks))).unwrap().is_finding()
    };
    let mut on_host = pod(&json!({label::INJECT: "true"}), &json!({}));
    on_host["spec"]["hostNetwork"] = true.into();
    assert!(found(&on_host, &labelled));
    let asks = pod(&json!({label::INJECT: "true"}), &json!({}));
    assert!(found(&asks, &facts(json!({"istio-injection": "disabled"}))) && !found(&asks, &labelled));
    assert!(!found(&pod(&json!({}), &json!({})), &facts(json!({}))));
}
