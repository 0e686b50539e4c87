//! The program as a process: start, signals, exit codes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;
use sidecar_injector::certificates::{LOOPBACK_NAMES, Validity, issue};

use crate::client::Client;
use crate::review;

fn serve(args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_sidecar-injector"))
        .arg("serve")
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn end(mut child: Child) -> (Option<i32>, String) {
    let mut log = String::new();
    child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    (child.wait().unwrap().code(), log)
}

/// A process that serves, ended with the test.
pub(crate) struct Serving {
    child: Child,
    log: BufReader<ChildStderr>,
    https: String,
    monitoring: String,
    directory: Option<tempfile::TempDir>,
}

impl Serving {
    fn start(args: &[&str]) -> Self {
        let ports = ["--https-address", "127.0.0.1:0", "--monitoring-address", "127.0.0.1:0", "--log-format", "json"];
        let mut child = serve(&[&ports[..], args].concat());
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let listening = event(&mut log);
        assert_eq!(listening["message"], "listening", "{listening}");
        let address = |name: &str| listening[name].as_str().unwrap().to_owned();
        Self { child, log, https: address("https"), monitoring: address("monitoring"), directory: None }
    }

    /// With a certificate that the client trusts.
    pub(crate) fn with_certificate(args: &[&str]) -> (Self, Client) {
        let directory = tempfile::tempdir().unwrap();
        let issued = issue(&LOOPBACK_NAMES, Validity::one_year(SystemTime::now())).unwrap();
        let [certificate_file, key_file] =
            [("tls.crt", &issued.certificate), ("tls.key", &issued.key)].map(|(name, text)| {
                let file = directory.path().join(name);
                std::fs::write(&file, text).unwrap();
                file.to_str().unwrap().to_owned()
            });
        let tls = ["--tls-cert-file", &certificate_file, "--tls-key-file", &key_file];
        let mut serving = Self::start(&[&tls[..], args].concat());
        serving.directory = Some(directory);
        let client = Client::new(serving.https.parse().unwrap(), &issued.ca_certificate);
        (serving, client)
    }

    /// What it holds in memory, in bytes.
    pub(crate) fn resident(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse::<usize>().unwrap() * 1024
    }

    /// Its exit code, at its end.
    #[cfg(feature = "otlp")]
    pub(crate) fn wait(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    pub(crate) fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.monitoring).unwrap();
        stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    pub(crate) fn terminate(&self) {
        assert!(Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap().success());
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn event(log: &mut impl BufRead) -> Value {
    let mut line = String::new();
    log.read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap()
}

#[test]
fn serves_until_it_is_told_to_stop() {
    let mut serving = Serving::start(&["--dev", "--drain-delay", "0s"]);
    let answer = serving.get("/healthz");
    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
    serving.terminate();
    assert_eq!(serving.child.wait().unwrap().code(), Some(0));
}

#[tokio::test]
async fn goes_on_accepting_until_others_have_heard_that_it_ends() {
    let (mut serving, client) = Serving::with_certificate(&["--drain-delay", "2s"]);
    let told = Instant::now();
    serving.terminate();
    assert_eq!(event(&mut serving.log)["message"], "draining");
    let readiness = serving.get("/readyz");
    assert!(readiness.starts_with("HTTP/1.0 503") && readiness.contains("draining"), "{readiness}");
    for alpn in ["http/1.1", "h2"] {
        assert_eq!(client.post(alpn, "/inject", "application/json", review().to_string()).await.0, 200, "{alpn}");
    }
    assert!(told.elapsed() < Duration::from_secs(2), "too slow to tell: {:?}", told.elapsed());
    assert_eq!(serving.child.wait().unwrap().code(), Some(0));
    assert!(told.elapsed() >= Duration::from_secs(2), "{:?}", told.elapsed());
    assert!(TcpStream::connect(&serving.https).is_err());
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut serving = Serving::start(&["--dev", "--drain-delay", "60s"]);
    let told = Instant::now();
    serving.terminate();
    assert_eq!(event(&mut serving.log)["message"], "draining");
    serving.terminate();
    assert_eq!(serving.child.wait().unwrap().code(), Some(0));
    assert!(told.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_drain_delay_that_is_no_duration_is_wrong_usage() {
    let (code, log) = end(serve(&["--dev", "--drain-delay", "soon"]));
    assert_eq!((code, log.contains("--drain-delay")), (Some(2), true), "{log}");
}

#[test]
fn what_prevents_serving_is_said_and_ends_the_program() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, log) = end(serve(&["--dev", "--https-address", &address, "--monitoring-address", "127.0.0.1:0"]));
    assert_eq!(code, Some(1));
    assert!(log.contains(&address) && log.contains("the webhook") && log.contains("in use"), "{log}");

    let (code, log) = end(serve(&["--tls-cert-file", "/none", "--tls-key-file", "/none"]));
    assert_eq!((code, log.contains("/none: cannot be opened")), (Some(1), true), "{log}");
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let (code, log) = end(serve(&["--tls-cert-file", manifest, "--tls-key-file", manifest]));
    assert_eq!((code, log.contains("is not PEM") && log.contains("Cargo.toml")), (Some(1), true), "{log}");
    assert_eq!(end(serve(&[])).0, Some(2));
    assert_eq!(end(serve(&["--dev", "--tls-cert-file", "a", "--tls-key-file", "b"])).0, Some(2));
}
