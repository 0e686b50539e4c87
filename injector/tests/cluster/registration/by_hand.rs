//! `webhook apply`, `diff` and `delete`.

use std::io::Write;

use sidecar_injector::certificates::{Validity, issue};
use sidecar_injector::clock::now;
use sidecar_test_support::api_server::ApiServer;

use super::{configuration, said, webhook};

#[test]
fn everything_that_can_be_printed_is_taken_by_the_api_server() {
    let Some(server) = ApiServer::shared() else { return };
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/registration");
    let yaml = |path: &std::path::Path| path.extension().is_some_and(|extension| extension == "yaml");
    let files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| yaml(path)).collect();
    assert!(!files.is_empty());
    for file in files {
        let arguments =
            ["apply", "--server-side", "--dry-run=server", "--force-conflicts", "-f", file.to_str().unwrap()];
        server.run(arguments).unwrap();
    }
}

#[test]
fn an_apply_is_found_by_diff_and_taken_back_by_delete() {
    let Some(server) = ApiServer::shared() else { return };
    let wanted = ["--revision", "by-hand", "--ca-bundle", "keep"];
    let run = |action: &'static str, more: &[&'static str]| {
        let output = webhook(server, &[&[action], &wanted[..], more].concat());
        (output.status.code().unwrap(), said(&output))
    };
    let (code, text) = run("diff", &[]);
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("+  name: istio-sidecar-injector-by-hand"), "{text}");
    assert_eq!(run("apply", &["--dry-run"]).0, 0);
    assert!(configuration(server, "istio-sidecar-injector-by-hand").is_none());
    let (code, text) = run("apply", &[]);
    assert_eq!(code, 0, "{text}");
    assert_eq!(run("diff", &[]), (0, String::new()));
    assert!(run("apply", &[]).1.contains("as it should be"));
    assert!(run("diff", &["--webhook-timeout", "7s"]).1.contains("+  timeoutSeconds: 7"));

    let name = "istio-sidecar-injector-by-hand";
    let ignore = r#"[{"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Ignore"}]"#;
    server.run(["patch", "mutatingwebhookconfiguration", name, "--type=json", "-p", ignore]).unwrap();
    let (code, text) = run("apply", &[]);
    assert!(code == 1 && text.contains("kubectl-patch has .webhooks") && text.contains("--force"), "{text}");
    assert_eq!(run("apply", &["--force"]).0, 0);
    assert_eq!(run("diff", &[]).0, 0);

    let delete = |more: &[&str]| said(&webhook(server, &[&["delete", "--revision", "by-hand"], more].concat()));
    assert!(delete(&["--dry-run"]).contains("deleted (dry run)"));
    assert!(configuration(server, name).is_some());
    assert!(delete(&[]).contains("deleted"));
    assert!(configuration(server, name).is_none());
    assert!(delete(&[]).contains("is not there"));
}

#[test]
fn it_belongs_to_a_cluster_role_when_asked_for() {
    let Some(server) = ApiServer::shared() else { return };
    let name = "istio-sidecar-injector-by-owner";
    let wanted = ["--revision", "by-owner", "--ca-bundle", "keep", "--owned-by-cluster-role"];
    let run = |action: &'static str| said(&webhook(server, &[&[action], &wanted[..]].concat()));
    let owners = || configuration(server, name).unwrap()["metadata"]["ownerReferences"].clone();
    let text = run("apply");
    assert!(text.contains("stay behind when the installation is removed: it does not exist"), "{text}");
    assert!(text.contains("applied") && owners().is_null(), "{text}");
    server.run(["create", "clusterrole", name, "--verb=get", "--resource=nodes"]).unwrap();
    assert!(run("diff").contains("+    kind: ClusterRole"), "{}", run("diff"));
    assert!(run("apply").contains("metadata.ownerReferences"));
    assert_eq!((&owners()[0]["name"], run("diff")), (&name.into(), String::new()));
}

#[test]
fn what_somebody_else_has_made_is_not_deleted() {
    let Some(server) = ApiServer::shared() else { return };
    let name = "istio-sidecar-injector-theirs";
    let object = format!(
        "{{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration, metadata: {{name: {name}, labels: {{app: sidecar-injector}}}}}}"
    );
    server.apply(&object).unwrap();
    let delete = |more: &[&str]| webhook(server, &[&["delete", "--revision", "theirs"], more].concat());
    let refused = delete(&[]);
    assert!(
        refused.status.code() == Some(1) && said(&refused).contains("kubectl-client-side-apply"),
        "{}",
        said(&refused)
    );
    assert!(delete(&["--force"]).status.success());
}

#[test]
fn a_bundle_is_checked_against_the_certificate_in_the_secret() {
    let Some(server) = ApiServer::shared() else { return };
    let apply = |more: &[&str]| {
        webhook(server, &[&["apply", "--namespace", "default", "--revision", "checked"], more].concat())
    };
    let nothing = apply(&[]);
    assert!(said(&nothing).contains("does not exist, so there is no ca.crt; start the injector"), "{}", said(&nothing));

    let validity = Validity::one_year(now());
    let served = issue(&["istio-sidecar-injector-checked.default.svc"], validity).unwrap();
    let other = issue(&["istio-sidecar-injector-checked.default.svc"], validity).unwrap();
    let file = |text: &str| {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    };
    let (authority, certificate, wrong) =
        (file(&served.ca_certificate), file(&served.certificate), file(&other.ca_certificate));
    let from = |key: &str, file: &tempfile::NamedTempFile| format!("--from-file={key}={}", file.path().display());
    let secret = "istio-sidecar-injector-checked-certificate";
    server
        .run([
            "create",
            "secret",
            "generic",
            secret,
            "-n",
            "default",
            &from("ca.crt", &authority),
            &from("tls.crt", &certificate),
        ])
        .unwrap();
    let refused = apply(&["--ca-bundle-file", wrong.path().to_str().unwrap()]);
    assert!(said(&refused).contains("does not verify the certificate served"), "{}", said(&refused));
    let written = apply(&[]);
    assert!(written.status.success(), "{}", said(&written));
    // Whoever leaves the bundle alone from now on leaves it where it is.
    assert!(apply(&["--ca-bundle", "keep", "--webhook-timeout", "6s"]).status.success());
    let live = configuration(server, "istio-sidecar-injector-checked-default").unwrap();
    assert!(live["webhooks"][0]["clientConfig"]["caBundle"].is_string());
    assert_eq!(live["webhooks"][0]["timeoutSeconds"], 6);
}
