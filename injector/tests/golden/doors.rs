//! One case through every door: the function, the command line, and an AdmissionReview.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use sidecar_contract::annotation;
use sidecar_injector::cli::printable;
use sidecar_injector::context::Injector;
use sidecar_injector::manifest::{Action, Manifest, ManifestError, ObjectReport, inject_manifest, uninject_manifest};
use sidecar_injector::mode::Mode;
use sidecar_injector::review::review;
use sidecar_test_support::golden;

use crate::case::Case;
use crate::differences::differences;
use crate::pods::{objects, patched, pods_of, review_of};

/// What a case came to.
pub(crate) struct Checked {
    /// What is not as the golden files have it.
    pub(crate) wrong: Vec<String>,
    /// The golden files.
    pub(crate) goldens: BTreeSet<PathBuf>,
    /// Codes of the answers to the reviews.
    pub(crate) codes: BTreeSet<&'static str>,
}

/// Checks `case` through all doors.
pub(crate) fn check(case: &Case) -> Checked {
    let mut checked = Checked { wrong: Vec::new(), goldens: BTreeSet::new(), codes: BTreeSet::new() };
    let injector = case.injector();
    match inject_manifest(&case.input, &injector) {
        Ok(manifest) => {
            checked.golden(case, "function", "expected.yaml", &manifest.text);
            checked.golden(case, "function", "report.txt", &lines(&manifest.report));
            checked.twice(case, &manifest, &injector);
            checked.webhook(case, &manifest, &injector);
        }
        Err(errors) => {
            let errors: Vec<_> = errors.iter().map(|error| (error, format!("error: input.yaml:{error}"))).collect();
            checked.golden(case, "function", "error.txt", &lines(errors.iter().map(|(_, line)| line)));
            checked.webhook_refuses(case, errors.into_iter().map(|(error, _)| error), &injector);
        }
    }
    checked.command_line(case);
    checked
}

fn lines(items: impl IntoIterator<Item = impl ToString>) -> String {
    items.into_iter().map(|item| printable(&item.to_string()) + "\n").collect()
}

impl Checked {
    fn golden(&mut self, case: &Case, door: &str, file: &str, produced: &str) {
        let path = case.folder.join(file);
        if let Err(mismatch) = golden::check(&path, produced) {
            self.wrong.push(format!("by {door}: {mismatch}"));
        }
        self.goldens.insert(path);
    }

    fn command_line(&mut self, case: &Case) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sidecar-injector"));
        for variable in ["ENABLE_NATIVE_SIDECARS", "COMPLIANCE_POLICY", "PLATFORM"] {
            command.env_remove(variable);
        }
        command.args(["kube-inject", "-f", "input.yaml"]).args(&case.flags).current_dir(&case.folder);
        let output = command.output().unwrap();
        let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        if output.status.success() {
            self.golden(case, "command line", "expected.yaml", &stdout);
            let lines = stderr.lines().map(|line| line.strip_prefix("input.yaml: ").unwrap_or(line).to_owned() + "\n");
            self.golden(case, "command line", "report.txt", &lines.collect::<String>());
        } else {
            // Flags are only known here.
            let stderr = stderr.replace("; --objects-only leaves it as it is", "");
            self.golden(case, "command line", "error.txt", &stderr);
            if !stdout.is_empty() {
                self.wrong.push("by command line: an error, and something on standard output".to_owned());
            }
        }
    }

    /// Injecting twice is injecting once, and what is taken back is what there was before.
    fn twice(&mut self, case: &Case, manifest: &Manifest, injector: &Injector) {
        match inject_manifest(&manifest.text, injector) {
            Ok(twice) if twice.text == manifest.text => {}
            Ok(twice) => {
                let mut wrong = "injected twice: ".to_owned();
                let pairs = manifest.text.lines().zip(twice.text.lines()).filter(|(once, twice)| once != twice);
                pairs.take(3).for_each(|(once, twice)| write!(wrong, "\n  once:  {once}\n  twice: {twice}").unwrap());
                self.wrong.push(wrong);
            }
            Err(errors) => self.wrong.push(format!("injected twice: {errors:?}")),
        }
        let uninjected = |text: &str| {
            let text = uninject_manifest(text).map(|manifest| manifest.text).map_err(|errors| format!("{errors:?}"))?;
            Ok::<_, String>(objects(&text).iter().map(Value::to_string).collect::<Vec<_>>())
        };
        // Of a pod that came with a sidecar, what it was without.
        match (uninjected(&case.input), uninjected(&manifest.text)) {
            (Ok(before), Ok(after)) if before == after => {}
            (before, after) => self.wrong.push(format!("uninjected:\n  before: {before:?}\n  after:  {after:?}")),
        }
    }

    fn webhook(&mut self, case: &Case, manifest: &Manifest, injector: &Injector) {
        let pods = |text: &str| objects(text).iter().flat_map(pods).collect::<Vec<_>>();
        let (given, expected) = (pods(&case.input), pods(&manifest.text));
        let workloads = manifest.report.iter().filter(|report| report.action != Action::NotAWorkload);
        let workloads: Vec<&ObjectReport> = workloads.collect();
        if (given.len(), expected.len()) != (workloads.len(), workloads.len()) {
            let lengths = (given.len(), expected.len(), workloads.len());
            self.wrong.push(format!("by webhook: pods given, pods expected and reports are {lengths:?}"));
            return;
        }
        for (((namespace, pod), (_, expected)), report) in given.iter().zip(&expected).zip(workloads) {
            let review = review(&review_of(pod, namespace), &BTreeMap::new(), injector).unwrap();
            let response = &review.answer["response"];
            let code = match &report.action {
                Action::Injected(reason, _) | Action::Skipped(reason) => reason.code(),
                _ => "up_to_date",
            };
            self.codes.insert(review.code);
            if review.code != code || response["allowed"] != true {
                self.wrong.push(format!("by webhook: {}, not {code}: {response}", review.code));
                continue;
            }
            let found = differences(&without_status(patched(pod, response)), &without_status(expected.clone()));
            self.wrong.extend(found.into_iter().map(|found| format!("by webhook: {}{found}", report.object)));
            self.again_by_webhook(expected, namespace, injector);
            self.warnings(response, report);
        }
    }

    /// A manifest that was injected offline may come into a namespace that is injected too.
    fn again_by_webhook(&mut self, injected: &Value, namespace: &str, injector: &Injector) {
        let review = review(&review_of(injected, namespace), &BTreeMap::new(), injector).unwrap();
        self.codes.insert(review.code);
        let twice = patched(injected, &review.answer["response"]);
        let found = differences(&without_status(twice), &without_status(injected.clone()));
        self.wrong.extend(found.into_iter().map(|found| format!("by webhook, injected before: {found}")));
    }

    /// The webhook warns of what the report warns of, but for mistakes in the text of the manifest.
    fn warnings(&mut self, response: &Value, report: &ObjectReport) {
        let warnings = response["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let given: Vec<&str> = warnings.collect();
        let expected = report.warnings.iter().map(|warning| &**warning).filter(|warning| !warning.starts_with("line "));
        let expected: Vec<&str> = expected.collect();
        if given != expected {
            self.wrong.push(format!("by webhook: {} has the warnings {given:?}, not {expected:?}", report.object));
        }
    }

    /// Each pod with a mistake is refused for that mistake; in a pod, fields have no template in front.
    fn webhook_refuses<'a>(
        &mut self,
        case: &Case,
        errors: impl Iterator<Item = &'a ManifestError>,
        injector: &Injector,
    ) {
        let mut expected: BTreeMap<(usize, &str), Vec<String>> = BTreeMap::new();
        for ManifestError { line, object, message, .. } in errors.filter(|error| !error.object.is_empty()) {
            let message = message.replace("spec.jobTemplate.spec.template.", "").replace("spec.template.", "");
            expected.entry((*line, object)).or_default().push(message);
        }
        // Without a name it is no object, and without a pod there is no review of it.
        let Some(given) =
            (!expected.is_empty()).then(|| objects(&case.input).iter().flat_map(pods).collect::<Vec<_>>())
        else {
            return;
        };
        if given.is_empty() {
            return;
        }
        let expected: Vec<String> = expected.values().map(|messages| messages.join("; ")).collect();
        let mut refused = Vec::new();
        for (namespace, pod) in given {
            let review = review(&review_of(&pod, &namespace), &BTreeMap::new(), injector).unwrap();
            self.codes.insert(review.code);
            let response = &review.answer["response"];
            if response["allowed"] == false {
                let message = response["status"]["message"].as_str().unwrap();
                refused.push(message.trim_start_matches("sidecar injection: ").to_owned());
            }
        }
        if refused != expected {
            self.wrong.push(format!("by webhook: refused for\n  {refused:#?}\nnot for\n  {expected:#?}"));
        }
    }
}

fn pods(object: &Value) -> Vec<(String, Value)> {
    pods_of(object, Mode::Corrected)
}

/// How to undo an injection depends on the door: a workload's pod has other metadata than its template.
fn without_status(mut pod: Value) -> Value {
    if let Some(annotations) = pod.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.shift_remove(annotation::STATUS);
    }
    pod
}
