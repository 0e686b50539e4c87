//! The rules in real kernels' tables: written with both kinds of iptables, read back with `iptables-save`.
#![expect(clippy::disallowed_methods, reason = "golden files are read")]
#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up fails")]

mod namespace;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;

use namespace::Namespace;

const BINARY: &str = env!("CARGO_BIN_EXE_sidecar-init");
const BACKENDS: [&str; 2] = ["nft", "legacy"];
const DEFAULT: &str = "-b * -i * -d 15090,15021,15020";

/// One namespace for each kind of iptables.
fn on_each_backend(test: impl Fn(&Pod<'_>)) {
    for backend in BACKENDS {
        let Some(namespace) = Namespace::new() else { return };
        test(&Pod { namespace: &namespace, backend });
    }
}

struct Pod<'a> {
    namespace: &'a Namespace,
    backend: &'static str,
}

impl Pod<'_> {
    fn init(&self, arguments: &str) -> Output {
        let words: Vec<&str> =
            [BINARY, "--force-iptables-binary", self.backend].into_iter().chain(arguments.split_whitespace()).collect();
        self.namespace.run(&words)
    }

    /// Runs the program, and returns what it said about each family: `fresh`, `replaced` or `unchanged`.
    fn apply(&self, arguments: &str) -> Vec<String> {
        let output = self.init(arguments);
        let log = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{} with `{arguments}`: {log}", self.backend);
        assert!(output.stdout.is_empty(), "standard output is for results");
        let outcomes = log.lines().filter(|line| line.contains("redirection is in place"));
        outcomes.map(|line| line.split('"').nth(1).unwrap_or(line).to_owned()).collect()
    }

    /// The rules of one family, as `iptables-save` prints them.
    fn rules(&self, tool: &str) -> String {
        let saved = self.namespace.succeed(&[&format!("{tool}-{}-save", self.backend), "-t", "nat"]);
        saved.lines().filter(|line| line.starts_with("-A ")).map(|line| format!("{line}\n")).collect()
    }

    fn all_rules(&self) -> String {
        ["iptables", "ip6tables"].map(|tool| self.rules(tool)).concat()
    }

    fn iptables(&self, tool: &str, arguments: &str) {
        let tool = format!("{tool}-{}", self.backend);
        let words: Vec<&str> = [&*tool, "-t", "nat"].into_iter().chain(arguments.split_whitespace()).collect();
        self.namespace.succeed(&words);
    }
}

fn golden(case: &str, file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(case).join(file);
    std::fs::read_to_string(path).unwrap()
}

/// The C library prints some IPv6 addresses with a dotted tail.
fn with_hexadecimal_tail(rules: &str) -> String {
    rules.replace("::127.0.0.53/128", "::7f00:35/128")
}

#[test]
fn the_kernel_shows_the_golden_rules_in_both_families() {
    on_each_backend(|pod| {
        for case in ["default", "variants"] {
            let arguments: Vec<String> = golden(case, "arguments").lines().map(str::to_owned).collect();
            let words = [BINARY, "istio-iptables", "--force-iptables-binary", pod.backend];
            let words: Vec<&str> = words.into_iter().chain(arguments.iter().map(String::as_str)).collect();
            pod.namespace.succeed(&words);
            for tool in ["iptables", "ip6tables"] {
                let rules = with_hexadecimal_tail(&pod.rules(tool));
                assert_eq!(rules, golden(case, &format!("{tool}-save")), "{case}, {tool}-{}", pod.backend);
            }
            let log = String::from_utf8(pod.namespace.run(&words).stderr).unwrap();
            assert_eq!(log.matches("unchanged").count(), 2, "{case}, {}: {log}", pod.backend);
        }
    });
}

#[test]
fn as_many_owner_groups_as_are_accepted_fit_in_a_rule() {
    on_each_backend(|pod| {
        let groups = |count: u32| (1..=count).map(|gid| (u32::MAX - gid).to_string()).collect::<Vec<_>>().join(",");
        let init = |count| {
            let variable = format!("ISTIO_OUTBOUND_OWNER_GROUPS={}", groups(count));
            let words = ["env", &variable, BINARY, "--force-iptables-binary", pod.backend, "-i", "*"];
            pod.namespace.run(&words)
        };
        assert!(init(49).status.success(), "{}: {:?}", pod.backend, init(49));
        assert_eq!(pod.rules("iptables").matches("! --gid-owner").count(), 49 + 1, "{}", pod.backend);
        assert_eq!(init(50).status.code(), Some(1), "{}", pod.backend);
    });
}

#[test]
fn twice_is_once() {
    on_each_backend(|pod| {
        assert_eq!(pod.apply(DEFAULT), ["fresh", "fresh"]);
        let once = pod.all_rules();
        assert_eq!(pod.apply(DEFAULT), ["unchanged", "unchanged"]);
        assert_eq!(pod.all_rules(), once);
        assert_eq!(pod.apply(&format!("{DEFAULT} --force-apply")), ["replaced", "replaced"]);
        assert_eq!(pod.all_rules(), once);
    });
}

#[test]
fn changed_flags_lead_to_what_they_alone_would_have_led_to() {
    let steps =
        [DEFAULT, "-b * -i * -o 5432 -c eth1,eth2 -k vnet0", "-b 80 -i 10.0.0.0/8 -k vnet1,vnet2 -c eth2", "", DEFAULT];
    on_each_backend(|pod| {
        for step in steps {
            pod.apply(step);
            let alone = Namespace::new().unwrap();
            let alone = Pod { namespace: &alone, backend: pod.backend };
            alone.apply(step);
            assert_eq!(pod.all_rules(), alone.all_rules(), "{} with `{step}`", pod.backend);
        }
    });
}

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
        let log = String::from_utf8(pod.init(DEFAULT).stderr).unwrap();
        assert!(log.contains("unchanged") && log.contains("rule=OUTPUT -p tcp -j ACCEPT"), "{log}");
        assert_eq!(log.matches("WARN").count(), 1, "{log}");
    });
}

/// Runs the program with a shell script in place of `iptables-BACKEND-restore`.
fn with_restore_replaced(pod: &Pod<'_>, script: &str) -> Output {
    let tools = tempfile::tempdir().unwrap();
    let tool = tools.path().join(format!("iptables-{}-restore", pod.backend));
    std::fs::write(&tool, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("PATH={}:/usr/sbin:/usr/bin:/sbin:/bin", tools.path().display());
    let words = ["env", &path, BINARY, "--force-iptables-binary", pod.backend];
    pod.namespace.run(&words.into_iter().chain(DEFAULT.split_whitespace()).collect::<Vec<_>>())
}

#[test]
fn rules_that_change_between_reading_and_writing_are_read_again_but_not_for_ever() {
    on_each_backend(|pod| {
        let real = format!("/usr/sbin/iptables-{0}-restore", pod.backend);
        let iptables = format!("iptables-{} -t nat", pod.backend);
        pod.apply("-b * -i 10.0.0.0/8");
        let once = format!("{iptables} -D OUTPUT -j ISTIO_OUTPUT 2>/dev/null; exec {real} \"$@\"");
        let output = with_restore_replaced(pod, &once);
        assert!(output.status.success(), "{output:?}");
        let good = pod.rules("iptables");
        pod.apply(DEFAULT);
        assert_eq!(pod.rules("iptables"), good, "{}", pod.backend);

        pod.apply("-b * -i 10.0.0.0/8");
        let always = format!("{iptables} -A OUTPUT -p udp -j ACCEPT; exit 1");
        assert_eq!(with_restore_replaced(pod, &always).status.code(), Some(1));
        assert_eq!(pod.rules("iptables").matches("-p udp -j ACCEPT").count(), 3, "{}", pod.backend);
    });
}

#[test]
fn an_interrupted_or_damaged_state_is_mended() {
    on_each_backend(|pod| {
        pod.apply(DEFAULT);
        let good = pod.all_rules();
        for damage in [
            "-D OUTPUT -j ISTIO_OUTPUT",
            "-A OUTPUT -j ISTIO_OUTPUT",
            "-F ISTIO_OUTPUT",
            "-I ISTIO_OUTPUT 1 -j ISTIO_REDIRECT",
            "-N ISTIO_OUTPUT_DNS",
        ] {
            pod.iptables("iptables", damage);
            assert_eq!(pod.apply(DEFAULT), ["replaced", "unchanged"], "{} after `{damage}`", pod.backend);
            assert_eq!(pod.all_rules(), good, "{} after `{damage}`", pod.backend);
        }
        let one_family = Namespace::new().unwrap();
        let one_family = Pod { namespace: &one_family, backend: pod.backend };
        one_family.iptables("iptables", "-N ISTIO_REDIRECT");
        one_family.iptables("iptables", "-A PREROUTING -j ISTIO_REDIRECT");
        assert_eq!(one_family.apply(DEFAULT), ["replaced", "fresh"]);
        assert_eq!(one_family.all_rules(), good);
    });
}

#[test]
fn wrong_settings_change_nothing() {
    on_each_backend(|pod| {
        for (arguments, code) in [("-b 99999 -i *", 1), ("-b * -i * --redirect-dns", 1), ("-b * --unknown", 255)] {
            let output = pod.init(arguments);
            assert_eq!(output.status.code(), Some(code), "{arguments}");
            assert_eq!(pod.all_rules(), "", "{arguments}");
        }
        assert!(!pod.namespace.succeed(&["ip", "-6", "address", "show", "dev", "lo"]).contains("::6/128"));
    });
}

#[test]
fn a_dry_run_prints_and_changes_nothing() {
    on_each_backend(|pod| {
        let output = pod.init(&format!("{DEFAULT} --dry-run"));
        assert_eq!(String::from_utf8(output.stdout).unwrap(), golden("default", "dry-run"));
        assert_eq!(pod.all_rules(), "");
    });
}

#[test]
fn the_proxys_ipv6_source_address_is_on_loopback() {
    on_each_backend(|pod| {
        let addresses = || pod.namespace.succeed(&["ip", "-6", "address", "show", "dev", "lo"]);
        pod.apply(&format!("{DEFAULT} --ip-families v4"));
        assert!(!addresses().contains("::6/128"));
        assert_eq!(pod.apply(DEFAULT), ["unchanged", "fresh"]);
        assert_eq!(pod.apply(DEFAULT).len(), 2);
        assert_eq!(addresses().matches("inet6 ::6/128 scope global").count(), 1);
    });
}

#[test]
fn without_ipv6_there_are_only_ipv4_rules() {
    on_each_backend(|pod| {
        pod.namespace.succeed(&["sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1"]);
        assert_eq!(pod.apply(DEFAULT), ["fresh"]);
        assert_eq!(pod.rules("ip6tables"), "");
    });
}

#[test]
fn without_rights_nothing_is_written_and_the_reason_is_named() {
    on_each_backend(|pod| {
        let powerless = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"];
        let words = powerless.into_iter().chain([BINARY, "--force-iptables-binary", pod.backend, "-b", "*", "-i", "*"]);
        let output = pod.namespace.run(&words.collect::<Vec<_>>());
        let log = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{}: {log}", pod.backend);
        assert!(log.contains("NET_ADMIN"), "{}: {log}", pod.backend);
        assert_eq!(pod.all_rules(), "");
    });
}

#[test]
fn a_missing_tool_for_ipv6_fails_before_anything_is_written_and_names_the_way_out() {
    on_each_backend(|pod| {
        let tools = tempfile::tempdir().unwrap();
        for tool in ["save", "restore"].map(|verb| format!("iptables-{}-{verb}", pod.backend)) {
            std::os::unix::fs::symlink(format!("/usr/sbin/{tool}"), tools.path().join(tool)).unwrap();
        }
        let path = format!("PATH={}", tools.path().display());
        let words = ["env", &path, BINARY, "--force-iptables-binary", pod.backend, "-b", "*", "-i", "*"];
        let output = pod.namespace.run(&words);
        let log = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{log}");
        assert!(log.contains(&format!("ip6tables-{}-save", pod.backend)) && log.contains("--ip-families v4"), "{log}");
        assert_eq!(pod.all_rules(), "");
        let only_v4 = [&words[..], &["--ip-families", "v4"]].concat();
        assert!(pod.namespace.run(&only_v4).status.success());
    });
}

#[test]
fn a_lock_that_is_not_released_is_reported_with_the_way_out() {
    let Some(namespace) = Namespace::new() else { return };
    let script = format!("exec 9</proc/self/ns/net; flock 9; exec {BINARY} --force-iptables-binary legacy -b '*'");
    let output = namespace.run(&["sh", "-c", &script]);
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{log}");
    assert!(log.contains("lock") && log.contains("run again"), "{log}");
}

#[test]
fn a_read_only_root_is_no_obstacle() {
    on_each_backend(|pod| {
        let script = format!(
            "mount -t tmpfs -o ro none /run && ! touch /run/xtables.lock 2>/dev/null && \
             exec {BINARY} --force-iptables-binary {} -b '*' -i '*' -d 15090,15021,15020",
            pod.backend
        );
        pod.namespace.succeed(&["unshare", "--mount", "sh", "-c", &script]);
        assert_eq!(pod.rules("iptables"), golden("default", "iptables-save"));
    });
}

#[test]
fn another_reader_finds_the_redirect_chains() {
    let Some(namespace) = Namespace::new() else { return };
    let words: Vec<&str> = [BINARY].into_iter().chain(DEFAULT.split_whitespace()).collect();
    namespace.succeed(&words);
    let listing = namespace.succeed(&["iptables", "-t", "nat", "--list"]);
    let words: Vec<Vec<&str>> = listing.lines().map(|line| line.split_whitespace().collect()).collect();
    assert!(listing.contains("Chain ISTIO_REDIRECT"), "{listing}");
    assert!(words.contains(&"REDIRECT tcp -- anywhere anywhere redir ports 15001".split(' ').collect()), "{listing}");
    for is_ipv6 in [false, true] {
        let rules = namespace.enter(|| iptables::new(is_ipv6).unwrap().list("nat", "ISTIO_REDIRECT").unwrap());
        assert_eq!(rules, ["-N ISTIO_REDIRECT", "-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001"]);
    }
}
