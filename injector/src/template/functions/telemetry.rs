//! Istio's function for the environment variable `OTEL_RESOURCE_ATTRIBUTES`.

use gotemplate::{Functions, Str, Struct, Value};

use super::arguments::{Containers, Mesh, Texts, message, text_of};

const ANNOTATION: &str = "resource.opentelemetry.io/";

pub(super) fn add(functions: &mut Functions) {
    functions.add("otelResourceAttributes", resource_attributes);
}

/// What names the service to OpenTelemetry, comma separated; empty unless a provider of the mesh wants it by
/// OpenTelemetry's own conventions.
fn resource_attributes(
    mesh: Mesh,
    annotations: Texts,
    labels: Texts,
    namespace: Str,
    containers: Containers,
) -> String {
    if !mesh.messages("ExtensionProviders").iter().any(wants_conventions) {
        return String::new();
    }
    let annotated =
        |key: &str| annotations.get(format!("{ANNOTATION}{key}")).filter(|text| !text.as_bytes().is_empty());
    let labelled = || labels.get("app.kubernetes.io/version").filter(|text| !text.as_bytes().is_empty());
    let namespace = annotated("service.namespace").unwrap_or(namespace).to_string();
    let mut containers = containers.iter();
    let (first, second) = (containers.next(), containers.next());
    let alone = first.filter(|_| second.is_none());
    let version = annotated("service.version").or_else(labelled).map(|text| text.to_string());
    let version = version.or_else(|| image_version(&text_of(alone?, "Image").to_text()));
    let instance = annotated("service.instance.id").map(|text| text.to_string());
    let instance = instance.or_else(|| Some(format!("{namespace}.$(POD_NAME).{}", text_of(first?, "Name"))));
    let attributes = [
        ("service.namespace", Some(namespace).filter(|namespace| !namespace.is_empty())),
        ("service.version", version),
        ("service.instance.id", instance),
    ];
    let attributes = attributes.into_iter().filter_map(|(key, value)| Some(format!("{key}={}", value?)));
    attributes.collect::<Vec<_>>().join(",")
}

fn wants_conventions(provider: &Struct) -> bool {
    let case = provider.field("Provider").and_then(message);
    let enrichment = case
        .and_then(|case| case.field("Opentelemetry"))
        .and_then(message)
        .and_then(|provider| provider.field("ServiceAttributeEnrichment"));
    // Its only value besides 0 is OTEL_SEMANTIC_CONVENTIONS.
    enrichment.is_some_and(Value::is_true)
}

/// Tag and digest of an image: `1.0`, `sha256:…`, `1.0@sha256:…`.
fn image_version(image: &str) -> Option<String> {
    let (name, digest) = match image.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (image, None),
    };
    // A colon before the last slash begins the port of a registry.
    let file = name.rsplit('/').next().unwrap_or(name);
    let tag = file.split_once(':').map(|(_, tag)| tag);
    match (tag, digest) {
        (Some(tag), Some(digest)) => Some(format!("{tag}@{digest}")),
        (one, other) => one.or(other).map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::image_version;

    #[test]
    fn an_image_has_its_version_in_tag_and_digest() {
        for (image, version) in [
            ("hub:5000/a/b:1.0", Some("1.0")),
            ("hub:5000/a/b", None),
            ("b@sha256:00", Some("sha256:00")),
            ("b:1@sha256:00", Some("1@sha256:00")),
        ] {
            assert_eq!(image_version(image).as_deref(), version, "{image}");
        }
    }
}
