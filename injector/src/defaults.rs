//! The configuration that is embedded in the binary: the files of `templates/`, which are also what the manifests
//! install.

use crate::config::{Source, Sources};

/// Configuration and template of our own images.
pub const CONFIG: &str = include_str!("../../templates/config.yaml");
/// Values of our own images.
pub const VALUES: &str = include_str!("../../templates/values.json");
/// Mesh configuration of our own images.
pub const MESH: &str = include_str!("../../templates/mesh.yaml");

/// The embedded texts.
pub fn sources() -> Sources {
    let embedded = |name: &str, text: &str| Source { origin: format!("embedded {name}"), text: text.to_owned() };
    Sources {
        config: embedded("config.yaml", CONFIG),
        values: embedded("values.json", VALUES),
        mesh: embedded("mesh.yaml", MESH),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Configuration;
    use crate::context::Injector;
    use crate::decide::NO_VARIABLES;
    use crate::native::Setting;
    use crate::owner::Owner;
    use serde_json::{Value, json};
    use sidecar_contract::{container, identity, image, port};

    fn injected(pod: &Value, native_sidecars: bool) -> Value {
        let native_sidecars = if native_sidecars { Setting::True } else { Setting::False };
        let injector = Injector::new(Configuration::load(&sources()).unwrap())
            .with(|settings| settings.native_sidecars = native_sidecars);
        let context = injector.context(Owner::default(), injector.namespace("demo"), &NO_VARIABLES);
        crate::inject::inject(pod, &context).unwrap().pod
    }

    fn container<'a>(pod: &'a Value, list: &str, name: &str) -> &'a Value {
        pod["spec"][list].as_array().unwrap().iter().find(|container| container["name"] == name).unwrap()
    }

    #[test]
    fn the_template_says_what_the_contract_says() {
        let pod = injected(&json!({"spec": {"containers": [{"name": "app"}]}}), false);
        let init = container(&pod, "initContainers", container::INIT);
        let not_captured = format!("{},{},{}", port::PROMETHEUS, port::HEALTH, port::STATUS);
        let (outbound, inbound) = (port::OUTBOUND.to_string(), port::INBOUND.to_string());
        let uid = identity::PROXY_UID.to_string();
        #[rustfmt::skip]
        let args = [
            container::INIT_FIRST_ARGUMENT, "-p", &outbound, "-z", &inbound, "-u", &uid, "-m", "REDIRECT",
            "-i", "*", "-x", "", "-b", "*", "-d", &not_captured,
        ];
        assert_eq!(init["args"], json!(args));
        let proxy = container(&pod, "containers", container::PROXY);
        assert_eq!(proxy["securityContext"]["runAsUser"], identity::PROXY_UID);
        assert_eq!(proxy["securityContext"]["runAsGroup"], identity::PROXY_GID);
        for probe in ["startupProbe", "readinessProbe"] {
            assert_eq!(proxy[probe]["httpGet"], json!({"path": "/healthz/ready", "port": port::HEALTH}));
        }
        assert_eq!(proxy["ports"][0]["containerPort"], port::PROMETHEUS);
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(proxy["image"], format!("localhost/{}:{version}", image::PROXY));
        assert_eq!(init["image"], format!("localhost/{}:{version}", image::INIT));
    }

    #[test]
    fn annotations_steer_the_template() {
        let annotations = json!({
            "sidecar.istio.io/proxyImage": "hub/custom:2", "sidecar.istio.io/proxyCPU": "250m",
            "sidecar.istio.io/logLevel": "warning",
            "traffic.sidecar.istio.io/excludeInboundPorts": "9000", "traffic.sidecar.istio.io/excludeOutboundPorts": "3306",
            "traffic.sidecar.istio.io/includeOutboundPorts": "80,443",
        });
        let pod = injected(
            &json!({"metadata": {"annotations": annotations}, "spec": {"containers": [{"name": "app"}]}}),
            false,
        );
        let args = &container(&pod, "initContainers", container::INIT)["args"].as_array().unwrap()[15..];
        assert_eq!(args, ["-d", "15090,15021,9000,15020", "-q", "80,443", "-o", "3306"]);
        let proxy = container(&pod, "containers", container::PROXY);
        assert_eq!(proxy["image"], "hub/custom:2");
        assert_eq!(proxy["resources"]["requests"], json!({"cpu": "250m", "memory": "32Mi"}));
        assert_eq!(proxy["args"][0], "--log-level=warning");
    }

    #[test]
    fn a_native_sidecar_is_an_init_container_that_stays() {
        let pod = injected(
            &json!({"spec": {"containers": [{"name": "app"}], "initContainers": [{"name": "migrate"}]}}),
            true,
        );
        assert_eq!(crate::workload::names(&pod, "initContainers"), [container::INIT, container::PROXY, "migrate"]);
        assert_eq!(crate::workload::names(&pod, "containers"), ["app"]);
        assert_eq!(container(&pod, "initContainers", container::PROXY)["restartPolicy"], "Always");
    }

    #[test]
    fn without_interception_there_is_no_init_container_and_the_users_own_stay() {
        let pod = json!({"metadata": {"annotations": {"sidecar.istio.io/interceptionMode": "NONE"}},
            "spec": {"containers": [{"name": "app"}], "initContainers": [{"name": "migrate"}]}});
        assert_eq!(crate::workload::names(&injected(&pod, false), "initContainers"), ["migrate"]);
    }
}
