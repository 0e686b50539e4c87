//! The tables of our own in nf_tables: what we write over netlink is what `nft` makes of the script.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use sidecar_init::change::Change;
use sidecar_init::cli::Cli;
use sidecar_init::kernel::Kernel;
use sidecar_init::native::present::Present;
use sidecar_init::native::ruleset::{NativeTable, tables};
use sidecar_init::native::{step, text};
use sidecar_init::nftables::batch::Batch;
use sidecar_init::nftables::snapshot::Snapshot;
use sidecar_init::rule::{Chain, Family, Match, RuleSet, Table, Target};
use sidecar_init::saved::Saved;
use sidecar_init::{groups, redirect};

use crate::bytes::{all_tables, random};
use crate::pod::{BINARY, Pod, golden, may_run};

const CASES: usize = 300;

/// Chains by table and name, each with its lines.
type Listed = BTreeMap<String, Vec<String>>;

/// Runs `nft` in the namespace of this thread.
fn nft(arguments: &[&str], input: &str) -> String {
    let mut command = Command::new("/usr/sbin/nft");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}\n{input}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What `nft` shows. The order of chains is that in which they were made, and does not count.
fn listed() -> Listed {
    let mut listed = Listed::new();
    let (mut table, mut chain) = (String::new(), String::new());
    for line in nft(&["-s", "list", "ruleset"], "").lines() {
        let name = line.trim().trim_end_matches(" {").to_owned();
        match (line.starts_with("table "), line.starts_with("\tchain "), line.trim()) {
            (true, ..) => (table, chain) = (name, String::new()),
            (_, true, _) => chain = name,
            (_, _, "" | "}") => {}
            _ => listed.entry(format!("{table} {chain}")).or_default().push(line.trim().to_owned()),
        }
        listed.entry(format!("{table} {chain}")).or_default();
    }
    listed
}

fn present() -> Present {
    Kernel::connect().unwrap().native().unwrap()
}

/// Writes the tables over netlink, and returns how many steps that took.
fn write(wanted: &[NativeTable], force: bool) -> usize {
    let mut kernel = Kernel::connect().unwrap();
    let steps = kernel.native().unwrap().steps_to(wanted, force).unwrap();
    let mut batch = Batch::new(kernel.generation().unwrap());
    for step in &steps {
        step.append_to(&mut batch).unwrap();
    }
    let shown = || steps.iter().map(|step| format!("{step}\n")).collect::<String>();
    let sent = kernel.send(&batch.finish());
    assert!(sent.is_ok(), "{sent:?}\n{}", shown());
    steps.len()
}

/// The rules of a golden case, with numbers for the names of groups.
fn golden_case(case: &str) -> Vec<RuleSet> {
    let (arguments, environment) = (golden(case, "arguments"), environment(case));
    let variable = |name: &str| environment.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    let arguments = ["sidecar-init"].into_iter().chain(arguments.lines()).map(Into::into);
    let settings =
        Cli::from_arguments(arguments).unwrap().settings_with(&|name| variable(name).map(str::to_owned)).unwrap();
    let families = [Family::V4, Family::V6].into_iter();
    let rules = families.flat_map(|family| redirect::rule_sets(&settings.capture, family));
    rules.map(|rules| groups::resolve(&rules, "java:x:4711:\n").unwrap()).collect()
}

fn environment(case: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    fs::read_to_string(folder.join(case).join("environment")).unwrap_or_default()
}

fn golden_cases() -> Vec<Vec<RuleSet>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let cases = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    cases.map(|case| golden_case(&case)).collect()
}

/// Every third time what is random in both families, in IPv4 alone, or alike in both as far as there are no addresses.
fn random_cases() -> Vec<Vec<RuleSet>> {
    let has_address =
        |condition: &Match| matches!(condition, Match::Source(_) | Match::Destination(_) | Match::NotDestination(_));
    let vary = |(at, mut case): (usize, Vec<RuleSet>)| {
        let v4: Vec<RuleSet> = case.iter().filter(|rules| rules.family == Family::V4).cloned().collect();
        for (rules, v4) in case.iter_mut().filter(|rules| rules.family == Family::V6).zip(&v4) {
            let alike = v4.rules.iter().filter(|rule| !rule.matches.iter().any(has_address)).cloned();
            if at % 3 == 0 {
                rules.rules.splice(0..0, alike);
            }
        }
        if at % 3 == 1 { v4 } else { case }
    };
    random::cases(CASES).into_iter().enumerate().map(vary).collect()
}

fn cases() -> Vec<Vec<NativeTable>> {
    golden_cases().iter().chain(&random_cases()).map(|case| tables(case)).collect()
}

#[test]
fn netlink_and_script_write_the_same_and_each_finds_that_of_the_other() {
    if !may_run() {
        return;
    }
    let cases = cases();
    let by_script = |wanted: &Vec<NativeTable>| {
        nft(&["-f", "-"], &format!("flush ruleset\n{}", step::script(wanted)));
        (listed(), present())
    };
    // Each over what the last one has left.
    let over_netlink = |wanted: &Vec<NativeTable>| {
        write(wanted, false);
        (listed(), present())
    };
    let (one, other) = (Pod::new("nft"), Pod::new("nft"));
    let (theirs, ours) = thread::scope(|scope| {
        let theirs = scope.spawn(|| one.enter(|| cases.iter().map(by_script).collect::<Vec<_>>()));
        let ours = other.enter(|| cases.iter().map(over_netlink).collect::<Vec<_>>());
        (theirs.join().unwrap(), ours)
    });
    for ((wanted, theirs), ours) in cases.iter().zip(theirs).zip(ours) {
        let script = step::script(wanted);
        assert!(wanted.is_empty() || !theirs.0.is_empty());
        assert_eq!(ours.0, theirs.0, "{script}");
        for (_, present) in [ours, theirs] {
            assert_eq!(present.steps_to(wanted, false).unwrap(), [], "{script}");
        }
    }
}

#[test]
fn all_that_is_written_is_removed() {
    if !may_run() {
        return;
    }
    Pod::new("nft").enter(|| {
        let [first, second] = ["default", "tproxy-dns"].map(|case| tables(&golden_case(case)));
        assert!(write(&first, false) > 0);
        let once = listed();
        assert_eq!(write(&first, false), 0);
        assert!(write(&first, true) > 0);
        assert_eq!(listed(), once);
        nft(&["-f", "-"], "add table inet other\nadd chain inet other mine\nadd rule inet other mine counter accept");
        write(&second, false);
        write(&first, false);
        assert!(write(&[], false) > 0);
        assert_eq!(write(&[], false), 0);
        let left = listed();
        assert_eq!(left.keys().collect::<Vec<_>>(), ["table inet other ", "table inet other chain mine"]);
        nft(&["delete", "table", "inet", "other"], "");
        assert_eq!(nft(&["list", "ruleset"], ""), "");
    });
}

#[test]
fn what_others_have_done_to_our_tables_is_mended() {
    if !may_run() {
        return;
    }
    let wanted = tables(&golden_case("default"));
    Pod::new("nft").enter(|| {
        write(&wanted, false);
        let good = listed();
        let nat = "inet istio-proxy-nat";
        for damage in [
            format!("flush chain {nat} istio-output"),
            format!("insert rule {nat} istio-output counter jump istio-redirect"),
            format!("add rule {nat} output ip daddr {{ 10.0.0.1, 10.0.0.2 }} accept"),
            format!("add chain {nat} istio-extra"),
            format!("add set {nat} extra {{ type ipv4_addr ; }}"),
            format!("add chain {nat} output {{ policy drop ; }}"),
            format!("add table {nat} {{ flags dormant ; }}"),
            "add table inet istio-proxy-raw".to_owned(),
            format!("delete table {nat}"),
            format!(
                "flush chain {nat} output\ndelete chain {nat} output\n\
                 add chain {nat} output {{ type filter hook output priority 7 ; }}"
            ),
        ] {
            nft(&["-f", "-"], &damage);
            assert!(write(&wanted, false) > 0, "{damage}");
            assert_eq!(listed(), good, "{damage}");
            assert_eq!(write(&wanted, false), 0, "{damage}");
        }
    });
}

/// What takes away all that is ours in the tables of iptables, where nobody else has anything.
fn removal(seen: &Snapshot) -> Vec<Change> {
    let change = |(family, table, saved): &(Family, Table, Saved)| Change {
        removed: saved.others.clone(),
        present: saved.chains.keys().cloned().collect(),
        rules: RuleSet { family: *family, table: *table, rules: vec![] },
    };
    seen.tables.iter().map(change).collect()
}

#[test]
fn one_transaction_leads_from_the_tables_of_iptables_to_our_own_and_back() {
    if !may_run() {
        return;
    }
    let rules = golden_case("tproxy-dns");
    let wanted = tables(&rules);
    Pod::new("nft").enter(|| {
        let mut kernel = Kernel::connect().unwrap();
        let written: Vec<Change> =
            rules.into_iter().map(|rules| Change { removed: vec![], present: vec![], rules }).collect();
        let mut seen = kernel.read(&all_tables()).unwrap();
        kernel.commit(&written, &seen).unwrap();
        let before = kernel.read(&all_tables()).unwrap();
        for _ in 0..2 {
            seen = kernel.read(&all_tables()).unwrap();
            let steps = seen.native.steps_to(&wanted, false).unwrap();
            kernel.commit_with(&removal(&seen), &steps, &seen).unwrap();
            seen = kernel.read(&all_tables()).unwrap();
            assert!(seen.tables.iter().all(|(_, _, saved)| *saved == Saved::default()), "{:?}", seen.tables);
            assert_eq!(seen.native.tables().count(), 3);
            kernel.commit_with(&written, &seen.native.steps_to(&[], false).unwrap(), &seen).unwrap();
            seen = kernel.read(&all_tables()).unwrap();
            assert!(seen.native.is_empty());
            assert_eq!(seen.tables, before.tables);
        }
    });
}

#[test]
fn what_the_kernel_refuses_is_named_and_nothing_is_written() {
    if !may_run() {
        return;
    }
    let mut wanted = tables(&golden_case("default"));
    let chain = wanted[0].chains.iter_mut().find(|chain| chain.chain == Chain::Outbound).unwrap();
    // Nothing makes this chain.
    chain.rules[3].target = Target::Jump(Chain::Note);
    let text = text::rule(&chain.rules[3]);
    Pod::new("nft").enter(|| {
        let mut kernel = Kernel::connect().unwrap();
        let seen = kernel.read(&[]).unwrap();
        let refused = kernel.commit_with(&[], &seen.native.steps_to(&wanted, false).unwrap(), &seen).unwrap_err();
        assert!(refused.to_string().contains(&text), "{refused}");
        assert!(listed().is_empty());
    });
}

#[test]
fn a_dry_run_prints_the_script() {
    if may_run() {
        let pod = Pod::new("nft");
        let output = pod.init("-b * -i * -d 15090,15021,15020 --ip-families v4,v6 --dry-run --native-nftables");
        assert_eq!(output.stdout, golden("default", "nft"));
        assert_eq!(pod.succeed(&["nft", "list", "ruleset"]), "");
    }
}

/// What became of nat in both families, by backend: `native IPv4 fresh`.
fn outcomes(pod: &Pod, arguments: &str) -> Vec<String> {
    let words: Vec<&str> = [BINARY, "-b", "*", "-i", "*"].into_iter().chain(arguments.split_whitespace()).collect();
    let output = pod.run(&words);
    assert!(output.status.success(), "`{arguments}`: {}", output.stderr);
    let value = |line: &str, name: &str| {
        let (_, rest) = line.split_once(name).unwrap();
        rest.split_whitespace().next().unwrap().trim_matches('"').to_owned()
    };
    let lines = output.stderr.lines().filter(|line| line.contains("table=nat"));
    lines.map(|line| ["backend=", "family=", "outcome="].map(|name| value(line, name)).join(" ")).collect()
}

#[test]
fn the_program_stays_with_native_rules_until_it_is_told_otherwise() {
    if !may_run() {
        return;
    }
    let pod = Pod::new("nft");
    let of = |outcome: &str| ["IPv4", "IPv6"].map(|family| format!("native {family} {outcome}"));
    assert_eq!(outcomes(&pod, "--native-nftables"), of("fresh"));
    assert_eq!(outcomes(&pod, "--native-nftables"), of("unchanged"));
    assert_eq!(outcomes(&pod, ""), of("unchanged"));
    assert_eq!(outcomes(&pod, "-o 5432"), of("replaced"));
    let to_nft = outcomes(&pod, "--force-iptables-binary nft");
    assert_eq!(to_nft, [["nft IPv4 fresh".to_owned(), "nft IPv6 fresh".to_owned()], of("removed")].concat());
    outcomes(&pod, "--native-nftables --ip-families v4");
    let shown = pod.succeed(&["nft", "list", "table", "inet", "istio-proxy-nat"]);
    assert!(shown.contains("meta nfproto ipv4 counter") && !shown.contains("ip6 "), "{shown}");
    outcomes(&pod, "--cleanup-only");
    assert!(!pod.succeed(&["nft", "list", "ruleset"]).contains("istio"));
}
