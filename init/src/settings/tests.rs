//! Flags, environment and defaults, and mistakes told all at once.

use std::collections::HashMap;

use super::*;
use crate::cli::Cli;

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
    assert!(!settings.dry_run && !settings.force);
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
    let environment = [("REDIRECT_DNS", "true"), ("ISTIO_META_DNS_CAPTURE", "false")];
    assert!(read(&[], &environment).is_ok());
    assert!(mistakes(&["--redirect-dns"], &environment)[0].starts_with("--redirect-dns: not supported yet"));
    let found = mistakes(&[], &[("INVALID_DROP", "1")]);
    assert!(found[0].starts_with("--drop-invalid (environment variable INVALID_DROP): not supported yet"), "{found:?}");
}

#[test]
fn all_mistakes_are_reported_each_with_its_place() {
    let arguments =
        ["-p", "x", "-b", "80,y,z", "-x", "*", "-c", "eth0,a b", "-m", "NONE", "-t", "5", "--dns-servers", "d"];
    let environment = [("INBOUND_TUNNEL_PORT", "70000"), ("ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR", "10.0.0.0/8")];
    let found = mistakes(&arguments, &environment);
    for place in [
        "--envoy-port: `x`",
        "--istio-inbound-ports: `y`",
        "--istio-inbound-ports: `z`",
        "--istio-service-exclude-cidr: `*`",
        "--istio-exclude-interfaces: `a b`",
        "--istio-inbound-interception-mode: `NONE`",
        "--istio-inbound-tproxy-mark: not supported yet",
        "--dns-servers: `d`",
        "--inbound-tunnel-port (environment variable INBOUND_TUNNEL_PORT): `70000`",
        "environment variable ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR: `10.0.0.0/8`",
    ] {
        assert!(found.iter().any(|mistake| mistake.starts_with(place)), "{place} is not in {found:#?}");
    }
    assert_eq!(found.len(), 10, "{found:#?}");
}

#[test]
fn what_is_not_supported_yet_is_refused_by_name() {
    for flag in [
        "--istio-inbound-interception-mode=TPROXY",
        "--istio-inbound-tproxy-mark=1",
        "--istio-inbound-tproxy-route-table=1",
        "--redirect-dns",
        "--capture-all-dns",
        "--drop-invalid",
        "--run-validation",
        "--skip-rule-apply",
        "--cleanup-only",
        "--cni-mode",
        "--network-namespace=/proc/1/ns/net",
        "--native-nftables",
    ] {
        let name = flag.split_once('=').map_or(flag, |(name, _)| name);
        assert_eq!(mistakes(&[flag], &[]), [format!("{name}: not supported yet; leave it out")]);
    }
    assert_eq!(mistakes(&[], &[("DRY_RUN_FILE_PATH", "/tmp/x")]).len(), 1);
    assert_eq!(mistakes(&[], &[("ENVOY_USER", "envoy")]).len(), 1);
    assert!(read(&["-u", "5"], &[("ENVOY_USER", "envoy")]).is_ok());
}

#[test]
fn what_only_validation_would_use_is_refused_only_with_it() {
    let probe = ["--iptables-probe-port=1", "--probe-timeout=1s"];
    assert_eq!(read(&probe, &[]).unwrap(), read(&[], &[]).unwrap());
    assert_eq!(mistakes(&[&probe[..], &["--run-validation"]].concat(), &[]).len(), 3);
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

#[test]
fn dns_capture_is_off_where_no_server_is_known() {
    let settings = read(&["--redirect-dns", "--dns-servers="], &[]).unwrap();
    assert!(settings.warnings.len() == 1 && settings.warnings[0].starts_with("--redirect-dns "), "{settings:?}");
    assert_eq!(settings.capture, read(&[], &[]).unwrap().capture);
    for servers in [&["--redirect-dns"][..], &["--redirect-dns", "--dns-servers=10.0.0.10"]] {
        assert_eq!(mistakes(servers, &[]), ["--redirect-dns: not supported yet; leave it out"]);
    }
    assert_eq!(mistakes(&["--redirect-dns", "--dns-servers=", "--capture-all-dns"], &[]).len(), 2);
}

#[test]
fn a_default_that_is_spelt_out_is_no_mistake() {
    let arguments = "-m REDIRECT -t 1337 -r 133 --iptables-probe-port 15002 --probe-timeout 5s --redirect-dns=false \
        --cni-mode=F --run-validation=0 --dual-stack --reconcile --dns-servers= --ip-families auto";
    let arguments: Vec<&str> = arguments.split_whitespace().chain(["--network-namespace", ""]).collect();
    assert_eq!(read(&arguments, &[]).unwrap(), read(&[], &[]).unwrap());
}

#[test]
fn owner_groups_are_limited_to_what_one_rule_holds() {
    let groups = |count: u32| (0..count).map(|gid| gid.to_string()).collect::<Vec<_>>().join(",");
    assert!(read(&[], &[("ISTIO_OUTBOUND_OWNER_GROUPS", &groups(49))]).is_ok());
    let found = mistakes(&[], &[("ISTIO_OUTBOUND_OWNER_GROUPS", &groups(50))]);
    assert!(
        found.len() == 1 && found[0].contains("ISTIO_OUTBOUND_OWNER_GROUPS") && found[0].contains("49"),
        "{found:?}"
    );
    assert!(read(&[], &[("ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE", &groups(65))]).is_ok());
}

#[test]
fn families_depend_on_the_namespace_only_if_nobody_chose() {
    let resolve =
        |text, has_ipv6: Result<bool, ()>| read(&["--ip-families", text], &[]).unwrap().families.resolve(|| has_ipv6);
    assert_eq!(resolve("auto", Ok(true)), Ok(&[Family::V4, Family::V6][..]));
    assert_eq!(resolve("auto", Ok(false)), Ok(&[Family::V4][..]));
    assert_eq!(resolve("auto", Err(())), Err(()));
    assert_eq!(resolve("v6", Err(())), Ok(&[Family::V6][..]));
    assert_eq!(resolve("v6,v4", Err(())), Ok(&[Family::V4, Family::V6][..]));
}
