//! The first replica in a cluster that has nothing of it yet.

use sidecar_test_support::api_server::ApiServer;

use crate::installation::Installation;

#[test]
fn a_first_start_has_nothing_to_warn_of() {
    let Some(server) = ApiServer::shared() else { return };
    let installation = Installation::new(server, "first-start");
    let replica = installation.start_ready("first-start-0", &[]);
    let log = replica.log();
    let is_warning = |line: &&str| line.contains(r#""level":"WARN""#) || line.contains(r#""level":"ERROR""#);
    let warnings: Vec<&str> = log.lines().filter(is_warning).collect();
    assert!(warnings.is_empty(), "{warnings:#?}");
    assert!(!log.contains("kube_runtime"), "{log}");
    let about = format!("type=Warning,involvedObject.name={}", installation.secret_name());
    let events = installation.kubectl(&["get", "events", "--field-selector", &about, "-o", "name"]).unwrap();
    assert_eq!(events.trim(), "");
}
