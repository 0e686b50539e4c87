//! What a template sees: the data of one pod, under the names that Istio's templates use.

use serde_json::{Map, Value, json};
use sidecar_contract::{config::DEFAULT_REVISION, identity};

use crate::config::Configuration;
use crate::workload::{metadata_map, metadata_text};

/// What one injector does, whoever asks: the settings that all its injections share.
#[derive(Debug)]
pub struct Injector {
    /// Templates, values and mesh settings.
    pub configuration: Configuration,
    /// Revision of this injector; empty means `default`.
    pub revision: String,
    /// Whether the cluster runs init containers with `restartPolicy: Always` (Kubernetes 1.29 and later).
    pub native_sidecars: bool,
}

impl Injector {
    /// The context of an injection into a pod of `owner` in `namespace`.
    pub fn context<'a>(&'a self, owner: Owner<'a>, namespace: &'a str) -> Context<'a> {
        let Self { configuration, revision, native_sidecars } = self;
        Context { configuration, owner, namespace, revision, native_sidecars: *native_sidecars }
    }
}

/// Everything that one injection knows besides the pod.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Templates, values and mesh settings.
    pub configuration: &'a Configuration,
    /// The object that the pod belongs to.
    pub owner: Owner<'a>,
    /// The pod's namespace, from its metadata or from the request.
    pub namespace: &'a str,
    /// Revision of this injector; empty means `default`.
    pub revision: &'a str,
    /// Whether the cluster runs init containers with `restartPolicy: Always` (Kubernetes 1.29 and later).
    pub native_sidecars: bool,
}

/// The object that a pod belongs to, or the pod itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Owner<'a> {
    /// As `apps/v1`.
    pub api_version: &'a str,
    /// As `Deployment`.
    pub kind: &'a str,
    /// Its name; empty when it will be generated.
    pub name: &'a str,
}

impl<'a> Owner<'a> {
    /// The controller of `pod`, by its owner references; the pod itself when it has none.
    pub fn of_pod(pod: &'a Value) -> Self {
        let references = pod.pointer("/metadata/ownerReferences").and_then(Value::as_array);
        match references.into_iter().flatten().find(|reference| reference["controller"] == true) {
            Some(reference) => {
                let text = |key: &str| reference.get(key).and_then(Value::as_str).unwrap_or_default();
                Self { api_version: text("apiVersion"), kind: text("kind"), name: text("name") }
            }
            None => Self { api_version: "v1", kind: "Pod", name: metadata_text(pod, "name") },
        }
    }

    /// `object` as an owner.
    pub fn of(object: &'a Value) -> Self {
        let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
        Self { api_version: text("apiVersion"), kind: text("kind"), name: metadata_text(object, "name") }
    }
}

impl Context<'_> {
    /// The revision written into pods.
    pub fn revision(&self) -> &str {
        if self.revision.is_empty() { DEFAULT_REVISION } else { self.revision }
    }

    /// The template's dot.
    pub fn template_data(&self, pod: &Value) -> Value {
        let Configuration { values, mesh, .. } = self.configuration;
        json!({
            "TypeMeta": {"APIVersion": self.owner.api_version, "Kind": self.owner.kind},
            "DeploymentMeta": {"Name": self.owner.name, "Namespace": self.namespace},
            "ObjectMeta": {
                "Name": metadata_text(pod, "name"),
                "GenerateName": metadata_text(pod, "generateName"),
                "Namespace": self.namespace,
                "Labels": metadata_map(pod, "labels"),
                "Annotations": metadata_map(pod, "annotations"),
            },
            "Spec": with_go_names(pod.get("spec").unwrap_or(&Value::Null)),
            "MeshConfig": with_go_names(&Value::Object(mesh.fields().clone())),
            "ProxyConfig": with_go_names(mesh.default_proxy_config()),
            "Values": values,
            "Revision": self.revision(),
            "NativeSidecars": self.native_sidecars,
            "ProxyImage": image(values, "proxy"),
            "ProxyInitImage": image(values, "proxy_init"),
            "ProxyUID": identity::PROXY_UID,
            "ProxyGID": identity::PROXY_GID,
            "InboundTrafficPolicyMode": mesh.inbound_traffic_policy_mode(),
            "CompliancePolicy": "",
        })
    }
}

/// `<global.hub>/<global.<section>.image>:<global.tag>`; a tag may be a number in the values.
fn image(values: &Map<String, Value>, section: &str) -> String {
    let global = values.get("global").unwrap_or(&Value::Null);
    let text = |value: Option<&Value>| match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(scalar) => scalar.to_string(),
    };
    let name = text(global.get(section).and_then(|section| section.get("image")));
    let (hub, tag) = (text(global.get("hub")), text(global.get("tag")));
    let separator = if tag.is_empty() { "" } else { ":" };
    if hub.is_empty() { format!("{name}{separator}{tag}") } else { format!("{hub}/{name}{separator}{tag}") }
}

/// Keys of maps that belong to users, not to the Kubernetes API.
const USER_KEYED: [&str; 8] =
    ["annotations", "labels", "limits", "matchLabels", "nodeSelector", "overhead", "proxyMetadata", "requests"];

/// The value with its keys named after Go's Kubernetes and Istio types: `containers` is `.Containers`. A field that is
/// unset in the pod is missing here, where Go has a zero value; and some abbreviations are spelt otherwise in Go.
fn with_go_names(value: &Value) -> Value {
    match value {
        Value::Object(entries) => entries
            .iter()
            .map(|(key, value)| {
                let value = if USER_KEYED.contains(&key.as_str()) { value.clone() } else { with_go_names(value) };
                (go_name(key), value)
            })
            .collect(),
        Value::Array(values) => values.iter().map(with_go_names).collect(),
        scalar => scalar.clone(),
    }
}

fn go_name(key: &str) -> String {
    const INITIALISMS: [&str; 6] = ["http", "tcp", "dns", "uid", "gid", "tty"];
    let initialism = INITIALISMS.iter().find(|prefix| {
        let rest = key.strip_prefix(**prefix);
        rest.is_some_and(|rest| rest.chars().next().is_none_or(char::is_uppercase))
    });
    match (initialism, key.chars().next()) {
        (Some(prefix), _) => prefix.to_uppercase() + &key[prefix.len()..],
        (None, Some(first)) => first.to_uppercase().chain(key.chars().skip(1)).collect(),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_named_as_in_go_and_user_keys_are_left_alone() {
        let named =
            with_go_names(&json!({"hostNetwork": true, "dnsPolicy": "Default", "nodeSelector": {"diskType": "ssd"},
            "containers": [{"livenessProbe": {"httpGet": {"port": 80}}, "resources": {"limits": {"cpu": 1}}}]}));
        let expected = json!({"HostNetwork": true, "DNSPolicy": "Default", "NodeSelector": {"diskType": "ssd"},
            "Containers": [{"LivenessProbe": {"HTTPGet": {"Port": 80}}, "Resources": {"Limits": {"cpu": 1}}}]});
        assert_eq!(named, expected);
    }

    #[test]
    fn image_names_are_put_together_from_values() {
        let check = |values: Value, expected: &str| assert_eq!(image(values.as_object().unwrap(), "proxy"), expected);
        check(json!({"global": {"hub": "h", "tag": "1", "proxy": {"image": "p"}}}), "h/p:1");
        check(json!({"global": {"hub": "h", "tag": 1.5, "proxy": {"image": "p"}}}), "h/p:1.5");
        check(json!({"global": {"proxy": {"image": "p"}}}), "p");
    }
}
