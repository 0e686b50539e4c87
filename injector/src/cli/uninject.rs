//! `uninject`: injected manifests in, manifests as they were out.

use clap::Args;

use crate::cli::Failure;
use crate::cli::manifests::ManifestArgs;
use crate::manifest::Task;
use crate::mode::Mode;

/// Flags of `uninject`.
#[derive(Debug, Args)]
#[command(after_help = crate::cli::examples::uninject())]
pub struct Uninject {
    /// Which manifests, and what becomes of them.
    #[command(flatten)]
    pub manifests: ManifestArgs,
}

impl Uninject {
    /// Takes injections back, writes the result, and reports on standard error; the exit code.
    ///
    /// # Errors
    /// What keeps the result from being written.
    pub fn run(&self) -> Result<u8, Failure> {
        self.manifests.run(Task::uninject(self.manifests.form(Mode::Corrected)))
    }
}
