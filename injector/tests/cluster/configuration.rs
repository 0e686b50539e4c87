//! Configuration and cluster as watches tell them: what is loaded, what is rejected, and what stays.

mod running;

use std::fmt::Write as _;

use serde_json::json;
use sidecar_injector::kubernetes::config_maps::ConfigMapNames;
use sidecar_injector::native::Setting;
use sidecar_test_support::api_server::ApiServer;

use running::{Running, Start};

const TEMPLATE: &str = "policy: enabled\ntemplates:\n  sidecar: |\n    spec:\n      containers:\n      - name: istio-proxy\n        image: '{{ .Values.image }}/{{ .MeshConfig.TrustDomain }}'\n";

/// Applies the injector's ConfigMap, and the mesh's when there is one, in one call.
fn apply(server: &ApiServer, names: &ConfigMapNames, config: &str, image: &str, trust_domain: Option<&str>) {
    let config_map = |name: &str, data: serde_json::Value| {
        let metadata = json!({"name": name, "namespace": names.namespace});
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}).to_string()
    };
    let values = if image.is_empty() { "{".to_owned() } else { json!({"image": image}).to_string() };
    let mut text = config_map(&names.injector, json!({"config": config, "values": values}));
    if let Some(trust_domain) = trust_domain {
        let mesh = config_map(&names.mesh, json!({"mesh": format!("trustDomain: {trust_domain}\n")}));
        let _ = write!(text, "\n---\n{mesh}\n");
    }
    server.apply(&text).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_config_map_is_waited_for_and_the_last_good_one_stays() {
    let Some(server) = ApiServer::shared() else { return };
    let names = running::names(server, "conf-a");
    let mut injector = Running::start(server, &names, Start::default()).await;
    let reason = injector.told("ConfigurationUnavailable").await;
    assert!(reason.contains("istio-sidecar-injector-conf-a: does not exist"), "{reason}");
    injector.until_pending(&["configuration"]).await;

    apply(server, &names, TEMPLATE, "one", None);
    injector.until("one").await;
    injector.until_pending(&[]).await;

    apply(server, &names, "policy: [", "two", None);
    let reason = injector.told("ConfigurationRejected").await;
    assert!(reason.contains("stays in use") && reason.contains("key config:"), "{reason}");
    assert!(injector.readiness.pending().is_empty());
    assert!(injector.readiness.verbose().contains("[!]configuration update not ok"));
    assert!(injector.metrics.encode().unwrap().contains("configuration_last_load_successful 0"));
    assert_eq!(injector.image(), Some("one".to_owned()));

    server.run(["delete", "configmap", "-n", &names.namespace, &names.injector]).unwrap();
    let reason = injector.told("ConfigurationUnavailable").await;
    assert!(reason.contains("does not exist") && injector.image() == Some("one".to_owned()), "{reason}");
    apply(server, &names, TEMPLATE, "three", None);
    injector.until("three").await;
    injector.told("ConfigurationLoaded").await;
    assert!(injector.readiness.verbose().contains("[+]configuration update ok"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_applied_together_comes_into_use_together() {
    let Some(server) = ApiServer::shared() else { return };
    let names = running::names(server, "conf-b");
    apply(server, &names, TEMPLATE, "one", Some("one.example"));
    let mut injector = Running::start(server, &names, Start::default()).await;
    injector.until("one").await;
    assert_eq!(injector.trust_domain(), "one.example");
    apply(server, &names, TEMPLATE, "two", Some("two.example"));
    injector.until("two").await;
    injector.until_trusted("two.example").await;

    // A good template with values that cannot be read, and the other way round: nothing of it comes into use.
    apply(server, &names, &TEMPLATE.replace("enabled", "disabled"), "", Some("three.example"));
    injector.told("ConfigurationRejected").await;
    let configuration = injector.configuration().unwrap();
    assert_eq!((configuration.config.policy.as_str(), injector.trust_domain().as_str()), ("enabled", "two.example"));

    // What the mesh said stays when its ConfigMap goes, also with the next change.
    server.run(["delete", "configmap", "-n", &names.namespace, &names.mesh]).unwrap();
    apply(server, &names, TEMPLATE, "four", None);
    injector.until("four").await;
    assert_eq!(injector.trust_domain(), "three.example");
}

#[tokio::test(flavor = "multi_thread")]
async fn proxy_configs_are_followed_from_when_their_kind_is_installed() {
    let Some(server) = ApiServer::shared() else { return };
    let names = running::names(server, "conf-c");
    apply(server, &names, TEMPLATE, "one", None);
    let injector = Running::start(server, &names, Start::default()).await;
    injector.until("one").await;
    injector.until_pending(&[]).await;
    assert!(injector.readiness.verbose().contains("has no proxyconfigs"), "{}", injector.readiness.verbose());
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "proxyconfigs.networking.istio.io"},
        "spec": {
            "group": "networking.istio.io",
            "names": {"kind": "ProxyConfig", "listKind": "ProxyConfigList", "plural": "proxyconfigs"},
            "scope": "Namespaced",
            "versions": [{"name": "v1beta1", "served": true, "storage": true, "schema": schema}],
        },
    });
    server.apply(&definition.to_string()).unwrap();
    server
        .run(["wait", "--for=condition=Established", "crd/proxyconfigs.networking.istio.io", "--timeout=30s"])
        .unwrap();
    let resource = |name: &str, concurrency: serde_json::Value| {
        json!({"apiVersion": "networking.istio.io/v1beta1", "kind": "ProxyConfig",
            "metadata": {"name": name, "namespace": names.namespace}, "spec": {"concurrency": concurrency}})
    };
    server.apply(&resource("good", json!(3)).to_string()).unwrap();
    server.apply(&resource("bad", json!("many")).to_string()).unwrap();
    injector.until_cluster(|cluster| cluster.proxy_configs.len() == 1).await;
    server.run(["delete", "crd", "proxyconfigs.networking.istio.io"]).unwrap();
    injector.until_cluster(|cluster| cluster.proxy_configs.is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_and_namespaces_are_followed_as_far_as_they_are_asked_for() {
    let Some(server) = ApiServer::shared() else { return };
    let names = running::names(server, "conf-d");
    apply(server, &names, TEMPLATE, "one", None);
    let start = Start { native_sidecars: Setting::Auto, openshift: true, ..Start::default() };
    let injector = Running::start(server, &names, start).await;
    injector.until("one").await;
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "conf-d"}});
    server.apply(&node.to_string()).unwrap();
    injector.until_cluster(|cluster| cluster.nodes.as_ref().is_some_and(|nodes| !nodes.is_empty())).await;
    let range = "openshift.io/sa.scc.uid-range=1000620000/10000";
    server.run(["annotate", "namespace", &names.namespace, range, "other=dropped"]).unwrap();
    injector
        .until_cluster(|cluster| cluster.namespaces.get(&names.namespace).is_some_and(|kept| kept.len() == 1))
        .await;
    server.run(["delete", "node", "conf-d"]).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_is_too_small_is_told_and_done_without() {
    let Some(server) = ApiServer::shared() else { return };
    let names = running::names(server, "conf-e");
    apply(server, &names, TEMPLATE, "one", None);
    let start = Start { user: Some("conf-e"), native_sidecars: Setting::Auto, ..Start::default() };
    let mut injector = Running::start(server, &names, start).await;
    let reason = injector.told("ConfigurationUnavailable").await;
    assert!(reason.contains("may not list and watch it: ") && reason.contains("configmaps"), "{reason}");
    let role = ["create", "role", "conf-e", "-n", &names.namespace, "--verb=list,watch", "--resource=configmaps"];
    // By name: what the injector asks for is no more.
    let named = [&names.injector, &names.mesh].map(|name| format!("--resource-name={name}"));
    server.run(role.into_iter().chain(named.iter().map(String::as_str))).unwrap();
    server.run(["create", "rolebinding", "conf-e", "-n", &names.namespace, "--role=conf-e", "--user=conf-e"]).unwrap();
    injector.until("one").await;
    injector.until_pending(&[]).await;
    let verbose = injector.readiness.verbose();
    assert!(verbose.contains("may not list and watch nodes: "), "{verbose}");
    injector.until_cluster(|cluster| cluster.nodes.is_none()).await;
    let text = injector.metrics.encode().unwrap();
    assert!(text.contains(r#"watch_failures_total{resource="nodes",problem="forbidden"}"#), "{text}");
}
