//! Certificates and authorities that are short-lived, while pods are created all the time.

use sidecar_test_support::api_server::ApiServer;
use sidecar_test_support::eventually::eventually;

use super::Installation;
use super::creator::Creator;
use crate::installation::PATIENCE;

const NOT_AFTER: &str = "sidecar_injector_certificate_not_after_timestamp_seconds";
const CHANGES: &str = "sidecar_injector_certificate_changes_total";

fn bundle(installation: &Installation<'_>) -> String {
    let webhooks = installation.webhooks().unwrap_or_default();
    let bundle = webhooks.first().and_then(|webhook| webhook["clientConfig"]["caBundle"].as_str());
    bundle.unwrap_or_default().to_owned()
}

#[test]
fn an_authority_is_rotated_and_no_pod_notices() {
    let Some(server) = ApiServer::shared() else { return };
    let installation = Installation::new(server, "rotation");
    let lifetimes = ["--certificate-lifetime=20s", "--ca-lifetime=60s", "--ca-overlap=8s"];
    let replicas = ["rotation-0", "rotation-1"].map(|name| installation.start_ready(name, &lifetimes));
    let demo = installation.labelled_namespace("demo");
    let creator = Creator::start(&installation, &demo);

    let until = replicas.each_ref().map(|replica| replica.metric(NOT_AFTER, ""));
    for (replica, until) in replicas.iter().zip(until) {
        replica.until_metric(NOT_AFTER, "", |now| now > until);
    }
    let first = bundle(&installation);
    let changes = |result: &str| replicas.iter().map(|replica| replica.metric(CHANGES, result)).sum::<f64>();
    // The authority is renewed after two thirds of its life.
    let both = eventually(PATIENCE * 2, || match bundle(&installation) {
        // Both: each has the length of one.
        longer if longer.len() > first.len() + first.len() / 2 => Ok(longer),
        _ => Err(replicas[0].log()),
    })
    .unwrap();
    assert_ne!(both, first);
    eventually(PATIENCE, || match changes(r#"result="authority_switched""#) {
        switched if switched >= 1.0 => Ok(()),
        _ => Err(replicas[0].log()),
    })
    .unwrap();
    // Until the former is gone.
    eventually(PATIENCE * 2, || match bundle(&installation) {
        one if one.len() < both.len() && one != first => Ok(()),
        _ => Err(replicas[0].log()),
    })
    .unwrap();
    creator.finish();
    for replica in &replicas {
        assert!(replica.is_ready(), "{}", replica.report());
    }
}
