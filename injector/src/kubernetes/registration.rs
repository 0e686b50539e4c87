//! Writing the webhook configurations: by server-side apply, so that each field has an owner.

mod bundle_file;
mod keep;
mod owner;

use std::time::Duration;

use k8s_openapi::api::admissionregistration::v1::MutatingWebhookConfiguration;
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams, Preconditions};
use kube::core::Status;
use kube::discovery::ApiResource;
use kube::{Api, Client};
use serde_json::Value;

use super::with_causes;
use crate::registration::{Configuration, Live, is_injector};

pub use bundle_file::follow_bundle_file;
pub use keep::{KeepRegistered, keep_registered};
pub use owner::{OwnerReader, Ownership};

/// A request that takes longer is tried again.
const PATIENCE: Duration = Duration::from_secs(15);
/// The resource, as RBAC names it.
const RESOURCE: &str = "mutatingwebhookconfigurations.admissionregistration.k8s.io";

/// The webhook configurations of a cluster, for one field manager.
#[derive(Clone, Debug)]
pub struct Registrar {
    api: Api<DynamicObject>,
    manager: String,
}

/// How to write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    /// Take fields from others who own them.
    pub force: bool,
    /// Let the API server check it, and write nothing.
    pub dry_run: bool,
}

/// Somebody else who owns a field that we want to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rival {
    /// Its field manager, as `helm`.
    pub manager: String,
    /// The field, as `.webhooks[name="…"].failurePolicy`.
    pub field: String,
}

/// A request that the API server did not do.
#[derive(Debug, thiserror::Error)]
pub enum RegistrarError {
    /// A permission is missing.
    #[error("may not {verb} {RESOURCE} {name}: grant the verb for that name ({message})")]
    Forbidden {
        /// As RBAC names it.
        verb: &'static str,
        /// The object.
        name: String,
        /// What the API server said.
        message: String,
    },
    /// Others own fields of it.
    #[error("{name} belongs to others: {}", list(rivals))]
    Conflict {
        /// The object.
        name: String,
        /// Who owns what.
        rivals: Vec<Rival>,
    },
    /// It has changed since it was looked at.
    #[error("{name} has changed meanwhile; try again")]
    Changed {
        /// The object.
        name: String,
    },
    /// The API server does not take it.
    #[error("the API server does not take {name}: {message}")]
    Rejected {
        /// The object.
        name: String,
        /// What the API server said.
        message: String,
    },
    /// The API server does not answer, or not with sense.
    #[error("the API server does not answer about {name}: {message}")]
    Unreachable {
        /// The object.
        name: String,
        /// What happened.
        message: String,
    },
}

impl Registrar {
    /// For the field manager `manager`.
    pub fn new(client: &Client, manager: &str) -> Self {
        let resource = ApiResource::erase::<MutatingWebhookConfiguration>(&());
        Self { api: Api::all_with(client.clone(), &resource), manager: manager.to_owned() }
    }

    /// The object, if there is one.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn get(&self, name: &str) -> Result<Option<Value>, RegistrarError> {
        let found = within(name, "get", self.api.get_opt(name)).await?;
        found.map(|object| value(&object, name)).transpose()
    }

    /// Applies the object and returns what the API server then has. An object that was `seen` is left alone when it has
    /// changed since.
    ///
    /// # Errors
    /// When it is not written.
    pub async fn apply(
        &self,
        wanted: &Configuration,
        seen: Option<&Value>,
        manner: Manner,
    ) -> Result<Value, RegistrarError> {
        let mut parameters = PatchParams::apply(&self.manager).validation_strict();
        (parameters.force, parameters.dry_run) = (manner.force, manner.dry_run);
        let name = &wanted.name;
        let mut object = wanted.object.clone();
        if let Some(version) = seen.and_then(|seen| Live::new(seen, &self.manager).resource_version()) {
            object["metadata"]["resourceVersion"] = version.into();
        }
        let patch = Patch::Apply(&object);
        value(&within(name, "patch", self.api.patch(name, &parameters, &patch)).await?, name)
    }

    /// Deletes the object if it is still as it was seen. One that is gone is deleted already.
    ///
    /// # Errors
    /// When it is not deleted.
    pub async fn delete(&self, seen: &Value, dry_run: bool) -> Result<(), RegistrarError> {
        let text = |field: &str| seen["metadata"][field].as_str().map(str::to_owned);
        let name = text("name").unwrap_or_default();
        let preconditions = Preconditions { uid: text("uid"), resource_version: text("resourceVersion") };
        let mut parameters = DeleteParams::default().preconditions(preconditions);
        parameters.dry_run = dry_run;
        let deletion = async {
            match self.api.delete(&name, &parameters).await {
                Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
                other => other.map(drop),
            }
        };
        within(&name, "delete", deletion).await
    }

    pub(super) fn api(&self) -> &Api<DynamicObject> {
        &self.api
    }
}

async fn within<T>(
    name: &str,
    verb: &'static str,
    request: impl Future<Output = kube::Result<T>>,
) -> Result<T, RegistrarError> {
    match tokio::time::timeout(PATIENCE, request).await {
        Ok(answer) => answer.map_err(|error| explain(error, verb, name)),
        Err(_) => {
            Err(RegistrarError::Unreachable { name: name.to_owned(), message: format!("no answer in {PATIENCE:?}") })
        }
    }
}

fn value(object: &DynamicObject, name: &str) -> Result<Value, RegistrarError> {
    let unreadable =
        |error: serde_json::Error| RegistrarError::Unreachable { name: name.to_owned(), message: error.to_string() };
    serde_json::to_value(object).map_err(unreadable)
}

fn explain(error: kube::Error, verb: &'static str, name: &str) -> RegistrarError {
    let name = name.to_owned();
    match error {
        kube::Error::Api(status) => refusal(&status, verb, name),
        other => RegistrarError::Unreachable { name, message: with_causes(&other) },
    }
}

fn refusal(status: &Status, verb: &'static str, name: String) -> RegistrarError {
    let message = status.message.clone();
    match status.code {
        // The API server names the verb: applying an object that is not there needs `create`, too.
        403 => RegistrarError::Forbidden {
            verb: if message.contains(" create ") { "create" } else { verb },
            name,
            message,
        },
        409 => {
            let causes = status.details.iter().flat_map(|details| &details.causes);
            let conflicts = causes.filter(|cause| cause.reason == "FieldManagerConflict");
            let rivals: Vec<Rival> = conflicts.map(|cause| rival(&cause.message, &cause.field)).collect();
            if rivals.is_empty() { RegistrarError::Changed { name } } else { RegistrarError::Conflict { name, rivals } }
        }
        400 | 413 | 415 | 422 => RegistrarError::Rejected { name, message },
        code => RegistrarError::Unreachable { name, message: format!("{code}: {message}") },
    }
}

/// Reads `conflict with "kubectl-edit" using admissionregistration.k8s.io/v1`.
fn rival(message: &str, field: &str) -> Rival {
    let manager = message.split('"').nth(1).unwrap_or(message);
    Rival { manager: manager.to_owned(), field: field.to_owned() }
}

impl RegistrarError {
    /// Whether another injector of ours claims the object.
    pub fn is_of_another_revision(&self) -> bool {
        matches!(self, Self::Conflict { rivals, .. } if rivals.iter().any(|rival| is_injector(&rival.manager)))
    }
}

fn list(rivals: &[Rival]) -> String {
    rivals.iter().map(|Rival { manager, field }| format!("{manager} has {field}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conflict_names_who_has_what() {
        let rival = rival("conflict with \"kubectl-edit\" using admissionregistration.k8s.io/v1", ".webhooks");
        assert_eq!(rival, Rival { manager: "kubectl-edit".to_owned(), field: ".webhooks".to_owned() });
        let error = |manager: &str| RegistrarError::Conflict {
            name: "a".to_owned(),
            rivals: vec![Rival { manager: manager.to_owned(), field: ".webhooks".to_owned() }],
        };
        assert!(error("sidecar-injector-canary").is_of_another_revision());
        assert!(!error("helm").is_of_another_revision());
        assert_eq!(error("helm").to_string(), "a belongs to others: helm has .webhooks");
    }
}
