//! `uninject`: injected manifests in, manifests as they were out.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::{Failure, kube_inject};
use crate::files;
use crate::manifest::uninject_manifest;

/// Flags of `uninject`.
#[derive(Debug, Args)]
#[command(after_help = crate::cli::examples::uninject())]
pub struct Uninject {
    /// Manifest to take injections out of: YAML or JSON, any number of documents; `-` for standard input.
    #[arg(short, long, value_name = "FILE")]
    pub filename: PathBuf,
    /// File to write, replaced as a whole; standard output when not given, or `-`.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

impl Uninject {
    /// Takes injections back, writes the result, and reports on standard error.
    ///
    /// # Errors
    /// All mistakes in the manifest; nothing is written then.
    pub fn run(&self) -> Result<(), Failure> {
        let Self { filename, output } = self;
        let text = files::read(filename).map_err(|error| Failure::of(&error))?;
        let manifest = uninject_manifest(&text).map_err(|errors| kube_inject::mistakes(filename, &errors))?;
        kube_inject::write(output.as_deref().filter(|path| *path != Path::new("-")), &manifest)
    }
}
