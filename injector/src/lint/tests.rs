//! Problems and their places.

use super::*;

const TEMPLATE: &str = "    spec:\n      containers:\n      - name: istio-proxy\n        image: proxy\n";

fn files(config: &str, values: &str, mesh: &str) -> Files {
    let written = |file: &str, text: &str| Written::file(file.to_owned(), text.to_owned());
    Files { config: written("config", config), values: written("values", values), mesh: written("mesh", mesh) }
}

fn found(files: &Files) -> Vec<String> {
    let problems = lint(files, &InjectorSettings::default());
    problems.iter().map(|problem| problem.to_string().lines().next().unwrap().to_owned()).collect()
}

fn found_in(config: &str) -> Vec<String> {
    found(&files(config, "{}", ""))
}

#[test]
fn what_is_right_has_no_problems() {
    assert_eq!(found_in(&format!("policy: enabled\ntemplates:\n  sidecar: |\n{TEMPLATE}")), [""; 0]);
    let embedded = crate::defaults::sources();
    assert_eq!(found(&files(&embedded.config.text, &embedded.values.text, &embedded.mesh.text)), [""; 0]);
}

#[test]
fn a_template_that_does_not_parse_keeps_no_other_from_being_rendered() {
    let config = format!(
        "policy: enabled\ntemplates:\n  sidecar: |\n{TEMPLATE}  one: |\n    ü: {{{{ nope }}}}\n  two: |\n    a: 1\n    b: {{{{ .Nope }}}}\n"
    );
    let found = found_in(&config);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].starts_with("config:9:11: error: template 'one': "), "{found:#?}");
    assert!(
        found[1].starts_with("config:12:11: warning: template 'two' fails for a plain pod that asks"),
        "{found:#?}"
    );
}

#[test]
fn names_that_lead_nowhere_and_settings_without_effect_are_warned_of() {
    let config = format!(
        "policy: enabld\ntemplate: x\nAliases: {{}}\ndefaultTemplates: [sidecar, none]\naliases: {{a: [sidecar, gone], b: [a]}}\n\
         neverInjectSelector:\n- matchLabels: {{a: b}}\n  matchExpressions: [{{key: a, operator: NotIn, values: [b]}}]\n- {{}}\n\
         alwaysInjectSelector:\n- matchExpressions: [{{key: a, operator: Is}}]\ntemplates:\n  sidecar: |\n{TEMPLATE}  'x, y': a\n"
    );
    let found = found_in(&config);
    for (index, expected) in [
        "config:1:1: error: the policy 'enabld' injects nothing",
        "config:2:1: warning: `template` is not read",
        "config:3:1: warning: there is no setting `Aliases`, and it has no effect; is it `aliases`?",
        "config:4:29: error: there is no template 'none'; there are sidecar, x, y",
        "config:5:24: warning: there is no template 'gone'",
        "config:5:35: warning: there is no template 'a'; it is an alias itself",
        "config:7:3: warning: neverInjectSelector[0] never matches: what it demands of the label a contradicts itself",
        "config:9:3: warning: neverInjectSelector[1] never matches: it is empty",
        "config:11:3: warning: alwaysInjectSelector[0] has no effect: there is no operator 'Is'",
        "config:18:3: warning: the template 'x, y' is never used",
    ]
    .into_iter()
    .enumerate()
    {
        assert!(found.get(index).is_some_and(|found| found.starts_with(expected)), "{expected}: {found:#?}");
    }
}

#[test]
fn values_and_mesh_are_read_too() {
    let config = format!("policy: enabled\ntemplates:\n  sidecar: |\n{TEMPLATE}");
    let mesh = "trustDomain: 1\ndefaultConfig:\n  status_port: x\n  nope: 1\nother: {}\n";
    let found = found(&files(&config, "{\n  \"a\": 1,\n}\n", mesh));
    for (index, expected) in [
        "values:3:1: error: ",
        "mesh:1:1: error: trustDomain: ",
        "mesh:3:3: error: defaultConfig.statusPort: ",
        "mesh:4:3: warning: defaultConfig.nope: ",
        "mesh:5:1: warning: other: ",
    ]
    .into_iter()
    .enumerate()
    {
        assert!(found.get(index).is_some_and(|found| found.starts_with(expected)), "{expected}: {found:#?}");
    }
}

#[test]
fn what_is_missing_at_the_end_is_told_there() {
    let found = found_in(&format!(
        "policy: enabled\ntemplates:\n  one: |\n    a: 1\n    {{{{ if true }}}}\n    b: ü\n\n  sidecar: |\n{TEMPLATE}"
    ));
    assert!(found.len() == 1 && found[0].starts_with("config:6:9: error: template 'one': "), "{found:#?}");
}

#[test]
fn a_template_may_begin_with_empty_lines() {
    for (empty, expected) in [("\n", "config:5:17: "), ("\n\n", "config:6:17: "), ("  \n", "config:5:17: ")] {
        let config = format!(
            "policy: enabled\ntemplates:\n  one: |\n{empty}    spec: {{{{    nofunc }}}}\n  sidecar: |\n{TEMPLATE}"
        );
        let found = found_in(&config);
        assert!(found.len() == 1 && found[0].starts_with(expected), "{empty:?}: {found:#?}");
    }
}

#[test]
fn what_is_in_a_config_map_has_its_place_in_the_manifest() {
    let config = format!("policy: enabled\ntemplates:\n  sidecar: |\n{TEMPLATE}        {{{{ .Nope }}}}\n");
    let indented: String = config.lines().map(|line| format!("    {line}\n")).collect();
    let manifest = format!("# one\n---\nkind: ConfigMap\ndata:\n  values: '{{}}'\n  config: |\n{indented}");
    let place = |manifest: &str| {
        let maps = in_config_maps("map.yaml", manifest).unwrap();
        let [Revision { texts: [Some(config), Some(values), None], .. }] = &*revisions(&maps).unwrap() else {
            panic!()
        };
        let (config, values) = (config.clone(), values.clone());
        found(&Files { config, values, mesh: Written::file("mesh".to_owned(), String::new()) })
    };
    let found = place(&manifest);
    assert!(found.len() == 1 && found[0].starts_with("map.yaml:14:16: error: template 'sidecar' fails"), "{found:#?}");
    // In JSON it is all on one line.
    let json = serde_json::json!({"kind": "ConfigMap", "data": {"values": "{}", "config": config}}).to_string();
    let found = place(&json);
    let column = json.find(".Nope").unwrap() + 1;
    assert!(found.len() == 1 && found[0].starts_with(&format!("map.yaml:1:{column}: error: ")), "{found:#?}");
    // Of folded lines it cannot be told.
    let folded = "kind: ConfigMap\ndata:\n  values: '{}'\n  config: >\n    policy: enabled\n\n    templates: {sidecar: '{{ .Nope }}'}\n";
    let found = place(folded);
    assert!(found.len() == 1 && found[0].starts_with("map.yaml:4:3: error: key `config`: line 2"), "{found:#?}");
    assert!(found[0].contains("line 1, column 4: "), "{found:#?}");
}
