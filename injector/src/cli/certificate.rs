//! `certificate`: an authority and a serving certificate, as files.

use std::path::PathBuf;

use clap::Args;

use crate::cli::Failure;
use crate::files::{self, Access};
use crate::server::certificate;

/// Flags of `certificate`.
#[derive(Debug, Args)]
pub struct Certificate {
    /// Directory for ca.crt, tls.crt and tls.key; made when it is not there.
    #[arg(long, value_name = "DIRECTORY", default_value = "manifests/certificates")]
    pub output_directory: PathBuf,
    /// DNS name under which the API server calls the webhook; may be given several times.
    #[arg(long, value_name = "NAME", default_value = "istio-sidecar-injector.istio-system.svc")]
    pub dns_name: Vec<String>,
}

impl Certificate {
    /// Makes the certificates and writes them, the private key readable by its owner only.
    ///
    /// # Errors
    /// When a name is no DNS name, or a file cannot be written.
    pub fn run(&self) -> Result<(), Failure> {
        let Self { output_directory, dns_name } = self;
        let issued = certificate::issue(dns_name).map_err(|error| Failure::of(&error))?;
        files::make_directory(output_directory).map_err(|error| Failure::of(&error))?;
        for (name, text, access) in [
            ("ca.crt", &issued.ca_certificate, Access::Shared),
            ("tls.crt", &issued.certificate, Access::Shared),
            ("tls.key", &issued.key, Access::Private),
        ] {
            files::write_atomically(&output_directory.join(name), text, access).map_err(|error| Failure::of(&error))?;
        }
        Ok(())
    }
}
