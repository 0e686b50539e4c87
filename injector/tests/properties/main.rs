//! What holds for every pod: of all kinds of workload, with all kinds of content, under several configurations.
//!
//! 20,000 cases by default. A million of them take a few minutes, and `SIDECAR_PROPERTY_SEED` makes others:
//!
//! ```sh
//! SIDECAR_PROPERTY_CASES=1000000 cargo test --release -p sidecar-injector --test properties
//! ```
#![expect(clippy::unwrap_used, reason = "a test that cannot read its own pods fails")]
#![expect(clippy::panic, reason = "a property that does not hold fails the test with its own words")]
#![expect(clippy::print_stdout, reason = "how many cases were of use is told to whoever asks")]

#[path = "../common/annotations.rs"]
mod annotations;
#[path = "../common/choices.rs"]
mod choices;
#[path = "../common/containers.rs"]
mod containers;
mod foreign;
#[path = "../common/generated_pods.rs"]
mod pods;
mod runner;
#[path = "../common/settings.rs"]
mod settings;
mod streams;
mod text;

use std::collections::{BTreeMap, HashSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::{Value, json};
use sidecar_injector::context::Injector;
use sidecar_injector::inject::inject;
use sidecar_injector::manifest::{Action, inject_manifest, uninject_manifest};
use sidecar_injector::patch::diff;
use sidecar_injector::review::{ReviewOutcome, review};
use sidecar_injector::uninject::uninject;
use sidecar_injector::workload::names;
use sidecar_injector::yaml;

use choices::Choices;
use pods::{pod, say, workload};
use runner::check;
use settings::{CORRECTED, ISTIO, context, injected};
use text::{Place, shape};

/// One of the injectors of the default mode.
fn injector(choices: &mut Choices<'_>) -> &'static Injector {
    &CORRECTED[choices.below(CORRECTED.len())]
}

/// Whether `given` is `expected`, in the order of its keys too.
fn same(given: &Value, expected: &Value, input: &Value) -> Result<(), TestCaseError> {
    let (one, other) = (given.to_string(), expected.to_string());
    if one == other {
        return Ok(());
    }
    let differing = one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count();
    let around = |text: &str| text.chars().skip(differing.saturating_sub(100)).take(200).collect::<String>();
    let patch = json!(diff(expected, given));
    Err(TestCaseError::fail(format!("{patch}\ngiven …{}…\nwanted …{}…\nof {input}", around(&one), around(&other))))
}

#[test]
fn injecting_twice_is_injecting_once() {
    check(175, |choices| {
        let (injector, pod) = (injector(choices), pod(choices));
        let Ok(first) = injected(&pod, injector) else { return Ok(false) };
        let second = inject(&first.pod, &context(injector, &first.pod))
            .map_err(|error| TestCaseError::fail(format!("{error}\nof {pod}\ninjected {}", first.pod)))?;
        same(&second.pod, &first.pod, &pod)?;
        Ok(true)
    });
}

#[test]
fn uninjecting_gives_the_pod_back() {
    check(175, |choices| {
        let (injector, pod) = (injector(choices), pod(choices));
        let Ok(outcome) = injected(&pod, injector) else { return Ok(false) };
        // A pod that says it was injected before is first what it was then.
        let original = uninject(&pod).unwrap().map_or_else(|| pod.clone(), |former| former.pod);
        let uninjected = uninject(&outcome.pod).map_err(|error| TestCaseError::fail(error.to_string()))?.unwrap();
        prop_assert!(uninjected.is_exact);
        same(&uninjected.pod, &original, &pod)?;
        Ok(true)
    });
}

/// An AdmissionReview that asks about `pod`.
fn request(pod: &Value) -> Value {
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "1",
        "kind": {"group": "", "version": "v1", "kind": "Pod"}, "operation": "CREATE", "namespace": "demo", "object": pod}})
}

#[test]
fn the_patch_makes_the_injected_pod_out_of_the_request() {
    check(125, |choices| {
        let (injector, mut pod) = (injector(choices), pod(choices));
        // Where the pod is counts for its context.
        if let Some(metadata) = pod["metadata"].as_object_mut() {
            metadata.shift_remove("namespace");
        }
        let result = injected(&pod, injector);
        let review = review(request(&pod).to_string().as_bytes(), &BTreeMap::new(), injector).unwrap();
        let response = &review.answer["response"];
        match (review.outcome, result) {
            (ReviewOutcome::Injected, Ok(outcome)) => {
                let patch = STANDARD.decode(response["patch"].as_str().unwrap()).unwrap();
                let mut patched = pod.clone();
                json_patch::patch(&mut patched, &serde_json::from_slice::<json_patch::Patch>(&patch).unwrap()).unwrap();
                prop_assert_eq!(&patched, &outcome.pod, "of {}", pod);
                prop_assert_eq!(&response["allowed"], &json!(true));
                return Ok(true);
            }
            (ReviewOutcome::Denied | ReviewOutcome::Failed, Err(error)) => {
                let message = response["status"]["message"].as_str().unwrap();
                prop_assert!(message.ends_with(&error.to_string()), "{}", message);
            }
            (ReviewOutcome::Skipped, _) => prop_assert!(response["patch"].is_null()),
            (outcome, result) => prop_assert!(false, "{:?} and {:?}", outcome, result),
        }
        Ok(false)
    });
}

#[test]
fn documents_that_are_skipped_stay_byte_for_byte() {
    check(75, |choices| {
        let injector = injector(choices);
        let mut stream = String::new();
        for _ in 0..=choices.below(4) {
            let mut pod = pod(choices);
            match choices.below(3) {
                0 => say(&mut pod, "false"),
                1 => pod["spec"]["hostNetwork"] = true.into(),
                _ => {}
            }
            let mut object = workload(choices, &pod);
            match choices.below(3) {
                0 if pod["metadata"]["labels"]["sidecar.istio.io/inject"] != "false" => {
                    object["apiVersion"] = "example.com/v1".into();
                }
                _ if pod["spec"]["hostNetwork"] != true => object["kind"] = "ConfigMap".into(),
                _ => {}
            }
            stream.push_str(choices.pick(&["---\n", "--- # a document\n", "---\n---\n", "---\n# only this\n---\n"]));
            stream.push_str(&if choices.chance(50) {
                object.to_string() + "\n"
            } else {
                yaml::write(&object).unwrap()
            });
            stream.push_str(choices.pick(&["", "# the end\n", "\n\n"]));
        }
        let Ok(manifest) = inject_manifest(&stream, injector) else { return Ok(false) };
        if manifest.report.iter().any(|object| matches!(object.action, Action::Injected(..))) {
            return Ok(false);
        }
        prop_assert_eq!(manifest.text, stream);
        Ok(true)
    });
}

#[test]
fn manifests_are_injected_once_and_uninjected_again() {
    check(75, |choices| {
        let (injector, pod) = (injector(choices), pod(choices));
        let object = workload(choices, &pod);
        let text = yaml::write(&object).unwrap();
        let Ok(once) = inject_manifest(&text, injector) else { return Ok(false) };
        let twice =
            inject_manifest(&once.text, injector).map_err(|errors| TestCaseError::fail(format!("{errors:?}")))?;
        prop_assert_eq!(twice.text, once.text.clone());
        let Action::Injected(_, outcome) = &once.report[0].action else { return Ok(false) };
        prop_assert!(once.text.contains("sidecar.istio.io/status"), "{:?}", outcome.templates);
        if object.to_string().contains("sidecar.istio.io/status") {
            return Ok(false);
        }
        let undone = uninject_manifest(&once.text).map_err(|errors| TestCaseError::fail(format!("{errors:?}")))?;
        prop_assert_eq!(yaml::read_manifest(&undone.text).unwrap().to_string(), object.to_string());
        Ok(true)
    });
}

#[test]
fn the_same_pod_is_always_injected_alike() {
    check(25, |choices| {
        let (injector, pod) = (injector(choices), pod(choices));
        let text = || injected(&pod, injector).map(|outcome| (outcome.pod.to_string(), outcome.warnings));
        prop_assert_eq!(text(), text());
        Ok(true)
    });
}

#[test]
fn injected_pods_are_valid_and_refused_ones_are_told_why() {
    check(125, |choices| {
        let (injector, pod) = (injector(choices), pod(choices));
        let outcome = match injected(&pod, injector) {
            Ok(outcome) => outcome,
            Err(error) => {
                let messages = error.messages();
                prop_assert!(
                    !messages.is_empty() && messages.iter().all(|message| message.contains(": ")),
                    "{}",
                    error
                );
                return Ok(false);
            }
        };
        let pod = &outcome.pod;
        let all: Vec<&str> =
            ["initContainers", "containers", "ephemeralContainers"].iter().flat_map(|list| names(pod, list)).collect();
        prop_assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len(), "{:?}", all);
        let volumes = names(pod, "volumes");
        prop_assert_eq!(volumes.iter().collect::<HashSet<_>>().len(), volumes.len(), "{:?}", volumes);
        let injected =
            [("initContainers", &outcome.status.init_containers), ("containers", &outcome.status.containers)];
        for (list, injected) in injected {
            for name in injected.iter().flatten() {
                let mut containers = pod["spec"][list].as_array().into_iter().flatten();
                let container = containers.find(|container| container["name"] == name.as_str()).unwrap();
                let image = container["image"].as_str().unwrap_or_default();
                prop_assert!(!image.is_empty(), "{}", container);
                // Of what else is mounted it is the user who has to bring the volume.
                let mounts = container["volumeMounts"].as_array().into_iter().flatten();
                for volume in mounts.filter_map(|mount| mount["name"].as_str()) {
                    prop_assert!(volumes.contains(&volume) || volume == "data" || volume == "scratch", "{}", container);
                }
            }
        }
        Ok(true)
    });
}

#[test]
fn nothing_panics_on_any_json() {
    check(125, |choices| {
        let injectors = if choices.chance(50) { &*ISTIO } else { &*CORRECTED };
        let injector = &injectors[choices.below(injectors.len())];
        let mut pod = if choices.chance(20) { choices.json(5) } else { pod(choices) };
        for _ in 0..choices.below(5) {
            let junk = choices.json(3);
            choices.replace(&mut pod, &junk);
        }
        let _ = injected(&pod, injector);
        let _ = uninject(&pod);
        let mut body = request(&pod);
        if choices.chance(30) {
            let junk = choices.json(2);
            choices.replace(&mut body, &junk);
        }
        let _ = review(body.to_string().as_bytes(), &BTreeMap::new(), injector);
        let mut object = workload(choices, &pod);
        if choices.chance(30) {
            let junk = choices.json(2);
            choices.replace(&mut object, &junk);
        }
        let mut text = if choices.chance(50) { object.to_string() } else { yaml::write(&object).unwrap_or_default() };
        if choices.chance(30) {
            let cut = (0..=choices.below(256) * text.len() / 256).rev().find(|cut| text.is_char_boundary(*cut));
            text.insert_str(cut.unwrap_or_default(), choices.odd());
        }
        let _ = inject_manifest(&text, injector);
        let _ = uninject_manifest(&text);
        Ok(true)
    });
}

#[test]
fn in_istios_mode_a_second_injection_has_the_same_containers() {
    check(50, |choices| {
        let (injector, pod) = (&ISTIO[choices.below(ISTIO.len())], pod(choices));
        let Ok(first) = injected(&pod, injector) else { return Ok(false) };
        let Ok(second) = injected(&first.pod, injector) else { return Ok(false) };
        // Templates do not see what a status lists, be it of somebody's own making.
        if pod.pointer("/metadata/annotations/sidecar.istio.io~1status").is_some() {
            return Ok(false);
        }
        let all = |pod: &Value| -> HashSet<String> {
            ["containers", "initContainers", "volumes"]
                .iter()
                .flat_map(|list| names(pod, list).into_iter().map(move |name| format!("{list} {name}")))
                .collect()
        };
        prop_assert_eq!(all(&second.pod), all(&first.pod), "of {}", pod);
        Ok(true)
    });
}

#[test]
fn what_others_add_between_two_injections_stays() {
    check(75, |choices| {
        let (injector, pod) = (injector(choices), pod(choices));
        let Ok(first) = injected(&pod, injector) else { return Ok(false) };
        let mut changed = first.pod;
        let additions = foreign::add(choices, &mut changed);
        let second = injected(&changed, injector)
            .map_err(|error| TestCaseError::fail(format!("{error}\nof {pod}\nchanged {changed}")))?;
        for addition in &additions {
            prop_assert!(addition.is_in(&second.pod), "{:?} is lost\nof {}\nin {}", addition, changed, second.pod);
        }
        let third = injected(&second.pod, injector).map_err(|error| TestCaseError::fail(error.to_string()))?;
        same(&third.pod, &second.pod, &changed)?;
        Ok(true)
    });
}

#[test]
fn text_of_the_pod_stays_text() {
    check(75, |choices| {
        let injectors = if choices.chance(30) { &*ISTIO } else { &*CORRECTED };
        let injector = &injectors[choices.below(injectors.len())];
        let place = Place::any(choices);
        let harmless = place.harmless();
        let text =
            [choices.pick(&["", harmless[0], "80"]), choices.odd(), choices.pick(&["", harmless[0], "\""])].concat();
        let pod = place.pod(&text);
        match injected(&pod, injector) {
            Ok(outcome) => {
                let given = shape(&outcome.pod);
                let is_known = |text: &&str| {
                    injected(&place.pod(text), injector).is_ok_and(|outcome| shape(&outcome.pod) == given)
                };
                prop_assert!(harmless.iter().any(is_known), "{:?} with {:?} gives {}", place, text, outcome.pod);
            }
            Err(error) => {
                prop_assert!(error.to_string().contains(place.name()), "{:?} with {:?}: {}", place, text, error);
            }
        }
        Ok(true)
    });
}
