//! What is said of single rules.

use super::*;

fn reason(table: Table, rule: &str) -> String {
    let (chain, body) = rule.split_once(' ').unwrap();
    let reasons = Reasons { proxy: vec!["1337".to_owned()] };
    reasons.reason(table, chain, body).unwrap_or_else(|| panic!("no reason for {rule}"))
}

#[test]
fn the_proxys_users_are_told_from_other_groups() {
    let chains = [
        "! -d 127.0.0.1/32 -o lo -p tcp -m tcp ! --dport 15008 -m owner --uid-owner 1337 -j ISTIO_IN_REDIRECT",
        "-m owner --uid-owner 1337 -j RETURN",
        "-m owner --gid-owner 202 -j RETURN",
    ];
    let chains = [("ISTIO_OUTPUT".to_owned(), chains.map(str::to_owned).to_vec())].into();
    let reasons = Reasons::of(&Saved { chains, ..Saved::default() });
    let reason = |body: &str| reasons.reason(Table::Nat, "ISTIO_OUTPUT", body).unwrap();
    assert!(reason("-m owner --uid-owner 1337 -j RETURN").ends_with("no loop"));
    assert_eq!(reason("-m owner --gid-owner 202 -j RETURN"), "what group 202 sends is left alone");
}

#[test]
fn what_settings_ask_for_is_named() {
    for (rule, words) in [
        ("ISTIO_OUTPUT -d 10.0.0.0/8 -j RETURN", "sent to 10.0.0.0/8 is left alone"),
        ("ISTIO_OUTPUT -d 10.0.0.0/8 -j ISTIO_REDIRECT", "to 10.0.0.0/8 go to the proxy"),
        ("ISTIO_OUTPUT -p tcp -m tcp --dport 5432 -j ISTIO_REDIRECT", "port 5432 go to the proxy, whatever"),
        ("ISTIO_OUTPUT -p udp -m udp --dport 53 -j RETURN", "UDP to port 53 is left alone"),
        ("ISTIO_OUTPUT -m owner ! --gid-owner 1 -m owner ! --gid-owner 2 -j RETURN", "other groups send is left alone"),
        ("ISTIO_OUTPUT -j RETURN", "nothing else"),
        ("ISTIO_INBOUND -p tcp -m tcp --dport 80 -j ISTIO_IN_REDIRECT", "to port 80 go to the proxy"),
        ("ISTIO_INBOUND -s 10.0.0.0/8 -p tcp -j RETURN", "from 10.0.0.0/8 are left alone"),
        ("PREROUTING -d 10.0.0.0/8 -i vnet0 -j ISTIO_REDIRECT", "connections to 10.0.0.0/8 are outbound"),
        ("PREROUTING -i eth1 -j RETURN", "arrives through eth1 is left alone"),
        ("OUTPUT -o eth1 -j RETURN", "leaves through eth1 is left alone"),
        ("OUTPUT -j ISTIO_NOTE", "does nothing"),
        (
            "ISTIO_OUTPUT_DNS -d 10.96.0.10/32 -p udp -m udp --dport 53 -j REDIRECT --to-ports 15053",
            "DNS queries to 10.96.0.10/32 over UDP go to the agent on port 15053",
        ),
    ] {
        let reason = reason(Table::Nat, rule);
        assert!(reason.contains(words), "{rule}: {reason}");
    }
}

#[test]
fn dns_queries_are_told_apart() {
    for (rule, words) in [
        (
            "ISTIO_OUTPUT_DNS -p udp -m udp --dport 53 -m owner --uid-owner 1337 -j CT --zone 1",
            "the proxy's DNS queries",
        ),
        ("ISTIO_OUTPUT_DNS -p udp -m udp --sport 15053 -m owner --uid-owner 1337 -j CT --zone 2", "the proxy's DNS"),
        ("ISTIO_OUTPUT_DNS -d 10.96.0.10/32 -p udp -m udp --dport 53 -j CT --zone 2", "the application's DNS queries"),
        ("ISTIO_INBOUND -p udp -m udp --sport 53 -j CT --zone 1", "the answers to the proxy's"),
    ] {
        let reason = reason(Table::Raw, rule);
        assert!(reason.contains(words), "{rule}: {reason}");
    }
}

#[test]
fn a_rule_that_is_not_like_ours_has_no_reason() {
    for rule in ["ISTIO_OUTPUT -j LOG", "ISTIO_REDIRECT -j ACCEPT", "ISTIO_SURPRISE -j RETURN", "OUTPUT -j ACCEPT"] {
        let (chain, body) = rule.split_once(' ').unwrap();
        for table in [Table::Nat, Table::Mangle, Table::Raw] {
            assert_eq!(Reasons::default().reason(table, chain, body), None, "{rule} in {table}");
        }
    }
}
