//! What a run does besides the rules of the nat table: other backends, routes, clean-up, the namespace, the report.

use crate::pod::{BINARY, DEFAULT, Pod, may_run, on_each_backend};

const TPROXY: &str = "-b * -i * -m TPROXY";

/// Everything in the namespace that the program can touch.
fn everything(pod: &Pod) -> String {
    let commands: [&[&str]; 9] = [
        &["iptables-nft-save"],
        &["ip6tables-nft-save"],
        &["iptables-legacy-save"],
        &["ip6tables-legacy-save"],
        &["nft", "list", "ruleset"],
        &["ip", "rule"],
        &["ip", "-6", "rule"],
        &["sh", "-c", "ip route show table all; ip -6 route show table all"],
        &["ip", "address", "show", "dev", "lo"],
    ];
    // Tables of iptables-legacy stay for as long as the namespace does; those without rules are nothing.
    let is_noise = |line: &&str| line.starts_with(['#', ':', '*']) || *line == "COMMIT";
    commands
        .map(|words| pod.succeed(words).lines().filter(|line| !is_noise(line)).collect::<Vec<_>>().join("\n"))
        .join("\n--\n")
}

#[test]
fn clean_up_leaves_nothing_whatever_there_was() {
    if !may_run() {
        return;
    }
    let pod = Pod::new("nft");
    let before = everything(&pod);
    let init = |arguments: &str| {
        let words: Vec<&str> = [BINARY].into_iter().chain(arguments.split_whitespace()).collect();
        pod.succeed(&words)
    };
    init("--cleanup-only");
    assert_eq!(everything(&pod), before, "where there was nothing");
    for arguments in [
        "-b * -i * -c eth1 -k vnet0",
        "-b * -i * -m TPROXY -c eth1 -t 7 -r 70 --redirect-dns --capture-all-dns --drop-invalid",
        "-b * -i * --native-nftables -m TPROXY",
        "-b * -i * --force-iptables-binary legacy -m TPROXY -c eth1",
    ] {
        init(arguments);
        assert_ne!(everything(&pod), before, "{arguments}");
        init("--cleanup-only");
        assert_eq!(everything(&pod), before, "after {arguments}");
    }
}

#[test]
fn rules_move_from_backend_to_backend_and_nothing_stays_behind() {
    if !may_run() {
        return;
    }
    let backends = ["--force-iptables-binary nft", "--force-iptables-binary legacy", "--native-nftables"];
    for first in backends {
        for second in backends {
            let (pod, alone) = (Pod::new("nft"), Pod::new("nft"));
            let init = |pod: &Pod, arguments: &str| {
                let line = format!("{BINARY} {TPROXY} -c eth1 {arguments}").replace('*', "'*'");
                pod.run(&["sh", "-c", &line])
            };
            for step in [first, second] {
                let output = init(&pod, step);
                assert!(output.status.success(), "{first}, {step}: {}", output.stderr);
            }
            assert!(init(&alone, second).status.success());
            let bare = |pod: &Pod| {
                let all = everything(pod);
                let kept = all
                    .lines()
                    .filter(|line| line.contains("ISTIO") || line.contains("istio") || line.contains("mark"));
                kept.map(str::to_owned).collect::<Vec<_>>()
            };
            assert_eq!(bare(&pod), bare(&alone), "{first}, then {second}");
            // Without a choice, rules stay where they are.
            let output = init(&pod, "");
            assert!(output.stderr.contains("unchanged") && !output.stderr.contains("fresh"), "{}", output.stderr);
        }
    }
}

#[test]
fn routes_are_there_once_and_go_with_the_mode() {
    on_each_backend(|pod| {
        let count = |family: &str| pod.succeed(&["ip", family, "rule"]).matches("lookup 133").count();
        let before = everything(pod);
        pod.apply(TPROXY);
        pod.succeed(&["ip", "rule", "add", "fwmark", "1337", "lookup", "133"]);
        pod.succeed(&["ip", "rule", "add", "fwmark", "7", "lookup", "99"]);
        pod.apply(TPROXY);
        assert_eq!((count("-4"), count("-6")), (1, 1));
        let route = pod.succeed(&["ip", "route", "show", "table", "133"]);
        assert_eq!(route.trim(), "local default dev lo scope host");
        assert!(pod.succeed(&["ip", "-6", "route", "show", "table", "133"]).starts_with("local default dev lo"));
        pod.apply(&format!("{TPROXY} -r 134 -t 8"));
        assert_eq!((count("-4"), count("-6")), (0, 0));
        assert!(pod.succeed(&["ip", "rule"]).contains("fwmark 0x8 lookup 134"));
        pod.apply(DEFAULT);
        let rules = pod.succeed(&["ip", "rule"]);
        assert!(!rules.contains("134") && rules.contains("fwmark 0x7 lookup 99"), "{rules}");
        pod.succeed(&["ip", "rule", "del", "fwmark", "7"]);
        pod.init("--cleanup-only");
        assert_eq!(everything(pod), before);
    });
}

#[test]
fn rules_of_a_family_that_is_not_wanted_any_more_go() {
    on_each_backend(|pod| {
        pod.apply(TPROXY);
        let output = pod.init(&format!("{TPROXY} --ip-families v4"));
        assert!(output.status.success(), "{}", output.stderr);
        assert_eq!(pod.rules("ip6tables"), "");
        assert!(!pod.succeed(&["ip", "-6", "rule"]).contains("133"));
        assert!(!pod.succeed(&["ip", "-6", "address", "show", "dev", "lo"]).contains("::6/128"));
        assert!(pod.succeed(&["ip", "rule"]).contains("133"));
    });
}

#[test]
fn a_run_can_be_for_another_namespace_and_tells_what_it_did_as_json() {
    if !may_run() {
        return;
    }
    let (node, pod) = (Pod::new("nft"), Pod::new("nft"));
    let path = format!("/run/netns/{}", pod.namespace().name());
    let words = [BINARY, "--network-namespace", &path, "--cni-mode", "-b", "*", "-i", "*", "--output", "json"];
    let report: serde_json::Value = serde_json::from_str(&node.succeed(&words)).unwrap();
    assert_eq!(report["outcome"], "fresh");
    assert_eq!(report["backend"], "nft");
    assert_eq!(report["tables"].as_array().unwrap().len(), 2);
    assert_eq!(report["tables"][0]["rules"], 15);
    assert_eq!(report["routes"][0]["entry"], "ip -6 address ::6/128 dev lo");
    assert_eq!(node.all_rules(), "");
    assert!(pod.all_rules().contains("ISTIO_OUTPUT"));
    let report: serde_json::Value = serde_json::from_str(&node.succeed(&words)).unwrap();
    assert_eq!(report["outcome"], "unchanged");
    let output = node.run(&[BINARY, "--network-namespace", "/run/netns/no-such-pod", "--output", "json"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stderr.contains("no-such-pod is gone"), "{}", output.stderr);
    let report: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(report["outcome"], "failed");
    for (wrong, code) in [("--inbound-capture-port=x", 1), ("--nonsense", 255), ("--dry-run", 1)] {
        let output = node.run(&[BINARY, "--output", "json", wrong]);
        assert_eq!(output.status.code(), Some(code), "{}", output.stderr);
        let report: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
        assert_eq!(report["outcome"], "failed");
        assert!(report["error"].as_str().unwrap().lines().count() == 1, "{report}");
    }
    let pipe = tempfile::tempdir().unwrap();
    let pipe = pipe.path().join("pipe");
    node.succeed(&["mkfifo", &pipe.display().to_string()]);
    let output = node.run(&["timeout", "20", BINARY, "--network-namespace", &pipe.display().to_string()]);
    assert!(output.stderr.contains("is not a network namespace"), "{}", output.stderr);
    let output = node.run(&[BINARY, "--network-namespace", "/proc/version"]);
    assert!(output.stderr.contains("/proc/version is not a network namespace"), "{}", output.stderr);
}

#[test]
fn ipv6_that_is_wanted_and_impossible_fails_before_anything_is_written() {
    on_each_backend(|pod| {
        pod.succeed(&["sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1"]);
        pod.succeed(&["sysctl", "-qw", "net.ipv6.conf.lo.disable_ipv6=1"]);
        let output = pod.init(&format!("{DEFAULT} --ip-families v4,v6"));
        assert_eq!(output.status.code(), Some(1), "{}", output.stderr);
        assert!(output.stderr.contains("::6/128") && output.stderr.contains("--ip-families v4"), "{}", output.stderr);
        assert_eq!(pod.all_rules(), "");
    });
}
