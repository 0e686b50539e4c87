//! `--run-validation`: good rules pass, and of rules that are not, what they do not do is named.

use std::os::unix::fs::PermissionsExt;

use sidecar_test_support::process::Output;

use crate::pod::{BINARY, DEFAULT, Pod, may_run, on_each_backend};

const ONLY_TRY: &str = "--skip-rule-apply --run-validation --probe-timeout 2s";

/// Gives the pod an interface with a default route in each family, behind which nobody is.
fn connect(pod: &Pod) {
    for command in [
        "link add eth0 type veth peer name eth0-peer",
        "address add 10.9.0.2/24 dev eth0",
        "address add fd99::2/64 dev eth0 nodad",
        "link set eth0 up",
        "link set eth0-peer up",
        "route add default via 10.9.0.1",
        "-6 route add default via fd99::1",
    ] {
        pod.succeed(&["ip"].into_iter().chain(command.split_whitespace()).collect::<Vec<_>>());
    }
}

fn on_each_connected(test: impl Fn(&Pod)) {
    on_each_backend(|pod| {
        connect(pod);
        test(pod);
    });
}

/// The mistakes that a trial reports, which has to fail.
fn failures(pod: &Pod, arguments: &str) -> Vec<String> {
    let output = pod.init(&format!("{arguments} {ONLY_TRY}"));
    let log = output.stderr;
    assert_eq!(output.status.code(), Some(126), "{} with `{arguments}`: {log}", pod.backend);
    log.lines().filter(|line| line.contains("ERROR")).map(str::to_owned).collect()
}

fn assert_names(failures: &[String], expected: &[&[&str]]) {
    assert_eq!(failures.len(), expected.len(), "{failures:#?}");
    for (failure, words) in failures.iter().zip(expected) {
        assert!(words.iter().all(|word| failure.contains(word)), "{words:?}: {failure}");
    }
}

/// As the container runs that checks the rules of a CNI plugin: as the proxy, without capabilities, on a read-only root.
fn as_the_proxy(pod: &Pod, arguments: &str) -> Output {
    let folder = tempfile::Builder::new().permissions(PermissionsExt::from_mode(0o755)).tempdir().unwrap();
    let program = folder.path().join("sidecar-init");
    std::fs::copy(BINARY, &program).unwrap();
    let script = format!(
        "mount -o remount,ro,bind / 2>/dev/null; exec setpriv --reuid 1337 --regid 1337 --clear-groups \
         --bounding-set=-all --inh-caps=-all --no-new-privs {} {arguments} {ONLY_TRY}",
        program.display()
    );
    pod.run(&["unshare", "--mount", "sh", "-f", "-c", &script])
}

#[test]
fn good_rules_pass_as_root_and_as_the_proxy() {
    on_each_connected(|pod| {
        let output = pod.init(&format!("{DEFAULT} --run-validation"));
        assert!(output.status.success(), "{}: {}", pod.backend, output.stderr);
        assert!(output.stderr.contains("passed=10"), "{}: {}", pod.backend, output.stderr);
        let output = as_the_proxy(pod, DEFAULT);
        assert!(output.status.success(), "{}: {}", pod.backend, output.stderr);
        assert!(output.stderr.contains("passed=4"), "{}: {}", pod.backend, output.stderr);
        assert!(output.stderr.contains("outbound: not tried as an application"), "{}", output.stderr);
    });
}

#[test]
fn without_rules_everything_fails() {
    on_each_connected(|pod| {
        let expected: [&[&str]; 4] =
            [&["IPv4 inbound"], &["IPv4 outbound"], &["IPv6 inbound", "is ::6/128 on lo?"], &["IPv6 outbound"]];
        assert_names(&failures(pod, DEFAULT), &expected);
        let output = as_the_proxy(pod, DEFAULT);
        assert_eq!(output.status.code(), Some(126), "{}", output.stderr);
    });
}

#[test]
fn the_direction_the_family_and_the_rule_are_named() {
    let inbound = "should arrive at port 15006";
    let outbound = "should arrive at port 15001";
    let redirect = "; not there: `-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001`";
    on_each_connected(|pod| {
        for (tool, damage, expected) in [
            ("iptables", "-F ISTIO_REDIRECT", ["IPv4 outbound", outbound, redirect]),
            ("ip6tables", "-F ISTIO_REDIRECT", ["IPv6 outbound", outbound, redirect]),
            ("iptables", "-F ISTIO_IN_REDIRECT", ["IPv4 inbound", inbound, "--to-ports 15006`"]),
            ("ip6tables", "-F ISTIO_IN_REDIRECT", ["IPv6 inbound", inbound, "--to-ports 15006`"]),
            (
                "iptables",
                "-I ISTIO_OUTPUT -d 192.0.2.0/24 -j RETURN",
                ["IPv4 outbound", outbound, "to 192.0.2.1:15002"],
            ),
            (
                "iptables",
                "-D ISTIO_OUTPUT -m owner --uid-owner 1337 -j RETURN",
                [
                    "IPv4 outbound",
                    "user 1337",
                    "in a loop; by the rules `-A OUTPUT -j ISTIO_OUTPUT`, `-A ISTIO_OUTPUT -m owner",
                ],
            ),
            (
                "ip6tables",
                "-D ISTIO_OUTPUT -m owner --gid-owner 1337 -j RETURN",
                [
                    "IPv6 outbound",
                    "group 1337",
                    "in a loop; by the rules `-A OUTPUT -j ISTIO_OUTPUT`, `-A ISTIO_OUTPUT -m owner",
                ],
            ),
        ] {
            pod.apply(DEFAULT);
            pod.iptables(tool, damage);
            assert_names(&failures(pod, DEFAULT), &[&expected]);
        }
    });
}

#[test]
fn a_rule_that_is_missing_for_the_proxy_is_seen_by_the_proxy() {
    on_each_connected(|pod| {
        pod.apply(DEFAULT);
        pod.iptables("ip6tables", "-F ISTIO_IN_REDIRECT");
        let output = as_the_proxy(pod, DEFAULT);
        assert_eq!(output.status.code(), Some(126), "{}", output.stderr);
        assert_eq!(output.stderr.matches("ERROR").count(), 1, "{}", output.stderr);
        assert!(output.stderr.contains("IPv6 inbound"), "{}", output.stderr);
    });
}

#[test]
fn only_what_the_settings_ask_for_is_expected() {
    on_each_connected(|pod| {
        for arguments in [
            "",
            "-b 80 -i 10.0.0.0/8,fd00::/8",
            "-i * -x 192.0.2.0/24,2001:db8::/32",
            "-i * -o 15002",
            "-q 5432",
            "-i * -c eth0",
            "-i * --ip-families v4",
            "-b * -i * -p 16001 -z 16006 -u 2000 --iptables-probe-port 16002",
        ] {
            let output = pod.init(&format!("{arguments} --run-validation"));
            assert!(output.status.success(), "{} with `{arguments}`: {}", pod.backend, output.stderr);
            assert!(output.stderr.contains("passed="), "{}", output.stderr);
        }
    });
}

#[test]
fn the_groups_that_are_redirected_are_those_that_try() {
    on_each_connected(|pod| {
        for variable in [
            "ISTIO_OUTBOUND_OWNER_GROUPS=202,203",
            "ISTIO_OUTBOUND_OWNER_GROUPS=daemon",
            "ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE=65534,root",
        ] {
            let words = ["env", variable, BINARY, "--force-iptables-binary", pod.backend, "-b", "*", "-i", "*"];
            let output = pod.run(&[&words[..], &["--run-validation"]].concat());
            assert!(output.status.success(), "{} with {variable}: {}", pod.backend, output.stderr);
            assert!(output.stderr.contains("passed=8"), "{} with {variable}: {}", pod.backend, output.stderr);
        }
    });
}

#[test]
fn dns_queries_of_the_application_arrive_at_the_agent() {
    on_each_connected(|pod| {
        for servers in ["--dns-servers 10.96.0.10,fd00::a", "--capture-all-dns"] {
            let arguments = format!("{DEFAULT} --redirect-dns {servers}");
            let output = pod.init(&format!("{arguments} --run-validation"));
            assert!(output.status.success(), "{} with `{arguments}`: {}", pod.backend, output.stderr);
            assert!(output.stderr.contains("passed=26"), "{} with `{arguments}`: {}", pod.backend, output.stderr);
            pod.iptables("iptables", "-F ISTIO_OUTPUT_DNS");
            let expected: [&[&str]; 2] = [
                &["IPv4 DNS: tcp", "should arrive at port 15053, but arrived at port 15001"],
                &["IPv4 DNS: udp", "should arrive at port 15053", "-p udp -m udp --dport 53"],
            ];
            assert_names(&failures(pod, &arguments), &expected);
        }
    });
}

#[test]
fn in_tproxy_mode_connections_are_handed_to_a_transparent_socket() {
    on_each_connected(|pod| {
        for arguments in ["-b * -i * -m TPROXY", "-b 80,443 -i * -m TPROXY --tproxy-nonroot"] {
            let output = pod.init(&format!("{arguments} --run-validation"));
            assert!(output.status.success(), "{} with `{arguments}`: {}", pod.backend, output.stderr);
            assert!(output.stderr.contains("passed=12"), "{} with `{arguments}`: {}", pod.backend, output.stderr);
        }
        pod.succeed(&[&format!("iptables-{}", pod.backend), "-t", "mangle", "-F", "ISTIO_TPROXY"]);
        let expected: [&[&str]; 1] = [&["IPv4 inbound", "group 1337", "-j TPROXY --on-port 15006"]];
        assert_names(&failures(pod, "-b 80,443 -i * -m TPROXY --tproxy-nonroot"), &expected);
    });
}

#[test]
fn native_rules_are_tried_like_all_others() {
    if !may_run() {
        return;
    }
    let pod = Pod::new("nft");
    connect(&pod);
    for (arguments, passed) in
        [(DEFAULT, "passed=10"), ("-b * -i * -m TPROXY --redirect-dns --capture-all-dns", "passed=28")]
    {
        let words = [BINARY, "--native-nftables", "--run-validation"];
        let output = pod.run(&words.into_iter().chain(arguments.split_whitespace()).collect::<Vec<_>>());
        assert!(output.status.success() && output.stderr.contains(passed), "{arguments}: {}", output.stderr);
    }
    pod.succeed(&["nft", "flush", "chain", "inet", "istio-proxy-nat", "istio-redirect"]);
    let expected: [&[&str]; 2] = [&["IPv4 outbound", "; not there:"], &["IPv6 outbound", "; not there:"]];
    assert_names(&failures(&pod, "-b * -i * -m TPROXY --redirect-dns --capture-all-dns"), &expected);
}

/// What is only needed for what other machines send cannot be tried from here.
#[test]
fn what_cannot_be_tried_is_compared() {
    on_each_backend(|pod| {
        let tproxy = "-b * -i * -m TPROXY --redirect-dns --capture-all-dns";
        let iptables = format!("iptables-{}", pod.backend);
        for (arguments, damage, expected) in [
            (
                DEFAULT,
                format!("{iptables} -t nat -D PREROUTING -p tcp -j ISTIO_INBOUND"),
                "IPv4 nat table: `-A PREROUTING -p tcp -j ISTIO_INBOUND` is not there",
            ),
            (
                // Nothing is outbound where there is no route.
                DEFAULT,
                format!("{iptables} -t nat -F ISTIO_REDIRECT"),
                "IPv4 nat table: `-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001` is not there",
            ),
            (
                DEFAULT,
                format!("{iptables} -t nat -I ISTIO_INBOUND -p tcp --dport 80 -j RETURN"),
                "`-A ISTIO_INBOUND -p tcp -m tcp --dport 80 -j RETURN` is there, and no setting asks for it",
            ),
            (tproxy, format!("{iptables} -t raw -F ISTIO_OUTPUT_DNS"), "IPv4 raw table: `-A ISTIO_OUTPUT_DNS "),
            (
                tproxy,
                format!("{iptables} -t mangle -D PREROUTING -p tcp -m mark --mark 1337 -j CONNMARK --save-mark"),
                "IPv4 mangle table: `-A PREROUTING ",
            ),
            (
                tproxy,
                "ip -6 rule del fwmark 1337 lookup 133".to_owned(),
                "`ip -6 rule fwmark 0x539 lookup 133` is not there",
            ),
        ] {
            pod.apply(arguments);
            pod.succeed(&["sh", "-c", &damage]);
            let found = failures(pod, arguments);
            assert!(found.iter().any(|failure| failure.contains(expected)), "{}: {damage}: {found:#?}", pod.backend);
            pod.succeed_init("--cleanup-only");
        }
    });
}

#[test]
fn native_rules_are_compared_too() {
    if !may_run() {
        return;
    }
    let pod = Pod::new("nft");
    pod.succeed_init(&format!("{DEFAULT} --native-nftables"));
    pod.succeed(&["nft", "flush", "chain", "inet", "istio-proxy-nat", "prerouting"]);
    let expected: [&[&str]; 2] = [&["IPv4 nat table: `-A PREROUTING"], &["IPv6 nat table: `-A PREROUTING"]];
    assert_names(&failures(&pod, DEFAULT), &expected);
}

#[test]
fn rules_that_cannot_be_read_are_tried_and_said_not_to_be_compared() {
    on_each_connected(|pod| {
        pod.apply(DEFAULT);
        let output = as_the_proxy(pod, DEFAULT);
        assert!(output.status.success(), "{}: {}", pod.backend, output.stderr);
        assert!(output.stderr.contains("rules not compared with the settings"), "{}: {}", pod.backend, output.stderr);
    });
}

#[test]
fn the_result_is_in_the_report_for_programs() {
    on_each_connected(|pod| {
        let output = pod.succeed_init(&format!("{DEFAULT} --run-validation --output json"));
        let report: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
        assert_eq!((&report["validation"]["outcome"], &report["validation"]["passed"]), (&"passed".into(), &10.into()));
        pod.iptables("iptables", "-D PREROUTING -p tcp -j ISTIO_INBOUND");
        let output = pod.init(&format!("{DEFAULT} {ONLY_TRY} --output json"));
        let report: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(126), "{}", output.stderr);
        assert_eq!(report["validation"]["outcome"], "failed");
        assert_eq!(report["validation"]["failures"].as_array().unwrap().len(), 1, "{report}");
    });
}

#[test]
fn a_direction_without_a_route_is_left_out() {
    on_each_backend(|pod| {
        let output = pod.init(&format!("{DEFAULT} --run-validation"));
        assert!(output.status.success(), "{}: {}", pod.backend, output.stderr);
        for words in ["IPv4 outbound: tcp not tried: there is no route to 192.0.2.1", "passed=2"] {
            assert!(output.stderr.contains(words), "{}: {}", pod.backend, output.stderr);
        }
    });
}

#[test]
fn where_the_proxy_runs_already_nothing_can_be_tried() {
    if !may_run() {
        return;
    }
    let pod = Pod::new("nft");
    let _proxy = pod.enter(|| std::net::TcpListener::bind("0.0.0.0:15006").unwrap());
    let output = pod.init(&format!("{DEFAULT} --run-validation"));
    assert_eq!(output.status.code(), Some(126), "{}", output.stderr);
    assert!(output.stderr.contains("cannot listen on 127.0.0.1:15006"), "{}", output.stderr);
}

#[test]
fn a_user_who_may_do_nothing_that_matters_has_proven_nothing() {
    on_each_backend(|pod| {
        pod.apply(DEFAULT);
        let powerless = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", BINARY];
        let words: Vec<&str> =
            powerless.into_iter().chain(DEFAULT.split_whitespace()).chain(ONLY_TRY.split_whitespace()).collect();
        let output = pod.run(&words);
        assert_eq!(output.status.code(), Some(126), "{}: {}", pod.backend, output.stderr);
        assert!(output.stderr.contains("SETUID"), "{}: {}", pod.backend, output.stderr);
    });
}
