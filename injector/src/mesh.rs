//! MeshConfig: the mesh-wide settings that templates read.

use serde_json::{Map, Value, json};
use sidecar_contract::{namespace, port};

use crate::proxy_config::{self, ProxyConfig};
use crate::template::{self, Canonical};
use crate::workload::FieldError;
use crate::yaml::{self, YamlError};

const TYPE: &str = "v1alpha1.MeshConfig";
const DEFAULT_CONFIG: &str = "defaultConfig";

/// MeshConfig (Istio API `mesh/v1alpha1`) over its defaults; field names as in its JSON form.
#[derive(Clone, Debug, PartialEq)]
pub struct MeshConfig {
    fields: Map<String, Value>,
    /// [`DEFAULT_CONFIG`] of the fields.
    default_config: ProxyConfig,
}

impl Default for MeshConfig {
    fn default() -> Self {
        let fields = default_fields();
        let default_config = fields.get(DEFAULT_CONFIG).and_then(Value::as_object).cloned().unwrap_or_default();
        Self { fields, default_config: ProxyConfig::new(default_config).unwrap_or_default() }
    }
}

impl MeshConfig {
    /// Reads MeshConfig from YAML. Fields may be named in either of the two forms protobuf allows, `trustDomain` or
    /// `trust_domain`; those that MeshConfig does not have are left out.
    ///
    /// A field replaces its default as a whole, but `defaultConfig` and `defaultProviders` are merged field by field,
    /// `extensionProviders` by name, and `trustDomainAliases` are united.
    ///
    /// # Errors
    /// When the text is not YAML, not a mapping, or has fields with a value they cannot have: all of them.
    pub fn read(text: &str) -> Result<Self, YamlError> {
        let given = yaml::read_config::<Option<Map<String, Value>>>(text)?.unwrap_or_default();
        let Canonical { json, twice: mut errors, unknown: _ } = template::canonical(TYPE, given.into());
        let mut fields = default_fields();
        if let Value::Object(given) = json {
            for (key, value) in given {
                overlay(&mut fields, key, value);
            }
        }
        let fields = Value::Object(fields);
        errors.extend(template::read(TYPE, &fields, "").err().into_iter().flatten());
        let Value::Object(fields) = fields else { return Ok(Self::default()) };
        errors.extend(ports_out_of_range(&fields));
        let default_config = match fields.get(DEFAULT_CONFIG) {
            Some(Value::Object(config)) => ProxyConfig::new(config.clone()),
            _ => Ok(ProxyConfig::default()),
        };
        let default_config = default_config.unwrap_or_else(|mistakes| {
            errors.extend(mistakes.into_iter().map(|mistake| mistake.under(DEFAULT_CONFIG)));
            ProxyConfig::default()
        });
        if errors.is_empty() { Ok(Self { fields, default_config }) } else { Err(joined(errors)) }
    }

    /// The fields in `text` that are left out because MeshConfig does not have them.
    pub fn unknown_fields(text: &str) -> Vec<FieldError> {
        let given = yaml::read_config::<Option<Map<String, Value>>>(text).ok().flatten().unwrap_or_default();
        template::canonical(TYPE, given.into()).unknown
    }

    /// The whole of it, as a JSON object.
    pub fn fields(&self) -> &Map<String, Value> {
        &self.fields
    }

    /// `defaultConfig`: the ProxyConfig of a pod that says nothing else.
    pub fn default_proxy_config(&self) -> &Value {
        self.fields.get(DEFAULT_CONFIG).unwrap_or(&Value::Null)
    }

    /// The same as [`MeshConfig::default_proxy_config`], checked, and with what templates see of it.
    pub fn default_config(&self) -> &ProxyConfig {
        &self.default_config
    }

    /// `localhost` when inbound traffic is delivered to 127.0.0.1, else `passthrough`.
    pub fn inbound_traffic_policy_mode(&self) -> &'static str {
        let mode = self.fields.get("inboundTrafficPolicy").and_then(|policy| policy.get("mode"));
        if mode.and_then(Value::as_str) == Some("LOCALHOST") { "localhost" } else { "passthrough" }
    }

    /// Whether the application waits for the proxy to be ready.
    pub fn hold_application_until_proxy_starts(&self) -> bool {
        self.default_config.hold_application()
    }

    /// Port of merged metrics and rewritten probes: `defaultConfig.statusPort`, 15020 by default.
    pub fn status_port(&self) -> u16 {
        self.default_config.status_port()
    }

    /// Whether the proxy merges the application's metrics with its own: `enablePrometheusMerge`, true by default.
    pub fn prometheus_merge(&self) -> bool {
        self.fields.get("enablePrometheusMerge").and_then(Value::as_bool).unwrap_or(true)
    }

    /// The namespace whose resources are for the whole mesh; `istio-system` by default.
    pub fn root_namespace(&self) -> &str {
        self.fields.get("rootNamespace").and_then(Value::as_str).unwrap_or(namespace::INJECTOR)
    }
}

fn default_fields() -> Map<String, Value> {
    let fields = json!({
        "proxyListenPort": port::OUTBOUND,
        "proxyInboundListenPort": port::INBOUND,
        "connectTimeout": "10s",
        "enableAutoMtls": true,
        "enablePrometheusMerge": true,
        "rootNamespace": namespace::INJECTOR,
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
        "extensionProviders": [
            {"name": "prometheus", "prometheus": {}},
            {"name": "stackdriver", "stackdriver": {}},
            {"name": "envoy", "envoyFileAccessLog": {"path": "/dev/stdout"}},
        ],
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// Lays one given field over the others.
fn overlay(fields: &mut Map<String, Value>, key: String, given: Value) {
    match (fields.get_mut(&key), given) {
        (Some(Value::Object(lower)), Value::Object(given)) if key == DEFAULT_CONFIG => {
            proxy_config::overlay(lower, given);
        }
        (Some(Value::Object(lower)), Value::Object(given)) if key == "defaultProviders" => lower.extend(given),
        (Some(Value::Array(lower)), Value::Array(given)) if key == "extensionProviders" => {
            for provider in given {
                let same = |known: &&mut Value| known.get("name") == provider.get("name");
                match lower.iter_mut().find(same) {
                    Some(known) => *known = provider,
                    None => lower.push(provider),
                }
            }
        }
        (Some(lower), given) => *lower = given,
        (None, Value::Array(given)) if key == "trustDomainAliases" => {
            let mut united: Vec<Value> = Vec::new();
            for alias in given {
                if !united.contains(&alias) {
                    united.push(alias);
                }
            }
            fields.insert(key, united.into());
        }
        (None, given) => drop(fields.insert(key, given)),
    }
}

fn ports_out_of_range(fields: &Map<String, Value>) -> Vec<FieldError> {
    let invalid = ["proxyListenPort", "proxyInboundListenPort"].into_iter().filter_map(|name| {
        let number = fields.get(name).and_then(Value::as_i64)?;
        let problem = || FieldError::new(name, format!("is {number}, not a port from 1 to 65535"));
        (!(1..=65535).contains(&number)).then(problem)
    });
    invalid.collect()
}

fn joined(errors: Vec<FieldError>) -> YamlError {
    let mut once: Vec<FieldError> = Vec::new();
    for error in errors {
        // `defaultConfig` is read as a part of the whole and on its own.
        if !once.contains(&error) {
            once.push(error);
        }
    }
    YamlError::of_fields(once)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        MeshConfig::read(text).unwrap_err().message
    }

    #[test]
    fn given_fields_replace_defaults_and_the_rest_stays() {
        let mesh = MeshConfig::read("trustDomain: example.org\ndefaultConfig:\n  statusPort: 15120\n").unwrap();
        assert_eq!(mesh.fields()["trustDomain"], "example.org");
        assert_eq!((mesh.default_proxy_config()["statusPort"].as_u64(), mesh.status_port()), (Some(15120), 15120));
        assert_eq!(mesh.default_config().fields()["proxyAdminPort"], 15000);
        assert!(mesh.prometheus_merge());
        assert!(!MeshConfig::read("enablePrometheusMerge: false\n").unwrap().prometheus_merge());
    }

    #[test]
    fn an_empty_document_means_the_defaults() {
        assert_eq!(MeshConfig::read("# nothing yet\n").unwrap(), MeshConfig::default());
        assert_eq!(MeshConfig::default().default_config().fields().len(), 11);
    }

    #[test]
    fn both_spellings_of_a_field_are_one_field() {
        let text = "trust_domain: a.b\ndefault_config: {status_port: 1, image: {image_type: x}}\nproxyListenPort:\n";
        let mesh = MeshConfig::read(text).unwrap();
        assert_eq!(mesh.fields()["trustDomain"], "a.b");
        assert_eq!((mesh.status_port(), mesh.default_config().image_type()), (1, Some("x")));
        assert_eq!(mesh.fields()["proxyListenPort"], 15001);
        assert!(message("trustDomain: a\ntrust_domain: b\n").contains("trustDomain: is there twice"));
    }

    #[test]
    fn providers_are_merged_by_name_and_aliases_are_united() {
        let text = "extensionProviders: [{name: envoy, zipkin: {service: z, port: 1}}, {name: mine, prometheus: {}}]\n\
            trustDomainAliases: [a, b, a]\ninbound_traffic_policy: {mode: 1}\nunknownField: 1\n";
        let mesh = MeshConfig::read(text).unwrap();
        let names: Vec<_> =
            mesh.fields()["extensionProviders"].as_array().unwrap().iter().map(|item| &item["name"]).collect();
        assert_eq!(names, ["prometheus", "stackdriver", "envoy", "mine"]);
        assert_eq!(
            mesh.fields()["extensionProviders"][2],
            json!({"name": "envoy", "zipkin": {"service": "z", "port": 1}})
        );
        assert_eq!(mesh.fields()["trustDomainAliases"], json!(["a", "b"]));
        assert_eq!(mesh.inbound_traffic_policy_mode(), "localhost");
        assert!(!mesh.fields().contains_key("unknownField"));
    }

    #[test]
    fn values_that_cannot_be_are_reported_all_at_once() {
        let text = "proxyListenPort: 70000\nenablePrometheusMerge: 'yes'\n\
            defaultConfig: {interceptionMode: foo, holdApplicationUntilProxyStarts: 'true', statusPort: 70000}\n";
        let message = message(text);
        for part in [
            "proxyListenPort: is 70000, not a port",
            "enablePrometheusMerge: is \"yes\", not true or false",
            "defaultConfig.interceptionMode: is \"foo\", not one of REDIRECT, TPROXY, NONE",
            "defaultConfig.holdApplicationUntilProxyStarts: is \"true\", not true or false",
            "defaultConfig.statusPort: is 70000, not a port",
        ] {
            assert_eq!(message.matches(part).count(), 1, "{message}");
        }
    }

    #[test]
    fn what_is_not_a_mapping_is_refused() {
        assert!(message("defaultConfig: 3\n").contains("defaultConfig: is 3, not a mapping"));
        assert!(MeshConfig::read("- a\n").is_err());
    }
}
