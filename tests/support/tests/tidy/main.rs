//! The layout of the repository, held by a test: what is broken is listed at once, each with its reason.
//!
//! A rule is a function from the repository's files to violations, and has a test on a made-up bad file: a rule that
//! never fires would be worse than none. Clippy holds what can be seen in one expression; this holds the rest.

mod layers;
mod layout;
mod manifests;
mod modules;
mod repository;
mod scripts;
mod tokens;
mod words;

use std::path::Path;

use repository::{Repository, Violation};

/// Every rule. One that is not in here does not hold.
const RULES: [fn(&Repository) -> Vec<Violation>; 14] = [
    layout::short_files,
    layout::short_inline_tests,
    layout::module_docs,
    layout::no_mod_rs,
    modules::no_orphans,
    words::no_forbidden_words,
    layers::core_stays_pure,
    layers::every_module_has_a_layer,
    layers::anyhow_stays_in_programs,
    manifests::who_may_know_whom,
    manifests::inherits_lints,
    manifests::describes_itself,
    scripts::strict_scripts,
    scripts::no_trailing_whitespace,
];

#[test]
fn the_repository_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let repository = Repository::read(&root).unwrap();
    assert!(repository.crates().count() > 1, "read the wrong folder: {}", root.display());
    let violations: Vec<String> =
        RULES.iter().flat_map(|rule| rule(&repository)).map(|violation| violation.to_string()).collect();
    assert!(violations.is_empty(), "{} violations:\n{}", violations.len(), violations.join("\n"));
}
