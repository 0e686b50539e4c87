//! Tests of the layers of ProxyConfig.

use serde_json::json;

use super::*;

fn mesh() -> MeshConfig {
    MeshConfig::read("defaultConfig: {proxyMetadata: {A: mesh, B: mesh}, image: {imageType: mesh}}\n").unwrap()
}

fn resource(namespace: &str, creation: &str, spec: &Value) -> ProxyConfigResource {
    let metadata = json!({"name": "x", "namespace": namespace, "creationTimestamp": creation});
    ProxyConfigResource::read(
        &json!({"apiVersion": "networking.istio.io/v1beta1", "kind": "ProxyConfig", "metadata": metadata, "spec": spec}),
    )
    .unwrap()
}

fn effective(resources: &[ProxyConfigResource], annotation: Option<&str>) -> Result<ProxyConfig, String> {
    let labels = json!({"app": "web", "tier": "front"});
    ProxyConfig::effective(&mesh(), resources, "root", "shop", labels.as_object().unwrap(), annotation, Mode::Corrected)
}

fn annotated(text: &str) -> ProxyConfig {
    effective(&[], Some(text)).unwrap()
}

fn error(text: &str) -> String {
    effective(&[], Some(text)).unwrap_err()
}

#[test]
fn without_layers_the_meshs_own_is_shared() {
    let mesh = mesh();
    for annotation in [None, Some(""), Some("# none\n"), Some("null"), Some("{}")] {
        let config =
            ProxyConfig::effective(&mesh, &[], "root", "shop", &Map::new(), annotation, Mode::Corrected).unwrap();
        assert!(Arc::ptr_eq(&config.inner, &mesh.default_config().inner), "{annotation:?}");
    }
}

#[test]
fn the_annotation_replaces_fields_and_merges_metadata() {
    let config = annotated("statusPort: 0\nimage: {image_type: debug}\nproxy_metadata: {B: mine, C: mine}\n");
    assert_eq!(config.status_port(), 0);
    assert_eq!(config.image_type(), Some("debug"));
    let metadata = json!({"A": "mesh", "B": "mine", "C": "mine"});
    assert_eq!(config.proxy_metadata(), metadata.as_object());
    assert_eq!(config.fields()["binaryPath"], "/usr/local/bin/envoy");
    assert_eq!(annotated("image: {}\n").image_type(), None);
}

#[test]
fn json_is_taken_with_tabs_and_with_numbers_in_texts() {
    let config = annotated(
        "{\n\t\"statusPort\": \"15021\",\n\t\"interceptionMode\": 1,\"holdApplicationUntilProxyStarts\":true}",
    );
    assert_eq!((config.status_port(), config.interception_mode(), config.hold_application()), (15021, "TPROXY", true));
    assert_eq!((annotated("{concurrency: 3}").fields()["concurrency"]), 3);
}

#[test]
fn headers_are_merged_by_field_and_messages_are_not_merged() {
    let mesh = MeshConfig::read(
        "defaultConfig: {proxyHeaders: {server: {value: a}, requestId: {disabled: true}}, tracing: {sampling: 5}}\n",
    );
    let annotation =
        "proxyHeaders: {server: {disabled: true}}\ntracing: {maxPathTagLength: 7}\ntracingServiceName: 1\n";
    let config =
        ProxyConfig::effective(&mesh.unwrap(), &[], "root", "shop", &Map::new(), Some(annotation), Mode::Corrected)
            .unwrap();
    let fields = config.fields();
    assert_eq!(fields["proxyHeaders"], json!({"server": {"disabled": true}, "requestId": {"disabled": true}}));
    assert_eq!(fields["tracing"], json!({"maxPathTagLength": 7}));
    assert_eq!(fields["tracingServiceName"], "CANONICAL_NAME_ONLY");
    assert!(!fields.contains_key("serviceCluster"));
}

#[test]
fn every_mistake_is_named_with_its_field() {
    let message =
        error("statusPrt: 1\ntracing: {samplin: 2, sampling: x}\nstatusPort: 70000\nproxyMetadata: {A: true}\n");
    for part in [
        "statusPrt: is not a field of ProxyConfig",
        "tracing.samplin: is not a field of Tracing",
        "tracing.sampling: is \"x\", not a number",
        "statusPort: is 70000, not a port",
        "proxyMetadata[A]: is true, not a string; quote it",
    ] {
        assert!(message.contains(part), "{message}");
    }
    assert!(error("interceptionMode: SOME").contains("REDIRECT, TPROXY, NONE"));
    assert!(error("interceptionMode: 9").contains("REDIRECT, TPROXY, NONE"));
    assert!(error("drainDuration: 45").contains("a duration, as 45s"));
    assert!(error("a: {").starts_with("line "));
    for text in ["- a", "3", "text", "[]"] {
        assert!(error(text).contains("is not a mapping"), "{text}");
    }
}

#[test]
fn hostile_annotations_are_refused() {
    assert!(effective(&[], Some(&"[".repeat(100_000))).is_err());
    assert!(effective(&[], Some(&"{\"tracing\":".repeat(100_000))).is_err());
    assert!(effective(&[], Some("a: &a [x, x]\nb: [*a, *a]\n")).is_err());
}

#[test]
fn resources_apply_from_the_mesh_to_the_workload() {
    let variables = |value: &str| json!({"environmentVariables": {value: value, "A": value}});
    let selecting = |labels: Value, value: &str| {
        let mut spec = variables(value);
        spec["selector"] = json!({"matchLabels": labels});
        spec
    };
    let root = resource("root", "2024-01-01T00:00:00Z", &variables("root"));
    let namespace = resource("shop", "2024-01-02T00:00:00Z", &variables("namespace"));
    let younger = resource("shop", "2024-01-03T00:00:00Z", &variables("younger"));
    let other = resource("other", "2020-01-01T00:00:00Z", &variables("other"));
    let workload = resource("shop", "2024-01-05T00:00:00Z", &selecting(json!({"app": "web"}), "workload"));
    let unmatched = resource("shop", "2024-01-04T00:00:00Z", &selecting(json!({"app": "x", "tier": "front"}), "no"));
    let rooted = resource("root", "2020-01-01T00:00:00Z", &selecting(json!({"app": "web"}), "rooted"));
    let resources = [younger, workload, other, unmatched, namespace, rooted, root];
    let config = effective(&resources, Some("proxyMetadata: {A: annotation, annotation: x}")).unwrap();
    let expected = json!({"A": "workload", "B": "mesh", "root": "root", "namespace": "namespace", "annotation": "x",
        "workload": "workload"});
    assert_eq!(config.proxy_metadata(), expected.as_object());
    assert_eq!(effective(&resources[..1], None).unwrap().proxy_metadata().unwrap()["A"], "younger");
}

#[test]
fn resources_carry_three_fields() {
    let spec = json!({"concurrency": 0, "image": {"imageType": "debug"}, "statusPort": 1});
    let config = effective(&[resource("shop", "", &spec)], None).unwrap();
    assert_eq!((config.fields()["concurrency"].as_i64(), config.image_type()), (Some(0), Some("debug")));
    assert_eq!(config.status_port(), 15020);
}

#[test]
fn a_resource_of_the_wrong_shape_is_refused_whole() {
    let object = json!({"apiVersion": "networking.istio.io/v1", "kind": "ProxyConfig", "spec": {"concurrency": -1,
        "environmentVariables": {"A": 1}, "image": {"imageType": []}, "selector": {"matchLabels": 3}}});
    let message = ProxyConfigResource::read(&object).unwrap_err();
    for part in ["metadata.namespace", "spec.concurrency", "Variables[A]", "imageType", "spec.selector.matchLabels"] {
        assert!(message.contains(part), "{message}");
    }
    for object in [json!(1), json!({"apiVersion": "v1", "kind": "Pod"}), json!({"kind": "ProxyConfig"})] {
        assert!(ProxyConfigResource::read(&object).unwrap_err().contains("is not a ProxyConfig"), "{object}");
    }
}

#[test]
fn templates_see_the_effective_fields() {
    let Data::Pointer(pointer) = annotated("concurrency: 4\nserviceCluster: mine\n").to_template_value() else {
        panic!("not a pointer")
    };
    let Some(Data::Struct(message)) = pointer.target() else { panic!("not a message") };
    assert!(message.field("Concurrency").unwrap().is_true());
    assert!(message.field("BinaryPath").unwrap().is_true() && !message.field("MeshId").unwrap().is_true());
}
