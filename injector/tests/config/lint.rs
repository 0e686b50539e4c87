//! What is wrong, and where.

use super::{check, run};

#[test]
fn a_good_configuration_has_no_problems() {
    check("lint-embedded", "lint");
    check("lint-good", "lint --injectConfigFile good.yaml --valuesFile values.json");
    check("lint-good-config-map", "lint -f good-config-map.yaml --strict");
}

#[test]
fn several_mistakes_are_told_at_once() {
    check(
        "lint-broken",
        "lint --injectConfigFile broken.yaml --valuesFile broken.json --meshConfigFile broken-mesh.yaml",
    );
    check("lint-templates", "lint --injectConfigFile templates.yaml --valuesFile values.json");
}

#[test]
fn a_bare_template_has_its_own_lines() {
    check("lint-bare", "lint --injectConfigFile bare.tpl --valuesFile values.json");
}

#[test]
fn mistakes_in_a_config_map_have_their_place_in_the_manifest() {
    check("lint-config-map", "lint -f config-map.yaml");
    check("lint-quoted-config-map", "lint -f quoted-config-map.json --output json");
    check("lint-folded-config-map", "lint -f folded-config-map.yaml");
    check("lint-no-config-map", "lint -f good.yaml");
}

#[test]
fn each_revision_of_a_list_is_linted() {
    check("lint-two-revisions", "lint -f two-revisions.yaml");
}

#[test]
fn warnings_count_when_they_are_to() {
    check("lint-warnings", "lint --injectConfigFile warnings.yaml --valuesFile values.json");
    let strict = run("lint --injectConfigFile warnings.yaml --valuesFile values.json --strict");
    assert_eq!(strict.status.code(), Some(4));
    let wrong = run("lint --injectConfigFile broken.yaml --strict");
    assert_eq!(wrong.status.code(), Some(1), "what is wrong counts more");
}

#[test]
fn problems_are_json_for_machines() {
    check("lint-json", "lint --injectConfigFile warnings.yaml --valuesFile values.json -o json");
    let output = run("lint --injectConfigFile templates.yaml --valuesFile values.json -o json");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let problems = report["problems"].as_array().unwrap();
    assert!(problems.iter().all(|problem| problem["line"].is_u64() && problem["column"].is_u64()), "{report}");
    assert_eq!(report["errors"].as_u64().unwrap() + report["warnings"].as_u64().unwrap(), problems.len() as u64);
}

#[test]
fn what_cannot_be_read_is_named() {
    check("lint-missing", "lint --injectConfigFile nowhere.yaml --valuesFile nowhere.json");
    assert_eq!(run("lint --output xml").status.code(), Some(2));
}
