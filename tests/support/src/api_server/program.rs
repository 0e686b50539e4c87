//! Finds the program of the API server, which is built once and kept outside the repository.
#![expect(clippy::disallowed_methods, reason = "environment variables decide whether it is built")]

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use crate::command::skip;
use crate::process::Process;

/// How long it may take to download and build it, or to wait for another who does.
const BUILD: Duration = Duration::from_secs(45 * 60);

/// Whether the test may go on. Where there is no server it prints why the test is skipped, so write
/// `if !require_api_server() { return; }`. With `CI` set, or `SIDECAR_APISERVER=build`, it is built first if need be.
///
/// # Panics
/// Without a server when the environment variable `CI` is set: there, a skipped test would look like a passed one.
#[must_use = "a test that goes on without a server fails in a confusing place"]
pub fn require_api_server() -> bool {
    find().map_err(|missing| skip(&missing)).is_ok()
}

/// The program, which is also a kubectl, or what is missing and how to get it. Builds it where
/// [`require_api_server`] does.
///
/// # Errors
/// When there is no program.
pub fn find() -> Result<&'static Path, String> {
    static PROGRAM: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    PROGRAM.get_or_init(look).as_deref().map_err(Clone::clone)
}

fn look() -> Result<PathBuf, String> {
    let path = script(&["--path"])?;
    if path.is_file() {
        return Ok(path);
    }
    if env::var("CI").is_ok() || env::var("SIDECAR_APISERVER").is_ok_and(|value| value == "build") {
        return script(&[]);
    }
    Err("the API server for tests is not built; run tests/apiserver/build, which takes minutes".to_owned())
}

/// Runs `tests/apiserver/build`, which prints a path.
fn script(arguments: &[&str]) -> Result<PathBuf, String> {
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../apiserver/build"));
    command.args(arguments);
    let output = Process::start(command).and_then(|mut process| process.succeed(BUILD));
    Ok(output.map_err(|error| format!("no API server for tests: {error}"))?.stdout.trim_end().into())
}
