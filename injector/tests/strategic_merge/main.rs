//! Our strategic merge and that of `kubectl patch --local --type strategic` give the same pods.
#![expect(clippy::disallowed_methods, reason = "kubectl reads files, and the environment names another seed")]
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod generator;
mod oracle;
mod random;
mod shape;

use std::env;
use std::thread;

use serde_json::{Value, json};
use sidecar_injector::merge::merge;

use crate::generator::Generator;
use crate::oracle::{Oracle, decoded, oracle};
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

fn generate(number: u64) -> (Vec<Value>, Value) {
    let random = Random(seed().wrapping_mul(1 << 32).wrapping_add(number));
    let mut generator = Generator { random };
    let pods = (0..PODS).map(|_| generator.pod()).collect();
    (pods, generator.patch())
}

fn merged(pod: &Value, patch: &Value) -> Result<Value, String> {
    let mut pod = pod.clone();
    merge(&mut pod, patch).map_err(|error| error.to_string())?;
    Ok(pod)
}

/// Describes each pod of a run of patches that comes out otherwise.
fn differences(numbers: impl Iterator<Item = u64>, oracle: &Oracle) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let mut differences = Vec::new();
    for number in numbers {
        let (pods, patch) = generate(number);
        let (expected, refusals) = oracle.patch(&pods, &patch, folder.path());
        for (pod, expected) in pods.iter().zip(expected) {
            let difference = match (merged(pod, &patch).map(decoded), expected.map(decoded)) {
                (Ok(given), Some(expected)) => difference("", &given, &expected),
                (Ok(_), None) => Some(format!("refused: {}", refusals.trim())),
                (Err(error), _) => Some(error),
            };
            differences.extend(difference.map(|what| format!("{what}\n  patch {number}: {patch}\n  pod: {pod}")));
        }
    }
    differences
}

/// The first place at which two values differ.
fn difference(path: &str, given: &Value, expected: &Value) -> Option<String> {
    match (given, expected) {
        (Value::Object(given), Value::Object(expected)) if given.keys().all(|name| expected.contains_key(name)) => {
            let of = |name: &String| given.get(name).unwrap_or(&Value::Null);
            expected.iter().find_map(|(name, expected)| difference(&format!("{path}.{name}"), of(name), expected))
        }
        (Value::Array(given), Value::Array(expected)) if given.len() == expected.len() => {
            let pairs = given.iter().zip(expected).enumerate();
            pairs.into_iter().find_map(|(at, (given, expected))| difference(&format!("{path}[{at}]"), given, expected))
        }
        _ => (given != expected).then(|| format!("{path}: {given}, and of Kubernetes {expected}")),
    }
}

#[test]
fn kubectl_makes_the_same_pods() {
    let Some(oracle) = oracle() else { return };
    let differences: Vec<String> = thread::scope(|scope| {
        let part = |first: u64| scope.spawn(move || differences((first..PATCHES).step_by(THREADS as usize), oracle));
        let parts: Vec<_> = (0..THREADS).map(part).collect();
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    });
    let printed = differences.iter().take(PRINTED).cloned().collect::<Vec<_>>().join("\n");
    assert!(differences.is_empty(), "seed {}: {} pods differ\n{printed}", seed(), differences.len());
}

#[test]
fn a_second_merge_changes_nothing() {
    for number in 0..PATCHES {
        let (pods, patch) = generate(number);
        for pod in pods {
            let once = merged(&pod, &patch).unwrap();
            assert_eq!(merged(&once, &patch).unwrap(), once, "seed {}, patch {number}: {patch}\nof {pod}", seed());
        }
    }
}

#[test]
fn what_kubectl_refuses_is_refused() {
    let Some(oracle) = oracle() else { return };
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
        let (patched, _) = oracle.patch(std::slice::from_ref(&pod), &patch, folder.path());
        assert_eq!(patched, [None], "{patch}");
        merged(&pod, &patch).unwrap_err();
    }
}
