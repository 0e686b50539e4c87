//! The program: bind, serve, wait for a signal, drain.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;
use sidecar_contract::identity::{PROXY_GID, PROXY_UID};
use sidecar_process::drain::Drained;
use sidecar_process::exit;
use sidecar_process::signal::Termination;
use sidecar_proxy::args::Args;
use sidecar_proxy::original_destination::Netfilter;
use sidecar_proxy::proxy;

fn main() -> ExitCode {
    let args = Args::parse();
    let _flush = args.log.start_queued();
    match run(&args) {
        Ok(()) => ExitCode::from(exit::DONE),
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::from(exit::FAILED)
        }
    }
}

fn run(args: &Args) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no event queue")?;
    runtime.block_on(async {
        let mut termination = Termination::listen().context("cannot listen for signals")?;
        warn_if_not_exempt();
        let bound = proxy::bind(args.settings(), Arc::new(Netfilter))?;
        for listening in bound.listening() {
            tracing::info!(listener = listening.purpose.name(), address = %listening.address, "listening");
        }
        let mut running = bound.serve().await?;
        let signal = tokio::select! {
            signal = termination.wait() => signal,
            failure = running.failed() => return Err(failure.into()),
        };
        tracing::info!(signal, "draining");
        tokio::select! {
            drained = running.drain() => match drained {
                Drained::Finished => tracing::info!("drained: every connection had ended"),
                Drained::Forced(connections) => tracing::warn!(connections, "drained: cut what was open at the deadline"),
            },
            signal = termination.wait() => tracing::warn!(signal, "ending at once"),
        }
        Ok(())
    })
}

/// The redirection rules let only this user or group pass. Under another, what the proxy dials comes back to it.
fn warn_if_not_exempt() {
    let (uid, gid) = (nix::unistd::geteuid().as_raw(), nix::unistd::getegid().as_raw());
    if uid != PROXY_UID && gid != PROXY_GID {
        tracing::warn!(
            uid,
            gid,
            "not running as user or group {PROXY_UID}: where traffic is redirected, the proxy will catch its own"
        );
    }
}
