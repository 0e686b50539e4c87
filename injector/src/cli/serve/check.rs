//! Flags of `serve` that contradict each other, or that nobody would read.

use super::{CertificateSource, Serve};
use crate::cli::Failure;
use crate::cli::registration::CaBundleMode;

impl Serve {
    /// # Errors
    /// All flags that do not go together, before anything is started.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let mistakes = [self.bundle_mistakes(), self.certificate_mistakes(), self.source_mistakes()].concat();
        if mistakes.is_empty() {
            return Ok(());
        }
        Err(Failure { messages: mistakes.into_iter().map(str::to_owned).collect() })
    }

    fn bundle_mistakes(&self) -> Vec<&'static str> {
        let (source, given) = (self.certificate_source(), &self.registration);
        let (has_file, is_managed) = (given.ca_bundle_file.is_some(), given.ca_bundle == CaBundleMode::Managed);
        told([
            (
                has_file && !is_managed,
                "--ca-bundle-file: the file would not be written, since --ca-bundle leaves that to others; give one of them",
            ),
            (
                self.register && source == CertificateSource::Files && !has_file && is_managed,
                "--register with certificates from files needs --ca-bundle-file, or --ca-bundle=keep or cert-manager",
            ),
            (
                has_file && source == CertificateSource::Managed,
                "--ca-bundle-file: a managed certificate comes with its bundle, and the next authority would be missing \
                 in the file; leave it out",
            ),
            (!self.register && !is_managed, "--ca-bundle: nothing is registered without --register"),
        ])
    }

    fn certificate_mistakes(&self) -> Vec<&'static str> {
        let (source, given) = (self.certificate_source(), &self.certificate);
        let is_from_secret = matches!(source, CertificateSource::Managed | CertificateSource::Secret);
        told([
            (
                given.tls_cert_file.is_some() && is_from_secret,
                "--tls-cert-file: the file would not be read, since --certificates names another source; give one of them",
            ),
            (
                given.certificate_secret.is_some() && !is_from_secret,
                "--certificate-secret: no Secret is read with --dev or with certificates from files",
            ),
        ])
    }

    fn source_mistakes(&self) -> Vec<&'static str> {
        let names = &self.config_maps;
        let has_names = names.inject_config_map_name.is_some() || names.mesh_config_map_name.is_some();
        let registration = &self.registration;
        told([
            (
                has_names && self.has_files(),
                "--injectConfigMapName, --meshConfigMapName: no ConfigMap is read when files or --dev give the \
                 configuration",
            ),
            (!self.register && !registration.tags.is_empty(), "--tag: nothing is registered without --register"),
        ])
    }
}

fn told<const N: usize>(mistakes: [(bool, &'static str); N]) -> Vec<&'static str> {
    mistakes.into_iter().filter(|(is_made, _)| *is_made).map(|(_, mistake)| mistake).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::cli::{Cli, Command};

    fn mistakes(arguments: &str) -> Vec<String> {
        let given = ["sidecar-injector", "serve"].into_iter().chain(arguments.split_whitespace());
        let Command::Serve(serve) = Cli::parse_from(given).command else { panic!("serve") };
        serve.check().err().map(|failure| failure.messages).unwrap_or_default()
    }

    #[test]
    fn flags_that_contradict_each_other_are_told_all_at_once() {
        let files = "--tls-cert-file=a --tls-key-file=b";
        for (arguments, expected) in [
            ("--register --ca-bundle=keep --certificates=secret --ca-bundle-file=c", "--ca-bundle-file: the file"),
            (&*format!("--register {files}"), "needs --ca-bundle-file"),
            ("--register --ca-bundle-file=c", "a managed certificate"),
            (&*format!("--certificates=secret {files}"), "--tls-cert-file: "),
            (&*format!("--certificate-secret=s {files}"), "--certificate-secret: "),
            ("--dev --certificate-secret=s", "--certificate-secret: "),
            ("--injectConfigMapName=a --valuesFile=b", "--injectConfigMapName"),
            ("--meshConfigMapName=a --meshConfigFile=b", "--injectConfigMapName"),
            ("--tag=prod", "--tag: "),
            ("--ca-bundle=keep", "--ca-bundle: "),
        ] {
            let found = mistakes(arguments);
            assert!(found.len() == 1 && found[0].contains(expected), "{arguments}: {found:?}");
        }
        assert_eq!(mistakes(&format!("--register --tag=prod --certificate-secret=s {files}")).len(), 2);
    }

    #[test]
    fn flags_that_go_together_are_taken() {
        for arguments in [
            "--dev",
            "--register --tag=prod",
            "--register --url=https://a --certificates=secret",
            "--register --ca-bundle=cert-manager --certificates=secret --certificate-secret=s",
            "--register --tls-cert-file=a --tls-key-file=b --ca-bundle-file=c",
            "--register --tls-cert-file=a --tls-key-file=b --ca-bundle=keep",
        ] {
            assert_eq!(mistakes(arguments), [""; 0], "{arguments}");
        }
    }
}
