//! Istio's own cases: the rules must be equal to the letter, or the case be refused with the name of a flag.
#![expect(clippy::disallowed_methods, reason = "cases are files")]
#![expect(clippy::unwrap_used, reason = "a test that cannot read its files fails")]

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use sidecar_init::cli::Cli;
use sidecar_init::settings::{Mistakes, Settings};
use sidecar_init::{redirect, restore};
use sidecar_test_support::conformance;

/// How many of the cases are known to be equal. It only ever goes up.
const SUPPORTED: usize = 13;

#[test]
fn istios_cases_are_equal_or_refused_by_name() {
    let Some(folder) = conformance::folder("iptables") else { return };
    let (mut equal, mut refused, mut wrong) = (0, 0, Vec::new());
    for case in cases(&folder) {
        let name = case.file_stem().unwrap().to_string_lossy().into_owned();
        match read(&case) {
            Ok(settings) => {
                let rules = fs::read_to_string(case.with_extension("rules")).unwrap();
                if printed(&settings).trim_end() == rules.trim_end() {
                    equal += 1;
                } else {
                    wrong.push(format!("{name}: not equal:\n{}", printed(&settings)));
                }
            }
            Err(mistakes) if mistakes.to_string().lines().all(is_refusal) => refused += 1,
            Err(mistakes) => wrong.push(format!("{name}: {mistakes}")),
        }
    }
    assert!(equal + refused + wrong.len() > 0, "no cases in {}", folder.display());
    println!("{equal} equal, {refused} not supported yet");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(equal >= SUPPORTED, "{equal} cases are equal; {SUPPORTED} were");
}

fn is_refusal(mistake: &str) -> bool {
    mistake.starts_with("--") && mistake.contains(": not supported yet")
}

fn read(case: &Path) -> Result<Settings, Mistakes> {
    let arguments = fs::read_to_string(case).unwrap();
    let arguments = ["sidecar-init"].into_iter().chain(arguments.lines()).map(Into::into);
    let environment = fs::read_to_string(case.with_extension("env")).unwrap_or_default();
    let environment: HashMap<&str, &str> = environment.lines().filter_map(|line| line.split_once('=')).collect();
    Cli::from_arguments(arguments).unwrap().settings_with(&|name| environment.get(name).map(ToString::to_string))
}

fn printed(settings: &Settings) -> String {
    let families = settings.families.resolve(|| Err("the case does not name its families")).unwrap();
    families.iter().map(|family| restore::fresh(&redirect::nat(&settings.capture, *family))).collect()
}

fn cases(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "args")).collect()
}
