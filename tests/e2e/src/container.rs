//! A container of the manifest as plain values: what it runs, under whom, and when it is ready.

use std::collections::BTreeMap;

use serde_json::Value;
use sidecar_test_support::program::{Capabilities, Confinement};

use crate::error::Error;

/// What a container runtime leaves a container that asks for nothing.
const DEFAULT_CAPABILITIES: [&str; 14] = [
    "audit_write",
    "chown",
    "dac_override",
    "fowner",
    "fsetid",
    "kill",
    "mknod",
    "net_bind_service",
    "net_raw",
    "setfcap",
    "setgid",
    "setpcap",
    "setuid",
    "sys_chroot",
];

/// A container, with everything of it that can be had without a container runtime. Volumes cannot.
#[derive(Clone, Debug)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// Its image, whole.
    pub image: String,
    /// Arguments to the image's entry point, before variables are expanded.
    pub args: Vec<String>,
    /// Environment variables in order, before variables are expanded.
    pub env: Vec<(String, Variable)>,
    /// Under whom it runs. Without `runAsUser` the user is 0.
    pub confinement: Confinement,
    /// Whether the manifest says under which user it runs; else its image does.
    pub says_user: bool,
    /// Its TCP ports.
    pub ports: Vec<u16>,
    /// How the kubelet asks whether it is ready; `None` when it does not ask.
    pub readiness: Option<HttpGet>,
    /// An init container that runs as long as the pod does.
    pub restarts_always: bool,
}

/// Where a variable's value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Variable {
    /// The manifest.
    Literal(String),
    /// A field of the pod, as in `status.podIP`.
    Field(String),
}

/// A probe over HTTP to the pod's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpGet {
    /// Path, with its `/`.
    pub path: String,
    /// TCP port.
    pub port: u16,
}

impl Container {
    /// Reads a container; `pod_security` is the pod's `securityContext`, which the container's own overrides.
    ///
    /// # Errors
    /// [`Error::Manifest`] for a field that cannot be had here, by name.
    pub fn read(container: &Value, pod_security: &Value) -> Result<Self, Error> {
        let name = text(container, "/name").unwrap_or_default();
        let wrong = |what: &str| Error::Manifest(format!("container `{name}`: {what}"));
        if !list(container, "/command").is_empty() {
            return Err(wrong("`command` replaces the image's entry point, which is all that is known of an image"));
        }
        let security = &container["securityContext"];
        let mut env = Vec::new();
        for entry in list(container, "/env") {
            env.push(variable(entry).ok_or_else(|| wrong(&format!("cannot set the variable {entry}")))?);
        }
        let number = |key: &str| security[key].as_u64().or(pod_security[key].as_u64());
        let id = |key| number(key).map(u32::try_from).transpose().map_err(|_| wrong(&format!("`{key}` is no user id")));
        Ok(Self {
            image: text(container, "/image").ok_or_else(|| wrong("has no image"))?,
            args: list(container, "/args").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            env,
            confinement: Confinement {
                uid: id("runAsUser")?.unwrap_or(0),
                gid: id("runAsGroup")?.unwrap_or(0),
                capabilities: capabilities(security),
                privilege_escalation: security["allowPrivilegeEscalation"].as_bool().unwrap_or(true),
                read_only_root: security["readOnlyRootFilesystem"].as_bool().unwrap_or(false),
            },
            says_user: number("runAsUser").is_some(),
            ports: list(container, "/ports")
                .iter()
                .filter_map(|port| port["containerPort"].as_u64()?.try_into().ok())
                .collect(),
            readiness: http_get(&container["readinessProbe"]),
            restarts_always: container["restartPolicy"] == "Always",
            name,
        })
    }

    /// The last part of the image without its tag: `hub.example/kong/httpbin:1` is `httpbin`.
    pub fn image_name(&self) -> &str {
        let last = self.image.rsplit('/').next().unwrap_or_default();
        last.split([':', '@']).next().unwrap_or_default()
    }

    /// Its environment, with `fields` of the pod filled in and every `$(NAME)` of an earlier variable expanded.
    ///
    /// # Errors
    /// [`Error::Manifest`] for a field of the pod that is not in `fields`.
    pub fn environment(&self, fields: &BTreeMap<String, String>) -> Result<Vec<(String, String)>, Error> {
        let mut environment = Vec::new();
        for (name, variable) in &self.env {
            let value = match variable {
                Variable::Literal(literal) => expand(literal, &environment),
                Variable::Field(path) => fields.get(path).cloned().ok_or_else(|| {
                    Error::Manifest(format!("container `{}`: {name} needs the unknown field {path}", self.name))
                })?,
            };
            environment.push((name.clone(), value));
        }
        Ok(environment)
    }

    /// Its arguments, with every `$(NAME)` of its environment expanded.
    pub fn arguments(&self, environment: &[(String, String)]) -> Vec<String> {
        self.args.iter().map(|argument| expand(argument, environment)).collect()
    }
}

fn variable(entry: &Value) -> Option<(String, Variable)> {
    let value = match &entry["valueFrom"] {
        Value::Null => Variable::Literal(text(entry, "/value").unwrap_or_default()),
        source => Variable::Field(text(source, "/fieldRef/fieldPath")?),
    };
    Some((text(entry, "/name")?, value))
}

fn capabilities(security: &Value) -> Capabilities {
    if security["privileged"] == true {
        return Capabilities::All;
    }
    let named = |pointer| list(security, pointer).iter().filter_map(Value::as_str).map(str::to_lowercase);
    let mut set: Vec<String> = DEFAULT_CAPABILITIES.map(str::to_owned).into();
    for dropped in named("/capabilities/drop") {
        set.retain(|name| dropped != "all" && *name != dropped);
    }
    set.extend(named("/capabilities/add"));
    Capabilities::Only(set.into_iter().collect())
}

fn http_get(probe: &Value) -> Option<HttpGet> {
    let get = probe.get("httpGet")?;
    Some(HttpGet { path: text(get, "/path")?, port: get["port"].as_u64()?.try_into().ok()? })
}

/// `$(NAME)` becomes the variable's value and `$$` a `$`; an unknown name stays as it is, as in Kubernetes.
fn expand(template: &str, env: &[(String, String)]) -> String {
    let mut expanded = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        expanded.push_str(before);
        let reference = after.strip_prefix('(').and_then(|inner| inner.split_once(')'));
        let known = reference.and_then(|(name, _)| env.iter().rev().find(|(known, _)| known == name));
        rest = match (after.strip_prefix('$'), reference, known) {
            (Some(escaped), ..) => {
                expanded.push('$');
                escaped
            }
            (None, Some((_, behind)), Some((_, value))) => {
                expanded.push_str(value);
                behind
            }
            _ => {
                expanded.push('$');
                after
            }
        };
    }
    expanded + rest
}

fn text(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer)?.as_str().map(str::to_owned)
}

fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests;
