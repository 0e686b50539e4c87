//! The init container's program: settings, rules, done.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use sidecar_init::cli::{self, Cli};
use sidecar_init::probe;
use sidecar_init::redirect::rule_sets;
use sidecar_init::report::Report;
use sidecar_init::rule::RuleSet;
use sidecar_init::settings::{Families, Output, Settings};
use sidecar_init::show::Show;
use sidecar_init::subcommand::{self, Subcommand};
use sidecar_init::{apply, dry_run, namespace, termination, trial};
use sidecar_process::exit;

fn main() -> ExitCode {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    match subcommand::take(&mut arguments) {
        None => {
            let is_json = cli::asks_for_json(&arguments);
            match Cli::from_arguments(arguments) {
                Ok(cli) => redirect(cli, is_json),
                Err(error) => {
                    if is_json && error.use_stderr() {
                        print_in_vain(&cli::first_line(&error));
                    }
                    not_understood(&error)
                }
            }
        }
        Some(Subcommand::Show) => match Show::from_arguments(arguments) {
            Ok(show) => {
                show.log().start();
                ended(show.run(), exit::FAILED)
            }
            Err(error) => not_understood(&error),
        },
        Some(Subcommand::Probe) => ended(probe::serve(io::stdin().lock(), io::stdout()), exit::FAILED),
    }
}

fn redirect(cli: Cli, is_json: bool) -> ExitCode {
    cli.log().start();
    let settings = match cli.settings() {
        Ok(settings) => settings,
        Err(mistakes) => {
            if is_json {
                print_in_vain(&mistakes.to_string());
            }
            return failed(&mistakes.to_string(), if mistakes.is_usage() { cli::USAGE } else { exit::FAILED });
        }
    };
    let mut report = Report { warnings: settings.warnings.clone(), ..Report::default() };
    report.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    let done = run(&settings, &mut report).map_err(|(error, code)| (format!("{error:#}"), code));
    if settings.output == Output::Json && !settings.dry_run {
        let error = done.as_ref().err().map(|(error, _)| &**error);
        // A failure that came before is the one to be told.
        if let Err(error) = print(&report, error)
            && done.is_ok()
        {
            return failed(&format!("{error:#}"), exit::FAILED);
        }
    }
    match done {
        Ok(()) => exit::DONE.into(),
        Err((error, code)) => failed(&error, code),
    }
}

/// What the settings ask for. An error comes with the exit code.
fn run(settings: &Settings, report: &mut Report) -> Result<(), (anyhow::Error, u8)> {
    let failed = |error| (error, exit::FAILED);
    // A dry run for given families looks at nothing.
    let is_blind = settings.dry_run && settings.families != Families::Auto;
    if let Some(path) = settings.network_namespace.as_ref().filter(|_| !is_blind) {
        namespace::enter(path).map_err(|error| failed(error.into()))?;
    }
    if settings.dry_run {
        return print_rules(settings).map_err(failed);
    }
    let applied = apply::run(settings, report);
    report.log();
    applied.map_err(|error| failed(error.into()))?;
    if settings.run_validation {
        trial::run(settings, report).map_err(|error| {
            let code = if error.is_about_rules() { cli::NOT_VALID } else { exit::FAILED };
            (error.into(), code)
        })?;
    }
    Ok(())
}

fn print_rules(settings: &Settings) -> anyhow::Result<()> {
    Ok(dry_run::print(&wanted(settings)?, settings.native_nftables, settings.dry_run_file.as_deref())?)
}

fn wanted(settings: &Settings) -> Result<Vec<RuleSet>, apply::Error> {
    let families = apply::families(settings)?;
    Ok(families.iter().flat_map(|family| rule_sets(&settings.capture, *family)).collect())
}

/// The report as one JSON object on standard output.
fn print(report: &Report, error: Option<&str>) -> anyhow::Result<()> {
    writeln!(io::stdout(), "{}", report.json(error)).context("cannot print the report on standard output")
}

/// The report of a run that has not begun. That it cannot be printed is less than what is told then.
fn print_in_vain(error: &str) {
    if let Err(error) = print(&Report::default(), Some(error)) {
        tracing::debug!("{error:#}");
    }
}

/// Prints what is wrong with the command line, or what it asks for.
fn not_understood(error: &clap::Error) -> ExitCode {
    // Nobody is left to tell when the terminal is gone.
    let _ = error.print();
    if !error.use_stderr() {
        return exit::DONE.into();
    }
    termination::leave(Path::new(termination::LOG), &cli::first_line(error));
    cli::USAGE.into()
}

fn ended(result: Result<(), impl Into<anyhow::Error>>, code: u8) -> ExitCode {
    match result {
        Ok(()) => exit::DONE.into(),
        Err(error) => failed(&format!("{:#}", error.into()), code),
    }
}

/// Says why, one event a line, and one line a mistake.
fn failed(reason: &str, code: u8) -> ExitCode {
    reason.lines().for_each(|line| tracing::error!("{line}"));
    termination::leave(Path::new(termination::LOG), reason);
    code.into()
}
