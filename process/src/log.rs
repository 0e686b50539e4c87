//! Logging to standard error, one line an event. Standard output is for results.

use std::fmt;
use std::str::FromStr;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt as format};

/// The target of access lines: one a connection or request, at level info, whatever the level of the log is.
pub const ACCESS: &str = "access";

/// The target of spans that are collected as traces and never logged.
pub const TRACES: &str = "traces";

/// Something that collects spans, beside the log.
pub type SpanLayer = Box<dyn Layer<Registry> + Send + Sync>;

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

/// Which events are logged: a level for our own crates, `target=level` pairs, or both, comma separated.
///
/// Without a level ours is `info`; libraries only say when something is wrong, unless asked for by name. The target
/// [`ACCESS`] is not concerned by a level: a program that logs access has a flag for that. Accepts Envoy's spellings
/// too (`warning`, `critical`), since Istio's annotations use them.
#[derive(Clone, Debug, PartialEq)]
pub struct LogLevel(Targets);

/// A log level that could not be read.
#[derive(Debug, thiserror::Error)]
#[error(
    "not a log level: `{given}`; use one of trace, debug, info, warning, error and off, target=level pairs, or both, \
     comma separated"
)]
pub struct InvalidLogLevel {
    given: String,
}

impl FromStr for LogLevel {
    type Err = InvalidLogLevel;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidLogLevel { given: text.to_owned() };
        // To the parser, nothing at all is a level.
        let level = |word: &str| match word.parse::<LevelFilter>() {
            Ok(level) if !word.is_empty() => Ok(level),
            _ => Err(invalid()),
        };
        let mut ours = None;
        let mut by_name = Vec::new();
        for part in text.split(',') {
            match part.split_once('=') {
                Some((target, word)) if !target.is_empty() => by_name.push((target, level(envoy_spelling(word))?)),
                // A second level, or one for a target without a name, is a mistake.
                Some(_) => return Err(invalid()),
                None if ours.is_some() => return Err(invalid()),
                None => ours = Some(level(envoy_spelling(part))?),
            }
        }
        let ours = ours.unwrap_or(LevelFilter::INFO);
        let targets = Targets::new()
            .with_target("sidecar", ours)
            .with_target(ACCESS, LevelFilter::INFO)
            .with_default(ours.min(LevelFilter::WARN));
        Ok(Self(targets.with_targets(by_name)))
    }
}

impl LogLevel {
    fn passing_over(&self, passed_over: &[&str]) -> Targets {
        let is_named = |target: &str| self.0.iter().any(|(named, _)| target.starts_with(named));
        let quiet = passed_over.iter().filter(|target| !is_named(target));
        self.0.clone().with_targets(quiet.map(|target| (*target, LevelFilter::OFF)))
    }
}

fn envoy_spelling(level: &str) -> &str {
    match level {
        "warning" => "warn",
        "critical" => "error",
        other => other,
    }
}

/// The logging flags that every program has; flatten them into the program's own arguments.
#[derive(Clone, Debug, clap::Args)]
pub struct LogArgs {
    /// How log lines are written on standard error.
    #[arg(long, global = true, value_enum, default_value_t, env = "SIDECAR_LOG_FORMAT", help_heading = "Logging")]
    pub log_format: LogFormat,
    /// What is logged: trace, debug, info, warning, error, off, target=level pairs, or both, comma separated.
    #[arg(long, global = true, default_value = "info", env = "SIDECAR_LOG_LEVEL", help_heading = "Logging")]
    pub log_level: LogLevel,
    /// Targets of libraries that are not logged unless `log_level` names them, because the program says the same better.
    #[arg(skip)]
    pub passed_over: Vec<&'static str>,
}

impl LogArgs {
    /// Starts logging for the whole process: each line is written before the program goes on, and waits for whoever
    /// reads standard error. A second call changes nothing.
    pub fn start(&self) {
        self.install(std::io::stderr, None);
    }

    /// Starts logging for a process that serves: lines are written by a thread of their own, so that nobody waits for
    /// whoever reads standard error. If it is not read, lines are dropped, and the log says how many.
    ///
    /// Keep the result until the end of the process: dropped, it writes what is left. A second call changes nothing.
    #[cfg(feature = "server")]
    pub fn start_queued(&self) -> crate::log_queue::Flush {
        self.start_queued_with(None)
    }

    /// [`LogArgs::start_queued`], with something that collects spans. It filters for itself: the log's level is not its.
    #[cfg(feature = "server")]
    pub fn start_queued_with(&self, spans: Option<SpanLayer>) -> crate::log_queue::Flush {
        use crate::log_queue::{Flush, LogQueue};
        let report = |lines| tracing::warn!(lines, "standard error was not read in time; log lines were dropped");
        match LogQueue::start(std::io::stderr(), report) {
            Ok(queue) => {
                self.install(queue.clone(), spans);
                Flush(Some(queue))
            }
            Err(error) => {
                self.install(std::io::stderr, spans);
                tracing::warn!(%error, "no thread to write the log; whoever logs waits for whoever reads it");
                Flush(None)
            }
        }
    }

    fn install(&self, writer: impl for<'w> format::MakeWriter<'w> + Send + Sync + 'static, spans: Option<SpanLayer>) {
        let layer = match self.log_format {
            LogFormat::Text => format::layer().with_ansi(false).with_writer(writer).boxed(),
            LogFormat::Json => format::layer().json().flatten_event(true).with_writer(writer).boxed(),
        };
        // Fails only when a subscriber is installed already, as in a test that starts two programs.
        let filter = self.log_level.passing_over(&self.passed_over);
        let _ = tracing_subscriber::registry().with(spans).with(layer.with_filter(filter)).try_init();
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
        assert!(!targets.would_enable("hyper", &Level::INFO));
        assert!(targets.would_enable("hyper", &Level::WARN));
    }

    #[test]
    fn envoy_spellings_are_understood() {
        let LogLevel(targets) = "warning".parse().unwrap();
        assert!(!targets.would_enable("sidecar_proxy", &Level::INFO));
        assert!(targets.would_enable("sidecar_proxy", &Level::WARN));
        assert!(targets.would_enable(ACCESS, &Level::INFO), "access lines are not a matter of level");
        let LogLevel(targets) = "off".parse().unwrap();
        assert!(!targets.would_enable("sidecar_proxy", &Level::ERROR));
    }

    #[test]
    fn targets_can_be_set_one_by_one() {
        let LogLevel(targets) = "hyper=trace,sidecar=error".parse().unwrap();
        assert!(targets.would_enable("hyper::proto", &Level::TRACE));
        assert!(!targets.would_enable("sidecar_proxy", &Level::WARN));
        let LogLevel(targets) = "hyper=debug".parse().unwrap();
        assert!(targets.would_enable("hyper::proto", &Level::DEBUG));
        assert!(targets.would_enable("sidecar_proxy", &Level::INFO), "ours are not switched off");
    }

    #[test]
    fn a_level_among_targets_is_for_us() {
        for given in ["debug,hyper=trace", "hyper=trace,debug"] {
            let LogLevel(targets) = given.parse().unwrap();
            assert!(targets.would_enable("hyper::proto", &Level::TRACE), "{given}");
            assert!(targets.would_enable("sidecar_proxy", &Level::DEBUG), "{given}");
            assert!(!targets.would_enable("tower", &Level::INFO), "{given}");
        }
    }

    #[test]
    fn what_is_passed_over_is_logged_when_it_is_named() {
        let is_logged = |given: &str| {
            let level: LogLevel = given.parse().unwrap();
            level.passing_over(&["hyper_util"]).would_enable("hyper_util::client", &Level::WARN)
        };
        assert!(!is_logged("info") && !is_logged("trace") && !is_logged("info,tower=debug"));
        assert!(is_logged("hyper_util=warn") && is_logged("hyper=warn") && is_logged("hyper_util::client=debug"));
    }

    #[test]
    fn a_word_that_is_no_level_is_refused_by_name() {
        for given in ["loud", "", "info,", "info,loud", "info,debug", "sidecar=loud", "=info"] {
            let error = given.parse::<LogLevel>().unwrap_err();
            assert!(error.to_string().contains(given), "{error}");
        }
    }
}
