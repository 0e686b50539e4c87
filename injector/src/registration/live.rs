//! What the API server has: of it, what we own, and who else has a part.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use serde_json::{Map, Value};

use super::bundle::{self, BundleError};
use super::object::{MANAGER_LABEL, MANAGER_VALUE};
use super::{Configuration, Difference, Endpoint, FIELD_MANAGER, Settings};

/// Lists whose items are told apart by this key, so that each item may have another owner. All other lists, and selectors,
/// are owned as a whole (Kubernetes' schema of the type).
const LISTS_BY_KEY: [(&str, &str); 3] = [("webhooks", "name"), ("matchConditions", "name"), (OWNERS, "uid")];
const OWNERS: &str = "ownerReferences";

/// A MutatingWebhookConfiguration as the API server has it.
#[derive(Clone, Copy, Debug)]
pub struct Live<'a> {
    object: &'a Value,
    manager: &'a str,
}

impl<'a> Live<'a> {
    /// `object` as seen by the field manager `manager`.
    pub fn new(object: &'a Value, manager: &'a str) -> Self {
        Self { object, manager }
    }

    /// What applying `wanted` would change: fields that differ, and fields of ours that are not wanted any more. What others
    /// have added, and defaults, are no differences.
    pub fn difference(&self, wanted: &Configuration) -> Option<Difference> {
        let present = projection(self.object, &wanted.object, self.owned(), "");
        (present != wanted.object).then(|| Difference::new(Some(present), wanted))
    }

    /// Whether we have applied it before.
    pub fn is_ours(&self) -> bool {
        self.owned().is_some()
    }

    /// Whether some injector of ours, of whatever revision, has made it: by its label and by who has applied it.
    pub fn is_of_an_injector(&self) -> bool {
        let labelled = self.object["metadata"]["labels"][MANAGER_LABEL] == MANAGER_VALUE;
        labelled && self.managers().iter().any(|manager| is_injector(manager))
    }

    /// Everybody who owns a field, in alphabetical order.
    pub fn managers(&self) -> BTreeSet<&'a str> {
        self.entries().filter_map(|entry| entry["manager"].as_str()).collect()
    }

    /// The wanted object for somebody who leaves `caBundle` alone: without it, except where we are its owner. To apply
    /// without a field that is ours would remove it, and with it every creation of a pod would fail.
    #[must_use]
    pub fn keeping_bundles(&self, mut wanted: Configuration) -> Configuration {
        for webhook in wanted.object["webhooks"].as_array_mut().into_iter().flatten() {
            let Some(name) = webhook["name"].as_str() else { continue };
            let owned = self
                .owned()
                .and_then(|owned| owned.get("f:webhooks"))
                .and_then(|owned| item_owned(owned, "name", name));
            let is_ours = owned.is_some_and(|owned| owned["f:clientConfig"].get("f:caBundle").is_some());
            if let Some(bundle) = self.bundle_of(name).filter(|_| is_ours) {
                webhook["clientConfig"]["caBundle"] = bundle.clone();
            }
        }
        wanted
    }

    /// Whether the API server accepts the chain served by each `caBundle` that it has. Without one it trusts what its own
    /// host trusts, which may do for a URL. `now` is since the beginning of 1970 (UTC).
    ///
    /// # Errors
    /// When it does not.
    pub fn verify(&self, settings: &Settings, chain: &[CertificateDer<'_>], now: Duration) -> Result<(), BundleError> {
        let is_url = matches!(settings.endpoint, Endpoint::Url(_));
        let bundles = self.bundles();
        let mut of_own = bundles.iter().filter(|pem| !(is_url && pem.is_empty()));
        of_own.try_for_each(|pem| bundle::verify(pem, chain, &settings.host(), now))
    }

    /// The wanted object for somebody who does not know its owner: where one is ours, it stays.
    #[must_use]
    pub fn keeping_owners(&self, mut wanted: Configuration) -> Configuration {
        let owned = self.owned().and_then(|owned| owned["f:metadata"].get(format!("f:{OWNERS}")));
        let is_ours = |owner: &&Value| {
            owned.zip(owner["uid"].as_str()).is_some_and(|(owned, uid)| item_owned(owned, "uid", uid).is_some())
        };
        let owners = self.object["metadata"][OWNERS].as_array().into_iter().flatten();
        let owners: Vec<Value> = owners.filter(is_ours).cloned().collect();
        if !owners.is_empty() {
            wanted.object["metadata"][OWNERS] = owners.into();
        }
        wanted
    }

    /// The different `caBundle`s of the object, in PEM; empty for one that is missing or is not base64 of text.
    pub fn bundles(&self) -> BTreeSet<String> {
        let webhooks = self.object["webhooks"].as_array().into_iter().flatten();
        let encoded = webhooks.map(|webhook| webhook["clientConfig"]["caBundle"].as_str().unwrap_or_default());
        encoded
            .map(|text| STANDARD.decode(text).ok().and_then(|pem| String::from_utf8(pem).ok()).unwrap_or_default())
            .collect()
    }

    /// Its version, for an apply that must not overlook a change.
    pub fn resource_version(&self) -> Option<&'a str> {
        self.object["metadata"]["resourceVersion"].as_str()
    }

    fn bundle_of(&self, webhook: &str) -> Option<&'a Value> {
        let webhooks = self.object["webhooks"].as_array()?;
        webhooks.iter().find(|candidate| candidate["name"] == webhook)?["clientConfig"].get("caBundle")
    }

    /// The fields that are ours, as `fieldsV1` writes them.
    fn owned(&self) -> Option<&'a Value> {
        let is_ours = |entry: &&Value| entry["manager"] == self.manager && entry["operation"] == "Apply";
        self.entries().find(is_ours).map(|entry| &entry["fieldsV1"])
    }

    fn entries(&self) -> impl Iterator<Item = &'a Value> {
        self.object["metadata"]["managedFields"].as_array().into_iter().flatten()
    }
}

/// Whether the field manager is an injector, of whatever revision.
pub fn is_injector(manager: &str) -> bool {
    manager == FIELD_MANAGER || manager.strip_prefix(FIELD_MANAGER).is_some_and(|rest| rest.starts_with('-'))
}

/// Of `live`, what `wanted` speaks of and what we own, in the order of `wanted`.
fn projection(live: &Value, wanted: &Value, owned: Option<&Value>, field: &str) -> Value {
    match (live, wanted) {
        _ if field.ends_with("Selector") => live.clone(),
        (Value::Object(live), Value::Object(wanted)) => fields(live, wanted, owned),
        (Value::Array(live), Value::Array(wanted)) => match key_of(field) {
            Some(key) => items(live, wanted, owned, (field, key)),
            None => live.clone().into(),
        },
        // Not wanted: only what is ours counts.
        (Value::Array(live), Value::Null) if field == OWNERS => items(live, &[], owned, (OWNERS, "uid")),
        _ => live.clone(),
    }
}

fn key_of(field: &str) -> Option<&'static str> {
    LISTS_BY_KEY.iter().find(|(list, _)| *list == field).map(|(_, key)| *key)
}

fn fields(live: &Map<String, Value>, wanted: &Map<String, Value>, owned: Option<&Value>) -> Value {
    let owned_below = |key: &str| owned.and_then(|owned| owned.get(format!("f:{key}")));
    let ours = live.keys().filter(|key| !wanted.contains_key(*key) && owned_below(key).is_some());
    let seen = wanted.keys().filter(|key| live.contains_key(*key)).chain(ours);
    let none = Value::Null;
    let field = |key: &String| {
        let wanted = wanted.get(key).unwrap_or(&none);
        Some((key.clone(), projection(live.get(key)?, wanted, owned_below(key), key)))
    };
    Value::Object(seen.filter_map(field).collect())
}

fn items(live: &[Value], wanted: &[Value], owned: Option<&Value>, (field, key): (&str, &str)) -> Value {
    let name = |item: &Value| item[key].as_str().unwrap_or_default().to_owned();
    let owned_below = |name: &str| owned.and_then(|owned| item_owned(owned, key, name));
    let wanted_names: Vec<String> = wanted.iter().map(name).collect();
    let known = wanted.iter().filter_map(|wanted| {
        let wanted_name = name(wanted);
        let item = live.iter().find(|item| name(item) == wanted_name)?;
        Some(projection(item, wanted, owned_below(&wanted_name), field))
    });
    let ours = live.iter().filter(|item| !wanted_names.contains(&name(item)) && owned_below(&name(item)).is_some());
    known.chain(ours.cloned()).collect()
}

/// The fields of the list item with that key, among the owned fields of a list.
fn item_owned<'a>(owned: &'a Value, key: &str, name: &str) -> Option<&'a Value> {
    let key = serde_json::json!({ key: name }).to_string();
    owned.get(format!("k:{key}"))
}
