//! The injector as a process that serves.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use sidecar_test_support::eventually::eventually;
use sidecar_test_support::process::Process;

/// Others use the machine too.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running `sidecar-injector serve`. Dropped, it is killed.
pub(crate) struct Running {
    pub(crate) process: Process,
    pub(crate) https: SocketAddr,
    pub(crate) monitoring: SocketAddr,
}

impl Running {
    /// Starts it on free ports and waits until it listens.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sidecar-injector"));
        command.args(["serve", "--https-address=127.0.0.1:0", "--monitoring-address=127.0.0.1:0", "--log-format=json"]);
        command.args(arguments);
        let process = Process::start(command).unwrap();
        let listening = until_said(&process, "listening");
        let address = |name: &str| listening[name].as_str().unwrap().parse().unwrap();
        Self { https: address("https"), monitoring: address("monitoring"), process }
    }

    /// What its monitoring port answers, with status line and headers.
    pub(crate) fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.monitoring).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

/// Waits for an event of the log.
pub(crate) fn until_said(process: &Process, message: &str) -> Value {
    eventually(PATIENCE, || {
        let lines = process.stderr();
        let mut events = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        events.find(|event| event["message"] == message).ok_or_else(|| lines.join("\n"))
    })
    .unwrap()
}
