//! `config lint`: what is wrong in a configuration.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;
use sidecar_process::exit;

use super::{WARNED, written};
use crate::cli::{ConfigArgs, Failure, printable, write_out};
use crate::lint::{Problem, Severity, lint};

/// Flags of `config lint`.
#[derive(Debug, Args)]
pub struct Lint {
    /// Manifest with the ConfigMaps that have the keys config, values and mesh, of one revision or of several; `-` for
    /// standard input. What it lacks can be given by the flags for files.
    #[arg(short, long, value_name = "FILE")]
    pub filename: Vec<PathBuf>,
    /// How to print the problems.
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: ProblemFormat,
    /// Exit with 4 when there are warnings.
    #[arg(long)]
    pub strict: bool,
    /// Where the configuration comes from, without ConfigMaps.
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// How problems are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProblemFormat {
    /// For people: file, line and column, and what is there.
    Text,
    /// For machines: one object with all problems.
    Json,
}

/// All of them as JSON.
#[derive(Serialize)]
struct Report<'a> {
    errors: usize,
    warnings: usize,
    problems: &'a [Problem],
}

impl Lint {
    pub(super) fn run(&self) -> Result<u8, Failure> {
        let Self { filename, output, strict, config } = self;
        let mut problems = Vec::new();
        for configured in written(filename, config)? {
            // Revisions may share a text.
            let found = lint(&configured.files, &config.settings());
            problems.extend(found.into_iter().filter(|problem| !problems.contains(problem)).collect::<Vec<_>>());
        }
        let count = |severity| problems.iter().filter(|problem| problem.severity == severity).count();
        let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
        let mut text = Vec::new();
        match output {
            ProblemFormat::Text => {
                for problem in &problems {
                    text.extend_from_slice(printable(&problem.to_string()).as_bytes());
                    text.push(b'\n');
                }
            }
            ProblemFormat::Json => {
                let report = Report { errors, warnings, problems: &problems };
                text = serde_json::to_vec_pretty(&report).map_err(|error| Failure::of(&error))?;
                text.push(b'\n');
            }
        }
        write_out(&text)?;
        let many = |number: usize, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
        let _ = writeln!(io::stderr(), "{}, {}", many(errors, "error"), many(warnings, "warning"));
        Ok(match (errors, warnings) {
            (1.., _) => exit::FAILED,
            (0, 1..) if *strict => WARNED,
            _ => exit::DONE,
        })
    }
}
