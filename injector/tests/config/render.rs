//! What one pod would get.

use super::{check, run};

const GOOD: &str = "--injectConfigFile good.yaml --valuesFile values.json";

#[test]
fn every_stage_is_printed() {
    check("render-template", &format!("render {GOOD}"));
    check("render-merged", &format!("render {GOOD} --stage merged"));
    check("render-patch", &format!("render {GOOD} --stage patch"));
}

#[test]
fn the_samples_have_names() {
    check("render-samples", "render --list-samples");
    check("render-unknown-sample", "render --sample other");
    let listed = String::from_utf8(run("render --list-samples").stdout).unwrap();
    for name in listed.lines().filter_map(|line| line.split_whitespace().next()) {
        for stage in ["template", "merged", "patch"] {
            let output = run(&format!("render --sample {name} --stage {stage}"));
            assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

#[test]
fn the_pods_of_a_manifest_are_rendered_and_it_is_said_which_would_not_be_injected() {
    check("render-manifest", &format!("render {GOOD} -f workloads.yaml"));
    check("render-no-pod", &format!("render {GOOD} -f good-config-map.yaml"));
    check("render-config-map", "render --configMapFile good-config-map.yaml -f workloads.yaml --stage merged");
}

#[test]
fn of_several_revisions_one_is_chosen() {
    check("render-two-revisions", "render --configMapFile two-revisions.yaml --revision other");
    let chosen = run("render --configMapFile two-revisions.yaml --revision canary");
    assert!(String::from_utf8_lossy(&chosen.stdout).contains("image: canary"), "{chosen:?}");
    let chosen = run("render --configMapFile two-revisions.yaml --revision default");
    assert!(String::from_utf8_lossy(&chosen.stdout).contains("image: stable"), "{chosen:?}");
}

#[test]
fn a_template_that_fails_is_shown_at_its_place() {
    check("render-failing", "render --injectConfigFile failing.yaml --valuesFile values.json");
    check("render-not-yaml", "render --injectConfigFile not-yaml.yaml --valuesFile values.json");
    check("render-merged-not-yaml", "render --injectConfigFile not-yaml.yaml --valuesFile values.json --stage merged");
}
