//! What settles whether a pod gets a sidecar.

use std::fmt;

use sidecar_contract::{annotation, label};

use crate::webhooks::NoMatch;

/// The codes of the injector's own reasons.
const CODES: [&str; 11] = [
    "host_network",
    "system_namespace",
    "label_true",
    "label_false",
    "annotation_true",
    "annotation_false",
    "never_inject_selector",
    "always_inject_selector",
    "policy_enabled",
    "policy_disabled",
    "policy_invalid",
];

/// What settled a decision. [`Reason::code`] is stable; [`fmt::Display`] is a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No webhook is called for the pod, so that the injector never sees it.
    NotCalled(NoMatch),
    /// The pod uses the node's network, where redirection would catch the traffic of the node.
    HostNetwork,
    /// The pod is in one of [`sidecar_contract::namespace::NEVER_INJECTED`].
    SystemNamespace(String),
    /// The label [`label::INJECT`] says so.
    Label(bool),
    /// The annotation [`annotation::INJECT`] says so, and there is no label.
    Annotation(bool),
    /// `neverInjectSelector` matches the pod's labels; the selector is given.
    NeverInjectSelector(String),
    /// `alwaysInjectSelector` matches the pod's labels; the selector is given.
    AlwaysInjectSelector(String),
    /// Nothing else decided, and `policy` is `enabled`.
    PolicyEnabled,
    /// Nothing else decided, and `policy` is `disabled`.
    PolicyDisabled,
    /// `policy` is neither `enabled` nor `disabled`: nothing is injected until it is mended.
    PolicyInvalid(String),
}

impl Reason {
    /// Whether a pod for which this settles it gets a sidecar.
    pub fn injects(&self) -> bool {
        match self {
            Self::Label(inject) | Self::Annotation(inject) => *inject,
            Self::AlwaysInjectSelector(_) | Self::PolicyEnabled => true,
            Self::NotCalled(_)
            | Self::HostNetwork
            | Self::SystemNamespace(_)
            | Self::NeverInjectSelector(_)
            | Self::PolicyDisabled
            | Self::PolicyInvalid(_) => false,
        }
    }

    /// All values of [`Reason::code`].
    pub fn all_codes() -> impl Iterator<Item = &'static str> {
        NoMatch::CODES.into_iter().chain(CODES)
    }

    /// A stable name for metrics, audit annotations and scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotCalled(no_match) => no_match.code(),
            Self::HostNetwork => "host_network",
            Self::SystemNamespace(_) => "system_namespace",
            Self::Label(true) => "label_true",
            Self::Label(false) => "label_false",
            Self::Annotation(true) => "annotation_true",
            Self::Annotation(false) => "annotation_false",
            Self::NeverInjectSelector(_) => "never_inject_selector",
            Self::AlwaysInjectSelector(_) => "always_inject_selector",
            Self::PolicyEnabled => "policy_enabled",
            Self::PolicyDisabled => "policy_disabled",
            Self::PolicyInvalid(_) => "policy_invalid",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotCalled(no_match) => no_match.fmt(f),
            Self::HostNetwork => f.write_str("the pod uses the host's network"),
            Self::SystemNamespace(namespace) => write!(f, "the namespace {namespace} is never injected"),
            Self::Label(inject) => write!(f, "the label {} is {inject}", label::INJECT),
            Self::Annotation(inject) => write!(f, "the annotation {} is {inject}", annotation::INJECT),
            Self::NeverInjectSelector(selector) => {
                write!(f, "neverInjectSelector `{selector}` matches the pod's labels")
            }
            Self::AlwaysInjectSelector(selector) => {
                write!(f, "alwaysInjectSelector `{selector}` matches the pod's labels")
            }
            Self::PolicyEnabled => f.write_str("the policy is enabled and the pod does not object"),
            Self::PolicyDisabled => f.write_str("the policy is disabled and the pod does not ask"),
            Self::PolicyInvalid(policy) => {
                write!(f, "the configured policy is `{policy}`, which is neither enabled nor disabled")
            }
        }
    }
}
