//! Trying a configuration out: whatever templates a pod may choose are injected into pods as there are many.

use std::fmt;

use serde_json::{Value, json};
use sidecar_contract::{annotation, container};

use crate::annotations;
use crate::config::{DEFAULT_TEMPLATE, NOT_FOR_PODS};
use crate::context::Injector;
use crate::decide::NO_VARIABLES;
use crate::inject::{InjectError, inject};
use crate::owner::owner_of_pod;

/// A configuration has a handful of templates; of one with more, the rest is not tried out.
const MAX_CHOICES: usize = 64;
/// After as many that fail, the rest is not tried out: each may use all the time that a rendering may use.
const MAX_FAILURES: usize = 8;
/// Namespace of the samples.
const NAMESPACE: &str = "sample";
/// What the engine says when a template calls `fail`, to refuse a pod on purpose.
const REFUSAL: &str = "error calling fail";

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Tried {
    /// What is wrong for pods that do not choose.
    pub(crate) mistakes: Vec<Finding>,
    /// What is wrong for pods that choose.
    pub(crate) warnings: Vec<Finding>,
    /// How many templates and aliases there are that were not tried out.
    pub(crate) rest: usize,
}

/// A sample that cannot be injected.
#[derive(Debug)]
pub(crate) struct Finding {
    /// The template or alias that it asks for; none when it does not choose.
    pub(crate) choice: Option<String>,
    /// What kind of sample it is.
    pub(crate) sample: &'static str,
    /// Why.
    pub(crate) error: InjectError,
}

impl Finding {
    /// Whether a template refuses the sample on purpose.
    pub(crate) fn is_refusal(&self) -> bool {
        self.message().contains(REFUSAL)
    }

    fn message(&self) -> String {
        self.error.messages().join("; ")
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sample, message) = (self.sample, self.message());
        match &self.choice {
            None => write!(f, "the default templates fail for {sample}: {message}"),
            Some(name) => write!(f, "template '{name}', where a pod asks for it, fails for {sample}: {message}"),
        }
    }
}

/// Injects into samples with the default templates, every other template and every alias.
pub(crate) fn try_out(injector: &Injector) -> Tried {
    let mut tried = Tried::default();
    let config = &injector.configuration.config;
    for finding in failures(injector, None, application()) {
        let list = if finding.is_refusal() { &mut tried.warnings } else { &mut tried.mistakes };
        list.push(finding);
    }
    if !tried.mistakes.is_empty() {
        return tried;
    }
    let is_default = |name: &str| match config.default_templates.as_slice() {
        [] => name == DEFAULT_TEMPLATE,
        names => names == [name],
    };
    let is_choice = |name: &&String| can_be_chosen(name) && !is_default(name);
    let mut choices = config.templates.keys().chain(config.aliases.keys()).filter(is_choice);
    let mut failed = 0;
    for name in choices.by_ref().take(MAX_CHOICES) {
        let failures = failures_of_choice(injector, name);
        failed += usize::from(!failures.is_empty());
        let chosen = |finding: Finding| Finding { choice: Some(name.clone()), ..finding };
        tried.warnings.extend(failures.into_iter().map(chosen));
        if failed == MAX_FAILURES {
            break;
        }
    }
    tried.rest = choices.count();
    tried
}

/// What goes wrong in rendering each template by itself, whether or not a pod can do with it alone: what [`try_out`] does
/// not come to when the default templates fail.
pub(crate) fn try_each(injector: &Injector) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in injector.configuration.config.templates.keys().filter(|name| can_be_chosen(name)).take(MAX_CHOICES) {
        let failures = failures(injector, Some(name), application()).into_iter();
        let of_template = failures.filter(|finding| matches!(finding.error, InjectError::Template(_)));
        findings.extend(of_template.map(|finding| Finding { choice: Some(name.clone()), ..finding }));
        if findings.len() >= MAX_FAILURES {
            break;
        }
    }
    findings
}

/// Whether a pod can ask for the template or alias by its annotation.
pub(crate) fn can_be_chosen(name: &str) -> bool {
    annotations::items(name).eq([name]) && !NOT_FOR_PODS.contains(&name)
}

/// A template may be for gateways, or to go with the default ones: it is tried in the first of these ways that works.
fn failures_of_choice(injector: &Injector, name: &str) -> Vec<Finding> {
    let alone = failures(injector, Some(name), application());
    let fits = |failures: &[Finding]| failures.first().is_none_or(|failure| failure.sample != PLAIN);
    if fits(&alone) {
        return alone;
    }
    let as_gateway = failures(injector, Some(name), gateway());
    if fits(&as_gateway) {
        return as_gateway;
    }
    let defaults = match injector.configuration.config.default_templates.as_slice() {
        [] => DEFAULT_TEMPLATE.to_owned(),
        names => names.join(","),
    };
    let with_defaults = failures(injector, Some(&format!("{defaults},{name}")), application());
    if fits(&with_defaults) { with_defaults } else { alone }
}

/// What goes wrong with each kind of sample; the rest is not tried when the plain one fails.
fn failures(injector: &Injector, templates: Option<&str>, containers: Value) -> Vec<Finding> {
    let plain = sample(&containers);
    let attempt = |name: &'static str, mut pod: Value| {
        if let Some(templates) = templates {
            pod["metadata"]["annotations"][annotation::TEMPLATES] = templates.into();
        }
        let context = injector.context(owner_of_pod(&pod), injector.namespace(NAMESPACE), &NO_VARIABLES);
        let error = inject(&pod, &context).err()?;
        Some(Finding { choice: None, sample: name, error })
    };
    if let Some(failure) = attempt(PLAIN, plain.clone()) {
        return vec![failure];
    }
    let mut failures = Vec::new();
    for (_, name, make) in VARIANTS {
        let mut pod = plain.clone();
        make(&mut pod);
        failures.extend(attempt(name, pod));
    }
    // Mostly it is the same mistake.
    failures.dedup_by(|later, earlier| later.message() == earlier.message());
    failures
}

/// A pod to try templates on.
#[derive(Clone, Debug)]
pub struct Sample {
    /// What to ask for it by.
    pub name: &'static str,
    /// What kind of pod it is.
    pub description: &'static str,
    /// The pod.
    pub pod: Value,
}

/// The pods that configurations are tried out on, the plain one first.
pub fn samples() -> Vec<Sample> {
    let plain = sample(&application());
    let mut samples = vec![Sample { name: "plain", description: PLAIN, pod: plain.clone() }];
    for (name, description, make) in VARIANTS {
        let mut pod = plain.clone();
        make(&mut pod);
        samples.push(Sample { name, description, pod });
    }
    let description = "a pod with nothing but the proxy, for gateways";
    samples.push(Sample { name: "gateway", description, pod: sample(&gateway()) });
    samples
}

const PLAIN: &str = "a plain pod";
/// What makes another sample of a plain pod.
type Change = fn(&mut Value);

const VARIANTS: [(&str, &str, Change); 4] = [
    ("details", "a pod with probes and annotations", add_details),
    ("job", "a pod of a Job", make_job),
    ("native", "a pod with a native sidecar", |pod| set_native(pod, "true")),
    ("not-native", "a pod without a native sidecar", |pod| set_native(pod, "false")),
];

fn application() -> Value {
    json!([{"name": "app", "image": "registry.example/app:1", "ports": [{"name": "http", "containerPort": 8080}]}])
}

/// A gateway is a pod with nothing but the proxy, whose image the injector fills in.
fn gateway() -> Value {
    json!([{"name": container::PROXY, "image": "auto"}])
}

fn sample(containers: &Value) -> Value {
    let owner = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "sample-5d4f8c7b9", "uid": "0",
        "controller": true, "blockOwnerDeletion": true});
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": "sample-5d4f8c7b9-",
            "labels": {"app": "sample", "version": "v1", "pod-template-hash": "5d4f8c7b9"},
            "annotations": {},
            "ownerReferences": [owner],
        },
        "spec": {
            "containers": containers,
            "serviceAccountName": "default",
            "volumes": [{"name": "token", "emptyDir": {}}],
        },
    })
}

fn add_details(pod: &mut Value) {
    pod["metadata"]["annotations"] = json!({
        "prometheus.io/scrape": "true",
        "prometheus.io/port": "8080",
        annotation::PROXY_CONFIG: "concurrency: 1\nholdApplicationUntilProxyStarts: true\n",
        "proxy.sample/other": "\"quoted\": {{ text }}",
        "sidecar.istio.io/logLevel": "debug",
        "sidecar.istio.io/proxyCPU": "100m",
        "sidecar.istio.io/proxyMemoryLimit": "1Gi",
        "traffic.sidecar.istio.io/excludeInboundPorts": "9090,9091",
        "traffic.sidecar.istio.io/excludeOutboundIPRanges": "10.0.0.0/8",
    });
    let probe = json!({"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 5});
    let application = &mut pod["spec"]["containers"][0];
    application["readinessProbe"] = probe.clone();
    application["livenessProbe"] = json!({"tcpSocket": {"port": 8080}});
    application["startupProbe"] = probe;
    application["resources"] = json!({"requests": {"cpu": "10m"}, "limits": {"memory": "64Mi"}});
    pod["spec"]["initContainers"] = json!([{"name": "first", "image": "registry.example/first:1"}]);
    pod["spec"]["securityContext"] = json!({"runAsUser": 1000, "fsGroup": 1000});
}

fn make_job(pod: &mut Value) {
    pod["metadata"]["generateName"] = "sample-28000000-".into();
    pod["metadata"]["labels"] = json!({"job-name": "sample-28000000"});
    pod["metadata"]["ownerReferences"][0]["apiVersion"] = "batch/v1".into();
    pod["metadata"]["ownerReferences"][0]["kind"] = "Job".into();
    pod["metadata"]["ownerReferences"][0]["name"] = "sample-28000000".into();
    pod["spec"]["restartPolicy"] = "Never".into();
}

fn set_native(pod: &mut Value, value: &str) {
    pod["metadata"]["annotations"][annotation::NATIVE_SIDECAR] = value.into();
}
