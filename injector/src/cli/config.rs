//! `config`: a configuration tried out before it is applied.

mod lint;
mod render;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::{ConfigArgs, Failure, examples};
use crate::defaults;
use crate::files;
use crate::lint::{Files, Key, Written, in_config_maps};
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

/// The texts of a configuration: what the files with ConfigMaps have, and else what the flags name; the embedded ones
/// where nothing is given at all.
fn written(config_maps: &[PathBuf], given: &ConfigArgs) -> Result<Files, Failure> {
    let mut found: [Option<Written>; 3] = [None, None, None];
    let mut mistakes = Vec::new();
    for path in config_maps {
        let file = files::display(path);
        match files::read(path) {
            Err(error) => mistakes.extend(Failure::of(&error).messages),
            Ok(text) => match in_config_maps(&file, &text) {
                Err(error) => mistakes.push(format!("{file}:{error}")),
                Ok(texts) => {
                    for (key, written) in texts {
                        if found[key as usize].replace(written).is_some() {
                            mistakes.push(format!("{file}: the key `{}` is given twice", key.name()));
                        }
                    }
                }
            },
        }
    }
    for (key, path) in [
        (Key::Config, &given.inject_config_file),
        (Key::Values, &given.values_file),
        (Key::Mesh, &given.mesh_config_file),
    ] {
        let Some(path) = path else { continue };
        match files::read(path) {
            Err(error) => mistakes.extend(Failure::of(&error).messages),
            Ok(_) if found[key as usize].is_some() => {
                mistakes.push(format!("{}: a ConfigMap has the key `{}` already", files::display(path), key.name()));
            }
            Ok(text) => found[key as usize] = Some(Written::file(files::display(path), text)),
        }
    }
    let [config, values, mesh] = found;
    if !config_maps.is_empty() {
        for (key, is_there) in [(Key::Config, config.is_some()), (Key::Values, values.is_some())] {
            if !is_there && mistakes.is_empty() {
                let names: Vec<String> = config_maps.iter().map(|path| files::display(path)).collect();
                mistakes.push(format!("{}: no ConfigMap has the key `{}`", names.join(", "), key.name()));
            }
        }
    }
    if !mistakes.is_empty() {
        return Err(Failure { messages: mistakes });
    }
    let embedded = defaults::sources();
    let is_given = config.is_some();
    let or_embedded = |written: Option<Written>, source: crate::config::Source| {
        written.unwrap_or_else(|| Written::file(source.origin, source.text))
    };
    let mut mesh = or_embedded(mesh, embedded.mesh);
    if is_given && mesh.file == defaults::sources().mesh.origin {
        // The embedded mesh config is for the embedded template.
        mesh.text.clear();
    }
    Ok(Files { config: or_embedded(config, embedded.config), values: or_embedded(values, embedded.values), mesh })
}
