//! Roles that are too small.

use serde_json::{Value, json};
use sidecar_test_support::api_server::ApiServer;

use super::Installation;
use crate::installation::{PATIENCE, Replica};

/// Takes every permission for this resource away.
fn forbid(installation: &Installation<'_>, resource: &str) {
    let mut count = 0;
    for (kind, name) in installation.roles() {
        let text = installation.kubectl(&["get", kind, &name, "-o", "json"]).unwrap();
        let mut role: Value = serde_json::from_str(&text).unwrap();
        for rule in role["rules"].as_array_mut().unwrap() {
            let resources = rule["resources"].as_array_mut().unwrap();
            if resources.iter().any(|one| one == resource) {
                // One that nobody has, since a rule must have some.
                *rule = json!({"apiGroups": ["nobody.example"], "resources": ["nothing"], "verbs": ["get"]});
                count += 1;
            }
        }
        let patch = json!({"rules": role["rules"]}).to_string();
        installation.kubectl(&["patch", kind, &name, "--type=merge", "--patch", &patch]).unwrap();
    }
    assert!(count > 0, "there is no permission for {resource}");
}

/// Starts a replica without any permission for the resource; `says` is what becomes of it. Then grants it.
fn without(resource: &str, arguments: &[&str], says: impl FnOnce(&Installation<'_>, &Replica)) {
    let Some(server) = ApiServer::shared() else { return };
    let revision = format!("no-{}", &resource[..resource.len().min(8)]);
    let installation = Installation::new(server, &revision);
    forbid(&installation, resource);
    let replica = installation.start(&format!("{revision}-0"), arguments);
    says(&installation, &replica);
    installation.apply();
    replica.until_ready();
    replica.until_metric("sidecar_injector_registration_state", r#"state="current""#, |is_set| is_set == 1.0);
    let demo = installation.labelled_namespace("demo");
    installation.create_injected_pod(&demo, "granted");
}

#[test]
fn config_maps() {
    without("configmaps", &[], |installation, replica| {
        replica.until_reported(&["[-]configuration", "may not list and watch", "configmaps"]);
        replica.until_logged(&["may not list and watch", "configmaps", &installation.object_name()]);
        replica.until_metric("sidecar_injector_watch_failures_total", r#"problem="forbidden""#, |count| count > 0.0);
        assert!(!replica.is_ready());
    });
}

#[test]
fn secrets() {
    without("secrets", &[], |installation, replica| {
        replica.until_reported(&["[-]certificate", "secrets", "forbidden"]);
        replica.until_logged(&[&installation.secret_name(), "forbidden"]);
        replica.until_metric("sidecar_injector_certificate_last_load_success", "", |is_good| is_good == 0.0);
        assert!(!replica.is_ready());
    });
}

#[test]
fn leases() {
    without("leases", &[], |installation, replica| {
        replica.until_logged(&["Lease", &installation.object_name(), "leases", "forbidden"]);
        replica.until_metric("sidecar_injector_leader", "", |leads| leads == 0.0);
        replica.until_reported(&["[-]certificate", "[!]leader election", "leases", "forbidden"]);
        assert!(!replica.is_ready());
    });
}

#[test]
fn webhook_configurations() {
    without("mutatingwebhookconfigurations", &[], |installation, replica| {
        replica.until_ready();
        replica.until_reported(&["[!]registration not ok", "forbidden", &installation.configuration_name()]);
        replica.until_logged(&["mutatingwebhookconfigurations", "may not"]);
        let forbidden = r#"state="forbidden""#;
        replica.until_metric("sidecar_injector_registration_state", forbidden, |is_set| is_set == 1.0);
        let name = installation.configuration_name();
        installation.until_event("default", &name, "RegistrationFailed", "forbidden");
    });
}

#[test]
fn events() {
    without("events", &[], |_, replica| {
        replica.until_ready();
        replica.until_logged(&["an Event cannot be written", "events"]);
    });
}

#[test]
fn nodes() {
    without("nodes", &["--nativeSidecars=auto"], |_, replica| {
        replica.until_ready();
        replica.until_reported(&["[+]cluster caches ok", "may not list and watch nodes"]);
        replica.until_logged(&["may not list and watch nodes"]);
        let nodes = r#"resource="nodes",problem="forbidden""#;
        replica.until_metric("sidecar_injector_watch_failures_total", nodes, |count| count > 0.0);
    });
}

#[test]
fn all_of_them_taken_away_from_one_that_runs() {
    let Some(server) = ApiServer::shared() else { return };
    let installation = Installation::new(server, "deprived");
    let replica = installation.start_ready("deprived-0", &[]);
    let demo = installation.labelled_namespace("demo");
    installation.delete_bindings();
    replica.until_metric("sidecar_injector_leader", "", |leads| leads == 0.0);
    replica.until_logged(&["Lease", "forbidden"]);
    replica.until_reported(&["[!]leader election", "forbidden"]);
    assert!(replica.is_ready(), "{}", replica.report());
    installation.create_injected_pod(&demo, "deprived");
    // As long as a watch of the API server goes on.
    std::thread::sleep(PATIENCE);
    assert!(replica.is_ready(), "{}", replica.report());
    installation.create_injected_pod(&demo, "still");
    installation.apply();
    replica.until_metric("sidecar_injector_leader", "", |leads| leads == 1.0);
    replica.until_metric("sidecar_injector_registration_state", r#"state="current""#, |is_set| is_set == 1.0);
    replica.until_reported(&["[+]leader election ok: this replica leads"]);
    let lines = replica.log().lines().count();
    assert!(lines < 60, "{lines} lines\n{}", replica.log());
}
