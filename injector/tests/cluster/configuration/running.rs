//! The tasks of an injector, as `serve` runs them.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use sidecar_injector::config::Configuration;
use sidecar_injector::context::{Cluster, InjectorSettings};
use sidecar_injector::events::{Event, Events};
use sidecar_injector::kubernetes::cluster;
use sidecar_injector::kubernetes::config_maps::{self, ConfigMapNames};
use sidecar_injector::metrics::Metrics;
use sidecar_injector::native::Setting;
use sidecar_injector::reload::Reload;
use sidecar_injector::server::Current;
use sidecar_process::readiness::Readiness;
use sidecar_test_support::api_server::ApiServer;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// The longest wait between two attempts of a watch, and then some.
const PATIENCE: Duration = Duration::from_secs(60);

/// How it is started.
pub(super) struct Start {
    /// The user that it is; an administrator where there is none.
    pub(super) user: Option<&'static str>,
    pub(super) native_sidecars: Setting,
    pub(super) openshift: bool,
}

impl Default for Start {
    fn default() -> Self {
        Self { user: None, native_sidecars: Setting::False, openshift: false }
    }
}

pub(super) struct Running {
    pub(super) readiness: Readiness,
    pub(super) metrics: Arc<Metrics>,
    current: Current,
    events: mpsc::Receiver<Event>,
    _tasks: JoinSet<()>,
}

/// A namespace of this name, and the ConfigMaps of the revision of this name in it.
pub(super) fn names(server: &ApiServer, revision: &str) -> ConfigMapNames {
    server.run(["create", "namespace", revision]).unwrap();
    ConfigMapNames::of_revision(revision, revision)
}

impl Running {
    pub(super) async fn start(server: &ApiServer, names: &ConfigMapNames, start: Start) -> Self {
        let kubeconfig = Kubeconfig::read_from(server.kubeconfig()).unwrap();
        let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
        config.auth_info.impersonate = start.user.map(str::to_owned);
        let client = Client::try_from(config).unwrap();
        let (readiness, metrics) = (Readiness::new(), Arc::<Metrics>::default());
        let current: Current = Arc::new(ArcSwapOption::empty());
        let (told, events) = Events::channel();
        let Start { native_sidecars, openshift, .. } = start;
        let settings = InjectorSettings { native_sidecars, openshift, ..InjectorSettings::default() };
        let (view, following) =
            cluster::view(client.clone(), &settings, Cluster::default(), Arc::clone(&metrics), &readiness);
        let (offers, watching) = config_maps::offers(client, names.clone(), Arc::clone(&metrics));
        let reload = Reload::new(settings, Arc::clone(&current), Arc::clone(&metrics), told, &readiness);
        let mut tasks = JoinSet::new();
        tasks.spawn(async { match following.await {} });
        tasks.spawn(async { match watching.await {} });
        tasks.spawn(async { match reload.run(offers, view).await {} });
        Self { readiness, metrics, current, events, _tasks: tasks }
    }

    /// What the next event with this reason says.
    pub(super) async fn told(&mut self, reason: &str) -> String {
        let waiting = async {
            loop {
                let event = self.events.recv().await.unwrap();
                if event.reason == reason {
                    return event.note;
                }
            }
        };
        timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("no {reason}: {}", self.readiness.verbose()))
    }

    pub(super) async fn until(&self, image: &str) {
        self.wait(|| self.image().as_deref() == Some(image)).await;
    }

    pub(super) async fn until_cluster(&self, is_so: impl Fn(&Cluster) -> bool) {
        self.wait(|| self.current.load().as_ref().is_some_and(|injector| is_so(&injector.cluster))).await;
    }

    pub(super) async fn until_pending(&self, conditions: &[&str]) {
        self.wait(|| self.readiness.pending() == conditions).await;
    }

    pub(super) async fn until_trusted(&self, trust_domain: &str) {
        self.wait(|| self.trust_domain() == trust_domain).await;
    }

    pub(super) fn configuration(&self) -> Option<Arc<Configuration>> {
        self.current.load().as_ref().map(|injector| Arc::clone(&injector.configuration))
    }

    pub(super) fn image(&self) -> Option<String> {
        self.configuration()?.values.get("image")?.as_str().map(str::to_owned)
    }

    pub(super) fn trust_domain(&self) -> String {
        self.configuration().unwrap().mesh.fields()["trustDomain"].as_str().unwrap().to_owned()
    }

    async fn wait(&self, is_so: impl Fn() -> bool) {
        let waiting = async {
            while !is_so() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        let late = || panic!("not in time: {}{}", self.readiness.verbose(), self.metrics.encode().unwrap());
        timeout(PATIENCE, waiting).await.unwrap_or_else(|_| late());
    }
}
