//! The objects for all kinds of settings, what differs from them, and which bundles are written.

use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use serde_json::json;
use sidecar_contract::label;

use super::*;
use crate::certificates::{Validity, issue};
use crate::selector::LabelSelector;

fn only(settings: &Settings) -> Configuration {
    settings.configurations().unwrap().remove(0)
}

/// As the API server has it after we have applied it, with what it adds.
fn applied(configuration: &Configuration, manager: &str) -> Value {
    let mut object = configuration.object.clone();
    object["metadata"]["uid"] = "1".into();
    let mut owned = json!({"f:metadata": {"f:labels": {"f:app": {}, "f:istio.io/rev": {}}}, "f:webhooks": {}});
    for webhook in object["webhooks"].as_array_mut().unwrap() {
        let key = format!("k:{}", json!({"name": webhook["name"]}));
        let fields = webhook.as_object().unwrap().keys().map(|key| (format!("f:{key}"), json!({})));
        owned["f:webhooks"][key.as_str()] = Value::Object(fields.collect());
        owned["f:webhooks"][key.as_str()]["f:clientConfig"] = json!({"f:caBundle": {}, "f:service": {"f:name": {}}});
    }
    object["metadata"]["managedFields"] = json!([{"manager": manager, "operation": "Apply", "fieldsV1": owned}]);
    object
}

#[test]
fn names_say_revision_and_namespace() {
    let tagged = Settings { revision: "canary".to_owned(), tags: vec!["prod".to_owned()], ..Settings::default() };
    assert_eq!(tagged.names(), ["istio-sidecar-injector-canary", "istio-revision-tag-prod"]);
    assert_eq!(tagged.field_manager(), "sidecar-injector-canary");
    let elsewhere = Settings { namespace: "mesh".to_owned(), ..tagged };
    assert_eq!(elsewhere.names(), ["istio-sidecar-injector-canary-mesh", "istio-revision-tag-prod-mesh"]);
    assert_eq!(elsewhere.host(), "istio-sidecar-injector.mesh.svc");
    let url = |url: &str| Settings { endpoint: Endpoint::Url(url.to_owned()), ..Settings::default() };
    assert_eq!(url("https://[::1]:8443/x").host(), "::1");
    assert_eq!(url("https://a.example:8443").host(), "a.example");
    assert_eq!(
        only(&url("https://a.example")).object["webhooks"][0]["clientConfig"]["url"],
        "https://a.example/inject"
    );
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = |text: &str| text.to_owned();
    let condition = |name: &str, expression: &str| MatchCondition { name: text(name), expression: text(expression) };
    let wrong = Settings {
        revision: text("canary"),
        tags: vec![text("canary"), text("A"), text("b"), text("b")],
        namespace: text(""),
        endpoint: Endpoint::Url(text("http://a")),
        timeout_seconds: 31,
        excluded_namespaces: vec![text("-")],
        match_conditions: vec![condition("a b", "true"), condition("c", " ")],
        path_variables: vec![(text("cluster"), text("a b"))],
        cert_manager: Some(text("name")),
        ..Settings::default()
    };
    let errors = wrong.configurations().unwrap_err();
    let settings: Vec<_> = errors.iter().map(|error| error.setting).collect();
    let expected = [
        "--namespace",
        "--tag",
        "--tag",
        "--tag",
        "--webhook-timeout",
        "--exclude-namespace",
        "--match-condition",
        "--match-condition",
        "--ca-bundle",
        "--url",
        "--path-variable",
    ];
    assert_eq!(settings, expected, "{errors:?}");
    let many = Settings {
        match_conditions: (0..65).map(|n| condition(&format!("c{n}"), "true")).collect(),
        ..Settings::default()
    };
    assert!(many.configurations().unwrap_err()[0].to_string().contains("65 conditions"));
    for url in ["https://", "https://a b", "https://u@a", "https://a?b", "https://a:0", "https://a:x/y", "https://[::1"]
    {
        let url = Settings { endpoint: Endpoint::Url(text(url)), ..Settings::default() };
        assert_eq!(url.configurations().unwrap_err()[0].setting, "--url", "{url:?}");
    }
}

#[test]
fn the_tag_default_takes_the_place_of_the_revision_without_a_name() {
    let tagged = Settings { tags: vec!["default".to_owned()], ..Settings::default() };
    let configurations = tagged.configurations().unwrap();
    assert!(configurations[0].object["webhooks"][0]["objectSelector"]["matchLabels"][label::DEACTIVATED].is_string());
    assert_eq!(configurations[1].names_of_webhooks().len(), 4);
    let replaced = Settings { is_replaced: true, ..Settings::default() };
    assert_eq!(only(&replaced), configurations[0]);
}

#[test]
fn only_what_we_own_or_want_is_a_difference() {
    let wanted = only(&Settings::default()).with_bundle("old");
    let mut live = applied(&wanted, "sidecar-injector");
    live["metadata"]["labels"]["team"] = "mesh".into();
    live["metadata"]["annotations"] = json!({"note": "of somebody"});
    live["webhooks"][0]["matchConditions"] = json!([{"name": "theirs", "expression": "true"}]);
    let of = |live: &Value, wanted: &Configuration| {
        Live::new(live, "sidecar-injector").difference(wanted).map(|found| found.fields())
    };
    assert_eq!(of(&live, &wanted), None);

    let rotated = only(&Settings::default()).with_bundle("new");
    assert_eq!(of(&live, &rotated).unwrap().len(), 4);
    let text = Live::new(&live, "sidecar-injector").difference(&rotated).unwrap().unified();
    assert!(text.contains("\n-    caBundle: ") && text.contains("0 certificates, sha256"), "{text}");

    live["webhooks"][1]["failurePolicy"] = "Ignore".into();
    assert_eq!(of(&live, &wanted).unwrap(), ["webhooks[rev.object.sidecar-injector.istio.io].failurePolicy"]);
    live["webhooks"][1]["failurePolicy"] = "Fail".into();
    live["webhooks"][1]["objectSelector"]["matchLabels"] = json!({"a": "b"});
    assert_eq!(
        of(&live, &wanted).unwrap(),
        ["webhooks[rev.object.sidecar-injector.istio.io].objectSelector.matchLabels"]
    );
}

#[test]
fn a_field_of_ours_that_is_not_wanted_any_more_is_a_difference() {
    let by_default = only(&Settings { enable_namespaces_by_default: true, ..Settings::default() });
    let live = applied(&by_default, "sidecar-injector");
    let wanted = only(&Settings::default());
    let found = |manager: &str| Live::new(&live, manager).difference(&wanted).map(|found| found.fields());
    assert!(found("sidecar-injector").unwrap().iter().any(|field| field.contains("auto.sidecar-injector.istio.io")));
    assert_eq!(found("sidecar-injector-canary"), None);
}

#[test]
fn a_bundle_that_is_left_alone_stays_even_when_it_was_ours() {
    let wanted = only(&Settings::default());
    let live = applied(&wanted.clone().with_bundle("pem"), "sidecar-injector");
    let kept = |manager: &str| Live::new(&live, manager).keeping_bundles(wanted.clone());
    assert_eq!(kept("sidecar-injector"), wanted.clone().with_bundle("pem"));
    assert_eq!(kept("sidecar-injector-canary"), wanted);
    assert_eq!(Live::new(&live, "").bundles().into_iter().collect::<Vec<_>>(), ["pem"]);
    assert!(Live::new(&live, "x").is_of_an_injector() && !Live::new(&live, "x").is_ours());
}

#[test]
fn a_bundle_is_written_only_when_it_verifies_the_certificate_served() {
    let now = Duration::from_secs(1_790_000_000);
    let make = |name: &str| issue(&[name], Validity::one_year(SystemTime::UNIX_EPOCH + now)).unwrap();
    let (old, new) = (make("a.demo.svc"), make("a.demo.svc"));
    let chain = bundle::chain(&new.certificate).unwrap();
    let both = format!("{}{}", old.ca_certificate, new.ca_certificate);
    let verify = |pem: &str, host: &str, now| bundle::verify(pem, &chain, host, now).map_err(|error| error.to_string());
    assert_eq!(verify(&both, "a.demo.svc", now), Ok(()));
    assert_eq!(verify(&new.ca_certificate, "a.demo.svc", now), Ok(()));
    for (pem, host, now, expected) in [
        (old.ca_certificate.as_str(), "a.demo.svc", now, "authority that issued"),
        (&both, "b.demo.svc", now, "issue the certificate for that name"),
        (&both, "a.demo.svc", now + Duration::from_secs(400 * 86_400), "renew the certificate"),
        ("", "a.demo.svc", now, "no CERTIFICATE section"),
        (&old.key, "a.demo.svc", now, "no CERTIFICATE section"),
    ] {
        let error = verify(pem, host, now).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

proptest! {
    #[test]
    fn one_configuration_calls_once_at_most(
        revision in prop::sample::select(vec!["", "canary"]),
        tag in prop::sample::select(vec!["default", "prod"]),
        enable_namespaces_by_default in any::<bool>(),
        labels in prop::collection::vec((0..5_usize, prop::sample::select(vec!["enabled", "true", "false", "canary", "default", "prod", "kube-system", ""])), 0..8),
    ) {
        let keys = [label::NAMESPACE_INJECTION, label::REVISION, label::NAMESPACE_NAME, label::INJECT, label::REVISION];
        let of = |range: std::ops::Range<usize>| -> Map<String, Value> {
            labels.iter().filter(|(key, _)| range.contains(key)).map(|(key, value)| (keys[*key].to_owned(), (*value).into())).collect()
        };
        let (namespace, pod) = (of(0..3), of(3..5));
        let settings = Settings { revision: revision.to_owned(), tags: vec![tag.to_owned()], enable_namespaces_by_default, ..Settings::default() };
        for configuration in settings.configurations().unwrap() {
            let webhooks = configuration.object["webhooks"].as_array().unwrap();
            let matches = |webhook: &&Value| {
                let selector = |field: &str| serde_json::from_value::<LabelSelector>(webhook[field].clone()).unwrap();
                selector("namespaceSelector").matches(&namespace) && selector("objectSelector").matches(&pod)
            };
            let called = webhooks.iter().filter(matches).count();
            prop_assert!(called <= 1);
            prop_assert!(called == 0 || namespace.get(label::NAMESPACE_NAME).is_none_or(|name| name != "kube-system"));
        }
    }
}
