//! Golden files: what is printed, and what the kernel is expected to show, for each case in `golden/`.
//!
//! A case is a folder: `arguments`, one a line, and the results. `UPDATE_GOLDEN=1` rewrites the results.
#![expect(clippy::disallowed_methods, reason = "the arguments of cases are read")]
#![expect(clippy::unwrap_used, reason = "a test that cannot read its files fails")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sidecar_init::cli::Cli;
use sidecar_init::owned::Owned;
use sidecar_init::rule::Family;
use sidecar_init::{native, redirect, restore};
use sidecar_test_support::golden;

#[test]
fn every_case_gives_exactly_its_golden_files() {
    let cases: Vec<PathBuf> = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(cases.len() >= 2, "no cases in {}", folder().display());
    let mut used = BTreeSet::new();
    for case in cases {
        used.insert(case.join("arguments"));
        for (name, text) in results(&case) {
            let path = case.join(name);
            golden::check(&path, &text).unwrap_or_else(|mismatch| panic!("{mismatch}\nGot:\n{text}"));
            used.insert(path);
        }
    }
    assert_eq!(golden::stale(&folder(), &used).unwrap(), Vec::<PathBuf>::new(), "files of no use");
}

fn results(case: &Path) -> [(&'static str, String); 4] {
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
        ("nft", native::text::script(&native::ruleset::tables(&[v4, v6]))),
    ]
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}
