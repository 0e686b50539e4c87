//! Certificates in a Secret: every replica serves what is there; the leader keeps it right, or somebody else does.

use std::convert::Infallible;
use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{ObjectReference, Secret};
use kube::api::{Api, ObjectMeta, PostParams};
use kube::runtime::watcher;
use kube::{Client, Error};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::watching::{self, Problem};
use crate::certificates::material::authorities;
use crate::certificates::{
    BUNDLE_KEY, CERTIFICATE_KEY, CaBundle, Change, Data, Material, PRIVATE_KEY_KEY, Pair, Plan, Settings, Situation,
    plan,
};
use crate::events::{Event, Events};
use crate::server::certificate_load::{Loader, Outlets};

/// The label of what this program made, and may write.
pub const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "sidecar-injector");
/// The type of Secrets for TLS; the API server holds it to having a certificate and a key.
const SECRET_TYPE: &str = "kubernetes.io/tls";
/// A request that takes longer has failed.
const REQUEST: Duration = Duration::from_secs(10);
/// The clock can be set at any time.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// When something could not be written.
const TRY_AGAIN: Duration = Duration::from_secs(5);

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
/// `published` tells the bundle that the webhook configuration holds, where somebody knows; without it, time alone decides
/// when a new authority may sign. Runs for ever.
pub async fn manage(
    client: Client,
    place: SecretPlace,
    settings: Settings,
    leadership: watch::Receiver<bool>,
    published: Option<watch::Receiver<Option<CaBundle>>>,
    outlets: Outlets,
) -> Infallible {
    let mut keeper = Keeper::new(client, place, outlets, Some(settings));
    // A channel whose sender is gone never changes again.
    let (_kept, none) = watch::channel(None);
    let mut published = published.map_or((none, false), |published| (published, true));
    let (mut leadership, mut led) = (leadership, false);
    let mut secrets = watching::follow_object(keeper.secrets.clone(), &keeper.place.name);
    loop {
        tokio::select! {
            item = secrets.next() => keeper.take(item),
            () = changed(&mut leadership) => {}
            () = changed(&mut published.0) => {}
            () = sleep(keeper.wait()) => {}
        }
        let leads = *leadership.borrow_and_update();
        keeper.loader.outlets().metrics.certificate.leads(leads);
        keeper.loader.tell(&keeper.origin);
        if leads && !std::mem::replace(&mut led, leads) {
            keeper.read_again().await;
        }
        led = leads;
        if leads {
            let bundle = published.0.borrow_and_update().clone();
            let bundle = published.1.then(|| bundle.map(|bundle| bundle.pem).unwrap_or_default());
            keeper.lead(bundle.as_deref()).await;
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
            () = sleep(LOOK_AGAIN) => {}
        }
        keeper.loader.tell(&keeper.origin);
    }
}

struct Keeper {
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
    has_failed: bool,
}

impl Keeper {
    fn new(client: Client, place: SecretPlace, outlets: Outlets, settings: Option<Settings>) -> Self {
        let origin = format!("Secret {}/{}", place.namespace, place.name);
        let loader = Loader::new(outlets);
        loader.tell(&origin);
        Self {
            secrets: Api::namespaced(client, &place.namespace),
            origin,
            loader,
            place,
            settings,
            present: None,
            bundle: (String::new(), Instant::now()),
            last: None,
            has_failed: false,
        }
    }

    fn take(&mut self, item: Option<watcher::Result<Option<Secret>>>) {
        match item {
            Some(Ok(secret)) => self.see(secret),
            Some(Err(error)) => {
                if let Some(problem) = Problem::of(&error) {
                    self.loader.load(&self.origin, Err(problem.text("it")));
                }
            }
            None => {}
        }
    }

    /// A watch can be behind; who begins to lead is not.
    async fn read_again(&mut self) {
        if let Ok(Ok(secret)) = timeout(REQUEST, self.secrets.get_opt(&self.place.name)).await {
            self.see(secret);
        }
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
    }

    fn read(&mut self, data: &Data) -> Result<Pair, String> {
        let Some(settings) = &self.settings else {
            let text = |key: &str| {
                let bytes = data.get(key).ok_or_else(|| format!("{key} is missing"))?;
                String::from_utf8(bytes.clone()).map_err(|_| format!("{key} is not text"))
            };
            if let Ok(pem) = text(BUNDLE_KEY) {
                let found = authorities(&pem, &mut Vec::new());
                if !found.is_empty() {
                    self.loader.trust(pem, &found);
                }
            }
            return Pair::new(text(CERTIFICATE_KEY)?, text(PRIVATE_KEY_KEY)?).map_err(|error| error.to_string());
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
        let Some(settings) = &self.settings else { return LOOK_AGAIN };
        let step = (settings.lifetime / 20).min(settings.overlap / 4).max(Duration::from_millis(200));
        let wait = if self.has_failed { TRY_AGAIN } else { LOOK_AGAIN };
        wait.min(step)
    }

    /// Writes what the Secret should hold.
    async fn lead(&mut self, published: Option<&str>) {
        let (Some(settings), Some(present)) = (&self.settings, &self.present) else { return };
        let ours = present.as_ref().is_none_or(is_ours);
        let data = present.as_ref().map(data);
        let now = (self.loader.outlets().clock)();
        let situation = Situation { now, bundle_age: self.bundle.1.elapsed(), published, last: self.last.as_ref() };
        let planned = match plan(data.as_ref(), settings, situation) {
            _ if !ours => return self.fail(foreign()),
            Ok(plan) if !plan.is_changed => {
                self.has_failed = false;
                return;
            }
            Ok(plan) => plan,
            Err(error) => return self.fail(error.to_string()),
        };
        let secret = secret(&self.place, present.clone(), &planned.material);
        match timeout(REQUEST, write(&self.secrets, &self.place.name, &secret)).await {
            Ok(Ok(Written::New(secret))) => {
                self.has_failed = false;
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
        if !self.has_failed {
            tracing::error!("{}: {problem}", self.origin);
            self.tell(self.present.as_ref().and_then(Option::as_ref), true, "CertificateFailed", "Rotate", problem);
        }
        self.has_failed = true;
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

enum Written {
    New(Box<Secret>),
    Conflict(Option<Box<Secret>>),
}

/// Creates or replaces it, unless it has changed in the meantime.
async fn write(secrets: &Api<Secret>, name: &str, secret: &Secret) -> Result<Written, Error> {
    let parameters = PostParams::default();
    let written = if secret.metadata.resource_version.is_some() {
        secrets.replace(name, &parameters, secret).await
    } else {
        secrets.create(&parameters, secret).await
    };
    match written {
        Ok(secret) => Ok(Written::New(Box::new(secret))),
        // Changed, made or deleted by somebody else.
        Err(Error::Api(status)) if matches!(status.code, 404 | 409) => {
            Ok(Written::Conflict(secrets.get_opt(name).await?.map(Box::new)))
        }
        Err(error) => Err(error),
    }
}

fn secret(place: &SecretPlace, present: Option<Secret>, material: &Material) -> Secret {
    let mut secret = present.unwrap_or_else(|| Secret {
        metadata: ObjectMeta {
            name: Some(place.name.clone()),
            labels: Some([(MANAGED_BY.0.to_owned(), MANAGED_BY.1.to_owned())].into()),
            ..ObjectMeta::default()
        },
        type_: Some(SECRET_TYPE.to_owned()),
        ..Secret::default()
    });
    secret.data = Some(material.to_data().into_iter().map(|(key, bytes)| (key, ByteString(bytes))).collect());
    secret
}

fn data(secret: &Secret) -> Data {
    secret.data.iter().flatten().map(|(key, bytes)| (key.clone(), bytes.0.clone())).collect()
}

fn is_ours(secret: &Secret) -> bool {
    let labels = secret.metadata.labels.as_ref();
    labels.and_then(|labels| labels.get(MANAGED_BY.0)).is_some_and(|value| value == MANAGED_BY.1)
}

fn foreign() -> String {
    let (label, value) = MANAGED_BY;
    format!(
        "it was not made by this program, and is left alone: it has no label {label}={value}; delete it, name another with \
         --certificate-secret, or serve what is in it with --certificates=secret"
    )
}

fn sentence(change: Change) -> &'static str {
    match change {
        Change::FirstAuthority => "made a certificate authority",
        Change::NextAuthority => "made the next certificate authority; it is in the bundle, and does not sign yet",
        Change::Switched => "the next certificate authority signs now; the former stays in the bundle until it expires",
        Change::Issued => "made a serving certificate",
        Change::Restored => "put back what was missing or damaged",
        Change::Dropped => "took an expired certificate authority out of the bundle",
    }
}

async fn changed<T>(receiver: &mut watch::Receiver<T>) {
    if receiver.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}
