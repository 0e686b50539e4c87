//! The injector that answers: made anew whenever its configuration or what is known of the cluster changes.

pub mod files;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use k8s_openapi::api::core::v1::ObjectReference;
use sidecar_process::readiness::{Condition, Readiness};
use tokio::sync::watch;

use crate::clock;
use crate::config::{ConfigError, Sources};
use crate::context::{Cluster, InjectorSettings};
use crate::events::{Event, Events};
use crate::latest::changed;
use crate::loading::{self, LoadOutcome, LoadReport, Loader, News, Offer};
use crate::metrics::Metrics;
use crate::server::Current;

/// What an event may say.
const MAX_NOTE: usize = 1024;
/// What the log and `/readyz?verbose` may say: a person reads the rest once this is mended.
const MAX_TEXT: usize = 4096;

/// What the place has where the configuration comes from.
#[derive(Clone, Debug)]
pub struct Offered {
    /// The texts, or why they cannot be had.
    pub offer: Offer,
    /// The objects that hold them, to which events belong; none for files.
    pub objects: Vec<ObjectReference>,
}

/// What is offered now; none before it is known.
pub type Offers = watch::Receiver<Option<Offered>>;
/// What is known of the cluster; none before it is known.
pub type ClusterView = watch::Receiver<Option<Arc<Cluster>>>;

/// Loads configurations and puts the injector with the last good one to where requests find it.
#[derive(Debug)]
pub struct Reload {
    settings: InjectorSettings,
    current: Current,
    metrics: Arc<Metrics>,
    events: Events,
    loader: Loader,
    cluster: Option<Arc<Cluster>>,
    /// That there is one.
    configuration: Condition,
    /// That it is the newest.
    update: Condition,
}

impl Reload {
    /// Registers the conditions `configuration`, and `configuration update`, without which the process is ready too.
    pub fn new(
        settings: InjectorSettings,
        current: Current,
        metrics: Arc<Metrics>,
        events: Events,
        readiness: &Readiness,
    ) -> Self {
        Self {
            settings,
            current,
            metrics,
            events,
            loader: Loader::default(),
            cluster: None,
            configuration: readiness.register("configuration"),
            update: readiness.register_optional("configuration update"),
        }
    }

    /// Loads what is there at the beginning.
    ///
    /// # Errors
    /// All mistakes, where it cannot be used.
    pub async fn begin_with(&mut self, offered: Offered) -> Result<(), Vec<ConfigError>> {
        let report = self.take(offered).await;
        match report.as_ref().map_or(&[][..], |report| report.outcome.mistakes()) {
            [] => Ok(()),
            mistakes => Err(mistakes.to_vec()),
        }
    }

    /// Follows both for ever. A sender that is gone leaves the last value in use.
    pub async fn run(mut self, mut offers: Offers, mut cluster: ClusterView) -> Infallible {
        offers.mark_changed();
        cluster.mark_changed();
        loop {
            tokio::select! {
                () = changed(&mut cluster) => {
                    self.cluster.clone_from(&cluster.borrow_and_update());
                    self.store();
                }
                () = changed(&mut offers) => {
                    let offered = offers.borrow_and_update().clone();
                    if let Some(offered) = offered {
                        self.take(offered).await;
                    }
                }
            }
        }
    }

    /// What has come of it, where it is news.
    async fn take(&mut self, Offered { offer, objects }: Offered) -> Option<LoadReport> {
        let begun = Instant::now();
        let report = match (self.loader.look(&offer), offer) {
            (News::Report(report), _) => report,
            (News::Load(digest), Offer::Texts(sources)) => {
                let loaded = self.load(sources).await;
                self.loader.settle(digest, loaded)
            }
            _ => return None,
        };
        self.store();
        self.tell(&report, &objects, begun.elapsed());
        Some(report)
    }

    /// Elsewhere, since it takes a while; a panic there is no reason to end here.
    async fn load(&self, sources: Sources) -> Result<loading::Candidate, Vec<ConfigError>> {
        let settings = self.settings.clone();
        let origin = sources.config.origin.clone();
        let loading = tokio::task::spawn_blocking(move || loading::load(&sources, &settings));
        loading.await.unwrap_or_else(|_| {
            let message = "the injector panicked while loading it; please report this defect".to_owned();
            Err(vec![ConfigError { origin, line: None, message }])
        })
    }

    fn store(&self) {
        if let (Some(configuration), Some(cluster)) = (self.loader.good(), &self.cluster) {
            let injector = self.settings.injector(Arc::clone(configuration), Arc::clone(cluster));
            self.current.store(Some(Arc::new(injector)));
        }
    }

    fn tell(&self, report: &LoadReport, objects: &[ObjectReference], duration: Duration) {
        let now = clock::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.metrics.configuration.loaded(report, now.as_secs_f64());
        let text = report.text(MAX_TEXT);
        let (result, generation) = (report.outcome.code(), report.generation);
        match &report.outcome {
            LoadOutcome::Loaded(warnings) if warnings.is_empty() => {
                tracing::info!(result, generation, ?duration, "{text}");
            }
            LoadOutcome::Restored => tracing::info!(result, generation, "{text}"),
            _ => tracing::warn!(result, generation, ?duration, "{text}"),
        }
        if let Some(in_use) = &report.in_use {
            self.configuration.ready_with(in_use.clone());
        } else {
            self.configuration.failed(text.clone());
        }
        if report.outcome.mistakes().is_empty() {
            self.update.ready();
        } else {
            self.update.failed(text);
        }
        for object in objects {
            self.events.tell(Event {
                regarding: object.clone(),
                is_warning: !report.outcome.mistakes().is_empty(),
                reason: match report.outcome {
                    LoadOutcome::Loaded(_) | LoadOutcome::Restored => "ConfigurationLoaded",
                    LoadOutcome::Rejected(_) => "ConfigurationRejected",
                    LoadOutcome::Unavailable(_) => "ConfigurationUnavailable",
                },
                action: "Load",
                note: report.text(MAX_NOTE),
            });
        }
    }
}

#[cfg(test)]
mod tests;
