//! The configuration in files, read again whenever they may have changed.

use std::convert::Infallible;
use std::path::PathBuf;

use tokio::sync::watch;

use super::{Offered, Offers};
use crate::config::ConfigError;
use crate::files::watch::FileWatch;
use crate::files::{self, FileError};
use crate::loading::Offer;

/// The files that are given; what is in none of them is taken from the binary.
#[derive(Clone, Debug, Default)]
pub struct ConfigurationFiles {
    /// What the ConfigMap has under `config`.
    pub config: Option<PathBuf>,
    /// What it has under `values`.
    pub values: Option<PathBuf>,
    /// MeshConfig.
    pub mesh: Option<PathBuf>,
}

/// What the files have, from now on, and the task that keeps it so. Needs a tokio runtime around it.
pub fn offers(files: ConfigurationFiles) -> (Offers, impl Future<Output = Infallible> + Send) {
    let paths = [&files.config, &files.values, &files.mesh].into_iter().flatten().cloned();
    let mut watched = FileWatch::new(paths);
    let (sender, offers) = watch::channel(Some(read(&files)));
    let following = async move {
        loop {
            watched.changed().await;
            let files = files.clone();
            // It does not panic; if it did, what is known stays.
            if let Ok(offered) = tokio::task::spawn_blocking(move || read(&files)).await {
                sender.send_replace(Some(offered));
            }
        }
    };
    (offers, following)
}

fn read(files: &ConfigurationFiles) -> Offered {
    let ConfigurationFiles { config, values, mesh } = files;
    let offer = match files::read_sources(config.as_deref(), values.as_deref(), mesh.as_deref()) {
        Ok(sources) => Offer::Texts(sources),
        Err(errors) => Offer::Unavailable(errors.into_iter().map(unreadable).collect()),
    };
    Offered { offer, objects: Vec::new() }
}

fn unreadable(FileError { path, action, source }: FileError) -> ConfigError {
    ConfigError { origin: path, line: None, message: format!("{action}: {source}") }
}
