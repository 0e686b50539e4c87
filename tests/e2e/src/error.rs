//! Why a pod could not be made, run or asked.

use std::io;
use std::path::PathBuf;

use sidecar_test_support::binary::MissingBinary;
use sidecar_test_support::process;

/// Why a pod could not be made, run or asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A workspace program is missing.
    #[error(transparent)]
    MissingBinary(#[from] MissingBinary),
    /// A program did not start or did not do what was asked.
    #[error(transparent)]
    Process(#[from] process::Error),
    /// The manifest is not YAML.
    #[error("the manifest is not YAML: {0}")]
    Yaml(String),
    /// The manifest has nothing to run, or something that a pod of namespaces cannot do.
    #[error("the manifest cannot be run here: {0}")]
    Manifest(String),
    /// A file cannot be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A container or a server did not get ready in time.
    #[error("{0}")]
    NotReady(String),
    /// An answer or a metric is not what it should look like.
    #[error("cannot understand {what}: {found}")]
    Unexpected {
        /// What was read.
        what: &'static str,
        /// The text.
        found: String,
    },
    /// Standard output cannot be written.
    #[error("cannot write the results")]
    Write(#[from] io::Error),
    /// The demo saw something else than it tells of.
    #[error("the demo did not go as it should: {0}")]
    Disproved(String),
    /// SIGINT or SIGTERM, by its number.
    #[error("interrupted by signal {0}")]
    Interrupted(usize),
}
