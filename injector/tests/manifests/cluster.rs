//! A real API server takes every installation, and grants the injector what it needs and no more.

use std::fmt::Write as _;
use std::fs;

use serde_json::{Value, json};
use sidecar_contract::{config, namespace};
use sidecar_test_support::api_server::ApiServer;

use crate::names::of_revision;
use crate::rendered::{INSTALLATIONS, rendered};
use crate::repository;

/// Kinds of others that the manifests use, as plural and group with version.
const FOREIGN: [(&str, &str, &str, &str); 4] = [
    ("Certificate", "certificates", "cert-manager.io", "v1"),
    ("Issuer", "issuers", "cert-manager.io", "v1"),
    ("PodMonitor", "podmonitors", "monitoring.coreos.com", "v1"),
    ("PrometheusRule", "prometheusrules", "monitoring.coreos.com", "v1"),
];

/// Makes the API server take objects of other projects, whatever their fields.
fn define_foreign_kinds(server: &ApiServer) {
    let mut definitions = String::new();
    for (kind, plural, group, version) in FOREIGN {
        let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
        let definition = json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("{plural}.{group}")},
            "spec": {
                "group": group, "scope": "Namespaced", "names": {"kind": kind, "plural": plural},
                "versions": [{"name": version, "served": true, "storage": true, "schema": schema}],
            },
        });
        writeln!(definitions, "{definition}\n---").unwrap();
    }
    server.apply(&definitions).unwrap();
    for (_, plural, group, _) in FOREIGN {
        let name = format!("crd/{plural}.{group}");
        server.run(["wait", "--for=condition=Established", "--timeout=60s", &name]).unwrap();
    }
}

#[test]
fn an_api_server_takes_every_installation() {
    let Some(server) = ApiServer::shared() else { return };
    define_foreign_kinds(server);
    for (path, revision) in INSTALLATIONS {
        let folder = repository().join(path);
        server.run(["apply", "-k", folder.to_str().unwrap()]).unwrap();
        // What the API server makes of it is what it says: whoever keeps it in Git sees no drift.
        let drift = server.run(["diff", "-k", folder.to_str().unwrap()]);
        assert_eq!(drift.unwrap(), "", "{path}");
        its_pod_is_admitted(server, path, revision);
        its_permissions_suffice_and_go_no_further(server, revision);
    }
}

/// The namespace takes pods that keep to the standard `restricted` only.
fn its_pod_is_admitted(server: &ApiServer, path: &str, revision: &str) {
    let name = format!("pod-{}", path.rsplit('/').next().unwrap());
    let template = serde_json::to_value(rendered(path).unwrap().deployment().spec.template).unwrap();
    let mut pod =
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": template["metadata"], "spec": template["spec"]});
    pod["metadata"]["name"] = name.clone().into();
    pod["metadata"]["namespace"] = namespace::INJECTOR.into();
    server.apply(&pod.to_string()).unwrap();
    let account =
        server.run(["get", "pod", &name, "-n", namespace::INJECTOR, "-o", "jsonpath={.spec.serviceAccountName}"]);
    assert_eq!(account.unwrap(), of_revision(config::INJECTOR_NAME, revision));
    pod["metadata"]["name"] = format!("privileged-{name}").into();
    pod["spec"]["containers"][0]["securityContext"]["capabilities"] = Value::Null;
    let refusal = server.apply(&pod.to_string()).unwrap_err().to_string();
    assert!(refusal.contains("violates PodSecurity"), "{refusal}");
}

fn its_permissions_suffice_and_go_no_further(server: &ApiServer, revision: &str) {
    let name = of_revision(config::INJECTOR_NAME, revision);
    let account = format!("--as=system:serviceaccount:{}:{name}", namespace::INJECTOR);
    let may = |arguments: &[&str]| {
        let all = arguments.iter().copied().chain([account.as_str(), "-n", namespace::INJECTOR]);
        server.run(all).map_err(|error| error.to_string())
    };
    let selected = format!("--field-selector=metadata.name={name}");
    for granted in [&["get", "configmaps", &selected][..], &["get", "namespaces"], &["get", "nodes"]] {
        may(granted).unwrap();
    }
    for refused in [&["get", "configmaps"][..], &["get", "secrets"], &["get", "pods"], &["get", "secret", "other"]] {
        let refusal = may(refused).unwrap_err();
        assert!(refusal.contains("Forbidden"), "{refused:?}: {refusal}");
    }
    // Server-side apply names what it creates, so this is limited to one name.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("webhooks.json");
    let kind = "MutatingWebhookConfiguration";
    for (name, is_granted) in [(name.as_str(), true), ("another", false)] {
        let object = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": name}});
        fs::write(&file, object.to_string()).unwrap();
        let applied = may(&["apply", "--server-side", "--dry-run=server", "-f", file.to_str().unwrap()]);
        assert_eq!(applied.is_ok(), is_granted, "{name}: {applied:?}");
    }
}
