//! ConfigMaps that are broken, mended, deleted and made again.

use serde_json::{Value, json};
use sidecar_test_support::api_server::ApiServer;
use sidecar_test_support::eventually::eventually;

use super::Installation;
use crate::installation::{NAMESPACE, PATIENCE, Replica};

const LAST: &str = "sidecar_injector_configuration_last_load_successful";
const STEP: &str = "scenario.example/step";

/// The texts of the ConfigMap.
struct Texts {
    config: String,
    values: String,
}

impl Texts {
    fn read(installation: &Installation<'_>) -> Self {
        let text = installation.kubectl(&["get", "configmap", &installation.object_name(), "-o", "json"]).unwrap();
        let object: Value = serde_json::from_str(&text).unwrap();
        let text = |key: &str| object["data"][key].as_str().unwrap().to_owned();
        Self { config: text("config"), values: text("values") }
    }

    /// A configuration that says which it is in an annotation of every pod.
    fn step(&self, step: &str) -> String {
        let without = "injectedAnnotations: {}";
        assert!(self.config.contains(without));
        self.config.replace(without, &format!("injectedAnnotations: {{{STEP}: {step}}}"))
    }
}

fn put(installation: &Installation<'_>, config: &str, values: &str) {
    let object = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": installation.object_name(), "namespace": NAMESPACE},
        "data": {"config": config, "values": values},
    });
    installation.server.apply(&object.to_string()).unwrap();
}

fn step_of_a_pod(installation: &Installation<'_>, namespace: &str, name: &str) -> String {
    let pod = installation.create_pod(namespace, name).unwrap();
    assert!(crate::installation::has_sidecar(&pod), "{}", pod["spec"]);
    pod["metadata"]["annotations"][STEP].as_str().unwrap_or_default().to_owned()
}

fn until_step(installation: &Installation<'_>, replica: &Replica, namespace: &str, step: &str) {
    let mut count = 0;
    eventually(PATIENCE, || {
        count += 1;
        match step_of_a_pod(installation, namespace, &format!("{step}-{count}")) {
            found if found == step => Ok(()),
            found => Err(format!("{found}, not {step}\n{}\n{}", replica.report(), replica.log())),
        }
    })
    .unwrap();
}

#[test]
fn pods_go_on_with_the_last_good_one_and_it_is_told() {
    let Some(server) = ApiServer::shared() else { return };
    let installation = Installation::new(server, "badconfig");
    let replica = installation.start_ready("badconfig-0", &[]);
    let demo = installation.labelled_namespace("demo");
    let name = installation.object_name();
    let texts = Texts::read(&installation);
    put(&installation, &texts.step("one"), &texts.values);
    until_step(&installation, &replica, &demo, "one");

    let unparsable = texts.step("two").replace("{{- $meta := .ObjectMeta }}", "{{- $meta := .ObjectMeta");
    let nonsense = texts.step("two").replace("{{- $meta := .ObjectMeta }}", "{{- $meta := .ObjectMeta }}just text");
    assert!(unparsable != texts.step("two") && nonsense != texts.step("two"));
    for (case, config, values, says) in [
        ("yaml", "policy: [", texts.values.as_str(), "key config:"),
        ("template", unparsable.as_str(), &texts.values, "sidecar"),
        ("rendered", nonsense.as_str(), &texts.values, "sidecar"),
        ("values", texts.step("two").as_str(), "{", "key values:"),
    ] {
        put(&installation, config, values);
        replica.until_metric(LAST, "", |is_good| is_good == 0.0);
        replica.until_reported(&["[!]configuration update", says]);
        assert!(replica.is_ready(), "{case}: {}", replica.report());
        assert_eq!(step_of_a_pod(&installation, &demo, case), "one", "{case}");
        installation.until_event(NAMESPACE, &name, "ConfigurationRejected", says);
        put(&installation, &texts.step("one"), &texts.values);
        replica.until_metric(LAST, "", |is_good| is_good == 1.0);
    }
    put(&installation, &texts.step("three"), &texts.values);
    until_step(&installation, &replica, &demo, "three");
    replica.until_metric(LAST, "", |is_good| is_good == 1.0);
    replica.until_reported(&["[+]configuration update ok"]);
    installation.until_event(NAMESPACE, &name, "ConfigurationLoaded", "");
}

#[test]
fn without_a_config_map_who_has_one_goes_on_and_who_starts_waits() {
    let Some(server) = ApiServer::shared() else { return };
    let installation = Installation::new(server, "noconfig");
    let replica = installation.start_ready("noconfig-0", &[]);
    let demo = installation.labelled_namespace("demo");
    let name = installation.object_name();
    let texts = Texts::read(&installation);
    installation.kubectl(&["delete", "configmap", &name]).unwrap();
    replica.until_metric(LAST, "", |is_good| is_good == 0.0);
    replica.until_reported(&["[!]configuration update", "does not exist"]);
    installation.until_event(NAMESPACE, &name, "ConfigurationUnavailable", "does not exist");
    assert!(replica.is_ready(), "{}", replica.report());
    installation.create_injected_pod(&demo, "without");

    let new = installation.start("noconfig-1", &[]);
    new.until_reported(&["[-]configuration", &name, "does not exist"]);
    assert!(!new.is_ready());
    installation.create_injected_pod(&demo, "with-one-that-waits");
    put(&installation, &texts.step("again"), &texts.values);
    new.until_ready();
    until_step(&installation, &replica, &demo, "again");
    replica.until_metric(LAST, "", |is_good| is_good == 1.0);
}
