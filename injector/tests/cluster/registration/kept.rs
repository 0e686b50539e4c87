//! A registration that is kept by the server: edited, deleted, fought over, and without permission.

use std::sync::Arc;
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::Value;
use sidecar_injector::certificates::{CaBundle, Issued, Validity, issue};
use sidecar_injector::clock::now;
use sidecar_injector::events::Events;
use sidecar_injector::kubernetes::registration::{KeepRegistered, keep_registered};
use sidecar_injector::metrics::Metrics;
use sidecar_injector::registration::bundle::chain;
use sidecar_injector::registration::{Endpoint, MatchCondition, Settings};
use sidecar_test_support::api_server::ApiServer;
use sidecar_test_support::eventually::eventually;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::configuration;

const PATIENCE: Duration = Duration::from_secs(45);

/// A task that keeps a revision, and what it is told.
struct Kept {
    name: String,
    metrics: Arc<Metrics>,
    leads: watch::Sender<bool>,
    bundle: watch::Sender<Option<CaBundle>>,
    published: watch::Receiver<Option<CaBundle>>,
    // Ends the task when it is dropped.
    _runtime: Runtime,
}

async fn client(server: &ApiServer, user: Option<&str>) -> Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let kubeconfig = Kubeconfig::read_from(server.kubeconfig()).unwrap();
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    config.auth_info.impersonate = user.map(str::to_owned);
    Client::try_from(config).unwrap()
}

fn issued() -> Issued {
    issue(&["127.0.0.1"], Validity::one_year(now())).unwrap()
}

fn settings(revision: &str) -> Settings {
    let endpoint = Endpoint::Url("https://127.0.0.1:1".to_owned());
    // Nothing of this test program may be in the way of another.
    let match_conditions = vec![MatchCondition { name: "never".to_owned(), expression: "false".to_owned() }];
    Settings { revision: revision.to_owned(), endpoint, match_conditions, ..Settings::default() }
}

fn keep(server: &ApiServer, revision: &str, served: &Issued, user: Option<&str>) -> Kept {
    keep_settings(server, settings(revision), served, user)
}

fn keep_settings(server: &ApiServer, settings: Settings, served: &Issued, user: Option<&str>) -> Kept {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (leads, leading) = watch::channel(true);
    let (bundle, bundles) = watch::channel(Some(CaBundle { pem: served.ca_certificate.clone() }));
    let (name, metrics) = (settings.revision_name(), Arc::new(Metrics::default()));
    let served = chain(&served.certificate).unwrap();
    let (publisher, published) = watch::channel(None);
    let task = KeepRegistered {
        client: runtime.block_on(client(server, user)),
        settings,
        enables_namespaces_by_default: Arc::new(|| Some(false)),
        leads: leading,
        bundle: bundles,
        published: publisher,
        keeps_bundle: false,
        served: Arc::new(move || Some(served.clone())),
        metrics: Arc::clone(&metrics),
        events: Events::default(),
        condition: None,
    };
    runtime.spawn(keep_registered(task));
    Kept { name, metrics, leads, bundle, published, _runtime: runtime }
}

impl Kept {
    fn until(&self, server: &ApiServer, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        eventually(PATIENCE, || configuration(server, &self.name).filter(|object| is_so(object)).ok_or(what.to_owned()))
            .unwrap()
    }

    fn until_published(&self, wanted: Option<&str>) {
        eventually(PATIENCE, || match self.published.borrow().as_ref().map(|bundle| bundle.pem.as_str()) {
            published if published == wanted => Ok(()),
            other => Err(format!("published: {other:?}")),
        })
        .unwrap();
    }

    fn until_state(&self, state: &str) {
        let line = format!("registration_state{{state=\"{state}\"}} 1");
        eventually(PATIENCE, || {
            let text = self.metrics.encode().unwrap();
            if text.contains(&line) { Ok(()) } else { Err(text) }
        })
        .unwrap();
    }
}

fn patch(server: &ApiServer, name: &str, value: &str) {
    let patch = format!(r#"[{{"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "{value}"}}]"#);
    server.run(["patch", "mutatingwebhookconfiguration", name, "--type=json", "-p", &patch]).unwrap();
}

fn fails(object: &Value) -> bool {
    object["webhooks"][0]["failurePolicy"] == "Fail"
}

#[test]
fn edits_and_deletions_are_taken_back_and_nothing_else_is_written() {
    let Some(server) = ApiServer::shared() else { return };
    let kept = keep(server, "kept", &issued(), None);
    let first = kept.until(server, "registered", fails);
    kept.until_state("current");

    server.run(["label", "mutatingwebhookconfiguration", &kept.name, "team=mesh"]).unwrap();
    std::thread::sleep(Duration::from_secs(1));
    let labelled = configuration(server, &kept.name).unwrap();
    assert_eq!(labelled["metadata"]["labels"]["team"], "mesh");
    assert_eq!(labelled["metadata"]["generation"], first["metadata"]["generation"]);

    patch(server, &kept.name, "Ignore");
    kept.until(server, "corrected", fails);
    server.run(["delete", "mutatingwebhookconfiguration", &kept.name]).unwrap();
    kept.until(server, "made again", fails);
    kept.until_state("current");
    let text = kept.metrics.encode().unwrap();
    assert!(text.contains("registration_corrections_total 2"), "{text}");
    assert!(text.contains("registration_applies_total{result=\"conflict\"} 1"), "{text}");
}

#[test]
fn a_bundle_is_rotated_and_one_that_does_not_verify_is_not_written() {
    let Some(server) = ApiServer::shared() else { return };
    let served = issued();
    let kept = keep(server, "rotated", &served, None);
    let bundle = |object: &Value| object["webhooks"][0]["clientConfig"]["caBundle"].clone();
    let first = bundle(&kept.until(server, "registered", fails));
    kept.until_published(Some(&served.ca_certificate));
    kept.bundle.send_replace(Some(CaBundle { pem: issued().ca_certificate }));
    kept.until_state("unverified");
    assert_eq!(bundle(&configuration(server, &kept.name).unwrap()), first);
    let both = format!("{}{}", issued().ca_certificate, served.ca_certificate);
    kept.bundle.send_replace(Some(CaBundle { pem: both.clone() }));
    kept.until(server, "both", |object| bundle(object) != first);
    kept.until_published(Some(&both));
    kept.until_state("current");
}

#[test]
fn the_revision_without_a_name_gives_way_to_the_tag_default() {
    let Some(server) = ApiServer::shared() else { return };
    let namespace = |settings: Settings| Settings { namespace: "giving-way".to_owned(), ..settings };
    let kept = keep_settings(server, namespace(settings("")), &issued(), None);
    let is_deactivated = |object: &Value| object["webhooks"][0]["objectSelector"]["matchLabels"].is_object();
    kept.until(server, "registered", |object| fails(object) && !is_deactivated(object));
    let tagged = Settings { tags: vec!["default".to_owned()], ..namespace(settings("next")) };
    let next = keep_settings(server, tagged, &issued(), None);
    kept.until(server, "given way", is_deactivated);
    next.leads.send_replace(false);
    server.run(["delete", "mutatingwebhookconfiguration", "istio-revision-tag-default-giving-way"]).unwrap();
    kept.until(server, "back", |object| !is_deactivated(object));
}

#[test]
fn a_rival_is_met_with_ever_longer_waits() {
    let Some(server) = ApiServer::shared() else { return };
    let kept = keep(server, "fought", &issued(), None);
    kept.until(server, "registered", fails);
    for _ in 0..3 {
        patch(server, &kept.name, "Ignore");
        kept.until(server, "corrected", fails);
    }
    patch(server, &kept.name, "Ignore");
    kept.until_state("contested");
    kept.until(server, "corrected in the end", fails);
}

#[test]
fn only_the_leader_writes() {
    let Some(server) = ApiServer::shared() else { return };
    let kept = keep(server, "led", &issued(), None);
    kept.until(server, "registered", fails);
    kept.leads.send_replace(false);
    kept.until_state("not_leader");
    kept.until_published(None);
    patch(server, &kept.name, "Ignore");
    std::thread::sleep(Duration::from_secs(1));
    assert!(!fails(&configuration(server, &kept.name).unwrap()));
    kept.leads.send_replace(true);
    kept.until(server, "corrected", fails);
}

#[test]
fn an_object_of_somebody_else_is_left_alone() {
    let Some(server) = ApiServer::shared() else { return };
    let object = "{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration, metadata: \
                  {name: istio-sidecar-injector-foreign, labels: {app: sidecar-injector, istio.io/rev: theirs}}}";
    server.apply(object).unwrap();
    let kept = keep(server, "foreign", &issued(), None);
    kept.until_state("conflict");
    assert!(configuration(server, &kept.name).unwrap()["webhooks"].is_null());
}

#[test]
fn missing_permissions_are_told_and_it_goes_on_when_they_are_there() {
    let Some(server) = ApiServer::shared() else { return };
    let kept = keep(server, "forbidden", &issued(), Some("registrar"));
    kept.until_state("forbidden");
    kept.until_published(None);
    let grant = |verbs: &str| {
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {{name: registrar}}\nrules:\n\
             - {{apiGroups: [admissionregistration.k8s.io], resources: [mutatingwebhookconfigurations], resourceNames: \
             [istio-sidecar-injector-forbidden], verbs: [{verbs}]}}\n---\n\
             apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {{name: registrar}}\n\
             roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: registrar}}\n\
             subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: User, name: registrar}}]\n"
        )
    };
    server.apply(&grant("list, watch")).unwrap();
    eventually(PATIENCE, || {
        let text = kept.metrics.encode().unwrap();
        if text.contains("registration_applies_total{result=\"forbidden\"}") { Ok(()) } else { Err(text) }
    })
    .unwrap();
    server.apply(&grant("list, watch, create, patch")).unwrap();
    kept.until(server, "registered", fails);
    kept.until_state("current");
}
