//! How little the program needs: which user, which capabilities, which files, which parts of the kernel.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::thread;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};
use sidecar_test_support::process::Output;
use sidecar_test_support::program::{Confinement, Program};

use crate::backend::{Backend, with_each_backend};
use crate::footprint::Footprint;
use crate::pod::{BINARY, DEFAULT, Pod, may_run};

/// Uses every table, both families, the address on `lo` and routing.
const EVERYTHING: &str = "-b * -i * -m TPROXY --redirect-dns --capture-all-dns --drop-invalid";

/// With these capabilities and no way to more, on a root file system that is read-only: as an ordinary user, or where that
/// is not enough as root.
fn confined(pod: &Pod, uid: u32, capabilities: &[&str], arguments: &str) -> Output {
    confined_as(pod, (uid, uid), capabilities, arguments)
}

pub(crate) fn confined_as(pod: &Pod, (uid, gid): (u32, u32), capabilities: &[&str], arguments: &str) -> Output {
    // Where it was built may be somebody's home.
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let binary = folder.path().join("sidecar-init");
    std::fs::copy(BINARY, &binary).unwrap();
    let added: String = capabilities.iter().map(|name| format!(",+{name}")).collect();
    let options = [
        format!("--reuid={uid}"),
        format!("--regid={gid}"),
        "--clear-groups".to_owned(),
        format!("--inh-caps=-all{added}"),
        format!("--ambient-caps=-all{added}"),
        format!("--bounding-set=-all{added}"),
        "--no-new-privs".to_owned(),
        binary.display().to_string(),
    ];
    let words = pod.flags().iter().copied().chain(arguments.split_whitespace()).map(str::to_owned);
    let mut program = Program::new("setpriv").args(options.into_iter().chain(words));
    program.confinement = Confinement { read_only_root: true, ..program.confinement };
    pod.run_program(&program)
}

pub(crate) const NOBODY: u32 = 65532;

fn refused(pod: &Pod, output: &Output, reasons: &[&str]) -> Vec<String> {
    let mut failures = Vec::new();
    if output.status.code() != Some(1) {
        failures.push(format!("ended with {:?}: {}", output.status, output.stderr));
    }
    for reason in reasons.iter().filter(|reason| !output.stderr.contains(**reason)) {
        failures.push(format!("does not name {reason}: {}", output.stderr));
    }
    failures.extend(left_over(pod));
    failures
}

fn left_over(pod: &Pod) -> Option<String> {
    let found = Footprint::of(pod);
    (!found.is_clean()).then(|| format!("left something: {:?}", found.ours()))
}

#[test]
fn any_user_with_net_admin_can_and_for_legacy_root_with_net_raw_too_on_a_read_only_file_system() {
    with_each_backend(|backend| {
        let (pod, fresh) = (Pod::with(backend), Pod::with(backend));
        // Only root may see which tables of iptables-legacy there are.
        let (uid, needed): (u32, &[&str]) =
            if backend == Backend::Legacy { (0, &["net_admin", "net_raw"]) } else { (NOBODY, &["net_admin"]) };
        let output = confined(&pod, uid, needed, EVERYTHING);
        fresh.succeed_init(EVERYTHING);
        let mut failures = vec![Footprint::of(&fresh).difference(&Footprint::of(&pod))];
        let again = confined(&pod, uid, needed, EVERYTHING);
        // Group 0 can see whether there is anything to remove from iptables-legacy.
        let cleaned = confined_as(&pod, (uid, 0), needed, "--cleanup-only");
        for output in [output, again, cleaned] {
            if !output.status.success() {
                failures.push(output.stderr);
            }
        }
        failures.retain(|failure| !failure.is_empty());
        failures.extend(left_over(&pod));
        failures
    });
}

#[test]
fn without_the_capability_nothing_is_written_and_it_is_named() {
    with_each_backend(|backend| {
        let pod = Pod::with(backend);
        let mut failures = refused(&pod, &confined(&pod, 0, &[], EVERYTHING), &["NET_ADMIN"]);
        if backend == Backend::Legacy {
            failures.extend(refused(&pod, &confined(&pod, 0, &["net_admin"], EVERYTHING), &["NET_RAW"]));
            failures.extend(refused(
                &pod,
                &confined(&pod, NOBODY, &["net_admin", "net_raw"], EVERYTHING),
                &["as root"],
            ));
        } else {
            failures.extend(refused(&pod, &confined(&pod, NOBODY, &[], EVERYTHING), &["NET_ADMIN"]));
        }
        failures
    });
}

#[test]
fn netlink_needs_no_program_and_no_file() {
    with_each_backend(|backend| {
        let pod = Pod::with(backend);
        let words: Vec<&str> = ["env", "PATH=/nowhere", BINARY]
            .into_iter()
            .chain(pod.flags().iter().copied())
            .chain(EVERYTHING.split_whitespace())
            .collect();
        let output = pod.run(&words);
        match backend {
            Backend::Legacy => refused(&pod, &output, &["iptables-legacy-restore", "PATH"]),
            _ if output.status.success() => vec![],
            _ => vec![output.stderr],
        }
    });
}

/// Part of a kernel that a program is to find missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Missing {
    /// `CONFIG_NF_TABLES`, with all else that is spoken to over this kind of socket.
    Netfilter,
    /// `CONFIG_IP_NF_IPTABLES` and its IPv6 twin.
    Legacy,
}

/// `AF_NETLINK` and `NETLINK_NETFILTER`, arguments of socket(2).
const NETLINK: u64 = 16;
const NETFILTER: u64 = 12;
/// `IPT_SO_GET_INFO` and `IPT_SO_SET_REPLACE`: what iptables-legacy begins with when it reads, and when it writes.
const GET_INFO: u64 = 64;
const ENOPROTOOPT: u32 = 92;
const EPROTONOSUPPORT: u32 = 93;

impl Missing {
    fn filter(self) -> BpfProgram {
        let equal = |argument, value| {
            SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value).unwrap()
        };
        let (calls, conditions, error) = match self {
            Self::Netfilter => {
                (vec![nix::libc::SYS_socket], vec![equal(0, NETLINK), equal(2, NETFILTER)], EPROTONOSUPPORT)
            }
            Self::Legacy => {
                (vec![nix::libc::SYS_getsockopt, nix::libc::SYS_setsockopt], vec![equal(2, GET_INFO)], ENOPROTOOPT)
            }
        };
        let rule = || vec![SeccompRule::new(conditions.clone()).unwrap()];
        let rules: BTreeMap<_, _> = calls.into_iter().map(|call| (call, rule())).collect();
        let machine = std::env::consts::ARCH.try_into().unwrap();
        SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(error), machine)
            .unwrap()
            .try_into()
            .unwrap()
    }

    /// Runs the program on a kernel without these.
    fn run(missing: &[Self], pod: &Pod, arguments: &str) -> std::process::Output {
        let filters: Vec<BpfProgram> = missing.iter().map(|part| part.filter()).collect();
        let words: Vec<&str> = pod.flags().iter().copied().chain(arguments.split_whitespace()).collect();
        let run = || {
            // A filter is for this thread and what it starts, and for good.
            filters.iter().for_each(|filter| seccompiler::apply_filter(filter).unwrap());
            Command::new(BINARY).args(&words).output().unwrap()
        };
        pod.namespace().enter(|| thread::scope(|scope| scope.spawn(run).join().unwrap())).unwrap()
    }
}

#[test]
fn without_nf_tables_in_the_kernel_legacy_is_taken() {
    if !may_run() {
        return;
    }
    let pod = Pod::with(Backend::Legacy).without_choice();
    let output = Missing::run(&[Missing::Netfilter], &pod, DEFAULT);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found = Footprint::of(&pod);
    assert!(!found.with(&["iptables-legacy-save: nat ISTIO_REDIRECT"]).is_empty(), "{found:?}");
    assert!(found.with(&["nft"]).is_empty(), "{found:?}");
}

#[test]
fn without_legacy_in_the_kernel_nf_tables_is_taken() {
    if !may_run() {
        return;
    }
    let pod = Pod::with(Backend::Nft).without_choice();
    let output = Missing::run(&[Missing::Legacy], &pod, EVERYTHING);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!Footprint::of(&pod).with(&["iptables-nft-save: nat ISTIO_REDIRECT"]).is_empty());
}

#[test]
fn without_netfilter_in_the_kernel_nothing_is_written_and_it_is_named() {
    with_each_backend(|backend| {
        let mut failures = Vec::new();
        for pod in [Pod::with(backend), Pod::with(backend).without_choice()] {
            let output = Missing::run(&[Missing::Netfilter, Missing::Legacy], &pod, EVERYTHING);
            let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
            let output = Output { status: output.status, stdout: String::new(), stderr };
            failures.extend(refused(&pod, &output, &["kernel"]));
        }
        failures
    });
}

#[test]
fn where_ipv6_is_switched_off_there_are_ipv4_rules_and_asking_for_more_fails_as_a_whole() {
    with_each_backend(|backend| {
        let pod = Pod::with(backend);
        pod.succeed(&[
            "sh",
            "-c",
            "for i in all default lo; do echo 1 > /proc/sys/net/ipv6/conf/$i/disable_ipv6; done",
        ]);
        let mut failures = refused(&pod, &pod.init(&format!("{DEFAULT} --ip-families v4,v6")), &["--ip-families v4"]);
        pod.succeed_init(DEFAULT);
        let found = Footprint::of(&pod);
        if found.with(&["REDIRECT", "redirect"]).is_empty() {
            failures.push("no rules".to_owned());
        }
        if !found.with(&["ip6tables-nft-save: nat ISTIO", "ip6tables-legacy-save: nat ISTIO"]).is_empty() {
            failures.push("IPv6 rules without IPv6".to_owned());
        }
        failures
    });
}

#[test]
fn a_namespace_that_is_gone_is_named() {
    with_each_backend(|backend| {
        let pod = Pod::with(backend);
        let gone = "--network-namespace /run/netns/no-such-namespace";
        refused(&pod, &pod.init(&format!("{EVERYTHING} {gone}")), &["/run/netns/no-such-namespace"])
    });
}

#[test]
fn a_thousand_ranges_and_ports_are_written_and_read_back() {
    with_each_backend(|backend| {
        let pod = Pod::with(backend);
        let list = |count, item: &dyn Fn(u32) -> String| (0..count).map(item).collect::<Vec<_>>().join(",");
        let ranges = list(1000, &|n| format!("10.{}.{}.0/24,fd00:{n:x}::/32", n / 250, n % 250));
        // The same ones again, and some that contain others.
        let ranges = format!("{ranges},10.0.0.0/8,10.0.0.0/24,10.0.0.0/24,fd00::/8");
        let ports = list(1000, &|n| (20_000 + n).to_string());
        let flags = format!("-b * -d {ports} -i * -x {ranges} -o {ports}");
        let mut failures = Vec::new();
        for _ in 0..2 {
            let output = pod.init(&flags);
            if !output.status.success() {
                failures.push(output.stderr.chars().take(500).collect());
            }
        }
        let before = pod.generation();
        if pod.init(&flags).status.success() && pod.generation() != before {
            failures.push("written again".to_owned());
        }
        failures
    });
}
