//! Pod annotations that injection reads or writes, named as Istio names them.

/// `"true"` or `"false"`: whether to inject this pod. The label of the same name wins over it.
pub const INJECT: &str = "sidecar.istio.io/inject";
/// Comma separated template names; replaces the configured defaults.
pub const TEMPLATES: &str = "inject.istio.io/templates";
/// Written by injection: what it added, as compact JSON.
pub const STATUS: &str = "sidecar.istio.io/status";
/// Written by injection: the revision that injected the pod.
pub const REVISION: &str = "istio.io/rev";

/// Image of the sidecar, verbatim, when it contains a `/`.
pub const PROXY_IMAGE: &str = "sidecar.istio.io/proxyImage";
/// Variant of the images of sidecar and init container, as `distroless`; `default` for the plain ones.
pub const PROXY_IMAGE_TYPE: &str = "sidecar.istio.io/proxyImageType";
/// `"true"` or `"false"`: whether the sidecar is an init container that keeps running.
pub const NATIVE_SIDECAR: &str = "sidecar.istio.io/nativeSidecar";
/// ProxyConfig of this pod, in YAML or JSON, over the mesh's.
pub const PROXY_CONFIG: &str = "proxy.istio.io/config";
/// CPU request of the sidecar, a Kubernetes quantity.
pub const PROXY_CPU: &str = "sidecar.istio.io/proxyCPU";
/// CPU limit of the sidecar, a Kubernetes quantity.
pub const PROXY_CPU_LIMIT: &str = "sidecar.istio.io/proxyCPULimit";
/// Memory request of the sidecar, a Kubernetes quantity.
pub const PROXY_MEMORY: &str = "sidecar.istio.io/proxyMemory";
/// Memory limit of the sidecar, a Kubernetes quantity.
pub const PROXY_MEMORY_LIMIT: &str = "sidecar.istio.io/proxyMemoryLimit";
/// Log level of the sidecar: `trace`, `debug`, `info`, `warning`, `error`, `critical` or `off`.
pub const LOG_LEVEL: &str = "sidecar.istio.io/logLevel";
/// `REDIRECT`, `TPROXY` or `NONE`.
pub const INTERCEPTION_MODE: &str = "sidecar.istio.io/interceptionMode";
/// Log levels of the sidecar's components, as `misc:error,http:debug`.
pub const COMPONENT_LOG_LEVEL: &str = "sidecar.istio.io/componentLogLevel";
/// Log levels of the agent's scopes, as `default:info,dns:debug`.
pub const AGENT_LOG_LEVEL: &str = "sidecar.istio.io/agentLogLevel";
/// `"true"` or `"false"`: whether the sidecar may listen on ports below 1024.
pub const CAP_NET_BIND_SERVICE: &str = "sidecar.istio.io/capNetBindService";
/// Name of the ConfigMap with the sidecar's own bootstrap.
pub const BOOTSTRAP_OVERRIDE: &str = "sidecar.istio.io/bootstrapOverride";
/// Volumes for the sidecar: a JSON object of volume sources by name.
pub const USER_VOLUME: &str = "sidecar.istio.io/userVolume";
/// Mounts of the sidecar: a JSON object of mounts by the name of the volume.
pub const USER_VOLUME_MOUNT: &str = "sidecar.istio.io/userVolumeMount";
/// Seconds before the first readiness probe of the sidecar; default 0.
pub const READINESS_INITIAL_DELAY: &str = "readiness.status.sidecar.istio.io/initialDelaySeconds";
/// Seconds between readiness probes of the sidecar; default 15.
pub const READINESS_PERIOD: &str = "readiness.status.sidecar.istio.io/periodSeconds";
/// How many readiness probes in a row have to fail; default 4.
pub const READINESS_FAILURE_THRESHOLD: &str = "readiness.status.sidecar.istio.io/failureThreshold";

/// `*` or comma separated CIDRs whose traffic is sent to the sidecar; default `*`.
pub const INCLUDE_OUTBOUND_IP_RANGES: &str = "traffic.sidecar.istio.io/includeOutboundIPRanges";
/// Comma separated CIDRs whose traffic goes straight out; default none.
pub const EXCLUDE_OUTBOUND_IP_RANGES: &str = "traffic.sidecar.istio.io/excludeOutboundIPRanges";
/// Comma separated ports always sent to the sidecar; default none.
pub const INCLUDE_OUTBOUND_PORTS: &str = "traffic.sidecar.istio.io/includeOutboundPorts";
/// Comma separated ports whose traffic goes straight out; default none.
pub const EXCLUDE_OUTBOUND_PORTS: &str = "traffic.sidecar.istio.io/excludeOutboundPorts";
/// `*` or comma separated ports whose inbound traffic is sent to the sidecar; default `*`.
pub const INCLUDE_INBOUND_PORTS: &str = "traffic.sidecar.istio.io/includeInboundPorts";
/// Comma separated ports whose inbound traffic goes straight to the application; default none.
pub const EXCLUDE_INBOUND_PORTS: &str = "traffic.sidecar.istio.io/excludeInboundPorts";
/// Comma separated network interfaces whose traffic is left alone; default none.
pub const EXCLUDE_INTERFACES: &str = "traffic.sidecar.istio.io/excludeInterfaces";
/// Comma separated interfaces of virtual machines, whose traffic is all outbound; [`REROUTE_INTERFACES`] wins over it.
pub const KUBEVIRT_INTERFACES: &str = "traffic.sidecar.istio.io/kubevirtInterfaces";
/// Comma separated interfaces of virtual machines or nested containers, whose traffic is all outbound; default none.
pub const REROUTE_INTERFACES: &str = "istio.io/reroute-virtual-interfaces";

/// Further networks of the pod, by the Multus CNI plugin.
pub const NETWORKS: &str = "k8s.v1.cni.cncf.io/networks";
/// Environment variables for Datadog's tracer: a JSON object.
pub const DATADOG_ENVIRONMENT: &str = "apm.datadoghq.com/env";

/// The container that `kubectl exec` enters; set to the first application container unless present.
pub const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";
/// The container whose logs `kubectl logs` shows; set to the first application container unless present.
pub const DEFAULT_LOGS_CONTAINER: &str = "kubectl.kubernetes.io/default-logs-container";

/// Written by injection: what the pod itself says about containers that templates add, as compact JSON.
pub const OVERRIDES: &str = "proxy.istio.io/overrides";
/// Port on which the sidecar serves merged metrics and the application's probes; default 15020.
pub const STATUS_PORT: &str = "status.sidecar.istio.io/port";
/// `"true"` or `"false"`: whether the application's probes go through the sidecar; default from the values.
pub const REWRITE_PROBES: &str = "sidecar.istio.io/rewriteAppHTTPProbers";
/// `"true"` or `"false"`: whether the sidecar serves the application's metrics with its own; default from mesh config.
pub const MERGE_METRICS: &str = "prometheus.istio.io/merge-metrics";
/// Where the application serves its metrics, as `8080:/metrics,9100`.
pub const SCRAPE_TARGETS: &str = "prometheus.istio.io/scrape-targets";
/// Port of the merged metrics with TLS.
pub const SECURE_METRICS_PORT: &str = "prometheus.istio.io/secure-port";
/// Whether Prometheus scrapes the pod.
pub const PROMETHEUS_SCRAPE: &str = "prometheus.io/scrape";
/// The port it scrapes.
pub const PROMETHEUS_PORT: &str = "prometheus.io/port";
/// The path it scrapes.
pub const PROMETHEUS_PATH: &str = "prometheus.io/path";

/// On a namespace, by OpenShift: the user ids of its pods, `start/size` or `start-end`.
pub const OPENSHIFT_UID_RANGE: &str = "openshift.io/sa.scc.uid-range";
/// On a namespace, by OpenShift: the supplemental groups of its pods, as comma separated blocks of that form.
pub const OPENSHIFT_SUPPLEMENTAL_GROUPS: &str = "openshift.io/sa.scc.supplemental-groups";
