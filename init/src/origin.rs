//! Where a setting comes from, for people who look for what to change.

use sidecar_contract::annotation;

/// Flags that the injector sets from annotations of the pod, each with the annotation.
const ANNOTATIONS: [(&str, &str); 12] = [
    ("--istio-inbound-interception-mode", annotation::INTERCEPTION_MODE),
    ("--istio-inbound-ports", annotation::INCLUDE_INBOUND_PORTS),
    ("--istio-local-exclude-ports", annotation::EXCLUDE_INBOUND_PORTS),
    ("--istio-service-cidr", annotation::INCLUDE_OUTBOUND_IP_RANGES),
    ("--istio-service-exclude-cidr", annotation::EXCLUDE_OUTBOUND_IP_RANGES),
    ("--istio-outbound-ports", annotation::INCLUDE_OUTBOUND_PORTS),
    ("--istio-local-outbound-ports-exclude", annotation::EXCLUDE_OUTBOUND_PORTS),
    ("--istio-exclude-interfaces", annotation::EXCLUDE_INTERFACES),
    ("--kube-virt-interfaces", annotation::REROUTE_INTERFACES),
    ("--redirect-dns", annotation::PROXY_CONFIG),
    ("--capture-all-dns", annotation::PROXY_CONFIG),
    ("--drop-invalid", annotation::PROXY_CONFIG),
];

/// The annotation of the pod from which the injector takes a setting, a flag with its dashes or a variable.
///
/// Of several that it may be taken from, the one that wins. What is set for the whole mesh comes from none.
pub fn annotation(setting: &str) -> Option<&'static str> {
    if setting.starts_with("ISTIO_OUTBOUND_") {
        return Some(annotation::PROXY_CONFIG);
    }
    ANNOTATIONS.iter().find_map(|(flag, annotation)| (*flag == setting).then_some(*annotation))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn every_flag_of_the_table_is_a_flag() {
        let command = crate::cli::Cli::command();
        let flags: Vec<&str> = command.get_arguments().filter_map(clap::Arg::get_long).collect();
        for (flag, _) in ANNOTATIONS {
            assert!(flag.strip_prefix("--").is_some_and(|name| flags.contains(&name)), "{flag}");
        }
    }

    #[test]
    fn variables_come_from_the_proxys_configuration() {
        assert_eq!(annotation("ISTIO_OUTBOUND_OWNER_GROUPS"), Some("proxy.istio.io/config"));
        assert_eq!(annotation("--proxy-uid"), None);
    }
}
