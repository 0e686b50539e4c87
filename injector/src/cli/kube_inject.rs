//! `kube-inject`: manifests in, injected manifests out.

use std::sync::Arc;

use clap::Args;

use crate::cli::cluster::ClusterArgs;
use crate::cli::istioctl::IstioctlArgs;
use crate::cli::manifests::{ManifestArgs, Strict};
use crate::cli::{ConfigArgs, Failure};
use crate::manifest::Task;

/// Flags of `kube-inject`, named as istioctl names them.
#[derive(Debug, Args)]
#[command(after_help = crate::cli::examples::kube_inject())]
pub struct KubeInject {
    /// Which manifests, and what becomes of them.
    #[command(flatten)]
    pub manifests: ManifestArgs,
    /// Write nothing (but with --keep-going), and exit with 4, if an object that was to have a sidecar gets none: it asks
    /// for one, counts on one, or is of a kind that only looks like a workload.
    #[arg(long)]
    pub strict: bool,
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
    /// Injects, writes the result, and reports on standard error; the exit code.
    ///
    /// # Errors
    /// All mistakes in the configuration. Those in manifests are reported, and are in the exit code.
    pub fn run(&self) -> Result<u8, Failure> {
        let Self { manifests, strict, config, cluster, istioctl: _ } = self;
        let mut injectors = cluster.load(config)?;
        let own = &mut injectors.own;
        let form = manifests.form(own.settings.mode);
        if own.settings.mode.is_istio() {
            Arc::make_mut(&mut own.configuration).config.keep_templates_only();
        }
        let strict = if *strict { Strict::Sidecars } else { Strict::Off };
        Ok(manifests.run(Task::follow(&injectors, form), strict))
    }
}
