//! `check`: why a pod gets a sidecar or not, and which pods of a cluster are not as they should be.

mod all;
mod output;
mod target;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;
use sidecar_process::exit;

use crate::cli::cluster::{ClusterArgs, Configured, Knowledge, run};
use crate::cli::{ConfigArgs, Failure, printable};
use crate::explain::{Explanation, NamespaceFacts, Question, explain, revision_asked, text};
use crate::files::{self, inputs::Input};
use crate::manifest::read_objects;
use crate::mode::Mode;
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
            let is_online = self.filename.is_empty() || self.cluster.is_online();
            let knowledge = self.cluster.knowledge(&self.config, is_online).await?;
            let mut injectors = Injectors { check: self, knowledge: &knowledge, known: HashMap::new() };
            match &self.target {
                Some(target) => self.explain_one(target, &mut injectors).await,
                None if self.filename.is_empty() => all::check(self, &mut injectors).await,
                None => self.explain_files(&mut injectors).await,
            }
        })
    }

    async fn explain_one(&self, target: &Target, injectors: &mut Injectors<'_>) -> Result<u8, Failure> {
        let Knowledge { reader, namespace, .. } = injectors.knowledge;
        let (path, what) = (target.path(namespace), target.what(namespace));
        let reader = reader.as_ref().ok_or_else(|| failure("there is no cluster to ask".to_owned()))?;
        let object = reader.get(&path, &what).await.map_err(|error| Failure::of(&error))?;
        let object = object.ok_or_else(|| failure(format!("{what}: does not exist; name its namespace with -n")))?;
        let explanation = injectors.explain(&object, target.is_pod()).await?;
        self.print(explanation.into_iter().collect())
    }

    async fn explain_files(&self, injectors: &mut Injectors<'_>) -> Result<u8, Failure> {
        let (inputs, errors) = files::inputs::inputs(&self.filename, self.recursive);
        let mut failures: Vec<Failure> = errors.iter().map(|error| Failure::of(error)).collect();
        let mut explanations = Vec::new();
        for input in &inputs {
            match self.explain_input(input, injectors).await {
                Ok(found) => explanations.extend(found),
                Err(failure) => failures.push(failure),
            }
        }
        if !failures.is_empty() {
            return Err(Failure { messages: failures.into_iter().flat_map(|failure| failure.messages).collect() });
        }
        if explanations.is_empty() {
            let names: Vec<String> = inputs.iter().map(Input::name).collect();
            return Err(failure(format!("{}: there is no object with a pod in it", names.join(", "))));
        }
        self.print(explanations)
    }

    async fn explain_input(&self, input: &Input, injectors: &mut Injectors<'_>) -> Result<Vec<Explanation>, Failure> {
        let text = input.read().map_err(|error| Failure::of(&error))?;
        let objects =
            read_objects(&text).map_err(|errors| super::manifests::mistakes(Path::new(&input.name()), &errors))?;
        let mut explanations = Vec::new();
        for object in &objects {
            explanations.extend(injectors.explain(object, false).await?);
        }
        Ok(explanations)
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
        let is_found = |explanation: &Explanation| {
            !explanation.problems.is_empty()
                || explanation.running.as_ref().is_some_and(|running| running.state.is_finding())
        };
        Ok(if explanations.iter().any(is_found) { FOUND } else { exit::DONE })
    }

    fn is_json(&self) -> bool {
        self.output == "json"
    }
}

/// The injectors of the cluster, by revision: each is loaded when it is first asked.
struct Injectors<'a> {
    check: &'a Check,
    knowledge: &'a Knowledge,
    known: HashMap<String, Result<Configured, Vec<String>>>,
}

impl Injectors<'_> {
    /// The injector that decides about a pod with these labels: that of the flag, or else of the webhook that is called.
    async fn of_pod(
        &mut self,
        namespace: &str,
        facts: Option<&NamespaceFacts>,
        pod: &Value,
    ) -> Result<&Configured, &[String]> {
        let revision = match (self.check.config.revision.as_str(), &self.knowledge.registered) {
            ("", Some(registered)) => {
                revision_asked(registered, namespace, facts, metadata_map(pod, "labels")).to_owned()
            }
            (given, _) => given.to_owned(),
        };
        if !self.known.contains_key(&revision) {
            let Self { check, knowledge, .. } = self;
            let loaded = check.cluster.configured(&check.config, knowledge, &revision).await;
            self.known.insert(revision.clone(), loaded.map_err(|failure| failure.messages));
        }
        match self.known.get(&revision) {
            Some(Ok(configured)) => Ok(configured),
            Some(Err(messages)) => Err(messages),
            None => Err(&[]),
        }
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
        let configured = self.of_pod(namespace, knowledge.facts(namespace), &pod).await;
        let configured = configured.map_err(|messages| Failure { messages: messages.to_vec() })?;
        let question = Question {
            object,
            workload,
            namespace,
            facts: knowledge.facts(namespace),
            registered: configured.registered.as_deref(),
            injector: &configured.injector,
            configured: configured.changed.as_deref(),
            is_running,
        };
        explain(&question).map(Some).map_err(mistake)
    }
}

fn not_explained(_: &str) -> Result<String, String> {
    Err("Istio's results are not explained here; leave it out".to_owned())
}

fn failure(message: String) -> Failure {
    Failure { messages: vec![message] }
}
