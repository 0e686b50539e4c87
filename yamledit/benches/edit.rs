//! How fast a stream is taken apart, and how long it takes to edit one Deployment.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::{Value, json};
use yamledit::{Limits, documents, edit};

const CONTAINER: &str = "      - name: app-NUMBER   # what this pod is for
        image: \"registry.example.com/team/app:1.2.3\"
        args: [\"--port\", \"8080\", --verbose]
        ports:
        - containerPort: 8080
          name: http
        env:
        # from the downward API
        - name: NODE_NAME
          valueFrom: {fieldRef: {fieldPath: spec.nodeName}}
        - name: CONFIG
          value: |
            key = value
            ---
            other = value

        resources:
          requests: {cpu: 100m, memory: 128Mi}
";

fn read(text: &str) -> Result<Value, serde_saphyr::Error> {
    serde_saphyr::from_str(text)
}

/// A Deployment of about 5 KB.
fn deployment() -> String {
    let head = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app\nspec:\n  template:\n    spec:\n      containers:\n";
    let containers: String = (0..9).map(|number| CONTAINER.replace("NUMBER", &number.to_string())).collect();
    format!("{head}{containers}")
}

fn split(criterion: &mut Criterion) {
    let one = deployment();
    let stream = format!("---\n{one}").repeat(4000);
    let mut group = criterion.benchmark_group("documents");
    group.throughput(Throughput::Bytes(stream.len() as u64));
    group.bench_function("stream", |bencher| {
        bencher.iter(|| assert_eq!(documents(black_box(&stream)).count(), 4000));
    });
    group.finish();
}

fn inject(criterion: &mut Criterion) {
    let text = deployment();
    let old = read(&text).unwrap_or_default();
    let mut new = old.clone();
    let pod = &mut new["spec"]["template"]["spec"];
    if let Some(containers) = pod["containers"].as_array_mut() {
        containers.insert(0, json!({"name": "proxy", "image": "proxy", "args": ["proxy", "sidecar"]}));
    }
    pod["volumes"] = json!([{"name": "certificates", "emptyDir": {}}]);
    let mut group = criterion.benchmark_group("edit");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("deployment", |bencher| {
        bencher.iter(|| edit(black_box(&text), &old, &new, &Limits::default(), read));
    });
    group.bench_function("reading alone", |bencher| bencher.iter(|| read(black_box(&text))));
    group.finish();
}

criterion_group!(benches, split, inject);
criterion_main!(benches);
