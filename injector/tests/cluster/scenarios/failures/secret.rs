//! The Secret with the certificate: deleted, damaged, and made somebody else's.

use serde_json::Value;
use sidecar_test_support::api_server::ApiServer;
use sidecar_test_support::eventually::eventually;

use super::Installation;
use super::creator::Creator;
use crate::installation::{NAMESPACE, PATIENCE};

const CHANGES: &str = "sidecar_injector_certificate_changes_total";

fn secret(installation: &Installation<'_>) -> Value {
    let text =
        installation.kubectl(&["get", "secret", &installation.secret_name(), "-o", "json", "--ignore-not-found"]);
    serde_json::from_str(&text.unwrap()).unwrap_or_default()
}

/// Until the webhooks have the bundle that is in the Secret.
fn until_bundle_follows(installation: &Installation<'_>, log: impl Fn() -> String) {
    eventually(PATIENCE, || {
        let wanted = &secret(installation)["data"]["ca.crt"];
        let webhooks = installation.webhooks().unwrap_or_default();
        let is_right = wanted.is_string() && webhooks.iter().all(|one| one["clientConfig"]["caBundle"] == *wanted);
        if is_right && !webhooks.is_empty() { Ok(()) } else { Err(log()) }
    })
    .unwrap();
}

#[test]
fn a_deleted_secret_is_made_again_while_pods_are_created() {
    let Some(server) = ApiServer::shared() else { return };
    let installation = Installation::new(server, "nosecret");
    let replica = installation.start_ready("nosecret-0", &["--ca-overlap=3s"]);
    let demo = installation.labelled_namespace("demo");
    let creator = Creator::start(&installation, &demo);
    let before = secret(&installation);
    installation.kubectl(&["delete", "secret", &installation.secret_name()]).unwrap();
    eventually(PATIENCE, || match &secret(&installation)["metadata"]["uid"] {
        uid if uid.is_string() && *uid != before["metadata"]["uid"] => Ok(()),
        _ => Err(replica.log()),
    })
    .unwrap();
    // The key of the former authority is gone with the Secret: another takes over.
    replica.until_metric(CHANGES, r#"result="authority_switched""#, |count| count >= 1.0);
    until_bundle_follows(&installation, || replica.log());
    installation.create_injected_pod(&demo, "after");
    creator.finish();
    assert!(replica.is_ready());
}

#[test]
fn a_damaged_secret_is_repaired_and_a_foreign_one_is_left_alone() {
    let Some(server) = ApiServer::shared() else { return };
    let installation = Installation::new(server, "badsecret");
    let replica = installation.start_ready("badsecret-0", &["--ca-overlap=3s"]);
    let demo = installation.labelled_namespace("demo");
    let creator = Creator::start(&installation, &demo);
    let name = installation.secret_name();
    for (key, says) in [("tls.key", "tls.key"), ("tls.crt", "tls.crt"), ("ca.crt", "ca.crt")] {
        let before = replica.metric(CHANGES, "");
        let patch = format!(r#"{{"data": {{"{key}": "bm9uc2Vuc2U="}}}}"#);
        installation.kubectl(&["patch", "secret", &name, "--type=merge", "--patch", &patch]).unwrap();
        replica.until_metric(CHANGES, "", |count| count > before);
        replica.until_metric("sidecar_injector_certificate_last_load_success", "", |is_good| is_good == 1.0);
        replica.until_logged(&["it was repaired", says]);
        until_bundle_follows(&installation, || replica.log());
    }
    installation.until_event(NAMESPACE, &name, "CertificateRepaired", "repaired");

    let label = "app.kubernetes.io/managed-by";
    installation.kubectl(&["label", "secret", &name, &format!("{label}-")]).unwrap();
    replica.until_metric("sidecar_injector_certificate_last_load_success", "", |is_good| is_good == 0.0);
    replica.until_reported(&["[+]certificate ok", "was not made by this program"]);
    installation.until_event(NAMESPACE, &name, "CertificateRejected", "was not made by this program");
    installation.kubectl(&["label", "secret", &name, &format!("{label}=sidecar-injector")]).unwrap();
    replica.until_metric("sidecar_injector_certificate_last_load_success", "", |is_good| is_good == 1.0);
    creator.finish();
}
