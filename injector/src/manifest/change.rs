//! What is done with each pod of a stream.

use serde_json::Value;

use crate::containers::{self, LISTS};
use crate::context::Injector;
use crate::decide::{Decision, Reason};
use crate::inject::inject;
use crate::inject::probes::REWRITTEN_PATHS;
use crate::injectors::Injectors;
use crate::manifest::report::Action;
use crate::mode::Mode;
use crate::owner::{Owner, owner_of_pod};
use crate::template;
use crate::uninject::{Uninjected, uninject};
use crate::warnings::{self, INJECTED_BY_ISTIO_INEXACT, ISTIO_SKIPS, PROBE_LEFT_REWRITTEN, Warning};
use crate::workload::{WorkloadKind, metadata_text};

/// Probes of a container.
const PROBES: [&str; 3] = ["livenessProbe", "readinessProbe", "startupProbe"];

/// What to do with each pod of a stream.
pub(super) trait Change {
    /// Which kinds of object have a pod, and where.
    fn mode(&self) -> Mode;

    /// Whether it takes injections back.
    fn is_undoing(&self) -> bool {
        false
    }

    /// What is done with `pod`, and the pod that takes its place, if another does.
    ///
    /// # Errors
    /// All mistakes in the pod.
    fn change(&self, object: &Value, workload: &WorkloadKind, pod: &Value) -> Result<Changed, Vec<String>>;
}

/// What was done to one pod.
pub(super) struct Changed {
    pub(super) action: Action,
    pub(super) pod: Option<Value>,
    pub(super) warnings: Vec<Warning>,
}

/// Injecting.
#[derive(Clone, Copy, Debug)]
pub(super) enum Inject<'i> {
    /// By this injector.
    By(&'i Injector),
    /// By the one that the cluster calls.
    Following(&'i Injectors),
}

impl<'i> Inject<'i> {
    /// The injector that is asked about pods for which no other is called.
    pub(super) fn own(self) -> &'i Injector {
        match self {
            Self::By(injector) => injector,
            Self::Following(injectors) => &injectors.own,
        }
    }
}

impl Change for Inject<'_> {
    fn mode(&self) -> Mode {
        self.own().settings.mode
    }

    fn change(&self, object: &Value, workload: &WorkloadKind, pod: &Value) -> Result<Changed, Vec<String>> {
        let own = self.own();
        let injector = match self {
            Self::By(injector) => injector,
            Self::Following(injectors) => {
                let namespace = own.namespace_of(object);
                let labels = own.namespace_labels(namespace);
                injectors.deciding(&own.subject(pod, namespace, labels.as_deref())).map_err(<[_]>::to_vec)?
            }
        };
        injector.change(object, workload, pod)
    }
}

impl Injector {
    fn namespace_of<'a>(&'a self, object: &'a Value) -> &'a str {
        match metadata_text(object, "namespace") {
            "" => &self.settings.namespace,
            namespace => namespace,
        }
    }

    fn change(&self, object: &Value, workload: &WorkloadKind, pod: &Value) -> Result<Changed, Vec<String>> {
        let read = self.settings.mode.is_istio().then(|| as_go_reads(pod));
        let pod = read.as_ref().unwrap_or(pod);
        let namespace = self.namespace_of(object);
        let labels = self.namespace_labels(namespace);
        let subject = self.subject(pod, namespace, labels.as_deref());
        let Decision { reason, mut warnings } = match subject.decide(&self.configuration.config) {
            decision if decision.inject() => decision,
            Decision { reason, mut warnings } => {
                if self.settings.mode.is_istio() {
                    warnings.push(Warning::new(ISTIO_SKIPS, as_istio_says(object, &reason)));
                } else {
                    warnings.extend(warnings::found::of_a_skip(&reason, pod, labels.as_deref(), &self.configuration));
                }
                return Ok(Changed { action: Action::Skipped(reason), pod: None, warnings });
            }
        };
        let owner = if workload.is_pod() { owner_of_pod(object) } else { Owner::of(object) };
        let context = self.context(owner, self.namespace(namespace), subject.variables());
        let mut outcome = inject(pod, &context).map_err(|error| error.messages_under(&workload.pod_path()))?;
        warnings.append(&mut outcome.warnings);
        if self.settings.mode.is_istio() {
            as_go_writes(&mut outcome.pod);
        }
        if *pod == outcome.pod {
            return Ok(Changed { action: Action::UpToDate, pod: None, warnings });
        }
        // The object has it; a report of thousands would hold each a second time.
        let pod = Some(std::mem::take(&mut outcome.pod));
        Ok(Changed { action: Action::Injected(reason, Box::new(outcome)), pod, warnings })
    }
}

/// Taking injections back.
pub(super) struct Uninject;

impl Change for Uninject {
    fn mode(&self) -> Mode {
        Mode::Corrected
    }

    fn is_undoing(&self) -> bool {
        true
    }

    fn change(&self, _object: &Value, _workload: &WorkloadKind, pod: &Value) -> Result<Changed, Vec<String>> {
        Ok(match uninject(pod).map_err(|error| vec![error.to_string()])? {
            Some(Uninjected { pod, is_exact, doubts }) => {
                let doubts = doubts.into_iter().map(|doubt| Warning::new(INJECTED_BY_ISTIO_INEXACT, doubt));
                let warnings = doubts.chain(probes_left(&pod)).collect();
                Changed { action: Action::Uninjected(is_exact), pod: Some(pod), warnings }
            }
            None => Changed { action: Action::NotInjected, pod: None, warnings: Vec::new() },
        })
    }
}

/// Warnings of probes that still go to a sidecar which is no longer there, as those of a container do that got another name
/// since: what is known of it is known by its name.
fn probes_left(pod: &Value) -> impl Iterator<Item = Warning> {
    let containers = LISTS.into_iter().flat_map(|list| containers::list(pod, list));
    containers.flat_map(|container| {
        let name = container["name"].as_str().unwrap_or_default();
        PROBES.into_iter().filter(|probe| is_rewritten(&container[*probe])).map(move |probe| {
            let text = format!(
                "container '{}': {probe} still goes to the sidecar that is gone; was the container renamed after the injection?",
                name.escape_default()
            );
            Warning::new(PROBE_LEFT_REWRITTEN, text)
        })
    })
}

fn is_rewritten(probe: &Value) -> bool {
    probe["httpGet"]["path"].as_str().is_some_and(|path| path.starts_with(REWRITTEN_PATHS))
}

/// What istioctl's YAML parser makes of texts that are not quoted.
fn as_go_reads(pod: &Value) -> Value {
    let mut pod = pod.clone();
    for (part, type_name) in [("metadata", "v1.ObjectMeta"), ("spec", "v1.PodSpec")] {
        if let Some(part) = pod.get_mut(part) {
            template::make_texts(type_name, part);
        }
    }
    pod
}

/// istioctl writes what Kubernetes' Go types hold; what they do not hold stays here.
fn as_go_writes(pod: &mut Value) {
    for (part, type_name) in [("metadata", "v1.ObjectMeta"), ("spec", "v1.PodSpec")] {
        if let Some(part) = pod.get_mut(part)
            && let Some(typed) = template::typed(type_name, part)
        {
            *part = typed;
        }
    }
}

/// The words in which istioctl says that it skips an object; scripts look for them.
fn as_istio_says(object: &Value, reason: &Reason) -> String {
    let why = match reason {
        Reason::HostNetwork => "has host networking enabled",
        _ => "has sidecar injection disabled",
    };
    let (namespace, name) = (metadata_text(object, "namespace"), metadata_text(object, "name"));
    let kind = object["kind"].as_str().unwrap_or_default();
    let separator = if namespace.is_empty() { "" } else { "/" };
    format!("===> Skipping injection because {kind} \"{namespace}{separator}{name}\" {why}")
}
