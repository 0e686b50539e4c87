//! Golden files: what is printed, and what the kernel is expected to show, for each case in `golden/`.
//!
//! A case is a folder: `arguments`, one a line, perhaps `environment`, one `NAME=value` a line, and the results.
//! `UPDATE_GOLDEN=1` rewrites the results.
#![expect(clippy::disallowed_methods, reason = "the arguments of cases are read")]
#![expect(clippy::unwrap_used, reason = "a test that cannot read its files fails")]
#![expect(clippy::panic, reason = "a case that does not name its families fails")]

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use sidecar_init::cli::Cli;
use sidecar_init::owned::Owned;
use sidecar_init::rule::{Family, RuleSet};
use sidecar_init::settings::Families;
use sidecar_init::{native, redirect, restore};
use sidecar_test_support::golden;

#[test]
fn every_case_gives_exactly_its_golden_files() {
    let cases: Vec<PathBuf> = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(cases.len() >= 2, "no cases in {}", folder().display());
    let mut used = BTreeSet::new();
    for case in cases {
        used.extend([case.join("arguments"), case.join("environment")]);
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
    let environment = fs::read_to_string(case.join("environment")).unwrap_or_default();
    let environment: HashMap<&str, &str> = environment.lines().filter_map(|line| line.split_once('=')).collect();
    let environment = |name: &str| environment.get(name).map(ToString::to_string);
    let settings = Cli::from_arguments(arguments).unwrap().settings_with(&environment).unwrap();
    let Families::Only(families) = settings.families else { panic!("the case does not name its families") };
    assert_eq!(families, [Family::V4, Family::V6]);
    let [v4, v6] = [Family::V4, Family::V6].map(|family| redirect::rule_sets(&settings.capture, family));
    let all = [&v4[..], &v6].concat();
    [
        ("dry-run", all.iter().map(restore::fresh).collect()),
        ("iptables-save", saved(&v4)),
        ("ip6tables-save", saved(&v6)),
        ("nft", native::step::script(&native::ruleset::tables(&all))),
    ]
}

fn saved(rule_sets: &[RuleSet]) -> String {
    rule_sets.iter().map(|rules| format!("*{}\n{}", rules.table, Owned::after(rules))).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}
