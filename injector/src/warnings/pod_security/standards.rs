//! What each level demands of containers, volumes and pods (Kubernetes: Pod Security Standards, as of 1.34).

use serde_json::{Map, Value};

use super::Level;
use crate::workload::metadata_map;

/// The capabilities that `baseline` lets a container add.
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

/// What may be in a volume under `restricted`.
const VOLUMES: [&str; 9] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
];
const SYSCTLS: [&str; 12] = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
];
const SELINUX_TYPES: [&str; 5] = ["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"];
/// Of seccomp and of AppArmor.
const PROFILES: [&str; 2] = ["RuntimeDefault", "Localhost"];
/// Before there were fields for it.
const APPARMOR_ANNOTATION: &str = "container.apparmor.security.beta.kubernetes.io/";

/// Whether the container writes the rules that redirect traffic.
pub(super) fn redirects(container: &Value) -> bool {
    capabilities(container, "add").any(|capability| capability == "NET_ADMIN")
}

/// Why the level does not admit a container of `pod`.
pub(super) fn of_container(level: Level, container: &Value, pod: &Value) -> Option<String> {
    let context = security(container);
    if is_true(context, "privileged") {
        return Some("it is privileged".to_owned());
    }
    let allowed: &[&str] = if level == Level::Baseline { &BASELINE } else { &RESTRICTED };
    if let Some(capability) = capabilities(container, "add").find(|capability| !allowed.contains(capability)) {
        return Some(format!("it adds the capability {}", capability.escape_default()));
    }
    let of_restricted = || match level {
        Level::Baseline => None,
        Level::Restricted => beyond_baseline(container, pod),
    };
    baseline(container).or_else(of_restricted).map(str::to_owned)
}

fn baseline(container: &Value) -> Option<&'static str> {
    let context = security(container);
    let has_host_port = || items(container, "ports").any(|port| port.get("hostPort").is_some_and(|port| *port != 0));
    let is_other_mount = || text(context, "procMount").is_some_and(|mount| mount != "Default");
    profiles(context)
        .or_else(|| is_true(&context["windowsOptions"], "hostProcess").then_some("it is a process of the host"))
        .or_else(|| has_host_port().then_some("it has a port of the host"))
        .or_else(|| is_other_mount().then_some("its procMount is not Default"))
        .or_else(|| names_host(container).then_some("a probe or hook names a host (refused from Kubernetes 1.34 on)"))
}

/// What pods and containers both have.
fn profiles(context: &Value) -> Option<&'static str> {
    let selinux = &context["seLinuxOptions"];
    let is_set = |field| text(selinux, field).is_some_and(|value| !value.is_empty());
    let is_other_type = text(selinux, "type").is_some_and(|label| !SELINUX_TYPES.contains(&label));
    let is_other =
        |profile: &Value| profile.is_object() && text(profile, "type").is_none_or(|kind| !PROFILES.contains(&kind));
    if is_other(&context["seccompProfile"]) {
        Some("its seccompProfile is neither RuntimeDefault nor Localhost")
    } else if is_other(&context["appArmorProfile"]) {
        Some("its appArmorProfile is neither RuntimeDefault nor Localhost")
    } else if is_other_type || is_set("user") || is_set("role") {
        Some("its seLinuxOptions are not those of a container")
    } else {
        None
    }
}

fn names_host(container: &Value) -> bool {
    let probes = ["livenessProbe", "readinessProbe", "startupProbe"].into_iter().map(|probe| &container[probe]);
    let hooks = ["postStart", "preStop"].into_iter().map(|hook| &container["lifecycle"][hook]);
    let has_host = |handler: &Value| {
        ["httpGet", "tcpSocket"]
            .into_iter()
            .any(|kind| text(&handler[kind], "host").is_some_and(|host| !host.is_empty()))
    };
    probes.chain(hooks).any(has_host)
}

fn beyond_baseline(container: &Value, pod: &Value) -> Option<&'static str> {
    let (context, of_pod) = (security(container), security(&pod["spec"]));
    let field = |name: &str| if context[name].is_null() { &of_pod[name] } else { &context[name] };
    if *field("runAsUser") == 0 || *field("runAsNonRoot") != true {
        return Some("it may run as root");
    }
    if context["allowPrivilegeEscalation"] != false {
        return Some("it may gain privileges");
    }
    if !capabilities(container, "drop").any(|capability| capability == "ALL") {
        return Some("it keeps capabilities that it does not drop");
    }
    let seccomp = text(field("seccompProfile"), "type");
    let is_confined = seccomp.is_some_and(|kind| PROFILES.contains(&kind));
    (!is_confined).then_some("it has no seccompProfile, RuntimeDefault or Localhost")
}

/// Why the level does not admit a volume.
pub(super) fn of_volume(level: Level, volume: &Value) -> Option<&'static str> {
    if volume.get("hostPath").is_some_and(|path| !path.is_null()) {
        return Some("it is a path of the host");
    }
    let is_allowed = VOLUMES.iter().any(|kind| volume.get(kind).is_some_and(|source| !source.is_null()));
    (level == Level::Restricted && !is_allowed).then_some("its type is not one of those that are allowed")
}

/// Why the level does not admit what stands beside containers and volumes: everything that it objects to.
pub(super) fn of_pod(level: Level, pod: &Value) -> Vec<&'static str> {
    let (spec, context) = (&pod["spec"], security(&pod["spec"]));
    let is_restricted = level == Level::Restricted;
    let has_other_sysctl =
        items(context, "sysctls").any(|sysctl| text(sysctl, "name").is_some_and(|name| !SYSCTLS.contains(&name)));
    let objections = [
        is_true(spec, "hostNetwork").then_some("it uses the host's network"),
        is_true(spec, "hostPID").then_some("it sees the host's processes"),
        is_true(spec, "hostIPC").then_some("it shares memory with the host"),
        is_true(&context["windowsOptions"], "hostProcess").then_some("it is a process of the host"),
        has_other_sysctl.then_some("it sets a sysctl that is not among the safe ones"),
        profiles(context),
        (is_restricted && context["runAsUser"] == 0).then_some("its runAsUser is 0"),
        (is_restricted && context["runAsNonRoot"] == false).then_some("its runAsNonRoot is false"),
        has_other_apparmor(metadata_map(pod, "annotations")).then_some("an annotation names another AppArmor profile"),
    ];
    objections.into_iter().flatten().collect()
}

fn has_other_apparmor(annotations: &Map<String, Value>) -> bool {
    let named = annotations.iter().filter(|(name, _)| name.starts_with(APPARMOR_ANNOTATION));
    let mut profiles = named.filter_map(|(_, value)| value.as_str());
    profiles.any(|profile| !profile.is_empty() && profile != "runtime/default" && !profile.starts_with("localhost/"))
}

fn security(of: &Value) -> &Value {
    &of["securityContext"]
}

fn is_true(object: &Value, field: &str) -> bool {
    object[field] == true
}

fn text<'a>(object: &'a Value, field: &str) -> Option<&'a str> {
    object[field].as_str()
}

fn items<'a>(object: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    object[field].as_array().into_iter().flatten()
}

fn capabilities<'a>(container: &'a Value, which: &str) -> impl Iterator<Item = &'a str> {
    items(&security(container)["capabilities"], which).filter_map(Value::as_str)
}
