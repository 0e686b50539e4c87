//! A server as a process, and what it uses.
#![expect(clippy::disallowed_methods, reason = "what a process uses is read from /proc")]

use std::error::Error;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use sidecar_test_support::eventually::eventually;
use sidecar_test_support::process::Process;

use crate::echo;

const PATIENCE: Duration = Duration::from_secs(10);
/// Linux counts CPU time in this unit for user space, whatever the kernel's own clock is.
const TICK: Duration = Duration::from_millis(10);

/// A running server.
pub(crate) struct Server {
    process: Process,
    https: SocketAddr,
    monitoring: Option<SocketAddr>,
}

/// What a process has used so far.
pub(crate) struct Usage {
    /// Time on a core.
    pub(crate) cpu: Duration,
    /// Resident set, in bytes.
    pub(crate) memory: u64,
}

/// Milliseconds from the start of the program until it is ready.
pub(crate) struct TimeToReady {
    pub(crate) median: f64,
    pub(crate) slowest: f64,
}

impl Server {
    /// The yardstick.
    pub(crate) fn echo(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(echo::MODE).arg(folder);
        Self::start(command)
    }

    /// The injector, with everything from files.
    pub(crate) fn injector(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let file = |name: &str| folder.join(name).display().to_string();
        let mut command = Command::new(env!("CARGO_BIN_EXE_sidecar-injector"));
        command
            .args(["serve", "--https-address=127.0.0.1:0", "--monitoring-address=127.0.0.1:0", "--log-format=json"])
            .arg(format!("--tls-cert-file={}", file("tls.crt")))
            .arg(format!("--tls-key-file={}", file("tls.key")))
            .arg(format!("--injectConfigFile={}", file("config.yaml")))
            .arg(format!("--valuesFile={}", file("values.json")))
            .arg(format!("--meshConfigFile={}", file("mesh.yaml")));
        Self::start(command)
    }

    fn start(command: Command) -> Result<Self, Box<dyn Error>> {
        let process = Process::start(command)?;
        let listening = eventually(PATIENCE, || {
            let lines = process.stderr();
            let event = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            event.into_iter().find(|event| event["message"] == "listening").ok_or_else(|| lines.join("\n"))
        })?;
        let address = |name: &str| listening[name].as_str().map(str::parse).transpose();
        let https = address("https")?.ok_or("the server does not say where it listens")?;
        Ok(Self { process, https, monitoring: address("monitoring")? })
    }

    /// Where it takes requests.
    pub(crate) fn address(&self) -> SocketAddr {
        self.https
    }

    /// What it has used so far, from proc(5).
    pub(crate) fn usage(&self) -> Result<Usage, Box<dyn Error>> {
        let folder = format!("/proc/{}", self.process.pid());
        let stat = fs::read_to_string(format!("{folder}/stat"))?;
        // The name of the program may hold blanks; it ends with the last parenthesis.
        let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        let status = fs::read_to_string(format!("{folder}/status"))?;
        let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next());
        Ok(Usage {
            cpu: TICK * u32::try_from(ticks)?,
            memory: 1024 * kilobytes.ok_or("no VmRSS in /proc")?.parse::<u64>()?,
        })
    }

    fn is_ready(&self) -> bool {
        let asked = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(self.monitoring.unwrap_or(self.https))?;
            stream.write_all(b"GET /readyz HTTP/1.0\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        asked().is_ok_and(|answer| answer.starts_with("HTTP/1.0 200"))
    }
}

/// Starts the injector again and again.
pub(crate) fn time_to_ready(folder: &Path, times: usize) -> Result<TimeToReady, Box<dyn Error>> {
    let mut milliseconds = Vec::new();
    for _ in 0..times {
        let start = Instant::now();
        let server = Server::injector(folder)?;
        eventually(PATIENCE, || if server.is_ready() { Ok(()) } else { Err("not ready") })?;
        milliseconds.push(start.elapsed().as_secs_f64() * 1e3);
    }
    milliseconds.sort_by(f64::total_cmp);
    let at = |index: usize| milliseconds.get(index).copied().ok_or("nothing was measured");
    Ok(TimeToReady { median: at(times / 2)?, slowest: at(times - 1)? })
}
