//! The injectors under test, each made once.
#![expect(clippy::disallowed_methods, reason = "settings are files")]

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value, json};
use sidecar_injector::config::{Configuration, Source, Sources};
use sidecar_injector::context::{Cluster, Context, Injector, InjectorSettings};
use sidecar_injector::defaults;
use sidecar_injector::inject::{InjectError, Outcome, inject};
use sidecar_injector::mode::Mode;
use sidecar_injector::native::{Node, Setting};
use sidecar_injector::owner::owner_of_pod;
use sidecar_injector::yaml::read_config;
use sidecar_test_support::conformance;

/// Injectors of the default mode.
pub(crate) static CORRECTED: LazyLock<Vec<Injector>> = LazyLock::new(|| all(Mode::Corrected));

/// The same in Istio's mode.
pub(crate) static ISTIO: LazyLock<Vec<Injector>> = LazyLock::new(|| all(Mode::Istio));

static NO_VARIABLES: BTreeMap<String, String> = BTreeMap::new();

fn all(mode: Mode) -> Vec<Injector> {
    let own =
        || Injector::new(Configuration::load(&defaults::sources()).unwrap()).with(|settings| settings.mode = mode);
    let with_more =
        || Injector::new(Configuration::load(&with_more_templates()).unwrap()).with(|settings| settings.mode = mode);
    let range = json!({"openshift.io/sa.scc.uid-range": "1000620000/10000"});
    let namespaces: BTreeMap<String, Arc<Map<String, Value>>> =
        [("demo".to_owned(), range.as_object().unwrap().clone().into())].into();
    let node = |name: &str, version: &str| Node { name: name.to_owned(), kubelet_version: version.to_owned() };
    let mut injectors = vec![
        own(),
        with_more(),
        with_more().with(|settings| settings.native_sidecars = Setting::True),
        Injector {
            settings: InjectorSettings {
                mode,
                native_sidecars: Setting::Auto,
                openshift: true,
                revision: "canary".to_owned(),
                ..InjectorSettings::default()
            },
            cluster: Arc::new(Cluster {
                nodes: Some(Arc::new([node("new", "v1.33.1"), node("old", "v1.28.0")].into_iter().collect())),
                namespaces: Arc::new(namespaces),
                ..Cluster::default()
            }),
            ..with_more()
        },
    ];
    for native_sidecars in [Setting::False, Setting::True] {
        if let Some(configuration) = of_istio() {
            injectors.push(Injector::new(configuration).with(|settings| {
                (settings.mode, settings.native_sidecars) = (mode, native_sidecars);
            }));
        }
    }
    injectors
}

/// The embedded configuration with the templates beside this file, aliases, and annotations for every pod.
fn with_more_templates() -> Sources {
    let mut config: Value = read_config(defaults::CONFIG).unwrap();
    let more: Map<String, Value> = read_config(include_str!("templates.yaml")).unwrap();
    config["templates"].as_object_mut().unwrap().extend(more);
    config["aliases"] = json!({"all": ["sidecar", "touch", "lists", "labels", "directives", "sources"]});
    config["injectedAnnotations"] = json!({"note": "configured", "configured": "yes"});
    let mut values: Value = read_config(defaults::VALUES).unwrap();
    values["global"]["multiCluster"] = json!({"clusterName": "cluster"});
    values["global"]["network"] = "network".into();
    Sources {
        config: Source { origin: "config".to_owned(), text: config.to_string() },
        values: Source { origin: "values".to_owned(), text: values.to_string() },
        ..defaults::sources()
    }
}

/// Istio's own template, where it is at hand.
fn of_istio() -> Option<Configuration> {
    let folder = conformance::folder("inject")?.join("settings");
    let source = |name: &str| Source { origin: name.to_owned(), text: fs::read_to_string(folder.join(name)).unwrap() };
    let sources = Sources {
        config: source("config-571831c6.yaml"),
        values: source("values-c050df89.json"),
        mesh: source("mesh-f1d57606.yaml"),
    };
    Some(Configuration::load(&sources).unwrap())
}

/// The context of `pod`, as the webhook makes it.
pub(crate) fn context<'a>(injector: &'a Injector, pod: &'a Value) -> Context<'a> {
    injector.context(owner_of_pod(pod), injector.namespace("demo"), &NO_VARIABLES)
}

/// Injects `pod` as the webhook does.
pub(crate) fn injected(pod: &Value, injector: &Injector) -> Result<Outcome, InjectError> {
    inject(pod, &context(injector, pod))
}
