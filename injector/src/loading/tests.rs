//! What is loaded, what is rejected, and what stays in use.
#![expect(clippy::disallowed_methods, reason = "Istio's configurations are files")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sidecar_test_support::conformance;

use super::*;
use crate::config::Source;
use crate::defaults;
use crate::mode::Mode;
use crate::native;

const GOOD: &str = "policy: enabled\ntemplates:\n  sidecar: |\n    spec:\n      containers:\n      - {name: istio-proxy, image: '{{ .Values.image }}'}\n";

fn sources(config: &str, values: &str) -> Sources {
    let source = |origin: &str, text: &str| Source { origin: origin.to_owned(), text: text.to_owned() };
    Sources { config: source("config", config), values: source("values", values), mesh: source("mesh", "") }
}

fn loaded(config: &str, values: &str) -> Result<Candidate, Vec<String>> {
    let loaded = load(&sources(config, values), &InjectorSettings::default());
    loaded.map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect())
}

/// As the task at the edge does.
fn offered(loader: &mut Loader, config: &str, values: &str) -> Option<LoadReport> {
    let sources = sources(config, values);
    match loader.look(&Offer::Texts(sources.clone())) {
        News::None => None,
        News::Report(report) => Some(report),
        News::Load(digest) => Some(loader.settle(digest, load(&sources, &InjectorSettings::default()))),
    }
}

#[test]
fn what_parses_and_does_not_render_is_rejected() {
    assert!(loaded(GOOD, r#"{"image": "proxy"}"#).unwrap().warnings.is_empty());
    let mistakes = loaded(GOOD, "{}").err().unwrap();
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    assert!(mistakes[0].starts_with("config: the default templates fail for a plain pod: template 'sidecar': "));
    let for_jobs = GOOD.replace("{{ .Values.image }}", "{{ if eq .TypeMeta.Kind \"CronJob\" }}{{ .Nope }}{{ end }}x");
    let mistakes = loaded(&for_jobs, "{}").err().unwrap();
    assert!(mistakes[0].contains("a pod of a Job"), "{mistakes:?}");
    let mistakes = loaded("policy: enabled\ntemplates: {}\n", "{}").err().unwrap();
    assert!(mistakes[0].contains("there is no template 'sidecar'"), "{mistakes:?}");
}

#[test]
fn a_template_that_is_not_a_default_may_fail() {
    let with = |template: &str| {
        let text = format!("{GOOD}  other: |\n    {template}\n");
        loaded(&text, r#"{"image": "proxy"}"#).unwrap().warnings
    };
    assert_eq!(with("metadata: {labels: {a: b}}"), [""; 0]);
    let overlay = "spec: {containers: [{name: istio-proxy, env: [{name: A, value: b}]}]}";
    assert_eq!(with(overlay), [""; 0], "it goes with the defaults");
    let failing = with("{{ .Nope }}");
    assert_eq!(failing.len(), 1, "{failing:?}");
    assert!(
        failing[0].starts_with("template 'other', where a pod asks for it, fails for a plain pod: "),
        "{failing:?}"
    );
    let unknown = loaded(&format!("{GOOD}aliases: {{both: [sidecar, nope]}}\n"), r#"{"image": "proxy"}"#).unwrap();
    assert!(unknown.warnings[0].contains("'nope'"), "{:?}", unknown.warnings);
}

#[test]
fn a_default_template_may_refuse_pods_on_purpose() {
    let refusing =
        GOOD.replace("{{ .Values.image }}", "{{ if eq .TypeMeta.Kind \"CronJob\" }}{{ fail \"no jobs\" }}{{ end }}x");
    let warnings = loaded(&refusing, "{}").unwrap().warnings;
    assert!(warnings[0].contains("no jobs"), "{warnings:?}");
}

#[test]
fn templates_that_run_away_do_not_take_the_injector_along() {
    let endless = "{{ range until 90000 }}{{ range until 90000 }}{{ end }}{{ end }}";
    let begun = Instant::now();
    let mistakes = loaded(&GOOD.replace("{{ .Values.image }}", endless), "{}").err().unwrap();
    assert_eq!(mistakes.len(), 1);
    let many: String = (0..200).map(|number| format!("  t{number}: '{{{{ .Nope }}}}'\n")).collect();
    let warnings = loaded(&format!("{GOOD}{many}"), r#"{"image": "proxy"}"#).unwrap().warnings;
    assert_eq!(warnings.len(), MAX_FAILURES + 1, "{warnings:?}");
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}

const MAX_FAILURES: usize = 8;

#[test]
fn the_last_good_one_stays() {
    let mut loader = Loader::default();
    let values = r#"{"image": "proxy"}"#;
    let first = offered(&mut loader, GOOD, values).unwrap();
    assert_eq!((first.outcome.code(), first.generation, &first.in_use), ("loaded", 1, &first.offered));
    assert_eq!(offered(&mut loader, GOOD, values), None, "the same text again");
    // A good config does not come into use with values that are bad.
    let changed = format!("{GOOD}defaultTemplates: [sidecar]\n");
    let rejected = offered(&mut loader, &changed, "{").unwrap();
    assert_eq!((rejected.outcome.code(), rejected.generation, &rejected.in_use), ("rejected", 1, &first.in_use));
    assert!(rejected.text(1024).contains("values:1"), "{}", rejected.text(1024));
    assert_eq!(loader.good().unwrap().config.default_templates.len(), 0);
    assert_eq!(offered(&mut loader, &changed, "{"), None);
    assert_eq!(offered(&mut loader, GOOD, values).unwrap().outcome, LoadOutcome::Restored);
    let second = offered(&mut loader, &changed, values).unwrap();
    assert_eq!((second.outcome.code(), second.generation), ("loaded", 2));
    let gone = Offer::Unavailable(vec![ConfigError {
        origin: "ConfigMap a/b".to_owned(),
        line: None,
        message: "does not exist".to_owned(),
    }]);
    let News::Report(report) = loader.look(&gone) else { panic!() };
    assert_eq!(report.in_use, second.in_use);
    assert!(report.text(1024).ends_with("stays in use: ConfigMap a/b: does not exist"), "{}", report.text(1024));
    assert!(matches!(loader.look(&gone), News::None));
}

#[test]
fn a_report_is_as_long_as_it_may_be() {
    let mistake =
        |number: usize| ConfigError { origin: "values".to_owned(), line: Some(number), message: "ü".repeat(300) };
    let outcome = LoadOutcome::Rejected((0..5).map(mistake).collect());
    let report = LoadReport { outcome, offered: Some("a".to_owned()), in_use: None, generation: 0 };
    for (limit, rest) in [(1024, "(and 4 more)"), (1400, "(and 3 more)"), (100, "(and 4 more)")] {
        let text = report.text(limit);
        assert!(text.len() <= limit + 4 && text.ends_with(rest), "{limit}: {text}");
    }
}

#[test]
fn istios_own_configurations_load_without_a_warning() {
    let Some(folder) = conformance::folder("inject") else { return };
    let files = |prefix: &str| -> Vec<PathBuf> {
        let paths = fs::read_dir(folder.join("settings")).unwrap().map(|entry| entry.unwrap().path());
        paths.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(prefix)).collect()
    };
    let source = |path: &Path| Source { origin: path.display().to_string(), text: fs::read_to_string(path).unwrap() };
    let (values, mesh) = (files("values-").remove(0), files("mesh-").remove(0));
    for config in files("config-") {
        let sources = Sources { config: source(&config), values: source(&values), mesh: source(&mesh) };
        for (mode, native_sidecars) in [
            (Mode::Corrected, native::Setting::Auto),
            (Mode::Corrected, native::Setting::True),
            (Mode::Istio, native::Setting::False),
        ] {
            let settings = InjectorSettings { mode, native_sidecars, ..InjectorSettings::default() };
            let begun = Instant::now();
            let candidate = load(&sources, &settings).unwrap();
            println!("{:?} for {} in {mode:?}", begun.elapsed(), config.display());
            assert_eq!(candidate.warnings, [""; 0], "{}", config.display());
        }
    }
}

#[test]
fn the_embedded_configuration_loads_without_a_warning() {
    for openshift in [false, true] {
        let settings = InjectorSettings { openshift, ..InjectorSettings::default() };
        assert_eq!(load(&defaults::sources(), &settings).unwrap().warnings, [""; 0]);
    }
}
