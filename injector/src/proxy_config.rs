//! ProxyConfig: how the proxy of one pod is set up.

mod resource;

use std::sync::{Arc, LazyLock};

use gotemplate::{Pointer, Value as Data};
use serde_json::{Map, Value};
use sidecar_contract::port;

use crate::mesh::MeshConfig;
use crate::mode::Mode;
use crate::template::{self, Canonical, safety};
use crate::workload::FieldError;
use crate::yaml;

pub use resource::ProxyConfigResource;

const TYPE: &str = "v1alpha1.ProxyConfig";
const METADATA: &str = "proxyMetadata";
const HEADERS: &str = "proxyHeaders";
/// Two fields of which a message has one.
const CLUSTER_NAMES: [&str; 2] = ["serviceCluster", "tracingServiceName"];

/// ProxyConfig (Istio API `mesh/v1alpha1`) of one pod, or of all pods that say nothing else. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ProxyConfig {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    fields: Map<String, Value>,
    /// `*v1alpha1.ProxyConfig`
    template_value: Data,
}

impl ProxyConfig {
    /// What applies to a pod in `namespace` with these labels. Layers, from the lowest: the mesh's `defaultConfig`; the
    /// oldest resource without a selector in `root_namespace`, and that in `namespace`; `annotation`, the value of
    /// `proxy.istio.io/config`, in YAML or JSON; the oldest resource in `namespace` whose selector matches the labels.
    ///
    /// A field of a higher layer replaces that of a lower one as a whole, lists and messages too. Only `proxyMetadata`
    /// is merged key by key, and `proxyHeaders` field by field.
    ///
    /// # Errors
    /// When the annotation is not YAML, not a mapping, larger or deeper than [`yaml::read_manifest`] allows, or has
    /// fields that ProxyConfig does not have or that cannot have that value: all of them, in one text. With
    /// [`Mode::Istio`] fields that it does not have are passed over.
    pub fn effective(
        mesh: &MeshConfig,
        resources: &[ProxyConfigResource],
        root_namespace: &str,
        namespace: &str,
        labels: &Map<String, Value>,
        annotation: Option<&str>,
        mode: Mode,
    ) -> Result<Self, String> {
        let default = mesh.default_config();
        let annotation = annotation.map_or_else(|| Ok(Map::new()), |text| read_annotation(text, mode))?;
        let layers = [
            ProxyConfigResource::of_namespace(resources, root_namespace).map(ProxyConfigResource::fields),
            ProxyConfigResource::of_namespace(resources, namespace).map(ProxyConfigResource::fields),
            Some(&annotation),
            ProxyConfigResource::of_workload(resources, namespace, labels).map(ProxyConfigResource::fields),
        ];
        if layers.iter().flatten().all(|layer| layer.is_empty()) {
            return Ok(default.clone());
        }
        let mut fields = default.fields().clone();
        for layer in layers.into_iter().flatten() {
            overlay(&mut fields, layer.clone());
        }
        Self::new(fields).map_err(|errors| joined(&errors))
    }

    /// Checks `fields`, which are in their canonical form.
    ///
    /// # Errors
    /// Every field of the wrong type, and every one that injection reads and that cannot have its value.
    pub(crate) fn new(fields: Map<String, Value>) -> Result<Self, Vec<FieldError>> {
        let fields = Value::Object(fields);
        let value = template::read(TYPE, &fields, "");
        let Value::Object(fields) = fields else { return Ok(Self::default()) };
        let mut errors = mistakes(&fields);
        match value {
            Ok(value) if errors.is_empty() => {
                Ok(Self { inner: Arc::new(Inner { fields, template_value: Pointer::new(value).into() }) })
            }
            Ok(_) => Err(errors),
            Err(mistyped) => {
                errors.extend(mistyped);
                Err(errors)
            }
        }
    }

    /// The whole of it, as a JSON object with protobuf's names (`statusPort`).
    pub fn fields(&self) -> &Map<String, Value> {
        &self.inner.fields
    }

    /// `REDIRECT`, `TPROXY` or `NONE`.
    pub fn interception_mode(&self) -> &str {
        self.text("interceptionMode").unwrap_or("REDIRECT")
    }

    /// Whether the application waits for the proxy to be ready.
    pub fn hold_application(&self) -> bool {
        self.fields().get("holdApplicationUntilProxyStarts").and_then(Value::as_bool).unwrap_or(false)
    }

    /// Variant of the proxy's image, as `distroless`; none where there is nothing about it, or an empty text.
    pub fn image_type(&self) -> Option<&str> {
        let image_type = self.fields().get("image")?.get("imageType")?.as_str()?;
        Some(image_type).filter(|image_type| !image_type.is_empty())
    }

    /// Environment variables of the proxy, by name.
    pub fn proxy_metadata(&self) -> Option<&Map<String, Value>> {
        self.fields().get(METADATA)?.as_object()
    }

    /// Port of merged metrics and rewritten probes, 15020 by default; 0 where a layer says so.
    pub fn status_port(&self) -> u16 {
        let number = self.fields().get("statusPort").and_then(Value::as_u64);
        number.and_then(|number| u16::try_from(number).ok()).unwrap_or(port::STATUS)
    }

    /// What templates see as `.ProxyConfig`, of Go's type `*v1alpha1.ProxyConfig`. Made once and shared.
    pub fn to_template_value(&self) -> Data {
        self.inner.template_value.clone()
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.fields().get(key).and_then(Value::as_str)
    }
}

impl Default for ProxyConfig {
    /// Without any field.
    fn default() -> Self {
        static EMPTY: LazyLock<ProxyConfig> = LazyLock::new(|| {
            let template_value = Pointer::new(template::structure(TYPE, [])).into();
            ProxyConfig { inner: Arc::new(Inner { fields: Map::new(), template_value }) }
        });
        EMPTY.clone()
    }
}

impl PartialEq for ProxyConfig {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner) || self.fields() == other.fields()
    }
}

/// Lays `upper` over `fields`.
pub(crate) fn overlay(fields: &mut Map<String, Value>, upper: Map<String, Value>) {
    for (key, value) in upper {
        if CLUSTER_NAMES.contains(&key.as_str()) {
            CLUSTER_NAMES.iter().filter(|name| **name != key).for_each(|name| drop(fields.shift_remove(*name)));
        }
        match (fields.get_mut(&key), value) {
            (Some(Value::Object(lower)), Value::Object(upper)) if key == METADATA || key == HEADERS => {
                lower.extend(upper);
            }
            (Some(lower), value) => *lower = value,
            (None, value) => drop(fields.insert(key, value)),
        }
    }
}

/// The annotation's fields in their canonical form.
fn read_annotation(text: &str, mode: Mode) -> Result<Map<String, Value>, String> {
    // Tabs, which JSON may have and YAML may not.
    let json = text.trim_start().starts_with('{').then(|| yaml::read_json(text).ok()).flatten();
    let given = match json {
        Some(json) => json,
        None => yaml::read_manifest(text).map_err(|error| match error.line {
            Some(line) => format!("line {line}: {error}"),
            None => error.to_string(),
        })?,
    };
    if given.is_null() {
        return Ok(Map::new());
    }
    if !given.is_object() {
        return Err("is not a mapping; write fields of ProxyConfig, as 'concurrency: 2'".to_owned());
    }
    let Canonical { json, mut unknown, twice } = template::canonical(TYPE, given);
    if mode.is_istio() {
        // They may be of a newer version, or mistyped: Istio passes over them.
        unknown.clear();
    }
    unknown.extend(twice);
    unknown.extend(json.as_object().map(safety::check_proxy_config).unwrap_or_default());
    // In one round with those of the wrong type.
    match json {
        Value::Object(fields) if unknown.is_empty() => Ok(fields),
        Value::Object(fields) => {
            unknown.extend(ProxyConfig::new(fields).err().into_iter().flatten());
            Err(joined(&unknown))
        }
        _ => Ok(Map::new()),
    }
}

/// What the types do not tell.
fn mistakes(fields: &Map<String, Value>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for name in ["statusPort", "proxyAdminPort"] {
        let number = fields.get(name).and_then(Value::as_i64);
        if let Some(number) = number.filter(|number| u16::try_from(*number).is_err()) {
            errors.push(FieldError::new(name, format!("is {number}, not a port from 0 to 65535")));
        }
    }
    // Protobuf takes any number for an enum.
    if let Some(number) = fields.get("interceptionMode").filter(|mode| mode.is_number()) {
        errors.push(FieldError::new("interceptionMode", format!("is {number}, not one of REDIRECT, TPROXY, NONE")));
    }
    errors
}

fn joined(errors: &[FieldError]) -> String {
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

#[cfg(test)]
mod tests;
