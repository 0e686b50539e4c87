//! Our own cases in the default mode, through every door: the function, the command line, and an AdmissionReview.
//!
//! A case is a folder beside this file: `input.yaml` becomes `expected.yaml` and says `report.txt`, or is refused with
//! `error.txt`. It may have settings of its own (`config.yaml`, `values.json`, `mesh.yaml`, `namespaces.yaml`) in place
//! of those in `settings/`, and `flags`, one a line. `UPDATE_GOLDEN=1` rewrites what is expected.
#![expect(clippy::disallowed_methods, reason = "cases are files")]
#![expect(clippy::unwrap_used, reason = "a test that cannot read its files fails")]
#![expect(clippy::panic, clippy::unreachable, reason = "a case that cannot be read fails its test")]

mod case;
#[path = "../common/differences.rs"]
mod differences;
mod doors;
#[path = "../common/pods.rs"]
mod pods;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::Mutex;
use std::thread;

use case::{Case, cases, root};
use doors::{Checked, check};

const THREADS: usize = 4;

#[test]
fn every_case_is_as_expected_through_every_door() {
    let cases = cases();
    let results = checked(&cases);
    let mut wrong: Vec<String> = results
        .iter()
        .flat_map(|(case, checked)| checked.wrong.iter().map(|wrong| format!("{}: {wrong}", case.name)))
        .collect();
    let used: BTreeSet<PathBuf> =
        results.iter().flat_map(|(case, checked)| case.files.iter().chain(&checked.goldens).cloned()).collect();
    let stale = sidecar_test_support::golden::stale(&root(), &used).unwrap();
    let stale = stale.iter().filter(|path| path.extension() != Some(OsStr::new("rs")));
    wrong.extend(stale.map(|path| format!("{}: no case uses this file", path.display())));
    println!("{} cases", cases.len());
    assert!(!cases.is_empty());
    assert!(wrong.is_empty(), "{} mistakes:\n{}", wrong.len(), wrong.join("\n"));
}

/// Checks all cases, on a few threads: most of the time goes into starting processes.
fn checked(cases: &[Case]) -> Vec<(&Case, Checked)> {
    let (waiting, done) = (Mutex::new(cases.iter()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let Some(case) = waiting.lock().unwrap().next() else { break };
                    let checked = check(case);
                    done.lock().unwrap().push((case, checked));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by(|(one, _), (other, _)| one.name.cmp(&other.name));
    done
}
