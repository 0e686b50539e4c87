//! Probes of the application that go through the sidecar.
//!
//! The kubelet has no certificate of the mesh, and what it sends is not for the sidecar to count. So each probe is sent
//! to a path of the sidecar's own, and the sidecar asks the application.

use serde_json::{Map, Value, json};
use sidecar_contract::{annotation, container, environment};

use crate::annotations::go_bool;
use crate::containers;
use crate::context::{Context, PodSettings, StatusPorts};
use crate::warnings::{PROBE_NOT_REWRITTEN, Warning};
use crate::workload::metadata_map;

/// What the paths begin with under which the sidecar answers for probes of the application.
pub(crate) const REWRITTEN_PATHS: &str = "/app-health/";

/// Fields of a container with a probe, or of its lifecycle with a handler, and the last part of the path for it.
const PROBES: [(&str, &str); 3] =
    [("livenessProbe", "livez"), ("readinessProbe", "readyz"), ("startupProbe", "startupz")];
const HANDLERS: [(&str, &str); 2] = [("preStop", "prestopz"), ("postStart", "poststartz")];

/// What the sidecar is told of one probe, and what the kubelet is to do instead.
struct Rewritten {
    /// None when the sidecar has been told already, or cannot be told.
    prober: Option<Value>,
    /// Of a probe that cannot be rewritten: why.
    problem: Option<String>,
}

/// Sends the probes of all containers but the sidecar through the sidecar, and returns what is to be said of those that
/// were left as they are. `was_injected`: the pod carries the sidecar of an earlier injection.
pub(super) fn rewrite(
    pod: &mut Value,
    context: &Context<'_>,
    settings: &PodSettings,
    was_injected: bool,
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if containers::sidecar(pod).is_none() || !is_enabled(pod, context) {
        return warnings;
    }
    let StatusPorts { probes: status, rewritten, .. } = context.status_ports(pod, settings);
    let ports = Ports { status, rewritten, is_istio: context.mode().is_istio() };
    if ports.status == 0 && !ports.is_istio {
        // A sidecar that is told to answer nowhere; and nowhere is no port that a probe can have.
        return warnings;
    }
    let mut probers = Map::new();
    for list in [containers::INIT, containers::REGULAR] {
        for element in containers::list_mut(pod, list).into_iter().flatten().filter_map(Value::as_object_mut) {
            let name = element.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
            if name != container::PROXY {
                rewrite_container(element, &name, &ports, &mut probers, &mut warnings);
            }
        }
    }
    if !probers.is_empty() {
        tell_the_sidecar(pod, probers, was_injected);
    }
    warnings
}

/// Where the sidecar answers for the application.
struct Ports {
    /// To which probes are sent.
    status: u16,
    /// A probe that is sent there has been rewritten before.
    rewritten: u16,
    /// Istio's injector leaves a probe of an unknown port to a sidecar that knows nothing of it.
    is_istio: bool,
}

fn is_enabled(pod: &Value, context: &Context<'_>) -> bool {
    let given = metadata_map(pod, "annotations").get(annotation::REWRITE_PROBES).and_then(Value::as_str);
    given.and_then(go_bool).unwrap_or_else(|| {
        let webhook = context.injector.configuration.values.get("sidecarInjectorWebhook");
        webhook.and_then(|webhook| webhook.get("rewriteAppHTTPProbe")).and_then(Value::as_bool).unwrap_or(false)
    })
}

fn rewrite_container(
    element: &mut Map<String, Value>,
    name: &str,
    ports: &Ports,
    probers: &mut Map<String, Value>,
    warnings: &mut Vec<Warning>,
) {
    let declared = element.get("ports").cloned().unwrap_or_default();
    let mut one = |handler: &mut Map<String, Value>, field: &str, path: String, is_probe: bool| {
        let Some(Rewritten { prober, problem }) = rewrite_handler(handler, &path, &declared, ports, is_probe) else {
            return;
        };
        if let Some(prober) = prober {
            probers.insert(path, prober);
        }
        warnings.extend(problem.map(|problem| {
            let text = format!("the {field} of container {name} is left as it is, past the sidecar: {problem}");
            Warning::new(PROBE_NOT_REWRITTEN, text)
        }));
    };
    for (field, end) in PROBES {
        if let Some(Value::Object(probe)) = element.get_mut(field) {
            one(probe, field, format!("{REWRITTEN_PATHS}{name}/{end}"), true);
        }
    }
    for (field, end) in HANDLERS {
        if let Some(Value::Object(handler)) =
            element.get_mut("lifecycle").and_then(|lifecycle| lifecycle.get_mut(field))
        {
            one(handler, field, format!("/app-lifecycle/{name}/{end}"), false);
        }
    }
}

/// Rewrites one probe or handler; `None` when it is of a kind that the kubelet carries out within the container.
fn rewrite_handler(
    handler: &mut Map<String, Value>,
    path: &str,
    declared: &Value,
    ports: &Ports,
    is_probe: bool,
) -> Option<Rewritten> {
    let kinds: &[&str] = if is_probe { &["httpGet", "tcpSocket", "grpc"] } else { &["httpGet", "tcpSocket"] };
    let kind = kinds.iter().copied().find(|kind| handler.get(*kind).is_some_and(Value::is_object))?;
    let action = handler.get(kind)?.as_object()?;
    let port = resolve(action.get("port").unwrap_or(&Value::Null), declared);
    let is_rewritten = kind != "grpc" && port == Ok(ports.rewritten.into());
    let known = match &port {
        Ok(_) if is_rewritten => None,
        Ok(port) => Some(*port),
        Err(problem) if !ports.is_istio => return Some(Rewritten { prober: None, problem: Some(problem.clone()) }),
        Err(_) => None,
    };
    if is_rewritten && !ports.is_istio {
        return None;
    }
    let prober = known.map(|port| {
        let mut prober = Map::from_iter([(kind.to_owned(), told(kind, action, port))]);
        let timeout = handler.get("timeoutSeconds").filter(|timeout| is_probe && timeout.as_i64() != Some(0));
        prober.extend(
            timeout.filter(|timeout| timeout.is_number()).map(|timeout| ("timeoutSeconds".to_owned(), timeout.clone())),
        );
        Value::Object(prober)
    });
    match handler.get_mut(kind) {
        Some(Value::Object(action)) if kind == "httpGet" => {
            action.insert("path".to_owned(), path.into());
            action.insert("port".to_owned(), ports.status.into());
            if let Some(scheme) = action.get_mut("scheme").filter(|scheme| *scheme == "HTTPS") {
                *scheme = "HTTP".into();
            }
        }
        _ => {
            handler.shift_remove(kind);
            handler.insert("httpGet".to_owned(), json!({"path": path, "port": ports.status}));
        }
    }
    Some(Rewritten { prober, problem: None })
}

/// The number of a port that is given by number or by the name of one of the container's.
fn resolve(port: &Value, declared: &Value) -> Result<i64, String> {
    let by_name = |name: &str| {
        let ports = declared.as_array().map_or(&[][..], Vec::as_slice);
        ports.iter().find(|port| containers::is_named(port, name))?.get("containerPort")?.as_i64()
    };
    match port {
        Value::Number(number) => number.as_i64().ok_or_else(|| format!("its port {number} is no port")),
        Value::String(name) => by_name(name).ok_or_else(|| {
            format!("its port is named '{}', and the container declares no such port", name.escape_default())
        }),
        _ => Err("it has no port".to_owned()),
    }
}

/// The action as the sidecar's agent reads it: the fields it knows, and the port as a number.
fn told(kind: &str, action: &Map<String, Value>, port: i64) -> Value {
    let fields: &[&str] = match kind {
        "httpGet" => &["path", "port", "host", "scheme", "httpHeaders"],
        "tcpSocket" => &["port", "host"],
        _ => &["port", "service"],
    };
    let is_given = |value: &Value| !value.is_null() && value != "";
    let mut told = Map::new();
    for field in fields {
        match *field {
            "port" => drop(told.insert("port".to_owned(), port.into())),
            "service" => drop(told.insert("service".to_owned(), action.get("service").cloned().unwrap_or_default())),
            // A header without a value has an empty one.
            "httpHeaders" => {
                let header = |header: &Value| json!({"name": header["name"], "value": header["value"].as_str().unwrap_or_default()});
                let headers = action.get(*field).and_then(Value::as_array).filter(|headers| !headers.is_empty());
                told.extend(headers.map(|headers| ((*field).to_owned(), headers.iter().map(header).collect())));
            }
            field => {
                let value = action.get(field).filter(|value| is_given(value));
                told.extend(value.map(|value| (field.to_owned(), value.clone())));
            }
        }
    }
    Value::Object(told)
}

/// Gives the sidecar `probers`. To those of an earlier injection only what is new is added: what the pod's probes say
/// now is what that injection made of them.
fn tell_the_sidecar(pod: &mut Value, mut probers: Map<String, Value>, was_injected: bool) {
    let former = containers::sidecar(pod)
        .filter(|_| was_injected)
        .and_then(|sidecar| containers::variable(sidecar, environment::APP_PROBERS))
        .and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok());
    let is_there = former.is_some();
    probers.extend(former.unwrap_or_default());
    let mut sorted: Vec<_> = probers.into_iter().collect();
    sorted.sort_by(|(one, _), (other, _)| one.cmp(other));
    let text = Value::Object(sorted.into_iter().collect()).to_string();
    let Some(list) = containers::sidecar_mut(pod).and_then(containers::variables_mut) else { return };
    match list.iter_mut().find(|variable| is_there && containers::is_named(variable, environment::APP_PROBERS)) {
        Some(variable) => *variable = containers::new_variable(environment::APP_PROBERS, &text),
        None => list.push(containers::new_variable(environment::APP_PROBERS, &text)),
    }
}
