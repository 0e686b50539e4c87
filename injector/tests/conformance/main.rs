//! Istio's own cases, through every door: the function, the command line, and an AdmissionReview.
#![expect(clippy::disallowed_methods, reason = "cases are files")]
#![expect(clippy::unwrap_used, reason = "a test that cannot read its files fails")]

mod case;
mod compare;
#[path = "../common/differences.rs"]
mod differences;
#[path = "../common/pods.rs"]
mod pods;

use std::sync::Arc;

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use serde_json::Value;
use sidecar_injector::manifest::inject_manifest;
use sidecar_injector::mode::Mode;
use sidecar_injector::owner::owner_of_pod;
use sidecar_injector::review::review;
use sidecar_injector::yaml::read_manifest;
use sidecar_test_support::conformance as data;

use case::{Case, cases, load};
use compare::normal;
use differences::differences;
use pods::{objects, patched, pods_of, review_of};

/// The templates that make pods; the others are for the controller of gateways, and get other data.
const FOR_PODS: [&str; 6] = ["custom", "gateway", "grpc-agent", "grpc-simple", "sidecar", "spire"];
static NO_VARIABLES: BTreeMap<String, String> = BTreeMap::new();

#[test]
fn istios_templates_parse() {
    let Some(folder) = data::folder("inject") else { return };
    let mut parsed = 0;
    for entry in fs::read_dir(folder.join("settings")).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with("config-") {
            parsed += load(&path, None, None).config.templates.len();
        }
    }
    assert!(parsed > 0, "no templates in {}", folder.display());
}

#[test]
fn istios_templates_render_for_istios_cases() {
    let Some(cases) = cases() else { return };
    let (mut rendered, mut wrong) = (0, Vec::new());
    for case in &cases {
        let injector = case.injector();
        for (namespace, pod) in objects(&case.input).iter().flat_map(|object| pods_of(object, Mode::Istio)) {
            let context = injector.context(owner_of_pod(&pod), injector.namespace(&namespace), &NO_VARIABLES);
            // A pod that is refused for its annotations is not rendered.
            let Ok(settings) = context.settings_of(&pod) else { continue };
            let data = context.template_data(&pod, &settings).unwrap();
            let templates = &injector.configuration.config.templates;
            for name in FOR_PODS.iter().filter(|name| templates.contains_key(**name)) {
                let template = injector.configuration.templates(Some(name)).unwrap()[0];
                let text = template.render(&data).map_err(|error| error.to_string());
                match text.and_then(|text| read_manifest(&text).map_err(|error| format!("is no YAML: {error}\n{text}")))
                {
                    Ok(_) => rendered += 1,
                    Err(error) => wrong.push(format!("{}: {name}: {error}", case.name)),
                }
            }
        }
    }
    assert!(rendered > 0, "nothing rendered");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_function_gives_istios_results() {
    check_all("function", |case| {
        if case.platform.is_some() {
            return None;
        }
        let mut injector = case.injector();
        Arc::make_mut(&mut injector.configuration).config.keep_templates_only();
        Some(inject_manifest(&case.input, &injector).map(|manifest| manifest.text).map_err(|errors| {
            // As on the command line, where the file is named too.
            errors.iter().map(|error| format!("{}/input.yaml:{error}", case.folder.display())).collect()
        }))
    });
}

#[test]
fn the_command_line_gives_istios_results() {
    check_all("command line", |case| {
        if case.platform.is_some() {
            return None;
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_sidecar-injector"));
        command.args(["kube-inject", "--compat", "istio"]);
        command.arg("--injectConfigFile").arg(&case.config).arg("--valuesFile").arg(&case.values);
        command.arg("--meshConfigFile").arg(&case.mesh).arg(format!("--nativeSidecars={}", case.native));
        command.env("COMPLIANCE_POLICY", &case.compliance_policy).arg("-f").arg(case.folder.join("input.yaml"));
        let output = command.output().unwrap();
        let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        if let Some(warning) = &case.warning {
            assert!(stderr.contains(warning), "{}: no `{warning}` in {stderr}", case.name);
        }
        Some(if output.status.success() { Ok(stdout) } else { Err(stderr) })
    });
}

#[test]
fn the_webhook_gives_istios_results() {
    let Some(cases) = cases() else { return };
    let pods = |object: &Value| pods_of(object, Mode::Istio);
    let (mut checked, mut wrong) = (0, Vec::new());
    for case in cases.iter().filter(|case| case.webhook) {
        let injector = case.injector();
        let expected = case.expected.as_deref().map(|text| objects(text).iter().flat_map(pods).collect::<Vec<_>>());
        let given: Vec<_> = objects(&case.input).iter().flat_map(pods).collect();
        for (index, (namespace, pod)) in given.iter().enumerate() {
            let review = review(&review_of(pod, namespace), &BTreeMap::new(), &injector).unwrap();
            let response = &review.answer["response"];
            checked += 1;
            match &expected {
                Some(expected) => {
                    let injected = patched(pod, response);
                    let found = differences(&normal(&injected, true), &normal(&expected[index].1, true));
                    wrong.extend(found.into_iter().map(|found| format!("{}: pod {index}{found}", case.name)));
                }
                None if response["allowed"] == false => {}
                None => wrong.push(format!("{}: is not refused", case.name)),
            }
        }
    }
    assert!(checked > 0);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Runs all cases through `door`, which passes over a case by giving none.
fn check_all(door: &str, run: impl Fn(&Case) -> Option<Result<String, String>>) {
    let Some(cases) = cases() else { return };
    let (mut checked, mut wrong) = (0, Vec::new());
    for case in &cases {
        let Some(result) = run(case) else { continue };
        checked += 1;
        let name = &case.name;
        match (result, &case.expected) {
            (Ok(text), Some(expected)) => {
                let (given, expected) = (objects(&text), objects(expected));
                if given.len() != expected.len() {
                    wrong.push(format!("{name}: {} documents, not {}", given.len(), expected.len()));
                }
                for (given, expected) in given.iter().zip(&expected) {
                    let found = differences(&normal(given, false), &normal(expected, false));
                    wrong.extend(found.into_iter().map(|found| format!("{name}{found}")));
                }
            }
            (Err(error), None) => {
                let expected = case.error.as_deref().unwrap();
                if !error.to_lowercase().contains(expected) {
                    wrong.push(format!("{name}: the error does not name {expected}: {error}"));
                }
            }
            (Ok(_), None) => wrong.push(format!("{name}: no error")),
            (Err(error), Some(_)) => wrong.push(format!("{name}: {error}")),
        }
    }
    assert!(checked > 0);
    assert!(wrong.is_empty(), "{} differences by {door}:\n{}", wrong.len(), wrong.join("\n"));
}
