//! What the API server has to know to call the injector: MutatingWebhookConfigurations, from plain settings.
//!
//! ```text
//! Settings::configurations() -> [wanted objects]   Live::difference(wanted) -> what an apply would change
//! bundle::verify(bundle, chain served, host) -> may it be written    contest::Contest -> how soon to write again
//! ```

pub mod bundle;
pub mod contest;
mod difference;
mod live;
mod object;
mod settings;
mod state;

use serde_json::{Map, Value};
use sidecar_contract::config::{INJECTOR_NAME, WEBHOOK_PATH};
use sidecar_contract::{namespace, port};

pub use difference::Difference;
pub use live::{Live, is_injector};
pub use object::{Configuration, MANAGER_LABEL, MANAGER_VALUE};
pub use settings::SettingsError;
pub use state::State;

/// The MutatingWebhookConfigurations that are wanted: that of a revision, and one for each of its tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The revision; empty for the one without a name.
    pub revision: String,
    /// Further names under which namespaces and pods may ask for the revision. `default` also serves `istio-injection`.
    pub tags: Vec<String>,
    /// Namespace of the injector.
    pub namespace: String,
    /// How the API server reaches the injector.
    pub endpoint: Endpoint,
    /// Variables of the sidecar, as name and value, that become part of the path: `cluster`, `net`, or any other.
    pub path_variables: Vec<(String, String)>,
    /// What becomes of a pod when the injector does not answer.
    pub failure_policy: FailurePolicy,
    /// How long the API server waits for an answer: 1 to 30 s.
    pub timeout_seconds: u64,
    /// Whether the injector is asked again when a later webhook changed the pod.
    pub reinvocation_policy: ReinvocationPolicy,
    /// Namespaces that are never shown to the injector, besides those of the system and its own.
    pub excluded_namespaces: Vec<String>,
    /// What has to hold of a pod besides its labels; at most 64.
    pub match_conditions: Vec<MatchCondition>,
    /// Whether namespaces and pods that say nothing are injected: `sidecarInjectorWebhook.enableNamespacesByDefault`.
    pub enable_namespaces_by_default: bool,
    /// Whether a tag `default` that points to another revision has taken the place of the revision without a name.
    pub is_replaced: bool,
    /// The Certificate (cert-manager's) as `namespace/name` whose authority cert-manager is to write into `caBundle`.
    pub cert_manager: Option<String>,
    /// Whom the objects belong to: with it, garbage collection takes them away.
    pub owner: Option<Owner>,
}

/// A ClusterRole that owns the objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Its name.
    pub name: String,
    /// Its uid: one that is made again under its name is another.
    pub uid: String,
}

impl Default for Settings {
    /// The revision without a name in `istio-system`, reached by its Service.
    fn default() -> Self {
        Self {
            revision: String::new(),
            tags: Vec::new(),
            namespace: namespace::INJECTOR.to_owned(),
            endpoint: Endpoint::Service { name: INJECTOR_NAME.to_owned(), port: port::WEBHOOK_SERVICE },
            path_variables: Vec::new(),
            failure_policy: FailurePolicy::Fail,
            timeout_seconds: 5,
            reinvocation_policy: ReinvocationPolicy::IfNeeded,
            excluded_namespaces: Vec::new(),
            match_conditions: Vec::new(),
            enable_namespaces_by_default: false,
            is_replaced: false,
            cert_manager: None,
            owner: None,
        }
    }
}

/// How the API server reaches the injector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// By a Service in the injector's namespace.
    Service {
        /// Its name.
        name: String,
        /// Its port.
        port: u16,
    },
    /// By an https URL. Without a path it gets `/inject`.
    Url(String),
}

/// What becomes of a pod when the injector does not answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "PascalCase")]
pub enum FailurePolicy {
    /// It is not created: whoever creates it tries again, and no pod is ever without its sidecar.
    #[default]
    Fail,
    /// It is created without a sidecar.
    Ignore,
}

/// Whether the injector is asked again when a later webhook changed the pod.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "PascalCase")]
pub enum ReinvocationPolicy {
    /// Yes. Safe, since injecting an injected pod changes nothing.
    #[default]
    IfNeeded,
    /// No: what later webhooks add is not seen.
    Never,
}

/// A condition on the request (CEL) that the API server evaluates before it calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchCondition {
    /// A qualified name, as `not-mirror`.
    pub name: String,
    /// The expression; the pod is `object`.
    pub expression: String,
}

impl MatchCondition {
    /// Pods in the host's network are not shown to the injector, which skips them anyway.
    ///
    /// Not the default: of a pod that was never shown nobody can tell why it has no sidecar.
    pub fn skip_host_network() -> Self {
        Self {
            name: "skip-host-network".to_owned(),
            expression: "!has(object.spec.hostNetwork) || !object.spec.hostNetwork".to_owned(),
        }
    }
}

impl Settings {
    /// The objects wanted, the revision's first, without a `caBundle`.
    ///
    /// # Errors
    /// All mistakes in the settings.
    pub fn configurations(&self) -> Result<Vec<Configuration>, Vec<SettingsError>> {
        let errors = settings::check(self);
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(std::iter::once(object::of_revision(self))
            .chain(self.tags.iter().map(|tag| object::of_tag(self, tag)))
            .collect())
    }

    /// Names of the objects, the revision's first; whatever the other settings are.
    pub fn names(&self) -> Vec<String> {
        let tags = self.tags.iter().map(|tag| self.tag_name(tag));
        std::iter::once(self.revision_name()).chain(tags).collect()
    }

    /// Name of the object of the revision: `istio-sidecar-injector[-REV][-NAMESPACE]`, the namespace only where it is not
    /// `istio-system`.
    pub fn revision_name(&self) -> String {
        self.in_namespace(with_suffix(INJECTOR_NAME, &self.revision))
    }

    /// Name of the object of a tag: `istio-revision-tag-TAG[-NAMESPACE]`.
    pub fn tag_name(&self, tag: &str) -> String {
        self.in_namespace(format!("istio-revision-tag-{tag}"))
    }

    /// Under which name the API server keeps what we own: one a revision, so that two revisions that want the same tag
    /// conflict instead of taking turns.
    pub fn field_manager(&self) -> String {
        with_suffix(FIELD_MANAGER, &self.revision)
    }

    /// The name that the serving certificate has to be for: `SERVICE.NAMESPACE.svc`, or the host of the URL.
    pub fn host(&self) -> String {
        match &self.endpoint {
            Endpoint::Service { name, .. } => format!("{name}.{}.svc", self.namespace),
            Endpoint::Url(url) => settings::host_of(url).unwrap_or_default().to_owned(),
        }
    }

    /// The path of the webhook, with the variables in it.
    fn path(&self) -> String {
        self.path_variables
            .iter()
            .fold(WEBHOOK_PATH.to_owned(), |path, (name, value)| format!("{path}/{name}/{}", value.replace('/', SLASH)))
    }

    fn in_namespace(&self, name: String) -> String {
        if self.namespace == namespace::INJECTOR { name } else { with_suffix(&name, &self.namespace) }
    }
}

/// What the values of an installation say about namespaces and pods that say nothing.
pub fn enables_namespaces_by_default(values: &Map<String, Value>) -> bool {
    let webhook = values.get("sidecarInjectorWebhook");
    webhook.and_then(|webhook| webhook.get("enableNamespacesByDefault")) == Some(&Value::Bool(true))
}

/// What stands for a slash within a value, in a path.
const SLASH: &str = "--slash--";

/// Beginning of the field managers of all revisions.
pub const FIELD_MANAGER: &str = "sidecar-injector";

fn with_suffix(name: &str, suffix: &str) -> String {
    if suffix.is_empty() { name.to_owned() } else { format!("{name}-{suffix}") }
}

#[cfg(test)]
mod tests;
