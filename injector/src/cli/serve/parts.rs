//! What runs beside the server, and what the parts share.

use std::convert::Infallible;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use sidecar_contract::config::INJECTOR_NAME;
use sidecar_process::readiness::Readiness;
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};

use super::{CertificateSource, Serve};
use crate::certificates::CaBundle;
use crate::cli::Failure;
use crate::cli::kubernetes::Connection;
use crate::cli::registration::named;
use crate::events::Events;
use crate::kubernetes::registration::{KeepRegistered, follow_bundle_file, keep_registered};
use crate::kubernetes::{events, lease};
use crate::metrics::Metrics;
use crate::registration::enables_namespaces_by_default;
use crate::server::Current;
use crate::server::certificate::ServingCertificate;

/// What the parts of a serving injector share.
pub(super) struct Parts {
    pub(super) current: Current,
    pub(super) metrics: Arc<Metrics>,
    pub(super) readiness: Readiness,
    pub(super) events: Events,
    pub(super) serving: ServingCertificate,
    /// What clients are to trust, as far as the certificate's source tells.
    pub(super) bundle: watch::Receiver<Option<CaBundle>>,
    /// What the webhook configurations hold, as far as the registration tells.
    pub(super) published: watch::Sender<Option<CaBundle>>,
    /// Whether this replica is the one that writes; never without a cluster.
    pub(super) leads: watch::Receiver<bool>,
    pub(super) election: Candidacy,
    /// None where no part needs a cluster.
    pub(super) connection: Option<Connection>,
    pub(super) tasks: Tasks,
}

/// Tasks that run as long as the process.
#[derive(Default)]
pub(super) struct Tasks(JoinSet<Infallible>);

/// This replica's part in the election, if there is one.
#[derive(Default)]
pub(super) struct Candidacy {
    end: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Tasks {
    pub(super) fn spawn(&mut self, task: impl Future<Output = Infallible> + Send + 'static) {
        self.0.spawn(task);
    }

    /// Completes when one has panicked, which is a defect: a process that goes on with a part missing would be worse than
    /// one that is started again.
    pub(super) async fn ended(&mut self) -> Failure {
        match self.0.join_next().await {
            Some(Ok(never)) => match never {},
            Some(Err(error)) => Failure::of(&error),
            None => std::future::pending().await,
        }
    }
}

impl Candidacy {
    /// Gives the Lease back, in two seconds at most.
    pub(super) async fn resign(&mut self) {
        if let Some((end, election)) = self.end.take() {
            let _ = end.send(());
            let _ = election.await;
        }
    }
}

impl Parts {
    /// Connects to the cluster where one is needed, and takes part in the election where somebody has to write.
    pub(super) async fn new(serve: &Serve) -> Result<Self, Failure> {
        let source = serve.certificate_source();
        let writes = serve.register || source == CertificateSource::Managed;
        let needs_cluster = writes || source == CertificateSource::Secret || !serve.has_files();
        let readiness = Readiness::new();
        let connection = if needs_cluster { Some(serve.client.connect().await?) } else { None };
        let (leads, election, events) = match &connection {
            Some(connection) => {
                let (leads, election) = if writes { elect(serve, connection, &readiness) } else { nobody() };
                (leads, election, if serve.events { write_events(serve, connection) } else { Events::default() })
            }
            None => {
                let (leads, election) = nobody();
                (leads, election, Events::default())
            }
        };
        Ok(Self {
            current: Current::default(),
            metrics: Arc::default(),
            readiness,
            events,
            serving: ServingCertificate::default(),
            bundle: watch::channel(None).1,
            published: watch::channel(None).0,
            leads,
            election,
            connection,
            tasks: Tasks::default(),
        })
    }

    /// The way to the cluster.
    pub(super) fn connection(&self) -> Result<Connection, Failure> {
        let missing = || Failure { messages: vec!["there is no cluster to talk to; give --kubeconfig".to_owned()] };
        self.connection.clone().ok_or_else(missing)
    }
}

impl Serve {
    /// Keeps the webhook configurations right, with `--register`.
    pub(super) fn start_registration(&self, parts: &mut Parts) -> Result<(), Failure> {
        if !self.register {
            return Ok(());
        }
        let Connection { client, namespace } = parts.connection()?;
        let settings = self.registration.settings(self.revision(), &namespace);
        settings.configurations().map_err(|errors| Failure::of_all(&errors))?;
        let bundle = match &self.registration.ca_bundle_file {
            Some(path) if self.certificate_source() != CertificateSource::Files => {
                let (sender, bundle) = watch::channel(None);
                parts.tasks.spawn(follow_bundle_file(path.clone(), sender));
                bundle
            }
            _ => parts.bundle.clone(),
        };
        let (current, serving) = (Arc::clone(&parts.current), parts.serving.clone());
        let keep = KeepRegistered {
            client,
            settings,
            owner: self.registration.owner(self.revision()),
            enables_namespaces_by_default: Arc::new(move || {
                Some(enables_namespaces_by_default(&current.load().as_ref()?.configuration.values))
            }),
            leads: parts.leads.clone(),
            bundle,
            published: parts.published.clone(),
            keeps_bundle: self.registration.keeps_bundle(),
            served: Arc::new(move || {
                serving.chain().map(|chain| chain.iter().cloned().collect::<Vec<CertificateDer<'static>>>())
            }),
            metrics: Arc::clone(&parts.metrics),
            events: parts.events.clone(),
            condition: Some(parts.readiness.register_optional("registration")),
        };
        parts.tasks.spawn(keep_registered(keep));
        Ok(())
    }

    /// What this replica is called.
    fn identity(&self) -> String {
        let host = || nix::unistd::gethostname().ok()?.into_string().ok();
        self.pod_name.clone().or_else(host).unwrap_or_else(|| INJECTOR_NAME.to_owned())
    }
}

fn nobody() -> (watch::Receiver<bool>, Candidacy) {
    (watch::channel(false).1, Candidacy::default())
}

fn elect(
    serve: &Serve,
    Connection { client, namespace }: &Connection,
    readiness: &Readiness,
) -> (watch::Receiver<bool>, Candidacy) {
    let name = serve.leader_elect_lease.clone().unwrap_or_else(|| named(INJECTOR_NAME, serve.revision()));
    let (end, ending) = oneshot::channel();
    let shutdown = async { drop(ending.await) };
    let condition = Some(readiness.register_optional("leader election"));
    let (leads, election) = lease::elect(client.clone(), namespace, &name, &serve.identity(), condition, shutdown);
    (leads, Candidacy { end: Some((end, election)) })
}

fn write_events(serve: &Serve, connection: &Connection) -> Events {
    let (events, queue) = Events::channel();
    tokio::spawn(events::write(connection.client.clone(), queue, serve.identity()));
    events
}
