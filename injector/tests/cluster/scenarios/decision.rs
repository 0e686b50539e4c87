//! Labels, annotations and the host's network, decided by the selectors and the injector together: the default revision
//! and `canary` side by side, each with a replica of its own.

use serde_json::{Value, json};
use sidecar_test_support::api_server::{ApiServer, Options, require_api_server};
use sidecar_test_support::eventually::eventually;

use super::objects::{Answer, kubectl, namespace, pod};
use super::{Installation, Replica, has_sidecar};
use crate::installation::PATIENCE;

/// Labels of the namespace, labels and annotations of the pod, and the revision that injects it.
type Row = (&'static str, &'static str, &'static str, Option<&'static str>);

const ENABLED: &str = "istio-injection=enabled";
const ASKS: &str = "sidecar.istio.io/inject=true";
const OBJECTS: &str = "sidecar.istio.io/inject=false";

const TABLE: [Row; 21] = [
    (ENABLED, "", "", Some("default")),
    (ENABLED, OBJECTS, "", None),
    (ENABLED, "", OBJECTS, None),
    (ENABLED, ASKS, OBJECTS, Some("default")),
    (ENABLED, "sidecar.istio.io/inject=yes", "", Some("default")),
    ("istio-injection=enabled,istio.io/rev=canary", "", "", Some("default")),
    (ENABLED, "istio.io/rev=canary", "", Some("default")),
    ("istio.io/rev=canary", "", "", Some("canary")),
    ("istio.io/rev=canary", "istio.io/rev=default", "", Some("canary")),
    ("istio.io/rev=canary", OBJECTS, "", None),
    ("istio.io/rev=canary", "", OBJECTS, None),
    ("istio.io/rev=default", "", "", Some("default")),
    ("istio.io/rev=prod", "", "", Some("canary")),
    ("istio.io/rev=nobody", ASKS, "", None),
    ("istio-injection=disabled", ASKS, "", None),
    ("istio-injection=", ASKS, "", None),
    ("", ASKS, "", Some("default")),
    ("", "istio.io/rev=canary", "", Some("canary")),
    ("", "istio.io/rev=canary,sidecar.istio.io/inject=true", "", Some("canary")),
    ("", "", "", None),
    ("", "", ASKS, None),
];

fn map(text: &str) -> Value {
    text.split(',')
        .filter_map(|entry| entry.split_once('='))
        .map(|(key, value)| (key.to_owned(), json!(value)))
        .collect()
}

fn create(server: &ApiServer, number: usize, row: &Row) -> Answer {
    let (namespace_labels, labels, annotations, _) = row;
    let name = format!("decision-{number}");
    namespace(server, &name, &map(namespace_labels));
    let mut pod = pod(&name, "web");
    pod["metadata"]["labels"] = map(labels);
    pod["metadata"]["annotations"] = map(annotations);
    kubectl(server, &["create"], &pod)
}

/// The revision that has injected a pod.
fn injected_by(pod: &Value) -> Option<&str> {
    let revision = pod["metadata"]["annotations"]["istio.io/rev"].as_str();
    assert_eq!(has_sidecar(pod), revision.is_some(), "{pod}");
    revision
}

/// Lets the injector register a tag: the manifests allow it the objects that it writes without any.
fn allow_tag(installation: &Installation<'_>, tag: &str) {
    let name = json!(format!("istio-revision-tag-{tag}"));
    let rule = json!({"apiGroups": ["admissionregistration.k8s.io"], "resources": ["mutatingwebhookconfigurations"],
        "resourceNames": [name], "verbs": ["get", "list", "watch", "create", "patch"]});
    let patch = json!([{"op": "add", "path": "/rules/-", "value": rule}]).to_string();
    installation
        .kubectl(&["patch", "clusterrole", &installation.object_name(), "--type=json", "--patch", &patch])
        .unwrap();
}

fn skipped(replica: &Replica, reason: &str) -> f64 {
    replica.metric("sidecar_injector_requests_total", &format!("outcome=\"skipped\",reason=\"{reason}\""))
}

#[test]
fn each_row_of_the_table_is_decided_as_documented() {
    if !require_api_server() {
        return;
    }
    // The default revision is called for more than its own namespaces.
    let server = ApiServer::start(Options::default()).unwrap();
    let default = Installation::new(&server, "default");
    let default = (default.start_ready("default-0", &[]), default);
    let canary = Installation::new(&server, "canary");
    allow_tag(&canary, "prod");
    let canary = (canary.start_ready("canary-0", &["--tag=prod"]), canary);

    eventually(PATIENCE, || server.run(["get", "mutatingwebhookconfiguration", "istio-revision-tag-prod"])).unwrap();

    let mut wrong = Vec::new();
    for (number, row) in TABLE.iter().enumerate() {
        let answer = create(&server, number, row);
        if !answer.is_success
            || injected_by(&answer.object) != row.3
            || answer.said.is_empty() == row.1.ends_with("=yes")
        {
            wrong.push(format!("{row:?}: {:?} {}", injected_by(&answer.object), answer.said));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!([skipped(&default.0, "annotation_false"), skipped(&canary.0, "annotation_false")], [1.0, 1.0]);
    assert_eq!([skipped(&default.0, ""), skipped(&canary.0, "")], [0.0, 0.0]);

    namespace(&server, "decision-host", &map(ENABLED));
    for (name, annotations, expected) in
        [("surprised", "", "Warning: no sidecar: the pod uses the host's network"), ("aware", OBJECTS, "")]
    {
        let mut pod = pod("decision-host", name);
        pod["spec"]["hostNetwork"] = true.into();
        pod["metadata"]["annotations"] = map(annotations);
        let answer = kubectl(&server, &["create"], &pod);
        assert!(answer.is_success && injected_by(&answer.object).is_none(), "{}", answer.said);
        assert_eq!(answer.said.trim(), expected, "{name}");
    }
    assert_eq!(skipped(&default.0, "host_network"), 2.0);

    // Labelled by mistake: system namespaces are not even shown.
    server.run(["label", "namespace", "kube-system", ENABLED]).unwrap();
    let answer = kubectl(&server, &["create"], &pod("kube-system", "dns"));
    assert!(answer.is_success && injected_by(&answer.object).is_none(), "{}", answer.said);
    assert_eq!(json!(default.0.metric("sidecar_injector_requests_total", "outcome=\"denied\"")), json!(0.0));
}
