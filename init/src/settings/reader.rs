//! Looks settings up, on the command line first and then in the environment, and collects every mistake.

use std::fmt;

use crate::value::Invalid;

/// Looks up an environment variable: the process's own at the edge, a table in tests.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Everything that is wrong with the settings, one mistake a line.
#[derive(Debug, thiserror::Error)]
#[error("{}", lines(.0))]
pub struct Mistakes(Vec<Mistake>);

/// One thing that is wrong, and where.
#[derive(Debug, PartialEq, Eq)]
struct Mistake {
    source: Source,
    problem: Problem,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    Flag(&'static str),
    FlagByVariable(&'static str, String),
    Variable(String),
}

#[derive(Debug, PartialEq, Eq)]
enum Problem {
    Invalid(Invalid),
    NotSupported,
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
        let Some(Given { text, source }) = given else { return default };
        match parse(&text) {
            Ok(value) => value,
            Err(wrong) => {
                self.mistakes.extend(
                    wrong
                        .into_iter()
                        .map(|invalid| Mistake { source: source.clone(), problem: Problem::Invalid(invalid) }),
                );
                default
            }
        }
    }

    /// Refuses a setting that asks for something this program does not do. `asks` tells whether a value does. Returns
    /// whether the setting was refused.
    pub(super) fn refuse(&mut self, given: Option<Given>, asks: impl FnOnce(&str) -> Result<bool, Invalid>) -> bool {
        let Some(Given { text, source }) = given else { return false };
        let problem = match asks(&text) {
            Ok(false) => return false,
            Ok(true) => Problem::NotSupported,
            Err(invalid) => Problem::Invalid(invalid),
        };
        self.mistakes.push(Mistake { source, problem });
        true
    }

    /// The value that was read from all settings, unless there was a mistake in any.
    pub(super) fn finish<T>(self, value: T) -> Result<T, Mistakes> {
        if self.mistakes.is_empty() { Ok(value) } else { Err(Mistakes(self.mistakes)) }
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
            Problem::NotSupported => f.write_str("not supported yet; leave it out"),
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
