//! `webhook`: the injector's registration with the API server, by hand.

mod bundle;
mod delete;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use serde_json::{Map, Value};
use sidecar_contract::config::{DEFAULT_REVISION, INJECTOR_NAME, VALUES_KEY};
use sidecar_contract::label;
use sidecar_process::exit;

use crate::cli::Failure;
use crate::cli::kubernetes::{ClientArgs, Connection};
use crate::cli::registration::{RegistrationArgs, named};
use crate::files;
use crate::kubernetes::registration::{Manner, OwnerReader, Ownership, Registrar, RegistrarError};
use crate::registration::{Configuration, Difference, Live, Settings, enables_namespaces_by_default};
use crate::yaml;

/// `diff` found something to change.
pub const DIFFERENT: u8 = 3;

/// As long as a request may take.
const PATIENCE: Duration = Duration::from_secs(15);

const EXIT_CODES: &str =
    "Exit codes: 0 done, or no difference; 1 failed; 2 wrong usage; 3 diff: apply would change something.";

/// Flags of `webhook`.
#[derive(Debug, Args)]
#[command(after_help = crate::cli::examples::webhook(EXIT_CODES))]
pub struct Webhook {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What to do with the registration.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Write the webhook configurations, by server-side apply; writes nothing when nothing differs.
    #[command(after_help = EXIT_CODES)]
    Apply {
        /// What to write.
        #[command(flatten)]
        wanted: Wanted,
        /// Take over fields, and objects, that belong to others, such as Helm.
        #[arg(long)]
        force: bool,
        /// Let the API server check everything, and write nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Print what apply would change, as a unified diff.
    #[command(after_help = EXIT_CODES)]
    Diff {
        /// What to compare with.
        #[command(flatten)]
        wanted: Wanted,
    },
    /// Print the webhook configurations as YAML for `kubectl apply -f -`; no cluster is needed.
    #[command(after_help = EXIT_CODES)]
    Print {
        /// What to print.
        #[command(flatten)]
        wanted: Wanted,
    },
    /// Delete the webhook configurations of a revision and of the tags that are given.
    #[command(after_help = EXIT_CODES)]
    Delete(delete::Delete),
}

/// What is wanted.
#[derive(Debug, Args)]
pub struct Wanted {
    /// The revision; the one without a name when not given.
    #[arg(short, long, default_value = "", hide_default_value = true, value_parser = crate::cli::revision)]
    pub revision: String,
    /// The values, for enableNamespacesByDefault. Default: those of the ConfigMap in the cluster, if there is one.
    #[arg(long = "valuesFile", value_name = "FILE")]
    pub values_file: Option<PathBuf>,
    /// Secret with the serving certificate (tls.crt), for which the bundle is checked, and its authority (ca.crt), which
    /// is the bundle where no other is given. Default: istio-sidecar-injector[-REVISION]-certificate.
    #[arg(long, value_name = "NAME")]
    pub certificate_secret: Option<String>,
    /// What to register.
    #[command(flatten)]
    pub registration: RegistrationArgs,
    /// Where.
    #[command(flatten)]
    pub client: ClientArgs,
}

impl Webhook {
    /// Does it, and says what was done on standard error. The number is the exit code.
    ///
    /// # Errors
    /// All mistakes of settings; what the API server refuses.
    pub fn run(&self) -> Result<u8, Failure> {
        if let Action::Print { wanted } = &self.action {
            return wanted.print();
        }
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| Failure::of(&error))?;
        runtime.block_on(async {
            match &self.action {
                Action::Apply { wanted, force, dry_run } => wanted.apply(*force, *dry_run).await,
                Action::Diff { wanted } => wanted.diff().await,
                Action::Print { wanted } => wanted.print(),
                Action::Delete(delete) => delete.run().await,
            }
        })
    }
}

/// What is wanted, next to what is there.
struct Compared {
    registrar: Registrar,
    objects: Vec<(Configuration, Option<Value>, Option<Difference>)>,
}

impl Wanted {
    fn print(&self) -> Result<u8, Failure> {
        let mut settings = self.registration.settings(&self.revision, &self.client.namespace_without_cluster());
        if let Some(values) = self.values_of_file()? {
            settings.enable_namespaces_by_default = enables_namespaces_by_default(&values);
        }
        let mut configurations = configurations(&settings)?;
        if let Some(pem) = bundle::of_file(&self.registration)? {
            configurations = configurations.into_iter().map(|configuration| configuration.with_bundle(&pem)).collect();
        }
        let documents: Result<Vec<String>, _> =
            configurations.iter().map(|configuration| yaml::write(&configuration.object)).collect();
        let text = documents.map_err(|error| Failure::of(&error))?.join("---\n");
        #[expect(clippy::print_stdout, reason = "this is the result")]
        {
            print!("{text}");
        }
        Ok(exit::DONE)
    }

    async fn diff(&self) -> Result<u8, Failure> {
        let Compared { objects, .. } = self.compare().await?;
        let differences: Vec<_> = objects.iter().filter_map(|(_, _, difference)| difference.as_ref()).collect();
        for difference in &differences {
            #[expect(clippy::print_stdout, reason = "this is the result")]
            {
                print!("{}", crate::cli::printable(&difference.unified()));
            }
        }
        Ok(if differences.is_empty() { exit::DONE } else { DIFFERENT })
    }

    async fn apply(&self, force: bool, dry_run: bool) -> Result<u8, Failure> {
        let Compared { registrar, objects } = self.compare().await?;
        let mut messages = Vec::new();
        let suffix = if dry_run { " (dry run)" } else { "" };
        for (configuration, live, difference) in objects {
            let name = &configuration.name;
            let Some(difference) = difference else {
                say(&format!("{name}: as it should be"));
                continue;
            };
            match registrar.apply(&configuration, live.as_ref(), Manner { force, dry_run }).await {
                Ok(_) => say(&format!("{name}: applied{suffix}: {}", difference.fields().join(", "))),
                Err(error @ RegistrarError::Conflict { .. }) => {
                    messages.push(format!("{error}; use --force to take them over"));
                }
                Err(error) => messages.push(error.to_string()),
            }
        }
        if messages.is_empty() { Ok(exit::DONE) } else { Err(Failure { messages }) }
    }

    async fn compare(&self) -> Result<Compared, Failure> {
        let connection = self.client.connect().await?;
        let mut settings = self.registration.settings(&self.revision, &connection.namespace);
        let values = match self.values_of_file()? {
            Some(values) => Some(values),
            None => self.values_of_cluster(&connection).await?,
        };
        settings.enable_namespaces_by_default = values.is_some_and(|values| enables_namespaces_by_default(&values));
        configurations(&settings)?;
        let registrar = Registrar::new(&connection.client, &settings.field_manager());
        settings.is_replaced = look_around(&registrar, &settings).await?;
        let pem = if self.registration.keeps_bundle() {
            None
        } else {
            Some(bundle::checked(self, &settings, &connection).await?)
        };
        let owner = self.registration.owner(&self.revision);
        let ownership = OwnerReader::new(&connection.client, owner).read().await;
        settings.owner = ownership.known();
        let mut objects = Vec::new();
        for configuration in configurations(&settings)? {
            let live = registrar.get(&configuration.name).await.map_err(|error| Failure::of(&error))?;
            let manager = settings.field_manager();
            let known = live.as_ref().map(|live| Live::new(live, &manager));
            let configuration = match (&pem, known) {
                (Some(pem), _) => configuration.with_bundle(pem),
                (None, Some(live)) => live.keeping_bundles(configuration),
                (None, None) => configuration,
            };
            let configuration = match known.filter(|_| ownership == Ownership::Unknown) {
                Some(live) => live.keeping_owners(configuration),
                None => configuration,
            };
            let difference = match known {
                Some(live) => live.difference(&configuration),
                None => Some(Difference::missing(&configuration)),
            };
            objects.push((configuration, live, difference));
        }
        Ok(Compared { registrar, objects })
    }

    fn values_of_file(&self) -> Result<Option<Map<String, Value>>, Failure> {
        let Some(path) = &self.values_file else { return Ok(None) };
        let text = files::read(path).map_err(|error| Failure::of(&error))?;
        values(&text, &files::display(path)).map(Some)
    }

    async fn values_of_cluster(&self, connection: &Connection) -> Result<Option<Map<String, Value>>, Failure> {
        let config_maps: Api<ConfigMap> = Api::namespaced(connection.client.clone(), &connection.namespace);
        let name = named(INJECTOR_NAME, &self.revision);
        let found = within(config_maps.get_opt(&name)).await?.map_err(|error| Failure::of(&error))?;
        let text = found.and_then(|found| found.data?.remove(VALUES_KEY));
        text.map(|text| values(&text, &format!("ConfigMap {}/{name}", connection.namespace))).transpose()
    }
}

fn values(text: &str, origin: &str) -> Result<Map<String, Value>, Failure> {
    yaml::read_config(text).map_err(|error| Failure { messages: vec![format!("{origin}: {error}")] })
}

fn configurations(settings: &Settings) -> Result<Vec<Configuration>, Failure> {
    settings.configurations().map_err(|errors| Failure::of_all(&errors))
}

/// Looks whether names are taken: a tag by a revision, the revision by a tag. Says whether another revision has the tag
/// `default`.
async fn look_around(registrar: &Registrar, settings: &Settings) -> Result<bool, Failure> {
    let mut messages = Vec::new();
    let get = async |name: String| registrar.get(&name).await.map_err(|error| Failure::of(&error));
    for tag in &settings.tags {
        let revision = Settings { revision: tag.clone(), tags: Vec::new(), ..settings.clone() };
        if get(revision.revision_name()).await?.is_some() {
            messages.push(format!("--tag: there is a revision `{tag}`; use another tag"));
        }
    }
    if !settings.revision.is_empty() && get(settings.tag_name(&settings.revision)).await?.is_some() {
        messages.push(format!("--revision: there is a tag `{}`; use another revision", settings.revision));
    }
    if !messages.is_empty() {
        return Err(Failure { messages });
    }
    let has_default_tag = settings.tags.iter().any(|tag| tag == DEFAULT_REVISION);
    if !settings.revision.is_empty() && has_default_tag {
        let unnamed = Settings { revision: String::new(), ..settings.clone() }.revision_name();
        if get(unnamed.clone()).await?.is_some_and(|object| !is_deactivated(&object)) {
            say(&format!(
                "{unnamed}: serves the same pods as the tag default until its injector gives way, or it is deleted"
            ));
        }
    }
    let tag = get(settings.tag_name(DEFAULT_REVISION)).await?;
    let is_of_another = |tag: &Value| tag["metadata"]["labels"][label::REVISION] != DEFAULT_REVISION;
    Ok(settings.revision.is_empty() && !has_default_tag && tag.is_some_and(|tag| is_of_another(&tag)))
}

fn is_deactivated(object: &Value) -> bool {
    let labels = |webhook: &Value| !webhook["objectSelector"]["matchLabels"][label::DEACTIVATED].is_null();
    object["webhooks"].as_array().is_some_and(|webhooks| webhooks.iter().all(labels))
}

/// Whoever waits at a terminal is told when nothing comes.
async fn within<T>(request: impl Future<Output = T>) -> Result<T, Failure> {
    let silent = |_| Failure { messages: vec![format!("the API server does not answer within {PATIENCE:?}")] };
    tokio::time::timeout(PATIENCE, request).await.map_err(silent)
}

fn say(message: &str) {
    #[expect(clippy::print_stderr, reason = "what was done is for the person who called, not for a log")]
    {
        eprintln!("{}", crate::cli::printable(message));
    }
}
