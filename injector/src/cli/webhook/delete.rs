//! `webhook delete`: takes a registration back.

use clap::Args;
use sidecar_process::exit;

use super::say;
use crate::cli::Failure;
use crate::cli::kubernetes::ClientArgs;
use crate::cli::registration::unnamed;
use crate::kubernetes::registration::Registrar;
use crate::registration::{Live, Settings};

/// Flags of `webhook delete`.
#[derive(Debug, Args)]
pub struct Delete {
    /// The revision; the one without a name when not given.
    #[arg(short, long, default_value = "", hide_default_value = true, value_parser = crate::cli::revision)]
    pub revision: String,
    /// A tag whose object is deleted, too; may be given several times.
    #[arg(long = "tag", value_name = "TAG")]
    pub tags: Vec<String>,
    /// Delete what no injector has made, too.
    #[arg(long)]
    pub force: bool,
    /// Let the API server check it, and delete nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Where.
    #[command(flatten)]
    pub client: ClientArgs,
}

impl Delete {
    pub(super) async fn run(&self) -> Result<u8, Failure> {
        let connection = self.client.connect().await?;
        let settings = Settings {
            revision: unnamed(&self.revision).to_owned(),
            tags: self.tags.clone(),
            namespace: connection.namespace.clone(),
            ..Settings::default()
        };
        settings.configurations().map_err(|errors| Failure::of_all(&errors))?;
        let manager = settings.field_manager();
        let registrar = Registrar::new(&connection.client, &manager);
        let mut messages = Vec::new();
        let suffix = if self.dry_run { " (dry run)" } else { "" };
        for name in settings.names() {
            match registrar.get(&name).await {
                Ok(None) => say(&format!("{name}: is not there")),
                Ok(Some(object)) if !self.force && !Live::new(&object, &manager).is_of_an_injector() => {
                    let managers: Vec<_> = Live::new(&object, &manager).managers().into_iter().collect();
                    let managers = managers.join(", ");
                    messages.push(format!(
                        "{name} was not made by the injector but by {managers}; use --force to delete it"
                    ));
                }
                Ok(Some(object)) => match registrar.delete(&object, self.dry_run).await {
                    Ok(()) => say(&format!("{name}: deleted{suffix}")),
                    Err(error) => messages.push(error.to_string()),
                },
                Err(error) => messages.push(error.to_string()),
            }
        }
        if messages.is_empty() { Ok(exit::DONE) } else { Err(Failure { messages }) }
    }
}
