//! `wrk`, and what it measured.

use std::error::Error;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// How many pods are sent in turn, and of how many workloads they are: a rollout of several at once.
const BODIES: usize = 256;
const WORKLOADS: usize = 8;

/// What came of a load.
pub(crate) struct Load {
    /// Answers.
    pub(crate) requests: u64,
    /// How long it took.
    pub(crate) duration: Duration,
    /// Half of the answers came sooner.
    pub(crate) p50: Duration,
    /// All but one in a hundred came sooner.
    pub(crate) p99: Duration,
    /// Requests without an answer, or with another status than 200.
    pub(crate) errors: u64,
}

/// Whether there is a `wrk` to call.
pub(crate) fn is_installed() -> bool {
    Command::new("wrk").arg("--version").output().is_ok()
}

/// Posts `review.json` of `folder` again and again, with names of several workloads and pods in it.
pub(crate) fn wrk(
    address: SocketAddr,
    folder: &Path,
    connections: u32,
    length: Duration,
) -> Result<Load, Box<dyn Error>> {
    let script = folder.join("post.lua");
    #[expect(clippy::disallowed_methods, reason = "wrk is told what to send by a file")]
    fs::write(
        &script,
        format!(
            "local bodies, sent = {{}}, 0\n\
             local body = io.open('{}'):read('*a')\n\
             for pod = 0, {BODIES} - 1 do\n\
               local names = {{ WORKLOAD = 'web-' .. pod % {WORKLOADS}, SUFFIX = string.format('%05d', pod) }}\n\
               bodies[pod] = wrk.format('POST', '/inject', {{ ['Content-Type'] = 'application/json' }},\n\
                 (body:gsub('[A-Z]+', names)))\n\
             end\n\
             function request()\n\
               sent = sent + 1\n\
               return bodies[sent % {BODIES}]\n\
             end\n\
             function done(summary, latency)\n\
               local e = summary.errors\n\
               print('load', summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),\n\
                 e.connect + e.read + e.write + e.status + e.timeout)\n\
             end\n",
            folder.join("review.json").display()
        ),
    )?;
    let output = Command::new("wrk")
        .args(["--threads", "1", "--connections", &connections.to_string()])
        .args(["--duration", &format!("{}s", length.as_secs()), "--script"])
        .arg(&script)
        .arg(format!("https://{address}/inject"))
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers = text.lines().find_map(|line| line.strip_prefix("load"));
    let numbers: Vec<f64> =
        numbers.unwrap_or_default().split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [requests, duration, p50, p99, errors] = numbers[..] else {
        return Err(format!("wrk: {text}{}", String::from_utf8_lossy(&output.stderr)).into());
    };
    let microseconds = |count: f64| Duration::from_micros(count as u64);
    Ok(Load {
        requests: requests as u64,
        duration: microseconds(duration),
        p50: microseconds(p50),
        p99: microseconds(p99),
        errors: errors as u64,
    })
}
