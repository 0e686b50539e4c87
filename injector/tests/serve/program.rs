//! The program as a process: start, signals, exit codes.

use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use sidecar_injector::certificates::{LOOPBACK_NAMES, Validity, issue};
use sidecar_test_support::process::{Output, Process};

use crate::client::Client;
use crate::running::{Running, until_said};
use crate::{PATIENCE, review};

/// A process that serves, ended with the test.
pub(crate) struct Serving {
    running: Running,
    _directory: Option<tempfile::TempDir>,
}

impl Serving {
    fn start(args: &[&str]) -> Self {
        Self { running: Running::start(args), _directory: None }
    }

    /// With files for everything, and a certificate that the client trusts.
    pub(crate) fn with_certificate(args: &[&str]) -> (Self, Client) {
        let directory = tempfile::tempdir().unwrap();
        let issued = issue(&LOOPBACK_NAMES, Validity::one_year(SystemTime::now())).unwrap();
        for (name, text) in [("tls.crt", &issued.certificate), ("tls.key", &issued.key)] {
            std::fs::write(directory.path().join(name), text).unwrap();
        }
        let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../templates");
        let flags = [
            ("tls-cert-file", directory.path().join("tls.crt")),
            ("tls-key-file", directory.path().join("tls.key")),
            ("injectConfigFile", templates.join("config.yaml")),
            ("valuesFile", templates.join("values.json")),
        ]
        .map(|(flag, file)| format!("--{flag}={}", file.display()));
        let all: Vec<_> = flags.iter().map(String::as_str).chain(args.iter().copied()).collect();
        let running = Running::start(&all);
        let client = Client::new(running.https, &issued.ca_certificate);
        (Self { running, _directory: Some(directory) }, client)
    }

    /// What it holds in memory, in bytes.
    pub(crate) fn resident(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.running.process.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse::<usize>().unwrap() * 1024
    }

    /// Its exit code, at its end.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        self.running.process.wait(PATIENCE).unwrap().status.code()
    }

    pub(crate) fn get(&self, path: &str) -> String {
        self.running.get(path)
    }

    pub(crate) fn terminate(&mut self) {
        self.running.process.terminate().unwrap();
    }
}

/// What a process says that does not come to serve, outside of any cluster.
fn refused(args: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sidecar-injector"));
    command.arg("serve").args(args).env("HOME", "/none").env_remove("KUBECONFIG").env_remove("KUBERNETES_SERVICE_HOST");
    let Output { status, stderr, .. } = Process::start(command).unwrap().wait(PATIENCE).unwrap();
    (status.code(), stderr)
}

#[test]
fn serves_until_it_is_told_to_stop() {
    let mut serving = Serving::start(&["--dev", "--drain-delay", "0s"]);
    let answer = serving.get("/healthz");
    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
    serving.terminate();
    assert_eq!(serving.wait(), Some(0));
}

#[tokio::test]
async fn goes_on_accepting_while_others_hear_that_it_ends() {
    // Longer than anything else here takes: a second signal ends it.
    let (mut serving, client) = Serving::with_certificate(&["--drain-delay", "600s"]);
    serving.terminate();
    until_said(&serving.running.process, "draining");
    let readiness = serving.get("/readyz");
    assert!(readiness.starts_with("HTTP/1.0 503") && readiness.contains("draining"), "{readiness}");
    for alpn in ["http/1.1", "h2"] {
        assert_eq!(client.post(alpn, "/inject", "application/json", review().to_string()).await.0, 200, "{alpn}");
    }
    serving.terminate();
    assert_eq!(serving.wait(), Some(0));
    assert!(TcpStream::connect(serving.running.https).is_err());
}

#[test]
fn ends_after_the_drain_delay() {
    let mut serving = Serving::start(&["--dev", "--drain-delay", "2s"]);
    let told = Instant::now();
    serving.terminate();
    assert_eq!(serving.wait(), Some(0));
    assert!(told.elapsed() >= Duration::from_secs(2), "{:?}", told.elapsed());
}

#[test]
fn a_drain_delay_that_is_no_duration_is_wrong_usage() {
    let (code, log) = refused(&["--dev", "--drain-delay", "soon"]);
    assert_eq!((code, log.contains("--drain-delay")), (Some(2), true), "{log}");
}

#[test]
fn what_prevents_serving_is_said_and_ends_the_program() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, log) = refused(&["--dev", "--https-address", &address, "--monitoring-address", "127.0.0.1:0"]);
    assert_eq!(code, Some(1));
    assert!(log.contains(&address) && log.contains("the webhook") && log.contains("in use"), "{log}");

    let config = concat!("--injectConfigFile=", env!("CARGO_MANIFEST_DIR"), "/../templates/config.yaml");
    let (code, log) = refused(&[config, "--tls-cert-file", "/none", "--tls-key-file", "/none"]);
    assert_eq!((code, log.contains("/none: cannot be opened")), (Some(1), true), "{log}");
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let (code, log) = refused(&[config, "--tls-cert-file", manifest, "--tls-key-file", manifest]);
    assert_eq!((code, log.contains("is not PEM") && log.contains("Cargo.toml")), (Some(1), true), "{log}");
    let (code, log) = refused(&["--dev", "--tls-cert-file", "a", "--tls-key-file", "b"]);
    assert_eq!((code, log.contains("--tls-cert-file")), (Some(2), true), "{log}");
}

#[test]
fn without_files_it_needs_a_cluster() {
    let (code, log) = refused(&[]);
    assert_eq!((code, log.contains("cluster")), (Some(1), true), "{log}");
}
