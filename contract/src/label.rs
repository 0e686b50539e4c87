//! Pod and namespace labels that steer injection, named as Istio names them.

/// On a namespace: `enabled` asks for injection of every pod in it.
pub const NAMESPACE_INJECTION: &str = "istio-injection";
/// The value of [`NAMESPACE_INJECTION`] that turns injection on; any other value turns it off.
pub const NAMESPACE_INJECTION_ENABLED: &str = "enabled";
/// On a pod: `"true"` or `"false"`; wins over the annotation of the same name.
pub const INJECT: &str = "sidecar.istio.io/inject";
/// On a namespace or pod: the revision of the injector that is to serve it.
pub const REVISION: &str = "istio.io/rev";
/// On a MutatingWebhookConfiguration: another name of the revision that it calls.
pub const TAG: &str = "istio.io/tag";
/// On a pod: the network it is in; set by injection when it is known.
pub const NETWORK: &str = "topology.istio.io/network";

/// On a pod, by Kubernetes' Deployment controller: the end of its ReplicaSet's name.
pub const POD_TEMPLATE_HASH: &str = "pod-template-hash";
/// On a pod, by Argo's Rollout controller: the end of its ReplicaSet's name.
pub const ROLLOUTS_POD_TEMPLATE_HASH: &str = "rollouts-pod-template-hash";
/// On a pod, by OpenShift: the name of its DeploymentConfig.
pub const DEPLOYMENT_CONFIG: &str = "deploymentconfig";

/// On a pod, set by templates: that its sidecar takes mutual TLS.
pub const TLS_MODE: &str = "security.istio.io/tlsMode";
/// On a pod, set by templates: the name under which telemetry knows the workload.
pub const CANONICAL_NAME: &str = "service.istio.io/canonical-name";
/// On a pod, set by templates: its version for telemetry.
pub const CANONICAL_REVISION: &str = "service.istio.io/canonical-revision";
/// On a pod, set by templates: that it can be reached by a tunnel.
pub const TUNNEL: &str = "networking.istio.io/tunnel";

/// On a namespace, set by the API server: its name.
pub const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";
/// In the selectors of a webhook that another one has replaced; no object has it.
pub const DEACTIVATED: &str = "istio.io/deactivated";
/// The value that goes with [`DEACTIVATED`].
pub const DEACTIVATED_NEVER: &str = "never-match";
