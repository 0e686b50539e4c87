//! The init container's program: settings, rules, done.

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use sidecar_init::cli::{self, Cli};
use sidecar_init::show::Show;
use sidecar_init::subcommand::{self, Subcommand};
use sidecar_init::{apply, probe};
use sidecar_process::exit;

fn main() -> ExitCode {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    match subcommand::take(&mut arguments) {
        None => redirect(arguments),
        Some(Subcommand::Show) => show(arguments),
        Some(Subcommand::Probe) => ended(probe::serve(io::stdin().lock(), io::stdout()).map_err(Into::into)),
    }
}

fn redirect(arguments: Vec<OsString>) -> ExitCode {
    match Cli::from_arguments(arguments) {
        Ok(cli) => {
            cli.log().start();
            ended(apply_all(cli))
        }
        Err(error) => not_understood(&error),
    }
}

fn show(arguments: Vec<OsString>) -> ExitCode {
    match Show::from_arguments(arguments) {
        Ok(show) => {
            show.log().start();
            ended(show.run().map_err(Into::into))
        }
        Err(error) => not_understood(&error),
    }
}

fn apply_all(cli: Cli) -> anyhow::Result<()> {
    let settings = cli.settings()?;
    apply::run(&settings)?;
    Ok(())
}

/// Prints what is wrong with the command line, or what it asks for.
fn not_understood(error: &clap::Error) -> ExitCode {
    // Nobody is left to tell when the terminal is gone.
    let _ = error.print();
    if error.use_stderr() { cli::USAGE } else { exit::DONE }.into()
}

fn ended(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => exit::DONE.into(),
        Err(error) => {
            // One event a line, and one line a mistake.
            for line in format!("{error:#}").lines() {
                tracing::error!("{line}");
            }
            exit::FAILED.into()
        }
    }
}
