//! MeshConfig: the mesh-wide settings that templates read.

use serde_json::{Map, Value, json};
use sidecar_contract::port;

use crate::yaml::{self, YamlError};

/// MeshConfig (Istio API `mesh/v1alpha1`) over its defaults; field names as in its JSON form.
#[derive(Clone, Debug, PartialEq)]
pub struct MeshConfig {
    fields: Map<String, Value>,
}

/// Name and value of a field, what it has to be, and that in words.
type Check<'a> = (&'static str, Option<&'a Value>, fn(&Value) -> bool, &'static str);

const HOLD_APPLICATION: &str = "defaultConfig.holdApplicationUntilProxyStarts";

impl Default for MeshConfig {
    fn default() -> Self {
        let fields = json!({
            "proxyListenPort": port::OUTBOUND,
            "proxyInboundListenPort": port::INBOUND,
            "connectTimeout": "10s",
            "enableAutoMtls": true,
            "enablePrometheusMerge": true,
            "rootNamespace": "istio-system",
            "trustDomain": "cluster.local",
            "defaultConfig": {
                "configPath": "./etc/istio/proxy",
                "binaryPath": "/usr/local/bin/envoy",
                "serviceCluster": "istio-proxy",
                "drainDuration": "45s",
                "terminationDrainDuration": "5s",
                "proxyAdminPort": port::ADMIN,
                "controlPlaneAuthPolicy": "MUTUAL_TLS",
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
    /// Fields may be named in either of the two forms protobuf allows: `trustDomain` or `trust_domain`.
    ///
    /// # Errors
    /// When the text is not YAML, not a mapping, or a field that injection reads has a value it cannot have.
    pub fn read(text: &str) -> Result<Self, YamlError> {
        let mut mesh = Self::default();
        for (key, value) in yaml::read_config::<Option<Map<String, Value>>>(text)?.unwrap_or_default() {
            let key = lower_camel(&key);
            match (mesh.fields.get_mut(&key), value) {
                (_, Value::Null) => {}
                (Some(Value::Object(defaults)), Value::Object(given)) if key == "defaultConfig" => {
                    let given = given.into_iter().filter(|(_, value)| !value.is_null());
                    defaults.extend(given.map(|(key, value)| (lower_camel(&key), value)));
                }
                (_, value) => {
                    mesh.fields.insert(key, value);
                }
            }
        }
        match mesh.mistakes().as_slice() {
            [] => Ok(mesh),
            mistakes => Err(YamlError { line: None, message: mistakes.join("; ") }),
        }
    }

    fn mistakes(&self) -> Vec<String> {
        let is_port = |value: &Value| value.as_u64().is_some_and(|port| (1..=65535).contains(&port));
        let is_mode = |value: &Value| matches!(value.as_str(), Some("REDIRECT" | "TPROXY" | "NONE"));
        let (mesh, proxy) = (|key: &str| self.fields.get(key), |key: &str| self.default_proxy_config().get(key));
        let checks: [Check<'_>; 6] = [
            ("proxyListenPort", mesh("proxyListenPort"), is_port, "a port from 1 to 65535"),
            ("proxyInboundListenPort", mesh("proxyInboundListenPort"), is_port, "a port from 1 to 65535"),
            ("inboundTrafficPolicy", mesh("inboundTrafficPolicy"), Value::is_object, "a mapping"),
            ("defaultConfig", mesh("defaultConfig"), Value::is_object, "a mapping"),
            ("defaultConfig.interceptionMode", proxy("interceptionMode"), is_mode, "REDIRECT, TPROXY or NONE"),
            (HOLD_APPLICATION, proxy("holdApplicationUntilProxyStarts"), Value::is_boolean, "true or false"),
        ];
        let invalid = checks.iter().filter_map(|(field, value, is_valid, expected)| {
            let value = value.filter(|value| !is_valid(value))?;
            Some(format!("{field} is {value}, not {expected}"))
        });
        invalid.collect()
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

/// Protobuf's JSON form of a field name: `trust_domain` is `trustDomain`.
pub(crate) fn lower_camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let mut letters = word.chars();
        name + &letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    })
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
    fn both_spellings_of_a_field_are_one_field() {
        let mesh = MeshConfig::read("trust_domain: a.b\ndefault_config: {status_port: 1}\nproxyListenPort:\n").unwrap();
        assert_eq!(mesh.fields()["trustDomain"], "a.b");
        assert_eq!(mesh.default_proxy_config()["statusPort"], 1);
        assert_eq!(mesh.fields()["proxyListenPort"], 15001);
    }

    #[test]
    fn fields_that_injection_reads_are_checked_all_at_once() {
        let text =
            "proxyListenPort: 70000\ndefaultConfig: {interceptionMode: foo, holdApplicationUntilProxyStarts: 'true'}\n";
        let message = MeshConfig::read(text).unwrap_err().message;
        for field in
            ["proxyListenPort is 70000", "defaultConfig.interceptionMode is", "holdApplicationUntilProxyStarts is"]
        {
            assert!(message.contains(field), "{message}");
        }
        assert!(
            MeshConfig::read("defaultConfig: 3\n").unwrap_err().message.contains("defaultConfig is 3, not a mapping")
        );
    }

    #[test]
    fn a_list_is_not_mesh_config() {
        assert!(MeshConfig::read("- a\n").is_err());
    }
}
