//! Manifests, images and templates say what the code says: names, ports, arguments, files.
#![expect(clippy::disallowed_methods, reason = "the manifests are files")]
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod images;
mod kustomize;
mod webhook;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Container, Namespace, Service, ServiceAccount};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sidecar_contract::{config, image, label, namespace, port};
use sidecar_injector::cli::serve::{DRAIN_DEADLINE, Serve};
use sidecar_injector::cli::{Cli, Command};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn text(path: &str) -> String {
    std::fs::read_to_string(repository().join(path)).unwrap()
}

fn yaml(path: &str) -> Value {
    sidecar_injector::yaml::read_config(&text(path)).unwrap()
}

/// Decodes a manifest, and fails on a field that its type does not know.
fn decode<T: DeserializeOwned + Serialize>(path: &str) -> T {
    let given = yaml(path);
    let typed: T = serde_json::from_value(given.clone()).unwrap();
    let unknown = unknown_fields(&given, &serde_json::to_value(&typed).unwrap(), path);
    assert!(unknown.is_empty(), "unknown to the API: {unknown:?}");
    typed
}

fn unknown_fields(given: &Value, known: &Value, path: &str) -> Vec<String> {
    match (given, known) {
        (Value::Object(given), Value::Object(known)) => given
            .iter()
            .flat_map(|(key, value)| {
                let path = format!("{path}: {key}");
                known.get(key).map_or_else(|| vec![path.clone()], |known| unknown_fields(value, known, &path))
            })
            .collect(),
        (Value::Array(given), Value::Array(known)) => {
            given.iter().zip(known).flat_map(|(given, known)| unknown_fields(given, known, path)).collect()
        }
        _ => Vec::new(),
    }
}

fn deployment() -> Deployment {
    decode("manifests/deployment.yaml")
}

fn container(deployment: &Deployment) -> &Container {
    &deployment.spec.template.spec.as_ref().unwrap().containers[0]
}

#[expect(clippy::panic, reason = "a helper of a test fails the test")]
fn serve(container: &Container) -> Serve {
    let arguments = std::iter::once(image::INJECTOR).chain(container.args.iter().flatten().map(String::as_str));
    match Cli::try_parse_from(arguments).unwrap().command {
        Command::Serve(serve) => serve,
        other => panic!("does not serve: {other:?}"),
    }
}

#[test]
fn an_unknown_field_would_be_noticed() {
    let given = serde_json::json!({"metadata": {"name": "a"}, "spec": {"replica": 2}});
    let known = serde_json::to_value(
        serde_json::from_value::<Deployment>(serde_json::json!({"metadata": {"name": "a"},
        "spec": {"selector": {}, "template": {}}}))
        .unwrap(),
    )
    .unwrap();
    assert_eq!(unknown_fields(&given, &known, "x"), ["x: spec: replica"]);
}

#[test]
fn names_lead_from_one_manifest_to_the_next() {
    let deployment = deployment();
    let (service, account): (Service, ServiceAccount) =
        (decode("manifests/service.yaml"), decode("manifests/rbac.yaml"));
    let spec = &deployment.spec;
    let pod = spec.template.spec.as_ref().unwrap();
    let labels = spec.template.metadata.as_ref().unwrap().labels.as_ref().unwrap();
    assert_eq!(deployment.metadata.name.as_deref(), Some(config::INJECTOR_NAME));
    assert_eq!(pod.service_account_name, account.metadata.name);
    for selector in [&spec.selector.match_labels, &service.spec.as_ref().unwrap().selector] {
        assert!(selector.as_ref().unwrap().iter().all(|(key, value)| labels.get(key) == Some(value)), "{selector:?}");
    }
    assert_eq!(labels.get(label::INJECT).map(String::as_str), Some("false"), "the injector would wait for itself");
    assert_eq!(decode::<Namespace>("manifests/namespace.yaml").metadata.name.as_deref(), Some(namespace::INJECTOR));
    assert_eq!(yaml("manifests/kustomization.yaml")["namespace"], namespace::INJECTOR);
}

#[test]
fn ports_are_those_of_the_contract() {
    let deployment = deployment();
    let container = container(&deployment);
    let named = |name: &str| {
        let ports = container.ports.iter().flatten();
        ports.clone().find(|port| port.name.as_deref() == Some(name)).unwrap().container_port
    };
    assert_eq!(named("https-webhook"), i32::from(port::WEBHOOK));
    assert_eq!(named("http-monitoring"), i32::from(port::INJECTOR_MONITORING));
    let service: Service = decode("manifests/service.yaml");
    for service_port in service.spec.unwrap().ports.unwrap() {
        let Some(IntOrString::String(target)) = service_port.target_port else { panic!("{service_port:?}") };
        let expected = if target == "https-webhook" { port::WEBHOOK_SERVICE } else { port::INJECTOR_MONITORING };
        assert_eq!(service_port.port, i32::from(expected));
        named(&target);
    }
    for probe in [&container.readiness_probe, &container.liveness_probe] {
        let probed = &probe.as_ref().unwrap().http_get.as_ref().unwrap().port;
        assert_eq!(*probed, IntOrString::String("http-monitoring".to_owned()));
    }
}

#[test]
fn the_injector_understands_its_arguments_and_finds_its_files() {
    let deployment = deployment();
    let container = container(&deployment);
    let serve = serve(container);
    let mounts: Vec<_> = container.volume_mounts.iter().flatten().collect();
    let mounted = |file: &Option<PathBuf>| {
        let file = file.as_ref().unwrap();
        let mount = mounts.iter().find(|mount| Path::new(&mount.mount_path) == file.parent().unwrap()).unwrap();
        (mount.name.clone(), file.file_name().unwrap().to_str().unwrap().to_owned())
    };
    assert_eq!(mounted(&serve.config.inject_config_file), ("inject".to_owned(), config::CONFIG_KEY.to_owned()));
    assert_eq!(mounted(&serve.config.values_file), ("inject".to_owned(), config::VALUES_KEY.to_owned()));
    assert_eq!(mounted(&serve.tls_cert_file), ("certificate".to_owned(), "tls.crt".to_owned()));
    assert_eq!(mounted(&serve.tls_key_file), ("certificate".to_owned(), "tls.key".to_owned()));

    let pod = deployment.spec.template.spec.as_ref().unwrap();
    let volumes = pod.volumes.as_ref().unwrap();
    assert_eq!(volumes[0].config_map.as_ref().unwrap().name, config::INJECTOR_NAME);
    let secret = volumes[1].secret.as_ref().unwrap().secret_name.as_deref().unwrap();
    let generator = &yaml("manifests/kustomization.yaml")["secretGenerator"][0];
    assert_eq!(generator["name"], secret);
    let files: Vec<_> = generator["files"].as_array().unwrap().iter().map(|file| file.as_str().unwrap()).collect();
    assert_eq!(files, ["certificates/ca.crt", "certificates/tls.crt", "certificates/tls.key"]);
}

#[test]
fn the_pod_has_time_to_drain_and_no_privilege() {
    let deployment = deployment();
    let pod = deployment.spec.template.spec.as_ref().unwrap();
    let drain = serve(container(&deployment)).drain_delay() + DRAIN_DEADLINE;
    assert!(drain < Duration::from_secs(pod.termination_grace_period_seconds.unwrap().try_into().unwrap()));
    let context = container(&deployment).security_context.as_ref().unwrap();
    assert_eq!(context.read_only_root_filesystem, Some(true));
    assert_eq!(context.allow_privilege_escalation, Some(false));
    assert_eq!(context.capabilities.as_ref().unwrap().drop.as_deref(), Some(&["ALL".to_owned()][..]));
    assert_eq!(pod.security_context.as_ref().unwrap().run_as_non_root, Some(true));
}

#[test]
fn the_config_map_is_made_of_the_embedded_files() {
    let generator = &yaml("templates/kustomization.yaml")["configMapGenerator"][0];
    assert_eq!(generator["name"], config::INJECTOR_NAME);
    let files = [format!("{}=config.yaml", config::CONFIG_KEY), format!("{}=values.json", config::VALUES_KEY)];
    assert_eq!(generator["files"], serde_json::json!(files));
}
