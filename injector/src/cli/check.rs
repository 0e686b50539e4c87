//! `check`: why a pod gets a sidecar or not, and which pods of a cluster are not as they should be.

mod all;
mod output;
mod target;

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;
use sidecar_process::exit;

use crate::cli::cluster::{ClusterArgs, Configured, Knowledge, run};
use crate::cli::{ConfigArgs, Failure, printable};
use crate::explain::{Explanation, NamespaceFacts, Question, explain, revision_asked, text};
use crate::files::{self, inputs::Input};
use crate::kubernetes::reading::Reader;
use crate::manifest::read_objects;
use crate::mode::Mode;
use crate::status::Status;
use crate::workload::{WorkloadKind, metadata_map, metadata_text};
use output::Output;
pub use target::Target;

/// Exit code: something is not as it should be.
pub const FOUND: u8 = 3;

const EXIT_CODES: &str = "Exit codes: 0 everything is as it should be, 1 failed, 2 wrong usage, 3 a pod is not as it should \
                          be, or cannot be injected although it should.";

/// Flags of `check`.
#[derive(Debug, Args)]
#[command(after_help = crate::cli::examples::check(EXIT_CODES))]
#[command(mut_arg("compat", |compat| compat.hide(true).value_parser(not_explained)))]
pub struct Check {
    /// What to explain, as pod/web or deployment/web; a name alone is a pod's.
    #[arg(value_name = "KIND/NAME", conflicts_with_all = ["filename", "all"],
        required_unless_present_any = ["filename", "all", "all_namespaces"])]
    pub target: Option<Target>,
    /// Explain the objects of this file instead, or of the manifests of this directory, or of an https:// address; `-` for
    /// standard input.
    #[arg(short, long, value_name = "FILE", conflicts_with = "all")]
    pub filename: Vec<PathBuf>,
    /// With -f: also the directories in a directory.
    #[arg(short = 'R', long, conflicts_with_all = ["target", "all"])]
    pub recursive: bool,
    /// List every pod of the cluster, or of the namespace, that should be injected and is not, or has the sidecar of another
    /// revision or configuration.
    #[arg(long)]
    pub all: bool,
    /// The same as --all without -n.
    #[arg(short = 'A', long = "all-namespaces", conflicts_with_all = ["namespace", "target", "filename"])]
    pub all_namespaces: bool,
    /// How to print it.
    #[arg(short, long, value_name = "FORMAT", value_parser = ["text", "json"], default_value = "text")]
    pub output: String,
    /// Where the configuration comes from.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// What is known of the cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

impl Check {
    /// Explains, or lists, on standard output; says with its code whether everything is as it should be.
    ///
    /// # Errors
    /// When a file or the cluster cannot be read, or the configuration is not good.
    pub fn run(&self) -> Result<u8, Failure> {
        run(async {
            let is_online = self.filename.is_empty() || self.cluster.is_online(&self.config);
            let mut knowledge = self.cluster.knowledge(&self.config, is_online).await?;
            let objects = if self.filename.is_empty() { None } else { Some(self.objects()?) };
            knowledge.note(objects.iter().flatten());
            let mut injectors = Injectors { check: self, knowledge: &knowledge, known: HashMap::new() };
            match (&self.target, &objects, &knowledge.reader) {
                (Some(target), _, Some(reader)) => self.explain_one(target, reader, &mut injectors).await,
                (None, None, Some(reader)) => all::check(self, reader, &mut injectors).await,
                (_, objects, _) => self.explain_objects(objects.as_deref().unwrap_or_default(), &mut injectors).await,
            }
        })
    }

    async fn explain_one(
        &self,
        target: &Target,
        reader: &Reader,
        injectors: &mut Injectors<'_>,
    ) -> Result<u8, Failure> {
        let namespace = &injectors.knowledge.namespace;
        let (path, what) = (target.path(namespace), target.what(namespace));
        let object = reader.get(&path, &what).await.map_err(|error| Failure::of(&error))?;
        let object = object.ok_or_else(|| failure(format!("{what}: does not exist; name its namespace with -n")))?;
        let explanation = injectors.explain(&object, target.is_pod()).await?;
        self.print(explanation.into_iter().collect())
    }

    /// The objects in all files.
    fn objects(&self) -> Result<Vec<Value>, Failure> {
        let (inputs, errors) = files::inputs::inputs(&self.filename, self.recursive);
        let mut failures: Vec<Failure> = errors.iter().map(|error| Failure::of(error)).collect();
        let mut objects = Vec::new();
        for input in &inputs {
            match objects_in(input) {
                Ok(found) => objects.extend(found),
                Err(failure) => failures.push(failure),
            }
        }
        let messages: Vec<String> = failures.into_iter().flat_map(|failure| failure.messages).collect();
        if messages.is_empty() { Ok(objects) } else { Err(Failure { messages }) }
    }

    async fn explain_objects(&self, objects: &[Value], injectors: &mut Injectors<'_>) -> Result<u8, Failure> {
        let mut explanations = Vec::new();
        for object in objects {
            explanations.extend(injectors.explain(object, false).await?);
        }
        if explanations.is_empty() {
            let names: Vec<String> = self.filename.iter().map(|path| files::display(path)).collect();
            return Err(failure(format!("{}: there is no object with a pod in it", names.join(", "))));
        }
        self.print(explanations)
    }

    fn print(&self, explanations: Vec<Explanation>) -> Result<u8, Failure> {
        let mut output = Output::new();
        if self.is_json() {
            // One object of the cluster is one object, a file has any number of them.
            let json = match (&self.target, explanations.as_slice()) {
                (Some(_), [one]) => serde_json::to_string_pretty(one),
                (_, all) => serde_json::to_string_pretty(all),
            };
            output.write(&(json.map_err(|error| Failure::of(&error))? + "\n"))?;
        } else {
            let marks = output.marks();
            let texts = explanations.iter().map(|explanation| text::render(explanation, marks));
            output.write(&printable(&texts.collect::<Vec<_>>().join("\n")))?;
        }
        let unknown: BTreeSet<&String> =
            explanations.iter().filter(|one| one.is_unknown()).flat_map(|one| &one.problems).collect();
        if !unknown.is_empty() {
            return Err(Failure { messages: unknown.into_iter().cloned().collect() });
        }
        Ok(if explanations.iter().any(Explanation::is_finding) { FOUND } else { exit::DONE })
    }

    fn is_json(&self) -> bool {
        self.output == "json"
    }
}

fn objects_in(input: &Input) -> Result<Vec<Value>, Failure> {
    let text = input.read().map_err(|error| Failure::of(&error))?;
    read_objects(&text).map_err(|errors| super::manifests::mistakes(Path::new(&input.name()), &errors))
}

/// The injectors of the cluster, by revision: each is loaded when it is first asked.
struct Injectors<'a> {
    check: &'a Check,
    knowledge: &'a Knowledge,
    known: HashMap<String, Known>,
}

/// An injector, and why its configuration is not known.
struct Known {
    configured: Configured,
    problems: Vec<String>,
}

impl Injectors<'_> {
    /// The injector that decides about a pod with these labels: that of the flag, or else of the webhook that is called.
    async fn of_pod(
        &mut self,
        namespace: &str,
        facts: Option<&NamespaceFacts>,
        pod: &Value,
    ) -> Result<&Known, Failure> {
        let Self { check, knowledge, known } = self;
        let revision = match (check.config.revision.as_str(), &knowledge.registered) {
            ("", Some(registered)) => {
                let injected_by = Status::on(pod).map(|status| status.revision);
                let labels = metadata_map(pod, "labels");
                revision_asked(registered, namespace, facts, labels, injected_by.as_deref()).to_owned()
            }
            (given, _) => given.to_owned(),
        };
        Ok(match known.entry(revision) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => {
                let loaded = check.cluster.configured(&check.config, knowledge, free.key()).await;
                let known = match loaded {
                    Ok(configured) => Known { configured, problems: Vec::new() },
                    Err(Failure { messages }) => {
                        let configured = check.cluster.unconfigured(&check.config, knowledge, free.key()).await?;
                        Known { configured, problems: messages }
                    }
                };
                free.insert(known)
            }
        })
    }

    /// What is decided about the object; none when it has no pod.
    async fn explain(&mut self, object: &Value, is_running: bool) -> Result<Option<Explanation>, Failure> {
        let Some(workload) = WorkloadKind::of(object, Mode::Corrected) else { return Ok(None) };
        let knowledge = self.knowledge;
        let namespace = match metadata_text(object, "namespace") {
            "" => &knowledge.namespace,
            namespace => namespace,
        };
        let mistake = |error| failure(format!("{} {}: {error}", workload.kind, metadata_text(object, "name")));
        let pod = workload.pod(object, Mode::Corrected).map_err(mistake)?;
        let known = self.of_pod(namespace, knowledge.facts(namespace), &pod).await?;
        let question = known.question(object, workload, namespace, knowledge.facts(namespace), is_running);
        explain(&question).map(Some).map_err(mistake)
    }
}

impl Known {
    fn question<'a>(
        &'a self,
        object: &'a Value,
        workload: &'static WorkloadKind,
        namespace: &'a str,
        facts: Option<&'a NamespaceFacts>,
        is_running: bool,
    ) -> Question<'a> {
        let Self { configured: Configured { injector, alternatives, changed, registered }, problems } = self;
        Question {
            object,
            workload,
            namespace,
            facts,
            registered: registered.as_deref(),
            injector,
            problems,
            alternatives,
            configured: changed.as_deref(),
            is_running,
        }
    }
}

fn not_explained(_: &str) -> Result<String, String> {
    Err("Istio's results are not explained here; leave it out".to_owned())
}

fn failure(message: String) -> Failure {
    Failure { messages: vec![message] }
}
