//! The init container's program: settings, rules, done.

use std::process::ExitCode;

use sidecar_init::apply;
use sidecar_init::cli::{self, Cli};
use sidecar_process::exit;

fn main() -> ExitCode {
    let cli = match Cli::from_arguments(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => {
            // Nobody is left to tell when the terminal is gone.
            let _ = error.print();
            return if error.use_stderr() { cli::USAGE } else { exit::DONE }.into();
        }
    };
    cli.log().start();
    let settings = match cli.settings() {
        Ok(settings) => settings,
        Err(mistakes) => {
            report(&mistakes.to_string());
            return if mistakes.is_usage() { cli::USAGE } else { exit::FAILED }.into();
        }
    };
    match apply::run(&settings) {
        Ok(()) => exit::DONE.into(),
        Err(error) => {
            report(&format!("{:#}", anyhow::Error::from(error)));
            exit::FAILED.into()
        }
    }
}

/// One event a line, and one line a mistake.
fn report(error: &str) {
    for line in error.lines() {
        tracing::error!("{line}");
    }
}
