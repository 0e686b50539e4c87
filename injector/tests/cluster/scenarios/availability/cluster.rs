//! A cluster whose kubelet is the test: pods are processes with addresses of their own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::sync::Mutex;

use serde_json::Value;
use sidecar_test_support::api_server::{ApiServer, Options, require_api_server};
use sidecar_test_support::eventually::eventually;
use sidecar_test_support::namespace::Namespace;
use sidecar_test_support::privilege::require_root;
use sidecar_test_support::program::{Confinement, Program};
use tempfile::TempDir;

use super::endpoints::Endpoints;
use super::{INJECTOR, NAMESPACE, PATIENCE, Replica};
use crate::installation::account::write_kubeconfig;

const MANIFESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../manifests");
/// What demo's pods are labelled for.
pub(super) const DEMO: &str = "demo";

/// The default installation, in a network namespace.
pub(super) struct Cluster<'a> {
    pub(super) server: ApiServer,
    pub(super) endpoints: Endpoints,
    network: &'a Namespace,
    deployment: Value,
    started: Mutex<u8>,
    folder: TempDir,
}

/// A running replica at an address of its own.
pub(super) struct Pod {
    pub(super) name: String,
    pub(super) address: IpAddr,
    pub(super) replica: Replica,
}

impl Pod {
    pub(super) fn kill(self) {
        self.replica.kill();
    }
}

impl Cluster<'_> {
    /// Installs the manifests and labels the namespace `demo`; then runs the test, within the network namespace. No
    /// replica is started yet. Does nothing where there is no root or no API server.
    pub(super) fn run(label: &str, test: impl FnOnce(&Cluster<'_>) + Send) {
        if !require_root("it makes a network namespace") || !require_api_server() {
            return;
        }
        let network = Namespace::create(label).unwrap();
        network.enter(|| test(&Cluster::start(&network))).unwrap();
    }

    fn start(network: &Namespace) -> Cluster<'_> {
        let server = ApiServer::start(Options::inside(network, Ipv4Addr::LOCALHOST.into())).unwrap();
        // The injector's user reads what is in it.
        let everybody = std::fs::Permissions::from_mode(0o755);
        let folder = tempfile::Builder::new().permissions(everybody).tempdir().unwrap();
        server.run(["apply", "-k", MANIFESTS]).unwrap();
        write_kubeconfig(&server, INJECTOR, &folder.path().join("kubeconfig"));
        server.run(["create", "namespace", DEMO]).unwrap();
        server.run(["label", "namespace", DEMO, "istio-injection=enabled"]).unwrap();
        let read = |kind: &str| -> Value {
            let text = server.run(["get", kind, INJECTOR, "--namespace", NAMESPACE, "--output", "json"]).unwrap();
            serde_json::from_str(&text).unwrap()
        };
        let (deployment, service) = (read("deployment"), read("service"));
        let endpoints = Endpoints::start(&server, &service, port_of(&deployment, "https-webhook"));
        Cluster { server, endpoints, network, deployment, started: Mutex::new(10), folder }
    }

    /// Applies the manifests again.
    pub(super) fn install(&self) {
        self.server.run(["apply", "-k", MANIFESTS]).unwrap();
    }

    /// Starts a replica as the Deployment has it, and waits until it listens.
    pub(super) fn start_pod(&self, name: &str) -> Pod {
        let number = {
            let mut started = self.started.lock().unwrap();
            *started += 1;
            *started
        };
        let address = IpAddr::from([10, 244, 0, number]);
        self.network.add_address(address).unwrap();
        let monitoring = SocketAddr::new(address, port_of(&self.deployment, "http-monitoring"));
        let program = self.program(name, address, monitoring);
        let replica = Replica::once_listening(self.network.spawn(&program).unwrap());
        assert_eq!(replica.monitoring, monitoring);
        self.endpoints.add(monitoring);
        Pod { name: name.to_owned(), address, replica }
    }

    /// The same, and until the Service leads there.
    pub(super) fn start_in_endpoints(&self, name: &str) -> Pod {
        let pod = self.start_pod(name);
        eventually(PATIENCE, || match self.endpoints.published() {
            published if published.contains(&pod.address) => Ok(()),
            _ => Err(format!("{}\n{}", pod.replica.report(), pod.replica.log())),
        })
        .unwrap();
        pod
    }

    fn program(&self, name: &str, address: IpAddr, monitoring: SocketAddr) -> Program {
        let pod = &self.deployment["spec"]["template"]["spec"];
        let container = &pod["containers"][0];
        let https = SocketAddr::new(address, port_of(&self.deployment, "https-webhook"));
        let security = &container["securityContext"];
        assert_eq!(security["capabilities"]["drop"][0], "ALL");
        let user = u32::try_from(pod["securityContext"]["runAsUser"].as_u64().unwrap()).unwrap();
        let confinement = Confinement {
            read_only_root: security["readOnlyRootFilesystem"].as_bool().unwrap(),
            privilege_escalation: security["allowPrivilegeEscalation"].as_bool().unwrap(),
            ..Confinement::user(user)
        };
        let mut program = Program::new(env!("CARGO_BIN_EXE_sidecar-injector"))
            .args(container["args"].as_array().unwrap().iter().map(|argument| argument.as_str().unwrap()))
            .args([format!("--https-address={https}"), format!("--monitoring-address={monitoring}")])
            .env("KUBECONFIG", self.folder.path().join("kubeconfig").to_str().unwrap())
            .confined(confinement);
        for variable in container["env"].as_array().unwrap() {
            let value = match variable["valueFrom"]["fieldRef"]["fieldPath"].as_str().unwrap() {
                "metadata.name" => name,
                "metadata.namespace" => NAMESPACE,
                other => panic!("what is {other} of a pod?"),
            };
            program = program.env(variable["name"].as_str().unwrap(), value);
        }
        program
    }

    /// Creates a pod with one container, and returns it as the API server has it.
    pub(super) fn create_pod(&self, name: &str) -> Result<Value, String> {
        let image = "--image=registry.example/app:1";
        let created = self.server.run(["run", name, "--namespace", DEMO, image, "--output", "json"]);
        created.map(|text| serde_json::from_str(&text).unwrap()).map_err(|error| error.to_string())
    }

    /// Runs kubectl in the injector's namespace.
    pub(super) fn kubectl(&self, arguments: &[&str]) -> Result<String, String> {
        let arguments = [&["--namespace", NAMESPACE], arguments].concat();
        self.server.run(arguments).map_err(|error| error.to_string())
    }

    /// The MutatingWebhookConfiguration.
    pub(super) fn registration(&self) -> Option<Value> {
        let text = self.kubectl(&["get", "mutatingwebhookconfiguration", INJECTOR, "-o", "json"]).ok()?;
        Some(serde_json::from_str(&text).unwrap())
    }

    /// Waits until the API server knows the webhooks, and calls them.
    pub(super) fn until_registered(&self) {
        let (mut number, patience) = (0, PATIENCE);
        eventually(patience, || {
            number += 1;
            match self.create_pod(&format!("first-{number}")) {
                Ok(pod) if crate::installation::has_sidecar(&pod) => Ok(()),
                Ok(_) => Err("not injected".to_owned()),
                Err(error) => Err(error),
            }
        })
        .unwrap();
    }

    /// The name of the pod that holds the Lease.
    pub(super) fn leader(&self) -> String {
        let holder = self.kubectl(&["get", "lease", INJECTOR, "-o", "jsonpath={.spec.holderIdentity}"]).unwrap();
        holder.rsplit_once('_').unwrap_or_default().0.to_owned()
    }

    pub(super) fn until_led_by(&self, name: &str) {
        eventually(PATIENCE, || match self.leader() {
            leader if leader == name => Ok(()),
            leader => Err(format!("{leader:?} leads")),
        })
        .unwrap();
    }
}

/// The number of a port of the Deployment's container.
fn port_of(deployment: &Value, name: &str) -> u16 {
    let ports = deployment["spec"]["template"]["spec"]["containers"][0]["ports"].as_array().unwrap();
    let port = ports.iter().find(|port| port["name"] == name).unwrap();
    port["containerPort"].as_u64().unwrap().try_into().unwrap()
}
