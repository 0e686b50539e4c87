//! What is wrong in documents, and what becomes of those beside them.

use std::fs;

use serde_json::Value;

use crate::{Folder, POD, SERVICE};

fn folder_of_bytes(parts: &[&[u8]]) -> Folder {
    let folder = Folder::of(&[]);
    fs::write(folder.path().join("a.yaml"), parts.concat()).unwrap();
    folder
}

#[test]
fn documents_around_one_that_is_left_out_stay_apart() {
    let config = SERVICE.replace("Service", "ConfigMap");
    let folder = Folder::of(&[("a.yaml", &format!("{SERVICE}---\na: [\n...\n{config}"))]);
    let ran = folder.kube_inject(&["-f", "a.yaml", "--keep-going"]);
    assert_eq!(ran.exits(1, &["a.yaml:5: document 2"]).stdout, format!("{SERVICE}---\n{config}"));
    let folder = Folder::of(&[("a.yaml", &format!("a: [\n...\n{config}"))]);
    assert_eq!(folder.kube_inject(&["-f", "a.yaml", "--keep-going"]).stdout, config);
    let json = "{\"apiVersion\": \"v1\", \"kind\": \"Service\", \"metadata\": {\"name\": \"j\"}}\n";
    let folder = Folder::of(&[("a.yaml", &format!("{json}...\n{config}"))]);
    let yaml = folder.kube_inject(&["-f", "a.yaml", "-o", "yaml"]).exits(0, &[]).stdout.clone();
    assert!(yaml.contains("name: j\n---\n"), "{yaml}");
}

#[test]
fn what_is_not_utf_8_is_a_mistake_of_its_document() {
    let good = format!("{POD}---\n");
    let folder = folder_of_bytes(&[good.as_bytes(), b"a: [\n---\nb:\n- \xff\n---\n", SERVICE.as_bytes()]);
    let ran = folder.kube_inject(&["-f", "a.yaml", "--keep-going"]);
    ran.exits(1, &["a.yaml:9: document 2: not YAML", "a.yaml:12: document 3: not UTF-8", "injected Pod a"]);
    assert!(ran.stdout.contains("istio-proxy") && ran.stdout.ends_with(&format!("---\n{SERVICE}")), "{}", ran.stdout);
    let ran = folder.kube_inject(&["-f", "a.yaml", "--report", "json"]);
    let lines: Vec<Value> = ran.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        (&lines[1]["file"], &lines[1]["line"], &lines[1]["document"]),
        (&"a.yaml".into(), &12.into(), &3.into())
    );
    let utf_16: Vec<u8> = [0xfeff].into_iter().chain(POD.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    folder_of_bytes(&[&utf_16]).kube_inject(&["-f", "a.yaml"]).exits(1, &["a.yaml:1: document 1: is UTF-16"]);
}

#[test]
fn json_objects_one_behind_the_other_are_taken_and_stay_so() {
    let pod = |name: &str| {
        format!(
            "{{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{{\"name\":\"{name}\"}},\"spec\":{{\"containers\":[{{\"name\":\"app\"}}]}}}}\n"
        )
    };
    let service = "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"s\"}}\n";
    let text = format!("{}{service}{}", pod("a"), pod("b"));
    let folder = Folder::of(&[("a.json", &text)]);
    let report = folder.kube_inject(&["-f", "a.json", "--report", "json"]).exits(0, &[]).stderr.clone();
    let lines: Vec<Value> =
        report.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["line"].clone()).collect();
    assert_eq!(lines, [1, 2, 3]);
    folder.kube_inject(&["-f", "a.json", "--in-place"]).exits(0, &["injected Pod a", "injected Pod b"]);
    let injected = folder.text("a.json");
    let values: Vec<Value> =
        serde_json::Deserializer::from_str(&injected).into_iter().collect::<Result<_, _>>().unwrap();
    assert_eq!((values.len(), &values[2]["spec"]["containers"][1]["name"]), (3, &"istio-proxy".into()));
    assert!(injected.contains(service));
    folder.uninject(&["-f", "a.json", "--in-place"]).exits(0, &[]);
    assert_eq!(folder.text("a.json"), text);
}
