//! What `Cargo.toml` of each crate says: whom it knows, which lints hold, what it is.

use crate::repository::{Repository, Violation};

/// The crates whose purpose is this product.
const PRODUCT: [&str; 5] = ["sidecar-contract", "sidecar-init", "sidecar-injector", "sidecar-process", "sidecar-proxy"];

/// Folder of a crate, and what it must not depend on, be it for tests only. The table of the design.
const STRANGERS: [(&str, Strangers); 9] = [
    ("contract", Strangers::Everything("it is names and numbers that all others stand on")),
    (
        "gotemplate",
        Strangers::These(&["@product", "kube", "k8s-openapi"], "it is Go's templates for anyone, not for Kubernetes"),
    ),
    (
        "init",
        Strangers::These(
            &["sidecar-injector", "sidecar-proxy", "tokio", "kube", "axum"],
            "it writes rules and exits; it serves nobody",
        ),
    ),
    ("injector", Strangers::These(&["sidecar-init", "sidecar-proxy"], "they meet in the pod only, through arguments")),
    (
        "proxy",
        Strangers::These(
            &["sidecar-injector", "sidecar-init", "kube", "k8s-openapi"],
            "it knows connections, not clusters",
        ),
    ),
    ("process", Strangers::These(&["@product"], "it does not know what the process is used for")),
    ("tests/support", Strangers::These(&["@product", "kube"], "it serves the tests of every crate")),
    ("tests/e2e", Strangers::These(&["@product"], "it uses the programs as their users do: by command line")),
    (
        "yamledit",
        Strangers::These(&["@product", "kube", "k8s-openapi"], "it edits YAML for anyone, not for Kubernetes"),
    ),
];

/// What a crate must not depend on, and why.
enum Strangers {
    Everything(&'static str),
    /// Names of packages; `@product` stands for all of [`PRODUCT`].
    These(&'static [&'static str], &'static str),
}

pub(crate) fn who_may_know_whom(repository: &Repository) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (folder, manifest) in repository.crates() {
        let Some((_, strangers)) = STRANGERS.iter().find(|(name, _)| *name == folder) else {
            let what = "has no entry in the table of who may know whom, so nothing holds it to the design";
            violations.push(Violation::new(&format!("{folder}/Cargo.toml"), 1, what));
            continue;
        };
        for name in dependencies(&table(manifest)) {
            if let Some(reason) = strangers.forbids(&name) {
                let what = format!("must not depend on `{name}`: {reason}");
                violations.push(Violation::new(&format!("{folder}/Cargo.toml"), line_of(manifest, &name), what));
            }
        }
    }
    violations
}

pub(crate) fn inherits_lints(repository: &Repository) -> Vec<Violation> {
    let lax = repository.crates().filter(|(_, manifest)| {
        let table = table(manifest);
        table.get("lints").and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool) != Some(true)
    });
    let what = "lacks `[lints] workspace = true`, so the workspace's rules do not hold here";
    lax.map(|(folder, _)| Violation::new(&format!("{folder}/Cargo.toml"), 1, what)).collect()
}

pub(crate) fn describes_itself(repository: &Repository) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (folder, manifest) in repository.crates() {
        let table = table(manifest);
        let description = table.get("package").and_then(|package| package.get("description"));
        if !description.and_then(toml::Value::as_str).is_some_and(|text| !text.is_empty() && text != "TBD") {
            let what = "has no description: say in a line what the crate is for";
            violations.push(Violation::new(&format!("{folder}/Cargo.toml"), line_of(manifest, "description"), what));
        }
    }
    violations
}

impl Strangers {
    /// Why the package must not be depended on; `None` when it may.
    fn forbids(&self, package: &str) -> Option<&'static str> {
        match self {
            Self::Everything(reason) => Some(reason),
            Self::These(names, reason) => {
                let product = names.contains(&"@product") && PRODUCT.contains(&package);
                (product || names.contains(&package)).then_some(reason)
            }
        }
    }
}

/// A manifest that does not parse is an empty one here: Cargo has refused it before any test runs.
fn table(manifest: &str) -> toml::Table {
    manifest.parse().unwrap_or_default()
}

/// Packages in every table of dependencies, those of targets and tests too, under their real names.
fn dependencies(table: &toml::Table) -> Vec<String> {
    let mut names = Vec::new();
    for (key, value) in table {
        let Some(inner) = value.as_table() else { continue };
        if key.ends_with("dependencies") {
            names.extend(inner.iter().map(|(name, details)| {
                details.get("package").and_then(toml::Value::as_str).unwrap_or(name).to_owned()
            }));
        } else if key == "target" {
            names.extend(inner.values().filter_map(toml::Value::as_table).flat_map(dependencies));
        }
    }
    names
}

fn line_of(manifest: &str, word: &str) -> usize {
    manifest.lines().position(|line| line.contains(word)).map_or(1, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository::places;

    #[test]
    fn a_forbidden_acquaintance_is_found_in_every_table() {
        let repository = Repository::of(&[
            ("contract/Cargo.toml", "[dev-dependencies]\ntempfile = \"3\"\n"),
            (
                "init/Cargo.toml",
                "[dependencies]\nnix = \"1\"\ntokio.workspace = true\n[target.x.dependencies]\nkube = \"1\"\n",
            ),
            ("process/Cargo.toml", "[build-dependencies]\np = { package = \"sidecar-proxy\", version = \"1\" }\n"),
            ("newcomer/Cargo.toml", ""),
        ]);
        let expected = [
            "contract/Cargo.toml:2",
            "init/Cargo.toml:3",
            "init/Cargo.toml:5",
            "newcomer/Cargo.toml:1",
            "process/Cargo.toml:2",
        ];
        assert_eq!(places(&who_may_know_whom(&repository)), expected);
    }

    #[test]
    fn a_crate_without_the_workspaces_lints_is_found() {
        let good = "[lints]\nworkspace = true\n";
        let repository = Repository::of(&[("a/Cargo.toml", good), ("b/Cargo.toml", "[lints]\n"), ("c/Cargo.toml", "")]);
        assert_eq!(places(&inherits_lints(&repository)), ["b/Cargo.toml:1", "c/Cargo.toml:1"]);
    }

    #[test]
    fn a_crate_that_does_not_say_what_it_is_is_found() {
        let good = "[package]\ndescription = \"Rules\"\n";
        let bad = "[package]\ndescription = \"TBD\"\n";
        let repository = Repository::of(&[("a/Cargo.toml", good), ("b/Cargo.toml", bad), ("c/Cargo.toml", "")]);
        assert_eq!(places(&describes_itself(&repository)), ["b/Cargo.toml:2", "c/Cargo.toml:1"]);
    }
}
