//! What a template sees: the data of one pod, under the names that Istio's templates use.

use gotemplate::{IntKind, Struct, Value as Data};
use serde_json::{Map, Value};
use sidecar_contract::{config::DEFAULT_REVISION, identity};

use crate::config::Configuration;
use crate::template::{self, structure};
use crate::workload::{FieldError, metadata_text};

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

    /// The template's dot: Istio's `SidecarTemplateData`, made of Go's types for pods and mesh config. Fields of the pod
    /// that those types do not have are left out.
    ///
    /// # Errors
    /// Every field of the pod that is of another type in Kubernetes.
    pub fn template_data(&self, pod: &Value) -> Result<Data, Vec<FieldError>> {
        let Configuration { values, mesh, settings, .. } = self.configuration;
        let part = |name: &str| pod.get(name).unwrap_or(&Value::Null);
        let text = |text: &str| Data::string(text);
        let metadata = template::read("v1.ObjectMeta", part("metadata"), "metadata");
        let spec = template::read("v1.PodSpec", part("spec"), "spec");
        let (metadata, spec) = match (metadata, spec) {
            (Ok(metadata), Ok(spec)) => (in_namespace(metadata, self.namespace), spec),
            (metadata, spec) => return Err([metadata.err(), spec.err()].into_iter().flatten().flatten().collect()),
        };
        let owner = [("Kind", text(self.owner.kind)), ("APIVersion", text(self.owner.api_version))];
        let deployment = [("Name", text(self.owner.name)), ("Namespace", text(self.namespace))];
        Ok(structure(
            "inject.SidecarTemplateData",
            [
                ("TypeMeta", structure("v1.TypeMeta", owner)),
                ("DeploymentMeta", structure("types.NamespacedName", deployment)),
                ("ObjectMeta", metadata),
                ("Spec", spec),
                ("MeshConfig", settings.mesh_config.clone()),
                ("ProxyConfig", settings.proxy_config.clone()),
                ("Values", settings.values.clone()),
                ("Revision", text(self.revision())),
                ("NativeSidecars", self.native_sidecars.into()),
                ("ProxyImage", image(values, "proxy").into()),
                ("ProxyInitImage", image(values, "proxy_init").into()),
                ("ProxyUID", id(identity::PROXY_UID)),
                ("ProxyGID", id(identity::PROXY_GID)),
                ("InboundTrafficPolicyMode", text(mesh.inbound_traffic_policy_mode())),
                // None: no policy restricts the proxy's cryptography.
                ("CompliancePolicy", text("")),
            ],
        ))
    }
}

fn id(number: u32) -> Data {
    Data::Int(number.into(), IntKind::Int64)
}

/// The metadata with the namespace that the pod will be in, which its own may lack.
fn in_namespace(metadata: Data, namespace: &str) -> Data {
    match metadata {
        Data::Struct(metadata) => {
            let given = metadata.entries().map(|(name, value)| (name.as_bytes(), value.clone()));
            let namespace = (b"Namespace".as_slice(), Data::string(namespace));
            Struct::new(metadata.struct_type().clone(), given.chain([namespace])).into()
        }
        other => other,
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn image_names_are_put_together_from_values() {
        let check = |values: Value, expected: &str| assert_eq!(image(values.as_object().unwrap(), "proxy"), expected);
        check(json!({"global": {"hub": "h", "tag": "1", "proxy": {"image": "p"}}}), "h/p:1");
        check(json!({"global": {"hub": "h", "tag": 1.5, "proxy": {"image": "p"}}}), "h/p:1.5");
        check(json!({"global": {"proxy": {"image": "p"}}}), "p");
    }
}
