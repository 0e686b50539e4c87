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
    match run(cli) {
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

fn run(cli: Cli) -> anyhow::Result<()> {
    let settings = cli.settings()?;
    apply::run(&settings)?;
    Ok(())
}
