//! `certificate`: an authority and a serving certificate, as files.

use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use clap::Args;

use crate::cli::Failure;
use crate::files::{self, Access, FileError};
use crate::server::certificate::{self, Issued, Validity};

/// Flags of `certificate`.
#[derive(Debug, Args)]
pub struct Certificate {
    /// Directory for ca.crt, tls.crt and tls.key; made when it is not there.
    #[arg(long, value_name = "DIRECTORY", default_value = "certificates")]
    pub output_directory: PathBuf,
    /// DNS name under which the API server calls the webhook; may be given several times.
    #[arg(long, value_name = "NAME", default_value = "istio-sidecar-injector.istio-system.svc")]
    pub dns_name: Vec<String>,
    /// Replace files that are there.
    #[arg(long)]
    pub force: bool,
}

impl Certificate {
    /// Makes certificates that are valid for a year, writes them, the private key readable by its owner only, and says
    /// so on standard error.
    ///
    /// # Errors
    /// When a name is no DNS name, a file is there already, or one cannot be written.
    pub fn run(&self) -> Result<(), Failure> {
        let validity = Validity::one_year(now());
        let issued = certificate::issue(&self.dns_name, validity).map_err(|error| Failure::of(&error))?;
        self.refuse_to_overwrite()?;
        self.write(&issued).map_err(|error| Failure::of(&error))?;
        let (directory, until) = (self.output_directory.display(), humantime::format_rfc3339_seconds(validity.until));
        #[expect(clippy::print_stderr, reason = "what was done is for the person who called, not for a log")]
        {
            eprintln!("wrote ca.crt, tls.crt and tls.key to {directory}, valid until {until}");
        }
        Ok(())
    }

    fn refuse_to_overwrite(&self) -> Result<(), Failure> {
        let present = |name: &&str| fs::symlink_metadata(self.output_directory.join(name)).is_ok();
        let refusal =
            |name: &str| format!("{}: exists; use --force to replace it", self.output_directory.join(name).display());
        let messages: Vec<_> = ["ca.crt", "tls.crt", "tls.key"].iter().copied().filter(present).map(refusal).collect();
        if self.force || messages.is_empty() { Ok(()) } else { Err(Failure { messages }) }
    }

    /// Writes all three beside their places before it moves the first: what can fail has then succeeded.
    fn write(&self, issued: &Issued) -> Result<(), FileError> {
        let directory = &self.output_directory;
        let error = |action, name: &str| {
            let path = directory.join(name).display().to_string();
            move |source| FileError { path, action, source }
        };
        files::make_directory(directory)?;
        let staging = tempfile::tempdir_in(directory).map_err(error("takes no temporary directory", ""))?;
        let files = [
            ("tls.key", &issued.key, Access::Private),
            ("tls.crt", &issued.certificate, Access::Shared),
            ("ca.crt", &issued.ca_certificate, Access::Shared),
        ];
        for (name, text, access) in files {
            files::write_atomically(&staging.path().join(name), text, access)?;
            let place = directory.join(name);
            if place.is_dir() {
                return Err(error("cannot be replaced", name)(std::io::ErrorKind::IsADirectory.into()));
            }
        }
        for (name, ..) in files {
            fs::rename(staging.path().join(name), directory.join(name)).map_err(error("cannot be replaced", name))?;
        }
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the edge at which the clock is read for certificates")]
pub(super) fn now() -> SystemTime {
    SystemTime::now()
}
