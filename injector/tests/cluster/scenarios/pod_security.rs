//! Namespaces that enforce a level of Pod Security.

use serde_json::json;
use sidecar_test_support::api_server::ApiServer;

use super::objects::{kubectl, pod, pods, requests};
use super::{Installation, has_sidecar};

/// A pod that keeps to the level `restricted`.
fn restricted(namespace: &str, name: &str) -> serde_json::Value {
    let mut pod = pod(namespace, name);
    pod["spec"]["securityContext"] = json!({"runAsNonRoot": true, "runAsUser": 1000,
        "seccompProfile": {"type": "RuntimeDefault"}});
    pod["spec"]["containers"][0]["securityContext"] =
        json!({"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}});
    pod
}

#[test]
fn the_user_is_told_what_restricted_forbids_of_the_init_container() {
    let Some(server) = ApiServer::shared() else { return };
    let installation = Installation::new(server, "restricted");
    let replica = installation.start_ready("restricted-0", &[]);
    let label = |namespace: &str, mode: &str, level: &str| {
        let label = format!("pod-security.kubernetes.io/{mode}={level}");
        server.run(["label", "namespace", namespace, &label]).unwrap();
    };

    let warned = installation.labelled_namespace("warned");
    label(&warned, "warn", "restricted");
    let answer = kubectl(server, &["create"], &restricted(&warned, "web"));
    assert!(answer.is_success && has_sidecar(&answer.object), "{answer:?}");
    assert!(answer.said.contains("would violate PodSecurity") && answer.said.contains("istio-init"), "{}", answer.said);
    assert!(!answer.said.contains("istio-proxy") && !answer.said.contains("\"app\""), "{}", answer.said);

    // Without redirection the rest keeps to the level.
    let enforced = installation.labelled_namespace("enforced");
    label(&enforced, "enforce", "restricted");
    let refused = kubectl(server, &["create"], &restricted(&enforced, "web"));
    assert!(!refused.is_success, "{refused:?}");
    assert!(
        refused.said.contains("violates PodSecurity \"restricted:latest\"") && refused.said.contains("istio-init"),
        "{}",
        refused.said
    );
    assert!(!refused.said.contains("istio-proxy"), "{}", refused.said);
    let mut without = restricted(&enforced, "without");
    without["metadata"]["annotations"] = json!({"sidecar.istio.io/interceptionMode": "NONE"});
    let taken = kubectl(server, &["create"], &without);
    assert!(taken.is_success && !taken.said.contains("PodSecurity"), "{}", taken.said);
    assert_eq!(pods(server, &enforced), "pod/without");
    assert_eq!([requests(&replica, "injected"), requests(&replica, "denied")], [3.0, 0.0]);
}
