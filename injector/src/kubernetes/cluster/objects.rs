//! Objects of the API server, and what is kept of them.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Namespace;
use kube::core::{ApiResource, DynamicObject, GroupVersionKind, Object, ObjectMeta, PartialObjectMeta};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sidecar_contract::annotation;

use crate::proxy_config::ProxyConfigResource;

const PROXY_CONFIG_VERSION: &str = "networking.istio.io/v1beta1";

/// A node of which nothing is read but its name and version.
pub(super) type NodeObject = Object<Ignored, NodeStatus>;

/// A part of an object that is not read.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Ignored {}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct NodeStatus {
    node_info: NodeInfo,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct NodeInfo {
    kubelet_version: String,
}

/// Where nodes are.
pub(super) fn node() -> ApiResource {
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk("", "v1", "Node"), "nodes")
}

/// Where ProxyConfig resources are.
pub(super) fn proxy_config() -> ApiResource {
    let kind = GroupVersionKind::gvk("networking.istio.io", "v1beta1", "ProxyConfig");
    ApiResource::from_gvk_with_plural(&kind, "proxyconfigs")
}

/// The version of the node's kubelet.
pub(super) fn node_of(node: NodeObject) -> (String, Option<String>) {
    let version = node.status.map(|status| status.node_info.kubelet_version);
    (node.metadata.name.unwrap_or_default(), Some(version.unwrap_or_default()))
}

/// The annotations with which OpenShift gives a namespace its users; of others nothing is kept.
pub(super) fn annotations_of(namespace: PartialObjectMeta<Namespace>) -> (String, Option<Arc<Map<String, Value>>>) {
    let ObjectMeta { name, annotations, .. } = namespace.metadata;
    let is_read =
        |name: &str| matches!(name, annotation::OPENSHIFT_UID_RANGE | annotation::OPENSHIFT_SUPPLEMENTAL_GROUPS);
    let annotations = annotations.unwrap_or_default().into_iter().filter(|(name, _)| is_read(name));
    let annotations: Map<String, Value> = annotations.map(|(name, value)| (name, value.into())).collect();
    (name.unwrap_or_default(), (!annotations.is_empty()).then(|| Arc::new(annotations)))
}

/// The resource by its namespace and name, or why it cannot be read.
pub(super) fn proxy_config_of(object: &DynamicObject) -> (String, Option<Result<ProxyConfigResource, String>>) {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let key = format!("{}/{}", text(&object.metadata.namespace), text(&object.metadata.name));
    let read = serde_json::to_value(object).map_err(|error| error.to_string()).and_then(|mut object| {
        // In a list, objects may leave out what they are.
        object["apiVersion"] = PROXY_CONFIG_VERSION.into();
        object["kind"] = "ProxyConfig".into();
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("managedFields");
        }
        ProxyConfigResource::read(&object)
    });
    (key, Some(read))
}
