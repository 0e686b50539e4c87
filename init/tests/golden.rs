//! Golden files: what is printed, and what the kernel is expected to show, for each case in `golden/`.
//!
//! A case is a folder: `arguments`, one a line, and the results. `UPDATE_GOLDEN=1` rewrites the results.
#![expect(clippy::disallowed_methods, reason = "golden files are read and rewritten")]
#![expect(clippy::unwrap_used, reason = "a test that cannot read its files fails")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sidecar_init::cli::Cli;
use sidecar_init::owned::Owned;
use sidecar_init::rule::Family;
use sidecar_init::{redirect, restore};

#[test]
fn every_case_gives_exactly_its_golden_files() {
    let cases: Vec<PathBuf> = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(cases.len() >= 2, "no cases in {}", folder().display());
    for case in cases {
        let results = results(&case);
        for (name, text) in &results {
            check(&case.join(name), text);
        }
        let expected: BTreeSet<&str> = results.iter().map(|(name, _)| *name).chain(["arguments"]).collect();
        for entry in fs::read_dir(&case).unwrap() {
            let name = entry.unwrap().file_name();
            assert!(expected.contains(name.to_str().unwrap()), "{name:?} in {} is of no use", case.display());
        }
    }
}

fn results(case: &Path) -> [(&'static str, String); 3] {
    let arguments = fs::read_to_string(case.join("arguments")).unwrap();
    let arguments = ["sidecar-init"].into_iter().chain(arguments.lines()).map(Into::into);
    let settings = Cli::from_arguments(arguments).unwrap().settings_with(&|_| None).unwrap();
    let families = settings.families.resolve(|| Err("the case does not name its families")).unwrap();
    let [v4, v6] = [Family::V4, Family::V6].map(|family| redirect::nat(&settings.capture, family));
    assert_eq!(families, [Family::V4, Family::V6]);
    [
        ("dry-run", [restore::fresh(&v4), restore::fresh(&v6)].concat()),
        ("iptables-save", Owned::after(&v4).to_string()),
        ("ip6tables-save", Owned::after(&v6).to_string()),
    ]
}

fn check(path: &Path, text: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(path, text).unwrap();
        return;
    }
    let golden = fs::read_to_string(path).unwrap_or_default();
    assert!(golden == text, "{} differs; to accept, run with UPDATE_GOLDEN=1. Got:\n{text}", path.display());
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}
