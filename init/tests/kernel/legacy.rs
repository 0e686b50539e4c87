//! What is peculiar to iptables-legacy: its tables may be there unseen, its tools may fail half-way, and two runs may write
//! at the same time.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, symlink};

use sidecar_test_support::process::Output;
use tempfile::TempDir;

use crate::backend::{Backend, with_each_backend};
use crate::footprint::Footprint;
use crate::pod::{BINARY, DEFAULT, Pod, may_run};
use crate::privileges::{NOBODY, confined_as};

const TPROXY: &str = "-b * -i * -m TPROXY --ip-families v4";
const ROOT: u32 = 0;
const NET_ADMIN: &[&str] = &["net_admin"];

fn ended(output: &Output, code: i32, words: &[&str]) {
    assert_eq!(output.status.code(), Some(code), "{}", output.stderr);
    for word in words {
        assert!(output.stderr.contains(word), "does not say `{word}`: {}", output.stderr);
    }
}

/// With rules of an earlier run for TPROXY in iptables-legacy, and nothing said about backends now.
fn with_legacy_rules() -> Pod {
    let pod = Pod::with(Backend::Legacy);
    pod.succeed_init(TPROXY);
    pod.without_choice()
}

/// With a table that somebody has looked at.
fn with_legacy_table() -> Pod {
    let pod = Pod::with(Backend::Legacy);
    pod.iptables("iptables", "-L");
    pod.without_choice()
}

/// A folder of tools of which the first ones are these scripts.
fn tools(scripts: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for tool in ["iptables", "ip6tables"]
        .into_iter()
        .flat_map(|name| [format!("{name}-legacy-save"), format!("{name}-legacy-restore")])
    {
        let path = folder.path().join(&tool);
        match scripts.iter().find(|(name, _)| *name == tool) {
            Some((_, script)) => {
                std::fs::write(
                    &path,
                    format!("#!/bin/sh\n{}", script.replace("HERE", &folder.path().display().to_string())),
                )
                .unwrap();
                std::fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
            }
            None => symlink(format!("/usr/sbin/{tool}"), path).unwrap(),
        }
    }
    folder
}

fn run_with(pod: &Pod, path: &str, arguments: &str) -> Output {
    let path = format!("PATH={path}");
    let words: Vec<&str> = ["env", &path, BINARY].into_iter().chain(arguments.split_whitespace()).collect();
    pod.run(&words)
}

fn unseen_rules_are_not_doubled(run: impl Fn(&Pod, &str) -> Output, reason: &str) {
    let pod = with_legacy_rules();
    let before = Footprint::of(&pod);
    for arguments in [TPROXY, DEFAULT] {
        ended(&run(&pod, arguments), 1, &["iptables-legacy", "--cleanup-only", reason]);
        assert_eq!(before.difference(&Footprint::of(&pod)), "", "{arguments}");
    }
    ended(&run(&pod, "--cleanup-only"), 1, &["may be left in iptables-legacy", reason]);
    // They are as good as before, and the next run is warned by their routing.
    assert_eq!(before.difference(&Footprint::of(&pod)), "");
    // Where there is no sign of an earlier run, a table says nothing.
    let pod = with_legacy_table();
    ended(&run(&pod, DEFAULT), 0, &["WARN", "would go unseen", reason]);
    ended(&run(&pod, TPROXY), 0, &["WARN", reason]);
    ended(&run(&pod, "--native-nftables -b *"), 0, &["WARN", reason]);
    ended(&run(&pod, "--cleanup-only"), 1, &["the rules that can be seen are removed", reason]);
    assert!(Footprint::of(&pod).is_clean());
    ended(&run(&pod, "--force-iptables-binary legacy -b *"), 1, &[]);
    assert!(Footprint::of(&pod).is_clean());
}

#[test]
fn rules_that_only_root_can_see_are_not_doubled() {
    if may_run() {
        unseen_rules_are_not_doubled(
            |pod, arguments| confined_as(pod, (NOBODY, NOBODY), NET_ADMIN, arguments),
            "as root, or with group 0",
        );
    }
}

#[test]
fn rules_that_cannot_be_seen_without_tools_are_not_doubled() {
    if may_run() {
        unseen_rules_are_not_doubled(|pod, arguments| run_with(pod, "/nowhere", arguments), "not on the PATH");
    }
}

#[test]
fn rules_that_cannot_be_seen_without_net_raw_are_not_doubled() {
    if may_run() {
        unseen_rules_are_not_doubled(|pod, arguments| confined_as(pod, (ROOT, ROOT), NET_ADMIN, arguments), "NET_RAW");
        let shown = confined_as(&with_legacy_table(), (ROOT, ROOT), NET_ADMIN, "show");
        ended(&shown, 0, &["NET_RAW"]);
    }
}

#[test]
fn rules_that_are_written_keep_their_routes_when_the_rest_fails() {
    if !may_run() {
        return;
    }
    let broken = tools(&[("iptables-legacy-restore", "exit 1")]);
    let path = format!("{}:/usr/bin:/bin", broken.path().display());
    let pod = Pod::with(Backend::Legacy);
    pod.succeed_init(&format!("{DEFAULT} --ip-families v4"));
    let pod = pod.without_choice();
    ended(&run_with(&pod, &path, &format!("{DEFAULT} --force-iptables-binary nft")), 1, &[]);
    let found = Footprint::of(&pod);
    assert!(!found.with(&["ip6tables-nft-save: nat ISTIO_REDIRECT"]).is_empty(), "{found:?}");
    assert!(!found.with(&["::6/128"]).is_empty(), "{found:?}");
    // Nothing of it is there when nothing was written.
    let pod = Pod::with(Backend::Nft).without_choice();
    ended(&run_with(&pod, &path, &format!("{DEFAULT} --force-iptables-binary legacy")), 1, &[]);
    assert!(Footprint::of(&pod).is_clean());
}

#[test]
fn a_handover_that_fails_half_way_keeps_routing() {
    if !may_run() {
        return;
    }
    let once = "if [ -e HERE/once ]; then exit 1; fi; touch HERE/once; exec /usr/sbin/iptables-legacy-restore \"$@\"";
    let broken = tools(&[("iptables-legacy-restore", once)]);
    let pod = Pod::with(Backend::Legacy);
    pod.succeed_init("-b * -i * --ip-families v4");
    let pod = pod.without_choice();
    let path = format!("{}:/usr/bin:/bin", broken.path().display());
    ended(&run_with(&pod, &path, &format!("{TPROXY} --force-iptables-binary nft")), 1, &[]);
    let found = Footprint::of(&pod);
    assert!(!found.with(&["iptables-nft-save: mangle ISTIO_TPROXY"]).is_empty(), "{found:?}");
    assert!(!found.with(&["lookup 133"]).is_empty(), "{found:?}");
    assert!(!found.with(&["table 133"]).is_empty(), "{found:?}");
}

#[test]
fn what_fails_half_way_is_put_back_at_once() {
    if !may_run() {
        return;
    }
    let broken = tools(&[("ip6tables-legacy-restore", "echo x >> HERE/runs; exit 1")]);
    let path = format!("{}:/usr/bin:/bin", broken.path().display());
    let pod = Pod::with(Backend::Legacy).without_choice();
    let output = run_with(&pod, &path, &format!("{DEFAULT} --force-iptables-binary legacy --ip-families v4,v6"));
    ended(&output, 1, &["ip6tables-legacy-restore failed"]);
    assert!(!output.stderr.contains("meanwhile"), "{}", output.stderr);
    assert_eq!(std::fs::read_to_string(broken.path().join("runs")).unwrap(), "x\n");
    assert!(Footprint::of(&pod).is_clean());
}

#[test]
fn runs_at_the_same_time_write_once() {
    with_each_backend(|backend| {
        let fresh = Pod::with(backend);
        fresh.succeed_init(TPROXY);
        let pod = Pod::with(backend);
        pod.succeed(&["iptables-legacy", "-t", "nat", "-L"]);
        // Reading takes so long that all would have read before any has written.
        let slow = tools(&[("iptables-legacy-save", "sleep 0.3; exec /usr/sbin/iptables-legacy-save \"$@\"")]);
        let flags = format!("{TPROXY} {}", backend.flags().join(" "));
        let one = format!("PATH={}:/usr/bin:/bin {BINARY} {flags} & ", slow.path().display());
        pod.succeed(&["sh", "-c", &format!("set -f; {}wait", one.repeat(4))]);
        let difference = Footprint::of(&fresh).difference(&Footprint::of(&pod));
        if difference.is_empty() { vec![] } else { vec![difference] }
    });
}

#[test]
fn groups_that_no_rule_of_iptables_legacy_holds_are_refused_before_anything_is_written() {
    if !may_run() {
        return;
    }
    let groups = |count: u32| {
        format!("ISTIO_OUTBOUND_OWNER_GROUPS={}", (1..=count).map(|id| id.to_string()).collect::<Vec<_>>().join(","))
    };
    let pod = Pod::with(Backend::Legacy);
    let run = |count, backend| {
        pod.run(&["env", &groups(count), BINARY, "--force-iptables-binary", backend, "-b", "*", "-i", "*"])
    };
    let refused = run(50, "legacy");
    ended(&refused, 1, &["ISTIO_OUTBOUND_OWNER_GROUPS names 50", "49", "--force-iptables-binary nft"]);
    assert!(Footprint::of(&pod).is_clean());
    ended(&run(49, "legacy"), 0, &[]);
    ended(&run(50, "nft"), 0, &[]);
}
