//! Somebody is always there: the default installation behind its Service, in a network of its own, while replicas come
//! and go.

mod cluster;
mod endpoints;
mod load;

use std::time::{Duration, Instant};

use serde_json::json;
use sidecar_test_support::eventually::eventually;

use super::super::installation::{NAMESPACE, PATIENCE, Replica, has_sidecar};
use cluster::{Cluster, Pod};
use load::Load;

const INJECTOR: &str = "istio-sidecar-injector";

#[test]
fn replicas_come_and_go_and_one_of_them_leads() {
    Cluster::run("availability", |cluster| {
        without_configuration_nobody_is_sent_here(cluster);
        let mut replicas = ["a", "b"].map(|name| (name, cluster.start_in_endpoints(name)));
        cluster.until_registered();
        let pod = cluster.create_pod("web").unwrap();
        assert!(has_sidecar(&pod), "{}", pod["spec"]);

        let leader = cluster.leader();
        replicas.sort_by_key(|(name, _)| **name != leader);
        let [(_, first), (other, mut second)] = replicas;
        let killed = Instant::now();
        first.kill();
        cluster.until_led_by(other);
        report(&format!("another leads {:?} after the leader was killed", killed.elapsed()));
        spoil_registration(cluster);

        let third = cluster.start_in_endpoints("c");
        let ended = Instant::now();
        second.replica.terminate();
        cluster.until_led_by("c");
        report(&format!("another leads {:?} after the leader was ended", ended.elapsed()));
        spoil_registration(cluster);
        assert!(second.replica.wait().status.success());
        drop(third);
        ended_at_once_by_a_second_signal(cluster);
    });
}

fn without_configuration_nobody_is_sent_here(cluster: &Cluster<'_>) {
    cluster.kubectl(&["delete", "configmap", INJECTOR]).unwrap();
    // Listens, or this would not return.
    let mut pod = cluster.start_pod("empty");
    eventually(PATIENCE, || match pod.replica.report() {
        report if report.contains(INJECTOR) => Ok(()),
        report => Err(report),
    })
    .unwrap();
    let probed = eventually(PATIENCE, || cluster.endpoints.probed(&pod.address).ok_or("not asked"));
    assert!(!probed.unwrap(), "{}", pod.replica.report());
    assert!(cluster.endpoints.published().is_empty());
    // Before it was ready; the same end as any other.
    pod.replica.terminate();
    let output = pod.replica.wait();
    assert!(output.status.success() && output.stderr.contains("drained"), "{}", output.stderr);
    cluster.install();
}

fn ended_at_once_by_a_second_signal(cluster: &Cluster<'_>) {
    let mut pod = cluster.start_in_endpoints("d");
    pod.replica.terminate();
    let signalled = Instant::now();
    eventually(PATIENCE, || if pod.replica.log().contains("draining") { Ok(()) } else { Err("not yet") }).unwrap();
    pod.replica.terminate();
    let output = pod.replica.wait();
    assert!(output.status.success() && output.stderr.contains("second signal"), "{}", output.stderr);
    report(&format!("ended {:?} after the first of two signals", signalled.elapsed()));
}

/// Changes what the leader keeps right, and waits until it is.
fn spoil_registration(cluster: &Cluster<'_>) {
    let patch = json!([{"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Ignore"}]).to_string();
    cluster.kubectl(&["patch", "mutatingwebhookconfiguration", INJECTOR, "--type=json", "-p", &patch]).unwrap();
    eventually(PATIENCE, || match cluster.registration() {
        Some(object) if object["webhooks"][0]["failurePolicy"] == "Fail" => Ok(()),
        other => Err(other.unwrap_or_default().to_string()),
    })
    .unwrap();
}

#[test]
fn no_creation_fails_while_replicas_are_replaced() {
    Cluster::run("rollout", |cluster| {
        let mut pods = vec![cluster.start_in_endpoints("a-0"), cluster.start_in_endpoints("b-0")];
        cluster.until_registered();
        let load = Load::start(&cluster.server);
        load.until(50);
        for round in 1..=2 {
            let leaving: Vec<Pod> = std::mem::take(&mut pods);
            let mut ending = Vec::new();
            for mut pod in leaving {
                let (letter, _) = pod.name.split_once('-').unwrap();
                pods.push(cluster.start_in_endpoints(&format!("{letter}-{round}")));
                pod.replica.terminate();
                ending.push(pod);
            }
            for mut pod in ending {
                let output = pod.replica.wait();
                assert!(output.status.success(), "{}", output.stderr);
                assert!(output.stderr.contains(r#""drained""#), "{}", output.stderr);
            }
        }
        let count = load.stop();
        report(&format!("while replaced: {count}"));
        assert!(count.failed.is_empty() && count.uninjected == 0, "{count}");

        after_a_crash(cluster, pods);
    });
}

/// Calls to a replica that is dead fail until its endpoint is gone, and no longer.
fn after_a_crash(cluster: &Cluster<'_>, mut pods: Vec<Pod>) {
    let load = Load::start(&cluster.server);
    load.until(20);
    let killed = Instant::now();
    pods.remove(0).kill();
    eventually(PATIENCE, || if cluster.endpoints.published().len() == 1 { Ok(()) } else { Err("still there") })
        .unwrap();
    let withdrawn = killed.elapsed();
    // For the API server to hear of it.
    std::thread::sleep(Duration::from_secs(2));
    let before = load.failures();
    load.until(50);
    assert_eq!(load.failures(), before, "nobody is sent to it any more");
    let count = load.stop();
    report(&format!("after a crash, with the endpoint there for {withdrawn:?}: {count}"));
    assert_eq!(count.uninjected, 0);
}

#[expect(clippy::print_stderr, reason = "measured, and not asserted")]
fn report(what: &str) {
    eprintln!("{what}");
}
