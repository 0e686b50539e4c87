//! Certificates in a Secret: every replica serves what is there; the leader keeps it right, or somebody else does.

mod secret;
mod server_time;

use std::convert::Infallible;
use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::api::core::v1::{ObjectReference, Secret};
use kube::api::Api;
use kube::runtime::watcher;
use kube::{Client, Error};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::watching::{self, Problem};
use super::with_causes;
use crate::certificates::material::authorities;
use crate::certificates::{
    BUNDLE_KEY, CERTIFICATE_KEY, CaBundle, Data, Material, PRIVATE_KEY_KEY, Pair, Plan, Settings, Situation, plan,
};
use crate::events::{Event, Events};
use crate::latest::changed;
use crate::server::certificate_load::{Loader, Outlets};
use secret::{Written, data, foreign, is_ours, secret, sentence, write};

/// The label of what this program made, and may write.
pub const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "sidecar-injector");
/// A request that takes longer has failed.
const REQUEST: Duration = Duration::from_secs(10);
/// The clock can be set at any time.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// When something could not be written.
const TRY_AGAIN: Duration = Duration::from_secs(5);
/// Whatever is wrong, keys are not made and written more often than this.
const BETWEEN_WRITES: Duration = Duration::from_secs(1);

/// The Secret, and where to tell about it.
#[derive(Debug)]
pub struct SecretPlace {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Where to say what happens to it.
    pub events: Events,
}

/// Serves what is in a Secret, which this program makes and renews while `leadership` says that it is its turn.
///
/// `published` tells the bundle that the webhook configuration holds, and none as long as nobody knows: a new authority
/// signs once it is known to be there, or the old one is about to end. Runs for ever.
pub async fn manage(
    client: Client,
    place: SecretPlace,
    settings: Settings,
    leadership: watch::Receiver<bool>,
    mut published: watch::Receiver<Option<CaBundle>>,
    outlets: Outlets,
) -> Infallible {
    let mut keeper = Keeper::new(client, place, outlets, Some(settings));
    let (mut leadership, mut led) = (leadership, false);
    let mut secrets = watching::follow_object(keeper.secrets.clone(), &keeper.place.name);
    loop {
        tokio::select! {
            item = secrets.next() => keeper.take(item),
            () = changed(&mut leadership) => {}
            () = changed(&mut published) => {}
            () = sleep(keeper.wait()) => keeper.look_again().await,
        }
        let leads = *leadership.borrow_and_update();
        keeper.loader.tell(&keeper.origin);
        if leads && !std::mem::replace(&mut led, leads) {
            keeper.read_again().await;
        }
        led = leads;
        if !leads {
            // Another has to write now, and says what is wrong.
            keeper.failure = None;
        }
        if leads {
            let bundle = published.borrow_and_update().clone();
            keeper.lead(bundle.as_ref().map(|bundle| &*bundle.pem)).await;
        }
    }
}

/// Serves what somebody else writes into a Secret. Runs for ever.
pub async fn follow(client: Client, place: SecretPlace, outlets: Outlets) -> Infallible {
    let mut keeper = Keeper::new(client, place, outlets, None);
    let mut secrets = watching::follow_object(keeper.secrets.clone(), &keeper.place.name);
    loop {
        tokio::select! {
            item = secrets.next() => keeper.take(item),
            () = sleep(keeper.wait()) => keeper.look_again().await,
        }
        keeper.loader.tell(&keeper.origin);
    }
}

struct Keeper {
    client: Client,
    secrets: Api<Secret>,
    place: SecretPlace,
    origin: String,
    loader: Loader,
    /// None when somebody else writes the Secret.
    settings: Option<Settings>,
    /// None before the first answer; then the Secret, if there is one.
    present: Option<Option<Secret>>,
    /// The bundle in the Secret, and when it was first seen there.
    bundle: (String, Instant),
    last: Option<Material>,
    /// Somebody else's Secret has no bundle, and that was said.
    lacks_bundle: bool,
    /// The watch has failed, and nothing was read since.
    is_blind: bool,
    /// Why it could not be written.
    failure: Option<String>,
    /// When it was last to be written.
    written: Option<Instant>,
}

impl Keeper {
    fn new(client: Client, place: SecretPlace, outlets: Outlets, settings: Option<Settings>) -> Self {
        let origin = format!("Secret {}/{}", place.namespace, place.name);
        let loader = Loader::new(outlets);
        loader.tell(&origin);
        Self {
            secrets: Api::namespaced(client.clone(), &place.namespace),
            client,
            origin,
            loader,
            place,
            settings,
            present: None,
            bundle: (String::new(), Instant::now()),
            last: None,
            lacks_bundle: false,
            is_blind: false,
            failure: None,
            written: None,
        }
    }

    fn take(&mut self, item: Option<watcher::Result<Option<Secret>>>) {
        match item {
            Some(Ok(Some(secret))) if self.is_behind(&secret) => {}
            Some(Ok(secret)) => self.see(secret),
            Some(Err(error)) => {
                let Some(problem) = Problem::of(&error) else { return };
                self.is_blind = true;
                // Once it was read, it takes more than a watch that ends: it is read again first.
                if self.present.is_none() {
                    self.loader.load(&self.origin, Err(problem.text("it")));
                }
            }
            None => {}
        }
    }

    fn is_behind(&self, told: &Secret) -> bool {
        let known = self.present.as_ref().and_then(Option::as_ref).and_then(version);
        watching::is_behind(version(told), known)
    }

    /// A watch that failed says nothing when it goes on, and time makes some certificates usable.
    async fn look_again(&mut self) {
        if self.is_blind {
            self.read_again().await;
        } else if self.settings.is_none()
            && let Some(present) = self.present.take()
        {
            self.see(present);
        }
    }

    /// A watch can be behind; who begins to lead is not.
    async fn read_again(&mut self) {
        let problem = match timeout(REQUEST, self.secrets.get_opt(&self.place.name)).await {
            Ok(Ok(secret)) => return self.see(secret),
            Ok(Err(Error::Api(status))) => status.message.clone(),
            Ok(Err(error)) => with_causes(&error),
            Err(_) => "the API server does not answer".to_owned(),
        };
        self.is_blind = true;
        self.loader.load(&self.origin, Err(format!("cannot be read: {problem}")));
    }

    /// Serves what is in the Secret, as far as it can be used.
    fn see(&mut self, secret: Option<Secret>) {
        let was_there = matches!(self.present, Some(Some(_)));
        let read = match &secret {
            // The leader is about to make it.
            None if self.settings.is_some() && !was_there => {
                self.present = Some(None);
                return self.loader.tell(&self.origin);
            }
            None => Err("it does not exist".to_owned()),
            Some(secret) if self.settings.is_some() && !is_ours(secret) => Err(foreign()),
            Some(secret) => self.read(&data(secret)),
        };
        if let Some(problem) = self.loader.load(&self.origin, read) {
            self.tell(secret.as_ref(), true, "CertificateRejected", "Load", problem);
        }
        self.present = Some(secret);
        self.is_blind = false;
    }

    fn read(&mut self, data: &Data) -> Result<Pair, String> {
        let Some(settings) = &self.settings else {
            let text = |key: &str| {
                let bytes = data.get(key).ok_or_else(|| format!("{key} is missing"))?;
                String::from_utf8(bytes.clone()).map_err(|_| format!("{key} is not text"))
            };
            let bundle = text(BUNDLE_KEY).map(|pem| (authorities(&pem, &mut Vec::new()), pem));
            match bundle {
                Ok((found, pem)) if !found.is_empty() => {
                    self.loader.trust(pem, &found);
                    self.lacks_bundle = false;
                }
                _ if std::mem::replace(&mut self.lacks_bundle, true) => {}
                _ => tracing::warn!(
                    "{}: {BUNDLE_KEY} is missing or has no authority, so nothing there tells the API server whom to trust; \
                     put the authority's certificate there, or give --ca-bundle-file",
                    self.origin
                ),
            }
            let pair = Pair::new(text(CERTIFICATE_KEY)?, text(PRIVATE_KEY_KEY)?).map_err(|error| error.to_string())?;
            return self.loader.check(pair);
        };
        let (material, problems) = Material::read(data);
        let bundle = material.bundle();
        if self.bundle.0 != bundle {
            self.bundle = (bundle.clone(), Instant::now());
        }
        let is_signed =
            material.serving.as_ref().is_some_and(|pair| pair.is_signed_by(&material.authorities, &settings.names));
        if !material.authorities.is_empty() && is_signed {
            self.loader.trust(bundle, &material.authorities);
        }
        match &material.serving {
            Some(pair) if is_signed => {
                let pair = pair.clone();
                if problems.is_empty() && material.authority_of(material.signer.as_ref()).is_some() {
                    self.last = Some(material);
                }
                Ok(pair)
            }
            Some(_) => Err(format!("no authority in {BUNDLE_KEY} signed {CERTIFICATE_KEY} for this webhook's names")),
            None => Err(problems.join("; ")),
        }
    }

    /// How long nothing needs to be looked at.
    fn wait(&self) -> Duration {
        let is_well = self.failure.is_none() && !self.is_blind;
        let wait = if is_well { LOOK_AGAIN } else { TRY_AGAIN };
        let Some(settings) = &self.settings else { return wait };
        let step = (settings.lifetime / 20).min(settings.overlap / 4).max(Duration::from_millis(200));
        let pause = Some(self.pause()).filter(|pause| is_well && !pause.is_zero()).unwrap_or(wait);
        wait.min(step).min(pause)
    }

    /// How long nothing may be written.
    fn pause(&self) -> Duration {
        self.written.map_or(Duration::ZERO, |written| BETWEEN_WRITES.saturating_sub(written.elapsed()))
    }

    /// Writes what the Secret should hold.
    async fn lead(&mut self, published: Option<&str>) {
        if !self.pause().is_zero() {
            return;
        }
        let (Some(settings), Some(present)) = (&self.settings, &self.present) else { return };
        let ours = present.as_ref().is_none_or(is_ours);
        let data = present.as_ref().map(data);
        let now = (self.loader.outlets().clock)();
        let situation = Situation { now, bundle_age: self.bundle.1.elapsed(), published, last: self.last.as_ref() };
        let planned = match plan(data.as_ref(), settings, situation) {
            _ if !ours => return self.fail(foreign()),
            Ok(plan) if !plan.is_changed => {
                self.failure = None;
                return;
            }
            Ok(plan) => plan,
            Err(error) => return self.fail(error.to_string()),
        };
        if let Err(problem) = server_time::check(&self.client, now, settings.clock_tolerance).await {
            return self.fail(problem);
        }
        let secret = secret(&self.place, present.clone(), &planned.material);
        self.written = Some(Instant::now());
        match timeout(REQUEST, write(&self.secrets, &self.place.name, &secret)).await {
            Ok(Ok(Written::New(secret))) => {
                self.failure = None;
                self.said(&planned, &secret);
                self.see(Some(*secret));
            }
            Ok(Ok(Written::Conflict(present))) => {
                tracing::info!("{}: somebody else wrote it; it is read again", self.origin);
                self.see(present.map(|secret| *secret));
            }
            Ok(Err(error)) => self.fail(format!("cannot be written: {error}")),
            Err(_) => self.fail("cannot be written: the API server does not answer".to_owned()),
        }
    }

    fn said(&self, plan: &Plan, secret: &Secret) {
        for problem in &plan.problems {
            tracing::warn!("{}: {problem}; it was repaired", self.origin);
        }
        for change in &plan.changes {
            tracing::info!(change = change.label(), "{}: {}", self.origin, sentence(*change));
            self.loader.outlets().metrics.certificate.changed(change.label());
            self.tell(Some(secret), false, change.reason(), "Rotate", sentence(*change).to_owned());
        }
        if !plan.problems.is_empty() {
            let note = format!("{}; repaired", plan.problems.join("; "));
            self.tell(Some(secret), true, "CertificateRepaired", "Repair", note);
        }
    }

    fn fail(&mut self, problem: String) {
        self.loader.outlets().metrics.certificate.changed("failed");
        if self.failure.as_ref() != Some(&problem) {
            tracing::error!("{}: {problem}", self.origin);
            let present = self.present.as_ref().and_then(Option::as_ref);
            self.tell(present, true, "CertificateFailed", "Rotate", problem.clone());
        }
        self.failure = Some(problem);
    }

    fn tell(
        &self,
        secret: Option<&Secret>,
        is_warning: bool,
        reason: &'static str,
        action: &'static str,
        note: String,
    ) {
        let regarding = ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("Secret".to_owned()),
            name: Some(self.place.name.clone()),
            namespace: Some(self.place.namespace.clone()),
            uid: secret.and_then(|secret| secret.metadata.uid.clone()),
            ..ObjectReference::default()
        };
        self.place.events.tell(Event { regarding, is_warning, reason, action, note });
    }
}

fn version(secret: &Secret) -> Option<&str> {
    secret.metadata.resource_version.as_deref()
}

#[cfg(test)]
mod tests;
