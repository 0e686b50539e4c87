//! What is shown of the rules that we write, and of those of others among them.

use super::*;
use crate::cli::Cli;
use crate::redirect;

const OTHERS: &str = "*nat\n:ISTIO_OUTPUT - [0:0]\n-A OUTPUT -p tcp -j ACCEPT\n-A OUTPUT -p udp -j ACCEPT\n\
                      -A OUTPUT -j ISTIO_OUTPUT\n-A OUTPUT -p tcp -j ACCEPT\nCOMMIT\n";

fn listing(output: &str) -> Listing {
    let saved = Saved::read(output, Table::Nat).unwrap();
    Listing { tables: vec![TableListing::new("nft", Family::V4, Table::Nat, &saved)], routing: vec![] }
}

#[test]
fn a_rule_of_others_that_decides_first_stands_out() {
    assert_eq!(
        listing(OTHERS).to_string(),
        "IPv4 nat (nft)\n  \
           -A OUTPUT -p tcp -j ACCEPT\n    \
             ! not ours, and decides before ours: what it matches is not redirected\n  \
           -A OUTPUT -p udp -j ACCEPT\n      \
               not ours\n  \
           -A OUTPUT -j ISTIO_OUTPUT\n      \
               whatever this pod sends is looked at\n  \
           -A OUTPUT -p tcp -j ACCEPT\n      \
               not ours\n  \
           -N ISTIO_OUTPUT\n      \
               a chain without rules\n"
    );
}

#[test]
fn programs_read_the_same() {
    let json = listing(OTHERS).json();
    assert_eq!(json["tables"][0]["family"], "IPv4");
    let first = &json["tables"][0]["rules"][0];
    assert_eq!((&first["owner"], &first["decidesFirst"]), (&json!("others"), &json!(true)));
    assert_eq!(json["tables"][0]["rules"][2]["owner"], "ours");
}

#[test]
fn nothing_is_said_to_be_nothing() {
    assert_eq!(Listing::default().to_string(), "There are no rules.\n");
}

/// Every rule that settings can ask for has a reason.
#[test]
fn no_rule_of_ours_is_without_a_reason() {
    for arguments in [
        "-b * -i * -d 15090,15021,15020",
        "-b 80,443 -i 10.0.0.0/8,fd00::/8 -x 10.1.0.0/16 -q 5432 -o 53 -c eth1 -k vnet0",
    ] {
        let words = ["sidecar-init"].into_iter().chain(arguments.split_whitespace()).map(Into::into);
        let settings = Cli::from_arguments(words).unwrap().settings_with(&|_| None).unwrap();
        for family in [Family::V4, Family::V6] {
            let rules = redirect::nat(&settings.capture, family);
            let output = format!("*nat\n{}", crate::owned::Owned::after(&rules));
            let chains: String = rules.own_chains().iter().map(|chain| format!(":{chain} - [0:0]\n")).collect();
            let shown = listing(&output.replacen("*nat\n", &format!("*nat\n{chains}"), 1));
            let unknown: Vec<&Line> = shown.tables[0].rules.iter().filter(|line| line.reason == UNKNOWN).collect();
            assert_eq!(unknown, Vec::<&Line>::new(), "{arguments}");
        }
    }
}
