//! Native rules say in the words of iptables what the rules for iptables say.

use super::*;
use crate::cli::Cli;
use crate::native::expressions::expressions;
use crate::native::ruleset::tables;
use crate::redirect;
use crate::rule::RuleSet;

/// The rules of a chain as a family meets them, from their expressions.
fn bodies(rule_sets: &[RuleSet], table: Table, chain: Chain, family: Family) -> Vec<String> {
    let tables = tables(rule_sets);
    let of_table = tables.iter().filter(|native| native.table == table);
    let of_chain = of_table.flat_map(|native| &native.chains).filter(|native| native.chain == chain);
    of_chain.flat_map(|native| &native.rules).filter_map(|rule| body(&expressions(rule).unwrap(), family)).collect()
}

#[test]
fn every_rule_reads_as_that_of_iptables() {
    for arguments in [
        "-b * -i * -d 15090,15021,15020",
        "-b 80,443:445 -i 10.0.0.0/8,fd00::/8 -x 10.1.2.0/23,fd01::/62 -q 5432 -o 53 -c eth1 -k vnet0 --drop-invalid",
        "-b * -d 15090 -i * -m TPROXY --tproxy-nonroot -c eth1",
        "-b * -i * --redirect-dns --dns-servers 10.96.0.10,fd00::a -u 1337,1338 -g 202",
    ] {
        let words = ["sidecar-init"].into_iter().chain(arguments.split_whitespace()).map(Into::into);
        let capture = Cli::from_arguments(words).unwrap().settings_with(&|_| None).unwrap().capture;
        let rule_sets: Vec<RuleSet> =
            [Family::V4, Family::V6].into_iter().flat_map(|family| redirect::rule_sets(&capture, family)).collect();
        for rules in &rule_sets {
            let (table, family) = (rules.table, rules.family);
            for chain in CHAINS {
                // Those that are put first change places; which, other tests hold.
                let of_chain = || rules.rules.iter().filter(|rule| rule.chain == chain);
                let mut expected: Vec<String> = of_chain().map(|rule| canonical::body(rule, family)).collect();
                let mut shown = bodies(&rule_sets, table, chain, family);
                // Where nobody listens iptables drops, too.
                shown.retain(|body| !(chain == Chain::Tproxy && body.ends_with("-j DROP")));
                expected.sort();
                shown.sort();
                assert_eq!(shown, expected, "{family} {table} {chain} with {arguments}");
            }
        }
    }
}

#[test]
fn what_is_not_ours_is_not_taken_for_ours() {
    let strange = [Expression::Meta(Meta::Other(99), 1), Expression::Compare(Comparison::Equal, 1, vec![1])];
    let body = body(&[&strange[..], &[Expression::Verdict(Verdict::Drop)]].concat(), Family::V4).unwrap();
    assert!(body.starts_with("-m [") && body.ends_with("-j DROP"), "{body}");
}
