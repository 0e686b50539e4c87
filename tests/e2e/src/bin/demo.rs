//! Injects a manifest, runs it as a pod of network namespaces, and shows its traffic pass the sidecar. Needs root.

use std::env;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use anyhow::{Context, Result};
use sidecar_e2e::demo::Demo;
use sidecar_e2e::error::Error;
use signal_hook::consts::{SIGINT, SIGTERM};

const USAGE: &str = "\
usage: demo [--stay] FILE

Injects the workload in FILE, runs it in network namespaces of its own, and shows what its sidecar does.
With --stay all is kept up at the end, to look around in, until Ctrl-C. Nothing is left behind either way.
Exit codes: 0 all was as told, 1 it was not, 2 bad usage, 128 + N ended early by signal N.";

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let (sample, stay) = match arguments.as_slice() {
        [option] if option == "--help" || option == "-h" => {
            return writeln!(io::stdout(), "{USAGE}").map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
        }
        [option, sample] if option == "--stay" => (sample, true),
        [sample] if !sample.as_encoded_bytes().starts_with(b"-") => (sample, false),
        _ => {
            let _ = writeln!(io::stderr(), "{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(Path::new(sample), stay) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "demo: {error:#}");
            match error.downcast_ref() {
                Some(Error::Interrupted(signal)) => ExitCode::from(u8::try_from(128 + signal).unwrap_or(u8::MAX)),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

fn run(sample: &Path, stay: bool) -> Result<()> {
    // A signal is noted here and noticed at the next line, so that everything is taken down in order.
    let interrupted = Arc::new(AtomicUsize::new(0));
    for signal in [SIGINT, SIGTERM] {
        let number = usize::try_from(signal).context("signals have positive numbers")?;
        signal_hook::flag::register_usize(signal, Arc::clone(&interrupted), number).context("cannot catch signals")?;
    }
    Demo { out: io::stdout().lock(), interrupted: &interrupted, stay }.run(sample)?;
    Ok(())
}
