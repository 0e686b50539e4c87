//! Injection as a user does it: `sidecar-injector kube-inject`.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use sidecar_test_support::binary::binary;
use sidecar_test_support::process::Process;

use crate::error::Error;

/// How long an injection may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What `kube-inject` wrote.
#[derive(Clone, Debug)]
pub struct Injected {
    /// Standard output: the manifest with the sidecar in it.
    pub manifest: String,
    /// Standard error: what was injected, what was skipped, and why.
    pub report: String,
}

/// Injects the workloads in a file.
///
/// # Errors
/// [`Error::MissingBinary`], or [`Error::Process`] with what the injector said.
pub fn kube_inject(file: &Path) -> Result<Injected, Error> {
    let mut command = Command::new(binary("sidecar-injector")?);
    command.arg("kube-inject").arg("-f").arg(file);
    let output = Process::start(command)?.succeed(PATIENCE)?;
    Ok(Injected { manifest: output.stdout, report: output.stderr })
}
