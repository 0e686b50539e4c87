//! Istio's own templates: all of them parse, and those for pods render for every one of Istio's cases.
#![expect(clippy::disallowed_methods, reason = "cases are files")]
#![expect(clippy::unwrap_used, reason = "a test that cannot read its files fails")]

use std::fs;
use std::path::Path;

use serde_json::Value;
use sidecar_injector::config::{Configuration, Source, Sources};
use sidecar_injector::context::{Injector, Owner};
use sidecar_injector::workload::WorkloadKind;
use sidecar_injector::yaml::{read_json, read_manifest};
use sidecar_test_support::conformance;

/// The templates that make pods; the others are for the controller of gateways, and get other data.
const FOR_PODS: [&str; 6] = ["custom", "gateway", "grpc-agent", "grpc-simple", "sidecar", "spire"];

#[test]
fn istios_templates_parse() {
    let Some(folder) = conformance::folder("inject") else { return };
    let mut parsed = 0;
    for entry in fs::read_dir(folder.join("settings")).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with("config-") {
            let configuration = load(&path, None, None);
            parsed += configuration.config.templates.len();
        }
    }
    assert!(parsed > 0, "no templates in {}", folder.display());
    println!("{parsed} templates parse");
}

#[test]
fn istios_templates_render_for_istios_cases() {
    let Some(folder) = conformance::folder("inject") else { return };
    let (mut rendered, mut wrong) = (0, Vec::new());
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if !path.join("case.json").is_file() {
            continue;
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let case: Value = read_json(&fs::read_to_string(path.join("case.json")).unwrap()).unwrap();
        let setting = |key: &str| folder.join(case[key].as_str().unwrap());
        let configuration = load(&setting("config"), Some(&setting("values")), Some(&setting("mesh")));
        let native_sidecars = case["native"].as_bool().unwrap();
        let injector = Injector { configuration, revision: String::new(), native_sidecars };
        for object in objects(&fs::read_to_string(path.join("input.yaml")).unwrap()) {
            rendered += render_all(&object, &injector, &name, &mut wrong);
        }
    }
    assert!(rendered + wrong.len() > 0, "no cases in {}", folder.display());
    println!("{rendered} renderings");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Renders every template for the pod in `object`, if there is one, and returns how many gave YAML.
fn render_all(object: &Value, injector: &Injector, case: &str, wrong: &mut Vec<String>) -> usize {
    let Some(kind) = WorkloadKind::of(object) else { return 0 };
    let pod = kind.pod(object).unwrap();
    let owner = if kind.is_pod() { Owner::of_pod(pod) } else { Owner::of(object) };
    let context = injector.context(owner, "default");
    let data = context.template_data(pod).unwrap();
    let mut rendered = 0;
    for name in FOR_PODS.iter().filter(|name| context.configuration.config.templates.contains_key(**name)) {
        for template in context.configuration.templates(Some(name)).unwrap() {
            match template.render(&data).map_err(|error| error.to_string()).and_then(|text| {
                read_manifest(&text).map_err(|error| format!("renders no YAML: {:?} {error}\n{text}", error.line))
            }) {
                Ok(_) => rendered += 1,
                Err(error) => wrong.push(format!("{case}: {name}: {error}")),
            }
        }
    }
    rendered
}

/// The objects of a manifest, those inside a List too.
fn objects(text: &str) -> Vec<Value> {
    let documents = text.split("\n---").map(|document| read_manifest(document.trim_start_matches('-')).unwrap());
    documents
        .flat_map(|object| match &object["items"] {
            Value::Array(items) => items.clone(),
            _ => vec![object],
        })
        .collect()
}

fn load(config: &Path, values: Option<&Path>, mesh: Option<&Path>) -> Configuration {
    let source = |path: &Path| Source { origin: path.display().to_string(), text: fs::read_to_string(path).unwrap() };
    let none = || Source { origin: "nothing".to_owned(), text: String::new() };
    let sources = Sources {
        config: source(config),
        values: values.map_or_else(none, source),
        mesh: mesh.map_or_else(none, source),
    };
    Configuration::load(&sources).unwrap()
}
