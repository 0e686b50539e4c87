//! `check --all`: every pod of a cluster, page by page.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Value, json};
use sidecar_process::exit;

use super::output::Output;
use super::{Check, FOUND, Injectors, failure};
use crate::cli::{Failure, printable};
use crate::explain::{NamespaceFacts, Running, called, running};
use crate::kubernetes::reading::{ReadError, Reader};
use crate::mode::Mode;
use crate::owner::owner_of_pod;
use crate::workload::{WorkloadKind, metadata_map, metadata_text};

/// A pod that is not as it should be.
#[derive(Debug, Serialize)]
struct Finding<'a> {
    namespace: &'a str,
    name: &'a str,
    owner: Owner<'a>,
    #[serde(flatten)]
    running: Running,
}

#[derive(Debug, Serialize)]
struct Owner<'a> {
    kind: &'a str,
    name: &'a str,
}

/// Looks at all pods, and prints those that are not as they should be as they come. What is in memory is one page of pods,
/// the namespaces, and a configuration for each revision.
pub(super) async fn check(check: &Check, reader: &Reader, injectors: &mut Injectors<'_>) -> Result<u8, Failure> {
    let knowledge = injectors.knowledge;
    if knowledge.registered.is_none() {
        let message = "without the webhooks nobody can tell which pods should be injected; allow to list them";
        return Err(failure(message.to_owned()));
    }
    let path = match check.cluster.namespace() {
        Some(namespace) if knowledge.facts(namespace).is_none() && is_missing(namespace, reader).await? => {
            return Err(failure(format!("namespace {namespace}: does not exist")));
        }
        Some(namespace) => format!("/api/v1/namespaces/{namespace}/pods"),
        None => "/api/v1/pods".to_owned(),
    };
    let mut audit = Audit { report: Report::new(check.is_json()), new: BTreeMap::new(), problems: BTreeSet::new() };
    let mut next: Option<String> = None;
    loop {
        let page = reader.page(&path, "pods", next.as_deref()).await.map_err(|error| Failure::of(&error))?;
        for pod in page.items.iter().filter(|pod| is_alive(pod)) {
            if !audit.look(pod, reader, injectors).await? {
                return Ok(audit.report.code());
            }
        }
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    audit.report.end()?;
    if audit.problems.is_empty() {
        Ok(audit.report.code())
    } else {
        Err(Failure { messages: audit.problems.into_iter().collect() })
    }
}

/// Who may not read the namespace can still read its pods.
async fn is_missing(namespace: &str, reader: &Reader) -> Result<bool, Failure> {
    match reader.namespace(namespace).await {
        Err(ReadError::Forbidden { .. }) => Ok(false),
        read => Ok(read.map_err(|error| Failure::of(&error))?.is_none()),
    }
}

struct Audit {
    report: Report,
    /// Namespaces that were made since all were listed.
    new: BTreeMap<String, Option<NamespaceFacts>>,
    /// Why some pods could not be judged.
    problems: BTreeSet<String>,
}

impl Audit {
    /// Judges one pod, and says whether anybody reads on.
    async fn look(&mut self, pod: &Value, reader: &Reader, injectors: &mut Injectors<'_>) -> Result<bool, Failure> {
        let pod_kind = json!({"apiVersion": "v1", "kind": "Pod"});
        let Some(workload) = WorkloadKind::of(&pod_kind, Mode::Corrected) else { return Ok(true) };
        let (namespace, name) = (metadata_text(pod, "namespace"), metadata_text(pod, "name"));
        self.report.checked += 1;
        let knowledge = injectors.knowledge;
        if knowledge.facts(namespace).is_none() && !self.new.contains_key(namespace) {
            let read = reader.namespace(namespace).await.map_err(|error| Failure::of(&error))?;
            self.new.insert(namespace.to_owned(), read.map(|read| read.facts));
        }
        let Some(facts) = knowledge.facts(namespace).or_else(|| self.new.get(namespace)?.as_ref()) else {
            // The namespace has gone, and its pods with it.
            return Ok(true);
        };
        // Whom nobody calls needs no configuration.
        if !injectors.is_called(namespace, facts, pod) {
            return Ok(true);
        }
        let known = injectors.of_pod(namespace, Some(facts), pod).await?;
        if !known.problems.is_empty() {
            self.report.unjudged += 1;
            self.problems.extend(known.problems.iter().cloned());
            return Ok(true);
        }
        let question = known.question(pod, workload, namespace, Some(facts), true);
        let running = running(&question).map_err(|error| failure(format!("pod {namespace}/{name}: {error}")))?;
        if !running.state.is_finding() {
            return Ok(true);
        }
        let owner = owner_of_pod(pod);
        let owner = Owner { kind: owner.kind, name: owner.name };
        self.report.add(&Finding { namespace, name, owner, running })
    }
}

/// Pods that have ended, or are about to, are nobody's business any more.
fn is_alive(pod: &Value) -> bool {
    let phase = pod.pointer("/status/phase").and_then(Value::as_str).unwrap_or_default();
    let is_going = pod.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null());
    !matches!(phase, "Succeeded" | "Failed") && !is_going
}

/// What is printed, as it comes.
struct Report {
    output: Output,
    is_json: bool,
    checked: usize,
    found: usize,
    /// Those of which nobody could tell.
    unjudged: usize,
}

impl Report {
    fn new(is_json: bool) -> Self {
        Self { output: Output::new(), is_json, checked: 0, found: 0, unjudged: 0 }
    }

    fn add(&mut self, finding: &Finding<'_>) -> Result<bool, Failure> {
        self.found += 1;
        let text = if self.is_json {
            let json = serde_json::to_string(finding).map_err(|error| Failure::of(&error))?;
            format!("{}\n  {json}", if self.found == 1 { "{\"findings\": [" } else { "," })
        } else {
            printable(&line(finding)) + "\n"
        };
        self.output.write(&text)
    }

    fn end(&mut self) -> Result<(), Failure> {
        let Self { is_json, checked, found, unjudged, .. } = *self;
        let text = if is_json {
            let findings = if found == 0 { "{\"findings\": []" } else { "\n]" };
            format!("{findings}, \"checked\": {checked}, \"found\": {found}, \"unjudged\": {unjudged}}}\n")
        } else {
            let stand = match found {
                0 if unjudged == 0 => "all as they should be".to_owned(),
                found => format!("{found} not as they should be"),
            };
            let rest = if unjudged == 0 { String::new() } else { format!(", {unjudged} of which it cannot be told") };
            format!("{checked} pods, {stand}{rest}\n")
        };
        self.output.write(&text).map(drop)
    }

    fn code(&self) -> u8 {
        if self.found == 0 { exit::DONE } else { FOUND }
    }
}

fn line(Finding { namespace, name, owner, running }: &Finding<'_>) -> String {
    let of = if owner.kind == "Pod" { String::new() } else { format!(" of {} {}", owner.kind, owner.name) };
    let cause = match &running.cause {
        Some(cause) => format!("; {} ({})", cause.text, cause.code),
        None => String::new(),
    };
    format!("{namespace}/{name}{of}: {} ({}){cause}", running.text, running.state.code())
}

impl Injectors<'_> {
    /// Whether the API server calls any injector for the pod.
    fn is_called(&self, namespace: &str, facts: &NamespaceFacts, pod: &Value) -> bool {
        let Some(registered) = &self.knowledge.registered else { return false };
        !called(registered, namespace, facts, metadata_map(pod, "labels")).is_empty()
    }
}
