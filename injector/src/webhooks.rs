//! Which pods the API server sends to the injector: the selectors of Istio's mutating webhooks.
//!
//! What they leave out never reaches the injector, so this is the only place that can say why.

mod no_match;
mod registered;

use serde_json::{Map, Value};
use sidecar_contract::config::{DEFAULT_REVISION, WEBHOOK_SUFFIX};
use sidecar_contract::{label, namespace};

use crate::selector::{LabelSelector, Operator, Requirement};

pub use no_match::NoMatch;
pub use registered::{Registered, Selected, registered};

/// One webhook of a MutatingWebhookConfiguration, as far as it selects pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// As `rev.namespace.sidecar-injector.istio.io`; the same in the configurations of all revisions and tags.
    pub name: String,
    /// The revision whose injector it calls; `default` where there are no others.
    pub revision: String,
    /// Which namespaces, by their labels.
    pub namespace_selector: LabelSelector,
    /// Which pods, by their labels.
    pub object_selector: LabelSelector,
}

impl Webhook {
    /// Whether it is called for a pod with `pod_labels` in a namespace with `namespace_labels`.
    pub fn matches(&self, namespace_labels: &Map<String, Value>, pod_labels: &Map<String, Value>) -> bool {
        self.namespace_selector.matches(namespace_labels) && self.object_selector.matches(pod_labels)
    }

    /// The same webhook with the selectors that no object meets, which Istio gives it when a tag takes its place.
    #[must_use]
    pub fn deactivated(self) -> Self {
        let never = LabelSelector {
            match_labels: [(label::DEACTIVATED.to_owned(), label::DEACTIVATED_NEVER.to_owned())].into(),
            ..LabelSelector::default()
        };
        Self { namespace_selector: never.clone(), object_selector: never, ..self }
    }

    /// Whether its selectors are those of [`Webhook::deactivated`].
    pub fn is_deactivated(&self) -> bool {
        let is_never = |selector: &LabelSelector| selector.asks_for(label::DEACTIVATED, label::DEACTIVATED_NEVER);
        is_never(&self.namespace_selector) || is_never(&self.object_selector)
    }
}

/// The webhooks of an installation: those of the revision (empty means the one without a name, `default`), then those
/// of each tag that points to it.
///
/// `enable_namespaces_by_default` is `sidecarInjectorWebhook.enableNamespacesByDefault`: namespaces and pods that say
/// nothing are injected. A tag `default` takes the place of the revision without a name, whose own webhooks are then
/// deactivated.
pub fn webhooks(revision: &str, tags: &[&str], enable_namespaces_by_default: bool) -> Vec<Webhook> {
    let is_default = revision.is_empty();
    let name = if is_default { DEFAULT_REVISION } else { revision };
    let own = configuration(name, name, is_default, enable_namespaces_by_default);
    let is_replaced = is_default && tags.contains(&DEFAULT_REVISION);
    let own = own.into_iter().map(|webhook| if is_replaced { webhook.deactivated() } else { webhook });
    let tagged =
        tags.iter().flat_map(|tag| configuration(name, tag, *tag == DEFAULT_REVISION, enable_namespaces_by_default));
    own.chain(tagged).collect()
}

/// Those of `webhooks` that are called for a pod with `pod_labels` in a namespace with `namespace_labels`, in the order in
/// which the API server calls them, which is that of their configurations' names.
pub fn matching<'a>(
    webhooks: &'a [Registered],
    namespace_labels: &Map<String, Value>,
    pod_labels: &Map<String, Value>,
) -> Vec<&'a Registered> {
    webhooks.iter().filter(|registered| registered.webhook.matches(namespace_labels, pod_labels)).collect()
}

/// Of the webhooks that are called for a pod the one whose injector is asked about it: that of the revision `preferred`, or
/// else the last. Each injector takes back what one before it has added, so the last has the last word.
pub fn deciding<'a>(called: &[&'a Registered], preferred: Option<&str>) -> Option<&'a Registered> {
    let is_preferred = |registered: &&&Registered| Some(registered.webhook.revision.as_str()) == preferred;
    called.iter().rev().find(is_preferred).or(called.last()).copied()
}

/// The webhooks of one MutatingWebhookConfiguration, which answers to the revision or tag `wanted`. No two of them match
/// the same pod.
fn configuration(revision: &str, wanted: &str, is_default: bool, by_default: bool) -> Vec<Webhook> {
    let webhook = |prefix: &str, namespace: &[Requirement], object: &[Requirement]| Webhook {
        // The prefix only makes the name unique, as Kubernetes demands.
        name: format!("{prefix}{WEBHOOK_SUFFIX}"),
        revision: revision.to_owned(),
        namespace_selector: selector(namespace),
        object_selector: selector(object),
    };
    let not_false = || is_not_in(label::INJECT, &["false"]);
    let unlabelled = || [missing(label::NAMESPACE_INJECTION), missing(label::REVISION)];
    let mut webhooks = vec![
        webhook(
            "rev.namespace.",
            &[is_in(label::REVISION, wanted), missing(label::NAMESPACE_INJECTION)],
            &[not_false()],
        ),
        webhook("rev.object.", &unlabelled(), &[not_false(), is_in(label::REVISION, wanted)]),
    ];
    if is_default {
        let enabled = is_in(label::NAMESPACE_INJECTION, label::NAMESPACE_INJECTION_ENABLED);
        webhooks.push(webhook("namespace.", &[enabled], &[not_false()]));
        let asks = [is_in(label::INJECT, "true"), missing(label::REVISION)];
        webhooks.push(webhook("object.", &unlabelled(), &asks));
    }
    if is_default && by_default {
        let [injection, revision] = unlabelled();
        let not_of_the_system = is_not_in(label::NAMESPACE_NAME, &namespace::NEVER_INJECTED);
        let silent = [missing(label::INJECT), missing(label::REVISION)];
        webhooks.push(webhook("auto.", &[injection, revision, not_of_the_system], &silent));
    }
    webhooks
}

fn selector(requirements: &[Requirement]) -> LabelSelector {
    LabelSelector { match_expressions: requirements.to_vec(), ..LabelSelector::default() }
}

fn is_in(key: &str, value: &str) -> Requirement {
    Requirement { key: key.to_owned(), operator: Operator::In, values: vec![value.to_owned()] }
}

fn is_not_in(key: &str, values: &[&str]) -> Requirement {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    Requirement { key: key.to_owned(), operator: Operator::NotIn, values }
}

fn missing(key: &str) -> Requirement {
    Requirement { key: key.to_owned(), operator: Operator::DoesNotExist, values: Vec::new() }
}

#[cfg(test)]
mod tests;
