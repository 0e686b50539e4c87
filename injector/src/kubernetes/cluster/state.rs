//! What the watches have told, and what that comes to.

use std::collections::BTreeSet;
use std::sync::Arc;

use kube::runtime::watcher::Event;
use serde_json::{Map, Value};

use crate::context::Cluster;
use crate::kubernetes::watching::{Mirror, Problem};
use crate::native::{Node, Nodes};
use crate::proxy_config::ProxyConfigResource;

const NODES: &str = "nodes";
const PROXY_CONFIGS: &str = "proxyconfigs.networking.istio.io";
const NAMESPACES: &str = "namespaces";

type Told<V> = Result<Event<(String, Option<V>)>, Problem>;
type Annotations = Arc<Map<String, Value>>;
type ProxyConfigRead = Result<ProxyConfigResource, String>;

/// What one of the watches tells.
#[derive(Debug)]
pub(super) enum Change {
    Nodes(Told<String>),
    ProxyConfigs(Told<ProxyConfigRead>),
    Namespaces(Told<Annotations>),
}

impl Change {
    /// What is wrong, and with which resource.
    pub(super) fn problem(&self) -> Option<(&'static str, &Problem)> {
        match self {
            Self::Nodes(Err(problem)) => Some((NODES, problem)),
            Self::ProxyConfigs(Err(problem)) => Some((PROXY_CONFIGS, problem)),
            Self::Namespaces(Err(problem)) => Some((NAMESPACES, problem)),
            _ => None,
        }
    }
}

/// Everything that the watches have told.
#[derive(Debug)]
pub(super) struct State {
    nodes: Option<Watched<String>>,
    proxy_configs: Watched<ProxyConfigRead>,
    namespaces: Option<Watched<Annotations>>,
    /// What was made of it the last time.
    cluster: Cluster,
    /// The mistakes in resources that were told.
    told: BTreeSet<String>,
}

#[derive(Debug)]
struct Watched<V> {
    resource: &'static str,
    /// Whether the injector is ready without it where it is forbidden.
    is_optional: bool,
    mirror: Mirror<V>,
    problem: Option<Problem>,
    is_dirty: bool,
}

impl State {
    /// Nothing is known yet but what was `given`.
    pub(super) fn new(given: Cluster, nodes: bool, namespaces: bool) -> Self {
        Self {
            nodes: nodes.then(|| Watched::new(NODES, true)),
            proxy_configs: Watched::new(PROXY_CONFIGS, true),
            namespaces: namespaces.then(|| Watched::new(NAMESPACES, false)),
            cluster: given,
            told: BTreeSet::new(),
        }
    }

    /// Takes what a watch tells next, and says whether there may be another view now.
    pub(super) fn take(&mut self, change: Change) -> bool {
        match change {
            Change::Nodes(told) => self.nodes.as_mut().is_some_and(|watched| watched.take(told)),
            Change::ProxyConfigs(told) => self.proxy_configs.take(told),
            Change::Namespaces(told) => self.namespaces.as_mut().is_some_and(|watched| watched.take(told)),
        }
    }

    /// What is waited for, and why; none when there can be a view.
    pub(super) fn pending(&self) -> Option<String> {
        let waits = [
            self.nodes.as_ref().and_then(Watched::pending),
            self.proxy_configs.pending(),
            self.namespaces.as_ref().and_then(Watched::pending),
        ];
        let waits: Vec<String> = waits.into_iter().flatten().collect();
        (!waits.is_empty()).then(|| waits.join("; "))
    }

    /// What is known, and what is not, for people.
    pub(super) fn summary(&self) -> String {
        let parts = [
            self.nodes.as_ref().map(Watched::summary),
            Some(self.proxy_configs.summary()),
            self.namespaces.as_ref().map(Watched::summary),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
    }

    /// The view, with those parts new that have changed; none while something is waited for.
    pub(super) fn cluster(&mut self) -> Option<Cluster> {
        if self.pending().is_some() {
            return None;
        }
        if let Some(versions) = self.nodes.as_mut().and_then(Watched::changed) {
            let node =
                |(name, version): (&String, &String)| Node { name: name.clone(), kubelet_version: version.clone() };
            self.cluster.nodes = Some(Arc::new(versions.iter().map(node).collect::<Nodes>()));
        }
        if let Some(resources) = self.proxy_configs.changed() {
            let told = std::mem::take(&mut self.told);
            let mut readable = Vec::with_capacity(resources.len());
            for (name, resource) in resources {
                match resource {
                    Ok(resource) => readable.push(resource.clone()),
                    Err(mistake) => {
                        let text = format!("the ProxyConfig {name} has no effect: {mistake}");
                        if !told.contains(&text) {
                            tracing::warn!("{text}");
                        }
                        self.told.insert(text);
                    }
                }
            }
            self.cluster.proxy_configs = Arc::new(readable);
        }
        if let Some(annotations) = self.namespaces.as_mut().and_then(Watched::changed) {
            self.cluster.namespaces = Arc::new(annotations.clone());
        }
        Some(self.cluster.clone())
    }
}

impl<V: PartialEq> Watched<V> {
    fn new(resource: &'static str, is_optional: bool) -> Self {
        Self { resource, is_optional, mirror: Mirror::default(), problem: None, is_dirty: false }
    }

    fn take(&mut self, told: Told<V>) -> bool {
        match told {
            Ok(event) => {
                if self.problem.take().is_some() {
                    tracing::info!(resource = self.resource, "the watch goes on");
                }
                let is_different = self.mirror.take(event);
                self.is_dirty |= is_different;
                is_different
            }
            Err(problem) => {
                if self.problem.as_ref().map(Problem::code) != Some(problem.code()) {
                    match &problem {
                        Problem::NotInstalled => tracing::info!("{}", problem.text(self.resource)),
                        _ => tracing::warn!("{}", problem.text(self.resource)),
                    }
                }
                // Resources go with the definition of their kind.
                let is_emptied = problem == Problem::NotInstalled && self.mirror.set_empty();
                self.is_dirty |= is_emptied;
                let is_excused = self.problem.is_none() && self.is_excused(&problem) && self.mirror.known().is_none();
                self.problem = Some(problem);
                is_emptied || is_excused
            }
        }
    }

    fn is_excused(&self, problem: &Problem) -> bool {
        self.is_optional && matches!(problem, Problem::Forbidden(_) | Problem::NotInstalled)
    }

    fn pending(&self) -> Option<String> {
        match (&self.problem, self.mirror.known()) {
            (_, Some(_)) => None,
            (Some(problem), None) if self.is_excused(problem) => None,
            (Some(problem), None) => Some(problem.text(self.resource)),
            (None, None) => Some(format!("waiting for {}", self.resource)),
        }
    }

    fn summary(&self) -> String {
        let known = self.mirror.known().map(|known| format!("{} {}", known.len(), self.resource));
        let problem = self.problem.as_ref().map(|problem| problem.text(self.resource));
        match (known, problem) {
            (Some(known), None) => known,
            (Some(known), Some(problem)) => format!("{known} ({problem})"),
            (None, problem) => problem.unwrap_or_default(),
        }
    }

    /// What is known, if it has changed since this was asked last.
    fn changed(&mut self) -> Option<&std::collections::BTreeMap<String, V>> {
        if std::mem::take(&mut self.is_dirty) { self.mirror.known() } else { None }
    }
}

#[cfg(test)]
mod tests;
