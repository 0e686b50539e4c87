//! `kube-inject`: manifests in, injected manifests out.

use std::sync::Arc;

use clap::Args;

use crate::cli::cluster::ClusterArgs;
use crate::cli::istioctl::IstioctlArgs;
use crate::cli::manifests::ManifestArgs;
use crate::cli::{ConfigArgs, Failure};
use crate::manifest::Task;

/// Flags of `kube-inject`, named as istioctl names them.
#[derive(Debug, Args)]
#[command(after_help = crate::cli::examples::kube_inject())]
pub struct KubeInject {
    /// Which manifests, and what becomes of them.
    #[command(flatten)]
    pub manifests: ManifestArgs,
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
    /// All mistakes in the configuration, and what keeps the result from being written.
    pub fn run(&self) -> Result<u8, Failure> {
        let Self { manifests, config, cluster, istioctl: _ } = self;
        let mut injector = cluster.load(config)?;
        if injector.settings.mode.is_istio() {
            Arc::make_mut(&mut injector.configuration).config.keep_templates_only();
        }
        manifests.run(Task::inject(&injector, manifests.form(injector.settings.mode)))
    }
}
