//! Somebody who creates pods all the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::json;

use super::Installation;
use crate::installation::has_sidecar;

/// Between the answer to one and the next.
const PAUSE: Duration = Duration::from_millis(50);

/// Creates pods one after the other until it is told to stop.
pub(super) struct Creator {
    stopped: Arc<AtomicBool>,
    creating: JoinHandle<(usize, Vec<String>)>,
}

impl Creator {
    /// Begins in this namespace.
    pub(super) fn start(installation: &Installation<'_>, namespace: &str) -> Self {
        let stopped = Arc::<AtomicBool>::default();
        let (ended, kubeconfig) = (Arc::clone(&stopped), installation.server.kubeconfig());
        let namespace = namespace.to_owned();
        let creating = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
                let kubeconfig = Kubeconfig::read_from(kubeconfig).unwrap();
                let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
                create(Api::namespaced(Client::try_from(config).unwrap(), &namespace), &ended).await
            })
        });
        Self { stopped, creating }
    }

    /// Stops, and requires that every pod was created and has the sidecar. Returns how many there were.
    pub(super) fn finish(self) -> usize {
        self.stopped.store(true, Ordering::Relaxed);
        let (count, mistakes) = self.creating.join().unwrap();
        assert!(mistakes.is_empty(), "{} of {count} pods: {mistakes:#?}", mistakes.len());
        assert!(count > 0, "none was created");
        count
    }
}

async fn create(pods: Api<Pod>, stopped: &AtomicBool) -> (usize, Vec<String>) {
    let (mut count, mut mistakes) = (0, Vec::new());
    while !stopped.load(Ordering::Relaxed) {
        count += 1;
        let pod = json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": format!("created-{count}")},
            "spec": {"containers": [{"name": "app", "image": "registry.example/app:1"}]},
        });
        let pod: Pod = serde_json::from_value(pod).unwrap();
        match pods.create(&PostParams::default(), &pod).await {
            Ok(pod) if has_sidecar(&serde_json::to_value(&pod).unwrap()) => {}
            Ok(_) => mistakes.push(format!("{count} has no sidecar")),
            Err(error) => mistakes.push(format!("{count}: {error}")),
        }
        tokio::time::sleep(PAUSE).await;
    }
    (count, mistakes)
}
