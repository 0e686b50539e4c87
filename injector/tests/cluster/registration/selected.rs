//! Labels, and whom the API server calls. Nobody listens, so a refusal says who would have been asked.

use sidecar_test_support::api_server::ApiServer;

use super::{said, webhook};

/// Labels of the namespace, labels of the pod, and the webhook that is called with its revision.
type Row = (&'static str, &'static str, Option<(&'static str, &'static str)>);

const TABLE: [Row; 12] = [
    ("istio-injection: enabled", "", Some(("namespace.", "default"))),
    ("istio-injection: enabled", "sidecar.istio.io/inject: 'false'", None),
    ("istio-injection: enabled, istio.io/rev: canary", "", Some(("namespace.", "default"))),
    ("istio-injection: enabled", "istio.io/rev: canary", Some(("namespace.", "default"))),
    ("istio.io/rev: canary", "istio.io/rev: default", Some(("rev.namespace.", "canary"))),
    ("istio.io/rev: default", "", Some(("rev.namespace.", "default"))),
    ("istio-injection: disabled", "sidecar.istio.io/inject: 'true'", None),
    ("istio-injection: ''", "sidecar.istio.io/inject: 'true'", None),
    ("", "sidecar.istio.io/inject: 'true'", Some(("object.", "default"))),
    ("", "istio.io/rev: canary", Some(("rev.object.", "canary"))),
    ("", "", None),
    ("istio.io/rev: prod", "", Some(("rev.namespace.", "canary"))),
];

/// What is registered here is for the namespaces of this test only.
const OWN: &str = "own=request.namespace.startsWith('selected-')";

fn register(server: &ApiServer, revision: &str, tag: &[&str]) {
    let variable = format!("cluster={}", if revision.is_empty() { "default" } else { revision });
    let arguments = [
        "apply",
        "--namespace",
        "selected",
        "--revision",
        revision,
        "--url",
        "https://127.0.0.1:1",
        "--path-variable",
        &variable,
        "--ca-bundle",
        "keep",
        "--match-condition",
        OWN,
        "--exclude-namespace",
        "selected-excluded",
    ];
    let output = webhook(server, &[&arguments, tag].concat());
    assert!(output.status.success(), "{}", said(&output));
}

/// The refusal of a pod, or nothing when it was taken.
fn refusal(server: &ApiServer, namespace: &str, labels: &str) -> Option<String> {
    let pod = format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{generateName: a-, namespace: {namespace}, labels: {{{labels}}}}}, spec: {{containers: [{{name: a, image: a}}]}}}}"
    );
    let file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file.as_file(), pod.as_bytes()).unwrap();
    let created = server.run(["create", "--dry-run=server", "-f", file.path().to_str().unwrap()]);
    created.err().map(|error| error.to_string())
}

#[test]
fn labels_decide_whom_the_api_server_calls() {
    let Some(server) = ApiServer::shared() else { return };
    register(server, "", &[]);
    register(server, "canary", &["--tag", "prod"]);
    let mut wrong = Vec::new();
    for (number, (namespace_labels, pod_labels, expected)) in TABLE.into_iter().enumerate() {
        let namespace = format!("selected-{number}");
        let object = format!(
            "{{apiVersion: v1, kind: Namespace, metadata: {{name: {namespace}, labels: {{{namespace_labels}}}}}}}"
        );
        server.apply(&object).unwrap();
        let refusal = refusal(server, &namespace, pod_labels);
        let is_right = match (&refusal, expected) {
            (None, None) => true,
            (Some(refusal), Some((webhook, revision))) => {
                refusal.contains(&format!("failed calling webhook \"{webhook}sidecar-injector.istio.io\""))
                    && refusal.contains(&format!("https://127.0.0.1:1/inject/cluster/{revision}?"))
            }
            _ => false,
        };
        if !is_right {
            wrong.push(format!("namespace {{{namespace_labels}}} pod {{{pod_labels}}}: {refusal:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn excluded_namespaces_are_never_shown() {
    let Some(server) = ApiServer::shared() else { return };
    register(server, "excluding", &[]);
    for name in ["selected-excluded", "selected-shown"] {
        let labels = "istio.io/rev: excluding";
        server
            .apply(&format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}, labels: {{{labels}}}}}}}"))
            .unwrap();
    }
    assert_eq!(refusal(server, "selected-excluded", ""), None);
    assert!(refusal(server, "selected-shown", "").is_some());
}
