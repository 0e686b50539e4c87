//! What the API server asks before it calls an injector: the webhooks of a cluster, and the labels of its namespaces.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::{Map, Value};

use crate::webhooks::Registered;
use crate::workload::{metadata_map, metadata_text};

/// Labels by name.
type Labels = Map<String, Value>;

/// What the API server asks before it calls an injector.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// The webhooks of all injectors.
    pub webhooks: Vec<Registered>,
    /// Labels of the namespaces, by name.
    pub labels: BTreeMap<String, Labels>,
    /// Labels of all other namespaces, if they are known. They go before what a manifest says.
    pub other_labels: Option<Labels>,
    /// Namespace objects in what is read.
    pub given: Arc<GivenNamespaces>,
}

/// Labels of Namespace objects among those that are read, by name.
#[derive(Debug, Default)]
pub struct GivenNamespaces(RwLock<BTreeMap<String, Labels>>);

impl Selection {
    /// The labels of the namespace `name`, as they are once the objects in hand are applied; none where they are not known.
    pub fn labels_of(&self, name: &str) -> Option<Cow<'_, Labels>> {
        let given = self.given.0.read().unwrap_or_else(PoisonError::into_inner);
        let known = self.labels.get(name);
        match given.get(name) {
            None => known.or(self.other_labels.as_ref()).map(Cow::Borrowed),
            Some(given) => {
                Some(Cow::Owned(laid_over(known, given, self.other_labels.as_ref().filter(|_| known.is_none()))))
            }
        }
    }
}

impl GivenNamespaces {
    /// Takes note of those among `objects` that are Namespaces.
    pub fn note<'a>(&self, objects: impl IntoIterator<Item = &'a Value>) {
        let mut given = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for namespace in objects.into_iter().filter(|object| object["kind"] == "Namespace") {
            given.insert(metadata_text(namespace, "name").to_owned(), metadata_map(namespace, "labels").clone());
        }
    }

    /// Their names and labels.
    pub fn labels(&self) -> BTreeMap<String, Labels> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What labels come to when an object with `given` is applied; those in `firm` stay as they are.
pub fn laid_over(known: Option<&Labels>, given: &Labels, firm: Option<&Labels>) -> Labels {
    let mut labels = known.cloned().unwrap_or_default();
    for more in [Some(given), firm].into_iter().flatten() {
        labels.extend(more.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    labels
}
