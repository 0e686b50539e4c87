//! Watches that tell little, much, or nothing.

use std::time::{Duration, Instant};

use serde_json::json;

use super::*;

fn forbidden() -> Problem {
    Problem::Forbidden("nodes is forbidden".to_owned())
}

fn list<V>(items: impl IntoIterator<Item = (String, V)>) -> Vec<Told<V>> {
    let items = items.into_iter().map(|(key, value)| Ok(Event::InitApply((key, Some(value)))));
    [Ok(Event::Init)].into_iter().chain(items).chain([Ok(Event::InitDone)]).collect()
}

fn take_all<V>(state: &mut State, kind: fn(Told<V>) -> Change, told: Vec<Told<V>>) {
    for told in told {
        state.take(kind(told));
    }
}

#[test]
fn all_lists_are_waited_for_or_known_to_be_forbidden() {
    let mut state = State::new(Cluster::default(), true, true);
    assert_eq!(
        state.pending().unwrap(),
        "waiting for nodes; waiting for proxyconfigs.networking.istio.io; waiting for namespaces"
    );
    assert!(state.take(Change::ProxyConfigs(Err(Problem::NotInstalled))));
    assert!(state.take(Change::Nodes(Err(forbidden()))));
    assert!(!state.take(Change::Nodes(Err(forbidden()))), "nothing new");
    assert!(!state.take(Change::Namespaces(Err(forbidden()))));
    assert_eq!(state.pending().unwrap(), "may not list and watch namespaces: nodes is forbidden");
    assert!(state.cluster().is_none());
    take_all(&mut state, Change::Namespaces, list([]));
    let cluster = state.cluster().unwrap();
    assert!(cluster.nodes.is_none() && cluster.proxy_configs.is_empty());
    assert!(state.summary().starts_with("may not list and watch nodes: "), "{}", state.summary());
    take_all(&mut state, Change::Nodes, list([("a".to_owned(), "v1.33.0".to_owned())]));
    assert_eq!(state.cluster().unwrap().nodes.unwrap().len(), 1, "the role was mended");
    state.take(Change::Nodes(Err(forbidden())));
    assert_eq!(state.cluster().unwrap().nodes.unwrap().len(), 1, "what is known stays");
    assert!(state.summary().starts_with("1 nodes (may not"), "{}", state.summary());
}

#[test]
fn proxy_configs_that_cannot_be_read_are_left_out_and_all_go_with_their_kind() {
    let mut state = State::new(Cluster::default(), false, false);
    let object = json!({"apiVersion": "networking.istio.io/v1beta1", "kind": "ProxyConfig",
        "metadata": {"name": "a", "namespace": "b"}});
    let good = ProxyConfigResource::read(&object).unwrap();
    take_all(
        &mut state,
        Change::ProxyConfigs,
        list([("b/a".to_owned(), Ok(good)), ("b/b".to_owned(), Err("no".to_owned()))]),
    );
    assert_eq!(state.cluster().unwrap().proxy_configs.len(), 1);
    assert_eq!(state.told.len(), 1);
    assert!(state.take(Change::ProxyConfigs(Err(Problem::NotInstalled))));
    assert!(state.cluster().unwrap().proxy_configs.is_empty());
}

#[test]
fn large_clusters_are_cheap_to_follow() {
    let mut state = State::new(Cluster::default(), true, true);
    take_all(&mut state, Change::ProxyConfigs, list([]));
    take_all(&mut state, Change::Nodes, list((0..5_000).map(|node| (format!("node-{node}"), "v1.34.1".to_owned()))));
    let range = json!({"openshift.io/sa.scc.uid-range": "1000620000/10000"});
    let annotations = || Arc::new(range.as_object().unwrap().clone());
    take_all(&mut state, Change::Namespaces, list((0..10_000).map(|name| (format!("ns-{name}"), annotations()))));
    let first = state.cluster().unwrap();
    let heartbeat = Change::Nodes(Ok(Event::Apply(("node-7".to_owned(), Some("v1.34.1".to_owned())))));
    assert!(!state.take(heartbeat), "neither name nor version changed");
    let begun = Instant::now();
    assert!(state.take(Change::Nodes(Ok(Event::Apply(("node-7".to_owned(), Some("v1.28.0".to_owned())))))));
    let second = state.cluster().unwrap();
    assert!(Arc::ptr_eq(&first.namespaces, &second.namespaces), "what did not change is shared");
    assert!(state.take(Change::Namespaces(Ok(Event::Apply(("new".to_owned(), Some(annotations())))))));
    assert_eq!(state.cluster().unwrap().namespaces.len(), 10_001);
    println!("{:?} for a node and a namespace", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}
