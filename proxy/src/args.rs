//! The command line.

use std::num::{NonZeroU32, NonZeroUsize};
use std::thread;
use std::time::Duration;

use sidecar_contract::port;
use sidecar_process::log::LogArgs;

use crate::bind::Ports;
use crate::proxy::Settings;
use crate::sizing;
use crate::socket::Liveness;

/// The kernel takes no keepalive beyond 32767 seconds.
const LONGEST_TCP_DURATION: Duration = Duration::from_secs(9 * 60 * 60);

const EXIT_CODES: &str = "\
Durations are written 500ms, 45s, 1m; 0s turns a limit off where that is said.

Exit codes:
  0  drained and done, or told by a second signal to end at once
  1  failed: a port is in use, a worker died; standard error says what
  2  the command line was wrong; nothing was tried";

/// Receives a pod's redirected traffic and forwards it to where it was going.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "sidecar-proxy", version, after_help = EXIT_CODES)]
pub struct Args {
    /// Port on loopback for connections leaving the pod; 0 takes any free port.
    #[arg(long, value_name = "PORT", default_value_t = port::OUTBOUND)]
    pub outbound_port: u16,
    /// Port for connections entering the pod; 0 takes any free port.
    #[arg(long, value_name = "PORT", default_value_t = port::INBOUND)]
    pub inbound_port: u16,
    /// Port for readiness, GET /healthz/ready; 0 takes any free port.
    #[arg(long, value_name = "PORT", default_value_t = port::HEALTH)]
    pub health_port: u16,
    /// Port for metrics, GET /stats/prometheus; 0 takes any free port.
    #[arg(long, value_name = "PORT", default_value_t = port::PROMETHEUS)]
    pub prometheus_port: u16,
    /// Worker threads; 0 takes one a core. Default: one a core that the process may use (cgroup quota), at most two.
    #[arg(long, value_name = "WORKERS", value_parser = clap::value_parser!(u16).range(..=256))]
    pub concurrency: Option<u16>,
    /// Connections open at once in each direction; more are reset. Lowered to what the file descriptor limit allows.
    ///
    /// With 10000 each way and peers that take nothing, two workers hold about 130 MiB, kernel buffers not included.
    #[arg(long, value_name = "COUNT", default_value = "10000")]
    pub max_connections: NonZeroU32,
    /// How long the destination may take to accept a connection.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = positive_duration)]
    pub connect_timeout: Duration,
    /// A connection of which one direction has ended is given up when the other is silent for so long; 0s never.
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = humantime::parse_duration)]
    pub half_close_timeout: Duration,
    /// A connection silent for so long is probed for a dead peer, in whole seconds; 0s turns probes off.
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = tcp_duration)]
    pub tcp_keepalive: Duration,
    /// A peer that acknowledges nothing, or takes no data, for so long is given up, even if it only pauses; 0s leaves
    /// it to keepalive and the kernel.
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = tcp_duration)]
    pub tcp_user_timeout: Duration,
    /// Where a line for every connection goes, whatever --log-level is.
    #[arg(long, value_enum, default_value = "stderr", help_heading = "Logging")]
    pub access_log: AccessLog,
    /// On SIGTERM or SIGINT: serve for so long even if no connection is open, within --drain-duration.
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = humantime::parse_duration)]
    pub drain_minimum: Duration,
    /// On SIGTERM or SIGINT: serve until no connection is open, for so long at most; then cut the rest.
    #[arg(long, value_name = "DURATION", default_value = "45s", value_parser = humantime::parse_duration)]
    pub drain_duration: Duration,
    /// How to log.
    #[command(flatten)]
    pub log: LogArgs,
}

/// Where access lines go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum AccessLog {
    /// With the rest of the log.
    Stderr,
    /// Nowhere.
    Off,
}

impl Args {
    /// What the arguments mean on this machine.
    pub fn settings(&self) -> Settings {
        let Self {
            outbound_port,
            inbound_port,
            health_port,
            prometheus_port,
            concurrency,
            max_connections,
            connect_timeout,
            half_close_timeout,
            tcp_keepalive,
            tcp_user_timeout,
            access_log,
            drain_minimum,
            drain_duration,
            log: _,
        } = self;
        // Respects the cgroup's CPU quota; unknown counts as one core.
        let cores = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Settings {
            ports: Ports {
                outbound: *outbound_port,
                inbound: *inbound_port,
                health: *health_port,
                prometheus: *prometheus_port,
            },
            workers: sizing::workers(*concurrency, cores),
            max_connections: max_connections.get(),
            connect_timeout: *connect_timeout,
            half_close_timeout: (!half_close_timeout.is_zero()).then_some(*half_close_timeout),
            liveness: Liveness {
                keepalive: (!tcp_keepalive.is_zero()).then_some(whole_seconds(*tcp_keepalive)),
                user_timeout: (!tcp_user_timeout.is_zero()).then_some(whole_milliseconds(*tcp_user_timeout)),
            },
            access_log: *access_log == AccessLog::Stderr,
            drain_minimum: *drain_minimum,
            drain_duration: *drain_duration,
        }
    }
}

fn positive_duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("must be longer than nothing".to_owned()),
        Ok(duration) => Ok(duration),
        Err(error) => Err(error.to_string()),
    }
}

fn tcp_duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(duration) if duration > LONGEST_TCP_DURATION => {
            Err(format!("must be at most {}", humantime::format_duration(LONGEST_TCP_DURATION)))
        }
        Ok(duration) => Ok(duration),
        Err(error) => Err(error.to_string()),
    }
}

/// Rounds up: the kernel counts keepalive in seconds and refuses none at all.
fn whole_seconds(duration: Duration) -> Duration {
    Duration::from_secs(duration.as_secs() + u64::from(duration.subsec_nanos() > 0))
}

/// Rounds up: to the kernel, 0 ms means no limit.
fn whole_milliseconds(duration: Duration) -> Duration {
    Duration::from_millis(u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, Parser};

    fn parse(flags: &[&str]) -> Result<Args, clap::Error> {
        Args::try_parse_from([&["sidecar-proxy"], flags].concat())
    }

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn without_flags_the_ports_are_those_of_the_contract() {
        let settings = parse(&[]).unwrap().settings();
        let Ports { outbound, inbound, health, prometheus } = settings.ports;
        assert_eq!([outbound, inbound, health, prometheus], [15001, 15006, 15021, 15090]);
        assert_eq!(settings.liveness.keepalive, Some(Duration::from_secs(60)));
        assert_eq!(settings.liveness.user_timeout, None, "it would cut a peer that only pauses");
        assert_eq!(settings.connect_timeout, Duration::from_secs(10));
        assert_eq!(settings.drain_minimum, Duration::from_secs(5));
        assert_eq!(settings.drain_duration, Duration::from_secs(45));
        assert!((1..=2).contains(&settings.workers.get()));
    }

    #[test]
    fn durations_have_a_unit_and_nought_turns_liveness_off() {
        let flags = ["--drain-duration=500ms", "--tcp-keepalive=0s", "--tcp-user-timeout=0s", "--connect-timeout=1m"];
        let settings = parse(&flags).unwrap().settings();
        assert_eq!(settings.drain_duration, Duration::from_millis(500));
        assert_eq!(settings.connect_timeout, Duration::from_secs(60));
        assert_eq!((settings.liveness.keepalive, settings.liveness.user_timeout), (None, None));
        let liveness = parse(&["--tcp-keepalive=1500ms", "--tcp-user-timeout=500ms"]).unwrap().settings().liveness;
        assert_eq!(liveness.keepalive, Some(Duration::from_secs(2)));
        assert_eq!(liveness.user_timeout, Some(Duration::from_millis(500)));
        let liveness = parse(&["--tcp-user-timeout=100us"]).unwrap().settings().liveness;
        assert_eq!(liveness.user_timeout, Some(Duration::from_millis(1)));
    }

    #[test]
    fn mistakes_are_refused_with_the_flag_named() {
        for flag in [
            "--connect-timeout=0s",
            "--drain-duration=45",
            "--drain-minimum=-1s",
            "--concurrency=1000",
            "--tcp-keepalive=10h",
            "--tcp-user-timeout=10h",
            "--max-connections=0",
            "--inbound-port=70000",
        ] {
            let error = parse(&[flag]).unwrap_err();
            assert_eq!(error.exit_code(), i32::from(sidecar_process::exit::USAGE), "{flag}");
            assert!(error.to_string().contains(flag.split('=').next().unwrap()), "{error}");
        }
    }
}
