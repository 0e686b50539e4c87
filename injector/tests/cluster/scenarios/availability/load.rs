//! Pods created one after the other, by several clients at once.

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::json;
use sidecar_test_support::api_server::ApiServer;
use sidecar_test_support::eventually::eventually;
use tokio::runtime::Runtime;

use super::PATIENCE;
use super::cluster::DEMO;
use crate::installation::has_sidecar;

/// How many clients create pods at once.
const CLIENTS: usize = 8;
/// Between two pods of one client.
const PAUSE: Duration = Duration::from_millis(40);

/// A load that goes on until it is stopped.
pub(super) struct Load {
    state: Arc<State>,
    began: Instant,
    // Ends the clients when it is dropped.
    _runtime: Runtime,
}

#[derive(Default)]
struct State {
    stopped: AtomicBool,
    count: Mutex<Count>,
}

/// What became of the pods.
#[derive(Clone, Default)]
pub(super) struct Count {
    pub(super) injected: usize,
    pub(super) uninjected: usize,
    pub(super) failed: Vec<String>,
    slowest: Duration,
    length: Duration,
}

impl Load {
    pub(super) fn start(server: &ApiServer) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let client = runtime.block_on(client(&server.kubeconfig()));
        let state = Arc::<State>::default();
        for _ in 0..CLIENTS {
            runtime.spawn(create_pods(Api::namespaced(client.clone(), DEMO), Arc::clone(&state)));
        }
        Self { state, began: Instant::now(), _runtime: runtime }
    }

    /// Waits until so many more pods were injected.
    pub(super) fn until(&self, number: usize) {
        let injected = || self.state.count.lock().unwrap().injected;
        let before = injected();
        eventually(PATIENCE, || match injected() - before {
            more if more >= number => Ok(()),
            more => Err(format!("{more} pods\n{}", self.state.count.lock().unwrap())),
        })
        .unwrap();
    }

    /// How many creations have failed so far.
    pub(super) fn failures(&self) -> usize {
        self.state.count.lock().unwrap().failed.len()
    }

    pub(super) fn stop(self) -> Count {
        self.state.stopped.store(true, Ordering::Relaxed);
        Count { length: self.began.elapsed(), ..self.state.count.lock().unwrap().clone() }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { injected, uninjected, failed, slowest, length } = self;
        write!(
            formatter,
            "{injected} pods injected in {length:?}, the slowest in {slowest:?}; {uninjected} not injected; "
        )?;
        write!(formatter, "{} failed {:?}", failed.len(), failed.first())
    }
}

pub(super) async fn client(kubeconfig: &Path) -> Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let kubeconfig = Kubeconfig::read_from(kubeconfig).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    Client::try_from(config).unwrap()
}

async fn create_pods(pods: Api<Pod>, state: Arc<State>) {
    let pod = json!({
        "metadata": {"generateName": "load-"},
        "spec": {"containers": [{"name": "app", "image": "registry.example/app:1"}]},
    });
    let pod: Pod = serde_json::from_value(pod).unwrap();
    while !state.stopped.load(Ordering::Relaxed) {
        let began = Instant::now();
        let created = pods.create(&PostParams::default(), &pod).await;
        let injected = created.map(|pod| has_sidecar(&serde_json::to_value(pod).unwrap()));
        {
            let mut count = state.count.lock().unwrap();
            count.slowest = count.slowest.max(began.elapsed());
            match injected {
                Ok(true) => count.injected += 1,
                Ok(false) => count.uninjected += 1,
                Err(error) => count.failed.push(error.to_string()),
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}
