//! `uninject`: injected manifests in, manifests as they were out.

use clap::Args;

use crate::cli::manifests::{ManifestArgs, Strict};
use crate::manifest::Task;
use crate::mode::Mode;

/// Flags of `uninject`.
#[derive(Debug, Args)]
#[command(after_help = crate::cli::examples::uninject())]
pub struct Uninject {
    /// Which manifests, and what becomes of them.
    #[command(flatten)]
    pub manifests: ManifestArgs,
    /// Write nothing (but with --keep-going), and exit with 4, if an object may not be what it was: Istio's own injector
    /// injected it, and did not write down all.
    #[arg(long)]
    pub strict: bool,
}

impl Uninject {
    /// Takes injections back, writes the result, and reports on standard error; the exit code.
    pub fn run(&self) -> u8 {
        let strict = if self.strict { Strict::Exact } else { Strict::Off };
        self.manifests.run(Task::uninject(self.manifests.form(Mode::Corrected)), strict)
    }
}
