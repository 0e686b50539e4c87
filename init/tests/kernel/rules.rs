//! Which rules are in the kernel after a run, and after another.

use crate::pod::{BINARY, DEFAULT, Pod, golden, on_each_backend};

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
            pod.succeed(&words);
            for tool in ["iptables", "ip6tables"] {
                let rules = with_hexadecimal_tail(&pod.rules(tool));
                assert_eq!(rules, golden(case, &format!("{tool}-save")), "{case}, {tool}-{}", pod.backend);
            }
            let log = pod.run(&words).stderr;
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
            pod.run(&words)
        };
        // iptables takes 255 words in a rule.
        let most = if pod.backend == "legacy" { 49 } else { 64 };
        assert!(init(most).status.success(), "{}: {:?}", pod.backend, init(most));
        let count = |rules: &str| rules.matches("! --gid-owner").count();
        assert_eq!(count(&pod.rules("iptables")), usize::try_from(most).unwrap() + 1, "{}", pod.backend);
        assert_eq!(init(most + 1).status.code(), Some(1), "{}", pod.backend);
        assert_eq!(count(&pod.rules("iptables")), usize::try_from(most).unwrap() + 1, "{}", pod.backend);
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
            let alone = Pod::new(pod.backend);
            alone.apply(step);
            assert_eq!(pod.all_rules(), alone.all_rules(), "{} with `{step}`", pod.backend);
        }
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
        let one_family = Pod::new(pod.backend);
        one_family.iptables("iptables", "-N ISTIO_REDIRECT");
        one_family.iptables("iptables", "-A PREROUTING -j ISTIO_REDIRECT");
        assert_eq!(one_family.apply(DEFAULT), ["replaced", "fresh"]);
        assert_eq!(one_family.all_rules(), good);
    });
}

#[test]
fn a_dry_run_prints_and_changes_nothing() {
    on_each_backend(|pod| {
        let output = pod.init(&format!("{DEFAULT} --dry-run"));
        assert_eq!(output.stdout, golden("default", "dry-run"));
        assert_eq!(pod.all_rules(), "");
    });
}

#[test]
fn the_proxys_ipv6_source_address_is_on_loopback() {
    on_each_backend(|pod| {
        let addresses = || pod.succeed(&["ip", "-6", "address", "show", "dev", "lo"]);
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
        pod.succeed(&["sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1"]);
        assert_eq!(pod.apply(DEFAULT), ["fresh"]);
        assert_eq!(pod.rules("ip6tables"), "");
    });
}

#[test]
fn a_read_only_root_is_no_obstacle() {
    on_each_backend(|pod| {
        let script = format!(
            "mount -t tmpfs -o ro none /run && ! touch /run/xtables.lock 2>/dev/null && \
             exec {BINARY} --force-iptables-binary {} -b '*' -i '*' -d 15090,15021,15020",
            pod.backend
        );
        pod.succeed(&["unshare", "--mount", "sh", "-c", &script]);
        assert_eq!(pod.rules("iptables"), golden("default", "iptables-save"));
    });
}
