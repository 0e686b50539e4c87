//! How many files the process may have open.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Raises the limit to what is allowed, and returns it. Container runtimes often start programs with 1024.
pub(crate) fn raise() -> nix::Result<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft == hard {
        return Ok(soft);
    }
    match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => Ok(hard),
        Err(error) => {
            tracing::warn!(%error, soft, hard, "cannot raise the file descriptor limit");
            Ok(soft)
        }
    }
}
