//! The core decides with plain values, the edge acts; a crate's `lib.rs` says which module is which:
//!
//! ```text
//! //! Core: [`rules`], [`plan`].
//! //! Edge: [`apply`].
//! ```

use std::collections::BTreeSet;

use crate::modules::{files_of, modules_in};
use crate::repository::{Repository, Violation};
use crate::tokens::{paths, tokens, without_tests};

/// Crates and modules that act on the world, each with what a core module does instead.
const WORLD: [(&str, &str); 10] = [
    ("tokio", "the core does not wait"),
    ("hyper", "the core knows requests as plain values"),
    ("axum", "the core knows requests as plain values"),
    ("kube", "the core is given what the cluster said"),
    ("std::fs", "the core is given the text of files"),
    ("std::env", "the core is given its settings"),
    ("std::process", "the core returns what is to be run"),
    ("std::thread", "the core does not wait"),
    // A moment is a plain value; what moment it is, is not.
    ("SystemTime::now", "the core is given the time"),
    ("std::time::SystemTime::now", "the core is given the time"),
];

/// Names that act on the world wherever they come from.
const WORLDLY_NAMES: [(&str, &str); 4] = [
    ("Instant", "the core is given the time"),
    ("TcpStream", "the core is given bytes"),
    ("TcpListener", "the core is given connections"),
    ("UdpSocket", "the core is given datagrams"),
];

pub(crate) fn core_stays_pure(repository: &Repository) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (folder, _) in repository.crates() {
        let layers = Layers::of(repository, folder);
        for (path, text) in repository.rust().filter(|(path, _)| layers.is_core(folder, path)) {
            for (line, segments) in paths(&without_tests(&tokens(text))) {
                if let Some((name, instead)) = worldly(&segments) {
                    violations.push(Violation::new(path, line, format!("a core module mentions `{name}`: {instead}")));
                }
            }
        }
    }
    violations
}

pub(crate) fn every_module_has_a_layer(repository: &Repository) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (folder, manifest) in repository.crates() {
        let path = format!("{folder}/src/lib.rs");
        let Some(text) = repository.text(&path) else { continue };
        let layers = Layers::of(repository, folder);
        if layers.line == 0 && manifest.parse::<toml::Table>().is_ok_and(|table| !table.contains_key("dependencies")) {
            // Without dependencies, and with clippy's bans on std, there is nothing to keep apart.
            continue;
        }
        let declared: BTreeSet<String> = modules_in(&without_tests(&tokens(text))).into_iter().collect();
        let named: BTreeSet<String> = layers.core.union(&layers.edge).cloned().collect();
        let mut report = |what: String| violations.push(Violation::new(&path, layers.line.max(1), what));
        for module in declared.difference(&named) {
            report(format!("module `{module}` is on neither the `//! Core:` nor the `//! Edge:` line"));
        }
        for module in named.difference(&declared) {
            report(format!("`{module}` is called a layer's module, but no `mod` declares it"));
        }
        for module in layers.core.intersection(&layers.edge) {
            report(format!("module `{module}` cannot be core and edge"));
        }
    }
    violations
}

pub(crate) fn anyhow_stays_in_programs(repository: &Repository) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (folder, _) in repository.crates() {
        for path in files_of(repository, &format!("{folder}/src/lib.rs")) {
            let text = repository.text(&path).unwrap_or_default();
            for (line, _) in paths(&without_tests(&tokens(text))).iter().filter(|(_, path)| path[0] == "anyhow") {
                let what = "`anyhow` in a library: a caller cannot tell its errors apart; use thiserror";
                violations.push(Violation::new(&path, *line, what));
            }
        }
    }
    violations
}

/// Which module is which, as `lib.rs` says.
#[derive(Default)]
struct Layers {
    /// Line of the first of the two, from 1; 0 when there is none.
    line: usize,
    core: BTreeSet<String>,
    edge: BTreeSet<String>,
}

impl Layers {
    fn of(repository: &Repository, folder: &str) -> Self {
        let mut layers = Self::default();
        let text = repository.text(&format!("{folder}/src/lib.rs")).unwrap_or_default();
        // The layer that a line without a label of its own goes on with.
        let mut current = None;
        for (at, line) in text.lines().enumerate().map_while(|(at, line)| Some((at, line.strip_prefix("//!")?.trim())))
        {
            current = if line.starts_with("Core:") {
                Some(true)
            } else if line.starts_with("Edge:") {
                Some(false)
            } else if line.is_empty() {
                None
            } else {
                current
            };
            if let Some(is_core) = current {
                let names = line.split("[`").skip(1).filter_map(|rest| Some(rest.split_once("`]")?.0.to_owned()));
                let layer = if is_core { &mut layers.core } else { &mut layers.edge };
                layer.extend(names);
                layers.line = if layers.line == 0 { at + 1 } else { layers.line };
            }
        }
        layers
    }

    /// Whether the file is of a core module or one of its submodules. Tests may read their goldens.
    fn is_core(&self, folder: &str, path: &str) -> bool {
        let Some(module) = path.strip_prefix(folder).and_then(|rest| rest.strip_prefix("/src/")) else { return false };
        let is_test = module.ends_with("/tests.rs") || module.contains("/tests/");
        let first = module.split('/').next().unwrap_or_default();
        !is_test && self.core.contains(first.strip_suffix(".rs").unwrap_or(first))
    }
}

fn worldly(path: &[String]) -> Option<(&'static str, &'static str)> {
    let from_the_world = |name: &str| {
        let segments: Vec<&str> = name.split("::").collect();
        // A lone `kube` is a variable or a field.
        path.len() > 1 && path.len() >= segments.len() && path.iter().zip(segments).all(|(found, word)| found == word)
    };
    let by_path = WORLD.into_iter().find(|(name, _)| from_the_world(name));
    by_path.or_else(|| WORLDLY_NAMES.into_iter().find(|(name, _)| path.iter().any(|segment| segment == name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository::places;

    const LIBRARY: &str = "//! A.\n//!\n//! Core: [`plan`],\n//! [`rules`].\n//! Edge: [`apply`].\n\n\
                           pub mod apply;\npub mod plan;\nmod rules;\n#[cfg(test)]\nmod tests;\n";

    #[test]
    fn a_core_module_that_acts_on_the_world_is_found() {
        let repository = Repository::of(&[
            ("a/Cargo.toml", ""),
            ("a/src/lib.rs", LIBRARY),
            ("a/src/apply.rs", "use std::{fs, env};"),
            ("a/src/plan.rs", "use std::{env, net::{IpAddr, TcpStream}};\nasync fn f() { tokio::spawn(g) }"),
            ("a/src/plan/deep.rs", "// Instant\nuse std::time::{Duration, Instant};"),
            ("a/src/plan/tests.rs", "use std::fs;"),
            ("a/src/rules.rs", "fn f(kube: u8) {}\n#[cfg(test)] mod tests { use std::fs; }"),
        ]);
        let expected = ["a/src/plan.rs:1", "a/src/plan.rs:1", "a/src/plan.rs:2", "a/src/plan/deep.rs:2"];
        assert_eq!(places(&core_stays_pure(&repository)), expected);
    }

    #[test]
    fn a_module_without_a_layer_and_a_layer_without_a_module_are_found() {
        let manifest = "[dependencies]\n";
        let text = "//! A.\n//! Core: [`gone`].\n//! Edge: [`apply`].\npub mod apply;\npub mod forgotten;\n";
        let repository = Repository::of(&[("a/Cargo.toml", manifest), ("a/src/lib.rs", text)]);
        assert_eq!(places(&every_module_has_a_layer(&repository)), ["a/src/lib.rs:2", "a/src/lib.rs:2"]);
        let repository = Repository::of(&[("a/Cargo.toml", manifest), ("a/src/lib.rs", LIBRARY)]);
        assert_eq!(every_module_has_a_layer(&repository), []);
    }

    #[test]
    fn only_a_crate_without_dependencies_may_have_no_layers() {
        let text = "//! Names.\npub mod port;\n";
        let names = Repository::of(&[("a/Cargo.toml", ""), ("a/src/lib.rs", text)]);
        assert_eq!(every_module_has_a_layer(&names), []);
        let more = Repository::of(&[("a/Cargo.toml", "[dependencies]\nnix = \"1\"\n"), ("a/src/lib.rs", text)]);
        assert_eq!(places(&every_module_has_a_layer(&more)), ["a/src/lib.rs:1"]);
    }

    #[test]
    fn anyhow_is_for_programs() {
        let repository = Repository::of(&[
            ("a/Cargo.toml", ""),
            ("a/src/lib.rs", "mod part;"),
            ("a/src/part.rs", "\nfn f() -> anyhow::Result<()> {}"),
            ("a/src/main.rs", "use anyhow::Result;"),
        ]);
        assert_eq!(places(&anyhow_stays_in_programs(&repository)), ["a/src/part.rs:2"]);
    }
}
