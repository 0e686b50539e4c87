//! A certificate in files that somebody else renews, as kubelet does: by changing where one link leads.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use sidecar_injector::certificates::{Issued, Validity, issue};
use sidecar_injector::clock::now;
use sidecar_test_support::api_server::ApiServer;
use sidecar_test_support::eventually::eventually;

use super::Installation;
use super::creator::Creator;
use crate::installation::{PATIENCE, Replica};

const LOADED: &str = "sidecar_injector_certificate_last_load_success";
const NOT_AFTER: &str = "sidecar_injector_certificate_not_after_timestamp_seconds";

/// Good for that many days, by an authority of its own.
fn issued(days: u64) -> Issued {
    let from = now() - Duration::from_secs(3600);
    let until = now() + Duration::from_secs(days * 24 * 3600);
    issue(&["127.0.0.1"], Validity { from, until }).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "writes what the injector is to read")]
fn place(folder: &Path, version: &str, files: [(&str, &str); 3]) {
    fs::create_dir(folder.join(version)).unwrap();
    for (name, text) in files {
        fs::write(folder.join(version).join(name), text).unwrap();
    }
    symlink(version, folder.join("..new")).unwrap();
    fs::rename(folder.join("..new"), folder.join("..data")).unwrap();
}

fn until_days(replica: &Replica, days: u64) {
    let wanted = now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64() + (days * 24 * 3600) as f64;
    replica.until_metric(NOT_AFTER, "", |until| (until - wanted).abs() < 12.0 * 3600.0);
    replica.until_metric(LOADED, "", |is_good| is_good == 1.0);
}

fn until_bundle(installation: &Installation<'_>, replica: &Replica, count: usize) {
    eventually(PATIENCE, || {
        let webhooks = installation.webhooks().unwrap();
        let length = webhooks[0]["clientConfig"]["caBundle"].as_str().unwrap_or_default().len();
        // Each authority has about as much.
        if length.abs_diff(count * 900) < 400 { Ok(()) } else { Err(format!("{length}\n{}", replica.log())) }
    })
    .unwrap();
}

#[test]
fn links_are_swapped_and_no_pod_notices() {
    let Some(server) = ApiServer::shared() else { return };
    let installation = Installation::new(server, "files");
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (one, two) = (issued(100), issued(200));
    place(folder.path(), "v1", [("tls.crt", &one.certificate), ("tls.key", &one.key), ("ca.crt", &one.ca_certificate)]);
    for name in ["tls.crt", "tls.key", "ca.crt"] {
        symlink(Path::new("..data").join(name), path(name)).unwrap();
    }
    let arguments = [("--tls-cert-file", "tls.crt"), ("--tls-key-file", "tls.key"), ("--ca-bundle-file", "ca.crt")]
        .map(|(flag, name)| format!("{flag}={}", path(name).display()));
    let replica = installation.start_ready("files-0", &arguments.each_ref().map(String::as_str));
    let demo = installation.labelled_namespace("demo");
    let creator = Creator::start(&installation, &demo);
    until_days(&replica, 100);
    let single = installation.webhooks().unwrap()[0]["clientConfig"]["caBundle"].clone();

    let both = format!("{}{}", one.ca_certificate, two.ca_certificate);
    place(folder.path(), "v2", [("tls.crt", &one.certificate), ("tls.key", &one.key), ("ca.crt", &both)]);
    until_bundle(&installation, &replica, 2);
    place(folder.path(), "v3", [("tls.crt", &two.certificate), ("tls.key", &two.key), ("ca.crt", &both)]);
    until_days(&replica, 200);

    let truncated = &two.certificate[..two.certificate.len() / 2];
    place(folder.path(), "v4", [("tls.crt", truncated), ("tls.key", &two.key), ("ca.crt", &both)]);
    replica.until_metric(LOADED, "", |is_good| is_good == 0.0);
    replica.until_reported(&["[+]certificate ok", "tls.crt", "PEM"]);
    place(folder.path(), "v5", [("tls.crt", &two.certificate), ("tls.key", &two.key), ("ca.crt", &two.ca_certificate)]);
    until_days(&replica, 200);
    until_bundle(&installation, &replica, 1);
    assert_ne!(installation.webhooks().unwrap()[0]["clientConfig"]["caBundle"], single);
    installation.create_injected_pod(&demo, "after");
    creator.finish();
}
