//! A pod of processes in a network namespace: what the kubelet and the container runtime do, as far as it concerns
//! the network. There are no images and no volumes; an image stands for a program of this workspace.

use std::collections::BTreeMap;
use std::time::Duration;

use sidecar_test_support::binary::binary;
use sidecar_test_support::eventually::eventually;
use sidecar_test_support::namespace::Namespace;
use sidecar_test_support::process::{Output, Process};
use sidecar_test_support::program::{Confinement, Program};

use crate::address::{FAMILIES, Family, url};
use crate::container::{Container, HttpGet};
use crate::error::Error;
use crate::manifest::PodSpec;
use crate::scene::ask;

/// Images whose entry point is the program of the same name. Every other image is an application.
const OWN_IMAGES: [&str; 2] = ["sidecar-init", "sidecar-proxy"];
/// The user of an application whose manifest names none.
pub const APPLICATION_UID: u32 = 1000;
/// The port of an application whose manifest names none.
const APPLICATION_PORT: u16 = 8080;
/// How long an init container may run, and how long a container may take to get ready.
const PATIENCE: Duration = Duration::from_secs(20);

/// A pod. Dropped, its processes end first, then its namespace.
#[derive(Debug)]
pub struct Pod {
    spec: PodSpec,
    running: Vec<(Container, Process)>,
    namespace: Namespace,
}

impl Pod {
    /// A pod of which nothing runs yet.
    pub fn new(spec: PodSpec, namespace: Namespace) -> Self {
        Self { spec, running: Vec::new(), namespace }
    }

    /// What the manifest says.
    pub fn spec(&self) -> &PodSpec {
        &self.spec
    }

    /// Its network.
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// Runs the init containers, each to its end before the next; those that run as long as the pod, until ready.
    ///
    /// # Errors
    /// [`Error`] of the first that fails.
    pub fn run_init_containers(&mut self, kubelet: &Namespace) -> Result<(), Error> {
        for container in self.spec.init_containers.clone() {
            if container.restarts_always {
                self.start(container)?;
                self.wait_until_ready(kubelet)?;
            } else {
                self.run(&container)?;
            }
        }
        Ok(())
    }

    /// Starts the containers in order.
    ///
    /// # Errors
    /// [`Error`] of the first that cannot be started.
    pub fn start_containers(&mut self) -> Result<(), Error> {
        self.spec.containers.clone().into_iter().try_for_each(|container| self.start(container))
    }

    /// Waits until each container answers its readiness probe, which `kubelet` sends to the pod's address, or, when it
    /// has none, says that it listens.
    ///
    /// # Errors
    /// [`Error::NotReady`] with what the container wrote: at once when it ended, else when the patience has.
    pub fn wait_until_ready(&mut self, kubelet: &Namespace) -> Result<(), Error> {
        for (container, process) in &mut self.running {
            let not_ready = |why: String, process: &Process| {
                let wrote = process.stderr().join("\n");
                Error::NotReady(format!("container `{}` is not ready: {why}; it wrote:\n{wrote}", container.name))
            };
            let outcome = eventually(PATIENCE, || {
                if let Some(status) = process.ended()? {
                    return Ok(Err(not_ready(format!("it ended with {status}"), process)));
                }
                let HttpGet { path, port } = match &container.readiness {
                    Some(probe) => probe,
                    None if process.stderr().iter().any(|line| line.starts_with("listening")) => return Ok(Ok(())),
                    None => return Err(not_ready("it does not listen".to_owned(), process)),
                };
                ask(kubelet, 0, &url(Family::V4.pod(), *port, path)).map(|_| Ok(()))
            });
            outcome.map_err(|error| not_ready(error.last.to_string(), process))??;
        }
        Ok(())
    }

    /// Runs an init container once more, as after a restart of the pod.
    ///
    /// # Errors
    /// [`Error`] when there is none of this name, or it fails.
    pub fn run_init_container(&self, name: &str) -> Result<Output, Error> {
        let found = self.spec.init_containers.iter().find(|container| container.name == name);
        self.run(found.ok_or_else(|| Error::Manifest(format!("no init container `{name}`")))?)
    }

    /// The process of a container.
    ///
    /// # Errors
    /// [`Error::Manifest`] when none of this name was started.
    pub fn process(&mut self, name: &str) -> Result<&mut Process, Error> {
        let found = self.running.iter_mut().find(|(container, _)| container.name == name);
        found.map(|(_, process)| process).ok_or_else(|| Error::Manifest(format!("no container `{name}` runs")))
    }

    /// The first container that is none of ours.
    ///
    /// # Errors
    /// [`Error::Manifest`] when there is none.
    pub fn application(&self) -> Result<&Container, Error> {
        let found = self.spec.containers.iter().find(|container| !OWN_IMAGES.contains(&container.image_name()));
        found.ok_or_else(|| Error::Manifest("no container is an application".to_owned()))
    }

    /// The port that the application serves on.
    ///
    /// # Errors
    /// [`Error::Manifest`] when there is no application.
    pub fn application_port(&self) -> Result<u16, Error> {
        Ok(port_of(self.application()?))
    }

    fn run(&self, container: &Container) -> Result<Output, Error> {
        let mut process = self.namespace.spawn(&self.program(container)?)?;
        Ok(process.succeed(PATIENCE)?)
    }

    fn start(&mut self, container: Container) -> Result<(), Error> {
        let process = self.namespace.spawn(&self.program(&container)?)?;
        self.running.push((container, process));
        Ok(())
    }

    fn program(&self, container: &Container) -> Result<Program, Error> {
        let environment = container.environment(&self.fields())?;
        let image = container.image_name();
        let mut program = if OWN_IMAGES.contains(&image) {
            Program::new(binary(image)?).args(container.arguments(&environment)).confined(container.confinement.clone())
        } else {
            let user = if container.says_user { container.confinement.uid } else { APPLICATION_UID };
            let confinement = Confinement { uid: user, gid: user, ..container.confinement.clone() };
            let port = port_of(container).to_string();
            Program::new(binary("e2e-app")?).args(["serve", "--port", &port]).confined(confinement)
        };
        program.environment = environment;
        Ok(program)
    }

    /// What `fieldRef` may ask for.
    fn fields(&self) -> BTreeMap<String, String> {
        let addresses = FAMILIES.map(|family| family.pod().to_string()).join(",");
        let own = [
            ("metadata.name", self.spec.name.clone()),
            ("metadata.namespace", "default".to_owned()),
            ("metadata.uid", "00000000-0000-4000-8000-000000000000".to_owned()),
            ("spec.nodeName", "node".to_owned()),
            ("spec.serviceAccountName", self.spec.service_account.clone()),
            ("status.podIP", Family::V4.pod().to_string()),
            ("status.podIPs", addresses),
            ("status.hostIP", Family::V4.peer().to_string()),
        ];
        let own = own.map(|(path, value)| (path.to_owned(), value));
        own.into_iter().chain(self.spec.metadata.iter().cloned()).collect()
    }
}

fn port_of(container: &Container) -> u16 {
    container.ports.first().copied().unwrap_or(APPLICATION_PORT)
}
