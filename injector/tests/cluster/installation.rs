//! An injector as it is installed: the manifests applied, replicas with the permissions of their service account, and the
//! API server calling them.

pub(crate) mod account;
mod balancer;
pub(crate) mod replica;

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use sidecar_contract::config::{DEFAULT_REVISION, INJECTOR_NAME};
use sidecar_test_support::api_server::ApiServer;
use sidecar_test_support::eventually::eventually;
use tempfile::TempDir;

pub(crate) use balancer::Balancer;
pub(crate) use replica::Replica;

/// What takes longer is taken for broken. The machine may be busy with other tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The namespace of all installations.
pub(crate) const NAMESPACE: &str = "istio-system";

/// A revision of the injector. Its webhooks are called for namespaces that are labelled with this revision, so
/// installations in one cluster leave each other alone.
pub(crate) struct Installation<'a> {
    pub(crate) server: &'a ApiServer,
    pub(crate) revision: String,
    pub(crate) balancer: Balancer,
    objects: String,
    folder: TempDir,
}

impl<'a> Installation<'a> {
    /// Applies the overlay for revisions, with the names of this one; of the revision `default`, the manifests themselves.
    /// That one is called for namespaces with `istio-injection=enabled` too.
    pub(crate) fn new(server: &'a ApiServer, revision: &str) -> Self {
        let manifests = concat!(env!("CARGO_MANIFEST_DIR"), "/../manifests");
        let overlay = if revision == DEFAULT_REVISION { "" } else { "/overlays/revision" };
        let objects = server.run(["kustomize", &format!("{manifests}{overlay}")]).unwrap();
        // Another test may have made it.
        let _ = server.run(["create", "namespace", NAMESPACE]);
        let objects = objects.replace("canary", revision);
        let folder = tempfile::tempdir().unwrap();
        let installation = Self { server, revision: revision.to_owned(), balancer: Balancer::start(), objects, folder };
        installation.apply();
        account::write_kubeconfig(server, &installation.object_name(), &installation.kubeconfig());
        installation
    }

    /// Applies the manifests, as at the beginning: what was deleted or edited is as they want it again.
    pub(crate) fn apply(&self) {
        self.server.apply(&self.objects).unwrap();
    }

    /// Starts a replica whose certificate and registration are the program's own work; it takes part in the service.
    pub(crate) fn start(&self, name: &str, arguments: &[&str]) -> Replica {
        let url = format!("--url=https://{}/inject", self.balancer.address());
        let kubeconfig = format!("--kubeconfig={}", self.kubeconfig().display());
        let revision = format!("--revision={}", self.revision);
        let given = ["--register", "--owned-by-cluster-role", &url, &kubeconfig, &revision, "--drain-delay=1s"];
        let replica = Replica::start(name, &[&given[..], arguments].concat());
        self.balancer.add(&replica);
        replica
    }

    /// The same, ready and registered.
    pub(crate) fn start_ready(&self, name: &str, arguments: &[&str]) -> Replica {
        let replica = self.start(name, arguments);
        replica.until_ready();
        eventually(PATIENCE, || match self.webhooks() {
            Some(webhooks) if !webhooks.is_empty() => Ok(()),
            _ => Err(replica.log()),
        })
        .unwrap();
        self.until_called();
        replica.count_from_now();
        replica
    }

    /// The API server hears of a registration a moment after it has it.
    fn until_called(&self) {
        let namespace = format!("{}-called", self.revision);
        let labelled = json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": namespace, "labels": {"istio.io/rev": self.revision}}});
        self.server.apply(&labelled.to_string()).unwrap();
        // Istio's template asks for the account, which admission would have filled in.
        let overrides = r#"--overrides={"spec": {"serviceAccountName": "default"}}"#;
        let image = "--image=registry.example/app:1";
        let arguments = ["run", "probe", "-n", &namespace, image, overrides, "--dry-run=server", "-o", "json"];
        eventually(PATIENCE, || match self.server.run(arguments) {
            Ok(pod) if pod.contains("istio-proxy") => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .unwrap();
    }

    /// A new namespace whose pods this revision injects.
    pub(crate) fn labelled_namespace(&self, name: &str) -> String {
        let name = format!("{}-{name}", self.revision);
        // With its label from the start: the API server may know of a later one only a moment after it said so.
        let labels = format!("{{istio.io/rev: {}}}", self.revision);
        let object = format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}, labels: {labels}}}}}");
        self.server.apply(&object).unwrap();
        name
    }

    /// Creates a pod with one container, and returns it as the API server has it.
    pub(crate) fn create_pod(&self, namespace: &str, name: &str) -> Result<Value, String> {
        let image = "--image=registry.example/app:1";
        let created = self.server.run(["run", name, "--namespace", namespace, image, "--output", "json"]);
        created.map(|text| serde_json::from_str(&text).unwrap()).map_err(|error| error.to_string())
    }

    /// Creates a pod and requires that it has the sidecar.
    pub(crate) fn create_injected_pod(&self, namespace: &str, name: &str) {
        let pod = self.create_pod(namespace, name).unwrap();
        assert!(has_sidecar(&pod), "{name} has no sidecar: {}", pod["spec"]);
    }

    /// The webhooks of this revision, as the API server has them.
    pub(crate) fn webhooks(&self) -> Option<Vec<Value>> {
        let name = self.configuration_name();
        let text = self.server.run(["get", "mutatingwebhookconfiguration", &name, "-o", "json"]).ok()?;
        serde_json::from_str::<Value>(&text).unwrap()["webhooks"].as_array().cloned()
    }

    /// Name of the MutatingWebhookConfiguration.
    pub(crate) fn configuration_name(&self) -> String {
        self.object_name()
    }

    /// Name of the ConfigMap with `config` and `values`, and of the Lease and the Service.
    pub(crate) fn object_name(&self) -> String {
        if self.revision == DEFAULT_REVISION {
            return INJECTOR_NAME.to_owned();
        }
        format!("{INJECTOR_NAME}-{}", self.revision)
    }

    /// Name of the Secret with the managed certificate.
    pub(crate) fn secret_name(&self) -> String {
        format!("{}-certificate", self.object_name())
    }

    /// Kind and name of what says what the injector may do. Each has a binding of the same name.
    pub(crate) fn roles(&self) -> [(&'static str, String); 3] {
        let certificate = format!("istio-sidecar-injector-certificate-{}", self.revision);
        [("role", self.object_name()), ("role", certificate), ("clusterrole", self.object_name())]
    }

    /// Takes every permission away; [`apply`](Self::apply) gives them back.
    pub(crate) fn delete_bindings(&self) {
        for (kind, name) in self.roles() {
            self.kubectl(&["delete", &format!("{kind}binding"), &name]).unwrap();
        }
    }

    /// Runs kubectl in the injector's namespace.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> Result<String, String> {
        let arguments = [&["--namespace", NAMESPACE], arguments].concat();
        self.server.run(arguments).map_err(|error| error.to_string())
    }

    /// The notes of the Events with this reason, in this namespace.
    pub(crate) fn events(&self, namespace: &str, reason: &str) -> Vec<String> {
        let selector = format!("reason={reason}");
        let text = self.server.run(["get", "events", "-n", namespace, "--field-selector", &selector, "-o", "json"]);
        let list: Value = serde_json::from_str(&text.unwrap()).unwrap();
        let items = list["items"].as_array().unwrap();
        items.iter().map(|event| event["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Waits for an Event with this reason about the object, in its namespace, whose note contains `part`.
    pub(crate) fn until_event(&self, namespace: &str, object: &str, reason: &str, part: &str) {
        let selector = format!("reason={reason},involvedObject.name={object}");
        let arguments =
            ["get", "events", "-n", namespace, "--field-selector", &selector, "-o", "jsonpath={.items[*].message}"];
        eventually(PATIENCE, || match self.server.run(arguments) {
            Ok(notes) if !notes.is_empty() && notes.contains(part) => Ok(()),
            other => Err(format!("no {reason} about {object} that says '{part}': {other:?}")),
        })
        .unwrap();
    }

    /// As the service account, and nobody else.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }
}

/// Whether a pod has the sidecar and the init container.
pub(crate) fn has_sidecar(pod: &Value) -> bool {
    let is_there = |list: &str, name: &str| {
        pod["spec"][list].as_array().is_some_and(|containers| containers.iter().any(|one| one["name"] == name))
    };
    (is_there("containers", "istio-proxy") || is_there("initContainers", "istio-proxy"))
        && is_there("initContainers", "istio-init")
}
