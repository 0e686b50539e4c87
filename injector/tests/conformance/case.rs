//! The cases as they lie in their folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value, json};
use sidecar_injector::config::{Configuration, Source, Sources};
use sidecar_injector::context::{Cluster, Injector, InjectorSettings};
use sidecar_injector::mode::Mode;
use sidecar_injector::native::Setting;
use sidecar_injector::yaml::read_json;
use sidecar_test_support::conformance as data;

/// One case: what goes in, what comes out, and under which settings.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    pub(crate) config: PathBuf,
    pub(crate) values: PathBuf,
    pub(crate) mesh: PathBuf,
    pub(crate) native: bool,
    /// Whether it is meant for the webhook too.
    pub(crate) webhook: bool,
    /// A platform on which it is for the webhook only.
    pub(crate) platform: Option<String>,
    pub(crate) compliance_policy: String,
    pub(crate) input: String,
    /// None where an error is expected.
    pub(crate) expected: Option<String>,
    /// What the error has to name.
    pub(crate) error: Option<String>,
    /// What the command line says on standard error.
    pub(crate) warning: Option<String>,
}

/// All cases; none where the folder is not at hand, which the reason is printed for.
pub(crate) fn cases() -> Option<Vec<Case>> {
    let folder = data::folder("inject")?;
    let mut cases: Vec<Case> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("case.json").is_file())
        .map(|path| read(&folder, path))
        .collect();
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    Some(cases)
}

fn read(root: &Path, folder: PathBuf) -> Case {
    let case: Value = read_json(&fs::read_to_string(folder.join("case.json")).unwrap()).unwrap();
    let setting = |key: &str| root.join(case[key].as_str().unwrap());
    let text = |key: &str| case[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    Case {
        name: folder.file_name().unwrap().to_string_lossy().into_owned(),
        config: setting("config"),
        values: setting("values"),
        mesh: setting("mesh"),
        native: case["native"].as_bool().unwrap(),
        webhook: case["webhook"].as_bool().unwrap_or(false),
        platform: text("platform"),
        compliance_policy: text("compliancePolicy").unwrap_or_default(),
        input: fs::read_to_string(folder.join("input.yaml")).unwrap(),
        expected: case["error"].is_null().then(|| fs::read_to_string(folder.join("expected.yaml")).unwrap()),
        error: text("error"),
        warning: text("warning"),
        folder,
    }
}

impl Case {
    /// An injector with the settings of this case.
    pub(crate) fn injector(&self) -> Injector {
        let range = json!("1000620000/10000");
        let annotations =
            json!({"openshift.io/sa.scc.uid-range": range, "openshift.io/sa.scc.supplemental-groups": range});
        let namespace: Arc<Map<String, Value>> = annotations.as_object().unwrap().clone().into();
        let namespaces = Arc::new([("test-ns".to_owned(), namespace)].into());
        Injector {
            settings: InjectorSettings {
                mode: Mode::Istio,
                native_sidecars: if self.native { Setting::True } else { Setting::False },
                compliance_policy: self.compliance_policy.clone(),
                openshift: self.platform.as_deref() == Some("openshift"),
                ..InjectorSettings::default()
            },
            cluster: Arc::new(Cluster { namespaces, ..Cluster::default() }),
            ..Injector::new(load(&self.config, Some(&self.values), Some(&self.mesh)))
        }
    }
}

/// Configuration from files.
pub(crate) fn load(config: &Path, values: Option<&Path>, mesh: Option<&Path>) -> Configuration {
    let source = |path: &Path| Source { origin: path.display().to_string(), text: fs::read_to_string(path).unwrap() };
    let none = || Source { origin: "nothing".to_owned(), text: String::new() };
    let sources = Sources {
        config: source(config),
        values: values.map_or_else(none, source),
        mesh: mesh.map_or_else(none, source),
    };
    Configuration::load(&sources).unwrap()
}
