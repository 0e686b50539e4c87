//! A registration that people change and delete.

use serde_json::{Value, json};
use sidecar_injector::certificates::{Validity, issue};
use sidecar_injector::clock::now;
use sidecar_test_support::api_server::ApiServer;
use sidecar_test_support::eventually::eventually;

use super::Installation;
use crate::installation::{PATIENCE, Replica};

const CORRECTIONS: &str = "sidecar_injector_registration_corrections_total";

fn until_as_before(installation: &Installation<'_>, replica: &Replica, before: &[Value], case: &str) {
    eventually(PATIENCE, || match installation.webhooks() {
        Some(now) if now == before => Ok(()),
        now => Err(format!("{case}: {now:?}\n{}", replica.log())),
    })
    .unwrap();
}

/// Makes these edits by hand, one after the other. They are few, since who edits again and again is made to wait.
fn edited(revision: &str, cases: &[(&str, Value)]) {
    let Some(server) = ApiServer::shared() else { return };
    let installation = Installation::new(server, revision);
    let replica = installation.start_ready(&format!("{revision}-0"), &[]);
    let demo = installation.labelled_namespace("demo");
    let (name, before) = (installation.configuration_name(), installation.webhooks().unwrap());
    for (number, (case, patch)) in cases.iter().enumerate() {
        let patch = patch.to_string();
        let edit = ["patch", "mutatingwebhookconfiguration", &name, "--type=json", "--patch", &patch];
        installation.server.run(edit).unwrap();
        replica.until_metric(CORRECTIONS, "", |count| count > number as f64);
        until_as_before(&installation, &replica, &before, case);
        installation.create_injected_pod(&demo, &format!("after-{number}"));
        replica.until_metric("sidecar_injector_registration_state", r#"state="current""#, |is_set| is_set == 1.0);
    }
    installation.until_event("default", &name, "RegistrationChangedByOthers", "");
    let failures = installation.events("default", "RegistrationFailed");
    assert!(failures.iter().all(|note| !note.contains(&name)), "{failures:?}");
    assert!(replica.is_ready());
}

#[test]
fn a_policy_and_a_selector_are_put_back() {
    edited(
        "edited",
        &[
            ("policy", json!([{"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Ignore"}])),
            ("selector", json!([{"op": "replace", "path": "/webhooks/0/objectSelector", "value": {}}])),
        ],
    );
}

#[test]
fn a_bundle_and_a_webhook_are_put_back() {
    let other = issue(&["127.0.0.1"], Validity::one_year(now())).unwrap().ca_certificate;
    let other = k8s_openapi::ByteString(other.into_bytes());
    edited(
        "unbundled",
        &[
            ("bundle", json!([{"op": "replace", "path": "/webhooks/0/clientConfig/caBundle", "value": other}])),
            ("webhook", json!([{"op": "remove", "path": "/webhooks/0"}])),
        ],
    );
}

#[test]
fn a_webhook_taken_out_is_told() {
    edited("taken", &[("webhook", json!([{"op": "remove", "path": "/webhooks/0"}]))]);
}

#[test]
fn a_deleted_registration_is_made_again() {
    let Some(server) = ApiServer::shared() else { return };
    let installation = Installation::new(server, "unregistered");
    let replica = installation.start_ready("unregistered-0", &[]);
    let demo = installation.labelled_namespace("demo");
    let (name, before) = (installation.configuration_name(), installation.webhooks().unwrap());
    installation.server.run(["delete", "mutatingwebhookconfiguration", &name]).unwrap();
    until_as_before(&installation, &replica, &before, "deleted");
    replica.until_metric(CORRECTIONS, "", |count| count == 1.0);
    installation.create_injected_pod(&demo, "after");
    installation.until_event("default", &name, "RegistrationChangedByOthers", "");
}
