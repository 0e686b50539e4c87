//! Reading the cluster once, for a command that then ends: plain JSON, page by page, every request with a limit of time.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::Request;
use kube::Client;
use kube::core::Status;
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::config_maps::ConfigMapNames;
use super::with_causes;
use crate::config::{ConfigError, Sources};
use crate::explain::{NamespaceFacts, facts};
use crate::loading::{ConfigMapKeys, ConfigMapState, Offer, offer_of};
use crate::native::{Node, Nodes};
use crate::proxy_config::ProxyConfigResource;
use crate::webhooks::{Registered, registered};
use crate::workload::{metadata_map, metadata_text};

/// A request that takes longer is given up.
const PATIENCE: Duration = Duration::from_secs(30);
/// Objects a page: what is in memory at a time.
const PAGE: usize = 250;

/// Reads objects of one cluster.
#[derive(Clone)]
pub struct Reader {
    client: Client,
    address: String,
}

/// Something that could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A permission is missing.
    #[error("may not read {what}: grant the verb {verb} ({message})")]
    Forbidden {
        /// What was to be read.
        what: String,
        /// As RBAC names it.
        verb: &'static str,
        /// What the API server said.
        message: String,
    },
    /// There is no such resource or object.
    #[error("{what}: does not exist")]
    NotFound {
        /// What was to be read.
        what: String,
    },
    /// The API server does not answer, or not with sense.
    #[error("{what}: {message}")]
    Failed {
        /// What was to be read.
        what: String,
        /// What happened.
        message: String,
    },
}

/// What a cluster's configuration of an injector comes to.
#[derive(Clone, Debug)]
pub struct ConfigurationRead {
    /// Its texts.
    pub sources: Sources,
    /// When the later of both ConfigMaps was changed last, in RFC 3339, where that is known.
    pub changed: Option<String>,
}

/// A namespace of the cluster.
#[derive(Clone, Debug, Default)]
pub struct NamespaceRead {
    /// What the decision about its pods needs.
    pub facts: NamespaceFacts,
    /// Its annotations.
    pub annotations: Map<String, Value>,
}

/// Part of a long list.
#[derive(Debug, Default)]
pub struct Page {
    /// The objects.
    pub items: Vec<Value>,
    /// What leads to the next part; none after the last.
    pub next: Option<String>,
}

impl Reader {
    /// Reads with this client, from the API server at `address`.
    pub fn new(client: Client, address: String) -> Self {
        Self { client, address }
    }

    /// The object at `path`, as `/api/v1/namespaces/demo`; none where there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn get(&self, path: &str, what: &str) -> Result<Option<Value>, ReadError> {
        match self.ask(path, what, "get").await {
            Ok(object) => Ok(Some(object)),
            Err(ReadError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// One page of the list at `path`, after the one that told `next`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn page(&self, path: &str, what: &str, next: Option<&str>) -> Result<Page, ReadError> {
        let next = next.map(|next| format!("&continue={next}")).unwrap_or_default();
        let mut list = self.ask(&format!("{path}?limit={PAGE}{next}"), what, "list").await?;
        let next = list.pointer("/metadata/continue").and_then(Value::as_str).filter(|next| !next.is_empty());
        let next = next.map(str::to_owned);
        let items = list.get_mut("items").map(Value::take);
        Ok(Page { items: if let Some(Value::Array(items)) = items { items } else { Vec::new() }, next })
    }

    /// What `keep` keeps of each object of the list at `path`.
    async fn all<T>(&self, path: &str, what: &str, keep: impl Fn(&Value) -> T) -> Result<Vec<T>, ReadError> {
        let mut kept = Vec::new();
        let mut next = None;
        loop {
            let page = self.page(path, what, next.as_deref()).await?;
            kept.extend(page.items.iter().map(&keep));
            next = page.next;
            if next.is_none() {
                return Ok(kept);
            }
        }
    }

    /// The configuration in both ConfigMaps.
    ///
    /// # Errors
    /// What is missing, or cannot be read.
    pub async fn configuration(&self, names: &ConfigMapNames) -> Result<ConfigurationRead, Vec<ConfigError>> {
        let (injector, mesh) =
            (self.config_map(names, &names.injector).await, self.config_map(names, &names.mesh).await);
        let (injector, mesh) = match (injector, mesh) {
            (Ok(injector), Ok(mesh)) => (injector, mesh),
            (injector, mesh) => return Err([injector.err(), mesh.err()].into_iter().flatten().collect()),
        };
        let changed = [&injector, &mesh].into_iter().filter_map(|(object, _)| facts::changed(object.as_ref()?)).max();
        match offer_of(&injector.1, &mesh.1) {
            Offer::Texts(sources) => Ok(ConfigurationRead { sources, changed }),
            Offer::Unavailable(reasons) => Err(reasons),
        }
    }

    async fn config_map(
        &self,
        names: &ConfigMapNames,
        name: &str,
    ) -> Result<(Option<Value>, ConfigMapState), ConfigError> {
        let (namespace, full_name) = (&names.namespace, format!("{}/{name}", names.namespace));
        let what = format!("ConfigMap {full_name}");
        let read = self.get(&format!("/api/v1/namespaces/{namespace}/configmaps/{name}"), &what).await;
        let object = read.map_err(|error| ConfigError { origin: what, line: None, message: error.to_string() })?;
        let keys = object.as_ref().map(|object| {
            let entries = |field: &str| object.get(field).and_then(Value::as_object).into_iter().flatten();
            let text = |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_owned()));
            ConfigMapKeys {
                texts: entries("data").filter_map(text).collect(),
                binary: entries("binaryData").map(|(key, _)| key.clone()).collect(),
            }
        });
        Ok((object, ConfigMapState { name: full_name, keys }))
    }

    /// All nodes.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn nodes(&self) -> Result<Nodes, ReadError> {
        let version = "/status/nodeInfo/kubeletVersion";
        let node = |node: &Value| Node {
            name: metadata_text(node, "name").to_owned(),
            kubelet_version: node.pointer(version).and_then(Value::as_str).unwrap_or_default().to_owned(),
        };
        Ok(self.all("/api/v1/nodes", "nodes", node).await?.into_iter().collect())
    }

    /// All ProxyConfig resources that can be used, and what is wrong with the others. Where Istio's resources are not
    /// installed there are none.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn proxy_configs(&self) -> Result<(Vec<ProxyConfigResource>, Vec<String>), ReadError> {
        const PATH: &str = "/apis/networking.istio.io/v1beta1/proxyconfigs";
        let read = |object: &Value| {
            let mut object = object.clone();
            // In a list, objects may leave out what they are.
            object["apiVersion"] = "networking.istio.io/v1beta1".into();
            object["kind"] = "ProxyConfig".into();
            let name = metadata_text(&object, "name").to_owned();
            ProxyConfigResource::read(&object)
                .map_err(|mistake| format!("the ProxyConfig {name} has no effect: {mistake}"))
        };
        match self.all(PATH, "proxyconfigs.networking.istio.io", read).await {
            Ok(all) => {
                let (good, bad): (Vec<_>, Vec<_>) = all.into_iter().partition(Result::is_ok);
                Ok((good.into_iter().flatten().collect(), bad.into_iter().filter_map(Result::err).collect()))
            }
            Err(ReadError::NotFound { .. }) => Ok((Vec::new(), Vec::new())),
            Err(error) => Err(error),
        }
    }

    /// All namespaces, by name.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn namespaces(&self) -> Result<BTreeMap<String, NamespaceRead>, ReadError> {
        let read = |namespace: &Value| (metadata_text(namespace, "name").to_owned(), NamespaceRead::of(namespace));
        Ok(self.all("/api/v1/namespaces", "namespaces", read).await?.into_iter().collect())
    }

    /// The namespace of this name, if there is one.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn namespace(&self, name: &str) -> Result<Option<NamespaceRead>, ReadError> {
        let read = self.get(&format!("/api/v1/namespaces/{name}"), &format!("namespace {name}")).await?;
        Ok(read.as_ref().map(NamespaceRead::of))
    }

    /// The Deployment whose pods this Service is for; none where there is not just one.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn deployment_behind(&self, namespace: &str, service: &str) -> Result<Option<Value>, ReadError> {
        let (path, what) =
            (format!("/api/v1/namespaces/{namespace}/services/{service}"), format!("service {namespace}/{service}"));
        let service = self.get(&path, &what).await?;
        let selector = service.as_ref().and_then(|service| service.pointer("/spec/selector")?.as_object());
        let Some(selector) = selector.filter(|selector| !selector.is_empty()) else { return Ok(None) };
        let selected = |deployment: &Value| {
            let labels = deployment.pointer("/spec/template/metadata/labels");
            let has = |(key, value): (&String, &Value)| labels.and_then(|labels| labels.get(key)) == Some(value);
            selector.iter().all(has).then(|| deployment.clone())
        };
        let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments");
        let mut found = self.all(&path, &format!("deployments in {namespace}"), selected).await?.into_iter().flatten();
        Ok(found.next().filter(|_| found.next().is_none()))
    }

    /// All webhooks that call an injector, in the order of the names of their configurations.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn webhooks(&self) -> Result<Vec<Registered>, ReadError> {
        const PATH: &str = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
        let all = self.all(PATH, "mutatingwebhookconfigurations.admissionregistration.k8s.io", registered).await?;
        Ok(all.into_iter().flatten().collect())
    }

    async fn ask(&self, path: &str, what: &str, verb: &'static str) -> Result<Value, ReadError> {
        let failed = |message: String| ReadError::Failed { what: what.to_owned(), message };
        let request = Request::get(path).body(Vec::new()).map_err(|error| failed(error.to_string()))?;
        match timeout(PATIENCE, self.client.request::<Value>(request)).await {
            Ok(Ok(object)) => Ok(object),
            Ok(Err(kube::Error::Api(status))) => Err(refused(&status, what, verb)),
            Ok(Err(kube::Error::Service(error))) => Err(failed(format!(
                "the API server at {} cannot be reached: {}; is the right cluster named (--context, --kubeconfig)?",
                self.address,
                with_causes(&*error)
            ))),
            Ok(Err(error)) => Err(failed(with_causes(&error))),
            Err(_) => Err(failed(format!(
                "the API server at {} has not answered within {} s",
                self.address,
                PATIENCE.as_secs()
            ))),
        }
    }
}

fn refused(status: &Status, what: &str, verb: &'static str) -> ReadError {
    let (what, message) = (what.to_owned(), status.message.clone());
    match status.code {
        403 => ReadError::Forbidden { what, verb, message },
        404 => ReadError::NotFound { what },
        410 => {
            ReadError::Failed { what, message: "the list has taken too long, and has expired; try again".to_owned() }
        }
        code => ReadError::Failed { what, message: format!("{message} ({code})") },
    }
}

impl NamespaceRead {
    fn of(namespace: &Value) -> Self {
        let annotations = metadata_map(namespace, "annotations").clone();
        Self { facts: NamespaceFacts::of(namespace), annotations }
    }
}
