//! The custom resource ProxyConfig, which sets a few fields for a mesh, a namespace or some workloads.

use serde_json::{Map, Value};

use super::METADATA;
use crate::workload::metadata_text;

const GROUP: &str = "networking.istio.io/";
const KIND: &str = "ProxyConfig";

/// A ProxyConfig of the group `networking.istio.io`, as far as injection reads it.
#[derive(Clone, Debug, PartialEq)]
pub struct ProxyConfigResource {
    namespace: String,
    name: String,
    /// In RFC 3339 and UTC, so that the order of the texts is that of the times.
    creation: String,
    /// Labels of the workloads it is for; none when it is for the whole namespace.
    selector: Option<Map<String, Value>>,
    /// Under the names that the mesh's ProxyConfig has for them.
    fields: Map<String, Value>,
}

impl ProxyConfigResource {
    /// Reads the object. Of its spec, `selector.matchLabels`, `concurrency`, `environmentVariables` and
    /// `image.imageType` are read.
    ///
    /// # Errors
    /// When it is an object of another kind, has no namespace, or one of these fields is of another type: all of them.
    pub fn read(object: &Value) -> Result<Self, String> {
        let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
        if !text("apiVersion").starts_with(GROUP) || text("kind") != KIND {
            return Err(format!("is not a {KIND} of {GROUP}v1 or v1beta1"));
        }
        let mut reader = Reader { spec: object.get("spec").unwrap_or(&Value::Null), errors: Vec::new() };
        if !matches!(reader.spec, Value::Object(_) | Value::Null) {
            reader.errors.push("spec: is not a mapping".to_owned());
        }
        let namespace = metadata_text(object, "namespace").to_owned();
        if namespace.is_empty() {
            reader.errors.push("metadata.namespace: is missing".to_owned());
        }
        let selector = reader.selector();
        let fields = reader.fields();
        let name = metadata_text(object, "name").to_owned();
        let creation = metadata_text(object, "creationTimestamp").to_owned();
        match reader.errors.as_slice() {
            [] => Ok(Self { namespace, name, creation, selector, fields }),
            errors => Err(errors.join("; ")),
        }
    }

    /// The oldest one in `namespace` that is for all of it.
    pub(super) fn of_namespace<'a>(resources: &'a [Self], namespace: &str) -> Option<&'a Self> {
        oldest(resources, namespace, |resource| resource.selector.is_none())
    }

    /// The oldest one in `namespace` whose selector matches these labels.
    pub(super) fn of_workload<'a>(
        resources: &'a [Self],
        namespace: &str,
        labels: &Map<String, Value>,
    ) -> Option<&'a Self> {
        let matches =
            |selector: &Map<String, Value>| selector.iter().all(|(key, value)| labels.get(key) == Some(value));
        oldest(resources, namespace, |resource| resource.selector.as_ref().is_some_and(matches))
    }

    /// The fields it sets.
    pub(super) fn fields(&self) -> &Map<String, Value> {
        &self.fields
    }
}

fn oldest<'a>(
    resources: &'a [ProxyConfigResource],
    namespace: &str,
    is_wanted: impl Fn(&ProxyConfigResource) -> bool,
) -> Option<&'a ProxyConfigResource> {
    let wanted = resources.iter().filter(|resource| resource.namespace == namespace && is_wanted(resource));
    wanted.min_by_key(|resource| (&resource.creation, &resource.name))
}

struct Reader<'a> {
    spec: &'a Value,
    errors: Vec<String>,
}

impl<'a> Reader<'a> {
    fn selector(&mut self) -> Option<Map<String, Value>> {
        self.mapping(self.spec, "selector", "spec.selector")?;
        let labels = self.texts(self.spec.get("selector")?, "matchLabels", "spec.selector.matchLabels");
        Some(labels.cloned().unwrap_or_default())
    }

    fn fields(&mut self) -> Map<String, Value> {
        let mut fields = Map::new();
        if let Some(concurrency) = given(self.spec, "concurrency") {
            if concurrency.as_i64().is_none_or(|number| !(0..=i64::from(i32::MAX)).contains(&number)) {
                self.errors.push("spec.concurrency: is not a number of threads, from 0".to_owned());
            }
            fields.insert("concurrency".to_owned(), concurrency.clone());
        }
        if let Some(variables) = self.texts(self.spec, "environmentVariables", "spec.environmentVariables") {
            fields.insert(METADATA.to_owned(), variables.clone().into());
        }
        if let Some(image) = self.mapping(self.spec, "image", "spec.image") {
            match given(image, "imageType") {
                Some(Value::String(_)) | None => {}
                Some(_) => self.errors.push("spec.image.imageType: is not a string".to_owned()),
            }
            let image_type = given(image, "imageType").map(|value| ("imageType".to_owned(), value.clone()));
            fields.insert("image".to_owned(), image_type.into_iter().collect::<Map<_, _>>().into());
        }
        fields
    }

    fn mapping(&mut self, parent: &'a Value, key: &str, path: &str) -> Option<&'a Value> {
        let value = given(parent, key)?;
        if !value.is_object() {
            self.errors.push(format!("{path}: is not a mapping"));
        }
        Some(value)
    }

    /// A mapping from text to text.
    fn texts(&mut self, parent: &'a Value, key: &str, path: &str) -> Option<&'a Map<String, Value>> {
        let values = self.mapping(parent, key, path)?.as_object()?;
        let mistyped = values.iter().filter(|(_, value)| !value.is_string());
        self.errors.extend(mistyped.map(|(key, _)| format!("{path}[{key}]: is not a string; quote it")));
        Some(values)
    }
}

fn given<'a>(parent: &'a Value, key: &str) -> Option<&'a Value> {
    parent.get(key).filter(|value| !value.is_null())
}
