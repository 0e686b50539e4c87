//! Sidecars of others.

use serde_json::Value;

use super::{FOREIGN_SIDECAR, Warning, name_of};
use crate::containers::{self, LISTS};
use crate::workload::metadata_map;

/// Somebody else's sidecar, and how it is told.
struct Foreign {
    /// Whose it is.
    name: &'static str,
    /// Names of its containers.
    containers: &'static [&'static str],
    /// Where a pod asks for it: labels or annotations, key and value.
    asked: &'static [(&'static str, &'static str, &'static str)],
    /// Whether it redirects the traffic of the pod to itself.
    redirects: bool,
}

const FOREIGN: [Foreign; 6] = [
    Foreign {
        name: "Linkerd",
        containers: &["linkerd-proxy", "linkerd-init"],
        asked: &[("annotations", "linkerd.io/inject", "enabled"), ("annotations", "linkerd.io/inject", "ingress")],
        redirects: true,
    },
    Foreign {
        name: "Consul",
        containers: &["consul-dataplane", "consul-connect-inject-init"],
        asked: &[("annotations", "consul.hashicorp.com/connect-inject", "true")],
        redirects: true,
    },
    Foreign {
        name: "Kuma",
        containers: &["kuma-sidecar", "kuma-init"],
        asked: &[
            ("labels", "kuma.io/sidecar-injection", "enabled"),
            ("annotations", "kuma.io/sidecar-injection", "enabled"),
        ],
        redirects: true,
    },
    Foreign {
        name: "NGINX Service Mesh",
        containers: &["nginx-mesh-sidecar", "nginx-mesh-init"],
        asked: &[("annotations", "injector.nsm.nginx.com/auto-inject", "true")],
        redirects: true,
    },
    Foreign {
        name: "App Mesh",
        containers: &["proxyinit"],
        asked: &[("annotations", "appmesh.k8s.aws/sidecarInjectorWebhook", "enabled")],
        redirects: true,
    },
    Foreign {
        name: "Dapr",
        containers: &["daprd"],
        asked: &[("annotations", "dapr.io/enabled", "true")],
        redirects: false,
    },
];

/// One warning for each of the others.
pub(super) fn sidecars(pod: &Value) -> impl Iterator<Item = Warning> {
    FOREIGN.iter().filter_map(move |foreign| foreign.seen_in(pod).map(|how| foreign.warning(&how)))
}

impl Foreign {
    fn seen_in(&self, pod: &Value) -> Option<String> {
        let mut names = LISTS.into_iter().flat_map(|list| containers::list(pod, list)).map(name_of);
        if let Some(name) = names.find(|name| self.containers.contains(name)) {
            return Some(format!("has the container '{name}'"));
        }
        let is_asked = |(map, key, value): &&(&str, &str, &str)| {
            metadata_map(pod, map).get(*key).and_then(Value::as_str) == Some(*value)
        };
        self.asked.iter().find(is_asked).map(|(_, key, value)| format!("asks with {key}={value}"))
    }

    fn warning(&self, how: &str) -> Warning {
        let so = if self.redirects {
            "two sidecars that redirect the same traffic cut each other off; keep one of them"
        } else {
            "its traffic goes through this sidecar too, with TLS twice unless one of them leaves it"
        };
        Warning::new(FOREIGN_SIDECAR, format!("the pod {how}, the sidecar of {}: {so}", self.name))
    }
}
