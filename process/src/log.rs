//! Logging to standard error, one line an event. Standard output is for results.

use std::fmt;
use std::io::IsTerminal;
use std::str::FromStr;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt as format};

/// How a log line is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people: time, level, target, message, fields.
    #[default]
    Text,
    /// For machines: one JSON object a line.
    Json,
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

/// Which events are logged: a level, or `target=level` pairs, comma separated.
///
/// Accepts Envoy's spellings too (`warning`, `critical`), since Istio's annotations use them.
#[derive(Clone, Debug, PartialEq)]
pub struct LogLevel(Targets);

/// A log level that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("not a log level: `{given}`; use trace, debug, info, warning, error or off, or target=level pairs")]
pub struct InvalidLogLevel {
    given: String,
}

impl FromStr for LogLevel {
    type Err = InvalidLogLevel;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let level = match text {
            "warning" => "warn",
            "critical" => "error",
            other => other,
        };
        let targets: Targets = level.parse().map_err(|_| InvalidLogLevel { given: text.to_owned() })?;
        // `info,` and `a,b` parse as targets named so; a bare word that is no level is a mistake, not a target.
        let is_level = level.parse::<tracing::level_filters::LevelFilter>().is_ok();
        if !is_level && level.split(',').any(|part| !part.contains('=')) {
            return Err(InvalidLogLevel { given: text.to_owned() });
        }
        // Our own crates at the asked level; libraries only when something is wrong, unless asked for by name.
        let targets = match (is_level, targets.default_level()) {
            (true, Some(ours)) => Targets::new()
                .with_target("sidecar", ours)
                .with_target("access", ours)
                .with_default(ours.min(tracing::level_filters::LevelFilter::WARN)),
            _ => targets,
        };
        Ok(Self(targets))
    }
}

/// The logging flags that every program has; flatten them into the program's own arguments.
#[derive(Clone, Debug, clap::Args)]
pub struct LogArgs {
    /// How log lines are written on standard error.
    #[arg(long, global = true, value_enum, default_value_t, env = "LOG_FORMAT")]
    pub log_format: LogFormat,
    /// What is logged: trace, debug, info, warning, error, off, or target=level pairs, comma separated.
    #[arg(long, global = true, default_value = "info", env = "LOG_LEVEL")]
    pub log_level: LogLevel,
}

impl LogArgs {
    /// Starts logging for the whole process: each line is written before the program goes on, and waits for whoever
    /// reads standard error. A second call changes nothing.
    pub fn start(&self) {
        self.install(std::io::stderr);
    }

    /// Starts logging for a process that serves: lines are written by a thread of their own, so that nobody waits for
    /// whoever reads standard error. If it is not read, lines are dropped, and the log says how many.
    ///
    /// Keep the result until the end of the process: dropped, it writes what is left. A second call changes nothing.
    #[cfg(feature = "server")]
    pub fn start_queued(&self) -> crate::log_queue::Flush {
        use crate::log_queue::{Flush, LogQueue};
        let report = |lines| tracing::warn!(lines, "standard error was not read in time; log lines were dropped");
        match LogQueue::start(std::io::stderr(), report) {
            Ok(queue) => {
                self.install(queue.clone());
                Flush(Some(queue))
            }
            Err(error) => {
                self.start();
                tracing::warn!(%error, "no thread to write the log; whoever logs waits for whoever reads it");
                Flush(None)
            }
        }
    }

    fn install(&self, writer: impl for<'w> format::MakeWriter<'w> + Send + Sync + 'static) {
        let layer = match self.log_format {
            LogFormat::Text => format::layer().with_ansi(std::io::stderr().is_terminal()).with_writer(writer).boxed(),
            LogFormat::Json => format::layer().json().flatten_event(true).with_writer(writer).boxed(),
        };
        // Fails only when a subscriber is installed already, as in a test that starts two programs.
        let _ = tracing_subscriber::registry().with(layer.with_filter(self.log_level.0.clone())).try_init();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    #[test]
    fn a_level_is_loud_for_us_and_quiet_for_libraries() {
        let LogLevel(targets) = "debug".parse().unwrap();
        assert!(targets.would_enable("sidecar_proxy::relay", &Level::DEBUG));
        assert!(targets.would_enable("access", &Level::INFO));
        assert!(!targets.would_enable("hyper", &Level::INFO));
        assert!(targets.would_enable("hyper", &Level::WARN));
    }

    #[test]
    fn envoy_spellings_are_understood() {
        let LogLevel(targets) = "warning".parse().unwrap();
        assert!(!targets.would_enable("sidecar_proxy", &Level::INFO));
        assert!(targets.would_enable("sidecar_proxy", &Level::WARN));
        let LogLevel(targets) = "off".parse().unwrap();
        assert!(!targets.would_enable("sidecar_proxy", &Level::ERROR));
    }

    #[test]
    fn targets_can_be_set_one_by_one() {
        let LogLevel(targets) = "hyper=trace,sidecar=error".parse().unwrap();
        assert!(targets.would_enable("hyper::proto", &Level::TRACE));
        assert!(!targets.would_enable("sidecar_proxy", &Level::WARN));
    }

    #[test]
    fn a_word_that_is_no_level_is_refused_by_name() {
        for given in ["loud", "info,", "info,loud", "sidecar=loud"] {
            let error = given.parse::<LogLevel>().unwrap_err();
            assert!(error.to_string().contains(given), "{error}");
        }
    }
}
