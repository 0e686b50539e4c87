//! Where a serving injector's configuration comes from: files, or the cluster.

use std::sync::Arc;

use clap::Args;
use sidecar_contract::config::DEFAULT_REVISION;
use tokio::sync::watch;

use super::Serve;
use super::parts::Parts;
use crate::cli::kubernetes::Connection;
use crate::cli::{Failure, names};
use crate::context::InjectorSettings;
use crate::kubernetes::cluster;
use crate::kubernetes::config_maps::{self, ConfigMapNames};
use crate::reload::files::{self, ConfigurationFiles};
use crate::reload::{Offers, Reload};

/// Which ConfigMaps hold the configuration, where no file does.
#[derive(Clone, Debug, Args)]
pub struct ConfigMapArgs {
    /// ConfigMap with the keys config and values. Default: istio-sidecar-injector[-REVISION].
    #[arg(long = "injectConfigMapName", value_name = "NAME", value_parser = names::object, conflicts_with = "inject_config_file")]
    pub inject_config_map_name: Option<String>,
    /// ConfigMap with the key mesh; it need not exist. Default: istio[-REVISION].
    #[arg(long = "meshConfigMapName", value_name = "NAME", value_parser = names::object, conflicts_with = "inject_config_file")]
    pub mesh_config_map_name: Option<String>,
}

impl Serve {
    /// Whether the configuration comes from files, or from the binary, and not from the cluster.
    pub(super) fn has_files(&self) -> bool {
        let files = [&self.config.inject_config_file, &self.config.values_file, &self.config.mesh_config_file];
        self.dev || files.into_iter().any(Option::is_some)
    }

    /// Starts to follow the configuration and what is known of the cluster.
    pub(super) async fn start_configuration(&self, parts: &mut Parts) -> Result<(), Failure> {
        let mut settings = self.config.settings();
        if settings.revision.is_empty() {
            DEFAULT_REVISION.clone_into(&mut settings.revision);
        }
        let given = self.config.cluster()?;
        let view = match &parts.connection {
            Some(Connection { client, .. }) => {
                let metrics = Arc::clone(&parts.metrics);
                let (view, task) = cluster::view(client.clone(), &settings, given, metrics, &parts.readiness);
                parts.tasks.spawn(task);
                view
            }
            None => watch::channel(Some(Arc::new(given))).1,
        };
        let (reload, offers) = self.offers(settings, parts).await?;
        parts.tasks.spawn(reload.run(offers, view));
        Ok(())
    }

    async fn offers(&self, settings: InjectorSettings, parts: &mut Parts) -> Result<(Reload, Offers), Failure> {
        let (current, metrics) = (Arc::clone(&parts.current), Arc::clone(&parts.metrics));
        let mut reload = Reload::new(settings, current, metrics, parts.events.clone(), &parts.readiness);
        let offers = if self.has_files() {
            let (offers, task) = files::offers(ConfigurationFiles {
                config: self.config.inject_config_file.clone(),
                values: self.config.values_file.clone(),
                mesh: self.config.mesh_config_file.clone(),
            });
            // At start there is somebody to tell.
            let first = offers.borrow().clone();
            if let Some(first) = first {
                reload.begin_with(first).await.map_err(|mistakes| Failure::of_all(&mistakes))?;
            }
            parts.tasks.spawn(task);
            offers
        } else {
            let Connection { client, namespace } = parts.connection()?;
            let mut names = ConfigMapNames::of_revision(&namespace, self.revision());
            let ConfigMapArgs { inject_config_map_name, mesh_config_map_name } = self.config_maps.clone();
            names.injector = inject_config_map_name.unwrap_or(names.injector);
            names.mesh = mesh_config_map_name.unwrap_or(names.mesh);
            let (offers, task) = config_maps::offers(client, names, Arc::clone(&parts.metrics));
            parts.tasks.spawn(task);
            offers
        };
        Ok((reload, offers))
    }
}
