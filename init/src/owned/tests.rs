//! What is taken for ours, what is left to others, and what is expected of the kernel.

use super::*;
use crate::rule::Table;

fn owned(table: Table, chains_and_rules: &str) -> Owned {
    let saved = Saved::read(&format!("*{table}\n{chains_and_rules}COMMIT\n"), table).unwrap();
    Current::divide(&saved).owned
}

fn outside(chains_and_rules: &str) -> Vec<String> {
    owned(Table::Nat, chains_and_rules).outside.iter().map(ToString::to_string).collect()
}

fn outside_in_mangle(chains_and_rules: &str) -> Vec<String> {
    owned(Table::Mangle, chains_and_rules).outside.iter().map(ToString::to_string).collect()
}

#[test]
fn without_chains_of_ours_nothing_is_ours() {
    let rules =
        "-A PREROUTING -i eth1 -j RETURN\n-A OUTPUT -o eth1 -j RETURN\n-A OUTPUT -p tcp -j REDIRECT --to-ports 9\n";
    assert!(owned(Table::Nat, rules).is_empty());
}

#[test]
fn our_chains_and_jumps_are_told_from_those_of_others() {
    let owned = owned(
        Table::Nat,
        ":ISTIO_OUTPUT - [0:0]\n:ISTIO_REDIRECT - [0:0]\n:ISTIO_OLD - [0:0]\n:KUBE-X - [0:0]\n\
         -A PREROUTING -i eth1 -j RETURN\n-A PREROUTING -i eth1 -p tcp -j RETURN\n-A OUTPUT -d 10.0.0.1/32 -j KUBE-X\n\
         -A OUTPUT -j ISTIO_OUTPUT\n-A OUTPUT -j ISTIO_OUTPUT\n-A OUTPUT -j ISTIO_OLD\n-A KUBE-X -g ISTIO_REDIRECT\n-A ISTIO_OUTPUT -j RETURN\n",
    );
    assert_eq!(owned.chains.keys().collect::<Vec<_>>(), ["ISTIO_OUTPUT", "ISTIO_REDIRECT"]);
    assert_eq!(owned.chains["ISTIO_OUTPUT"], ["-j RETURN"]);
    let outside: Vec<String> = owned.outside.iter().map(ToString::to_string).collect();
    assert_eq!(outside, ["OUTPUT -j ISTIO_OUTPUT", "OUTPUT -j ISTIO_OUTPUT"]);
}

#[test]
fn a_comment_does_not_make_a_rule_ours() {
    let rule = r#"-A OUTPUT -m comment --comment "was \" -j ISTIO_OUTPUT once" -j ACCEPT"#;
    assert!(outside(&format!(":ISTIO_OUTPUT - [0:0]\n{rule}\n")).is_empty());
}

#[test]
fn rules_that_return_an_interface_are_ours_where_we_put_them() {
    let ours = outside(
        ":ISTIO_INBOUND - [0:0]\n:ISTIO_OUTPUT - [0:0]\n:ISTIO_REDIRECT - [0:0]\n\
         -A PREROUTING -i vnet0 -j ISTIO_REDIRECT\n-A PREROUTING -i vnet0 -j RETURN\n-A PREROUTING -i cni0 -j RETURN\n\
         -A PREROUTING -i eth1 -j RETURN\n-A PREROUTING -p tcp -j ISTIO_INBOUND\n-A PREROUTING -i vnet0 -j RETURN\n\
         -A OUTPUT -o cni0 -j RETURN\n-A OUTPUT -p udp -j ACCEPT\n-A OUTPUT -o eth1 -j RETURN\n\
         -A OUTPUT -j ISTIO_OUTPUT\n-A OUTPUT -o cni1 -j RETURN\n",
    );
    let expected = [
        "PREROUTING -i vnet0 -j ISTIO_REDIRECT",
        "PREROUTING -i vnet0 -j RETURN",
        "PREROUTING -i eth1 -j RETURN",
        "PREROUTING -p tcp -j ISTIO_INBOUND",
        "OUTPUT -o eth1 -j RETURN",
        "OUTPUT -j ISTIO_OUTPUT",
    ];
    assert_eq!(ours, expected);
}

const TPROXY: &str = "-A PREROUTING -p tcp -m mark --mark 0x539 -j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff\n\
     -A OUTPUT -o lo -p tcp -m mark --mark 0x539 -j RETURN\n\
     -A OUTPUT ! -d 127.0.0.1/32 -o lo -p tcp -m owner --gid-owner 1337 -j MARK --set-xmark 0x53a/0xffffffff\n\
     -A OUTPUT -p tcp -m connmark --mark 0x539 -j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff\n";

#[test]
fn rules_that_handle_the_mark_of_our_chains_are_ours() {
    let chains = ":ISTIO_DIVERT - [0:0]\n:ISTIO_INBOUND - [0:0]\n";
    let marks =
        "-A ISTIO_DIVERT -j MARK --set-xmark 0x539/0xffffffff\n-A ISTIO_INBOUND -m mark ! --mark 0x53a -j RETURN\n";
    let others = TPROXY.replace("0x539", "0x1").replace("0x53a", "0x2").replace("gid-owner 1337", "uid-owner 5");
    assert_eq!(outside_in_mangle(&format!("{chains}{TPROXY}{others}{marks}")).len(), 4);
    assert_eq!(outside_in_mangle(&format!("{chains}{others}{marks}")).len(), 0);
    assert_eq!(outside_in_mangle(TPROXY).len(), 0, "there is no chain of ours");
    assert_eq!(outside_in_mangle(&format!("{chains}{TPROXY}")).len(), 4, "the chains have been emptied");
    let narrowed = TPROXY.replace("-A PREROUTING -p", "-A PREROUTING -i lo -p");
    assert_eq!(outside_in_mangle(&format!("{chains}{narrowed}{marks}")).len(), 4);
}

#[test]
fn where_our_chains_use_no_mark_nobody_elses_is_taken_for_it() {
    for chains in [":ISTIO_DROP - [0:0]\n-A ISTIO_DROP -j DROP\n", ":ISTIO_DROP - [0:0]\n"] {
        assert_eq!(outside_in_mangle(&format!("{chains}{TPROXY}")).len(), 0, "{chains}");
    }
    let chains = ":ISTIO_INBOUND - [0:0]\n:ISTIO_OUTPUT - [0:0]\n:ISTIO_REDIRECT - [0:0]\n";
    assert_eq!(outside(&format!("{chains}{TPROXY}")).len(), 0, "in nat, where they have lost their rules");
    let mut saved = Saved::read(&format!("*mangle\n:ISTIO_DIVERT - [0:0]\n{TPROXY}COMMIT\n"), Table::Mangle).unwrap();
    saved.others[1].is_marked = true;
    assert_eq!(Current::divide(&saved).owned.outside.len(), 1, "ours bear our mark");
}

#[test]
fn an_interface_returned_above_rules_that_handle_the_mark_is_ours() {
    let rules = format!(
        ":ISTIO_DIVERT - [0:0]\n-A PREROUTING -i eth1 -j RETURN\n-A OUTPUT -o cni0 -j RETURN\n-A OUTPUT -p udp -j ACCEPT\n\
         -A OUTPUT -o eth1 -j RETURN\n{TPROXY}"
    );
    let ours = outside_in_mangle(&rules);
    assert_eq!(ours.len(), 6);
    assert!(
        ours.contains(&"OUTPUT -o eth1 -j RETURN".to_owned())
            && ours.contains(&"PREROUTING -i eth1 -j RETURN".to_owned())
    );
}

#[test]
fn where_rules_bear_our_mark_nothing_is_guessed() {
    let rules =
        ":ISTIO_OUTPUT - [0:0]\n-A OUTPUT -o cni0 -j RETURN\n-A OUTPUT -o eth1 -j RETURN\n-A OUTPUT -j ISTIO_OUTPUT\n";
    let mut saved = Saved::read(&format!("*nat\n{rules}COMMIT\n"), Table::Nat).unwrap();
    assert_eq!(Current::divide(&saved).owned.outside.len(), 3);
    saved.others[1].is_marked = true;
    let ours: Vec<String> = Current::divide(&saved).owned.outside.iter().map(ToString::to_string).collect();
    assert_eq!(ours, ["OUTPUT -o eth1 -j RETURN", "OUTPUT -j ISTIO_OUTPUT"]);
}
