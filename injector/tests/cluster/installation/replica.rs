//! One injector process.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::Value;
use sidecar_test_support::eventually::eventually;
use sidecar_test_support::process::{Output, Process};

use super::PATIENCE;

/// A running `sidecar-injector serve`. Dropped, it is killed.
pub(crate) struct Replica {
    process: Process,
    pub(crate) https: SocketAddr,
    pub(crate) monitoring: SocketAddr,
    uncounted: Mutex<BTreeMap<String, f64>>,
}

impl Replica {
    /// Starts it and waits until it listens.
    pub(crate) fn start(name: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sidecar-injector"));
        command.args(["serve", "--https-address=127.0.0.1:0", "--monitoring-address=127.0.0.1:0", "--log-format=json"]);
        command.args(arguments).env("POD_NAME", name).env_remove("POD_NAMESPACE").env_remove("KUBECONFIG");
        Self::once_listening(Process::start(command).unwrap())
    }

    /// One that was started with `--log-format=json`, when it listens.
    pub(crate) fn once_listening(process: Process) -> Self {
        let listening = eventually(PATIENCE, || {
            let lines = process.stderr();
            let mut events = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            events.find(|event| event["message"] == "listening").ok_or_else(|| lines.join("\n"))
        })
        .unwrap();
        let address = |key: &str| listening[key].as_str().unwrap().parse().unwrap();
        Self { https: address("https"), monitoring: address("monitoring"), process, uncounted: Mutex::default() }
    }

    /// Waits until it is ready.
    pub(crate) fn until_ready(&self) {
        eventually(PATIENCE, || if is_ready(self.monitoring) { Ok(()) } else { Err(self.report()) }).unwrap();
    }

    /// What `/readyz?verbose` says.
    pub(crate) fn report(&self) -> String {
        get(self.monitoring, "/readyz?verbose").map(|(_, body)| body).unwrap_or_default()
    }

    /// All samples by name and labels, as `sidecar_injector_requests_total{outcome="injected",reason="policy_enabled"}`.
    pub(crate) fn metrics(&self) -> BTreeMap<String, f64> {
        let (_, text) = get(self.monitoring, "/metrics").unwrap();
        let sample = |line: &str| line.rsplit_once(' ').map(|(name, value)| (name.to_owned(), value.parse().unwrap()));
        text.lines().filter(|line| !line.starts_with('#')).filter_map(sample).collect()
    }

    /// The sum of all samples of this name with this label; the empty text asks for no label.
    pub(crate) fn metric(&self, name: &str, label: &str) -> f64 {
        let metrics = self.metrics();
        let wanted = |sample: &&String| sample.split('{').next() == Some(name) && sample.contains(label);
        let uncounted = self.uncounted.lock().unwrap();
        let counted = |sample: &String| metrics[sample] - uncounted.get(sample).copied().unwrap_or_default();
        metrics.keys().filter(wanted).map(counted).sum()
    }

    /// Leaves the requests that there were so far out of the count.
    pub(crate) fn count_from_now(&self) {
        let is_of_requests = |(sample, _): &(String, f64)| sample.starts_with("sidecar_injector_requests_total");
        *self.uncounted.lock().unwrap() = self.metrics().into_iter().filter(is_of_requests).collect();
    }

    /// Waits until that sum is as wanted.
    pub(crate) fn until_metric(&self, name: &str, label: &str, wanted: impl Fn(f64) -> bool) {
        eventually(PATIENCE, || match self.metric(name, label) {
            value if wanted(value) => Ok(()),
            value => Err(format!("{name}{{{label}}} is {value}\n{}\n{}", self.report(), self.log())),
        })
        .unwrap();
    }

    /// Waits until `/readyz?verbose` says all of this.
    pub(crate) fn until_reported(&self, parts: &[&str]) {
        eventually(PATIENCE, || match self.report() {
            report if parts.iter().all(|part| report.contains(part)) => Ok(()),
            report => Err(format!("{parts:?} not in\n{report}\n{}", self.log())),
        })
        .unwrap();
    }

    /// Waits until the log has a line with all of this.
    pub(crate) fn until_logged(&self, parts: &[&str]) {
        eventually(PATIENCE, || match self.log() {
            log if log.lines().any(|line| parts.iter().all(|part| line.contains(part))) => Ok(()),
            log => Err(format!("no line with {parts:?} in\n{log}")),
        })
        .unwrap();
    }

    /// Whether `/readyz` says that it is ready.
    pub(crate) fn is_ready(&self) -> bool {
        is_ready(self.monitoring)
    }

    /// Everything it has logged.
    pub(crate) fn log(&self) -> String {
        self.process.stderr().join("\n")
    }

    /// Asks it to end, as the kubelet does.
    pub(crate) fn terminate(&mut self) {
        self.process.terminate().unwrap();
    }

    /// Ends it without a chance to do anything about it.
    pub(crate) fn kill(self) {}

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> Output {
        self.process.wait(PATIENCE).unwrap()
    }
}

/// Whether who is monitored there says that it is ready.
pub(crate) fn is_ready(monitoring: SocketAddr) -> bool {
    get(monitoring, "/readyz").is_ok_and(|(status, _)| status == 200)
}

fn get(address: SocketAddr, path: &str) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(2))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or_default();
    Ok((status, body.to_owned()))
}
