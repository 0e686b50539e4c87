//! What an injection has to leave behind: a valid pod, and what others added to our containers meanwhile.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::{Made, alternatives, fingerprint, overrides};
use crate::annotations::LONGEST_IN_ALL;
use crate::containers::{self, LISTS};
use crate::context::Context;
use crate::merge::merge;
use crate::status::Status;
use crate::workload::{FieldError, check_pod, metadata_map};

const VOLUMES: &str = "volumes";

/// Checks the parts of `pod` that injection has made out of `original`.
///
/// # Errors
/// Every field that would make the pod invalid. What is the pod's own fault is for the API server to say.
pub(super) fn check(
    pod: &Value,
    original: &Value,
    fragment: &Value,
    context: &Context<'_>,
) -> Result<(), Vec<FieldError>> {
    let mut errors = check_pod(pod, context.mode()).err().unwrap_or_default();
    let names = |pod: &Value, list: &str| -> Vec<String> {
        containers::list(pod, list)
            .iter()
            .filter_map(|element| Some(element.get("name")?.as_str()?.to_owned()))
            .collect()
    };
    let volumes: HashSet<String> = names(pod, VOLUMES).into_iter().collect();
    if volumes.len() < containers::list(pod, VOLUMES).len() && names(original, VOLUMES).len() == volumes.len() {
        errors.push(FieldError::new("spec.volumes", "two volumes have the same name"));
    }
    for list in LISTS {
        for name in names(fragment, list) {
            let Some(made) = containers::find(pod, list, &name) else { continue };
            let field = format!("spec.{list}[{name}]");
            if made.get("image").and_then(Value::as_str).unwrap_or_default().is_empty() {
                errors.push(FieldError::new(
                    format!("{field}.image"),
                    "is missing; no template gives this container an image",
                ));
            }
            // A StatefulSet's claims become volumes only when its pods are made.
            if context.owner.kind == "StatefulSet" {
                continue;
            }
            let mounts =
                containers::find(fragment, list, &name).and_then(|element| element.get("volumeMounts")?.as_array());
            for volume in mounts.into_iter().flatten().filter_map(|mount| mount.get("name")?.as_str()) {
                if !volumes.contains(volume) {
                    errors.push(FieldError::new(
                        format!("{field}.volumeMounts"),
                        format!("there is no volume '{volume}'"),
                    ));
                }
            }
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// Checks that the annotations of `pod` are not too long where those of `given` were not.
///
/// # Errors
/// The API server would only say that they are.
pub(super) fn check_annotations(pod: &Value, given: &Value) -> Result<(), FieldError> {
    let length = |pod: &Value| -> usize {
        let entries = metadata_map(pod, "annotations").iter();
        entries.map(|(name, value)| name.len() + value.as_str().unwrap_or_default().len()).sum()
    };
    let (before, after) = (length(given), length(pod));
    if before > LONGEST_IN_ALL || after <= LONGEST_IN_ALL {
        return Ok(());
    }
    let problem = format!(
        "come to {after} bytes with what injection writes, and Kubernetes takes {LONGEST_IN_ALL}; make the pod's \
         own, which are {before}, or what it says of the sidecar shorter"
    );
    Err(FieldError::new("metadata.annotations", problem))
}

/// Another webhook may have added to the containers and volumes of an earlier injection, `injected`: that stays. What
/// templates say wins.
///
/// Whether somebody did is seen by the fingerprint of what the earlier injection made: without one who did, what is no
/// longer in the templates goes.
pub(super) fn keep_what_others_added(made: &mut Made, injected: Option<&Value>) {
    let former = injected.and_then(Status::on);
    let fresh = fingerprint::of(&made.pod, &made.status);
    if let (Some(injected), Some(former)) = (injected, former)
        && former.digest.as_ref().is_some_and(|recorded| *recorded != fingerprint::of(injected, &former))
    {
        for list in [LISTS[0], LISTS[1], VOLUMES] {
            keep(made, injected, list);
        }
    }
    made.status.digest = Some(fresh);
}

fn keep(made: &mut Made, injected: &Value, list: &str) {
    let names: Vec<String> = containers::list(&made.fragment, list)
        .iter()
        .filter_map(|element| Some(element.get("name")?.as_str()?.to_owned()))
        .collect();
    for name in names {
        let (Some(present), Some(fresh)) =
            (containers::find(injected, list, &name), containers::find_mut(&mut made.pod, list, &name))
        else {
            continue;
        };
        let mut both = json!({"spec": {list: [present]}});
        let mut patch = Value::Object(fresh.clone());
        overrides::remove_directives(&mut patch);
        alternatives::one_action_and_value(&mut patch);
        let mut patch = json!({"spec": {list: [patch]}});
        alternatives::one_source_for_volumes(&mut patch);
        if merge(&mut both, &patch).is_ok()
            && let Some(Value::Object(merged)) = containers::take(&mut both, list, &name)
            // Where there is nothing to keep, a fresh container is like one of a first injection, in its order too.
            && merged != *fresh
        {
            *fresh = merged;
        }
    }
}
