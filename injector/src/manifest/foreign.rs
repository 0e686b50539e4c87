//! Documents that are YAML, and no Kubernetes objects: the values of a chart, a kustomization, the settings of some tool.

use std::borrow::Cow;

use yamledit::Document;

use super::{Action, ChangedDocument, ObjectReport};
use crate::yaml;

impl<'a> ChangedDocument<'a> {
    /// The document as it is, if it does not claim to be a Kubernetes object: it has neither `apiVersion` nor `kind`.
    pub fn of_no_object(source: Document<'a>) -> Option<Self> {
        let value = yaml::read_manifest(source.text).ok()?;
        if value.get("apiVersion").is_some() || value.get("kind").is_some() {
            return None;
        }
        let (object, action) = ("document".to_owned(), Action::NotAnObject);
        let report = vec![ObjectReport { object, line: source.first_line(), action, warnings: Vec::new() }];
        Some(Self { source, text: Cow::Borrowed(source.text), report })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yamledit::documents;

    #[test]
    fn what_claims_to_be_an_object_is_none_of_these() {
        let is_left = |text| ChangedDocument::of_no_object(documents(text).next().unwrap()).is_some();
        assert!(is_left("replicas: 1\n") && is_left("- a\n") && is_left("text\n"));
        assert!(!is_left("kind: Pod\n") && !is_left("apiVersion: 1\n") && !is_left("a: [\n"));
    }
}
