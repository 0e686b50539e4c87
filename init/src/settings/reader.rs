//! Looks settings up, on the command line first and then in the environment, and collects every mistake.

use std::fmt;
use std::io;
use std::net::IpAddr;

use crate::resolv_conf;
use crate::value::{self, Invalid};

/// Looks up an environment variable: the process's own at the edge, a table in tests.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Reads `/etc/resolv.conf`: the file at the edge, a text in tests. Called at most once, and only if it decides.
pub type ResolvConf<'a> = &'a dyn Fn() -> io::Result<String>;

/// Everything that is wrong with the settings, one mistake a line.
#[derive(Debug, thiserror::Error)]
#[error("{}", lines(.0))]
pub struct Mistakes(Vec<Mistake>);

/// One thing that is wrong, and where.
#[derive(Debug)]
struct Mistake {
    source: Source,
    problem: Problem,
    /// Whether istio-iptables finds it when it reads the command line, before it looks at anything else.
    is_usage: bool,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    Flag(&'static str),
    FlagByVariable(&'static str, String),
    Variable(String),
}

#[derive(Debug)]
enum Problem {
    Invalid(Invalid),
    Contradiction(&'static str),
    NoResolvConf(io::Error),
}

pub(super) struct Reader<'a> {
    environment: Environment<'a>,
    mistakes: Vec<Mistake>,
}

/// A value that was given, and where.
pub(super) struct Given {
    text: String,
    source: Source,
}

impl<'a> Reader<'a> {
    pub(super) fn new(environment: Environment<'a>) -> Self {
        Self { environment, mistakes: Vec::new() }
    }

    /// A flag that is also an environment variable: its name in capitals, with `_` for `-`.
    pub(super) fn flag(&self, flag: &'static str, on_command_line: Option<String>) -> Option<Given> {
        let variable = flag.to_ascii_uppercase().replace('-', "_");
        self.command_line_only(flag, on_command_line).or_else(|| self.by_variable(flag, variable))
    }

    /// Like [`Reader::flag`], with a second variable that wins over the first.
    pub(super) fn aliased(&self, flag: &'static str, alias: &str, on_command_line: Option<String>) -> Option<Given> {
        match on_command_line {
            None => self.by_variable(flag, alias.to_owned()).or_else(|| self.flag(flag, None)),
            given => self.flag(flag, given),
        }
    }

    /// A flag without an environment variable.
    pub(super) fn command_line_only(&self, flag: &'static str, on_command_line: Option<String>) -> Option<Given> {
        on_command_line.map(|text| Given { text, source: Source::Flag(flag) })
    }

    /// An environment variable without a flag. Set but empty counts as given.
    pub(super) fn variable(&self, variable: &str) -> Option<Given> {
        let text = (self.environment)(variable)?;
        Some(Given { text, source: Source::Variable(variable.to_owned()) })
    }

    fn by_variable(&self, flag: &'static str, variable: String) -> Option<Given> {
        // A pod template that leaves a value blank means the default, not a mistake.
        let text = (self.environment)(&variable).filter(|text| !text.is_empty())?;
        Some(Given { text, source: Source::FlagByVariable(flag, variable) })
    }

    /// Reads a value; the default stands in for one that was not given or is a mistake.
    pub(super) fn one<T>(
        &mut self,
        given: Option<Given>,
        default: T,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> T {
        self.many(given, default, |text| parse(text).map_err(|invalid| vec![invalid]))
    }

    /// Reads a value in which several things can be wrong at once.
    pub(super) fn many<T>(
        &mut self,
        given: Option<Given>,
        default: T,
        parse: impl FnOnce(&str) -> Result<T, Vec<Invalid>>,
    ) -> T {
        self.read(given, default, parse, false)
    }

    /// Reads a value that istio-iptables takes as a boolean, a number or a span of time, rather than as text.
    pub(super) fn strict<T>(
        &mut self,
        given: Option<Given>,
        default: T,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> T {
        self.read(given, default, |text| parse(text).map_err(|invalid| vec![invalid]), true)
    }

    /// Reads a boolean that is off by default.
    pub(super) fn switch(&mut self, flag: &'static str, on_command_line: Option<String>) -> bool {
        self.strict(self.flag(flag, on_command_line), false, value::boolean)
    }

    /// Reads the name servers of the pod, for a flag that needs them.
    pub(super) fn name_servers(&mut self, flag: &'static str, resolv_conf: ResolvConf<'_>) -> Vec<IpAddr> {
        match resolv_conf() {
            Ok(text) => resolv_conf::servers(&text),
            Err(error) => {
                let problem = Problem::NoResolvConf(error);
                self.mistakes.push(Mistake { source: Source::Flag(flag), problem, is_usage: false });
                vec![]
            }
        }
    }

    /// Notes that a flag cannot be obeyed together with others.
    pub(super) fn contradiction(&mut self, flag: &'static str, why: &'static str) {
        let problem = Problem::Contradiction(why);
        self.mistakes.push(Mistake { source: Source::Flag(flag), problem, is_usage: false });
    }

    fn read<T>(
        &mut self,
        given: Option<Given>,
        default: T,
        parse: impl FnOnce(&str) -> Result<T, Vec<Invalid>>,
        is_strict: bool,
    ) -> T {
        let Some(Given { text, source }) = given else { return default };
        let wrong = match parse(&text) {
            Ok(value) => return value,
            Err(wrong) => wrong,
        };
        let is_usage = is_strict && matches!(source, Source::Flag(_));
        self.mistakes.extend(wrong.into_iter().map(|invalid| Mistake {
            source: source.clone(),
            problem: Problem::Invalid(invalid),
            is_usage,
        }));
        default
    }

    /// The value that was read from all settings, unless there was a mistake in any.
    pub(super) fn finish<T>(self, value: T) -> Result<T, Mistakes> {
        if self.mistakes.is_empty() { Ok(value) } else { Err(Mistakes(self.mistakes)) }
    }
}

impl Mistakes {
    /// Whether any is one for which istio-iptables says that the command line is wrong, rather than that it failed.
    pub fn is_usage(&self) -> bool {
        self.0.iter().any(|mistake| mistake.is_usage)
    }
}

impl Given {
    /// Whether there is any text.
    pub(super) fn is_filled(&self) -> bool {
        !self.text.is_empty()
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.source)?;
        match &self.problem {
            Problem::Invalid(invalid) => write!(f, "{invalid}"),
            Problem::Contradiction(why) => f.write_str(why),
            Problem::NoResolvConf(error) => {
                write!(f, "cannot read /etc/resolv.conf: {error}; name the servers with --dns-servers")
            }
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "--{flag}"),
            Self::FlagByVariable(flag, variable) => write!(f, "--{flag} (environment variable {variable})"),
            Self::Variable(variable) => write!(f, "environment variable {variable}"),
        }
    }
}

fn lines(mistakes: &[Mistake]) -> String {
    mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
