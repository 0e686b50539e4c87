//! Two replicas with one Lease and one Secret: made, damaged, deleted, rotated, and through steps of the clock.

mod published;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{Api, DeleteParams, ObjectMeta, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::json;
use sidecar_injector::certificates::material::authorities;
use sidecar_injector::certificates::{CaBundle, Data, Material, Settings};
use sidecar_injector::clock;
use sidecar_injector::events::Events;
use sidecar_injector::kubernetes::certificates::{SecretPlace, follow, manage};
use sidecar_injector::kubernetes::lease::stand;
use sidecar_injector::metrics::Metrics;
use sidecar_injector::server::certificate::ServingCertificate;
use sidecar_injector::server::certificate_load::Outlets;
use sidecar_process::readiness::Readiness;
use sidecar_test_support::api_server::{ApiServer, require_api_server};
use tokio::sync::{oneshot, watch};
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::{Instant, sleep};

const NAME: &str = "certificate";

struct Replica {
    serving: ServingCertificate,
    bundle: watch::Receiver<Option<CaBundle>>,
    leadership: watch::Receiver<bool>,
    metrics: Arc<Metrics>,
    readiness: Readiness,
    end: Option<oneshot::Sender<()>>,
    election: JoinHandle<()>,
    manager: AbortHandle,
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.manager.abort();
        self.election.abort();
    }
}

async fn client() -> Option<Client> {
    if !require_api_server() {
        return None;
    }
    let kubeconfig = Kubeconfig::read_from(ApiServer::shared()?.kubeconfig()).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    Some(Client::try_from(config).unwrap())
}

async fn namespace(client: &Client, name: &str) -> Api<Secret> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
    namespaces.create(&PostParams::default(), &Namespace { metadata, ..Namespace::default() }).await.unwrap();
    Api::namespaced(client.clone(), name)
}

fn place(namespace: &str) -> SecretPlace {
    SecretPlace { namespace: namespace.to_owned(), name: NAME.to_owned(), events: Events::default() }
}

fn names() -> Vec<String> {
    vec!["injector.demo.svc".to_owned()]
}

fn replica(client: &Client, namespace: &str, identity: &str, settings: &Settings, clock: clock::Clock) -> Replica {
    replica_told(client, (namespace, identity), settings, clock, watch::channel(None).1)
}

fn replica_told(
    client: &Client,
    (namespace, identity): (&str, &str),
    settings: &Settings,
    clock: clock::Clock,
    published: watch::Receiver<Option<CaBundle>>,
) -> Replica {
    let (end, ended) = oneshot::channel();
    let shutdown = async {
        let _ = ended.await;
    };
    let (leads, leadership) = watch::channel(false);
    let (in_namespace, identity) = (namespace.to_owned(), identity.to_owned());
    let candidacy = stand(client.clone(), in_namespace, "injector".to_owned(), identity, None, leads, shutdown);
    let election = tokio::spawn(candidacy);
    let (bundle, bundles) = watch::channel(None);
    let (serving, readiness, metrics) = (ServingCertificate::default(), Readiness::new(), Arc::new(Metrics::default()));
    let condition = readiness.register("certificate");
    let outlets = Outlets { serving: serving.clone(), bundle, metrics: Arc::clone(&metrics), condition, clock };
    let managed = manage(client.clone(), place(namespace), settings.clone(), leadership.clone(), published, outlets);
    let manager = tokio::spawn(managed).abort_handle();
    Replica { serving, bundle: bundles, leadership, metrics, readiness, end: Some(end), election, manager }
}

/// Whether something could not be done; the sample is there from the start.
fn has_failed(metrics: &Metrics) -> bool {
    let text = metrics.encode().unwrap();
    text.lines().any(|line| line.contains(r#"result="failed""#) && !line.ends_with(" 0"))
}

async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < Duration::from_secs(40), "not in time: {what}");
        sleep(Duration::from_millis(100)).await;
    }
}

async fn material(secrets: &Api<Secret>) -> (Material, Vec<String>) {
    let data = secrets.get_opt(NAME).await.unwrap().and_then(|secret| secret.data).unwrap_or_default();
    Material::read(&data.into_iter().map(|(key, bytes)| (key, bytes.0)).collect::<Data>())
}

/// Whether what the Secret holds is served by all, and accepted by whom trusts any of their bundles.
async fn is_settled(secrets: &Api<Secret>, replicas: &[&Replica], now: SystemTime) -> bool {
    let (material, problems) = material(secrets).await;
    let Some(pair) = material.serving.filter(|_| problems.is_empty()) else { return false };
    let leaf = sidecar_injector::certificates::material::chain(&pair.certificate).unwrap();
    replicas.iter().all(|replica| {
        let bundle = replica.bundle.borrow().clone().unwrap_or(CaBundle { pem: String::new() });
        let trusted = authorities(&bundle.pem, &mut Vec::new());
        replica.serving.chain().is_some_and(|chain| *chain == *leaf) && pair.verifies(&trusted, &names(), now)
    })
}

#[tokio::test]
async fn two_replicas_keep_one_secret_right() {
    let Some(client) = client().await else { return };
    let secrets = namespace(&client, "certificates-kept").await;
    let settings = Settings { overlap: Duration::from_secs(2), ..Settings::new(names()) };
    let one = &mut replica(&client, "certificates-kept", "one", &settings, clock::now);
    eventually("one leads", async || *one.leadership.borrow()).await;
    let two = &replica(&client, "certificates-kept", "two", &settings, clock::now);
    eventually("made and served", async || is_settled(&secrets, &[one, two], clock::now()).await).await;
    assert!(!*two.leadership.borrow());
    assert!(one.readiness.pending().is_empty() && two.readiness.pending().is_empty());

    let (before, _) = material(&secrets).await;
    let patch = json!({"data": {"tls.key": "bm9uc2Vuc2U="}});
    secrets.patch(NAME, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    eventually("repaired", async || is_settled(&secrets, &[one, two], clock::now()).await).await;
    assert_eq!(material(&secrets).await.0.authorities, before.authorities);
    assert!(one.metrics.encode().unwrap().contains(r#"certificate_changes_total{result="restored"} 1"#));

    secrets.delete(NAME, &DeleteParams::default()).await.unwrap();
    eventually("made again", async || secrets.get_opt(NAME).await.unwrap().is_some()).await;
    assert_eq!(material(&secrets).await.0.serving, before.serving, "replicas go on with what clients accept");
    eventually("a new authority signs", async || {
        is_settled(&secrets, &[one, two], clock::now()).await && material(&secrets).await.0.signer.is_some()
    })
    .await;

    one.end.take().unwrap().send(()).unwrap();
    eventually("two leads", async || *two.leadership.borrow()).await;
    assert!(!*one.leadership.borrow());
}

#[tokio::test]
async fn authorities_rotate_and_what_is_served_is_always_accepted() {
    let Some(client) = client().await else { return };
    let secrets = namespace(&client, "certificates-rotated").await;
    let settings = Settings {
        lifetime: Duration::from_secs(12),
        ca_lifetime: Duration::from_secs(30),
        overlap: Duration::from_secs(3),
        ..Settings::new(names())
    };
    let one = &replica(&client, "certificates-rotated", "one", &settings, clock::now);
    let two = &replica(&client, "certificates-rotated", "two", &settings, clock::now);
    eventually("made and served", async || is_settled(&secrets, &[one, two], clock::now()).await).await;
    let (began, first) = (Instant::now(), one.serving.chain().unwrap());
    while began.elapsed() < Duration::from_secs(32) {
        for served in [one, two] {
            assert!(served.serving.not_after().unwrap() > clock::now());
            assert!(served.readiness.pending().is_empty(), "{}", served.readiness.verbose());
        }
        sleep(Duration::from_millis(200)).await;
    }
    eventually("settled", async || is_settled(&secrets, &[one, two], clock::now()).await).await;
    assert_ne!(one.serving.chain().unwrap().last(), first.last(), "another authority signs");
    let text = [one, two].map(|replica| replica.metrics.encode().unwrap()).concat();
    assert!(text.contains(r#"result="authority_switched""#), "{text}");
}

static STEP: AtomicI64 = AtomicI64::new(0);

fn stepping() -> SystemTime {
    let days = STEP.load(Ordering::Relaxed);
    let step = Duration::from_secs(days.unsigned_abs() * 24 * 3600);
    if days < 0 { clock::now() - step } else { clock::now() + step }
}

#[tokio::test]
async fn steps_of_the_clock_end_in_a_certificate_that_is_accepted() {
    let Some(client) = client().await else { return };
    let secrets = namespace(&client, "certificates-stepped").await;
    // Looks four times in an overlap.
    let settings = Settings {
        overlap: Duration::from_secs(4),
        propagation: Duration::from_secs(1),
        // As if the API server's were set with it.
        clock_tolerance: Duration::MAX,
        ..Settings::new(names())
    };
    let one = &replica(&client, "certificates-stepped", "one", &settings, stepping);
    eventually("made and served", async || is_settled(&secrets, &[one], stepping()).await).await;
    for days in [2, 200, -30, 0] {
        STEP.store(days, Ordering::Relaxed);
        eventually(&format!("{days} days"), async || is_settled(&secrets, &[one], stepping()).await).await;
        eventually("ready", async || one.readiness.pending().is_empty()).await;
    }
}

#[tokio::test]
async fn what_others_made_is_left_alone_and_can_be_followed() {
    let Some(client) = client().await else { return };
    let secrets = namespace(&client, "certificates-foreign").await;
    let metadata = ObjectMeta { name: Some(NAME.to_owned()), ..ObjectMeta::default() };
    let issued = sidecar_injector::certificates::issue(
        &names(),
        sidecar_injector::certificates::Validity::one_year(clock::now()),
    )
    .unwrap();
    let string_data = [("tls.crt", issued.certificate), ("tls.key", issued.key), ("ca.crt", issued.ca_certificate)];
    let string_data = string_data.map(|(key, text)| (key.to_owned(), text)).into();
    let foreign = Secret { metadata, string_data: Some(string_data), ..Secret::default() };
    let made = secrets.create(&PostParams::default(), &foreign).await.unwrap();
    let one = &replica(&client, "certificates-foreign", "one", &Settings::new(names()), clock::now);
    eventually("refused", async || has_failed(&one.metrics)).await;
    assert!(one.serving.chain().is_none());
    assert!(one.readiness.verbose().contains("was not made by this program"), "{}", one.readiness.verbose());

    let (serving, readiness, (bundle, bundles)) =
        (ServingCertificate::default(), Readiness::new(), watch::channel(None));
    let condition = readiness.register("certificate");
    let outlets = Outlets { serving: serving.clone(), bundle, metrics: Arc::default(), condition, clock: clock::now };
    let follower = tokio::spawn(follow(client.clone(), place("certificates-foreign"), outlets));
    eventually("followed", async || readiness.pending().is_empty() && bundles.borrow().is_some()).await;
    let chain = serving.chain();
    let patch = json!({"data": {"tls.crt": "bm9uc2Vuc2U="}});
    secrets.patch(NAME, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    eventually("told", async || readiness.verbose().contains("last good") || readiness.verbose().contains("not PEM"))
        .await;
    assert_eq!(serving.chain(), chain);
    follower.abort();
    let present = secrets.get(NAME).await.unwrap();
    assert_eq!(present.metadata.uid, made.metadata.uid);
}
