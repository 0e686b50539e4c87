//! The command line: what can be asked for, and how to carry it out.

pub mod check;
pub mod cluster;
pub mod completion;
pub mod config;
pub mod examples;
pub mod istioctl;
pub mod kube_inject;
pub mod kubernetes;
pub mod manifests;
pub mod names;
pub mod registration;
pub mod serve;
pub mod uninject;
pub mod usual;
pub mod webhook;

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use clap::builder::PossibleValue;
use clap::{Args, Parser, Subcommand};
use serde_json::{Map, Value};
use sidecar_process::log::LogArgs;

use crate::config::{Configuration, Sources};
use crate::context::{Cluster, Injector, InjectorSettings};
use crate::files;
use crate::manifest::read_namespaces;
use crate::mode::Mode;
use crate::native;
use usual::Usual;

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed (nothing was written), 2 wrong usage.";

/// Adds a sidecar to Kubernetes pods: offline, or as a mutating admission webhook.
#[derive(Debug, Parser)]
#[command(name = "sidecar-injector", version, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// How to log.
    #[command(flatten)]
    pub log: LogArgs,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Inject manifests from a file and print them; says on standard error what was done to which object, and why.
    KubeInject(Box<kube_inject::KubeInject>),
    /// Take injections back: print the manifests as they were, and say on standard error what could not be told for sure.
    Uninject(Box<uninject::Uninject>),
    /// Explain a decision: for the objects of a file, for a pod or a workload of the cluster, or, with --all, which pods of
    /// the cluster are not as they should be.
    Check(Box<check::Check>),
    /// Try a configuration out before it is applied: lint, render.
    Config(Box<config::Config>),
    /// Serve the admission webhook.
    Serve(Box<serve::Serve>),
    /// Tell the API server about the webhook, and which pods to show to it: apply, diff, print, delete.
    Webhook(Box<webhook::Webhook>),
    /// Print the script by which a shell completes commands and flags.
    Completion(completion::Completion),
    /// Write manual pages.
    Man(completion::Man),
}

/// Where the configuration comes from; what is not given is taken from the binary.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// Injection configuration, as in the key `config` of the ConfigMap; or a bare template.
    #[arg(long = "injectConfigFile", value_name = "FILE")]
    pub inject_config_file: Option<PathBuf>,
    /// Values for the templates, as in the key `values` of the ConfigMap (JSON).
    #[arg(long = "valuesFile", value_name = "FILE")]
    pub values_file: Option<PathBuf>,
    /// Mesh configuration (YAML).
    #[arg(long = "meshConfigFile", value_name = "FILE")]
    pub mesh_config_file: Option<PathBuf>,
    /// Revision written into injected pods.
    #[arg(short, long, default_value = "", hide_default_value = true, value_parser = revision)]
    pub revision: String,
    /// Add the sidecar as an init container that keeps running (Kubernetes 1.29 and later): true, false, or auto, which
    /// asks the versions of the cluster's nodes and is false where they are not known. The annotation
    /// sidecar.istio.io/nativeSidecar of a pod wins.
    #[arg(
        long = "nativeSidecars",
        env = "ENABLE_NATIVE_SIDECARS",
        num_args = 0..=1,
        default_value = "auto",
        default_missing_value = "true",
        require_equals = true,
        value_parser = native_sidecars(),
    )]
    pub native_sidecars: native::Setting,
    /// Give another injector's results, known defects included; docs/compatibility.md lists the differences.
    #[arg(long, value_name = "INJECTOR", value_parser = ["istio"])]
    pub compat: Option<String>,
    /// The cluster's namespaces, for the users that OpenShift gives them: as `kubectl get namespaces -o yaml` prints them.
    #[arg(long = "namespacesFile", value_name = "FILE")]
    pub namespaces_file: Option<PathBuf>,
    /// Rules for the proxy's cryptography, as fips-140-2; templates see it as .CompliancePolicy.
    #[arg(long, value_name = "POLICY", env = "COMPLIANCE_POLICY", default_value = "", hide_default_value = true)]
    pub compliance_policy: String,
    /// openshift: the sidecar runs as the last user of its namespace's range.
    #[arg(long, env = "PLATFORM", default_value = "", hide_default_value = true)]
    pub platform: String,
}

fn native_sidecars() -> Usual<native::Setting> {
    Usual { read: str::parse, values: ["true", "false", "auto"].map(PossibleValue::new).into() }
}

/// A revision is the value of a label (Kubernetes: at most 63 letters, digits, `-`, `_`, `.`, ending in a letter or digit).
fn revision(text: &str) -> Result<String, String> {
    let (first, last) = (text.chars().next(), text.chars().last());
    let ends_are_valid = first.into_iter().chain(last).all(|c| c.is_ascii_alphanumeric());
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if text.len() <= 63 && ends_are_valid && text.chars().all(is_allowed) {
        Ok(text.to_owned())
    } else {
        Err("use at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends".to_owned())
    }
}

/// Text for a terminal: with control characters, which may come from anybody's file, taken out. Line ends stay.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '?' } else { c }).collect()
}

/// Writes what was asked for to standard output. Whoever reads it may have seen enough, as `head` does: that is no failure.
///
/// # Errors
/// When it cannot be written.
pub fn write_out(text: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure { messages: vec![format!("standard output: {error}")] })
        }
        _ => Ok(()),
    }
}

/// Something that could not be done: every mistake on its own.
#[derive(Debug, thiserror::Error)]
#[error("{}", messages.join("\n"))]
pub struct Failure {
    /// One line a mistake.
    pub messages: Vec<String>,
}

impl Failure {
    /// A failure of one thing, with its causes.
    pub fn of(error: &dyn std::error::Error) -> Self {
        let causes = std::iter::successors(Some(error), |error| error.source());
        Self { messages: vec![causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")] }
    }

    /// A failure of several things.
    pub fn of_all<'a, E: std::error::Error + 'a>(errors: impl IntoIterator<Item = &'a E>) -> Self {
        Self { messages: errors.into_iter().flat_map(|error| Self::of(error).messages).collect() }
    }
}

impl ConfigArgs {
    /// Reads and parses everything.
    ///
    /// # Errors
    /// All files that cannot be read, or all mistakes in them.
    pub fn load(&self) -> Result<Injector, Failure> {
        self.injector(&self.sources()?, self.cluster()?)
    }

    /// The texts of the configuration: those of the files that are given, and of the binary for the others.
    ///
    /// # Errors
    /// All files that cannot be read.
    pub fn sources(&self) -> Result<Sources, Failure> {
        let sources = files::read_sources(
            self.inject_config_file.as_deref(),
            self.values_file.as_deref(),
            self.mesh_config_file.as_deref(),
        );
        sources.map_err(|errors| Failure::of_all(&errors))
    }

    /// An injector with these texts, for this cluster.
    ///
    /// # Errors
    /// All mistakes in the texts.
    pub fn injector(&self, sources: &Sources, cluster: Cluster) -> Result<Injector, Failure> {
        let configuration = Configuration::load(sources).map_err(|errors| Failure::of_all(&errors))?;
        for warning in configuration.config.warnings() {
            tracing::warn!("{}: {warning}", sources.config.origin);
        }
        Ok(self.settings().injector(configuration.into(), Arc::new(cluster)))
    }

    /// What holds as long as the injector runs.
    pub fn settings(&self) -> InjectorSettings {
        InjectorSettings {
            mode: if self.compat.is_some() { Mode::Istio } else { Mode::Corrected },
            revision: self.revision.clone(),
            native_sidecars: self.native_sidecars,
            compliance_policy: self.compliance_policy.clone(),
            openshift: self.platform.eq_ignore_ascii_case("openshift"),
            namespace: String::new(),
        }
    }

    /// What files tell of the cluster.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn cluster(&self) -> Result<Cluster, Failure> {
        let namespaces = self.namespaces()?.into_iter().map(|(name, annotations)| (name, Arc::new(annotations)));
        Ok(Cluster { namespaces: Arc::new(namespaces.collect()), ..Cluster::default() })
    }

    fn namespaces(&self) -> Result<BTreeMap<String, Map<String, Value>>, Failure> {
        let Some(path) = &self.namespaces_file else { return Ok(BTreeMap::new()) };
        let text = files::read(path).map_err(|error| Failure::of(&error))?;
        read_namespaces(&text)
            .map_err(|problem| Failure { messages: vec![format!("{}: {problem}", files::display(path))] })
    }
}
