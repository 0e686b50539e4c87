//! `config`: a configuration tried out before it is applied.

mod lint;
mod render;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::{ConfigArgs, Failure, examples};
use crate::defaults;
use crate::files;
use crate::lint::{Files, Key, Revision, Written, in_config_maps, revisions};
pub use lint::{Lint, ProblemFormat};
pub use render::{Render, Stage};

/// With `--strict`: there is something to be warned of.
pub const WARNED: u8 = 4;

const EXIT_CODES: &str =
    "Exit codes: 0 done, or no problems; 1 failed, or problems; 2 wrong usage; 4 lint --strict: warnings.";
const LINT_EXIT_CODES: &str =
    "Exit codes: 0 no problems, 1 problems, or a file cannot be read, 2 wrong usage, 4 --strict: nothing but warnings.";
const RENDER_EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 wrong usage.";

/// Flags of `config`.
#[derive(Debug, Args)]
#[command(after_help = examples::config(EXIT_CODES))]
pub struct Config {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What to do with a configuration.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Say what is wrong in a configuration, or looks so: every template is parsed, and rendered for several kinds of pod.
    #[command(after_help = examples::config_lint(LINT_EXIT_CODES))]
    Lint(Lint),
    /// Print what a pod would get, whether or not it would be injected: the rendered templates, the pod or the patch.
    #[command(after_help = examples::config_render(RENDER_EXIT_CODES))]
    Render(Render),
}

impl Config {
    /// Does it. The number is the exit code.
    ///
    /// # Errors
    /// When a file cannot be read; when a pod cannot be rendered.
    pub fn run(&self) -> Result<u8, Failure> {
        match &self.action {
            Action::Lint(lint) => lint.run(),
            Action::Render(render) => render.run(),
        }
    }
}

/// A configuration, and the revision that it is of; empty for the one without a name.
struct Configured {
    revision: String,
    files: Files,
}

/// The texts of configurations: what the files with ConfigMaps have, one for each revision, and else what the flags name;
/// the embedded ones where nothing is given at all.
fn written(config_maps: &[PathBuf], given: &ConfigArgs) -> Result<Vec<Configured>, Failure> {
    let mut mistakes = Vec::new();
    let mut found = in_files(config_maps, &mut mistakes);
    for (key, path) in [
        (Key::Config, &given.inject_config_file),
        (Key::Values, &given.values_file),
        (Key::Mesh, &given.mesh_config_file),
    ] {
        let Some(path) = path else { continue };
        match files::read(path) {
            Err(error) => mistakes.extend(Failure::of(&error).messages),
            Ok(_) if found.iter().any(|revision| revision.texts[key as usize].is_some()) => {
                mistakes.push(format!("{}: a ConfigMap has the key `{}` already", files::display(path), key.name()));
            }
            Ok(text) => {
                let written = Written::file(files::display(path), text);
                found.iter_mut().for_each(|revision| revision.texts[key as usize] = Some(written.clone()));
            }
        }
    }
    if !config_maps.is_empty() && mistakes.is_empty() {
        let names = config_maps.iter().map(|path| files::display(path)).collect::<Vec<_>>().join(", ");
        for key in [Key::Config, Key::Values] {
            for Revision { name, .. } in found.iter().filter(|revision| revision.texts[key as usize].is_none()) {
                let of = if name.is_empty() { String::new() } else { format!(" for the revision {name}") };
                mistakes.push(format!("{names}: no ConfigMap has the key `{}`{of}", key.name()));
            }
        }
    }
    if mistakes.is_empty() {
        Ok(found.into_iter().map(complete).collect())
    } else {
        Err(Failure { messages: mistakes })
    }
}

fn in_files(paths: &[PathBuf], mistakes: &mut Vec<String>) -> Vec<Revision> {
    let mut found = Vec::new();
    for path in paths {
        let file = files::display(path);
        match files::read(path) {
            Err(error) => mistakes.extend(Failure::of(&error).messages),
            Ok(text) => match in_config_maps(&file, &text) {
                Err(error) => mistakes.push(format!("{file}:{error}")),
                Ok(config_maps) => found.extend(config_maps),
            },
        }
    }
    revisions(&found).unwrap_or_else(|unclear| {
        mistakes.extend(unclear);
        Vec::new()
    })
}

/// With the embedded text for what is not given.
fn complete(Revision { name, texts: [config, values, mesh] }: Revision) -> Configured {
    let embedded = defaults::sources();
    let is_given = config.is_some();
    let or_embedded = |written: Option<Written>, source: crate::config::Source| {
        written.unwrap_or_else(|| Written::file(source.origin, source.text))
    };
    let is_mesh_embedded = mesh.is_none();
    let mut mesh = or_embedded(mesh, embedded.mesh);
    if is_given && is_mesh_embedded {
        // The embedded mesh config is for the embedded template.
        mesh.text.clear();
    }
    let files =
        Files { config: or_embedded(config, embedded.config), values: or_embedded(values, embedded.values), mesh };
    Configured { revision: name, files }
}
