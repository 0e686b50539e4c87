//! The CA bundle of `webhook apply`: from a file or from the Secret, and checked.

use std::collections::BTreeMap;
use std::time::SystemTime;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use sidecar_contract::config::INJECTOR_NAME;

use super::{Wanted, say, within};
use crate::cli::Failure;
use crate::cli::kubernetes::Connection;
use crate::cli::registration::{RegistrationArgs, named};
use crate::clock::now;
use crate::files;
use crate::registration::Settings;
use crate::registration::bundle;

/// The bundle of the file that is given.
pub(super) fn of_file(registration: &RegistrationArgs) -> Result<Option<String>, Failure> {
    let Some(path) = &registration.ca_bundle_file else { return Ok(None) };
    let pem = files::read(path).map_err(|error| Failure::of(&error))?;
    bundle::check(&pem).map_err(|error| Failure { messages: vec![format!("{}: {error}", files::display(path))] })?;
    Ok(Some(pem))
}

/// The bundle to write, which verifies the certificate in the Secret where there is one.
pub(super) async fn checked(wanted: &Wanted, settings: &Settings, connection: &Connection) -> Result<String, Failure> {
    let given = of_file(&wanted.registration)?;
    let name = wanted
        .certificate_secret
        .clone()
        .unwrap_or_else(|| format!("{}-certificate", named(INJECTOR_NAME, &wanted.revision)));
    let secrets: Api<Secret> = Api::namespaced(connection.client.clone(), &connection.namespace);
    let (data, lack) = match within(secrets.get_opt(&name)).await? {
        Ok(Some(secret)) => (secret.data.unwrap_or_default(), "has no"),
        Ok(None) => (BTreeMap::new(), "does not exist, so there is no"),
        // Whoever gives the bundle need not be allowed to read keys.
        Err(kube::Error::Api(status)) if status.is_forbidden() && given.is_some() => {
            (BTreeMap::new(), "may not be read, so there is no")
        }
        Err(error) => return Err(Failure::of(&error)),
    };
    let text = |key: &str| data.get(key).and_then(|ByteString(bytes)| String::from_utf8(bytes.clone()).ok());
    let origin = format!("Secret {}/{name}", connection.namespace);
    let Some(pem) = given.or_else(|| text("ca.crt")) else {
        let message = format!(
            "there is no CA bundle to write: {origin} {lack} ca.crt; start the injector, which makes it, or give \
             --ca-bundle-file, --certificate-secret, --ca-bundle cert-manager or --ca-bundle keep"
        );
        return Err(Failure { messages: vec![message] });
    };
    match text("tls.crt") {
        Some(certificate) => {
            let since_1970 = now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            let chain = bundle::chain(&certificate).map_err(|error| Failure::of(&error))?;
            bundle::verify(&pem, &chain, &settings.host(), since_1970)
                .map_err(|error| Failure { messages: vec![format!("{origin}: {error}")] })?;
        }
        None => {
            say(&format!("{origin} {lack} tls.crt, and the CA bundle is not checked against the certificate served"));
        }
    }
    Ok(pem)
}
