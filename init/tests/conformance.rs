//! Istio's own cases: the rules must be equal to the letter.
#![expect(clippy::disallowed_methods, reason = "cases are files")]
#![expect(clippy::unwrap_used, reason = "a test that cannot read its files fails")]
#![expect(clippy::panic, reason = "a case that does not name its families fails")]

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use sidecar_init::cli::Cli;
use sidecar_init::settings::{Families, Mistakes, Settings};
use sidecar_init::{redirect, restore};
use sidecar_test_support::conformance;

#[test]
fn istios_cases_are_equal_to_the_letter() {
    let Some(folder) = conformance::folder("iptables") else { return };
    let cases = cases(&folder);
    assert!(!cases.is_empty(), "no cases in {}", folder.display());
    let wrong: Vec<String> = cases.iter().filter_map(|case| difference(case)).collect();
    assert!(wrong.is_empty(), "{} of {} cases differ\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

fn difference(case: &Path) -> Option<String> {
    let expected = fs::read_to_string(case.with_extension("rules")).unwrap();
    let got = read(case).map_or_else(|mistakes| mistakes.to_string(), |settings| printed(&settings));
    // The files of the cases have no last newline.
    (got.trim_end() != expected.trim_end()).then(|| format!("{}:\n{got}", case.display()))
}

fn read(case: &Path) -> Result<Settings, Mistakes> {
    let arguments = fs::read_to_string(case).unwrap();
    let arguments = ["sidecar-init"].into_iter().chain(arguments.lines()).map(Into::into);
    let environment = fs::read_to_string(case.with_extension("env")).unwrap_or_default();
    let environment: HashMap<&str, &str> = environment.lines().filter_map(|line| line.split_once('=')).collect();
    Cli::from_arguments(arguments).unwrap().settings_with(&|name| environment.get(name).map(ToString::to_string))
}

fn printed(settings: &Settings) -> String {
    let Families::Only(families) = settings.families else { panic!("the case does not name its families") };
    let rule_sets = families.iter().flat_map(|family| redirect::rule_sets(&settings.capture, *family));
    rule_sets.map(|rules| restore::fresh(&rules)).collect()
}

fn cases(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "args")).collect()
}
