//! Pods that are created.

use sidecar_test_support::api_server::ApiServer;

use super::Installation;

#[test]
fn a_labelled_namespace_is_all_it_takes() {
    let Some(server) = ApiServer::shared() else { return };
    let installation = Installation::new(server, "first");
    let replica = installation.start_ready("first-0", &[]);
    let demo = installation.labelled_namespace("demo");
    installation.create_injected_pod(&demo, "web");
    assert_eq!(replica.metric("sidecar_injector_requests_total", r#"outcome="injected""#), 1.0);
}
