//! Traffic that does not go where one would expect.

use serde_json::Value;
use sidecar_contract::{container, identity};

use super::{INIT_CONTAINERS_BEFORE_PROXY, RUNS_AS_PROXY_USER, UDP_PORTS, Warning, name_of, quoted};
use crate::containers::{self, LISTS};
use crate::status::Status;

/// Programs that talk to others: an init container that runs one of them waits for something, or fetches it.
const TALKERS: [&str; 16] = [
    "curl",
    "dig",
    "git",
    "grpcurl",
    "kubectl",
    "mc",
    "mongosh",
    "mysql",
    "nc",
    "netcat",
    "nslookup",
    "pg_isready",
    "psql",
    "redis-cli",
    "wait-for-it",
    "wget",
];

/// Init containers that end before anything else starts.
fn early(pod: &Value) -> impl Iterator<Item = &Value> {
    let init = containers::list(pod, containers::INIT).iter();
    init.filter(|element| element.get("restartPolicy").is_none_or(|policy| policy != "Always"))
}

pub(super) fn has_early_containers(pod: &Value) -> bool {
    early(pod).next().is_some()
}

/// Init containers of `original` that run before the proxy of `injected`, and will miss it.
pub(super) fn early_containers(original: &Value, injected: &Value) -> Option<Warning> {
    containers::find(injected, containers::REGULAR, container::PROXY)?;
    let is_redirected = containers::find(injected, containers::INIT, container::VALIDATION).is_some();
    let is_affected = |element: &&Value| {
        if is_redirected { !is_proxy_id(user(element, original)) } else { talks(element) }
    };
    let affected: Vec<&str> = early(original).filter(is_affected).map(name_of).collect();
    if affected.is_empty() {
        return None;
    }
    let names = quoted(affected);
    let text = if is_redirected {
        format!(
            "init containers {names} run before there is a proxy, and their traffic is redirected to it already: they \
             have no network; use native sidecars, or run them as user {}",
            identity::PROXY_UID
        )
    } else {
        format!(
            "init containers {names} seem to use the network, and run before there is a proxy: what they send goes out as \
             it is; use native sidecars where the cluster has them"
        )
    };
    Some(Warning::new(INIT_CONTAINERS_BEFORE_PROXY, text))
}

/// Whether a container looks as if it called others: by a URL, or by what it runs.
fn talks(element: &Value) -> bool {
    let lists = ["command", "args"].into_iter().filter_map(|list| element.get(list)?.as_array()).flatten();
    let values = element.get("env").and_then(Value::as_array).into_iter().flatten();
    let texts = lists.chain(values.filter_map(|variable| variable.get("value"))).filter_map(Value::as_str);
    let is_word_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let runs_talker = |text: &str| text.split(|c| !is_word_part(c)).any(|word| TALKERS.contains(&word));
    texts.into_iter().any(|text| text.contains("://") || runs_talker(text))
}

/// Redirection is for TCP.
pub(super) fn udp_ports(pod: &Value) -> Option<Warning> {
    let mut ports = Vec::new();
    for element in LISTS.into_iter().flat_map(|list| containers::list(pod, list)) {
        let of_container = element.get("ports").and_then(Value::as_array).into_iter().flatten();
        let udp = of_container.filter(|port| port.get("protocol").is_some_and(|protocol| protocol == "UDP"));
        ports.extend(udp.filter_map(|port| port.get("containerPort")?.as_u64()));
    }
    ports.sort_unstable();
    ports.dedup();
    (!ports.is_empty()).then(|| {
        let text = format!("only TCP goes through the sidecar; UDP on {} passes it by", ports_of(&ports));
        Warning::new(UDP_PORTS, text)
    })
}

fn ports_of(ports: &[u64]) -> String {
    const MOST: usize = 5;
    let shown = ports.iter().take(MOST).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let rest = ports.len().saturating_sub(MOST);
    let noun = if ports.len() == 1 { "port" } else { "ports" };
    if rest == 0 { format!("{noun} {shown}") } else { format!("{noun} {shown} and {rest} more") }
}

/// The rules let the proxy's own user and group pass.
pub(super) fn proxy_user(pod: &Value, status: &Status) -> Option<Warning> {
    let injected = |name: &str| LISTS.into_iter().any(|list| status.names_in(list).any(|added| added == name));
    let is_proxy = |element: &&Value| is_proxy_id(user(element, pod)) || is_proxy_id(group(element, pod));
    let applications = LISTS.into_iter().flat_map(|list| containers::list(pod, list));
    let names: Vec<&str> = applications.filter(is_proxy).map(name_of).filter(|name| !injected(name)).collect();
    (!names.is_empty()).then(|| {
        let text = format!(
            "containers {} run as user or group {}, whose traffic is taken for the proxy's own and passes it by; use \
             another",
            quoted(names),
            identity::PROXY_UID
        );
        Warning::new(RUNS_AS_PROXY_USER, text)
    })
}

fn user<'a>(element: &'a Value, pod: &'a Value) -> &'a Value {
    security("runAsUser", element, pod)
}

fn group<'a>(element: &'a Value, pod: &'a Value) -> &'a Value {
    security("runAsGroup", element, pod)
}

fn security<'a>(field: &str, element: &'a Value, pod: &'a Value) -> &'a Value {
    let of_pod = || pod.get("spec").and_then(|spec| spec.get("securityContext")?.get(field));
    let of_container = element.get("securityContext").and_then(|context| context.get(field));
    of_container.filter(|value| !value.is_null()).or_else(of_pod).unwrap_or(&Value::Null)
}

fn is_proxy_id(id: &Value) -> bool {
    *id == identity::PROXY_UID
}
