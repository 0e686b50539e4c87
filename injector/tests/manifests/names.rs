//! Names, ports and arguments lead from one object to the next, and are those of the program.

use clap::{CommandFactory, Parser};
use k8s_openapi::api::core::v1::{Container, Service};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use sidecar_contract::{config, image, label, namespace, port};
use sidecar_injector::cli::serve::Serve;
use sidecar_injector::cli::{Cli, Command};
use sidecar_injector::defaults;

use crate::rendered::{INSTALLATIONS, Rendered, container, pod, rendered};
use crate::yaml;

/// A name that the program makes of a revision; empty stands for the default one.
pub(crate) fn of_revision(name: &str, revision: &str) -> String {
    if revision.is_empty() { name.to_owned() } else { format!("{name}-{revision}") }
}

fn arguments(container: &Container) -> impl Iterator<Item = &str> {
    std::iter::once(image::INJECTOR).chain(container.args.iter().flatten().map(String::as_str))
}

/// The flags of the injector in a Deployment.
#[expect(clippy::panic, reason = "a helper of a test fails the test")]
pub(crate) fn serve(container: &Container) -> Serve {
    match Cli::try_parse_from(arguments(container)).unwrap().command {
        Command::Serve(serve) => *serve,
        other => panic!("does not serve: {other:?}"),
    }
}

/// Every installation that can be put together here.
pub(crate) fn installations() -> impl Iterator<Item = (Rendered, &'static str)> {
    INSTALLATIONS.into_iter().map_while(|(path, revision)| Some((rendered(path)?, revision)))
}

#[test]
fn the_injector_understands_its_arguments() {
    for (rendered, revision) in installations() {
        let deployment = rendered.deployment();
        assert_eq!(serve(container(&deployment)).config.revision, revision, "{}", rendered.path);
        let matches = Cli::command().try_get_matches_from(arguments(container(&deployment))).unwrap();
        let serve = matches.subcommand_matches("serve").unwrap();
        assert!(serve.get_flag("register"), "{}: nobody tells the API server", rendered.path);
    }
}

#[test]
fn everything_carries_the_name_of_its_revision() {
    for (rendered, revision) in installations() {
        let name = of_revision(config::INJECTOR_NAME, revision);
        let deployment = rendered.deployment();
        assert_eq!(deployment.metadata.name.as_ref(), Some(&name));
        assert_eq!(rendered.only::<Service>("Service").metadata.name.as_ref(), Some(&name));
        assert_eq!(pod(&deployment).service_account_name.as_ref(), Some(&name));
        assert!(rendered.all("ServiceAccount").any(|account| account["metadata"]["name"] == name.as_str()));
        let config_map = |name: &str| rendered.all("ConfigMap").find(|map| map["metadata"]["name"] == name).unwrap();
        let data = &config_map(&name)["data"];
        assert_eq!(data[config::CONFIG_KEY], defaults::CONFIG);
        assert_eq!(data[config::VALUES_KEY], defaults::VALUES);
        assert_eq!(config_map(&of_revision(config::MESH_NAME, revision))["data"][config::MESH_KEY], defaults::MESH);
        let names = rendered.objects.iter().map(|object| object["metadata"]["name"].as_str().unwrap());
        let ends = |name: &str| revision.is_empty() || name.ends_with(&format!("-{revision}"));
        assert!(names.clone().all(ends), "{}: {:?}", rendered.path, names.collect::<Vec<_>>());
    }
}

#[test]
fn everything_with_a_namespace_is_in_that_of_the_injector() {
    const WITHOUT: [&str; 3] = ["Namespace", "ClusterRole", "ClusterRoleBinding"];
    for (rendered, _) in installations() {
        for object in rendered.objects.iter().filter(|object| !WITHOUT.contains(&object["kind"].as_str().unwrap())) {
            assert_eq!(object["metadata"]["namespace"], namespace::INJECTOR, "{}: {object}", rendered.path);
        }
        for namespace in rendered.all("Namespace") {
            assert_eq!(namespace["metadata"]["name"], namespace::INJECTOR);
            let labels = &namespace["metadata"]["labels"];
            for injection in [label::NAMESPACE_INJECTION, label::REVISION] {
                assert!(labels.get(injection).is_none(), "{}: the injector would wait for itself", rendered.path);
            }
        }
    }
}

#[test]
fn a_revision_leaves_the_namespace_to_the_first_installation() {
    let Some(rendered) = rendered("manifests/overlays/revision") else { return };
    assert_eq!(rendered.all("Namespace").count(), 0);
}

#[test]
fn selectors_select_the_pods_of_their_own_revision_only() {
    for (rendered, revision) in installations() {
        let revision = if revision.is_empty() { config::DEFAULT_REVISION } else { revision };
        let deployment = serde_json::to_value(rendered.deployment()).unwrap();
        let labels = &deployment["spec"]["template"]["metadata"]["labels"];
        assert_eq!(labels[label::INJECT], "false", "the injector would wait for itself");
        let service = rendered.all("Service").next().unwrap();
        let budget = rendered.all("PodDisruptionBudget").next().unwrap();
        let spread = deployment["spec"]["template"]["spec"]["topologySpreadConstraints"].as_array().unwrap();
        let mut selectors = vec![
            &deployment["spec"]["selector"]["matchLabels"],
            &service["spec"]["selector"],
            &budget["spec"]["selector"]["matchLabels"],
        ];
        selectors.extend(spread.iter().map(|constraint| &constraint["labelSelector"]["matchLabels"]));
        for selector in selectors {
            let selector = selector.as_object().unwrap();
            assert!(selector.iter().all(|(key, value)| labels.get(key) == Some(value)), "{selector:?}");
            assert_eq!(selector[label::REVISION], revision, "{}", rendered.path);
        }
    }
}

#[test]
fn ports_are_those_of_the_contract() {
    for (rendered, _) in installations() {
        let deployment = rendered.deployment();
        let named = |name: &str| {
            let mut ports = container(&deployment).ports.iter().flatten();
            ports.find(|port| port.name.as_deref() == Some(name)).unwrap().container_port
        };
        assert_eq!(named("https-webhook"), i32::from(port::WEBHOOK));
        assert_eq!(named("http-monitoring"), i32::from(port::INJECTOR_MONITORING));
        for service_port in rendered.only::<Service>("Service").spec.unwrap().ports.unwrap() {
            let Some(IntOrString::String(target)) = service_port.target_port else { panic!("{service_port:?}") };
            let expected = if target == "https-webhook" { port::WEBHOOK_SERVICE } else { port::INJECTOR_MONITORING };
            assert_eq!(service_port.port, i32::from(expected));
            named(&target);
        }
    }
}

#[test]
fn the_certificate_of_cert_manager_is_the_one_that_is_read() {
    for (path, revision) in [("cert-manager", ""), ("revision-cert-manager", "canary")] {
        let Some(rendered) = rendered(&format!("manifests/overlays/{path}")) else { return };
        let injector = of_revision(config::INJECTOR_NAME, revision);
        let certificates: Vec<_> = rendered.all("Certificate").collect();
        let certificate = certificates.iter().find(|certificate| certificate["metadata"]["name"] == injector).unwrap();
        assert_eq!(certificate["spec"]["secretName"], format!("{injector}-certificate"));
        let host = format!("{injector}.{}.svc", namespace::INJECTOR);
        assert_eq!(certificate["spec"]["dnsNames"], serde_json::json!([host]));
        let issuers: Vec<_> = rendered.all("Issuer").map(|issuer| &issuer["metadata"]["name"]).collect();
        let secrets: Vec<_> = certificates.iter().map(|made| &made["spec"]["secretName"]).collect();
        for certificate in &certificates {
            assert!(issuers.contains(&&certificate["spec"]["issuerRef"]["name"]), "{certificate}");
        }
        // Two revisions share no authority: the Secret of one goes with it.
        let authority = format!("{injector}-authority");
        for issuer in rendered.all("Issuer").filter(|issuer| issuer["spec"].get("ca").is_some()) {
            assert_eq!(issuer["spec"]["ca"]["secretName"], authority, "{issuer}");
            assert!(secrets.contains(&&issuer["spec"]["ca"]["secretName"]), "{issuer}");
        }
    }
}

#[test]
fn the_network_policy_lets_the_api_server_and_prometheus_in() {
    let policy = yaml("manifests/components/network-policy/network-policy.yaml");
    let policy: k8s_openapi::api::networking::v1::NetworkPolicy = crate::rendered::decode(&policy);
    let spec = policy.spec.unwrap();
    let rules = spec.ingress.unwrap();
    let ports = |rule: usize| rules[rule].ports.as_ref().unwrap()[0].port.clone();
    assert_eq!(ports(0), Some(IntOrString::String("https-webhook".to_owned())));
    assert!(rules[0].from.is_none(), "the API server has no labels");
    assert_eq!(ports(1), Some(IntOrString::String("http-monitoring".to_owned())));
}

#[test]
fn the_config_maps_are_made_of_the_embedded_files() {
    let generators = &yaml("templates/kustomization.yaml")["configMapGenerator"];
    assert_eq!(generators[0]["name"], config::INJECTOR_NAME);
    let files = [format!("{}=config.yaml", config::CONFIG_KEY), format!("{}=values.json", config::VALUES_KEY)];
    assert_eq!(generators[0]["files"], serde_json::json!(files));
    assert_eq!(generators[1]["name"], config::MESH_NAME);
    assert_eq!(generators[1]["files"], serde_json::json!([format!("{}=mesh.yaml", config::MESH_KEY)]));
}
