//! Kubernetes' Pod Security levels, as far as the containers that injection adds come up against them.

use serde_json::{Map, Value};

use super::{POD_SECURITY_LEVEL, Warning};
use crate::containers::{self, LISTS};
use crate::status::Status;

/// On a namespace: the level that its pods must keep to.
const ENFORCE: &str = "pod-security.kubernetes.io/enforce";

/// The capabilities that `baseline` lets a container add (Kubernetes: Pod Security Standards).
const BASELINE: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];
const RESTRICTED: [&str; 1] = ["NET_BIND_SERVICE"];

/// A level that forbids something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// No ways around the node's own security.
    Baseline,
    /// Nothing that an application does not need.
    Restricted,
}

/// The level that a namespace with these labels enforces; none where everything is allowed.
pub(super) fn enforced(labels: &Map<String, Value>) -> Option<Level> {
    match labels.get(ENFORCE)?.as_str()? {
        "baseline" => Some(Level::Baseline),
        "restricted" => Some(Level::Restricted),
        _ => None,
    }
}

/// Why the level does not admit what was added to the pod; none when it does.
pub(super) fn forbids(level: Level, pod: &Value, status: &Status) -> Option<Warning> {
    let added = [LISTS[1], LISTS[0]].into_iter().flat_map(|list| {
        let names = status.names_in(list);
        names.filter_map(move |name| Some((name, containers::find(pod, list, name)?)))
    });
    let (name, why) = added.into_iter().find_map(|(name, element)| Some((name, level.objection(element, pod)?)))?;
    let text = format!(
        "the namespace enforces the Pod Security level {}, which does not admit container '{}': {why}; let a CNI plugin \
         redirect the traffic, or enforce another level",
        level.name(),
        name.escape_default()
    );
    Some(Warning::new(POD_SECURITY_LEVEL, text))
}

impl Level {
    /// As the label has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Restricted => "restricted",
        }
    }

    fn objection(self, container: &Value, pod: &Value) -> Option<String> {
        let context = container.get("securityContext").unwrap_or(&Value::Null);
        if context.get("privileged") == Some(&Value::Bool(true)) {
            return Some("it is privileged".to_owned());
        }
        let allowed: &[&str] = if self == Self::Baseline { &BASELINE } else { &RESTRICTED };
        let capabilities = |which: &str| {
            context.pointer(&format!("/capabilities/{which}")).and_then(Value::as_array).map_or(&[][..], Vec::as_slice)
        };
        let added = capabilities("add").iter().filter_map(Value::as_str);
        if let Some(capability) = added.into_iter().find(|capability| !allowed.contains(capability)) {
            return Some(format!("it adds the capability {}", capability.escape_default()));
        }
        if self == Self::Baseline {
            return None;
        }
        let field = |name: &str| {
            let of_pod = || pod.pointer("/spec/securityContext").and_then(|context| context.get(name));
            context.get(name).filter(|value| !value.is_null()).or_else(of_pod)
        };
        if field("runAsUser").is_some_and(|user| *user == 0) || field("runAsNonRoot") != Some(&Value::Bool(true)) {
            return Some("it may run as root".to_owned());
        }
        if context.get("allowPrivilegeEscalation") != Some(&Value::Bool(false)) {
            return Some("it may gain privileges".to_owned());
        }
        let drops_all = capabilities("drop").iter().any(|capability| capability == "ALL");
        (!drops_all).then(|| "it keeps capabilities that it does not drop".to_owned())
    }
}
