//! The permissions: for the names that the program uses, and no others.

use std::collections::BTreeSet;

use k8s_openapi::api::rbac::v1::{ClusterRole, PolicyRule, Role};
use serde_json::Value;
use sidecar_contract::config;

use crate::names::{installations, of_revision};
use crate::rendered::{Rendered, decode};

type Verbs = BTreeSet<String>;

/// One line a resource and name, `*` for any: `configmaps istio: get list watch`.
fn lines(rules: &[PolicyRule]) -> BTreeSet<String> {
    let any = vec!["*".to_owned()];
    let mut lines = BTreeSet::new();
    for rule in rules {
        let names = rule.resource_names.as_ref().unwrap_or(&any);
        let verbs: Verbs = rule.verbs.iter().cloned().collect();
        let verbs = verbs.into_iter().collect::<Vec<_>>().join(" ");
        for group in rule.api_groups.iter().flatten() {
            for resource in rule.resources.iter().flatten() {
                let resource = if group.is_empty() { resource.clone() } else { format!("{resource}.{group}") };
                lines.extend(names.iter().map(|name| format!("{resource} {name}: {verbs}")));
            }
        }
    }
    lines
}

fn granted_in_the_namespace(rendered: &Rendered) -> BTreeSet<String> {
    rendered.all("Role").flat_map(|role| lines(&decode::<Role>(role).rules.unwrap())).collect()
}

fn granted_in_the_cluster(rendered: &Rendered) -> BTreeSet<String> {
    rendered.all("ClusterRole").flat_map(|role| lines(&decode::<ClusterRole>(role).rules.unwrap())).collect()
}

#[test]
fn in_its_namespace_it_may_do_this_and_nothing_else() {
    for (rendered, revision) in installations() {
        let name = of_revision(config::INJECTOR_NAME, revision);
        let mesh = of_revision(config::MESH_NAME, revision);
        let mut expected = vec![
            format!("configmaps {mesh}: get list watch"),
            format!("configmaps {name}: get list watch"),
            format!("leases.coordination.k8s.io {name}: get update"),
            "leases.coordination.k8s.io *: create".to_owned(),
        ];
        if rendered.all("Certificate").next().is_some() {
            expected.push(format!("secrets {name}-certificate: get list watch"));
        } else {
            expected.push(format!("secrets {name}-certificate: get list update watch"));
            expected.push("secrets *: create".to_owned());
        }
        assert_eq!(granted_in_the_namespace(&rendered), expected.into_iter().collect(), "{}", rendered.path);
    }
}

#[test]
fn in_the_cluster_it_may_do_this_and_nothing_else() {
    for (rendered, revision) in installations() {
        let name = of_revision(config::INJECTOR_NAME, revision);
        let webhooks = "mutatingwebhookconfigurations.admissionregistration.k8s.io";
        let expected = [
            "events.events.k8s.io *: create patch".to_owned(),
            format!("clusterroles.rbac.authorization.k8s.io {name}: get"),
            format!("{webhooks} {name}: create get list patch watch"),
            format!("{webhooks} istio-revision-tag-default: get list watch"),
            "namespaces *: list watch".to_owned(),
            "nodes *: list watch".to_owned(),
            "proxyconfigs.networking.istio.io *: list watch".to_owned(),
        ];
        assert_eq!(granted_in_the_cluster(&rendered), expected.into_iter().collect(), "{}", rendered.path);
    }
}

#[test]
fn every_role_is_bound_to_the_injectors_account() {
    for (rendered, revision) in installations() {
        let account = of_revision(config::INJECTOR_NAME, revision);
        for (role_kind, binding_kind) in [("Role", "RoleBinding"), ("ClusterRole", "ClusterRoleBinding")] {
            let names = |kind: &str, at: &str| -> Vec<Value> {
                rendered.all(kind).map(|object| object.pointer(at).cloned().unwrap_or_default()).collect()
            };
            assert_eq!(names(role_kind, "/metadata/name"), names(binding_kind, "/roleRef/name"), "{}", rendered.path);
            for binding in rendered.all(binding_kind) {
                let subject = &binding["subjects"][0];
                assert_eq!((&subject["kind"], &subject["name"]), (&"ServiceAccount".into(), &account.as_str().into()));
                assert_eq!(subject["namespace"], sidecar_contract::namespace::INJECTOR);
            }
        }
    }
}
