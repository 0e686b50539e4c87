//! What one injection knows besides the pod, and what a template sees of it all.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use gotemplate::{IntKind, Struct, Value as Data};
use serde_json::{Map, Value};
use sidecar_contract::{annotation, config::DEFAULT_REVISION, container, identity};

use crate::annotations::AnnotationError;
use crate::config::Configuration;
use crate::containers;
use crate::decide::Subject;
use crate::image;
use crate::mode::Mode;
use crate::native::{self, Annotated};
use crate::openshift;
use crate::owner::Owner;
use crate::proxy_config::{ProxyConfig, ProxyConfigResource};
use crate::selection::Selection;
use crate::template::{self, structure};
use crate::warnings::{ANNOTATION_WITHOUT_EFFECT, Warning};
use crate::workload::{FieldError, metadata_map};

/// What one injector does, whoever asks: the settings that all its injections share. A clone shares the large parts.
#[derive(Clone, Debug)]
pub struct Injector {
    /// Templates, values and mesh settings.
    pub configuration: Arc<Configuration>,
    /// What is known of the cluster.
    pub cluster: Arc<Cluster>,
    /// What holds as long as it runs.
    pub settings: InjectorSettings,
}

/// What holds for an injector as long as it runs.
#[derive(Clone, Debug, Default)]
pub struct InjectorSettings {
    /// Whose result is wanted.
    pub mode: Mode,
    /// Revision of this injector; empty means `default`.
    pub revision: String,
    /// Whether sidecars are init containers with `restartPolicy: Always` (Kubernetes 1.29 and later).
    pub native_sidecars: native::Setting,
    /// Which rules the proxy's cryptography has to keep to, as `fips-140-2`; empty for none.
    pub compliance_policy: String,
    /// Whether the cluster is OpenShift, which gives each namespace a range of users.
    pub openshift: bool,
    /// Namespace of an object that names none; empty when it is not known.
    pub namespace: String,
}

/// What is known of the cluster. The default knows nothing, as on a command line. Each part can be replaced without a
/// copy of the others.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    /// Its nodes, which [`native::Setting::Auto`] asks; `None` where nobody watches them.
    pub nodes: Option<Arc<native::Nodes>>,
    /// Its ProxyConfig resources, in any order.
    pub proxy_configs: Arc<Vec<ProxyConfigResource>>,
    /// Annotations of its namespaces, by name, where they are known.
    pub namespaces: Arc<BTreeMap<String, Arc<Map<String, Value>>>>,
    /// What the API server asks before it calls an injector; none where it is not known, and within the webhook.
    pub selection: Option<Arc<Selection>>,
}

/// A namespace, as far as injection asks.
#[derive(Clone, Copy, Debug)]
pub struct Namespace<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its annotations.
    pub annotations: &'a Map<String, Value>,
}

/// Everything that one injection knows besides the pod.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The settings that all injections share.
    pub injector: &'a Injector,
    /// The object that the pod belongs to.
    pub owner: Owner<'a>,
    /// Where the pod is, by its metadata or by the request.
    pub namespace: Namespace<'a>,
    /// Variables of the sidecar that the path of the webhook gives.
    pub environment: &'a BTreeMap<String, String>,
}

/// What holds for one pod.
#[derive(Clone, Debug)]
pub struct PodSettings {
    /// ProxyConfig, with the pod's own over the mesh's.
    pub proxy_config: ProxyConfig,
    /// Whether its sidecar is an init container.
    pub native_sidecar: bool,
    /// Whether it would be, if the pod did not say.
    pub native_by_default: bool,
    /// What templates are to see as the annotation that says so.
    pub native_annotation: Option<String>,
    /// What its owner should know.
    pub warnings: Vec<Warning>,
}

/// Ports on which the sidecar answers for the application; 0 where it does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StatusPorts {
    pub(crate) probes: u16,
    pub(crate) metrics: u16,
    /// A probe that is sent there has been rewritten before.
    pub(crate) rewritten: u16,
}

impl InjectorSettings {
    /// An injector with these settings.
    pub fn injector(&self, configuration: Arc<Configuration>, cluster: Arc<Cluster>) -> Injector {
        Injector { configuration, cluster, settings: self.clone() }
    }
}

impl Injector {
    /// An injector with this configuration and nothing else out of the ordinary.
    pub fn new(configuration: impl Into<Arc<Configuration>>) -> Self {
        InjectorSettings::default().injector(configuration.into(), Arc::default())
    }

    /// The same with other settings.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut InjectorSettings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// The revision written into pods.
    pub fn revision_name(&self) -> &str {
        if self.settings.revision.is_empty() { DEFAULT_REVISION } else { &self.settings.revision }
    }

    /// What is known of the namespace `name`.
    pub fn namespace<'a>(&'a self, name: &'a str) -> Namespace<'a> {
        static NONE: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
        Namespace { name, annotations: self.cluster.namespaces.get(name).map_or(&*NONE, AsRef::as_ref) }
    }

    /// The labels of the namespace `name`; none where they are not known.
    pub fn namespace_labels(&self, name: &str) -> Option<Cow<'_, Map<String, Value>>> {
        self.cluster.selection.as_ref()?.labels_of(name)
    }

    /// What is to be decided of `pod`, in a namespace with these labels, and all that is known of the cluster for it.
    pub fn subject<'a>(
        &'a self,
        pod: &'a Value,
        namespace: &'a str,
        namespace_labels: Option<&'a Map<String, Value>>,
    ) -> Subject<'a> {
        Subject {
            pod,
            namespace,
            namespace_labels,
            webhooks: self.cluster.selection.as_ref().map(|selection| &*selection.webhooks),
            revision: Some(self.revision_name()),
        }
    }

    /// The context of an injection into a pod of `owner` in `namespace`.
    pub fn context<'a>(
        &'a self,
        owner: Owner<'a>,
        namespace: Namespace<'a>,
        environment: &'a BTreeMap<String, String>,
    ) -> Context<'a> {
        Context { injector: self, owner, namespace, environment }
    }
}

impl<'a> Context<'a> {
    /// Whose result is wanted.
    pub fn mode(&self) -> Mode {
        self.injector.settings.mode
    }

    /// The revision written into pods.
    pub fn revision(&self) -> &'a str {
        self.injector.revision_name()
    }

    /// What holds for `pod`: its annotations over the mesh's settings.
    ///
    /// # Errors
    /// When the annotation with a ProxyConfig cannot be read.
    pub fn settings_of(&self, pod: &Value) -> Result<PodSettings, AnnotationError> {
        let Injector { configuration, cluster, settings: InjectorSettings { native_sidecars, .. } } = self.injector;
        let Cluster { nodes, proxy_configs, .. } = &**cluster;
        let annotations = metadata_map(pod, "annotations");
        let text = |name: &str| annotations.get(name).and_then(Value::as_str);
        let given = text(annotation::PROXY_CONFIG);
        let proxy_config = ProxyConfig::effective(
            &configuration.mesh,
            proxy_configs,
            configuration.mesh.root_namespace(),
            self.namespace.name,
            metadata_map(pod, "labels"),
            given,
            self.mode(),
        )
        .map_err(|problem| AnnotationError::new(annotation::PROXY_CONFIG, given.unwrap_or_default(), problem))?;
        let node = pod.get("spec").and_then(|spec| spec.get("nodeName")?.as_str());
        let by_cluster = native::native(*native_sidecars, nodes.as_deref(), node);
        let annotated = text(annotation::NATIVE_SIDECAR).map(|value| native::annotated(value, self.mode()));
        let none = Annotated { native: None, shown: None, warning: None };
        let Annotated { native, shown, warning } = annotated.unwrap_or(none);
        let mut settings = PodSettings {
            proxy_config,
            native_sidecar: native.unwrap_or(by_cluster),
            native_by_default: by_cluster,
            native_annotation: shown.map(str::to_owned),
            warnings: warning.map(|text| Warning::new(ANNOTATION_WITHOUT_EFFECT, text)).into_iter().collect(),
        };
        if settings.native_sidecar && !self.mode().is_istio() && has_no_application(pod) {
            (settings.native_sidecar, settings.native_by_default) = (false, false);
            settings.native_annotation = None;
        }
        Ok(settings)
    }

    /// Where the sidecar of `pod` answers. Istio looks at the annotation for probes only, and at the pod's own ProxyConfig
    /// not at all.
    pub(crate) fn status_ports(&self, pod: &Value, settings: &PodSettings) -> StatusPorts {
        let given = metadata_map(pod, "annotations").get(annotation::STATUS_PORT).and_then(Value::as_str);
        let given = given.and_then(|port| port.trim().parse().ok());
        if self.mode().is_istio() {
            let mesh = self.injector.configuration.mesh.status_port();
            return StatusPorts { probes: given.unwrap_or(mesh), metrics: mesh, rewritten: mesh };
        }
        let port = given.unwrap_or_else(|| settings.proxy_config.status_port());
        StatusPorts { probes: port, metrics: port, rewritten: port }
    }

    /// Whether the application waits until the sidecar is ready. ProxyConfig resources have no say in it.
    pub fn holds_application(&self, settings: &PodSettings) -> bool {
        let proxy = self.injector.configuration.values.get("global").and_then(|global| global.get("proxy"));
        let by_values = proxy.and_then(|proxy| proxy.get("holdApplicationUntilProxyStarts")?.as_bool());
        settings.proxy_config.hold_application() || by_values.unwrap_or(false)
    }

    /// The template's dot: Istio's `SidecarTemplateData`, made of Go's types for pods and mesh config. Fields of the pod
    /// that those types do not have are left out.
    ///
    /// # Errors
    /// Every field of the pod that is of another type in Kubernetes.
    pub fn template_data(&self, pod: &Value, settings: &PodSettings) -> Result<Data, Vec<FieldError>> {
        let Injector { configuration, settings: InjectorSettings { compliance_policy, .. }, .. } = self.injector;
        let Configuration { values, mesh, settings: shared, .. } = &**configuration;
        let part = |name: &str| pod.get(name).unwrap_or(&Value::Null);
        let text = |text: &str| Data::string(text);
        let metadata = template::read("v1.ObjectMeta", part("metadata"), "metadata");
        let spec = template::read("v1.PodSpec", part("spec"), "spec");
        let (metadata, spec) = match (metadata, spec) {
            (Ok(metadata), Ok(spec)) => (in_namespace(metadata, self.namespace.name), spec),
            (metadata, spec) => return Err([metadata.err(), spec.err()].into_iter().flatten().flatten().collect()),
        };
        let owner = [("Kind", text(self.owner.kind)), ("APIVersion", text(self.owner.api_version))];
        let deployment = [("Name", text(self.owner.name)), ("Namespace", text(self.namespace.name))];
        let image_type = metadata_map(pod, "annotations").get(annotation::PROXY_IMAGE_TYPE).and_then(Value::as_str);
        let (user, group) = self.proxy_ids();
        // Istio's own templates look at the annotation themselves; others need not.
        let native = if self.mode().is_istio() { settings.native_by_default } else { settings.native_sidecar };
        Ok(structure(
            "inject.SidecarTemplateData",
            [
                ("TypeMeta", structure("v1.TypeMeta", owner)),
                ("DeploymentMeta", structure("types.NamespacedName", deployment)),
                ("ObjectMeta", metadata),
                ("Spec", spec),
                ("MeshConfig", shared.mesh_config.clone()),
                ("ProxyConfig", settings.proxy_config.to_template_value()),
                ("Values", shared.values.clone()),
                // Istio's command line knows no revision unless it is told one.
                (
                    "Revision",
                    text(if self.mode().is_istio() { &self.injector.settings.revision } else { self.revision() }),
                ),
                ("NativeSidecars", native.into()),
                ("ProxyImage", image::proxy_image(values, settings.proxy_config.image_type(), image_type).into()),
                ("ProxyInitImage", image::init_image(values, image_type).into()),
                ("ProxyUID", Data::Int(user, IntKind::Int64)),
                ("ProxyGID", Data::Int(group, IntKind::Int64)),
                ("InboundTrafficPolicyMode", text(mesh.inbound_traffic_policy_mode())),
                ("CompliancePolicy", text(compliance_policy)),
            ],
        ))
    }

    /// User and group of the proxy.
    fn proxy_ids(&self) -> (i64, i64) {
        if self.injector.settings.openshift {
            openshift::ids(self.namespace.annotations)
        } else {
            (identity::PROXY_UID.into(), identity::PROXY_GID.into())
        }
    }
}

/// Whether the pod is a gateway: nothing but a sidecar. A pod needs a container that is no init container.
fn has_no_application(pod: &Value) -> bool {
    containers::list(pod, containers::REGULAR).iter().all(|element| containers::is_named(element, container::PROXY))
}

/// The metadata with the namespace that the pod will be in, which its own may lack.
fn in_namespace(metadata: Data, namespace: &str) -> Data {
    match metadata {
        Data::Struct(metadata) => {
            let given = metadata.entries().map(|(name, value)| (name.as_bytes(), value.clone()));
            let namespace = (b"Namespace".as_slice(), Data::string(namespace));
            Struct::new(metadata.struct_type().clone(), given.chain([namespace])).into()
        }
        other => other,
    }
}
