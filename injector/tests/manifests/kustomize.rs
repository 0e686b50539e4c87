//! `kubectl kustomize manifests/`, with certificates made by the injector's own library.

use std::path::Path;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sidecar_contract::{config, namespace};
use sidecar_injector::certificates::{Issued, Validity, issue};

use crate::repository;

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[expect(clippy::print_stdout, reason = "who reads a test's output sees why it did nothing")]
fn has_kubectl() -> bool {
    let found =
        Command::new("kubectl").args(["version", "--client"]).output().is_ok_and(|output| output.status.success());
    if !found {
        println!("skipped: there is no kubectl here to put the manifests together");
    }
    found
}

#[test]
fn kustomize_puts_everything_together() {
    if !has_kubectl() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for name in ["manifests", "templates"] {
        copy(&repository().join(name), &folder.path().join(name));
    }
    let certificates = folder.path().join("manifests/certificates");
    let issued =
        issue(&["istio-sidecar-injector.istio-system.svc"], Validity::one_year(sidecar_injector::clock::now()));
    let Issued { ca_certificate, certificate, key } = issued.unwrap();
    std::fs::create_dir(&certificates).unwrap();
    for (name, text) in [("ca.crt", ca_certificate), ("tls.crt", certificate), ("tls.key", key)] {
        std::fs::write(certificates.join(name), text).unwrap();
    }
    let built = Command::new("kubectl").arg("kustomize").arg(folder.path().join("manifests")).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let objects: Vec<Value> = serde_saphyr::from_multiple(std::str::from_utf8(&built.stdout).unwrap()).unwrap();
    let of_kind = |kind: &str| objects.iter().find(|object| object["kind"] == kind).unwrap();

    let authority = STANDARD.encode(std::fs::read(certificates.join("ca.crt")).unwrap());
    for hook in of_kind("MutatingWebhookConfiguration")["webhooks"].as_array().unwrap() {
        // kustomize wraps lines; who reads base64 in the Kubernetes API skips their ends.
        assert_eq!(hook["clientConfig"]["caBundle"].as_str().unwrap().replace('\n', ""), authority);
    }
    let config_map = of_kind("ConfigMap");
    assert_eq!(config_map["metadata"]["name"], config::INJECTOR_NAME);
    assert_eq!(config_map["data"][config::CONFIG_KEY], sidecar_injector::defaults::CONFIG);
    assert_eq!(config_map["data"][config::VALUES_KEY], sidecar_injector::defaults::VALUES);
    let pod = &of_kind("Deployment")["spec"]["template"]["spec"];
    assert_eq!(pod["volumes"][1]["secret"]["secretName"], of_kind("Secret")["metadata"]["name"]);
    assert!(pod["containers"][0]["image"].as_str().unwrap().ends_with(env!("CARGO_PKG_VERSION")));
    let in_namespace = |kind: &str| of_kind(kind)["metadata"]["namespace"] == namespace::INJECTOR;
    assert!(["Deployment", "Service", "ServiceAccount", "ConfigMap", "Secret"].into_iter().all(in_namespace));
}
