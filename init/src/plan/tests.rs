//! Which rules lead to what being done: nothing, a first write, or a replacement.

use super::*;
use crate::cli::Cli;
use crate::redirect;
use crate::rule::{Family, Table};

fn wanted(arguments: &str) -> RuleSet {
    let arguments = ["sidecar-init"].into_iter().chain(arguments.split_whitespace()).map(Into::into);
    let settings = Cli::from_arguments(arguments).unwrap().settings_with(&|_| None).unwrap();
    redirect::nat(&settings.capture, Family::V4)
}

fn current(chains_and_rules: &str) -> Owned {
    Owned::read(&format!("*nat\n{chains_and_rules}COMMIT\n"), Table::Nat).unwrap()
}

/// What the kernel would show had exactly these rules been written.
fn dump(rules: &RuleSet) -> String {
    let chains: String = rules.own_chains().into_iter().map(|chain| format!(":{chain} - [0:0]\n")).collect();
    format!("{chains}{}", Owned::after(rules))
}

fn input(plan: Plan) -> String {
    match plan {
        Plan::Write { input, .. } => input,
        Plan::Keep => panic!("nothing is written"),
    }
}

#[test]
fn where_nothing_is_there_nothing_is_deleted() {
    let plan = plan(&wanted("-b * -i *"), &current(""), false);
    assert!(matches!(plan, Plan::Write { replaces: false, .. }));
    let input = input(plan);
    assert!(input.starts_with("*nat\n:ISTIO_INBOUND - [0:0]\n") && input.ends_with("COMMIT\n"), "{input}");
    assert!(!input.contains("-D ") && !input.contains("-X ") && !input.contains("-N "), "{input}");
}

#[test]
fn what_is_there_already_is_kept_unless_forced() {
    for arguments in ["", "-b * -i *", "-b * -i 10.0.0.1/8 -k eth0,eth1 -c eth2,eth3 -o 1:2 -u 1,2"] {
        let wanted = wanted(arguments);
        let current = current(&dump(&wanted));
        assert_eq!(plan(&wanted, &current, false), Plan::Keep, "{arguments}");
        assert!(matches!(plan(&wanted, &current, true), Plan::Write { replaces: true, .. }));
    }
}

#[test]
fn a_difference_in_order_is_a_difference() {
    let moved = current(&dump(&wanted("-o 2,1")));
    assert!(matches!(plan(&wanted("-o 1,2"), &moved, false), Plan::Write { .. }));
}

#[test]
fn a_jump_is_deleted_as_often_as_it_is_there() {
    let wanted = wanted("-b * -i *");
    let doubled = format!("{}-A OUTPUT -j ISTIO_OUTPUT\n", dump(&wanted));
    let input = input(plan(&wanted, &current(&doubled), false));
    assert_eq!(input.matches("-D OUTPUT -j ISTIO_OUTPUT\n").count(), 2);
    assert_eq!(input.matches("-D PREROUTING -p tcp -j ISTIO_INBOUND\n").count(), 1);
}

#[test]
fn a_chain_without_a_jump_is_completed() {
    let input = input(plan(&wanted("-i *"), &current(":ISTIO_OUTPUT - [0:0]\n"), false));
    assert!(!input.contains("-D ") && input.contains("-A OUTPUT -j ISTIO_OUTPUT\n"), "{input}");
}

#[test]
fn a_chain_that_is_no_longer_wanted_is_emptied_before_it_is_removed() {
    let stale = ":ISTIO_OUTPUT - [0:0]\n:ISTIO_OUTPUT_DNS - [0:0]\n-A ISTIO_OUTPUT -j ISTIO_OUTPUT_DNS\n-A ISTIO_OUTPUT_DNS -j RETURN\n";
    let input = input(plan(&wanted(""), &current(stale), false));
    let place = |line: &str| input.find(line).unwrap_or_else(|| panic!("no {line} in {input}"));
    assert!(place(":ISTIO_OUTPUT - ") < place("-X ISTIO_OUTPUT_DNS"));
    assert!(place(":ISTIO_OUTPUT_DNS - ") < place("-X ISTIO_OUTPUT_DNS"));
}

#[test]
fn an_interface_that_is_no_longer_excluded_loses_its_rules() {
    let current = current(&dump(&wanted("-c eth1 -b *")));
    let input = input(plan(&wanted("-b *"), &current, false));
    assert!(input.contains("-D PREROUTING -i eth1 -j RETURN\n") && input.contains("-D OUTPUT -o eth1 -j RETURN\n"));
}
