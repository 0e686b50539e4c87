//! Which rules lead to what being done: nothing, a first write, or a replacement.

use super::*;
use crate::cli::Cli;
use crate::{redirect, restore};

fn wanted(arguments: &str) -> RuleSet {
    let arguments = ["sidecar-init"].into_iter().chain(arguments.split_whitespace()).map(Into::into);
    let settings = Cli::from_arguments(arguments).unwrap().settings_with(&|_| None).unwrap();
    redirect::rule_sets(&settings.capture, Family::V4).remove(0)
}

/// The plan where exactly these chains and rules are there.
fn planned(wanted: &RuleSet, there: &str, force: bool) -> Option<Change> {
    let table = wanted.table;
    let saved = Saved::read(&format!("*{table}\n{there}COMMIT\n"), table).unwrap();
    change(wanted, &divide(&[(wanted.family, table, saved)]), Kind::Legacy, force)
}

/// What the kernel would show had exactly these rules been written.
fn dump(rules: &RuleSet) -> String {
    let chains: String = rules.own_chains().into_iter().map(|chain| format!(":{chain} - [0:0]\n")).collect();
    format!("{chains}{}", Owned::after(rules))
}

fn input(change: Option<Change>) -> String {
    restore::swap(&change.expect("something is written"))
}

fn replaces(change: Option<&Change>) -> bool {
    change.is_some_and(|change| !change.present.is_empty() || !change.removed.is_empty())
}

#[test]
fn where_nothing_is_there_nothing_is_deleted() {
    let change = planned(&wanted("-b * -i *"), "", false);
    assert!(!replaces(change.as_ref()));
    let input = input(change);
    assert!(input.starts_with("*nat\n:ISTIO_INBOUND - [0:0]\n") && input.ends_with("COMMIT\n"), "{input}");
    assert!(!input.contains("-D ") && !input.contains("-X ") && !input.contains("-N "), "{input}");
}

#[test]
fn what_is_there_already_is_kept_unless_forced() {
    for arguments in [
        "",
        "-b * -i *",
        "-b * -i 10.0.0.1/8 -k eth0,eth1 -c eth2,eth3,eth2 -o 1:2 -u 1,2",
        "-k eth0 -c eth0",
        "-k eth0,eth1",
    ] {
        let wanted = wanted(arguments);
        let there = dump(&with_notes(&wanted, &Current::default()));
        assert_eq!(planned(&wanted, &there, false), None, "{arguments}");
        assert!(replaces(planned(&wanted, &there, true).as_ref()));
    }
}

#[test]
fn a_difference_in_order_is_a_difference() {
    let moved = dump(&wanted("-o 2,1"));
    assert!(planned(&wanted("-o 1,2"), &moved, false).is_some());
}

#[test]
fn a_jump_is_deleted_as_often_as_it_is_there() {
    let wanted = wanted("-b * -i *");
    let doubled = format!("{}-A OUTPUT -j ISTIO_OUTPUT\n", dump(&wanted));
    let input = input(planned(&wanted, &doubled, false));
    assert_eq!(input.matches("-D OUTPUT -j ISTIO_OUTPUT\n").count(), 2);
    assert_eq!(input.matches("-D PREROUTING -p tcp -j ISTIO_INBOUND\n").count(), 1);
}

#[test]
fn a_chain_without_a_jump_is_completed() {
    let input = input(planned(&wanted("-i *"), ":ISTIO_OUTPUT - [0:0]\n", false));
    assert!(!input.contains("-D ") && input.contains("-A OUTPUT -j ISTIO_OUTPUT\n"), "{input}");
}

#[test]
fn a_chain_that_is_no_longer_wanted_is_emptied_before_it_is_removed() {
    let stale = ":ISTIO_OUTPUT - [0:0]\n:ISTIO_OUTPUT_DNS - [0:0]\n-A ISTIO_OUTPUT -j ISTIO_OUTPUT_DNS\n-A ISTIO_OUTPUT_DNS -j RETURN\n";
    let input = input(planned(&wanted(""), stale, false));
    let place = |line: &str| input.find(line).unwrap_or_else(|| panic!("no {line} in {input}"));
    assert!(place(":ISTIO_OUTPUT - ") < place("-X ISTIO_OUTPUT_DNS"));
    assert!(place(":ISTIO_OUTPUT_DNS - ") < place("-X ISTIO_OUTPUT_DNS"));
}

#[test]
fn an_interface_that_is_no_longer_excluded_loses_its_rules() {
    let input = input(planned(&wanted("-b *"), &dump(&wanted("-c eth1 -b *")), false));
    assert!(input.contains("-D PREROUTING -i eth1 -j RETURN\n") && input.contains("-D OUTPUT -o eth1 -j RETURN\n"));
}

const FOREIGN: &str = "-A PREROUTING -i cni0 -j RETURN\n-A OUTPUT -o cni0 -j RETURN\n";

/// The chains, then what OUTPUT and PREROUTING hold of others and of `rules`, in the order in which they would be.
fn dump_below(foreign: &str, rules: &RuleSet) -> String {
    let dump = dump(rules);
    let (chains, rules) = dump.split_at(dump.find("-A ").unwrap());
    let part = |text: &str, chain: &str| -> String {
        text.lines().filter(|line| line.starts_with(&format!("-A {chain}"))).map(|line| format!("{line}\n")).collect()
    };
    let built_in = ["PREROUTING", "OUTPUT"].map(|chain| part(foreign, chain) + &part(rules, chain)).concat();
    format!("{chains}{built_in}{}", part(rules, "ISTIO"))
}

fn foreign() -> Current {
    Current::divide(&Saved::read(&format!("*nat\n{FOREIGN}COMMIT\n"), Table::Nat).unwrap())
}

#[test]
fn what_others_return_by_interface_is_parted_from_ours_and_stays() {
    let first = wanted("-b * -i * -c eth1");
    assert!(input(planned(&first, FOREIGN, false)).contains("-A OUTPUT -j ISTIO_NOTE\n-A PREROUTING -i eth1"));
    let there = dump_below(FOREIGN, &with_notes(&first, &foreign()));
    assert_eq!(planned(&first, &there, false), None);
    let second = input(planned(&wanted("-b *"), &there, false));
    assert!(!second.contains("cni0"), "{second}");
    assert!(second.contains("-D PREROUTING -i eth1 -j RETURN\n") && second.contains("-D OUTPUT -o eth1 -j RETURN\n"));
    assert!(second.contains("-A OUTPUT -j ISTIO_NOTE\n"), "{second}");
}

#[test]
fn a_note_that_is_no_longer_needed_is_no_reason_to_write_and_goes_when_something_is_written() {
    let wanted = wanted("-b * -i *");
    let there = dump(&with_notes(&wanted, &foreign()));
    assert_eq!(planned(&wanted, &there, false), None);
    let input = input(planned(&wanted, &there, true));
    assert!(input.contains("-D OUTPUT -j ISTIO_NOTE\n") && input.contains("-X ISTIO_NOTE\n"), "{input}");
}

#[test]
fn others_may_come_after_us_too() {
    let wanted = wanted("-b * -i * -c eth1");
    let there = format!("{}{FOREIGN}", dump(&wanted));
    assert_eq!(planned(&wanted, &there, false), None);
    assert!(!input(planned(&wanted, &there, true)).contains("-D OUTPUT -o cni0"));
}

#[test]
fn the_interface_of_a_machine_loses_its_rules_also_where_no_range_was_redirected() {
    let there = dump(&with_notes(&wanted("-b * -k vnet0,vnet1"), &Current::default()));
    let input = input(planned(&wanted("-b *"), &there, false));
    assert!(input.contains("-D PREROUTING -i vnet0 -j RETURN\n-D PREROUTING -p tcp"), "{input}");
    assert!(input.contains("-D PREROUTING -i vnet1 -j RETURN\n"), "{input}");
}

#[test]
fn what_others_decide_about_tcp_before_us_is_told() {
    let wanted = wanted("-i *");
    let first = "-A OUTPUT -p tcp -j ACCEPT\n";
    let harmless = "-A PREROUTING -p tcp -j ACCEPT\n-A OUTPUT -p udp -j ACCEPT\n-A OUTPUT -j KUBE-X\n";
    let there = dump_below(&format!("{harmless}{first}"), &wanted) + "-A OUTPUT -d 10.0.0.1/32 -j DNAT\n";
    let saved = Saved::read(&format!("*nat\n{there}COMMIT\n"), Table::Nat).unwrap();
    let current = Current::divide(&saved);
    let told = |is_written| ahead_of_ours(&wanted, &current, is_written).map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(told(false), ["OUTPUT -p tcp -j ACCEPT"]);
    // Rewritten, ours stay between them.
    assert_eq!(told(true), ["OUTPUT -p tcp -j ACCEPT"]);
}

fn wanted_of(arguments: &str, table: Table) -> RuleSet {
    let arguments = ["sidecar-init"].into_iter().chain(arguments.split_whitespace()).map(Into::into);
    let settings = Cli::from_arguments(arguments).unwrap().settings_with(&|_| None).unwrap();
    let rule_sets = redirect::rule_sets(&settings.capture, Family::V4);
    rule_sets.into_iter().find(|rules| rules.table == table).unwrap()
}

#[test]
fn rules_for_tproxy_are_kept_and_lost_whatever_interfaces_they_name() {
    for arguments in [
        "-b *",
        "-b * -c eth1,eth2",
        "",
        "-c eth1",
        "-b * -k vnet0 -c vnet0 --tproxy-nonroot",
        "-b * -k vnet0 --tproxy-nonroot",
    ] {
        let wanted = wanted_of(&format!("-m TPROXY {arguments}"), Table::Mangle);
        let there = dump(&with_notes(&wanted, &Current::default()));
        assert_eq!(planned(&wanted, &there, false), None, "{arguments}: {there}");
        let nothing = RuleSet { rules: vec![], ..wanted };
        let gone = planned(&nothing, &there, false).unwrap();
        assert_eq!(
            gone.removed.len(),
            there.lines().filter(|line| line.starts_with("-A PRE") || line.starts_with("-A OUT")).count(),
            "{arguments}: {there}"
        );
    }
}

#[test]
fn a_table_that_gives_up_connections_waits_for_the_one_that_takes_them_over() {
    let all = |arguments: &str| {
        let arguments = ["sidecar-init"].into_iter().chain(arguments.split_whitespace()).map(Into::into);
        let settings = Cli::from_arguments(arguments).unwrap().settings_with(&|_| None).unwrap();
        redirect::rule_sets(&settings.capture, Family::V4)
    };
    let there = |goal: &[RuleSet]| {
        let saved = |rules: &RuleSet| {
            Saved::read(&format!("*{0}\n{1}COMMIT\n", rules.table, dump(rules)), rules.table).unwrap()
        };
        let tables: Vec<_> = goal.iter().map(|rules| (rules.family, rules.table, saved(rules))).collect();
        divide(&tables)
    };
    let order = |from: &[RuleSet], to: &[RuleSet]| -> Vec<Table> {
        changes(to, &there(from), Kind::Legacy, false).iter().map(Change::table).collect()
    };
    let redirect = all("-b * -i *");
    let tproxy = all("-b * -i * -m TPROXY --redirect-dns --capture-all-dns --drop-invalid");
    assert_eq!(order(&[], &tproxy), [Table::Raw, Table::Mangle, Table::Nat]);
    assert_eq!(order(&redirect, &tproxy), [Table::Raw, Table::Mangle, Table::Nat]);
    assert_eq!(order(&tproxy, &redirect), [Table::Nat, Table::Raw, Table::Mangle]);
    assert_eq!(order(&tproxy, &all("-b * -i * --drop-invalid")), [Table::Nat, Table::Raw, Table::Mangle]);
}

#[test]
fn what_is_written_anew_stays_between_those_rules_of_others_that_it_was_between() {
    let there = "-A PREROUTING -i vnet0 -j RETURN\n-A PREROUTING -p udp -j ACCEPT\n-A PREROUTING -i eth1 -j RETURN\n\
        -A PREROUTING -p tcp -j ISTIO_INBOUND\n-A PREROUTING -p tcp -j ACCEPT\n-A OUTPUT -o eth1 -j RETURN\n\
        -A OUTPUT -j ISTIO_OUTPUT\n-A OUTPUT -p tcp -j ACCEPT\n-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 1\n";
    let chains = ":ISTIO_INBOUND - [0:0]\n:ISTIO_OUTPUT - [0:0]\n:ISTIO_REDIRECT - [0:0]\n";
    let there = format!("{chains}-A PREROUTING -i vnet0 -j ISTIO_REDIRECT\n{there}");
    let text = input(planned(&wanted("-b * -i * -c eth2 -k vnet1"), &there, false));
    let built_in: Vec<&str> =
        text.lines().filter(|line| line.contains(" PREROUTING ") || line.contains(" OUTPUT ")).collect();
    let expected = [
        "-D PREROUTING -i vnet0 -j ISTIO_REDIRECT",
        "-D PREROUTING -i vnet0 -j RETURN",
        "-D PREROUTING -i eth1 -j RETURN",
        "-D PREROUTING -p tcp -j ISTIO_INBOUND",
        "-D OUTPUT -o eth1 -j RETURN",
        "-D OUTPUT -j ISTIO_OUTPUT",
        "-I PREROUTING 2 -i eth2 -j RETURN",
        "-I OUTPUT 1 -o eth2 -j RETURN",
        "-I PREROUTING 1 -i vnet1 -j RETURN",
        "-I PREROUTING 4 -p tcp -j ISTIO_INBOUND",
        "-I OUTPUT 2 -j ISTIO_OUTPUT",
        "-I PREROUTING 1 -i vnet1 -j ISTIO_REDIRECT",
    ];
    assert_eq!(built_in, expected);
}

#[test]
fn a_rule_of_others_that_uses_a_chain_of_ours_stays_as_long_as_the_chain() {
    let wanted = wanted("-b * -i *");
    let there = format!(":MINE - [0:0]\n{}-A MINE -j ISTIO_REDIRECT\n-A MINE -g ISTIO_INBOUND\n", dump(&wanted));
    assert_eq!(planned(&wanted, &there, false), None);
    assert!(!input(planned(&wanted, &there, true)).contains("MINE"));
    let text = input(planned(&RuleSet { rules: vec![], ..wanted }, &there, false));
    assert!(text.contains("-D MINE -j ISTIO_REDIRECT\n-D MINE -g ISTIO_INBOUND\n"), "{text}");
}

#[test]
fn each_chain_that_is_written_is_known_as_ours_when_it_is_read() {
    let everything = "-m TPROXY -b * -i * -k vnet0 --redirect-dns --capture-all-dns --drop-invalid";
    for table in TABLES {
        for arguments in [everything, "-b * -i *"] {
            let settings =
                Cli::from_arguments(["sidecar-init"].into_iter().chain(arguments.split(' ')).map(Into::into));
            let settings = settings.unwrap().settings_with(&|_| None).unwrap();
            let rule_sets = redirect::rule_sets(&settings.capture, Family::V4);
            let of_table = rule_sets.iter().filter(|rules| rules.table == table);
            let chains: Vec<Chain> = of_table.flat_map(RuleSet::own_chains).collect();
            assert!(chains.iter().all(|chain| table.holds_own(chain.name())), "{table}: {chains:?}");
        }
    }
}

#[test]
fn what_is_surplus_above_unmarked_rules_is_of_others_on_nf_tables_alone() {
    let wanted = wanted("-b * -i * -c eth1");
    let there = dump_below("-A PREROUTING -i eth9 -j RETURN\n-A OUTPUT -o eth9 -j RETURN\n", &wanted);
    let saved = Saved::read(&format!("*nat\n{there}COMMIT\n"), Table::Nat).unwrap();
    let view = divide(&[(Family::V4, Table::Nat, saved)]);
    assert_eq!(change(&wanted, &view, Kind::Nft, false), None);
    assert_eq!(change(&wanted, &view, Kind::Legacy, false).unwrap().removed.len(), 6);
    let other = super::tests::wanted("-b * -i * -c eth1 -o 99");
    assert_eq!(change(&other, &view, Kind::Nft, false).unwrap().removed.len(), 6);
}
