//! `config render`: what one pod would get.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use serde_json::Value;
use sidecar_contract::config::DEFAULT_REVISION;
use sidecar_process::exit;

use super::{Configured, written};
use crate::cli::usual::Usual;
use crate::cli::{ConfigArgs, Failure, printable, write_out};
use crate::config::Configuration;
use crate::context::{Context, Injector};
use crate::decide::{NO_VARIABLES, decide};
use crate::files;
use crate::inject::{InjectError, inject, rendered_texts};
use crate::lint::{Files, explained};
use crate::loading::{Sample, samples};
use crate::manifest::{PodOf, pods_in};
use crate::owner::{Owner, owner_of_pod};
use crate::patch;
use crate::yaml;

/// Flags of `config render`.
#[derive(Debug, Args)]
pub struct Render {
    /// Manifest with the pod, or with workloads, each of whose pods is rendered; `-` for standard input.
    #[arg(short, long, value_name = "FILE", conflicts_with = "sample")]
    pub filename: Option<PathBuf>,
    /// A built-in pod; --list-samples lists them.
    #[arg(long, value_name = "NAME", default_value = "plain", value_parser = known_samples())]
    pub sample: Sample,
    /// List the built-in pods, and do nothing else.
    #[arg(long)]
    pub list_samples: bool,
    /// What to print.
    #[arg(long, value_name = "STAGE", default_value = "template")]
    pub stage: Stage,
    /// Manifest with the ConfigMaps that have the keys config, values and mesh. What it lacks can be given by the flags
    /// for files.
    #[arg(long = "configMapFile", value_name = "FILE")]
    pub config_map_file: Vec<PathBuf>,
    /// Where the configuration comes from, without ConfigMaps.
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// How far the pod has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Stage {
    /// The text that each template renders.
    Template,
    /// The pod with everything merged into it.
    Merged,
    /// The JSONPatch that the API server would be sent.
    Patch,
}

fn known_samples() -> Usual<Sample> {
    let value = |sample: Sample| PossibleValue::new(sample.name).help(sample.description);
    Usual { read: sample, values: samples().into_iter().map(value).collect() }
}

fn sample(name: &str) -> Result<Sample, String> {
    let known = samples();
    let names: Vec<&str> = known.iter().map(|sample| sample.name).collect();
    let unknown = format!("there are {}", names.join(", "));
    known.into_iter().find(|sample| sample.name == name).ok_or(unknown)
}

impl Render {
    pub(super) fn run(&self) -> Result<u8, Failure> {
        if self.list_samples {
            let lines =
                samples().into_iter().map(|Sample { name, description, .. }| format!("{name:<12}{description}\n"));
            write_out(lines.collect::<String>().as_bytes())?;
            return Ok(exit::DONE);
        }
        let files = self.chosen(written(&self.config_map_file, &self.config)?)?;
        let configuration = Configuration::load(&files.sources()).map_err(|errors| Failure::of_all(&errors))?;
        let injector = self.config.settings().injector(configuration.into(), Arc::new(self.config.cluster()?));
        let (mut text, mut mistakes) = (String::new(), Vec::new());
        for pod in self.pods(&injector)? {
            if !text.is_empty() && self.stage != Stage::Patch {
                text.push_str("---\n");
            }
            if let Err(messages) = self.pod(&pod, &injector, &files, &mut text) {
                mistakes.extend(messages.into_iter().map(|message| format!("{}: {message}", pod.object)));
            }
        }
        write_out(text.as_bytes())?;
        if mistakes.is_empty() { Ok(exit::DONE) } else { Err(Failure { messages: mistakes }) }
    }

    /// The only configuration, or that of the revision.
    fn chosen(&self, mut all: Vec<Configured>) -> Result<Files, Failure> {
        let wanted = match self.config.revision.as_str() {
            DEFAULT_REVISION => "",
            revision => revision,
        };
        let index = if all.len() == 1 { Some(0) } else { all.iter().position(|one| one.revision == wanted) };
        if let Some(index) = index {
            return Ok(all.swap_remove(index).files);
        }
        let named =
            |one: &Configured| if one.revision.is_empty() { DEFAULT_REVISION } else { &one.revision }.to_owned();
        let names: Vec<String> = all.iter().map(named).collect();
        let message =
            format!("there are configurations of the revisions {}; choose one with --revision", names.join(", "));
        Err(Failure { messages: vec![message] })
    }

    fn pods(&self, injector: &Injector) -> Result<Vec<PodOf>, Failure> {
        let Some(path) = &self.filename else {
            let Sample { name, pod, .. } = self.sample.clone();
            let root = pod.clone();
            return Ok(vec![PodOf { object: format!("sample {name}"), namespace: "sample".to_owned(), root, pod }]);
        };
        let text = files::read(path).map_err(|error| Failure::of(&error))?;
        let pods = pods_in(&text, injector.settings.mode).map_err(|errors| {
            let message = |error| format!("{}:{error}", files::display(path));
            Failure { messages: errors.iter().map(message).collect() }
        })?;
        if pods.is_empty() {
            return Err(Failure { messages: vec![format!("{}: has no pod, and no workload", files::display(path))] });
        }
        Ok(pods)
    }

    /// Prints one pod. What can be printed is, also when something is wrong.
    fn pod(&self, pod: &PodOf, injector: &Injector, files: &Files, text: &mut String) -> Result<(), Vec<String>> {
        let PodOf { object, namespace, root, pod } = pod;
        let decision = decide(pod, namespace, &injector.configuration.config);
        if !decision.inject() {
            let note = printable(&format!("note: {object} would not be injected: {}", decision.reason));
            let _ = writeln!(io::stderr(), "{note}");
        }
        let owner = if root["kind"] == "Pod" { owner_of_pod(root) } else { Owner::of(root) };
        let context = injector.context(owner, injector.namespace(namespace), &NO_VARIABLES);
        let explain = |error: InjectError| explained(files, &injector.configuration.config, &error);
        if self.stage == Stage::Template {
            return templates(pod, object, &context, text, &explain);
        }
        let outcome = inject(pod, &context).map_err(explain)?;
        for warning in &outcome.warnings {
            let _ = writeln!(io::stderr(), "{}", printable(&format!("warning: {object}: {warning}")));
        }
        if self.stage == Stage::Merged {
            let written = yaml::write(&outcome.pod).map_err(|error| vec![error.to_string()])?;
            let _ = write!(text, "# {object}\n{written}");
            return Ok(());
        }
        let patch = patch::verified(pod, &outcome.pod).map_err(|error| vec![error.to_string()])?;
        let patch = serde_json::to_string_pretty(&patch).map_err(|error| vec![error.to_string()])?;
        let _ = writeln!(text, "{patch}");
        Ok(())
    }
}

fn templates(
    pod: &Value,
    object: &str,
    context: &Context<'_>,
    text: &mut String,
    explain: &dyn Fn(InjectError) -> Vec<String>,
) -> Result<(), Vec<String>> {
    let mut mistakes = Vec::new();
    for (index, rendered) in rendered_texts(pod, context).map_err(explain)?.into_iter().enumerate() {
        if index > 0 {
            text.push_str("---\n");
        }
        let _ = writeln!(text, "# template '{}' for {object}", rendered.template);
        match rendered.text {
            Ok(rendered) => {
                text.push_str(&rendered);
                if !rendered.ends_with('\n') {
                    text.push('\n');
                }
            }
            Err(error) => mistakes.extend(explain(InjectError::Template(error))),
        }
        mistakes.extend(rendered.mistake.into_iter().flat_map(|error| explain(InjectError::Template(error))));
    }
    if mistakes.is_empty() { Ok(()) } else { Err(mistakes) }
}
