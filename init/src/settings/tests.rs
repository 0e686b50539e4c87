//! Flags, environment and defaults, and mistakes told all at once.

use std::collections::HashMap;

use super::*;
use crate::cli::Cli;
use crate::value::Selection;

fn read(arguments: &[&str], environment: &[(&str, &str)]) -> Result<Settings, Mistakes> {
    let table: HashMap<&str, &str> = environment.iter().copied().collect();
    let arguments = ["sidecar-init"].iter().chain(arguments).map(Into::into);
    Cli::from_arguments(arguments).unwrap().settings_with(&|name| table.get(name).map(ToString::to_string))
}

fn mistakes(arguments: &[&str], environment: &[(&str, &str)]) -> Vec<String> {
    read(arguments, environment).unwrap_err().to_string().lines().map(str::to_owned).collect()
}

#[test]
fn defaults_are_those_of_istio() {
    let settings = read(&[], &[]).unwrap();
    let capture = &settings.capture;
    assert_eq!((capture.outbound_port, capture.inbound_port, capture.tunnel_port), (15001, 15006, 15008));
    assert_eq!((&*capture.proxy_uids, &*capture.proxy_gids), (&[1337][..], &[1337][..]));
    assert_eq!(capture.inbound_ports, Selection::Only(vec![]));
    assert_eq!(capture.outbound_ranges, Selection::Only(vec![]));
    assert_eq!(capture.owner_groups, Selection::All);
    assert_eq!(capture.loopback.to_string(), "127.0.0.1/32");
    assert_eq!((settings.families, settings.backend), (Families::Auto, Backend::Default));
    assert!(!settings.dry_run && !settings.force_apply);
}

#[test]
fn groups_of_the_proxy_follow_its_users() {
    assert_eq!(read(&["-u", "3,4"], &[]).unwrap().capture.proxy_gids, [3, 4]);
    assert_eq!(read(&["-u", "3,4", "-g", "5"], &[]).unwrap().capture.proxy_gids, [5]);
    assert_eq!(read(&["-u", "", "-g", ""], &[]).unwrap().capture.proxy_gids, [1337]);
    assert_eq!(mistakes(&["-u", ","], &[]).len(), 1);
}

#[test]
fn the_command_line_wins_over_the_environment() {
    let environment = [("INBOUND_CAPTURE_PORT", "1"), ("ENVOY_PORT", "2"), ("DRY_RUN", "true")];
    let settings = read(&["--dry-run=false"], &environment).unwrap();
    assert_eq!((settings.capture.inbound_port, settings.capture.outbound_port), (1, 15001));
    assert!(!settings.dry_run);
    assert_eq!(read(&["-z", "3"], &environment).unwrap().capture.inbound_port, 3);
}

#[test]
fn an_empty_variable_means_the_default_except_where_empty_is_a_choice() {
    let settings = read(&[], &[("INBOUND_CAPTURE_PORT", ""), ("DRY_RUN", ""), ("IP_FAMILIES", "")]).unwrap();
    assert_eq!(settings, read(&[], &[]).unwrap());
    let settings = read(&[], &[("ISTIO_OUTBOUND_OWNER_GROUPS", "")]).unwrap();
    assert_eq!(settings.capture.owner_groups, Selection::Only(vec![]));
}

#[test]
fn an_alias_wins_over_the_variable_and_loses_to_the_command_line() {
    let environment = [("DROP_INVALID", "true"), ("INVALID_DROP", "false")];
    assert!(!read(&[], &environment).unwrap().capture.drop_invalid);
    assert!(read(&["--drop-invalid"], &environment).unwrap().capture.drop_invalid);
    assert!(read(&[], &[("INVALID_DROP", "1")]).unwrap().capture.drop_invalid);
    assert!(read(&[], &[("DROP_INVALID", "1"), ("INVALID_DROP", "")]).unwrap().capture.drop_invalid);
    assert!(read(&[], &[("ISTIO_DUAL_STACK", "t"), ("DUAL_STACK", "x")]).is_ok());
    let dns = read(&["--dns-servers=10.0.0.10"], &[("ISTIO_META_DNS_CAPTURE", "true")]).unwrap().capture.dns;
    assert_ne!(dns, DnsCapture::Off);
}

#[test]
fn all_mistakes_are_reported_each_with_its_place() {
    let arguments =
        ["-p", "x", "-b", "80,y,z", "-x", "*", "-c", "eth0,a b", "-m", "NONE", "-t", "0", "--dns-servers", "d"];
    let environment = [("INBOUND_TUNNEL_PORT", "70000"), ("ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR", "10.0.0.0/8")];
    let found = mistakes(&arguments, &environment);
    for place in [
        "--envoy-port: `x`",
        "--istio-inbound-ports: `y`",
        "--istio-inbound-ports: `z`",
        "--istio-service-exclude-cidr: `*`",
        "--istio-exclude-interfaces: `a b`",
        "--istio-inbound-interception-mode: `NONE`",
        "--istio-inbound-tproxy-mark: `0`",
        "--dns-servers: `d`",
        "--inbound-tunnel-port (environment variable INBOUND_TUNNEL_PORT): `70000`",
        "environment variable ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR: `10.0.0.0/8`",
    ] {
        assert!(found.iter().any(|mistake| mistake.starts_with(place)), "{place} is not in {found:#?}");
    }
    assert_eq!(found.len(), 10, "{found:#?}");
}

#[test]
fn every_flag_of_istio_has_its_place() {
    let run = "--iptables-probe-port 1 --probe-timeout 1m30s --skip-rule-apply --run-validation --dual-stack --reconcile \
        --network-namespace /proc/1/ns/net --cni-mode --force-apply --native-nftables";
    let settings = read(&run.split_whitespace().collect::<Vec<_>>(), &[]).unwrap();
    assert_eq!((settings.probe_port, settings.probe_timeout), (1, Duration::from_secs(90)));
    assert!(settings.skip_rule_apply && settings.run_validation);
    assert!(settings.force_apply && settings.native_nftables);
    assert_eq!(settings.network_namespace, Some(PathBuf::from("/proc/1/ns/net")));
    let settings = read(&["-m", "TPROXY", "-t", "7", "-r", "8", "-b", "*", "--tproxy-nonroot"], &[]).unwrap();
    let tproxy = Tproxy { mark: 7, table: 8, is_nonroot: true };
    assert_eq!(settings.capture.inbound_mode, InboundMode::Tproxy(tproxy));
    assert_eq!(settings.capture.routing(), Some(tproxy));
    assert_eq!(read(&["-m", "TPROXY"], &[]).unwrap().capture.routing(), None);
    assert!(read(&["--cleanup-only"], &[]).unwrap().cleanup_only);
    let settings = read(&["-n"], &[("DRY_RUN_FILE_PATH", "/tmp/x")]).unwrap();
    assert_eq!(settings.dry_run_file, Some(PathBuf::from("/tmp/x")));
    assert_eq!(read(&["--output=json"], &[]).unwrap().output, Output::Json);
}

#[test]
fn every_flag_has_its_variable() {
    for (variable, value) in [
        ("INBOUND_CAPTURE_PORT", "1"),
        ("INBOUND_TUNNEL_PORT", "1"),
        ("PROXY_UID", "1"),
        ("PROXY_GID", "1"),
        ("ISTIO_INBOUND_INTERCEPTION_MODE", "TPROXY"),
        ("ISTIO_INBOUND_PORTS", "*"),
        ("ISTIO_LOCAL_EXCLUDE_PORTS", "1"),
        ("ISTIO_EXCLUDE_INTERFACES", "eth1"),
        ("ISTIO_SERVICE_CIDR", "*"),
        ("ISTIO_SERVICE_EXCLUDE_CIDR", "10.0.0.0/8"),
        ("ISTIO_OUTBOUND_PORTS", "1"),
        ("ISTIO_LOCAL_OUTBOUND_PORTS_EXCLUDE", "1"),
        ("KUBE_VIRT_INTERFACES", "vnet0"),
        ("EXCLUDE_INBOUND_CIDRS", "10.0.0.0/8"),
        ("IP_FAMILIES", "v4"),
        ("DRY_RUN", "true"),
        ("IPTABLES_PROBE_PORT", "1"),
        ("PROBE_TIMEOUT", "1s"),
        ("SKIP_RULE_APPLY", "true"),
        ("RUN_VALIDATION", "true"),
        ("DROP_INVALID", "true"),
        ("NETWORK_NAMESPACE", "/x"),
        ("CLEANUP_ONLY", "true"),
        ("FORCE_APPLY", "true"),
        ("NATIVE_NFTABLES", "true"),
        ("FORCE_IPTABLES_BINARY", "nft"),
        ("ENVOY_USER", "5"),
    ] {
        assert_ne!(read(&[], &[(variable, value)]).unwrap(), read(&[], &[]).unwrap(), "{variable}");
    }
    for variable in ["DUAL_STACK", "CNI_MODE", "RECONCILE"] {
        assert_eq!(read(&[], &[(variable, "true")]).unwrap(), read(&[], &[]).unwrap(), "{variable}");
        assert_eq!(mistakes(&[], &[(variable, "x")]).len(), 1, "{variable}");
    }
    let tproxy = ["-m", "TPROXY"];
    for variable in ["ISTIO_INBOUND_TPROXY_MARK", "ISTIO_INBOUND_TPROXY_ROUTE_TABLE", "TPROXY_NONROOT"] {
        assert_ne!(read(&tproxy, &[(variable, "1")]).unwrap(), read(&tproxy, &[]).unwrap(), "{variable}");
    }
    let without = [("ENVOY_PORT", "1"), ("DNS_SERVERS", "x"), ("OUTPUT", "json"), ("COMPACT", "true")];
    assert_eq!(read(&[], &without).unwrap(), read(&[], &[]).unwrap());
}

#[test]
fn the_users_name_is_known_or_a_number() {
    assert_eq!(read(&[], &[("ENVOY_USER", "istio-proxy")]).unwrap().capture.proxy_uids, [1337]);
    let capture = read(&[], &[("ENVOY_USER", "5")]).unwrap().capture;
    assert_eq!((capture.proxy_uids, capture.proxy_gids), (vec![5], vec![5]));
    assert!(mistakes(&[], &[("ENVOY_USER", "envoy")])[0].contains("--proxy-uid"));
    assert!(read(&["-u", "5"], &[("ENVOY_USER", "envoy")]).is_ok());
}

#[test]
fn what_cannot_be_done_together_is_a_mistake() {
    assert!(mistakes(&["--dry-run", "--cleanup-only"], &[])[0].starts_with("--cleanup-only: "));
    assert_eq!(mistakes(&["--cleanup-only", "--skip-rule-apply", "--run-validation"], &[]).len(), 2);
    let found = mistakes(&["--dry-run", "--cleanup-only", "-p", "x"], &[]);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(mistakes(&["--dry-run", "--output", "json"], &[])[0].starts_with("--output: json "));
}

#[test]
fn a_port_is_for_one_purpose() {
    let found = mistakes(&["-p", "7", "-z", "7", "-e", "7"], &[]);
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!(mistakes(&["-z", "15001"], &[]), ["--inbound-capture-port: is the same as --envoy-port; use two ports"]);
    assert_eq!(mistakes(&["-p", "15053", "--redirect-dns", "--capture-all-dns"], &[]).len(), 1);
    assert!(read(&["-p", "15053"], &[]).is_ok());
}

#[test]
fn what_hardly_anybody_wants_is_warned_of() {
    for (arguments, flag) in [
        (["-c", "eth1,lo"], "--istio-exclude-interfaces names lo"),
        (["-k", "lo"], "--kube-virt-interfaces names lo"),
        (["-k", "vnet0,eth0"], "--kube-virt-interfaces names eth0"),
        (["-u", "1337,0"], "--proxy-uid names root"),
    ] {
        let found = read(&arguments, &[]).unwrap().warnings;
        assert!(found.len() == 1 && found[0].starts_with(flag), "{found:?}");
    }
    assert_eq!(read(&["-c", "lo1", "-k", "eth1", "-u", "1000"], &[]).unwrap().warnings, [""; 0]);
}

#[test]
fn only_what_istios_command_line_would_refuse_is_wrong_usage() {
    let is_usage = |arguments: &[&str], environment| read(arguments, environment).unwrap_err().is_usage();
    for argument in ["--dry-run=maybe", "--probe-timeout=5", "--iptables-probe-port=x", "--redirect-dns=2"] {
        assert!(is_usage(&["-p", "x", argument], &[]), "{argument}");
    }
    assert!(!is_usage(&["-p", "x", "-m", "NONE", "-i", "x"], &[("DRY_RUN", "maybe")]));
}

#[test]
fn lists_that_mean_something_when_empty_must_be_empty_then() {
    for flag in ["-u", "-g", "-b", "-i"] {
        assert_eq!(mistakes(&[flag, ","], &[]).len(), 1, "{flag}");
        assert!(read(&[flag, ""], &[]).is_ok(), "{flag}");
    }
    assert_eq!(mistakes(&[], &[("ISTIO_OUTBOUND_OWNER_GROUPS", ",")]).len(), 1);
}

#[test]
fn what_has_no_effect_is_warned_of_by_name() {
    let warnings = |arguments: &[&str], environment| read(arguments, environment).unwrap().warnings.join("\n");
    assert!(warnings(&["-b", "80", "-d", "70-90"], &[]).starts_with("--istio-local-exclude-ports "));
    assert_eq!(warnings(&["-b", "80", "-d", "15090,15021,15020"], &[]), "");
    let groups = [("ISTIO_OUTBOUND_OWNER_GROUPS", "5"), ("ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE", "6")];
    assert!(warnings(&[], &groups).starts_with("ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE "));
    assert_eq!(warnings(&["-b", "*", "-d", "90"], &groups[1..]), "");
}

fn read_with(arguments: &[&str], resolv_conf: ResolvConf<'_>) -> Result<Settings, Mistakes> {
    Settings::read(Cli::flags_of(arguments), &|_| None, resolv_conf)
}

#[test]
fn dns_servers_come_from_the_flag_or_from_the_file_if_that_decides() {
    let unread: ResolvConf<'_> = &|| panic!("the file decides nothing");
    let dns = |arguments: &[&str], resolv_conf| read_with(arguments, resolv_conf).unwrap().capture.dns;
    let server: DnsCapture = DnsCapture::Servers(vec!["10.0.0.10".parse().unwrap()]);
    assert_eq!(dns(&["--redirect-dns", "--dns-servers=10.0.0.10,10.0.0.10"], unread), server);
    assert_eq!(dns(&["--redirect-dns", "--capture-all-dns"], unread), DnsCapture::All);
    assert_eq!(dns(&["--capture-all-dns"], unread), DnsCapture::Off);
    assert_eq!(dns(&["--dns-servers=auto"], unread), DnsCapture::Off);
    let file: ResolvConf<'_> = &|| Ok("nameserver 10.0.0.10\n".to_owned());
    assert_eq!(dns(&["--redirect-dns"], file), server);
    assert_eq!(dns(&["--redirect-dns", "--dns-servers=auto"], file), server);
    let denied: ResolvConf<'_> = &|| Err(std::io::ErrorKind::PermissionDenied.into());
    let mistakes = read_with(&["--redirect-dns", "-p", "x"], denied).unwrap_err().to_string();
    assert!(mistakes.contains("--redirect-dns: cannot read /etc/resolv.conf: "), "{mistakes}");
    assert!(mistakes.contains("--envoy-port: "), "{mistakes}");
}

#[test]
fn dns_capture_is_off_where_no_server_is_known() {
    for (arguments, file) in [(&["--redirect-dns", "--dns-servers="][..], ""), (&["--redirect-dns"], "search a.b\n")] {
        let settings = read_with(arguments, &|| Ok(file.to_owned())).unwrap();
        assert!(settings.warnings.len() == 1 && settings.warnings[0].starts_with("--redirect-dns "), "{settings:?}");
        assert_eq!(settings.capture, read(&[], &[]).unwrap().capture);
    }
}

#[test]
fn a_default_that_is_spelt_out_is_no_mistake() {
    let arguments = "-m REDIRECT -t 1337 -r 133 --iptables-probe-port 15002 --probe-timeout 5s --redirect-dns=false \
        --cni-mode=F --run-validation=0 --dual-stack=0 --reconcile=0 --dns-servers= --ip-families auto --output text";
    let arguments: Vec<&str> = arguments.split_whitespace().chain(["--network-namespace", ""]).collect();
    assert_eq!(read(&arguments, &[]).unwrap(), read(&[], &[]).unwrap());
}

#[test]
fn as_many_owner_groups_may_be_named_as_with_istio() {
    let groups = |count: u32| (0..count).map(|gid| gid.to_string()).collect::<Vec<_>>().join(",");
    assert!(read(&[], &[("ISTIO_OUTBOUND_OWNER_GROUPS", &groups(64))]).is_ok());
    let found = mistakes(&[], &[("ISTIO_OUTBOUND_OWNER_GROUPS", &groups(65))]);
    assert!(
        found.len() == 1 && found[0].contains("ISTIO_OUTBOUND_OWNER_GROUPS") && found[0].contains("64"),
        "{found:?}"
    );
    assert!(read(&[], &[("ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE", &groups(65))]).is_ok());
}

#[test]
fn interfaces_and_ranges_that_would_make_too_many_rules_are_refused() {
    let names = |count: usize| (0..count).map(|n| format!("vnet{n}")).collect::<Vec<_>>().join(",");
    let ranges = |count: usize| (0..count).map(|n| format!("10.{}.{}.0/24", n / 256, n % 256)).collect::<Vec<_>>();
    let few = ranges(1000);
    let read = |interfaces: usize, ranges: &[String]| {
        let (names, ranges) = (names(interfaces), ranges.join(","));
        read(&["-k", &names, "-i", &ranges], &[]).map_err(|mistakes| mistakes.to_string())
    };
    assert!(read(20, &few).is_ok());
    let mistake = read(21, &few).unwrap_err();
    assert!(mistake.starts_with("--kube-virt-interfaces: with --istio-service-cidr"), "{mistake}");
    assert!(mistake.contains(&super::capture::MAX_MACHINE_RULES.to_string()), "{mistake}");
    let of_both: Vec<String> = few.iter().cloned().chain((0..1000).map(|n| format!("fd00:{n}::/32"))).collect();
    assert!(read(20, &of_both).is_ok(), "each family has rules of its own");
    assert!(read(4000, &["*".to_owned()]).is_ok());
}

#[test]
fn ranges_that_change_nothing_are_named() {
    let warnings = |arguments: &[&str]| read(arguments, &[]).unwrap().warnings;
    let found =
        warnings(&["-x", "10.1.0.0/16,10.0.0.0/8,192.168.0.1,192.168.0.1,fd00::/8", "-i", "::/0,10.0.0.0/8,fd00::/8"]);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("--istio-service-cidr ") && found[0].ends_with(": fd00::/8 is in ::/0"), "{found:?}");
    let expected = ": 10.1.0.0/16 is in 10.0.0.0/8, 192.168.0.1/32 is in 192.168.0.1/32";
    assert!(found[1].starts_with("--istio-service-exclude-cidr ") && found[1].ends_with(expected), "{found:?}");
    let many: Vec<String> = (0..100).map(|host| format!("10.0.0.{host}/8")).collect();
    let found = warnings(&["--exclude-inbound-cidrs", &many.join(","), "-b", "*"]);
    assert!(found[0].ends_with(", and 94 more"), "{found:?}");
    assert_eq!(warnings(&["-x", "10.0.0.0/9,10.128.0.0/9,0.0.0.0,::"]), [""; 0]);
}

#[test]
fn ranges_of_a_family_without_rules_are_named() {
    let found = read(&["-i", "10.0.0.0/8,fd00::/8", "--ip-families=v4"], &[]).unwrap().warnings;
    assert!(found.len() == 1 && found[0].ends_with("leaves out: fd00::/8"), "{found:?}");
}

#[test]
fn families_are_chosen_by_their_names() {
    let families = |text| read(&["--ip-families", text], &[]).unwrap().families;
    assert_eq!((families("auto"), families("")), (Families::Auto, Families::Auto));
    assert_eq!(families("v6"), Families::Only(&[Family::V6]));
    assert_eq!(families("v6,v4"), Families::Only(&[Family::V4, Family::V6]));
}
