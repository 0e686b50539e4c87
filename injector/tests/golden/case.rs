//! The cases as they lie in their folder.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;
use sidecar_injector::cli::{Cli, Command};
use sidecar_injector::context::Injector;

/// What a case may have of its own, and where it is taken from otherwise.
const SETTINGS: [(&str, &str, Option<&str>); 4] = [
    ("--injectConfigFile", "config.yaml", Some("../settings/config.yaml")),
    ("--valuesFile", "values.json", Some("../settings/values.json")),
    ("--meshConfigFile", "mesh.yaml", Some("../settings/mesh.yaml")),
    ("--namespacesFile", "namespaces.yaml", None),
];

/// One case: a manifest, and the flags with which it is injected.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    pub(crate) input: String,
    /// Flags of `kube-inject`; paths are seen from the case's folder.
    pub(crate) flags: Vec<String>,
    /// Files that the case reads.
    pub(crate) files: BTreeSet<PathBuf>,
}

/// The folder of all cases.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// All cases, by name.
pub(crate) fn cases() -> Vec<Case> {
    let folders = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<Case> = folders.filter(|folder| folder.join("input.yaml").is_file()).map(read).collect();
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    cases
}

fn read(folder: PathBuf) -> Case {
    let mut files = BTreeSet::from([folder.join("input.yaml")]);
    let mut flags = Vec::new();
    if let Ok(text) = fs::read_to_string(folder.join("flags")) {
        flags.extend(text.lines().map(str::to_owned));
        files.insert(folder.join("flags"));
    }
    for (flag, own, shared) in SETTINGS {
        let own = folder.join(own).is_file().then_some(own);
        if let Some(file) = own.or(shared)
            && !flags.iter().any(|given| given.starts_with(flag))
        {
            flags.push(format!("{flag}={file}"));
        }
    }
    files.extend(flags.iter().filter_map(|flag| folder.join(flag.split_once('=')?.1).canonicalize().ok()));
    Case {
        name: folder.file_name().unwrap().to_string_lossy().into_owned(),
        input: fs::read_to_string(folder.join("input.yaml")).unwrap(),
        folder,
        flags,
        files,
    }
}

impl Case {
    /// The injector that the command line makes of the flags.
    pub(crate) fn injector(&self) -> Injector {
        let program = ["sidecar-injector", "kube-inject", "-f", "input.yaml"].map(str::to_owned);
        let flags = self.flags.iter().map(|flag| match flag.split_once('=') {
            Some((name, file)) if self.folder.join(file).is_file() => {
                format!("{name}={}", self.folder.join(file).display())
            }
            _ => flag.clone(),
        });
        let Command::KubeInject(command) = Cli::parse_from(program.into_iter().chain(flags)).command else {
            unreachable!("the flags are those of kube-inject")
        };
        command.config.load().unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }
}
