//! What runs beside the server, and what the parts share.

use std::convert::Infallible;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use sidecar_contract::config::INJECTOR_NAME;
use sidecar_process::readiness::Readiness;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

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
    /// For whoever takes part in the election; none where nobody writes.
    leading: Option<watch::Sender<bool>>,
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
    end: Option<(oneshot::Sender<()>, oneshot::Receiver<()>)>,
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
    /// Connects to the cluster where one is needed.
    pub(super) async fn new(serve: &Serve) -> Result<Self, Failure> {
        let source = serve.certificate_source();
        let writes = serve.register || source == CertificateSource::Managed;
        let needs_cluster = writes || source == CertificateSource::Secret || !serve.has_files();
        let readiness = Readiness::new();
        let connection = if needs_cluster { Some(serve.client.connect().await?) } else { None };
        let (leading, leads) = watch::channel(false);
        let (metrics, mut tasks) = (Arc::<Metrics>::default(), Tasks::default());
        let events = match &connection {
            Some(connection) if serve.events => write_events(serve, connection, &mut tasks),
            _ => Events::default(),
        };
        Ok(Self {
            current: Current::default(),
            metrics,
            readiness,
            events,
            serving: ServingCertificate::default(),
            bundle: watch::channel(None).1,
            published: watch::channel(None).0,
            leads,
            leading: writes.then_some(leading),
            election: Candidacy::default(),
            connection,
            tasks,
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

    /// Takes part in the election where somebody has to write: last, as who leads has to be there.
    pub(super) fn start_election(&self, parts: &mut Parts) -> Result<(), Failure> {
        let Some(leading) = parts.leading.take() else { return Ok(()) };
        let Connection { client, namespace } = parts.connection()?;
        let name = self.leader_elect_lease.clone().unwrap_or_else(|| named(INJECTOR_NAME, self.revision()));
        let (end, ending) = oneshot::channel();
        let (over, ended) = oneshot::channel();
        let condition = Some(parts.readiness.register_optional("leader election"));
        let shutdown = async { drop(ending.await) };
        let election = lease::stand(client, namespace, name, self.identity(), condition, leading, shutdown);
        parts.election = Candidacy { end: Some((end, ended)) };
        parts.tasks.spawn(tell_leadership(parts.leads.clone(), Arc::clone(&parts.metrics)));
        parts.tasks.spawn(async {
            election.await;
            let _ = over.send(());
            std::future::pending().await
        });
        Ok(())
    }

    /// What this replica is called.
    fn identity(&self) -> String {
        let host = || nix::unistd::gethostname().ok()?.into_string().ok();
        self.pod_name.clone().or_else(host).unwrap_or_else(|| INJECTOR_NAME.to_owned())
    }
}

fn write_events(serve: &Serve, connection: &Connection, tasks: &mut Tasks) -> Events {
    let (events, queue) = Events::channel();
    let writing = events::write(connection.client.clone(), queue, serve.identity());
    tasks.spawn(async {
        writing.await;
        // Nobody is left who could tell one.
        std::future::pending().await
    });
    events
}

async fn tell_leadership(mut leads: watch::Receiver<bool>, metrics: Arc<Metrics>) -> Infallible {
    loop {
        metrics.leadership.leads(*leads.borrow_and_update());
        if leads.changed().await.is_err() {
            metrics.leadership.leads(*leads.borrow());
            return std::future::pending().await;
        }
    }
}
