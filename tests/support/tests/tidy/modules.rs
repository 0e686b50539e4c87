//! Every Rust file is part of a crate: a file that no `mod` reaches is never compiled, and nobody notices.

use std::collections::BTreeSet;

use crate::repository::{Repository, Violation};
use crate::tokens::{Token, is_module_declaration, starts_with, tokens};

/// Folders in which each file, and each folder with a `main.rs`, is a program of its own.
const FOLDERS_OF_PROGRAMS: [&str; 4] = ["src/bin", "tests", "benches", "examples"];

pub(crate) fn no_orphans(repository: &Repository) -> Vec<Violation> {
    let mut reached = BTreeSet::new();
    for (folder, manifest) in repository.crates() {
        for root in roots(repository, folder, manifest) {
            reached.extend(files_of(repository, &root));
        }
    }
    let orphans = repository.rust().filter(|(path, _)| !reached.contains(*path));
    orphans.map(|(path, _)| Violation::new(path, 1, "no `mod` leads to this file, so it is never compiled")).collect()
}

/// The files that `root` is compiled from: itself and what its `mod` items lead to. Empty when there is no such file.
pub(crate) fn files_of(repository: &Repository, root: &str) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    let mut open = vec![(root.to_owned(), folder_of(root).to_owned())];
    while let Some((path, folder)) = open.pop() {
        let Some(text) = repository.text(&path) else { continue };
        let tokens = tokens(text);
        for elsewhere in paths_in(&tokens) {
            let shared = resolved(folder_of(&path), &elsewhere);
            open.push((shared.clone(), folder_of(&shared).to_owned()));
        }
        for module in modules_in(&tokens) {
            open.push((format!("{folder}/{module}.rs"), format!("{folder}/{module}")));
            open.push((format!("{folder}/{module}/mod.rs"), format!("{folder}/{module}")));
        }
        files.insert(path);
    }
    files
}

/// The modules that are declared here and lie in files of their own.
pub(crate) fn modules_in(tokens: &[Token]) -> Vec<String> {
    let declared = (0..tokens.len()).filter(|at| is_module_declaration(&tokens[*at..]));
    declared.map(|at| tokens[at + 1].text.clone()).collect()
}

/// What `#[path = "…"]` says: where a module lies that several programs share.
fn paths_in(tokens: &[Token]) -> Vec<String> {
    let given = (0..tokens.len()).filter(|at| starts_with(&tokens[*at..], &["#", "[", "path", "="]));
    given.filter_map(|at| Some(tokens.get(at + 4)?.text.trim_matches('"').to_owned())).collect()
}

fn resolved(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').collect();
    for part in path.split('/') {
        match part {
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn roots(repository: &Repository, folder: &str, manifest: &str) -> Vec<String> {
    let mut roots = ["src/lib.rs", "src/main.rs", "build.rs"].map(|name| format!("{folder}/{name}")).to_vec();
    for programs in FOLDERS_OF_PROGRAMS {
        let below = format!("{folder}/{programs}/");
        roots.extend(repository.rust().filter_map(|(path, _)| {
            let rest = path.strip_prefix(&below)?;
            (!rest.contains('/') || (rest.ends_with("/main.rs") && rest.matches('/').count() == 1))
                .then(|| path.to_owned())
        }));
    }
    // `path = "…"` of a [[bin]], [[test]] and so on.
    let table: toml::Table = manifest.parse().unwrap_or_default();
    let targets = table.values().filter_map(toml::Value::as_array).flatten();
    roots.extend(targets.filter_map(|target| Some(format!("{folder}/{}", target.get("path")?.as_str()?))));
    roots
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository::places;

    #[test]
    fn a_file_that_no_mod_reaches_is_an_orphan() {
        let repository = Repository::of(&[
            ("a/Cargo.toml", "[[bin]]\nname = \"odd\"\npath = \"odd.rs\"\n"),
            ("a/odd.rs", ""),
            ("a/build.rs", ""),
            ("a/src/lib.rs", "pub mod one; // mod orphan;\n"),
            ("a/src/one.rs", "#[cfg(test)]\nmod tests;"),
            ("a/src/one/tests.rs", ""),
            ("a/src/one/orphan.rs", ""),
            ("a/src/orphan.rs", ""),
            ("a/src/bin/tool.rs", ""),
            ("a/tests/surface.rs", ""),
            ("a/tests/wide/main.rs", "mod part;\n#[path = \"../common/shared.rs\"]\nmod shared;"),
            ("a/tests/common/shared.rs", ""),
            ("a/tests/wide/part.rs", ""),
            ("a/tests/wide/orphan.rs", ""),
        ]);
        assert_eq!(
            places(&no_orphans(&repository)),
            ["a/src/one/orphan.rs:1", "a/src/orphan.rs:1", "a/tests/wide/orphan.rs:1"]
        );
    }
}
