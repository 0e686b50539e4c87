//! The init container's program: settings, rules, done.

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use sidecar_init::apply;
use sidecar_init::cli::{self, Cli};
use sidecar_init::probe::{self, Trial};
use sidecar_init::redirect::rule_sets;
use sidecar_init::settings::Settings;
use sidecar_init::show::Show;
use sidecar_init::subcommand::{self, Subcommand};
use sidecar_process::exit;

fn main() -> ExitCode {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    match subcommand::take(&mut arguments) {
        None => match Cli::from_arguments(arguments) {
            Ok(cli) => redirect(cli),
            Err(error) => not_understood(&error),
        },
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

fn redirect(cli: Cli) -> ExitCode {
    cli.log().start();
    let settings = match cli.settings() {
        Ok(settings) => settings,
        Err(mistakes) => {
            report(&mistakes.to_string());
            return if mistakes.is_usage() { cli::USAGE } else { exit::FAILED }.into();
        }
    };
    if !settings.skip_rule_apply
        && let Err(error) = apply::run(&settings)
    {
        return ended(Err(error), exit::FAILED);
    }
    if settings.run_validation && !settings.dry_run { validate(&settings) } else { exit::DONE.into() }
}

fn validate(settings: &Settings) -> ExitCode {
    let families = match apply::families(settings) {
        Ok(families) => families,
        Err(error) => return ended(Err(error), exit::FAILED),
    };
    let rules: Vec<_> = families.iter().flat_map(|family| rule_sets(&settings.capture, *family)).collect();
    let Settings { capture, probe_port, probe_timeout, .. } = settings;
    let trial = Trial { capture, rules: &rules, probe_port: *probe_port, timeout: *probe_timeout };
    ended(probe::run(&trial), cli::NOT_VALID)
}

/// Prints what is wrong with the command line, or what it asks for.
fn not_understood(error: &clap::Error) -> ExitCode {
    // Nobody is left to tell when the terminal is gone.
    let _ = error.print();
    if error.use_stderr() { cli::USAGE } else { exit::DONE }.into()
}

fn ended(result: Result<(), impl Into<anyhow::Error>>, failed: u8) -> ExitCode {
    match result {
        Ok(()) => exit::DONE.into(),
        Err(error) => {
            report(&format!("{:#}", error.into()));
            failed.into()
        }
    }
}

/// One event a line, and one line a mistake.
fn report(error: &str) {
    for line in error.lines() {
        tracing::error!("{line}");
    }
}
