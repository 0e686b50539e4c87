//! The command line and the environment of the process.
#![expect(clippy::disallowed_methods, reason = "reads the pod's DNS servers where no flag names them")]

use std::ffi::OsString;
use std::io;

use clap::error::ErrorKind;
use clap::{Arg, CommandFactory, FromArgMatches};
use sidecar_contract::container::INIT_FIRST_ARGUMENT;
use sidecar_process::log::{LogArgs, LogFormat, LogLevel};

use crate::flags::Flags;
use crate::settings::{Environment, Mistakes, Settings};
use crate::value::Invalid;
use crate::value::boolean;

/// Where the name servers of a pod are.
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// Exit code for a wrong command line. istio-iptables ends so where programs of ours otherwise end with 2.
pub const USAGE: u8 = 255;

/// Exit code for rules that do not do with traffic what they are for. What repairs pods of a CNI plugin looks for it.
pub const NOT_VALID: u8 = 126;

/// Redirects the traffic of this network namespace to the sidecar's proxy.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "sidecar-init", version, after_help = AFTER_HELP, args_override_self = true)]
pub struct Cli {
    #[command(flatten)]
    flags: Flags,
    #[command(flatten)]
    log: LogArgs,
    #[command(flatten)]
    istio_log: IstioLogFlags,
}

const AFTER_HELP: &str = "\
`sidecar-init show` prints the rules that are there, each with its reason; see `sidecar-init show --help`.
A first argument `istio-iptables` is dropped, so that arguments made for Istio's image work unchanged.

Every flag that says what to do can also be set by an environment variable, whose name is that of the flag in capitals
with _ for -; those marked so cannot. Of the logging flags only those with an [env] can. A second name, which wins over
the first: ISTIO_DUAL_STACK, ISTIO_META_DNS_CAPTURE (--redirect-dns), INVALID_DROP (--drop-invalid).
The command line wins. Without a flag:
  ISTIO_OUTBOUND_OWNER_GROUPS          groups whose outbound connections are redirected; at most 64 [default: *]
  ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE  groups whose outbound connections are not
  ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR    IPv4 destinations that are the pod itself [default: 127.0.0.1/32]
  ENVOY_USER                           the proxy's user where --proxy-uid is not given: an id, or istio-proxy (1337)
  DRY_RUN_FILE_PATH                    file to which --dry-run writes too what it prints

Lists are comma separated. Ports may be ranges such as 8000:8100, and ranges of addresses single addresses. Write the
value of a switch as --switch=false.

Exit codes:
  0    done; also when the rules were there already
  1    failed: a setting is wrong, or the rules could not be written; standard error says why
  126  --run-validation: traffic, rules or routes are not as they should be; standard error says which
  255  the command line is wrong: an unknown flag, or a switch, number or duration that is none";

/// Logging flags of Istio's programs.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Logging flags of Istio")]
struct IstioLogFlags {
    /// Level, or scope:level pairs of which `default` and `all` count; wins over --log-level
    #[arg(long = "log_output_level", value_name = "LEVELS", value_parser = istio_level)]
    level: Option<LogLevel>,
    /// Like --log-format json
    #[arg(long = "log_as_json", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", value_parser = boolean, value_name = "BOOL")]
    as_json: bool,
    /// Accepted, has no effect
    #[arg(long = "log_caller", value_name = "SCOPES")]
    _caller: Option<String>,
    /// Accepted, has no effect: logs are not written to files
    #[arg(long = "log_rotate", value_name = "PATH")]
    _rotate: Option<String>,
    /// Accepted, has no effect
    #[arg(long = "log_rotate_max_age", value_name = "DAYS")]
    _rotate_max_age: Option<String>,
    /// Accepted, has no effect
    #[arg(long = "log_rotate_max_backups", value_name = "COUNT")]
    _rotate_max_backups: Option<String>,
    /// Accepted, has no effect
    #[arg(long = "log_rotate_max_size", value_name = "MEGABYTES")]
    _rotate_max_size: Option<String>,
    /// Accepted, has no effect
    #[arg(long = "log_stacktrace_level", value_name = "LEVELS")]
    _stacktrace_level: Option<String>,
    /// Accepted, has no effect: logs go to standard error
    #[arg(long = "log_target", value_name = "PATHS")]
    _target: Option<String>,
    /// Accepted, has no effect
    #[arg(long = "vklog", value_name = "LEVEL")]
    _vklog: Option<String>,
}

impl Cli {
    /// Reads the arguments of a process, the first of which is its own name.
    ///
    /// # Errors
    /// When the command line is wrong, or asks for help or the version.
    pub fn from_arguments(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let mut arguments = arguments.into_iter().peekable();
        let name = arguments.next().unwrap_or_default();
        arguments.next_if(|first| first == INIT_FIRST_ARGUMENT);
        let arguments: Vec<OsString> = std::iter::once(name).chain(arguments).collect();
        // What follows a flag is its value, as `-1` in `-g -1`: Istio's tool sees it so, and the setting is named then.
        let takes_next = |arg: &Arg| arg.get_action().takes_values() && !arg.is_require_equals_set();
        let mut command =
            Self::command().mut_args(|arg| if takes_next(&arg) { arg.allow_hyphen_values(true) } else { arg });
        if let Some(at) = arguments.iter().position(|argument| argument.to_str().is_none()) {
            let flag = flag_at(&arguments, at);
            return Err(command.error(ErrorKind::InvalidUtf8, format!("the value of {flag} is not UTF-8")));
        }
        let matches = command.try_get_matches_from_mut(arguments)?;
        Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
    }

    /// How to log.
    pub fn log(&self) -> LogArgs {
        let mut log = self.log.clone();
        if self.istio_log.as_json {
            log.log_format = LogFormat::Json;
        }
        if let Some(level) = &self.istio_log.level {
            log.log_level = level.clone();
        }
        log
    }

    /// What to do, with settings from the environment of this process where the command line is silent.
    ///
    /// # Errors
    /// All mistakes together.
    pub fn settings(self) -> Result<Settings, Mistakes> {
        // What is not UTF-8 turns into a value that is refused like any other wrong one.
        let environment = |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
        Settings::read(self.flags, &environment, &|| std::fs::read_to_string(RESOLV_CONF))
    }

    /// Like [`Cli::settings`], with a given environment, in a place without name servers.
    ///
    /// # Errors
    /// All mistakes together.
    pub fn settings_with(self, environment: Environment<'_>) -> Result<Settings, Mistakes> {
        Settings::read(self.flags, environment, &|| Err(io::ErrorKind::NotFound.into()))
    }
}

/// Whether `arguments` ask for a report for programs, also where they ask for something else that is wrong.
pub fn asks_for_json(arguments: &[OsString]) -> bool {
    let mut is_json = false;
    let mut words = arguments.iter().filter_map(|word| word.to_str());
    while let Some(word) = words.next() {
        let format = if word == "--output" { words.next() } else { word.strip_prefix("--output=") };
        is_json = format.map_or(is_json, |format| format == "json");
    }
    is_json
}

/// What is wrong with the command line, without how it would be right.
pub fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

/// The flag that the argument at this place is, or is the value of.
fn flag_at(arguments: &[OsString], at: usize) -> String {
    let text = |at: usize| arguments.get(at).map(|argument| argument.to_string_lossy()).unwrap_or_default();
    let is_flag = |text: &str| text.starts_with('-');
    let argument = text(at);
    if is_flag(&argument) {
        return argument.split('=').next().unwrap_or_default().to_owned();
    }
    let before = text(at.saturating_sub(1));
    if is_flag(&before) { before.into_owned() } else { format!("argument {at}") }
}

#[cfg(test)]
impl Cli {
    /// The flags among arguments that follow the name of the program.
    pub(crate) fn flags_of(arguments: &[&str]) -> Flags {
        Self::from_arguments(["sidecar-init"].iter().chain(arguments).map(Into::into)).unwrap().flags
    }
}

/// Reads `info`, and `default:debug,ads:info`. Scopes are parts of Istio's programs; the default stands for all of ours.
fn istio_level(text: &str) -> Result<LogLevel, Invalid> {
    let mut chosen = "info";
    for item in text.split(',') {
        let (scope, level) = item.split_once(':').unwrap_or(("default", item));
        let level = match level {
            "none" => "off",
            "fatal" => "error",
            "error" | "warn" | "info" | "debug" => level,
            _ => return Err(Invalid::new(text, "a log level; use none, error, warn, info or debug")),
        };
        if matches!(scope, "default" | "all") {
            chosen = level;
        }
    }
    chosen.parse().map_err(|_| Invalid::new(text, "a log level"))
}

#[cfg(test)]
mod tests;
