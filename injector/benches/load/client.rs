//! `wrk`, and what it measured.

use std::error::Error;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// How many workloads the pods of a rollout are of.
const WORKLOADS: usize = 8;

/// Which pods are asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pods {
    /// Pods of several workloads in turn, each with the name that the API server has given the volume of its token: what a
    /// replica is asked when workloads are rolled out.
    Rollout,
    /// Pods of one workload that are the same to the byte, as where no token is mounted, and within one second.
    Identical,
    /// Pods that have nothing to do with each other: each of a workload of its own.
    Different,
}

impl Pods {
    pub(crate) const ALL: [Self; 3] = [Self::Rollout, Self::Identical, Self::Different];

    /// In a few words.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rollout => "pods of 8 workloads, each with its token",
            Self::Identical => "one pod again and again",
            Self::Different => "pods of as many workloads",
        }
    }

    /// Number of the workload, and of the volume, as Lua says them of the request number `sent`.
    fn numbers(self) -> (String, &'static str) {
        match self {
            Self::Rollout => (format!("sent % {WORKLOADS}"), "sent"),
            Self::Identical => ("0".to_owned(), "0"),
            Self::Different => ("sent".to_owned(), "sent"),
        }
    }
}

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

/// Posts `review.json` of `folder` again and again, each time with another UID, and with names of these `pods` in it.
pub(crate) fn wrk(
    address: SocketAddr,
    folder: &Path,
    pods: Pods,
    connections: u32,
    length: Duration,
) -> Result<Load, Box<dyn Error>> {
    let script = folder.join("post.lua");
    let (workload, volume) = pods.numbers();
    #[expect(clippy::disallowed_methods, reason = "wrk is told what to send by a file")]
    fs::write(
        &script,
        format!(
            "local sent = 0\n\
             local body = io.open('{}'):read('*a')\n\
             function request()\n\
               sent = sent + 1\n\
               local names = {{ WORKLOAD = 'web-' .. {workload}, SUFFIX = string.format('%05x', {volume}),\n\
                 UNIQUE = string.format('%08x', sent) }}\n\
               return wrk.format('POST', '/inject', {{ ['Content-Type'] = 'application/json' }},\n\
                 (body:gsub('[A-Z]+', names)))\n\
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
