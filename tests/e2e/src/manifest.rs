//! The pod in a manifest of several documents.

use serde_json::Value;

use crate::container::Container;
use crate::error::Error;

/// A pod as the manifest describes it.
#[derive(Clone, Debug)]
pub struct PodSpec {
    /// Name of the pod, or of the workload that makes it.
    pub name: String,
    /// Its service account.
    pub service_account: String,
    /// Its labels and annotations, as `metadata.labels['app']`, the way `fieldRef` names them.
    pub metadata: Vec<(String, String)>,
    /// Run to their ends, one after the other.
    pub init_containers: Vec<Container>,
    /// Started one after the other.
    pub containers: Vec<Container>,
}

impl PodSpec {
    /// Reads the first pod, or template of a pod, among the documents.
    ///
    /// # Errors
    /// [`Error::Yaml`], or [`Error::Manifest`] when there is no pod or one that cannot be run here.
    pub fn read(manifest: &str) -> Result<Self, Error> {
        let documents = documents(manifest)?;
        let pods = documents.iter().find_map(|document| Some((document, pod_of(document)?)));
        let (document, pod) = pods.ok_or_else(|| Error::Manifest("no document has a pod".to_owned()))?;
        let spec = &pod["spec"];
        let containers = |key: &str| -> Result<Vec<Container>, Error> {
            let listed = spec[key].as_array().map_or(&[][..], Vec::as_slice);
            listed.iter().map(|container| Container::read(container, &spec["securityContext"])).collect()
        };
        let mut metadata = Vec::new();
        for kind in ["labels", "annotations"] {
            for (key, value) in pod["metadata"][kind].as_object().into_iter().flatten() {
                metadata.push((format!("metadata.{kind}['{key}']"), value.as_str().unwrap_or_default().to_owned()));
            }
        }
        Ok(Self {
            name: document["metadata"]["name"].as_str().unwrap_or("pod").to_owned(),
            service_account: spec["serviceAccountName"].as_str().unwrap_or("default").to_owned(),
            metadata,
            init_containers: containers("initContainers")?,
            containers: containers("containers")?,
        })
    }
}

/// The manifest with these annotations set on its pod. Comments are lost.
///
/// # Errors
/// [`Error::Yaml`], or [`Error::Manifest`] when there is no pod.
pub fn annotate(manifest: &str, annotations: &[(&str, &str)]) -> Result<String, Error> {
    let mut documents = documents(manifest)?;
    let pod = documents.iter_mut().find(|document| pod_of(document).is_some());
    let document = pod.ok_or_else(|| Error::Manifest("no document has a pod".to_owned()))?;
    let pod = if document["kind"] == "Pod" { document } else { &mut document["spec"]["template"] };
    for (key, value) in annotations {
        pod["metadata"]["annotations"][*key] = (*value).into();
    }
    let written: Result<Vec<String>, _> = documents.iter().map(serde_saphyr::to_string).collect();
    Ok(written.map_err(|error| Error::Yaml(error.to_string()))?.join("---\n"))
}

fn documents(manifest: &str) -> Result<Vec<Value>, Error> {
    serde_saphyr::from_multiple(manifest).map_err(|error| Error::Yaml(error.to_string()))
}

/// The object with `metadata` and `spec` of a pod: the document itself, or the template in it.
fn pod_of(document: &Value) -> Option<&Value> {
    if document["kind"] == "Pod" { Some(document) } else { document.pointer("/spec/template") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "kind: Service\nmetadata: {name: web}\n---\nkind: Deployment\nmetadata: {name: web}\nspec:\n  \
        template:\n    metadata: {labels: {app: web}}\n    spec:\n      initContainers: [{name: i, image: i}]\n      \
        containers: [{name: a, image: a}, {name: b, image: b}]\n";

    #[test]
    fn the_pod_of_a_deployment_is_found_among_other_documents() {
        let pod = PodSpec::read(MANIFEST).unwrap();
        let names: Vec<&str> = pod.containers.iter().map(|container| container.name.as_str()).collect();
        assert_eq!((pod.name.as_str(), pod.init_containers.len(), names), ("web", 1, vec!["a", "b"]));
        assert_eq!(pod.metadata, [("metadata.labels['app']".to_owned(), "web".to_owned())]);
    }

    #[test]
    fn a_manifest_without_a_pod_is_refused() {
        assert!(PodSpec::read("kind: Service\n").unwrap_err().to_string().contains("no document has a pod"));
    }

    #[test]
    fn annotations_are_set_on_the_pod_and_survive_writing() {
        let annotated = annotate(MANIFEST, &[("example.com/ports", "80")]).unwrap();
        let pod = PodSpec::read(&annotated).unwrap();
        assert!(pod.metadata.contains(&("metadata.annotations['example.com/ports']".to_owned(), "80".to_owned())));
        assert_eq!(pod.containers.len(), 2);
    }
}
