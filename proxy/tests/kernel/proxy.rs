//! The proxy's process in a pod, and what it logs.

#![expect(clippy::disallowed_methods, reason = "CPU time is read from /proc")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::pod::{POD_V4, Pod, address};

const PATIENCE: Duration = Duration::from_secs(20);

const AS_PROXY: [&str; 3] = ["--reuid=1337", "--regid=1337", "--clear-groups"];

/// A proxy in a pod; killed when dropped.
pub(crate) struct Proxy {
    process: Child,
    lines: Arc<Mutex<Vec<Value>>>,
    reader: Option<JoinHandle<()>>,
    read: Arc<AtomicBool>,
    _program: tempfile::TempDir,
}

impl Proxy {
    /// Starts the program as user 1337 and waits until it is ready. `limits` are options of `prlimit`.
    pub(crate) fn start(pod: &Pod, limits: &[&str], flags: &[&str]) -> Self {
        Self::start_as(&AS_PROXY, pod, limits, flags)
    }

    /// Starts it as the user that these options of `setpriv` tell.
    pub(crate) fn start_as(user: &[&str], pod: &Pod, limits: &[&str], flags: &[&str]) -> Self {
        let (directory, program) = program_for_everyone();
        let mut process = Command::new("ip")
            .args(["netns", "exec", pod.namespace.name(), "prlimit"])
            .args(limits)
            .arg("setpriv")
            .args(user)
            .args([&program, "--log-format=json"])
            .args(flags)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let read = Arc::new(AtomicBool::new(true));
        let (stderr, sink, reading) = (process.stderr.take().unwrap(), lines.clone(), read.clone());
        let reader = thread::spawn(move || {
            for line in BufReader::new(stderr).lines() {
                while !reading.load(Ordering::Relaxed) {
                    thread::sleep(Duration::from_millis(10));
                }
                let line = line.unwrap();
                sink.lock().unwrap().push(serde_json::from_str(&line).unwrap_or(Value::String(line)));
            }
        });
        let proxy = Self { process, lines, reader: Some(reader), read, _program: directory };
        // From the peer, as the kubelet would: the port is not redirected.
        eventually(
            || get(pod, 15021, "/healthz/ready").is_some_and(|answer| answer.contains("200 OK")),
            || proxy.log(),
        );
        proxy
    }

    /// The access-log line of the connection that came from `client`.
    pub(crate) fn access(&self, client: SocketAddr) -> Value {
        self.access_where("downstream_remote_address", client)
    }

    /// The access-log line of the connection that was going to `destination`.
    pub(crate) fn access_to(&self, destination: SocketAddr) -> Value {
        self.access_where("downstream_local_address", destination)
    }

    fn access_where(&self, field: &str, address: SocketAddr) -> Value {
        let address = address.to_string();
        let find = || self.lines.lock().unwrap().iter().find(|line| line[field] == address.as_str()).cloned();
        eventually(|| find().is_some(), || self.log());
        find().unwrap()
    }

    /// How many connections have ended.
    pub(crate) fn connections(&self) -> usize {
        self.lines.lock().unwrap().iter().filter(|line| line["target"] == "access").count()
    }

    /// How many connections the outbound listeners have accepted, open ones included.
    pub(crate) fn accepted_outbound(&self, pod: &Pod) -> u64 {
        let metrics = get(pod, 15090, "/stats/prometheus").unwrap();
        let samples = metrics.lines().filter_map(|line| line.strip_prefix("envoy_listener_downstream_cx_total{"));
        let outbound = samples.filter(|sample| sample.contains("_15001\""));
        outbound.map(|sample| sample.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.process.id()).unwrap()), signal).unwrap();
    }

    /// Changes how many files the running process may have open, as its own user: root may lack the capability.
    pub(crate) fn limit_open_files(&self, limit: &str) {
        let changed = Command::new("setpriv")
            .args(AS_PROXY)
            .args(["prlimit", "--pid", &self.process.id().to_string(), &format!("--nofile={limit}")])
            .status();
        assert!(changed.unwrap().success());
    }

    /// CPU time used so far.
    pub(crate) fn cpu_time(&self) -> Duration {
        let stat = std::io::read_to_string(std::fs::File::open(format!("/proc/{}/stat", self.process.id())).unwrap());
        let stat = stat.unwrap();
        // Fields 14 and 15, counted from behind the name, which may contain spaces; in hundredths of a second.
        let fields: Vec<_> = stat[stat.rfind(')').unwrap() + 2..].split(' ').collect();
        let ticks = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 10)
    }

    /// Reads no more of what the proxy logs: soon the pipe is full.
    pub(crate) fn stop_reading(&self) {
        self.read.store(false, Ordering::Relaxed);
    }

    /// Waits for the end of the process; returns how it ended and everything it logged.
    pub(crate) fn wait(mut self) -> (ExitStatus, String) {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < PATIENCE, "the proxy does not end\n{}", self.log());
            thread::sleep(Duration::from_millis(10));
        };
        self.read.store(true, Ordering::Relaxed);
        self.reader.take().unwrap().join().unwrap();
        (status, self.log())
    }

    pub(crate) fn log(&self) -> String {
        self.lines.lock().unwrap().iter().map(|line| format!("{line}\n")).collect()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The whole answer to a GET from the peer; `None` when nobody listens.
pub(crate) fn get(pod: &Pod, port: u16, path: &str) -> Option<String> {
    let connect = || std::net::TcpStream::connect(address(POD_V4, port)).ok();
    let mut stream = pod.peer.enter(connect)?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: pod\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    Some(answer)
}

/// A copy of the program where every user can execute it; a build directory may be closed to others.
fn program_for_everyone() -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = directory.path().join("sidecar-proxy");
    fs::copy(env!("CARGO_BIN_EXE_sidecar-proxy"), &program).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let program = program.to_str().unwrap().to_owned();
    (directory, program)
}

pub(crate) fn eventually(holds: impl Fn() -> bool, explain: impl Fn() -> String) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "it takes too long\n{}", explain());
        thread::sleep(Duration::from_millis(10));
    }
}
