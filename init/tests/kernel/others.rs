//! Other programs and their rules: kept, named, read again where they change, and able to read ours.

use std::os::unix::fs::PermissionsExt;

use sidecar_test_support::process::Output;

use crate::pod::{BINARY, DEFAULT, Pod, may_run, on_each_backend};

#[test]
fn rules_of_others_are_kept_in_place() {
    on_each_backend(|pod| {
        for tool in ["iptables", "ip6tables"] {
            pod.iptables(tool, "-N OTHERS");
            pod.iptables(tool, "-A OUTPUT -p udp -j OTHERS");
            pod.iptables(tool, "-A OTHERS -p udp -m udp --dport 99 -j RETURN");
            pod.iptables(tool, "-A PREROUTING -i eth0 -p tcp -j ACCEPT");
            pod.iptables(tool, "-A PREROUTING -i cni0 -j RETURN");
            pod.iptables(tool, "-A OUTPUT -o cni0 -j RETURN");
        }
        let others = pod.all_rules();
        for (arguments, outcome) in [
            (DEFAULT, "fresh"),
            (DEFAULT, "unchanged"),
            ("-b * -i * -o 5432 -c eth1 -k vnet0", "replaced"),
            ("-b * -i * -o 5432 -c eth1 -k vnet0", "unchanged"),
            (DEFAULT, "replaced"),
            (DEFAULT, "unchanged"),
        ] {
            assert_eq!(pod.apply(arguments), [outcome; 2], "{} with `{arguments}`", pod.backend);
            let kept: String = pod
                .all_rules()
                .lines()
                .filter(|rule| !["ISTIO_", "eth1", "vnet0"].iter().any(|word| rule.contains(word)))
                .map(|rule| format!("{rule}\n"))
                .collect();
            assert_eq!(kept, others, "{}", pod.backend);
            assert_eq!(arguments == DEFAULT, !pod.all_rules().contains("eth1"), "{}", pod.backend);
        }
    });
}

#[test]
fn a_rule_of_others_that_decides_first_is_named() {
    on_each_backend(|pod| {
        pod.apply(DEFAULT);
        pod.iptables("iptables", "-I OUTPUT 1 -p tcp -j ACCEPT");
        let log = pod.init(DEFAULT).stderr;
        assert!(log.contains("unchanged") && log.contains("not redirected: OUTPUT -p tcp -j ACCEPT"), "{log}");
        assert_eq!(log.matches("WARN").count(), 1, "{log}");
    });
}

#[test]
fn other_flags_do_not_put_our_rules_below_those_that_they_were_above() {
    on_each_backend(|pod| {
        let tcp = |chain| format!("-A {chain} -p tcp -m tcp --dport 80 -j ACCEPT\n");
        for tool in ["iptables", "ip6tables"] {
            pod.iptables(tool, "-A OUTPUT -p udp -m udp --dport 99 -j RETURN");
            pod.iptables(tool, "-A PREROUTING -p udp -m udp --dport 99 -j RETURN");
        }
        for flags in [DEFAULT, "-b * -i * -o 99 -c eth1,eth2", "-b * -i * -k vnet0", "-b * -i * -c eth1", DEFAULT] {
            assert_eq!(pod.apply(flags).len(), 2, "{}", pod.backend);
            if flags == DEFAULT && !pod.all_rules().contains("ACCEPT") {
                ["iptables", "ip6tables"].iter().for_each(|tool| pod.iptables(tool, tcp("OUTPUT").trim()));
                ["iptables", "ip6tables"].iter().for_each(|tool| pod.iptables(tool, tcp("PREROUTING").trim()));
            }
            for rules in ["iptables", "ip6tables"].map(|tool| pod.rules(tool)) {
                let place = |rule: &str| rules.find(rule).unwrap_or_else(|| panic!("no {rule} in {rules}"));
                for (chain, jump) in [("OUTPUT", "-j ISTIO_OUTPUT"), ("PREROUTING", "-p tcp -j ISTIO_INBOUND")] {
                    let jump = place(&format!("-A {chain} {jump}"));
                    let is_between = place(&format!("-A {chain} -p udp")) < jump && jump < place(&tcp(chain));
                    assert!(is_between, "{} with `{flags}`: {rules}", pod.backend);
                }
            }
            assert_eq!(pod.apply(flags), ["unchanged"; 2], "{} with `{flags}`", pod.backend);
        }
    });
}

#[test]
fn rules_of_others_that_handle_their_own_marks_stay() {
    on_each_backend(|pod| {
        for tool in ["iptables", "ip6tables"].map(|tool| format!("{tool}-{}", pod.backend)) {
            for rule in [
                "PREROUTING -p tcp -m mark --mark 0x5 -j CONNMARK --save-mark",
                "OUTPUT -p tcp -m connmark --mark 0x5 -j CONNMARK --restore-mark",
                "OUTPUT -o lo -p tcp -m mark --mark 0x7 -j RETURN",
            ] {
                let words = [&*tool, "-t", "mangle", "-A"].into_iter().chain(rule.split(' '));
                pod.succeed(&words.collect::<Vec<_>>());
            }
        }
        for (flags, outcome) in [
            ("-b * -i * --drop-invalid", "fresh"),
            ("-b * -i * --drop-invalid", "unchanged"),
            ("-b * -i *", "unchanged"),
        ] {
            let outcomes = pod.apply(flags);
            assert!(outcomes.iter().all(|of_table| of_table == outcome), "{} with `{flags}`", pod.backend);
            let saved = pod.succeed(&[&format!("iptables-{}-save", pod.backend), "-t", "mangle"]);
            assert_eq!(saved.matches("--mark 0x").count(), 3, "{} with `{flags}`: {saved}", pod.backend);
        }
    });
}

/// Chains that are named like ours, as those of Istio's redirection without sidecars are, and what leads to them.
const NAMESAKES: [&str; 6] = [
    "nat -N ISTIO_FOREIGN",
    "nat -A ISTIO_FOREIGN -p udp -j RETURN",
    "nat -A OUTPUT -p udp -j ISTIO_FOREIGN",
    "mangle -N ISTIO_OUTPUT",
    "mangle -A ISTIO_OUTPUT -m connmark --mark 0x111 -j CONNMARK --restore-mark",
    "mangle -A OUTPUT -j ISTIO_OUTPUT",
];

#[test]
fn what_others_name_like_our_chains_and_how_they_use_ours_is_theirs() {
    on_each_backend(|pod| {
        let tool = format!("iptables-{}", pod.backend);
        let add = |rule: &str| {
            pod.succeed(&[&*tool, "-t"].into_iter().chain(rule.split(' ')).collect::<Vec<_>>());
        };
        let theirs = || {
            let saved = pod.succeed(&[&format!("{tool}-save")]);
            ["FOREIGN", "0x111", "-A OUTPUT -j ISTIO_OUTPUT", "MINE"].map(|word| saved.matches(word).count())
        };
        NAMESAKES.iter().for_each(|rule| add(rule));
        assert_eq!(theirs(), [3, 1, 1, 0]);
        pod.apply(DEFAULT);
        add("nat -N MINE");
        add("nat -A MINE -p tcp -j ISTIO_IN_REDIRECT");
        for (flags, outcome) in [(DEFAULT, "unchanged"), ("-b * -i * -o 99", "replaced"), (DEFAULT, "replaced")] {
            assert_eq!(pod.apply(flags)[0], outcome, "{} with `{flags}`", pod.backend);
            assert_eq!(theirs(), [3, 1, 2, 2], "{} with `{flags}`", pod.backend);
        }
        // What sends packets to a chain goes with it.
        pod.succeed_init("--cleanup-only");
        assert_eq!(theirs(), [3, 1, 1, 1], "{}", pod.backend);
    });
}

#[test]
fn interfaces_that_others_returned_before_istios_rules_came_stay_returned() {
    if !may_run() {
        return;
    }
    let pod = Pod::new("nft");
    pod.iptables("iptables", "-A OUTPUT -o eth9 -j RETURN");
    pod.iptables("iptables", "-A PREROUTING -i eth9 -j RETURN");
    let flags = format!("{DEFAULT} --ip-families v4 -c eth1");
    pod.restore("iptables", &pod.succeed_init(&format!("{flags} --dry-run")).stdout);
    let there = pod.rules("iptables");
    assert_eq!(pod.apply(&flags), ["unchanged"]);
    assert_eq!(pod.rules("iptables"), there);
}

/// Runs the program with a shell script in place of `iptables-legacy-restore`.
fn with_restore_replaced(pod: &Pod, script: &str) -> Output {
    let tools = tempfile::tempdir().unwrap();
    let tool = tools.path().join("iptables-legacy-restore");
    std::fs::write(&tool, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("PATH={}:/usr/sbin:/usr/bin:/sbin:/bin", tools.path().display());
    let words = ["env", &path, BINARY, "--force-iptables-binary", "legacy"];
    pod.run(&words.into_iter().chain(DEFAULT.split_whitespace()).collect::<Vec<_>>())
}

#[test]
fn rules_that_change_between_reading_and_writing_are_read_again_but_not_for_ever() {
    if !may_run() {
        return;
    }
    let pod = Pod::new("legacy");
    let real = "/usr/sbin/iptables-legacy-restore";
    let iptables = "iptables-legacy -t nat";
    pod.apply("-b * -i 10.0.0.0/8");
    let once = format!("{iptables} -D OUTPUT -j ISTIO_OUTPUT 2>/dev/null; exec {real} \"$@\"");
    let output = with_restore_replaced(&pod, &once);
    assert!(output.status.success(), "{output:?}");
    let good = pod.rules("iptables");
    pod.apply(DEFAULT);
    assert_eq!(pod.rules("iptables"), good);

    pod.apply("-b * -i 10.0.0.0/8");
    let always = format!("{iptables} -A OUTPUT -p udp -j ACCEPT; exit 1");
    assert_eq!(with_restore_replaced(&pod, &always).status.code(), Some(1));
    assert!(pod.rules("iptables").matches("-p udp -j ACCEPT").count() <= 10);
}

#[test]
fn what_was_written_is_taken_back_when_the_rest_cannot_be() {
    if !may_run() {
        return;
    }
    let pod = Pod::new("legacy");
    pod.apply("-b * -i 10.0.0.0/8 -c eth1 -m TPROXY");
    pod.iptables("iptables", "-A OUTPUT -p udp -j ACCEPT");
    let rules = || {
        let saved = pod.succeed(&["iptables-legacy-save"]);
        saved.lines().filter(|line| line.starts_with("-A")).map(str::to_owned).collect::<Vec<_>>()
    };
    let good = rules();
    let routes = || pod.succeed(&["ip", "rule"]);
    let good_routes = routes();
    // The first table, nat, is written; the other one cannot be.
    let half = "input=$(cat); case \"$input\" in '*mangle'*) exit 1;; esac
        echo \"$input\" | awk '{print} /^COMMIT/{exit}' | /usr/sbin/iptables-legacy-restore --noflush; exit 1";
    assert_eq!(with_restore_replaced(&pod, half).status.code(), Some(1));
    assert_eq!(rules(), good);
    assert_eq!(routes(), good_routes);
    assert_eq!(pod.apply(DEFAULT), ["replaced", "replaced"]);
}

#[test]
fn what_an_earlier_run_left_in_other_tables_and_backends_is_removed() {
    on_each_backend(|pod| {
        let clean = pod.init(DEFAULT).stderr;
        assert!(!clean.contains("WARN"), "{clean}");
        let other = if pod.backend == "nft" { "legacy" } else { "nft" };
        assert_eq!(pod.succeed(&[&format!("iptables-{other}-save")]), "", "looking made a table");
        let mangle = [&format!("iptables-{}", pod.backend), "-t", "mangle"];
        pod.succeed(&[&mangle[..], &["-N", "ISTIO_DIVERT"]].concat());
        pod.succeed(&[&mangle[..], &["-A", "PREROUTING", "-p", "udp", "-j", "ACCEPT"]].concat());
        let elsewhere = format!("ip6tables-{other}");
        for rule in ["-N ISTIO_OUTPUT", "-A OUTPUT -j ISTIO_OUTPUT", "-A OUTPUT -p udp -j ACCEPT"] {
            let words: Vec<&str> = [&*elsewhere, "-t", "nat"].into_iter().chain(rule.split_whitespace()).collect();
            pod.succeed(&words);
        }
        let output = pod.init(DEFAULT);
        assert!(output.status.success(), "{}", output.stderr);
        let mangle = pod.succeed(&[&format!("iptables-{}-save", pod.backend), "-t", "mangle"]);
        let elsewhere = pod.succeed(&[&format!("ip6tables-{other}-save")]);
        for rules in [&mangle, &elsewhere] {
            assert!(!rules.contains("ISTIO") && rules.contains("-p udp -j ACCEPT"), "{rules}");
        }
        assert_eq!(pod.apply(DEFAULT), ["unchanged", "unchanged"]);
    });
}

#[test]
fn another_reader_finds_the_redirect_chains() {
    if !may_run() {
        return;
    }
    let pod = Pod::new("nft");
    let words: Vec<&str> = [BINARY].into_iter().chain(DEFAULT.split_whitespace()).collect();
    pod.succeed(&words);
    let listing = pod.succeed(&["iptables", "-t", "nat", "--list"]);
    let words: Vec<Vec<&str>> = listing.lines().map(|line| line.split_whitespace().collect()).collect();
    assert!(listing.contains("Chain ISTIO_REDIRECT"), "{listing}");
    assert!(words.contains(&"REDIRECT tcp -- anywhere anywhere redir ports 15001".split(' ').collect()), "{listing}");
    for is_ipv6 in [false, true] {
        let rules = pod.enter(|| iptables::new(is_ipv6).unwrap().list("nat", "ISTIO_REDIRECT").unwrap());
        assert_eq!(rules, ["-N ISTIO_REDIRECT", "-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001"]);
    }
}
