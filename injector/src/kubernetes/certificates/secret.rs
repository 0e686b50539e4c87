//! The Secret: what is ours, how it is written, and what is said about it.

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::Error;
use kube::api::{Api, ObjectMeta, PostParams};

use super::{MANAGED_BY, SecretPlace};
use crate::certificates::{Change, Data, Material};

/// The type of Secrets for TLS; the API server holds it to having a certificate and a key.
const SECRET_TYPE: &str = "kubernetes.io/tls";

/// What became of writing it.
pub(super) enum Written {
    New(Box<Secret>),
    Conflict(Option<Box<Secret>>),
}

/// Creates or replaces it, unless it has changed in the meantime.
pub(super) async fn write(secrets: &Api<Secret>, name: &str, secret: &Secret) -> Result<Written, Error> {
    let parameters = PostParams::default();
    let written = if secret.metadata.resource_version.is_some() {
        secrets.replace(name, &parameters, secret).await
    } else {
        secrets.create(&parameters, secret).await
    };
    match written {
        Ok(secret) => Ok(Written::New(Box::new(secret))),
        // Changed, made or deleted by somebody else.
        Err(Error::Api(status)) if matches!(status.code, 404 | 409) => {
            Ok(Written::Conflict(secrets.get_opt(name).await?.map(Box::new)))
        }
        Err(error) => Err(error),
    }
}

pub(super) fn secret(place: &SecretPlace, present: Option<Secret>, material: &Material) -> Secret {
    let mut secret = present.unwrap_or_else(|| Secret {
        metadata: ObjectMeta {
            name: Some(place.name.clone()),
            labels: Some([(MANAGED_BY.0.to_owned(), MANAGED_BY.1.to_owned())].into()),
            ..ObjectMeta::default()
        },
        type_: Some(SECRET_TYPE.to_owned()),
        ..Secret::default()
    });
    secret.data = Some(material.to_data().into_iter().map(|(key, bytes)| (key, ByteString(bytes))).collect());
    secret
}

pub(super) fn data(secret: &Secret) -> Data {
    secret.data.iter().flatten().map(|(key, bytes)| (key.clone(), bytes.0.clone())).collect()
}

pub(super) fn is_ours(secret: &Secret) -> bool {
    let labels = secret.metadata.labels.as_ref();
    labels.and_then(|labels| labels.get(MANAGED_BY.0)).is_some_and(|value| value == MANAGED_BY.1)
}

pub(super) fn foreign() -> String {
    let (label, value) = MANAGED_BY;
    format!(
        "it was not made by this program, and is left alone: it has no label {label}={value}; delete it, name another with \
         --certificate-secret, or serve what is in it with --certificates=secret"
    )
}

pub(super) fn sentence(change: Change) -> &'static str {
    match change {
        Change::FirstAuthority => "made a certificate authority",
        Change::NextAuthority => "made the next certificate authority; it is in the bundle, and does not sign yet",
        Change::Switched => "the next certificate authority signs now; the former stays in the bundle until it expires",
        Change::Issued => "made a serving certificate",
        Change::Restored => "put back what was missing or damaged",
        Change::Dropped => "took an expired certificate authority out of the bundle",
    }
}
