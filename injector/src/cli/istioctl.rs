//! Flags of `istioctl kube-inject` that have no meaning here: taken where a script loses nothing by it, refused with a
//! sentence where it would.

use clap::Args;

const NO_CONTROL_PLANE: &str = "nothing is asked of a control plane here; use --from-cluster, or files";

/// Flags of istioctl that have no meaning here.
#[derive(Clone, Debug, Default, Args)]
pub struct IstioctlArgs {
    /// Which webhook configuration istioctl names in its messages; without effect.
    #[arg(long = "webhookConfig", value_name = "NAME", hide = true)]
    pub webhook_config: Option<String>,
    /// An IstioOperator file, which is not read here.
    #[arg(long = "operatorFileName", value_name = "FILE", hide = true, value_parser = no_operator)]
    pub operator_file_name: Option<String>,
    /// Flags for the connection to a control plane.
    #[arg(long = "xds-address", hide = true, value_parser = no_control_plane)]
    pub xds_address: Option<String>,
    /// See `xds_address`.
    #[arg(long = "xds-label", hide = true, value_parser = no_control_plane)]
    pub xds_label: Option<String>,
    /// See `xds_address`.
    #[arg(long = "xds-port", hide = true, value_parser = no_control_plane)]
    pub xds_port: Option<String>,
    /// See `xds_address`.
    #[arg(long = "cert-dir", hide = true, value_parser = no_control_plane)]
    pub cert_dir: Option<String>,
    /// See `xds_address`.
    #[arg(long, hide = true, value_parser = no_control_plane)]
    pub timeout: Option<String>,
    /// See `xds_address`.
    #[arg(long, hide = true, value_parser = no_control_plane)]
    pub authority: Option<String>,
    /// See `xds_address`.
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_parser = no_control_plane)]
    pub insecure: Option<String>,
    /// See `xds_address`.
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_parser = no_control_plane)]
    pub plaintext: Option<String>,
}

fn no_control_plane(_: &str) -> Result<String, String> {
    Err(NO_CONTROL_PLANE.to_owned())
}

fn no_operator(_: &str) -> Result<String, String> {
    Err("IstioOperator files are not read; give the values that they make with --valuesFile".to_owned())
}

#[cfg(test)]
mod tests {
    use crate::cli::Cli;
    use clap::Parser;

    #[test]
    fn what_would_be_lost_is_refused_with_a_sentence() {
        let parsed = |arguments: &[&str]| {
            let given =
                ["sidecar-injector", "kube-inject", "-f", "a.yaml"].into_iter().chain(arguments.iter().copied());
            Cli::try_parse_from(given).map_err(|error| error.to_string())
        };
        assert!(parsed(&["--webhookConfig", "a"]).is_ok());
        for flags in [&["--xds-address", "a:1"][..], &["--insecure"], &["--plaintext=true"], &["--timeout", "5s"]] {
            assert!(parsed(flags).unwrap_err().contains("control plane"), "{flags:?}");
        }
        assert!(parsed(&["--operatorFileName", "a"]).unwrap_err().contains("--valuesFile"));
        let all = ["--injectConfigMapName=a", "--meshConfigMapName=b", "-i", "c", "-n", "d", "-r", "e", "--context=f"];
        assert!(parsed(&all).is_ok());
    }
}
