//! How long one pod takes: the decision, the injection, the patch, and the whole answer to the API server.
//!
//! `cargo bench -p sidecar-injector` prints the times, as `review/ten containers/Istio`. Istio's own template is used
//! where the conformance data is at hand (`SIDECAR_CONFORMANCE`), and `Istio` then stands in the names; elsewhere it is
//! ours, and `own`.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::hint::black_box;

use criterion::Criterion;
use serde_json::{Value, json};
use sidecar_injector::config::{Configuration, Source, Sources};
use sidecar_injector::context::Injector;
use sidecar_injector::decide::decide;
use sidecar_injector::defaults;
use sidecar_injector::inject::inject;
use sidecar_injector::owner::owner_of_pod;
use sidecar_injector::patch::verified;
use sidecar_injector::review::{ReviewOutcome, review};
use sidecar_test_support::conformance;

fn main() -> Result<(), Box<dyn Error>> {
    let mut criterion = Criterion::default().without_plots().configure_from_args();
    let (whose, sources) = match of_istio() {
        Some(sources) => ("Istio", sources?),
        None => ("own", defaults::sources()),
    };
    let configuration = Configuration::load(&sources).map_err(|errors| format!("{errors:?}"))?;
    let injector = Injector::new(configuration);
    for (size, pod) in [("small pod", small()), ("ten containers", ten_containers()), ("2000 variables", variables())] {
        time(&mut criterion, &format!("{size}/{whose}"), &pod, &injector)?;
    }
    criterion.final_summary();
    Ok(())
}

fn time(criterion: &mut Criterion, name: &str, pod: &Value, injector: &Injector) -> Result<(), Box<dyn Error>> {
    let variables = BTreeMap::new();
    let context = injector.context(owner_of_pod(pod), injector.namespace("demo"), &variables);
    let injected = inject(pod, &context)?.pod;
    let body = request(pod).to_string();
    let answer = review(body.as_bytes(), &variables, injector)?;
    if answer.outcome != ReviewOutcome::Injected {
        return Err(format!("{name}: {}", answer.reason).into());
    }

    criterion.bench_function(&format!("decide/{name}"), |bencher| {
        bencher.iter(|| decide(black_box(pod), "demo", &injector.configuration.config));
    });
    criterion.bench_function(&format!("inject/{name}"), |bencher| {
        bencher.iter(|| inject(black_box(pod), &context));
    });
    criterion.bench_function(&format!("inject again/{name}"), |bencher| {
        bencher.iter(|| inject(black_box(&injected), &context));
    });
    criterion.bench_function(&format!("patch/{name}"), |bencher| {
        bencher.iter(|| verified(black_box(pod), black_box(&injected)));
    });
    criterion.bench_function(&format!("review/{name}"), |bencher| {
        bencher.iter(|| review(black_box(body.as_bytes()), &variables, injector));
    });
    Ok(())
}

fn of_istio() -> Option<Result<Sources, std::io::Error>> {
    #[expect(clippy::disallowed_methods, reason = "settings are files")]
    let source = |name: &str| {
        let path = conformance::folder("inject")?.join("settings").join(name);
        Some(fs::read_to_string(path).map(|text| Source { origin: name.to_owned(), text }))
    };
    let (config, values, mesh) =
        (source("config-571831c6.yaml")?, source("values-c050df89.json")?, source("mesh-f1d57606.yaml")?);
    Some(config.and_then(|config| Ok(Sources { config, values: values?, mesh: mesh? })))
}

fn request(pod: &Value) -> Value {
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "1",
        "kind": {"group": "", "version": "v1", "kind": "Pod"}, "operation": "CREATE", "namespace": "demo", "object": pod}})
}

fn pod_of(containers: &[Value]) -> Value {
    let owner =
        json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-6f5d4c7b8", "uid": "1", "controller": true});
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"generateName": "web-6f5d4c7b8-", "ownerReferences": [owner],
            "labels": {"app": "web", "version": "v1", "pod-template-hash": "6f5d4c7b8"}},
        "spec": {"serviceAccountName": "web", "containers": containers,
            "volumes": [{"name": "token", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}],
            "tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "tolerationSeconds": 300}]}})
}

fn small() -> Value {
    pod_of(&[json!({"name": "web", "image": "nginx:1", "ports": [{"name": "http", "containerPort": 8080}],
        "volumeMounts": [{"name": "token", "mountPath": "/var/run/secrets/token", "readOnly": true}]})])
}

fn ten_containers() -> Value {
    let container = |number: u16| {
        json!({"name": format!("app-{number}"), "image": "nginx:1",
            "ports": [{"name": "http", "containerPort": 8000 + number}],
            "env": [{"name": "A", "value": "1"}, {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
            "resources": {"limits": {"cpu": "500m", "memory": "1Gi"}, "requests": {"cpu": "10m", "memory": "64Mi"}},
            "livenessProbe": {"httpGet": {"path": "/live", "port": "http"}, "periodSeconds": 10},
            "readinessProbe": {"tcpSocket": {"port": 8000 + number}},
            "volumeMounts": [{"name": "token", "mountPath": "/var/run/secrets/token", "readOnly": true}]})
    };
    pod_of(&(0..10).map(container).collect::<Vec<_>>())
}

fn variables() -> Value {
    let variable = |number| json!({"name": format!("VARIABLE_{number}"), "value": format!("value {number}")});
    let variables: Vec<Value> = (0..2000).map(variable).collect();
    pod_of(&[json!({"name": "web", "image": "nginx:1", "env": variables})])
}
