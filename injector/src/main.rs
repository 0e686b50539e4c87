//! The sidecar injector's program.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use sidecar_injector::cli::serve::Serve;
use sidecar_injector::cli::{Cli, Command, Failure, printable};
use sidecar_process::exit;
use sidecar_process::log::SpanLayer;

/// What watches and requests meet is said once by whoever makes them; these say it at every attempt.
const PASSED_OVER: [&str; 2] = ["kube_runtime", "kube_client::client"];

fn main() -> ExitCode {
    let Cli { command, mut log } = Cli::parse();
    log.passed_over = PASSED_OVER.to_vec();
    // A server goes on whether or not its log is read; what is left is written at the end, the log last.
    let _flush = match &command {
        Command::Serve(serve) => match traces(serve) {
            Ok((layer, traces)) => Some((traces, log.start_queued_with(layer))),
            Err(failure) => return fail(failure),
        },
        _ => {
            log.start();
            None
        }
    };
    let done = match command {
        Command::KubeInject(kube_inject) => kube_inject.run(),
        Command::Uninject(uninject) => Ok(uninject.run()),
        Command::Check(check) => check.run(),
        Command::Config(config) => config.run(),
        Command::Serve(serve) => serve.run().map(|()| exit::DONE),
        Command::Webhook(webhook) => webhook.run(),
        Command::Completion(completion) => completion.run().map(|()| exit::DONE),
        Command::Man(man) => man.run().map(|()| exit::DONE),
    };
    match done {
        Ok(code) => code.into(),
        Err(failure) => fail(failure),
    }
}

#[cfg(feature = "otlp")]
type Traces = (Option<SpanLayer>, Option<sidecar_injector::traces::Flush>);
#[cfg(not(feature = "otlp"))]
type Traces = (Option<SpanLayer>, ());

#[cfg(feature = "otlp")]
fn traces(serve: &Serve) -> Result<Traces, Failure> {
    let Some(endpoint) = &serve.otlp_endpoint else { return Ok((None, None)) };
    let (layer, flush) = sidecar_injector::traces::layer(endpoint).map_err(|error| Failure::of(&error))?;
    Ok((Some(layer), Some(flush)))
}

#[cfg(not(feature = "otlp"))]
fn traces(_serve: &Serve) -> Result<Traces, Failure> {
    Ok((None, ()))
}

fn fail(Failure { messages }: Failure) -> ExitCode {
    // What went wrong is for the person who called, not for a log. That it cannot be said is told by the exit code.
    let mut stderr = io::stderr().lock();
    for message in messages {
        let _ = writeln!(stderr, "error: {}", printable(&message));
    }
    exit::FAILED.into()
}
