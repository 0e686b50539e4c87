//! Whatever text the settings are given: it is refused, or the rules have the shape that rules have.
#![expect(clippy::unwrap_used, reason = "the flags of these tests can be read")]

use proptest::prelude::*;
use sidecar_init::change::Change;
use sidecar_init::cli::Cli;
use sidecar_init::rule::{Family, Match, Position, Rule, Target};
use sidecar_init::settings::{Mistakes, Settings};
use sidecar_init::{redirect, restore};

/// Where text comes in, with a text that is right there.
const FLAGS: [(&str, &str); 25] = [
    ("--envoy-port", "80"),
    ("--inbound-capture-port", "80"),
    ("--inbound-tunnel-port", "80"),
    ("--proxy-uid", "1337,5"),
    ("--proxy-gid", "1337,5"),
    ("--istio-inbound-ports", "80,443"),
    ("--istio-local-exclude-ports", "80,100:200"),
    ("--istio-service-cidr", "10.0.0.0/8,fd00::/8"),
    ("--istio-service-exclude-cidr", "10.0.0.1"),
    ("--istio-outbound-ports", "80"),
    ("--istio-local-outbound-ports-exclude", "80"),
    ("--istio-exclude-interfaces", "eth0"),
    ("--kube-virt-interfaces", "vnet0,vnet1"),
    ("--istio-inbound-interception-mode", "TPROXY"),
    ("--exclude-inbound-cidrs", "10.0.0.0/8,fd00::/8"),
    ("--dns-servers", "10.0.0.10,fd00::a"),
    ("--istio-inbound-tproxy-mark", "5"),
    ("--istio-inbound-tproxy-route-table", "5"),
    ("--ip-families", "v4,v6"),
    ("--force-iptables-binary", "nft"),
    ("--iptables-probe-port", "80"),
    ("--probe-timeout", "5s"),
    ("--network-namespace", "/proc/1/ns/net"),
    ("--output", "json"),
    ("--drop-invalid", "true"),
];
/// Flags beside which a value shows in the most rules.
const OTHERS: [&str; 5] =
    ["-m=TPROXY", "-b=*", "--redirect-dns", "--dns-servers=10.0.0.10,fd00::a", "--tproxy-nonroot"];
const VARIABLES: [(&str, &str); 5] = [
    ("ISTIO_OUTBOUND_OWNER_GROUPS", "java,5"),
    ("ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE", "java"),
    ("ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR", "127.0.0.1"),
    ("ENVOY_USER", "5"),
    ("DRY_RUN_FILE_PATH", "/tmp/rules"),
];

/// A place, and what an attacker might make of the text that is right there.
fn given() -> impl Strategy<Value = (&'static str, String)> {
    let place = prop::sample::select([&FLAGS[..], &VARIABLES].concat());
    let added = prop::sample::select(vec![
        "\n-A POSTROUTING -j ACCEPT",
        "\n",
        "\r",
        " -j ACCEPT",
        " ",
        "\0",
        "\u{1b}",
        "\u{85}",
        "\u{2028}",
        ",",
        ",*",
        "\t",
        "\"",
        "#",
        "",
    ]);
    let changed = (added, any::<prop::sample::Index>()).prop_map(|(added, at)| (Some((added, at)), String::new()));
    let other = prop_oneof![any::<String>(), "[a-zA-Z0-9.:/,*_ \n-]{0,24}"].prop_map(|text| (None, text));
    (place, prop_oneof![4 => changed, 1 => other]).prop_map(|((place, right), (change, other))| match change {
        Some((added, at)) => {
            let mut text = right.to_owned();
            text.insert_str(at.index(right.len() + 1), added);
            (place, text)
        }
        None => (place, other),
    })
}

/// A line of the rules: what it does to which chain, then words of the letters that values are made of.
fn is_line(line: &str) -> bool {
    let kinds = [
        "* mangle",
        "* nat",
        "* raw",
        "*mangle",
        "*nat",
        "*raw",
        "COMMIT",
        "-N ISTIO_",
        ":ISTIO_",
        "-A ISTIO_",
        "-A OUTPUT ",
        "-A PREROUTING ",
        "-I PREROUTING 1 ",
        "-I ISTIO_INBOUND ",
    ];
    kinds.iter().any(|kind| line.starts_with(kind)) && line.chars().all(|c| c == ' ' || c.is_ascii_graphic())
}

/// How many words a rule is written in, whatever the values in it are.
fn word_count(rule: &Rule) -> usize {
    let place = if rule.position == Position::Last { 2 } else { 3 };
    let matches = rule.matches.iter().map(|condition| match condition {
        Match::InInterface(_) | Match::OutInterface(_) | Match::Protocol(_) => 2,
        Match::Source(_) | Match::Destination(_) => 2,
        Match::NotDestination(_) => 3,
        Match::Port(..) | Match::SourcePort(..) | Match::Owner(_) => 4,
        Match::Mark(_) | Match::ConnectionMark(_) | Match::Established | Match::Untrackable => 4,
        Match::NotPort(..) | Match::NotOwner(_) | Match::NotMark(_) => 5,
        Match::Ports(..) => 6,
        Match::NotPorts(..) => 7,
    });
    let target = match rule.target {
        Target::Return | Target::Jump(_) | Target::Accept | Target::Drop => 2,
        Target::SaveMark | Target::RestoreMark => 3,
        Target::Redirect(_) | Target::SetMark(_) | Target::Zone(_) => 4,
        Target::Tproxy { .. } => 6,
    };
    place + matches.sum::<usize>() + target
}

fn read(place: &str, text: &str) -> Result<Settings, Mistakes> {
    let flag = place.starts_with("--").then(|| format!("{place}={text}").into());
    let cli = Cli::from_arguments(["sidecar-init".into()].into_iter().chain(flag)).unwrap();
    cli.settings_with(&|name| (name == place).then(|| text.to_owned()))
}

#[test]
fn a_character_that_ends_a_word_is_refused_at_every_end_of_every_value() {
    for (place, right) in FLAGS.into_iter().chain(VARIABLES) {
        assert!(read(place, right).is_ok(), "{place}");
        for foreign in ["\n", "\r", "\t", "\0", "\u{b}", "\u{7f}", "\u{85}", "\u{2028}", "\"", "#", ";", "\\"] {
            let middle = right.len() / 2;
            for text in [
                format!("{right}{foreign}"),
                format!("{foreign}{right}"),
                format!("{}{foreign}{}", &right[..middle], &right[middle..]),
                foreign.to_owned(),
            ] {
                // A path may have any character that does not end a line.
                if matches!(place, "--network-namespace" | "DRY_RUN_FILE_PATH") && !text.contains(char::is_control) {
                    continue;
                }
                let mistakes = read(place, &text).unwrap_err().to_string();
                assert!(
                    mistakes.contains(place) && !mistakes.replace('\n', "").contains(char::is_control),
                    "{mistakes}"
                );
            }
        }
    }
}

#[test]
fn more_than_anybody_means_is_refused_and_what_somebody_might_is_not() {
    let list = |count: u32| (0..count).map(|port| port.to_string()).collect::<Vec<_>>().join(",");
    for place in [
        "--istio-inbound-ports",
        "--istio-local-exclude-ports",
        "--istio-outbound-ports",
        "--istio-local-outbound-ports-exclude",
    ] {
        assert!(read(place, &list(4096)).is_ok(), "{place}");
        let mistakes = read(place, &list(10_000)).unwrap_err().to_string();
        assert!(mistakes.starts_with(place) && mistakes.len() < 300, "{mistakes}");
    }
    assert!(read("--istio-inbound-ports", "0-9999").is_ok());
}

#[test]
fn addresses_of_one_family_make_no_rule_of_the_other() {
    let ranges = "10.0.0.0/8,fd00::/8";
    for place in ["--istio-service-cidr", "--istio-service-exclude-cidr", "--exclude-inbound-cidrs"] {
        let flags = ["sidecar-init", "-b=*"].map(Into::into);
        let cli = Cli::from_arguments(flags.into_iter().chain([format!("{place}={ranges}").into()])).unwrap();
        let capture = cli.settings_with(&|_| None).unwrap().capture;
        for (family, own, other) in [(Family::V4, "10.0.0.0/8", "fd00::/8"), (Family::V6, "fd00::/8", "10.0.0.0/8")] {
            let text: String = redirect::rule_sets(&capture, family).iter().map(restore::fresh).collect();
            assert!(text.contains(own) && !text.contains(other), "{place}: {text}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn no_value_breaks_out_of_its_rule((place, text) in given(), with_others in any::<bool>()) {
        let others = OTHERS.iter().filter(|_| with_others).map(Into::into);
        let flag = place.starts_with("--").then(|| format!("{place}={text}").into());
        let cli = Cli::from_arguments(["sidecar-init".into()].into_iter().chain(others).chain(flag)).unwrap();
        let environment = |name: &str| (name == place).then(|| text.clone());
        let Ok(settings) = cli.settings_with(&environment) else { return Ok(()) };
        for rules in [Family::V4, Family::V6].into_iter().flat_map(|family| redirect::rule_sets(&settings.capture, family)) {
            let structure = rules.own_chains().len() + 2;
            let change = Change { removed: vec![], present: vec![], rules: rules.clone() };
            for text in [restore::fresh(&rules), restore::swap(&change)] {
                prop_assert!(text.lines().all(is_line), "{}", text);
                let lines = text.lines().filter(|line| line.starts_with("-A ") || line.starts_with("-I "));
                let words: Vec<usize> = lines.map(|line| line.split_whitespace().count()).collect();
                prop_assert_eq!(words, rules.rules.iter().map(word_count).collect::<Vec<_>>(), "{}", text);
                prop_assert_eq!(text.split('\n').count(), rules.rules.len() + structure + 1, "{}", text);
            }
        }
    }
}
