//! What kubelets and the endpoint controller do: ask the replicas whether they are ready, and publish who is.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use sidecar_test_support::api_server::ApiServer;

use super::{INJECTOR, NAMESPACE, load};
use crate::installation::replica::is_ready;

/// Shorter than the readinessProbe's of the manifests, so that the test is.
const PROBE: Duration = Duration::from_millis(500);
/// From a probe's answer to what the API server hears of it.
const LAG: Duration = Duration::from_secs(1);

/// The endpoints of the injector's Service.
pub(super) struct Endpoints {
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    stopped: AtomicBool,
    /// Every replica that was added, and whether it said that it is ready; none before it was asked.
    replicas: Mutex<Vec<(SocketAddr, Option<bool>)>>,
    published: Mutex<Vec<IpAddr>>,
}

impl Endpoints {
    pub(super) fn start(server: &ApiServer, service: &Value, port: u16) -> Self {
        let ports = service["spec"]["ports"].as_array().unwrap();
        assert!(ports.iter().any(|one| one["name"] == "https-webhook" && one["targetPort"] == "https-webhook"));
        let slice = json!({
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": INJECTOR, "labels": {"kubernetes.io/service-name": INJECTOR}},
            "addressType": "IPv4",
            "endpoints": [],
            "ports": [{"name": "https-webhook", "port": port, "protocol": "TCP"}],
        });
        let (state, kubeconfig) = (Arc::<State>::default(), server.kubeconfig());
        let kept = Arc::clone(&state);
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let slices = Api::namespaced(load::client(&kubeconfig).await, NAMESPACE);
                let first: EndpointSlice = serde_json::from_value(slice).unwrap();
                slices.create(&PostParams::default(), &first).await.unwrap();
                keep(&kept, &slices).await;
            });
        });
        Self { state, thread: Some(thread) }
    }

    /// A new replica, by the address of its probes.
    pub(super) fn add(&self, monitoring: SocketAddr) {
        self.state.replicas.lock().unwrap().push((monitoring, None));
    }

    /// What a replica last said, if it was asked.
    pub(super) fn probed(&self, address: &IpAddr) -> Option<bool> {
        self.state.replicas.lock().unwrap().iter().find(|(one, _)| one.ip() == *address)?.1
    }

    /// The addresses that the API server was last told.
    pub(super) fn published(&self) -> Vec<IpAddr> {
        self.state.published.lock().unwrap().clone()
    }
}

impl Drop for Endpoints {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

async fn keep(state: &State, slices: &Api<EndpointSlice>) {
    let mut last = Vec::new();
    let mut pending: Option<(Instant, Vec<IpAddr>)> = None;
    while !state.stopped.load(Ordering::Relaxed) {
        tokio::time::sleep(PROBE).await;
        let ready = probe(state);
        if ready != last {
            last.clone_from(&ready);
            // What came before it is published with it, no later than it would have been.
            let due = pending.map_or(Instant::now() + LAG, |(due, _)| due);
            pending = Some((due, ready));
        }
        if let Some((_, ready)) = pending.take_if(|(due, _)| *due <= Instant::now()) {
            let endpoints: Vec<Value> =
                ready.iter().map(|address| json!({"addresses": [address], "conditions": {"ready": true}})).collect();
            let patch = Patch::Merge(json!({"endpoints": endpoints}));
            slices.patch(INJECTOR, &PatchParams::default(), &patch).await.unwrap();
            *state.published.lock().unwrap() = ready;
        }
    }
}

fn probe(state: &State) -> Vec<IpAddr> {
    let addresses: Vec<SocketAddr> = state.replicas.lock().unwrap().iter().map(|(address, _)| *address).collect();
    let answers: Vec<Option<bool>> = addresses.iter().map(|address| Some(is_ready(*address))).collect();
    for ((_, known), answer) in state.replicas.lock().unwrap().iter_mut().zip(&answers) {
        *known = *answer;
    }
    let ready = addresses.iter().zip(&answers).filter(|(_, answer)| **answer == Some(true));
    ready.map(|(address, _)| address.ip()).collect()
}
