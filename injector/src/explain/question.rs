//! What is asked about an object, and what the injector makes of its pod.

use std::borrow::Cow;

use serde_json::Value;

use super::{NamespaceFacts, ObjectName};
use crate::config::Config;
use crate::context::{Injector, InjectorSettings};
use crate::decide::{Decision, Subject};
use crate::inject::{InjectError, Outcome, inject};
use crate::mode::Mode;
use crate::owner::{Owner, owner_of_pod};
use crate::webhooks::Registered;
use crate::workload::{FieldError, WorkloadKind, metadata_text};

/// An object, and all that is known of what decides about its pod.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The object: a pod, or something with a pod template.
    pub object: &'a Value,
    /// Its kind.
    pub workload: &'static WorkloadKind,
    /// The namespace that it is in, or will be in; empty when it is not known.
    pub namespace: &'a str,
    /// What is known of that namespace.
    pub facts: Option<&'a NamespaceFacts>,
    /// The webhooks of the cluster, where they are known.
    pub registered: Option<&'a [Registered]>,
    /// The injector that is asked.
    pub injector: &'a Injector,
    /// Why its configuration is not known; then that of `injector` is not looked at.
    pub problems: &'a [String],
    /// What its settings may be instead; empty where they are known.
    pub alternatives: &'a [InjectorSettings],
    /// When its configuration was changed last, in RFC 3339, where that is known.
    pub configured: Option<&'a str>,
    /// Whether the object is a pod that is in the cluster.
    pub is_running: bool,
}

/// What is decided about a pod, and what comes of it.
pub(super) struct Answer<'a> {
    /// As it was when it came to the injector.
    pub(super) pod: Cow<'a, Value>,
    pub(super) decision: Decision,
    /// None when it gets no sidecar.
    pub(super) expected: Option<Result<Outcome, InjectError>>,
}

impl<'a> Question<'a> {
    pub(super) fn answer(&self) -> Result<Answer<'a>, FieldError> {
        let pod = self.pod()?;
        let decision = self.subject(&pod).decide(&self.injector.configuration.config);
        let expected = decision.inject().then(|| self.inject(&pod, self.injector));
        Ok(Answer { pod, decision, expected })
    }

    /// The pod as it was when it came to the injector.
    fn pod(&self) -> Result<Cow<'a, Value>, FieldError> {
        let pod = self.workload.pod(self.object, Mode::Corrected)?;
        if !self.is_running {
            return Ok(pod);
        }
        let mut pod = pod.into_owned();
        if let Some(pod) = pod.as_object_mut() {
            pod.shift_remove("status");
        }
        // The scheduler has chosen it since, and a name is made up after admission.
        if let Some(spec) = pod.get_mut("spec").and_then(Value::as_object_mut) {
            spec.shift_remove("nodeName");
        }
        let is_made_up = !metadata_text(&pod, "generateName").is_empty();
        if let Some(metadata) = pod.get_mut("metadata").and_then(Value::as_object_mut).filter(|_| is_made_up) {
            metadata.shift_remove("name");
        }
        Ok(Cow::Owned(pod))
    }

    pub(super) fn subject<'b>(&self, pod: &'b Value) -> Subject<'b>
    where
        'a: 'b,
    {
        Subject {
            pod,
            namespace: self.namespace,
            namespace_labels: self.facts.map(|facts| &facts.labels),
            webhooks: self.registered,
            revision: Some(self.injector.revision_name()),
        }
    }

    /// The configuration, where it is known.
    pub(super) fn config(&self) -> Option<&'a Config> {
        self.problems.is_empty().then(|| &self.injector.configuration.config)
    }

    fn inject(&self, pod: &Value, injector: &Injector) -> Result<Outcome, InjectError> {
        let owner = if self.workload.is_pod() { owner_of_pod(pod) } else { Owner::of(self.object) };
        let namespace = injector.namespace(self.namespace);
        inject(pod, &injector.context(owner, namespace, self.subject(pod).variables()))
    }

    /// Whether `fits` what an injector with other settings makes of the pod, as far as those are not known.
    pub(super) fn fits_alternative(&self, pod: &Value, fits: impl Fn(&Outcome) -> bool) -> bool {
        self.alternatives.iter().any(|settings| {
            let injector = Injector { settings: settings.clone(), ..self.injector.clone() };
            self.inject(pod, &injector).is_ok_and(|outcome| fits(&outcome))
        })
    }

    pub(super) fn name(&self) -> ObjectName {
        let name = match (metadata_text(self.object, "name"), metadata_text(self.object, "generateName")) {
            ("", "") => "(no name)".to_owned(),
            ("", prefix) => format!("{prefix}*"),
            (name, _) => name.to_owned(),
        };
        ObjectName { kind: self.workload.kind.to_owned(), namespace: self.namespace.to_owned(), name }
    }
}
