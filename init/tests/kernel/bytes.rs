//! The rules that we write over netlink are those that `iptables-nft-restore` writes: by what `iptables-nft-save` says of
//! them, and by each attribute that the kernel shows. What we read is what `iptables-nft-save` reads.
#![expect(clippy::print_stderr, reason = "says how long the cases take")]

mod configurations;
mod dump;
pub(crate) mod random;

use std::process::{Command, Stdio};
use std::time::Instant;

use sidecar_init::change::Change;
use sidecar_init::kernel::Kernel;
use sidecar_init::nftables::batch::{Batch, TableId};
use sidecar_init::nftables::snapshot::Snapshot;
use sidecar_init::owned::Owned;
use sidecar_init::restore;
use sidecar_init::rule::{Family, RuleSet, Table};
use sidecar_init::saved::Saved;

use crate::pod::{Pod, may_run};
use dump::Object;

const FAMILIES: [Family; 2] = [Family::V4, Family::V6];
const TABLES: [Table; 3] = [Table::Mangle, Table::Nat, Table::Raw];
/// Of each kind; `SIDECAR_PROPERTY_CASES` makes others.
const CASES: usize = 100;

/// What is in the kernel after a case.
struct Outcome {
    /// What `iptables-nft-save` and `ip6tables-nft-save` say.
    saved: [String; 2],
    /// What the kernel shows.
    objects: Vec<Object>,
    /// What we read.
    snapshot: Snapshot,
}

/// All tables of both families.
pub(crate) fn all_tables() -> Vec<(Family, Table)> {
    FAMILIES.into_iter().flat_map(|family| TABLES.map(|table| (family, table))).collect()
}

/// Removes all tables of iptables from the namespace of this thread.
fn clear(kernel: &mut Kernel) {
    let mut batch = Batch::new(0);
    for (family, table) in all_tables() {
        let name = table.to_string();
        let id = TableId { protocol: family.into(), name: &name };
        batch.new_table(id);
        batch.delete_table(id);
    }
    kernel.send(&batch.finish()).unwrap();
}

fn tool(family: Family, verb: &str) -> String {
    let prefix = if family == Family::V4 { "iptables" } else { "ip6tables" };
    format!("/usr/sbin/{prefix}-nft-{verb}")
}

/// In the namespace of this thread, as iptables writes it.
fn restore(family: Family, text: &str) {
    use std::io::Write;
    let mut child = Command::new(tool(family, "restore"))
        .arg("--noflush")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
}

fn save(family: Family) -> String {
    let output = Command::new(tool(family, "save")).output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    // The rest says when that was.
    text.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect()
}

fn outcome(kernel: &mut Kernel) -> Outcome {
    Outcome { saved: FAMILIES.map(save), objects: dump::all(), snapshot: kernel.read(&all_tables()).unwrap() }
}

fn as_iptables_writes(case: &[RuleSet]) -> Outcome {
    let mut kernel = Kernel::connect().unwrap();
    clear(&mut kernel);
    for family in FAMILIES {
        let rule_sets = case.iter().filter(|rules| rules.family == family && !rules.rules.is_empty());
        let text: String = rule_sets.map(restore::fresh).collect();
        if !text.is_empty() {
            restore(family, &text);
        }
    }
    outcome(&mut kernel)
}

fn as_we_write(case: &[RuleSet]) -> Outcome {
    let mut kernel = Kernel::connect().unwrap();
    clear(&mut kernel);
    let seen = kernel.read(&all_tables()).unwrap();
    let changes: Vec<Change> =
        case.iter().map(|rules| Change { removed: vec![], present: vec![], rules: rules.clone() }).collect();
    kernel.commit(&changes, &seen).unwrap();
    outcome(&mut kernel)
}

fn compare(case: &[RuleSet], theirs: &Outcome, ours: &Outcome) {
    let text = || case.iter().map(restore::fresh).collect::<String>();
    assert_eq!(ours.saved, theirs.saved, "\n{}", text());
    assert_eq!(ours.objects, theirs.objects, "\n{}", text());
    for outcome in [ours, theirs] {
        for (family, table, read) in &outcome.snapshot.tables {
            let saved = &outcome.saved[usize::from(*family == Family::V6)];
            let expected = Saved::read(saved, *table).unwrap();
            assert_eq!(*read, expected, "\n{}", text());
        }
    }
    for rules in case {
        let read = ours.snapshot.table(rules.family, rules.table).unwrap();
        let expected = Owned::after(rules);
        assert_eq!((&read.chains, &read.others), (&expected.chains, &expected.outside), "\n{}", text());
    }
}

fn prove(cases: &[Vec<RuleSet>]) {
    let began = Instant::now();
    let (tool, own) = (Pod::new("nft"), Pod::new("nft"));
    let (theirs, ours) = std::thread::scope(|scope| {
        let theirs =
            scope.spawn(|| tool.enter(|| cases.iter().map(|case| as_iptables_writes(case)).collect::<Vec<_>>()));
        let ours = own.enter(|| cases.iter().map(|case| as_we_write(case)).collect::<Vec<_>>());
        (theirs.join().unwrap(), ours)
    });
    for ((case, theirs), ours) in cases.iter().zip(&theirs).zip(&ours) {
        compare(case, theirs, ours);
    }
    eprintln!("{} cases in {:.1?}", cases.len(), began.elapsed());
}

#[test]
fn any_rules_are_written_as_iptables_writes_them() {
    if may_run() {
        prove(&random::cases(cases()));
    }
}

#[test]
fn any_settings_are_written_as_iptables_writes_them() {
    if may_run() {
        prove(&[configurations::golden_cases(), configurations::random(cases())].concat());
    }
}

#[expect(clippy::disallowed_methods, reason = "how many cases is up to whoever runs them")]
fn cases() -> usize {
    std::env::var("SIDECAR_PROPERTY_CASES").ok().and_then(|count| count.parse().ok()).unwrap_or(CASES)
}
