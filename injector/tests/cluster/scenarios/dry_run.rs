//! Asking what would be.

use serde_json::json;
use sidecar_test_support::api_server::ApiServer;

use super::objects::{kubectl, pod, pods, requests};
use super::{Installation, has_sidecar};

#[test]
fn a_dry_run_shows_the_sidecar_and_leaves_no_trace() {
    let Some(server) = ApiServer::shared() else { return };
    let installation = Installation::new(server, "dry");
    let replica = installation.start_ready("dry-0", &[]);
    let namespace = installation.labelled_namespace("demo");

    let answer = kubectl(server, &["create", "--dry-run=server"], &pod(&namespace, "web"));
    assert!(answer.is_success && has_sidecar(&answer.object), "{answer:?}");
    assert_eq!(requests(&replica, "injected"), 1.0);

    // Both would be told to the owner.
    let owner = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "1", "controller": true}]);
    let mut on_host = pod(&namespace, "on-host");
    on_host["metadata"]["ownerReferences"] = owner;
    let mut mistaken = on_host.clone();
    on_host["spec"]["hostNetwork"] = true.into();
    mistaken["metadata"]["annotations"] = json!({"sidecar.istio.io/proxyCPU": "lots"});
    let answer = kubectl(server, &["create", "--dry-run=server"], &on_host);
    assert!(answer.is_success && answer.said.contains("Warning: no sidecar"), "{answer:?}");
    let answer = kubectl(server, &["create", "--dry-run=server"], &mistaken);
    assert!(!answer.is_success && answer.said.contains("sidecar.istio.io/proxyCPU"), "{answer:?}");
    assert_eq!([requests(&replica, "skipped"), requests(&replica, "denied")], [1.0, 1.0]);

    assert_eq!(pods(server, &namespace), "");
    // Events are written in the order in which they are thought of: where this one is, those would be.
    let answer = kubectl(server, &["create"], &on_host);
    assert!(answer.is_success, "{answer:?}");
    installation.until_event(&namespace, "web", "InjectionSkipped", "");
    assert_eq!(installation.events(&namespace, "InjectionSkipped").len(), 1);
    assert_eq!(installation.events(&namespace, "InjectionDenied").len(), 0);
}
