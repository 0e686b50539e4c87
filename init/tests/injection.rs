//! Whatever text the settings are given: it is refused, or the rules have the shape that rules have.

use proptest::prelude::*;
use sidecar_init::cli::Cli;
use sidecar_init::rule::Family;
use sidecar_init::saved::Owned;
use sidecar_init::{redirect, restore};

const FLAGS: [&str; 14] = [
    "--envoy-port",
    "--inbound-capture-port",
    "--inbound-tunnel-port",
    "--proxy-uid",
    "--proxy-gid",
    "--istio-inbound-ports",
    "--istio-local-exclude-ports",
    "--istio-service-cidr",
    "--istio-service-exclude-cidr",
    "--istio-outbound-ports",
    "--istio-local-outbound-ports-exclude",
    "--istio-exclude-interfaces",
    "--kube-virt-interfaces",
    "--istio-inbound-interception-mode",
];
const VARIABLES: [&str; 3] =
    ["ISTIO_OUTBOUND_OWNER_GROUPS", "ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE", "ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR"];

/// Values that are right, and what an attacker might add to them.
fn value() -> impl Strategy<Value = String> {
    let right = prop::sample::select(vec!["80", "1337,5", "eth0", "10.0.0.0/8,fd00::/8", "*", "127.0.0.1", "java", ""]);
    let added = prop::sample::select(vec![
        "",
        "",
        "",
        "\n-A POSTROUTING -j ACCEPT",
        "\r",
        " -j ACCEPT",
        "\0",
        "\u{85}",
        "\u{2028}",
        ",",
        ",\n",
        "\t",
        "\"",
        "#",
    ]);
    prop_oneof![
        (right, added).prop_map(|(right, added)| format!("{right}{added}")),
        any::<String>(),
        "[a-zA-Z0-9.:/,*_ \n-]{0,24}",
    ]
}

/// A line of the rules: what it does to which chain, then words of the letters that values are made of.
fn is_line(line: &str) -> bool {
    let kinds = [
        "* nat",
        "*nat",
        "COMMIT",
        "-N ISTIO_",
        ":ISTIO_",
        "-A ISTIO_",
        "-A OUTPUT ",
        "-A PREROUTING ",
        "-I PREROUTING 1 ",
    ];
    kinds.iter().any(|kind| line.starts_with(kind)) && line.chars().all(|c| c == ' ' || c.is_ascii_graphic())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_value_breaks_out_of_its_rule(
        values in prop::collection::vec((prop::sample::select(FLAGS.to_vec()), value()), 0..3),
        variable in prop::sample::select(VARIABLES.to_vec()),
        of_variable in value(),
    ) {
        let arguments = values.iter().map(|(flag, value)| format!("{flag}={value}"));
        let arguments = ["sidecar-init".to_owned()].into_iter().chain(arguments).map(Into::into);
        let cli = Cli::from_arguments(arguments).unwrap();
        let environment = |name: &str| (name == variable).then(|| of_variable.clone());
        let Ok(settings) = cli.settings_with(&environment) else { return Ok(()) };
        for family in [Family::V4, Family::V6] {
            let rules = redirect::nat(&settings.capture, family);
            let structure = rules.own_chains().len() + 2;
            for text in [restore::fresh(&rules), restore::swap(&rules, &Owned::default())] {
                prop_assert!(text.lines().all(is_line), "{}", text);
                prop_assert_eq!(text.split('\n').count(), rules.rules.len() + structure + 1, "{}", text);
            }
        }
    }
}
