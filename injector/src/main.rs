//! The sidecar injector's program.

use std::process::ExitCode;

use clap::Parser;
use sidecar_injector::cli::{Cli, Command, Failure, printable};
use sidecar_process::exit;

fn main() -> ExitCode {
    let Cli { command, log } = Cli::parse();
    log.start();
    let done = match command {
        Command::KubeInject(kube_inject) => kube_inject.run(),
        Command::Serve(serve) => serve.run(),
        Command::Certificate(certificate) => certificate.run(),
    };
    match done {
        Ok(()) => exit::DONE.into(),
        Err(Failure { messages }) => {
            for message in messages {
                #[expect(clippy::print_stderr, reason = "what went wrong is for the person who called, not for a log")]
                {
                    eprintln!("error: {}", printable(&message));
                }
            }
            exit::FAILED.into()
        }
    }
}
