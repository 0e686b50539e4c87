//! Leader election on a Lease of the API server.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::time::{Duration, UNIX_EPOCH};

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, ObjectMeta, PostParams};
use kube::{Client, Error};
use sidecar_process::readiness::Condition;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::with_causes;
use crate::clock;
use crate::election::{Election, LEASE_DURATION, RETRY_PERIOD, Record, Step};

/// A request that takes longer has failed.
const REQUEST: Duration = Duration::from_secs(5);
/// How long giving the Lease back may take at the end.
const RELEASE: Duration = Duration::from_secs(2);

/// Takes part in the election on a Lease until `shutdown` completes, then gives it back. `identity` is for people: a
/// random part makes it nobody else's.
///
/// `leads` is told whether this replica leads, with false when the future ends, however that comes. `condition` tells who
/// leads, or why nobody can; best one that the process is ready without.
pub async fn stand(
    client: Client,
    namespace: String,
    name: String,
    identity: String,
    condition: Option<Condition>,
    leads: watch::Sender<bool>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) {
    let identity = format!("{identity}_{:016x}", RandomState::new().build_hasher().finish());
    let candidate = Candidate {
        leases: Api::namespaced(client, &namespace),
        name,
        election: Election::new(identity.clone()),
        identity,
        began: Instant::now(),
        leads,
        condition,
        problem: None,
    };
    candidate.run(shutdown).await;
}

impl Drop for Candidate {
    fn drop(&mut self) {
        self.leads.send_if_modified(|told| std::mem::replace(told, false));
    }
}

struct Candidate {
    leases: Api<Lease>,
    name: String,
    identity: String,
    election: Election,
    /// Where this process' monotonic clock has its zero.
    began: Instant,
    leads: watch::Sender<bool>,
    condition: Option<Condition>,
    /// Why the last attempt failed.
    problem: Option<Problem>,
}

enum Problem {
    /// What the API server said.
    Refused(String),
    /// Why it said nothing.
    Unreachable(String),
}

impl Candidate {
    async fn run(mut self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            let until = self.election.held_until().map(|until| self.began + until);
            let attempt = tokio::select! {
                () = &mut shutdown => break,
                attempt = timeout(REQUEST, self.attempt()) => Some(attempt),
                // An answer that has not come by now comes too late.
                () = ended(until) => None,
            };
            let problem = match attempt {
                Some(Ok(Ok(()))) => None,
                Some(Ok(Err(Error::Api(status)))) => Some(Problem::Refused(status.message)),
                Some(Ok(Err(error))) => Some(Problem::Unreachable(with_causes(&error))),
                Some(Err(_)) => Some(Problem::Unreachable("no answer in time".to_owned())),
                None => {
                    self.election.resign();
                    Some(Problem::Unreachable("no answer in time".to_owned()))
                }
            };
            self.hear(problem);
            self.tell();
            let until = self.election.held_until().map(|until| self.began + until);
            tokio::select! {
                () = &mut shutdown => break,
                () = sleep(RETRY_PERIOD + jitter()) => {}
                () = ended(until) => self.election.resign(),
            }
            self.tell();
        }
        let is_leader = self.election.is_leader(self.began.elapsed());
        self.election.resign();
        self.tell();
        if is_leader && !matches!(timeout(RELEASE, self.release()).await, Ok(Ok(()))) {
            tracing::warn!(lease = self.name, "the Lease could not be given back; another replica waits for its end");
        }
    }

    async fn attempt(&mut self) -> Result<(), Error> {
        let present = self.leases.get_opt(&self.name).await?;
        let last = present.as_ref().map(record);
        let transitions = last.as_ref().map_or(0, |last| last.transitions);
        let began = self.began.elapsed();
        let (transitions, takes) = match self.election.read(last, began) {
            Step::Wait => return Ok(()),
            Step::Take { transitions } => (transitions, true),
            Step::Renew => (transitions, false),
        };
        let mut lease = present.unwrap_or_default();
        let now = micro_time();
        let former = lease.spec.take().unwrap_or_default();
        lease.spec = Some(LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(LEASE_DURATION.as_secs()).ok(),
            acquire_time: if takes { now.clone() } else { former.acquire_time.or(now.clone()) },
            renew_time: now,
            lease_transitions: Some(transitions),
            ..former
        });
        if let Some(written) = self.write(lease).await? {
            self.election.written(record(&written), began);
        }
        Ok(())
    }

    /// None when somebody else was faster.
    async fn write(&self, mut lease: Lease) -> Result<Option<Lease>, Error> {
        let parameters = PostParams::default();
        let written = if lease.metadata.resource_version.is_some() {
            self.leases.replace(&self.name, &parameters, &lease).await
        } else {
            lease.metadata = ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() };
            self.leases.create(&parameters, &lease).await
        };
        match written {
            Ok(lease) => Ok(Some(lease)),
            Err(Error::Api(status)) if status.code == 409 => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn release(&self) -> Result<(), Error> {
        let Some(mut lease) = self.leases.get_opt(&self.name).await? else { return Ok(()) };
        if record(&lease).holder != self.identity {
            return Ok(());
        }
        if let Some(spec) = &mut lease.spec {
            (spec.holder_identity, spec.renew_time) = (Some(String::new()), micro_time());
        }
        self.write(lease).await.map(|_| ())
    }

    /// Takes in how an attempt ended, and logs what is news.
    fn hear(&mut self, problem: Option<Problem>) {
        match &problem {
            _ if is_same(problem.as_ref(), self.problem.as_ref()) => return,
            Some(problem) => {
                tracing::warn!(lease = self.name, "the Lease cannot be held: {problem}; tried again until it can");
            }
            None => tracing::info!(lease = self.name, "the API server answers about the Lease again"),
        }
        self.problem = problem;
    }

    fn tell(&self) {
        let leads = self.election.is_leader(self.began.elapsed());
        match (&self.condition, &self.problem) {
            (Some(condition), Some(problem)) => {
                condition.failed(format!("the Lease {} cannot be held: {problem}", self.name));
            }
            (Some(condition), None) if leads => condition.ready_with("this replica leads"),
            (Some(condition), None) => condition.ready_with("another replica leads"),
            (None, _) => {}
        }
        let is_news = self.leads.send_if_modified(|told| std::mem::replace(told, leads) != leads);
        if is_news {
            tracing::info!(leads, lease = self.name, identity = self.identity, "leadership");
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(message) => f.write_str(message),
            Self::Unreachable(cause) => write!(f, "the API server does not answer: {cause}"),
        }
    }
}

/// The ways in which it does not answer change, and are no news.
fn is_same(one: Option<&Problem>, other: Option<&Problem>) -> bool {
    match (one, other) {
        (Some(Problem::Refused(one)), Some(Problem::Refused(other))) => one == other,
        (Some(Problem::Unreachable(_)), Some(Problem::Unreachable(_))) | (None, None) => true,
        _ => false,
    }
}

async fn ended(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until).await,
        None => std::future::pending().await,
    }
}

/// Up to a second, so that replicas do not ask in step.
fn jitter() -> Duration {
    Duration::from_millis(RandomState::new().build_hasher().finish() % 1000)
}

fn record(lease: &Lease) -> Record {
    let spec = lease.spec.as_ref();
    Record {
        holder: spec.and_then(|spec| spec.holder_identity.clone()).unwrap_or_default(),
        duration: Duration::from_secs(
            spec.and_then(|spec| spec.lease_duration_seconds).and_then(|seconds| seconds.try_into().ok()).unwrap_or(0),
        ),
        renewed: spec.and_then(|spec| spec.renew_time.as_ref()).map(|time| time.0.to_string()).unwrap_or_default(),
        transitions: spec.and_then(|spec| spec.lease_transitions).unwrap_or(0),
    }
}

fn micro_time() -> Option<MicroTime> {
    let since = clock::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_microsecond(i64::try_from(since.as_micros()).unwrap_or_default()).ok().map(MicroTime)
}
