//! Manifests as people write them, and as their tools do: what injection leaves of their text.
//!
//! A case is a folder beside this file: `input.yaml` becomes `expected.yaml` and says `report.txt`, with the settings in
//! `settings/`. Where an injection cannot be taken back to the last byte, `uninjected.yaml` is what comes out.
//! `UPDATE_GOLDEN=1` rewrites what is expected.
#![expect(clippy::disallowed_methods, reason = "cases are files")]
#![expect(clippy::unwrap_used, reason = "a test that cannot read its files fails")]
#![expect(clippy::panic, reason = "a case that cannot be injected fails its test")]

#[path = "../common/kubectl.rs"]
mod kubectl;
#[path = "../common/documents.rs"]
mod reading;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sidecar_injector::cli::printable;
use sidecar_injector::config::{Configuration, Source, Sources};
use sidecar_injector::context::Injector;
use sidecar_injector::manifest::{Form, Manifest, Task};
use sidecar_test_support::command::skip;
use sidecar_test_support::golden;

use kubectl::Kubectl;
use reading::objects;

/// Those that the corpus is to have at least.
const ENOUGH: usize = 60;

struct Case {
    name: String,
    folder: PathBuf,
    input: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

fn cases() -> Vec<Case> {
    let folders = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<Case> = folders
        .filter(|folder| folder.join("input.yaml").is_file())
        .map(|folder| Case {
            name: folder.file_name().unwrap().to_string_lossy().into_owned(),
            input: fs::read_to_string(folder.join("input.yaml")).unwrap(),
            folder,
        })
        .collect();
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    cases
}

fn injector() -> Injector {
    let source = |name: &str| {
        let text = fs::read_to_string(root().join("settings").join(name)).unwrap();
        Source { origin: name.to_owned(), text }
    };
    let mesh = Source { origin: "mesh".to_owned(), text: String::new() };
    let sources = Sources { config: source("config.yaml"), values: source("values.json"), mesh };
    Injector::new(Configuration::load(&sources).unwrap())
}

fn injected(case: &Case, form: Form, injector: &Injector) -> Manifest {
    Task::inject(injector, form).stream(&case.input).unwrap_or_else(|errors| panic!("{}: {errors:?}", case.name))
}

#[test]
fn the_text_and_the_report_of_every_manifest_are_as_expected() {
    let (injector, mut used, mut wrong) = (injector(), BTreeSet::new(), Vec::new());
    let cases = cases();
    assert!(cases.len() >= ENOUGH, "{} cases", cases.len());
    for case in &cases {
        let Manifest { text, report } = injected(case, Form::Kept, &injector);
        let mut said = String::new();
        report.iter().for_each(|report| writeln!(said, "{}", printable(&report.to_string())).unwrap());
        used.insert(case.folder.join("input.yaml"));
        for (file, produced) in [("expected.yaml", &text), ("report.txt", &said)] {
            let path = case.folder.join(file);
            wrong.extend(golden::check(&path, produced).err().map(|mismatch| mismatch.to_string()));
            used.insert(path);
        }
        let back = Task::uninject(Form::Kept).stream(&text).unwrap().text;
        let uninjected = case.folder.join("uninjected.yaml");
        if uninjected.is_file() {
            wrong.extend(golden::check(&uninjected, &back).err().map(|mismatch| mismatch.to_string()));
            used.insert(uninjected);
            if back == case.input {
                wrong.push(format!("{}: uninjected to the last byte; uninjected.yaml has to go", case.name));
            }
        } else if back != case.input {
            wrong.push(format!("{}: uninjected it is\n{back}", case.name));
        }
    }
    let stale = golden::stale(&root(), &used).unwrap();
    let is_no_case = |path: &PathBuf| path.parent() == Some(&root()) || path.starts_with(root().join("settings"));
    wrong.extend(
        stale.iter().filter(|path| !is_no_case(path)).map(|path| format!("{}: no case uses it", path.display())),
    );
    println!("{} cases", cases.len());
    assert!(wrong.is_empty(), "{} mistakes:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn injecting_twice_is_injecting_once() {
    let injector = injector();
    for case in cases() {
        let once = injected(&case, Form::Kept, &injector).text;
        let twice = Task::inject(&injector, Form::Kept).stream(&once).unwrap();
        assert_eq!(twice.text, once, "{}", case.name);
    }
}

#[test]
fn what_is_written_says_what_was_injected() {
    let injector = injector();
    for case in cases() {
        let (kept, anew) = (injected(&case, Form::Kept, &injector), injected(&case, Form::Canonical, &injector));
        assert_eq!(objects(&kept.text), objects(&anew.text), "{}", case.name);
        let said = |manifest: &Manifest| manifest.report.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(said(&kept), said(&anew), "{}", case.name);
    }
}

#[test]
fn kubectl_reads_the_same() {
    let kubectl = match kubectl::kubectl() {
        Ok(kubectl) => kubectl,
        Err(missing) => return skip(missing),
    };
    let (injector, mut unread) = (injector(), Vec::new());
    for case in cases() {
        let text = injected(&case, Form::Kept, &injector).text;
        let expected: Vec<Value> = objects(&text).into_iter().flat_map(items).collect();
        if expected.is_empty() {
            continue;
        }
        // Some is YAML, but not to kubectl.
        let Ok(given) = read(kubectl, &case.input) else {
            unread.push(case.name);
            continue;
        };
        assert_eq!(given.len(), expected.len(), "{}", case.name);
        let read = read(kubectl, &text).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        assert_eq!(read, expected, "{}", case.name);
    }
    println!("kubectl does not read {unread:?}");
    assert!(unread.len() <= 3, "{unread:?}");
}

/// What kubectl sees in a manifest.
fn read(kubectl: &Kubectl, text: &str) -> Result<Vec<Value>, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("manifest.yaml");
    fs::write(&file, text).unwrap();
    let mut command = kubectl.command();
    command.args(["patch", "--local", "--type=merge", "--patch={}", "--output=json", "--filename"]).arg(&file);
    // Nobody's configuration.
    let output = command.env("HOME", folder.path()).env_remove("KUBECONFIG").output().unwrap();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>().map(Result::unwrap).collect())
}

/// kubectl takes Lists apart.
fn items(mut object: Value) -> Vec<Value> {
    match object.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => items,
        Some(_) => Vec::new(),
        None => vec![object],
    }
}
