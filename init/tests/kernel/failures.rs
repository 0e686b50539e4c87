//! What cannot be done: nothing is written, and the reason and the way out are named.

use crate::pod::{BINARY, Pod, may_run, on_each_backend};

#[test]
fn wrong_settings_change_nothing() {
    on_each_backend(|pod| {
        for (arguments, code) in
            [("-b 99999 -i *", 1), ("-b * -i * --redirect-dns --dns-servers x", 1), ("-b * --unknown", 255)]
        {
            let output = pod.init(arguments);
            assert_eq!(output.status.code(), Some(code), "{arguments}");
            assert_eq!(pod.all_rules(), "", "{arguments}");
        }
        assert!(!pod.succeed(&["ip", "-6", "address", "show", "dev", "lo"]).contains("::6/128"));
    });
}

#[test]
fn a_group_that_nobody_knows_is_reported_with_its_setting_and_the_way_out() {
    on_each_backend(|pod| {
        for variable in ["ISTIO_OUTBOUND_OWNER_GROUPS", "ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE"] {
            let value = format!("{variable}=no-such-group");
            let output = pod.run(&["env", &value, BINARY, "--force-iptables-binary", pod.backend, "-i", "*"]);
            assert_eq!(output.status.code(), Some(1), "{}", output.stderr);
            for part in ["group `no-such-group`", &format!("which {variable} asks for"), "use its id"] {
                assert!(output.stderr.contains(part), "{part}: {}", output.stderr);
            }
        }
        assert_eq!(pod.all_rules(), "");
    });
}

#[test]
fn without_rights_nothing_is_written_and_the_reason_is_named() {
    on_each_backend(|pod| {
        let powerless = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"];
        let words = powerless.into_iter().chain([BINARY, "--force-iptables-binary", pod.backend, "-b", "*", "-i", "*"]);
        let output = pod.run(&words.collect::<Vec<_>>());
        let log = output.stderr;
        assert_eq!(output.status.code(), Some(1), "{}: {log}", pod.backend);
        assert!(log.contains("NET_ADMIN"), "{}: {log}", pod.backend);
        assert_eq!(pod.all_rules(), "");
    });
}

#[test]
fn a_missing_tool_for_ipv6_fails_before_anything_is_written_and_names_the_way_out() {
    if !may_run() {
        return;
    }
    let pod = Pod::new("legacy");
    let tools = tempfile::tempdir().unwrap();
    for tool in ["iptables-legacy-save", "iptables-legacy-restore"] {
        std::os::unix::fs::symlink(format!("/usr/sbin/{tool}"), tools.path().join(tool)).unwrap();
    }
    let path = format!("PATH={}", tools.path().display());
    let words = ["env", &path, BINARY, "--force-iptables-binary", "legacy", "-b", "*", "-i", "*"];
    let output = pod.run(&words);
    let log = output.stderr;
    assert_eq!(output.status.code(), Some(1), "{log}");
    assert!(log.contains("ip6tables-legacy-restore") && log.contains("--ip-families v4"), "{log}");
    assert_eq!(pod.all_rules(), "");
    assert!(!pod.succeed(&["ip", "-6", "address", "show", "dev", "lo"]).contains("::6/128"));
    let only_v4 = [&words[..], &["--ip-families", "v4"]].concat();
    assert!(pod.run(&only_v4).status.success());
}

#[test]
fn a_lock_that_is_not_released_is_reported_with_the_way_out() {
    if !may_run() {
        return;
    }
    let script = format!("exec 9</proc/self/ns/net; flock 9; exec {BINARY} --force-iptables-binary legacy -b '*'");
    let output = Pod::new("legacy").run(&["sh", "-c", &script]);
    let log = output.stderr;
    assert_eq!(output.status.code(), Some(1), "{log}");
    assert!(log.contains("lock") && log.contains("run again"), "{log}");
}
