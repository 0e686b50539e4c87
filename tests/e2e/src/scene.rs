//! A pod and a peer, wired together, and what they ask each other.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde_json::Value;
use sidecar_test_support::binary::binary;
use sidecar_test_support::eventually::eventually;
use sidecar_test_support::namespace::{End, Namespace, link};
use sidecar_test_support::process::Process;
use sidecar_test_support::program::{Confinement, Program};

use crate::address::{FAMILIES, Family, PREFIX_LENGTHS, url};
use crate::client::Answer;
use crate::counters::Counters;
use crate::error::Error;
use crate::manifest::PodSpec;
use crate::pod::Pod;

/// Name of the sidecar's container.
pub const PROXY: &str = "istio-proxy";
/// Name of the init container that writes the rules.
pub const INIT: &str = "istio-init";
/// Port of the sidecar's metrics.
const PROMETHEUS: u16 = 15090;
/// How long a server may take to listen.
const PATIENCE: Duration = Duration::from_secs(10);

/// A pod, and the rest of the world: a namespace that is its peer, its gateway and its kubelet.
#[derive(Debug)]
pub struct Scene {
    /// The pod.
    pub pod: Pod,
    /// Everybody else.
    pub peer: Namespace,
}

/// What a server answered: what it saw of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The HTTP status of its answer.
    pub status: u16,
    /// Who asked, as the server saw it.
    pub peer: SocketAddr,
    /// Where the server was reached.
    pub local: SocketAddr,
}

impl Scene {
    /// Wires a pod and a peer together. Nothing runs yet.
    ///
    /// # Errors
    /// [`Error::Manifest`], or [`Error::Process`] when the network cannot be made.
    pub fn set(injected: &str) -> Result<Self, Error> {
        let spec = PodSpec::read(injected)?;
        let (namespace, peer) = (Namespace::create("sidecar-pod")?, Namespace::create("sidecar-peer")?);
        let with_lengths = |addresses: [IpAddr; 2]| [0, 1].map(|at| (addresses[at], PREFIX_LENGTHS[at]));
        link(
            End { namespace: &namespace, interface: "eth0", addresses: &with_lengths(FAMILIES.map(Family::pod)) },
            End { namespace: &peer, interface: "eth0", addresses: &with_lengths(FAMILIES.map(Family::peer)) },
        )?;
        for family in FAMILIES {
            namespace.route_everything_via(family.peer())?;
        }
        Ok(Self { pod: Pod::new(spec, namespace), peer })
    }

    /// Brings the pod up as a kubelet would: init containers, containers, readiness.
    ///
    /// # Errors
    /// [`Error`] of the first thing that fails.
    pub fn start(&mut self) -> Result<(), Error> {
        self.pod.run_init_containers(&self.peer)?;
        self.pod.start_containers()?;
        self.pod.wait_until_ready(&self.peer)
    }

    /// Asks the pod from the peer.
    ///
    /// # Errors
    /// [`Error`] when there is no good answer.
    pub fn ask_pod(&self, family: Family, port: u16, path: &str) -> Result<Seen, Error> {
        seen(&ask(&self.peer, 0, &url(family.pod(), port, path))?)
    }

    /// Asks the peer from the pod, as the user `uid`.
    ///
    /// # Errors
    /// [`Error`] when there is no good answer.
    pub fn ask_peer(&self, uid: u32, family: Family, port: u16, path: &str) -> Result<Seen, Error> {
        seen(&ask(self.pod.namespace(), uid, &url(family.peer(), port, path))?)
    }

    /// Reads the proxy's counters as a scraper does, from outside.
    ///
    /// # Errors
    /// [`Error`] when the metrics cannot be had or understood.
    pub fn counters(&self) -> Result<Counters, Error> {
        Counters::read(&ask(&self.peer, 0, &url(Family::V4.pod(), PROMETHEUS, "/stats/prometheus"))?.body)
    }
}

/// Starts a server of both families in a namespace, and waits until it listens.
///
/// # Errors
/// [`Error::NotReady`] with what it wrote.
pub fn serve(namespace: &Namespace, confinement: Confinement, port: u16) -> Result<Process, Error> {
    let arguments = ["serve".to_owned(), "--port".to_owned(), port.to_string()];
    let server = namespace.spawn(&Program::new(binary("e2e-app")?).args(arguments).confined(confinement))?;
    eventually(PATIENCE, || {
        let wrote = server.stderr();
        if wrote.iter().any(|line| line.starts_with("listening")) { Ok(()) } else { Err(wrote.join("\n")) }
    })
    .map_err(|error| Error::NotReady(format!("the server on port {port} does not listen: {error}")))?;
    Ok(server)
}

/// Asks for `url` in a namespace as the user `uid`, and requires a good status.
///
/// # Errors
/// [`Error::Process`] with the client's words.
pub fn ask(from: &Namespace, uid: u32, url: &str) -> Result<Answer, Error> {
    answer(&from.run(&client(uid, url)?)?.stdout)
}

/// Reads what [`client`] printed.
///
/// # Errors
/// [`Error::Unexpected`].
pub fn answer(printed: &str) -> Result<Answer, Error> {
    let parts = printed.split_once('\n').and_then(|(status, body)| Some((status.parse().ok()?, body.to_owned())));
    let answer = parts.map(|(status, body)| Answer { status, body });
    answer.ok_or_else(|| Error::Unexpected { what: "the client's output", found: printed.to_owned() })
}

/// The program that asks for `url`.
///
/// # Errors
/// [`Error::MissingBinary`].
pub fn client(uid: u32, url: &str) -> Result<Program, Error> {
    Ok(Program::new(binary("e2e-app")?).args(["get", url]).user(uid))
}

/// Reads what the server saw from its answer.
///
/// # Errors
/// [`Error::Unexpected`].
pub fn seen(answer: &Answer) -> Result<Seen, Error> {
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let address = |key: &str| body[key].as_str()?.parse().ok();
    let seen = address("peer").zip(address("local")).map(|(peer, local)| Seen { status: answer.status, peer, local });
    seen.ok_or_else(|| Error::Unexpected { what: "the server's answer", found: answer.body.clone() })
}
