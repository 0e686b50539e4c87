//! Annotations and labels that injection reads, with values that can be used and values that cannot.

use serde_json::{Map, Value};

use super::choices::Choices;

/// Name, values that can be used, and values that cannot.
pub(crate) type Annotation = (&'static str, &'static [&'static str], &'static [&'static str]);

/// Every annotation that injection reads.
pub(crate) const ANNOTATIONS: [Annotation; 50] = [
    ("note", &["x", "", "a: \"b\"\n", "{{ .Values }}", "日本語", "yes"], &[]),
    ("sidecar.istio.io/inject", &["true"], &["yes", ""]),
    ("istio.io/rev", &["canary", "", "a\"b"], &[]),
    ("sidecar.istio.io/proxyImage", &["hub/proxy:1", "plain"], &["a\nb", "x y"]),
    ("sidecar.istio.io/proxyImageType", &["distroless", "debug", "default"], &["a\"b"]),
    ("sidecar.istio.io/proxyCPU", &["100m", "1", "+2"], &["x", "-1", "1\n"]),
    ("sidecar.istio.io/proxyMemory", &["64Mi", "1e6"], &["", "64Mb"]),
    ("sidecar.istio.io/proxyCPULimit", &["2", "2000m"], &["x"]),
    ("sidecar.istio.io/proxyMemoryLimit", &["1Gi"], &["1GiB"]),
    ("sidecar.istio.io/interceptionMode", &["REDIRECT", "NONE"], &["redirect", "TPROXY"]),
    ("sidecar.istio.io/capNetBindService", &["true", "false"], &["maybe"]),
    ("sidecar.istio.io/nativeSidecar", &["true", "false", "True", "x"], &[]),
    ("sidecar.istio.io/logLevel", &["debug", "off"], &["loud", "a\"b"]),
    ("sidecar.istio.io/componentLogLevel", &["misc:error,http:debug"], &["misc=error"]),
    ("sidecar.istio.io/agentLogLevel", &["default:info"], &["a b"]),
    ("sidecar.istio.io/bootstrapOverride", &["my-config"], &["My Config", "a\nb"]),
    (
        "sidecar.istio.io/userVolume",
        &["{}", r#"{"extra":{"emptyDir":{}}}"#, r#"{"data":{"configMap":{"name":"x"}}}"#],
        &["[]", "{", r#"{"a b":{}}"#],
    ),
    (
        "sidecar.istio.io/userVolumeMount",
        &["{}", r#"{"data":{"mountPath":"/x"}}"#, r#"{"istio-data":{"mountPath":"/y","readOnly":true}}"#],
        &["[]", "{"],
    ),
    ("sidecar.istio.io/rewriteAppHTTPProbers", &["true", "false", "1", "F"], &["yes"]),
    ("status.sidecar.istio.io/port", &["15020", "0", "8080"], &["x", "70000"]),
    ("readiness.status.sidecar.istio.io/initialDelaySeconds", &["1", "0"], &["-1"]),
    ("readiness.status.sidecar.istio.io/periodSeconds", &["10"], &["1s"]),
    ("readiness.status.sidecar.istio.io/failureThreshold", &["3"], &["99999999999"]),
    ("readiness.status.sidecar.istio.io/applicationPorts", &["80", "", "x\"y"], &[]),
    (
        "traffic.sidecar.istio.io/includeOutboundIPRanges",
        &["*", "10.0.0.0/8", "10.0.0.0/8, fd00::/8"],
        &["10.0.0.0/64", "x"],
    ),
    ("traffic.sidecar.istio.io/excludeOutboundIPRanges", &["10.1.0.0/16", ""], &["*"]),
    ("traffic.sidecar.istio.io/includeInboundPorts", &["*", "80,443", ""], &["80-90"]),
    ("traffic.sidecar.istio.io/excludeInboundPorts", &["9000", "1, 2"], &["*"]),
    ("traffic.sidecar.istio.io/includeOutboundPorts", &["80"], &["80\"\n    - \"--extra"]),
    ("traffic.sidecar.istio.io/excludeOutboundPorts", &["3306"], &["a"]),
    ("traffic.sidecar.istio.io/excludeInterfaces", &["eth1", "eth1, net0"], &["1eth", "a,,b"]),
    ("traffic.sidecar.istio.io/kubevirtInterfaces", &["net1"], &["averyveryverylongname"]),
    ("istio.io/reroute-virtual-interfaces", &["net2"], &["é"]),
    ("prometheus.istio.io/merge-metrics", &["true", "false"], &["yes"]),
    ("prometheus.istio.io/scrape-targets", &["9090", "9090:/m, 8080"], &["0", "15020", "a:b"]),
    ("prometheus.istio.io/secure-port", &["15091", "0"], &["x"]),
    ("prometheus.io/scrape", &["true", "false", "x", ""], &[]),
    ("prometheus.io/port", &["9090", "15020", "", "x"], &[]),
    ("prometheus.io/path", &["/metrics", "", "a\"b"], &[]),
    ("prometheus_io_port", &["9091"], &[]),
    ("resource.opentelemetry.io/service.namespace", &["shop", "a,b=c d"], &[]),
    ("resource.opentelemetry.io/service.version", &["1.0"], &[]),
    ("resource.opentelemetry.io/service.instance.id", &["id"], &[]),
    ("k8s.v1.cni.cncf.io/networks", &["net-a", r#"[{"name":"net-a"}]"#], &["a'b"]),
    ("apm.datadoghq.com/env", &[r#"{"DD_ENV":"prod"}"#], &["{", r#"{"a b":"c"}"#]),
    ("kubectl.kubernetes.io/default-container", &["app", "a\"b", "", "x\ny"], &[]),
    ("kubectl.kubernetes.io/default-logs-container", &["app"], &[]),
    ("sidecar.istio.io/statsInclusionPrefixes", &["cluster.out", "a\"b"], &[]),
    (
        "proxy.istio.io/config",
        &[
            "",
            "{}",
            "concurrency: 2\n",
            "holdApplicationUntilProxyStarts: true",
            "{\"proxyMetadata\":{\"A\":\"1\",\"B\":\"x y\"}}",
            "image: {imageType: debug}",
            "drainDuration: 5s\ntracing: {}\n",
        ],
        &["concurrency: x", "[", "proxyMetadata: {A: \"x\\\"\\n- y\"}"],
    ),
    (
        "inject.istio.io/templates",
        &[
            "sidecar",
            "sidecar,touch",
            "labels, sidecar",
            "all",
            "directives,sidecar",
            "lists,sidecar,labels",
            "sidecar,sources",
            "custom",
        ],
        &["nope", ""],
    ),
];

const STATUSES: [&str; 14] = [
    r#"{"initContainers":["istio-init"],"containers":["istio-proxy"],"volumes":["istio-envoy"],"imagePullSecrets":null,"revision":"default"}"#,
    r#"{"containers":["web"]}"#,
    r#"{"containers":["gone"],"volumes":["data"]}"#,
    "{}",
    "",
    "null",
    "[]",
    "{",
    r#"{"containers":1}"#,
    r#"{"undo":{"/spec":{"[containers":{"-":["istio-proxy"]}}}}"#,
    r#"{"undo":{"/spec":{"[containers":{"-":["web"],"+x":{"name":"x"}}}}}"#,
    r#"{"undo":{"=spec":null}}"#,
    r#"{"undo":{"=metadata":{"annotations":{"sidecar.istio.io/status":"{}"}},"/spec":{"=containers":[{"name":"z"}]}}}"#,
    r#"{"undo":{"?":"absent"},"digest":"x"}"#,
];

const OVERRIDES: [&str; 6] = [
    r#"{"containers":[{"name":"istio-proxy","image":"mine","resources":{}}]}"#,
    r#"{"initContainers":[{"name":"istio-init"}],"containers":null}"#,
    r#"{"containers":[{"name":"web","env":[{"name":"A","value":"2"}]},{}]}"#,
    r#"{"containers":{"name":"istio-proxy"}}"#,
    "{",
    "[]",
];

/// Annotations; bad ones so rarely that most pods have none.
pub(crate) fn annotations(choices: &mut Choices<'_>) -> Map<String, Value> {
    let mut annotations = Map::new();
    for _ in 0..choices.pick(&[0, 0, 1, 1, 2, 3, 5, 8]) {
        let (name, good, bad) = choices.pick(&ANNOTATIONS);
        let value = if choices.chance(4) && !bad.is_empty() { choices.pick(bad) } else { choices.pick(good) };
        annotations.insert(name.to_owned(), value.into());
    }
    if choices.chance(2) {
        annotations.insert("x/odd".to_owned(), choices.odd().into());
    }
    annotations
}

/// Marks of an earlier injection that somebody has changed, or made up.
pub(crate) fn tamper(choices: &mut Choices<'_>, annotations: &mut Map<String, Value>) {
    if choices.chance(6) {
        annotations.insert("sidecar.istio.io/status".to_owned(), choices.pick(&STATUSES).into());
    }
    if choices.chance(6) {
        annotations.insert("proxy.istio.io/overrides".to_owned(), choices.pick(&OVERRIDES).into());
    }
}

/// Labels.
pub(crate) fn labels(choices: &mut Choices<'_>) -> Map<String, Value> {
    const NAMES: [&str; 13] = [
        "app",
        "version",
        "app.kubernetes.io/name",
        "app.kubernetes.io/version",
        "pod-template-hash",
        "service.istio.io/canonical-name",
        "service.istio.io/canonical-revision",
        "service.istio.io/workload-name",
        "security.istio.io/tlsMode",
        "topology.istio.io/network",
        "networking.istio.io/tunnel",
        "istio.io/rev",
        "team",
    ];
    let names = choices.some(&NAMES, 12);
    names.into_iter().map(|name| (name.to_owned(), choices.text("v1").into())).collect()
}
