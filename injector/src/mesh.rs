//! MeshConfig: the mesh-wide settings that templates read.

use serde_json::{Map, Value, json};
use sidecar_contract::port;

use crate::yaml::{self, YamlError};

/// MeshConfig (Istio API `mesh/v1alpha1`) over its defaults; field names as in its JSON form.
#[derive(Clone, Debug, PartialEq)]
pub struct MeshConfig {
    fields: Map<String, Value>,
}

impl Default for MeshConfig {
    fn default() -> Self {
        let fields = json!({
            "proxyListenPort": port::OUTBOUND,
            "proxyInboundListenPort": port::INBOUND,
            "trustDomain": "cluster.local",
            "enablePrometheusMerge": true,
            "defaultConfig": {
                "configPath": "./etc/istio/proxy",
                "binaryPath": "/usr/local/bin/envoy",
                "serviceCluster": "istio-proxy",
                "drainDuration": "45s",
                "terminationDrainDuration": "5s",
                "proxyAdminPort": port::ADMIN,
                "discoveryAddress": "istiod.istio-system.svc:15012",
                "interceptionMode": "REDIRECT",
                "statNameLength": 189,
                "statusPort": port::STATUS,
            },
        });
        match fields {
            Value::Object(fields) => Self { fields },
            _ => Self { fields: Map::new() },
        }
    }
}

impl MeshConfig {
    /// Reads MeshConfig from YAML. A field replaces its default as a whole; `defaultConfig` is merged field by field.
    ///
    /// # Errors
    /// When the text is not YAML, or not a mapping.
    pub fn read(text: &str) -> Result<Self, YamlError> {
        let mut mesh = Self::default();
        for (key, value) in yaml::read_config::<Option<Map<String, Value>>>(text)?.unwrap_or_default() {
            match (mesh.fields.get_mut(&key), value) {
                (Some(Value::Object(defaults)), Value::Object(given)) if key == "defaultConfig" => {
                    defaults.extend(given);
                }
                (_, value) => {
                    mesh.fields.insert(key, value);
                }
            }
        }
        Ok(mesh)
    }

    /// The whole of it, as a JSON object.
    pub fn fields(&self) -> &Map<String, Value> {
        &self.fields
    }

    /// `defaultConfig`: the ProxyConfig of a pod that says nothing else.
    pub fn default_proxy_config(&self) -> &Value {
        self.fields.get("defaultConfig").unwrap_or(&Value::Null)
    }

    /// `localhost` when inbound traffic is delivered to 127.0.0.1, else `passthrough`.
    pub fn inbound_traffic_policy_mode(&self) -> &'static str {
        let mode = self.fields.get("inboundTrafficPolicy").and_then(|policy| policy.get("mode"));
        if mode.and_then(Value::as_str) == Some("LOCALHOST") { "localhost" } else { "passthrough" }
    }

    /// Whether the application waits for the proxy to be ready.
    pub fn hold_application_until_proxy_starts(&self) -> bool {
        self.default_proxy_config().get("holdApplicationUntilProxyStarts").and_then(Value::as_bool).unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_fields_replace_defaults_and_the_rest_stays() {
        let mesh = MeshConfig::read("trustDomain: example.org\ndefaultConfig:\n  statusPort: 15120\n").unwrap();
        assert_eq!(mesh.fields()["trustDomain"], "example.org");
        assert_eq!(mesh.default_proxy_config()["statusPort"], 15120);
        assert_eq!(mesh.default_proxy_config()["proxyAdminPort"], 15000);
    }

    #[test]
    fn an_empty_document_means_the_defaults() {
        assert_eq!(MeshConfig::read("# nothing yet\n").unwrap(), MeshConfig::default());
    }

    #[test]
    fn a_list_is_not_mesh_config() {
        assert!(MeshConfig::read("- a\n").is_err());
    }
}
