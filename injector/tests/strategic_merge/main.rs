//! Our strategic merge and that of `kubectl patch --local --type strategic` give the same pods.
#![expect(clippy::disallowed_methods, reason = "kubectl reads files, and the environment can name another seed")]

mod generator;
mod kubectl;
mod random;
mod shape;

use std::env;
use std::thread;

use serde_json::{Value, json};
use sidecar_injector::merge::merge;
use sidecar_test_support::command::require_command;

use crate::generator::Generator;
use crate::random::Random;

/// Each patch is applied to so many pods: a start of kubectl takes longer than all its merges.
const PODS: usize = 10;
const PATCHES: u64 = 200;
/// kubectl starts side by side.
const THREADS: u64 = 2;

/// Differences that a failed test prints.
const PRINTED: usize = 5;

/// Where the random numbers begin: `STRATEGIC_MERGE_SEED`, or else always at the same place.
fn seed() -> u64 {
    env::var("STRATEGIC_MERGE_SEED").map_or(1, |seed| seed.parse().unwrap())
}

fn generate(number: u64, without_recent: bool) -> (Vec<Value>, Value) {
    let random = Random(seed().wrapping_mul(1 << 32).wrapping_add(number));
    let mut generator = Generator { random, without_recent };
    let pods = (0..PODS).map(|_| generator.pod()).collect();
    (pods, generator.patch())
}

fn merged(pod: &Value, patch: &Value) -> Result<Value, String> {
    let mut pod = pod.clone();
    merge(&mut pod, patch).map_err(|error| error.to_string())?;
    Ok(pod)
}

/// Whether kubectl is older than 1.26, as that of Debian 12.
fn lacks_recent_fields() -> bool {
    let folder = tempfile::tempdir().unwrap();
    let scheduling_gates = json!({"spec": {"schedulingGates": [{"name": "a"}]}});
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}, "spec": scheduling_gates["spec"]});
    kubectl::patch(&[pod], &scheduling_gates, folder.path()).0 == [None]
}

/// Describes each pod of a run of patches that comes out otherwise.
fn differences(numbers: impl Iterator<Item = u64>, without_recent: bool) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let mut differences = Vec::new();
    for number in numbers {
        let (pods, patch) = generate(number, without_recent);
        let (expected, refusals) = kubectl::patch(&pods, &patch, folder.path());
        for (pod, expected) in pods.iter().zip(expected) {
            let given = merged(pod, &patch).map(kubectl::decoded);
            let expected = expected.map(kubectl::decoded).ok_or(&refusals);
            if given.as_ref().ok() != expected.as_ref().ok() || expected.is_err() {
                differences.push(describe(number, pod, &patch, &format!("{given:#?}"), &format!("{expected:#?}")));
            }
        }
    }
    differences
}

fn describe(number: u64, pod: &Value, patch: &Value, given: &str, expected: &str) -> String {
    let line = given.lines().zip(expected.lines()).position(|(given, expected)| given != expected).unwrap_or_default();
    let excerpt = |text: &str| text.lines().skip(line.saturating_sub(15)).take(30).collect::<Vec<_>>().join("\n");
    let (given, expected) = (excerpt(given), excerpt(expected));
    format!("patch {number}: {patch}\nof {pod}\ngives\n{given}\nand by kubectl\n{expected}\n")
}

#[test]
fn kubectl_makes_the_same_pods() {
    if !require_command("kubectl", "kubernetes-client") {
        return;
    }
    let without_recent = lacks_recent_fields();
    let differences: Vec<String> = thread::scope(|scope| {
        let part =
            |first: u64| scope.spawn(move || differences((first..PATCHES).step_by(THREADS as usize), without_recent));
        let parts: Vec<_> = (0..THREADS).map(part).collect();
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    });
    let printed = differences.iter().take(PRINTED).cloned().collect::<Vec<_>>().join("\n");
    assert!(differences.is_empty(), "seed {}: {} pods differ\n{printed}", seed(), differences.len());
}

#[test]
fn a_second_merge_changes_nothing() {
    for number in 0..PATCHES {
        let (pods, patch) = generate(number, false);
        for pod in pods {
            let once = merged(&pod, &patch).unwrap();
            assert_eq!(merged(&once, &patch).unwrap(), once, "seed {}, patch {number}: {patch}\nof {pod}", seed());
        }
    }
}

#[test]
fn what_kubectl_refuses_is_refused() {
    if !require_command("kubectl", "kubernetes-client") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod", "finalizers": ["a"]}, "spec": {
        "containers": [{"name": "a"}], "tolerations": [{"key": "a"}], "securityContext": {"runAsUser": 1}}});
    for patch in [
        json!({"spec": {"containers": [{"image": "a"}]}}),
        json!({"spec": {"containers": [{"$patch": "delete"}]}}),
        json!({"spec": {"containers": [{"name": "a", "$patch": "merge"}]}}),
        json!({"spec": {"containers": ["a"]}}),
        json!({"spec": {"securityContext": {"$patch": "merge"}}}),
        json!({"spec": {"securityContext": {"$patch": null}}}),
        json!({"spec": {"securityContext": {"$retainKeys": "runAsUser"}}}),
        json!({"spec": {"securityContext": {"$retainKeys": ["fsGroup"], "runAsUser": 1}}}),
        json!({"spec": {"$setElementOrder/containers": "a"}}),
        json!({"spec": {"$setElementOrder/containers": [{}]}}),
        json!({"spec": {"$setElementOrder/containers": [{"name": "b"}], "containers": [{"name": "a"}]}}),
        json!({"spec": {"$setElementOrder": []}}),
        json!({"metadata": {"finalizers": [{}]}}),
        json!({"metadata": {"$deleteFromPrimitiveList": ["a"]}}),
    ] {
        let (patched, _) = kubectl::patch(std::slice::from_ref(&pod), &patch, folder.path());
        assert_eq!(patched, [None], "{patch}");
        merged(&pod, &patch).unwrap_err();
    }
}
