//! Text of a pod, put through Istio's own templates, changes no more of the result than texts.
#![expect(clippy::disallowed_methods, reason = "cases are files")]
#![expect(clippy::unwrap_used, reason = "a test that cannot read its files fails")]

mod conformance {
    #[expect(dead_code, reason = "shared with the test of the cases themselves")]
    pub(crate) mod case;
}

use serde_json::{Value, json};
use sidecar_injector::context::Injector;
use sidecar_injector::manifest::inject_manifest;

use conformance::case::cases;

const HOSTILE: [&str; 7] = [
    "80\"\n    - \"--extra-arg",
    "a\n  - name: extra\n    image: extra",
    "'\n  extra: '",
    "a: b",
    "\", \"extra\": \"",
    "a\u{85}- extra",
    "a\"\n    - name: extra\n      value: \"b",
];
/// Annotations that templates read, with and without a grammar.
const ANNOTATIONS: [&str; 16] = [
    "traffic.sidecar.istio.io/includeOutboundPorts",
    "traffic.sidecar.istio.io/excludeInterfaces",
    "sidecar.istio.io/logLevel",
    "sidecar.istio.io/agentLogLevel",
    "sidecar.istio.io/proxyImage",
    "sidecar.istio.io/proxyCPU",
    "sidecar.istio.io/bootstrapOverride",
    "sidecar.istio.io/capNetBindService",
    "sidecar.istio.io/nativeSidecar",
    "sidecar.istio.io/userVolume",
    "k8s.v1.cni.cncf.io/networks",
    "resource.opentelemetry.io/service.version",
    "readiness.status.sidecar.istio.io/periodSeconds",
    "status.sidecar.istio.io/port",
    "istio.io/reroute-virtual-interfaces",
    "example.com/other",
];

#[test]
fn hostile_text_adds_nothing() {
    let Some(cases) = cases() else { return };
    let mut accepted = 0;
    for case in cases.iter().take(4) {
        let injector = case.injector();
        for text in HOSTILE {
            for annotation in ANNOTATIONS {
                accepted += check(&injector, &pod(&[(annotation, text)], "app", "v1"), annotation, text);
            }
            let config = json!({"proxyMetadata": {"KEY": text}}).to_string();
            accepted += check(&injector, &pod(&[("proxy.istio.io/config", &config)], "app", "v1"), "value", text);
            let config = json!({"proxyMetadata": {text: "value"}}).to_string();
            accepted += check(&injector, &pod(&[("proxy.istio.io/config", &config)], "app", "v1"), "key", text);
            accepted += check(&injector, &pod(&[], text, "v1"), "container", text);
            accepted += check(&injector, &pod(&[], "app", text), "label", text);
            let chosen = ["kubectl.kubernetes.io/default-container", "kubectl.kubernetes.io/default-logs-container"];
            accepted += check(&injector, &pod(&chosen.map(|name| (name, "app")), text, "v1"), "only container", text);
        }
    }
    assert!(accepted > 0, "nothing is accepted, so nothing is tested");
}

/// Whether the pod is injected; then the sidecar's containers have nothing named or called extra.
fn check(injector: &Injector, pod: &Value, place: &str, text: &str) -> usize {
    let Ok(manifest) = inject_manifest(&pod.to_string(), injector) else { return 0 };
    let injected = sidecar_injector::yaml::read_manifest(&manifest.text).unwrap();
    for list in ["containers", "initContainers"] {
        for container in injected["spec"][list].as_array().into_iter().flatten() {
            let is_extra = container["name"] == "extra" || container.get("extra").is_some();
            let args = container["args"].as_array().into_iter().flatten();
            let has_extra = args.into_iter().any(|argument| argument == "--extra-arg" || argument == "extra");
            let mut variables = container["env"].as_array().into_iter().flatten();
            let is_extra = is_extra || variables.any(|variable| variable["name"] == "extra");
            assert!(!is_extra && !has_extra, "{place} {text:?}: {container}");
        }
    }
    assert!(injected["spec"].get("extra").is_none(), "{place} {text:?}");
    assert!(injected["metadata"]["annotations"].get("extra").is_none(), "{place} {text:?}");
    1
}

fn pod(annotations: &[(&str, &str)], container: &str, version: &str) -> Value {
    let annotations: serde_json::Map<_, _> =
        annotations.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "demo", "labels": {"app": "demo", "version": version}, "annotations": annotations},
        "spec": {"containers": [{"name": container, "image": "app"}]}})
}
