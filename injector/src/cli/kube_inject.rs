//! `kube-inject`: manifests in, injected manifests out.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use crate::cli::cluster::ClusterArgs;
use crate::cli::istioctl::IstioctlArgs;
use crate::cli::{ConfigArgs, Failure, printable};
use crate::files::{self, Access};
use crate::manifest::{Manifest, ManifestError, inject_manifest};

/// Flags of `kube-inject`, named as istioctl names them.
#[derive(Debug, Args)]
#[command(after_help = crate::cli::examples::kube_inject())]
pub struct KubeInject {
    /// Manifest to inject: YAML or JSON, any number of documents; `-` for standard input.
    #[arg(short, long, value_name = "FILE")]
    pub filename: PathBuf,
    /// File to write, replaced as a whole; standard output when not given, or `-`.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Where the configuration comes from.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// What is known of the cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// Flags of istioctl without a meaning here.
    #[command(flatten)]
    pub istioctl: IstioctlArgs,
}

impl KubeInject {
    /// Injects, writes the result, and reports on standard error.
    ///
    /// # Errors
    /// All mistakes in the configuration or the manifest; nothing is written then.
    pub fn run(&self) -> Result<(), Failure> {
        let Self { filename, output, config, cluster, istioctl: _ } = self;
        let mut injector = cluster.load(config)?;
        if injector.settings.mode.is_istio() {
            Arc::make_mut(&mut injector.configuration).config.keep_templates_only();
        }
        let text = files::read(filename).map_err(|error| Failure::of(&error))?;
        let manifest = inject_manifest(&text, &injector).map_err(|errors| mistakes(filename, &errors))?;
        write(output.as_deref().filter(|path| *path != Path::new("-")), &manifest)
    }
}

pub(super) fn mistakes(filename: &Path, errors: &[ManifestError]) -> Failure {
    Failure { messages: errors.iter().map(|error| format!("{}:{error}", files::display(filename))).collect() }
}

/// Writes the manifest, and the report to standard error.
pub(super) fn write(output: Option<&Path>, Manifest { text, report }: &Manifest) -> Result<(), Failure> {
    match output {
        Some(path) => files::write_atomically(path, text, Access::Shared).map_err(|error| Failure::of(&error))?,
        None => {
            let mut stdout = io::stdout().lock();
            let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
            if let Err(error) = ignore_broken_pipe(written) {
                return Err(Failure { messages: vec![format!("standard output: {error}")] });
            }
        }
    }
    let mut stderr = io::stderr().lock();
    for line in report {
        // A report that nobody can read is no reason to fail an injection that is done.
        let _ = writeln!(stderr, "{}", printable(&line.to_string()));
    }
    Ok(())
}

/// Whoever reads the output may have seen enough, as `head` does.
fn ignore_broken_pipe(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}
