//! The sidecar injector's program.

use std::process::ExitCode;

use clap::Parser;
use sidecar_injector::cli::{Cli, Command, Failure, printable};
use sidecar_process::exit;

fn main() -> ExitCode {
    let Cli { command, log } = Cli::parse();
    // A server goes on whether or not its log is read; the flush writes at the end what is left.
    let _flush = match command {
        Command::Serve(_) => Some(log.start_queued()),
        Command::KubeInject(_) | Command::Uninject(_) | Command::Webhook(_) => {
            log.start();
            None
        }
    };
    let done = match command {
        Command::KubeInject(kube_inject) => kube_inject.run().map(|()| exit::DONE),
        Command::Uninject(uninject) => uninject.run().map(|()| exit::DONE),
        Command::Serve(serve) => serve.run().map(|()| exit::DONE),
        Command::Webhook(webhook) => webhook.run(),
    };
    match done {
        Ok(code) => code.into(),
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
