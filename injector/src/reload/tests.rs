//! The task, with offers as a cluster would make them.
#![expect(clippy::disallowed_methods, reason = "tests write the files that are watched")]

use std::fs;

use arc_swap::ArcSwapOption;

use super::files::ConfigurationFiles;
use super::*;
use crate::config::Source;
use crate::context::Injector;
use crate::eventually::eventually;
use crate::native::Nodes;

const GOOD: &str = "policy: enabled\ntemplates:\n  sidecar: 'spec: {containers: [{name: istio-proxy, image: \"{{ .Values.image }}\"}]}'\n";

fn offered(config: &str, values: &str) -> Option<Offered> {
    let source = |origin: &str, text: &str| Source { origin: origin.to_owned(), text: text.to_owned() };
    let sources =
        Sources { config: source("config", config), values: source("values", values), mesh: source("mesh", "") };
    let object = ObjectReference { name: Some("istio-sidecar-injector".to_owned()), ..ObjectReference::default() };
    Some(Offered { offer: Offer::Texts(sources), objects: vec![object] })
}

async fn until(current: &Current, what: impl Fn(&Injector) -> bool) {
    eventually(|| current.load().as_ref().is_some_and(|injector| what(injector))).await;
}

#[tokio::test]
async fn configuration_and_cluster_come_together_and_mistakes_are_told() {
    let current: Current = Arc::new(ArcSwapOption::empty());
    let (events, mut told) = Events::channel();
    let (readiness, metrics) = (Readiness::new(), Arc::<Metrics>::default());
    let settings = InjectorSettings { revision: "canary".to_owned(), ..InjectorSettings::default() };
    let reload = Reload::new(settings, Arc::clone(&current), Arc::clone(&metrics), events, &readiness);
    let (offers, offers_seen) = watch::channel(None);
    let (cluster, cluster_seen) = watch::channel(None);
    let task = tokio::spawn(reload.run(offers_seen, cluster_seen));

    assert_eq!(readiness.pending(), ["configuration"]);
    offers.send_replace(offered(GOOD, "{}"));
    let event = told.recv().await.unwrap();
    assert_eq!((event.reason, event.is_warning), ("ConfigurationRejected", true));
    assert!(event.note.contains("there is no configuration") && event.note.len() <= MAX_NOTE + 4, "{}", event.note);
    assert_eq!(readiness.pending(), ["configuration"]);

    offers.send_replace(offered(GOOD, r#"{"image": "one"}"#));
    assert_eq!(told.recv().await.unwrap().reason, "ConfigurationLoaded");
    assert!(current.load().is_none(), "the cluster is not known yet");
    cluster.send_replace(Some(Arc::default()));
    until(&current, |injector| injector.settings.revision == "canary" && injector.cluster.nodes.is_none()).await;
    assert!(readiness.pending().is_empty());

    offers.send_replace(offered("policy: [", r#"{"image": "two"}"#));
    assert_eq!(told.recv().await.unwrap().reason, "ConfigurationRejected");
    assert!(readiness.pending().is_empty() && readiness.verbose().contains("[!]configuration update not ok"));
    cluster.send_replace(Some(Arc::new(Cluster { nodes: Some(Arc::new(Nodes::default())), ..Cluster::default() })));
    until(&current, |injector| injector.cluster.nodes.is_some() && injector.configuration.values["image"] == "one")
        .await;

    offers.send_replace(offered(GOOD, r#"{"image": "two"}"#));
    until(&current, |injector| injector.configuration.values["image"] == "two").await;
    let text = metrics.encode().unwrap();
    assert!(text.contains("configuration_generation 2") && text.contains(r#"{result="rejected"} 2"#), "{text}");
    task.abort();
}

#[tokio::test]
async fn files_are_read_again_and_a_bad_one_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("config"), GOOD).unwrap();
    fs::write(path("values"), r#"{"image": "one"}"#).unwrap();
    let files = ConfigurationFiles { config: Some(path("config")), values: Some(path("values")), mesh: None };
    let (offers, following) = files::offers(files);
    let current: Current = Arc::new(ArcSwapOption::empty());
    let readiness = Readiness::new();
    let reload =
        Reload::new(InjectorSettings::default(), Arc::clone(&current), Arc::default(), Events::default(), &readiness);
    let (_cluster, known) = watch::channel(Some(Arc::default()));
    let tasks = [tokio::spawn(reload.run(offers, known)), tokio::spawn(following)];
    until(&current, |injector| injector.configuration.values["image"] == "one").await;
    fs::write(path("values"), "{").unwrap();
    eventually(|| readiness.verbose().contains("values:1")).await;
    fs::write(path("values"), r#"{"image": "two"}"#).unwrap();
    until(&current, |injector| injector.configuration.values["image"] == "two").await;
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
}
