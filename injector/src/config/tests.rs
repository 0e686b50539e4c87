//! What is a configuration, and what is refused.

use super::*;

fn load(config: &str, values: &str, mesh: &str) -> Result<Configuration, Vec<String>> {
    let source = |origin: &str, text: &str| Source { origin: origin.to_owned(), text: text.to_owned() };
    let sources =
        Sources { config: source("config", config), values: source("values", values), mesh: source("mesh", mesh) };
    Configuration::load(&sources).map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

const TWO: &str =
    "policy: enabled\ntemplates:\n  sidecar: 'a: 1'\n  other: 'b: 1'\naliases:\n  both: [other, sidecar]\n";

#[test]
fn aliases_and_defaults_choose_templates() {
    let configuration = load(TWO, "{}", "").unwrap();
    let chosen = |requested| -> Vec<String> {
        configuration.templates(requested).unwrap().iter().map(|template| template.name().to_owned()).collect()
    };
    assert_eq!(chosen(None), ["sidecar"]);
    assert_eq!(chosen(Some("both")), ["other", "sidecar"]);
    assert_eq!(chosen(Some(" sidecar ,other")), ["sidecar", "other"]);
    let error = configuration.templates(Some("sidecar,nope")).unwrap_err().to_string();
    assert!(error.contains("'nope'") && error.contains("other, sidecar, both"), "{error}");
}

#[test]
fn a_bare_template_is_the_sidecar_template() {
    let configuration = load("spec:\n{{ if true }}\n  x: 1\n{{ end }}\n", "{}", "").unwrap();
    assert_eq!(configuration.templates(None).unwrap()[0].name(), "sidecar");
    assert_eq!(configuration.config.policy, "enabled");
}

#[test]
fn what_is_neither_is_refused() {
    let message = |config: &str| load(config, "{}", "").unwrap_err()[0].clone();
    assert!(message("apiVersion: v1\nkind: ConfigMap\ndata: {config: a}\n").contains("under its key `config`"));
    assert!(message("# nothing\n").contains("is empty"));
    assert!(message("neverInjectSelector: [{matchlabels: {a: b}}]\n").contains("matchlabels"));
}

#[test]
fn a_configuration_is_known_by_any_of_its_keys() {
    for text in ["{\"policy\": \"disabled\"}", "\"policy\": disabled", "policy: disabled\nneverInjectSelector: []"] {
        assert_eq!(load(text, "{}", "").unwrap().config.policy, "disabled", "{text}");
    }
}

#[test]
fn all_mistakes_in_all_texts_are_reported_with_their_place() {
    let errors = load("policy: [\n", "{\"a\": }", "- 1\n").unwrap_err();
    assert_eq!(errors.len(), 3, "{errors:?}");
    assert!(errors[0].starts_with("config:"), "{errors:?}");
    assert!(errors[1].starts_with("values:1:"), "{errors:?}");
    assert!(errors[2].starts_with("mesh:1:"), "{errors:?}");
}

#[test]
fn a_template_that_does_not_parse_is_named() {
    let errors = load("policy: enabled\ntemplates:\n  broken: '{{ if }}'\n", "{}", "").unwrap_err();
    assert!(errors[0].contains("broken"), "{errors:?}");
    let configuration = load("templates:\n  waypoint: '{{ if }}'\n  sidecar: 'spec: {}'\n", "{}", "").unwrap();
    assert!(configuration.templates(Some("waypoint")).unwrap_err().to_string().ends_with("has sidecar"));
}

#[test]
fn a_selector_that_is_invalid_is_warned_about() {
    let configuration = load("neverInjectSelector:\n- {}\n- matchExpressions: [{key: a, operator: In}]\n", "", "");
    let warnings = configuration.unwrap().config.warnings();
    assert_eq!(warnings, ["neverInjectSelector[1] has no effect: In on a has no values"]);
}

#[test]
fn nulls_where_helm_leaves_them_are_empty() {
    let text = "policy: enabled\ninjectedAnnotations:\ndefaultTemplates: null\nneverInjectSelector:\ntemplates: {}\n";
    assert!(load(text, "", "").is_ok());
}

#[test]
fn the_digest_tells_texts_apart_and_not_where_they_came_from() {
    let sources = |config: &str, values: &str, origin: &str| {
        let source = |text: &str| Source { origin: origin.to_owned(), text: text.to_owned() };
        Sources { config: source(config), values: source(values), mesh: source("") }
    };
    let digest = sources("a", "bc", "here").digest();
    assert_eq!(digest.len(), 16);
    assert_eq!(digest, sources("a", "bc", "there").digest());
    assert_ne!(digest, sources("ab", "c", "here").digest());
    assert_eq!(load(TWO, "{}", "").unwrap().digest(), sources(TWO, "{}", "").digest());
}
