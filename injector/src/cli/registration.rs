//! Flags about what the API server is to know of the injector.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use sidecar_contract::config::{DEFAULT_REVISION, INJECTOR_NAME};
use sidecar_contract::port;

use crate::registration::{Endpoint, FailurePolicy, MatchCondition, ReinvocationPolicy, Settings};

/// What the API server is to know of the injector.
#[derive(Clone, Debug, Args)]
pub struct RegistrationArgs {
    /// Another name under which namespaces and pods may ask for this revision; may be given several times. The tag default
    /// serves istio-injection=enabled.
    #[arg(long = "tag", value_name = "TAG")]
    pub tags: Vec<String>,
    /// What becomes of a pod when the injector does not answer. Fail: it is not created, so none is ever without its
    /// sidecar; system namespaces are left out in any case. Ignore: it is created without one.
    #[arg(long, value_name = "POLICY", value_enum, default_value_t)]
    pub failure_policy: FailurePolicy,
    /// How long the API server waits for an answer, 1s to 30s. An injection takes milliseconds, and every creation of a
    /// pod waits as long.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, default_value = "5s")]
    pub webhook_timeout: Duration,
    /// Whether to ask again when a later webhook changed the pod. Safe, since injecting an injected pod changes nothing.
    #[arg(long, value_name = "POLICY", value_enum, default_value_t)]
    pub reinvocation_policy: ReinvocationPolicy,
    /// A namespace whose pods are never shown to the injector, besides those of the system and its own; may be given
    /// several times.
    #[arg(long = "exclude-namespace", value_name = "NAMESPACE")]
    pub excluded_namespaces: Vec<String>,
    /// What has to hold of a pod for it to be shown to the injector, as a CEL expression (Kubernetes 1.30); may be given
    /// several times. Nobody can tell why a pod that was not shown has no sidecar.
    #[arg(long = "match-condition", value_name = "NAME=CEL", value_parser = match_condition)]
    pub match_conditions: Vec<MatchCondition>,
    /// Do not show pods in the host's network to the injector. Off, since it skips them anyway and can say so.
    #[arg(long)]
    pub skip_host_network: bool,
    /// Service by which the API server reaches the injector. Default: istio-sidecar-injector[-REVISION].
    #[arg(long, value_name = "NAME", conflicts_with = "url")]
    pub service_name: Option<String>,
    /// Port of the service.
    #[arg(long, value_name = "PORT", default_value_t = port::WEBHOOK_SERVICE, conflicts_with = "url")]
    pub service_port: u16,
    /// Reach the injector by this https URL instead of a service; without a path it gets /inject.
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// A variable of the sidecar that becomes part of the path, as cluster=c1 or net=n1; may be given several times.
    #[arg(long = "path-variable", value_name = "NAME=VALUE", value_parser = path_variable)]
    pub path_variables: Vec<(String, String)>,
    /// Who writes the CA bundle. managed: we do, when it verifies the certificate served. cert-manager: its cainjector,
    /// from the Certificate NAMESPACE/NAME (default: the injector's namespace and name); we write the annotation it needs.
    /// keep: somebody else, and what is there stays.
    #[arg(long, value_name = "managed|keep|cert-manager[=NAMESPACE/NAME]", default_value = "managed")]
    pub ca_bundle: CaBundleMode,
    /// The CA bundle to write, PEM; read again when it changes.
    #[arg(long, value_name = "FILE")]
    pub ca_bundle_file: Option<PathBuf>,
    /// Make a ClusterRole the owner of the webhook configurations, so that they go with it when the installation is
    /// deleted. Default NAME: istio-sidecar-injector[-REVISION].
    #[arg(long, value_name = "NAME", num_args = 0..=1, require_equals = true)]
    pub owned_by_cluster_role: Option<Option<String>>,
}

/// Who writes the CA bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaBundleMode {
    /// We do.
    Managed,
    /// Somebody else.
    Keep,
    /// cert-manager, from this Certificate (`namespace/name`), or from the one that is named like the injector.
    CertManager(Option<String>),
}

impl FromStr for CaBundleMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            None if text == "managed" => Ok(Self::Managed),
            None if text == "keep" => Ok(Self::Keep),
            None if text == "cert-manager" => Ok(Self::CertManager(None)),
            Some(("cert-manager", certificate)) => Ok(Self::CertManager(Some(certificate.to_owned()))),
            _ => Err("use managed, keep, cert-manager or cert-manager=NAMESPACE/NAME; a file goes to --ca-bundle-file"
                .to_owned()),
        }
    }
}

impl RegistrationArgs {
    /// The settings for a revision (empty or `default` for the one without a name) of an injector in `namespace`. What the values say
    /// about namespaces by default is not known here.
    pub fn settings(&self, revision: &str, namespace: &str) -> Settings {
        let revision = unnamed(revision);
        let name = named(INJECTOR_NAME, revision);
        let mut match_conditions = self.match_conditions.clone();
        if self.skip_host_network {
            match_conditions.push(MatchCondition::skip_host_network());
        }
        let cert_manager = match &self.ca_bundle {
            CaBundleMode::CertManager(Some(certificate)) => Some(certificate.clone()),
            CaBundleMode::CertManager(None) => Some(format!("{namespace}/{name}")),
            _ => None,
        };
        let service = || Endpoint::Service {
            name: self.service_name.clone().unwrap_or_else(|| name.clone()),
            port: self.service_port,
        };
        Settings {
            revision: revision.to_owned(),
            tags: self.tags.clone(),
            namespace: namespace.to_owned(),
            endpoint: self.url.clone().map_or_else(service, Endpoint::Url),
            path_variables: self.path_variables.clone(),
            failure_policy: self.failure_policy,
            // A part of a second is no whole number of them, and is refused as zero is.
            timeout_seconds: if self.webhook_timeout.subsec_nanos() == 0 { self.webhook_timeout.as_secs() } else { 0 },
            reinvocation_policy: self.reinvocation_policy,
            excluded_namespaces: self.excluded_namespaces.clone(),
            match_conditions,
            enable_namespaces_by_default: false,
            is_replaced: false,
            cert_manager,
            owner: None,
        }
    }

    /// Name of the ClusterRole that is to own the objects of a revision; none when none is.
    pub fn owner(&self, revision: &str) -> Option<String> {
        let named = || named(INJECTOR_NAME, revision);
        self.owned_by_cluster_role.as_ref().map(|name| name.clone().unwrap_or_else(named))
    }

    /// Whether `caBundle` is somebody else's.
    pub fn keeps_bundle(&self) -> bool {
        self.ca_bundle_file.is_none() && self.ca_bundle != CaBundleMode::Managed
    }
}

/// The name of something of the injector's for a revision.
pub(super) fn named(name: &str, revision: &str) -> String {
    match unnamed(revision) {
        "" => name.to_owned(),
        revision => format!("{name}-{revision}"),
    }
}

/// The revision as part of names: empty for the one without a name, which is the same as `default`.
pub(super) fn unnamed(revision: &str) -> &str {
    if revision == DEFAULT_REVISION { "" } else { revision }
}

fn match_condition(text: &str) -> Result<MatchCondition, String> {
    let (name, expression) = text.split_once('=').ok_or("use NAME=CEL")?;
    Ok(MatchCondition { name: name.to_owned(), expression: expression.to_owned() })
}

fn path_variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("use NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use crate::cli::Command;
    use clap::Parser;

    #[test]
    fn the_revision_default_is_the_one_without_a_name() {
        let arguments = ["sidecar-injector", "serve", "--register"];
        let Command::Serve(serve) = Cli::parse_from(arguments).command else { panic!("serve") };
        let settings = |revision: &str| serve.registration.settings(revision, "istio-system");
        assert_eq!(settings("default"), settings(""));
        assert_eq!(named(INJECTOR_NAME, "default"), INJECTOR_NAME);
        assert_eq!(named(INJECTOR_NAME, "canary"), "istio-sidecar-injector-canary");
    }
}
