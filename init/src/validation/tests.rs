//! Which attempts are made, and what is made of them.

use super::*;
use crate::cli::Cli;
use crate::redirect;

const ROOT: Identity = Identity { uid: 0, gid: 0 };
const PROXY: Identity = Identity { uid: 1337, gid: 1337 };

/// A pod with one interface, from which everything can be reached.
fn anywhere(_: IpAddr) -> Reach {
    Reach::Through(Some("eth0".to_owned()))
}

fn planned(arguments: &str, family: Family, own: Identity, reach: &dyn Fn(IpAddr) -> Reach) -> Plan {
    let words = ["sidecar-init"].into_iter().chain(arguments.split_whitespace()).map(Into::into);
    let settings = Cli::from_arguments(words).unwrap().settings_with(&|_| None).unwrap();
    let rules = redirect::rule_sets(&settings.capture, family);
    let own_addresses = ["10.0.0.2".parse().unwrap(), "fd77::2".parse().unwrap()];
    let own_addresses: Vec<IpAddr> =
        own_addresses.into_iter().filter(|address: &IpAddr| address.is_ipv4() == (family == Family::V4)).collect();
    plan(&Scene {
        capture: &settings.capture,
        rules: &rules,
        family,
        own,
        own_addresses: &own_addresses,
        reach,
        probe_port: 15002,
        timeout: Duration::from_secs(5),
    })
}

/// One line an attempt: what, who, where, and what has to become of it.
fn attempts(arguments: &str, family: Family, own: Identity) -> Vec<String> {
    let plan = planned(arguments, family, own, &anywhere);
    assert_eq!(plan.left_out, Vec::<String>::new(), "{arguments}");
    let line = |attempt: &Attempt| {
        let Attempt { direction, identity: Identity { uid, gid }, probe, expected, .. } = attempt;
        let what = match expected {
            Expected::RedirectedTo(port) | Expected::HandedTo(port) => port.to_string(),
            Expected::LeftAlone => "passes".to_owned(),
        };
        format!("{direction} {uid}:{gid} {} {} {what}", probe.protocol, probe.destination)
    };
    plan.attempts.iter().map(line).collect()
}

#[test]
fn both_directions_are_tried_by_everybody_who_matters() {
    let expected = [
        "inbound 1337:65534 tcp 127.0.0.6:15002 15006",
        "outbound 0:0 tcp 192.0.2.1:15002 15001",
        "outbound 65534:65534 tcp 192.0.2.1:15002 15001",
        "outbound 1337:65534 tcp 192.0.2.1:15002 passes",
        "outbound 65534:1337 tcp 192.0.2.1:15002 passes",
    ];
    assert_eq!(attempts("-b * -i *", Family::V4, ROOT), expected);
    let v6 = expected.map(|line| line.replace("127.0.0.6", "[::6]").replace("192.0.2.1", "[2001:db8::1]"));
    assert_eq!(attempts("-b * -i *", Family::V6, ROOT), v6);
}

#[test]
fn in_tproxy_mode_a_proxy_without_the_proxys_user_gets_its_calls_handed() {
    let lines = attempts("-b * -i * -m TPROXY", Family::V4, ROOT);
    let inbound: Vec<&String> = lines.iter().filter(|line| line.starts_with("inbound")).collect();
    let expected = ["inbound 1337:65534 tcp 127.0.0.6:15002 15006", "inbound 65534:1337 tcp 127.0.0.6:15002 15006"];
    assert_eq!(inbound, expected);
    let plan = planned("-b 80 -i * -m TPROXY", Family::V6, ROOT, &anywhere);
    let handed = plan.attempts.iter().find(|attempt| attempt.expected == Expected::HandedTo(15006)).unwrap();
    assert_eq!(handed.probe.destination, "[::6]:80".parse().unwrap());
    assert!(handed.rules.last().unwrap().contains("-j TPROXY --on-port 15006"), "{:?}", handed.rules);
}

#[test]
fn dns_is_tried_over_both_protocols_with_every_server() {
    let dns = |arguments: &str, family| {
        let mut lines = attempts(arguments, family, ROOT);
        lines.retain(|line| line.starts_with("DNS 65534:65534"));
        lines
    };
    let expected = ["tcp 10.96.0.10:53", "tcp 10.96.0.11:53", "udp 10.96.0.10:53", "udp 10.96.0.11:53"];
    let expected = expected.map(|way| format!("DNS 65534:65534 {way} 15053"));
    assert_eq!(dns("-i * --redirect-dns --dns-servers 10.96.0.10,10.96.0.11", Family::V4), expected);
    let expected = ["tcp", "udp"].map(|protocol| format!("DNS 65534:65534 {protocol} [2001:db8::1]:53 15053"));
    assert_eq!(dns("-i * --redirect-dns --capture-all-dns", Family::V6), expected);
}

#[test]
fn the_proxy_itself_tries_what_only_it_can() {
    let lines = attempts("-b * -i *", Family::V4, PROXY);
    assert_eq!(lines[0], "inbound 1337:1337 tcp 127.0.0.6:15002 15006");
    assert!(lines.contains(&"outbound 1337:1337 tcp 192.0.2.1:15002 passes".to_owned()), "{lines:?}");
}

#[test]
fn what_is_not_redirected_is_not_expected() {
    for (arguments, destination) in [
        ("-i 10.0.0.0/8", "10.0.0.1:15002"),
        ("-i 10.0.0.0/8,10.1.0.0/16 -x 10.0.0.0/16", "10.1.0.1:15002"),
        ("-i * -x 192.0.2.0/24", "198.51.100.1:15002"),
        ("-q 5432", "192.0.2.1:5432"),
        ("-i * -q 5432 -o 15002", "192.0.2.1:5432"),
        ("-i * -o 15002", "192.0.2.1:15003"),
    ] {
        let lines = attempts(arguments, Family::V4, ROOT);
        assert_eq!(lines[1], format!("outbound 0:0 tcp {destination} 15001"), "{arguments}");
    }
    for arguments in ["-b *", "-i fd00::/8 -b *", "-i * -x 0.0.0.0/0"] {
        assert_eq!(attempts(arguments, Family::V4, ROOT).len(), 1, "{arguments}");
    }
}

#[test]
fn an_interface_that_is_left_alone_is_left_alone() {
    assert_eq!(attempts("-i * -c eth0", Family::V4, ROOT).len(), 1);
    assert_eq!(attempts("-i * -c eth1", Family::V4, ROOT).len(), 5);
    let unnamed = planned("-i * -c eth1", Family::V4, ROOT, &|_| Reach::Through(None));
    assert_eq!(unnamed.attempts.len(), 1);
    assert_eq!(
        unnamed.left_out,
        ["IPv4 outbound: tcp not tried: the rules name a group, or an interface, that is not known here"]
    );
}

#[test]
fn where_there_is_no_route_that_is_said() {
    let plan = planned("-b * -i *", Family::V6, ROOT, &|_| Reach::Nowhere);
    assert_eq!(plan.attempts.len(), 1, "inbound needs none");
    assert_eq!(plan.left_out, ["IPv6 outbound: tcp not tried: there is no route to 2001:db8::1"]);
}

#[test]
fn a_marker_address_that_counts_as_the_pod_itself_gives_way_to_the_pods_own() {
    let settings = |name: &str| (name == "ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR").then(|| "127.0.0.0/8".to_owned());
    let cli = Cli::from_arguments(["sidecar-init", "-b", "*"].map(Into::into)).unwrap();
    let settings = cli.settings_with(&settings).unwrap();
    let plan = plan(&Scene {
        capture: &settings.capture,
        rules: &redirect::rule_sets(&settings.capture, Family::V4),
        family: Family::V4,
        own: PROXY,
        own_addresses: &["10.0.0.2".parse().unwrap()],
        reach: &anywhere,
        probe_port: 15002,
        timeout: Duration::from_secs(5),
    });
    assert_eq!(plan.attempts[0].probe.destination, "10.0.0.2:15002".parse().unwrap());
}

fn failure(direction: Direction, is_proxy: bool, observation: &Observation) -> String {
    let plan = planned("-b * -i *", Family::V4, ROOT, &anywhere);
    let is_it = |attempt: &&Attempt| attempt.direction == direction && attempt.is_proxy == is_proxy;
    match judge(plan.attempts.iter().find(is_it).unwrap(), observation) {
        Verdict::Failed(failure) => failure.to_string(),
        verdict => format!("{verdict:?}"),
    }
}

#[test]
fn a_failure_names_direction_family_user_and_rules() {
    assert_eq!(
        failure(Direction::Outbound, false, &Observation::Silence),
        "IPv4 outbound: tcp from an application (user 0, group 0) to 192.0.2.1:15002 should arrive at port 15001, but \
         nobody answered; by the rules `-A OUTPUT -j ISTIO_OUTPUT`, `-A ISTIO_OUTPUT -j ISTIO_REDIRECT`, \
         `-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001`"
    );
    let looped = Observation::Arrived { port: 15001, original: None };
    assert_eq!(
        failure(Direction::Outbound, true, &looped),
        "IPv4 outbound: tcp from the proxy (user 1337, group 65534) to 192.0.2.1:15002 should be left alone, but \
         arrived at port 15001: the proxy's own connections would come back to it in a loop; by the rules \
         `-A OUTPUT -j ISTIO_OUTPUT`, `-A ISTIO_OUTPUT -m owner --uid-owner 1337 -j RETURN`"
    );
}

#[test]
fn of_the_rules_those_that_are_not_there_are_named() {
    let plan = planned("-b * -i *", Family::V4, ROOT, &anywhere);
    let attempt = plan.attempts.iter().find(|attempt| attempt.direction == Direction::Outbound).unwrap();
    let Verdict::Failed(failure) = judge(attempt, &Observation::Silence) else { panic!("it did not fail") };
    let among = |live: &[(Family, &str)]| {
        let mut failure = failure.clone();
        failure.look_into(&live.iter().map(|(family, rule)| (*family, (*rule).to_owned())).collect::<Vec<_>>());
        failure.to_string()
    };
    let [first, second, third] = [
        "-A OUTPUT -j ISTIO_OUTPUT",
        "-A ISTIO_OUTPUT -j ISTIO_REDIRECT",
        "-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001",
    ]
    .map(|rule| (Family::V4, rule));
    let text = among(&[first, second, (Family::V6, third.1)]);
    assert!(text.ends_with("; not there: `-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001`"), "{text}");
    let text = among(&[first, second, third]);
    assert!(text.ends_with("; they are there: another rule comes before them"), "{text}");
    assert_eq!(among(&[(Family::V4, "-A OUTPUT -j ACCEPT")]), failure.to_string());
}

#[test]
fn only_the_right_port_with_the_right_original_destination_will_do() {
    let arrived = |port, original: &str| Observation::Arrived { port, original: Some(original.parse().unwrap()) };
    assert_eq!(failure(Direction::Outbound, false, &arrived(15001, "192.0.2.1:15002")), "Passed");
    for wrong in [
        arrived(15006, "192.0.2.1:15002"),
        arrived(15001, "192.0.2.9:15002"),
        Observation::Elsewhere,
        Observation::Failed("it was refused".to_owned()),
    ] {
        assert!(failure(Direction::Outbound, false, &wrong).contains("should arrive at port 15001"), "{wrong:?}");
    }
    for right in [Observation::Elsewhere, Observation::Silence, Observation::Failed(String::new())] {
        assert_eq!(failure(Direction::Outbound, true, &right), "Passed");
    }
    let lost = failure(Direction::Outbound, true, &Observation::Lost("its process was killed".to_owned()));
    assert!(lost.contains("should be left alone, but its process was killed; by the rules"), "{lost}");
    let unable = failure(Direction::Inbound, true, &Observation::NotSent("no right".to_owned()));
    assert!(unable.contains("IPv4 inbound: not tried as the proxy (user 1337, group 65534): no right"), "{unable}");
}

#[test]
fn what_is_said_between_processes_is_read_as_it_was_meant() {
    for attempt in planned("-b * -i *", Family::V6, PROXY, &anywhere).attempts {
        assert_eq!(read_probe(&attempt.probe.to_string()).unwrap(), attempt.probe);
    }
    for observation in [
        Observation::Arrived { port: 1, original: None },
        Observation::Arrived { port: 1, original: Some("[::6]:2".parse().unwrap()) },
        Observation::Elsewhere,
        Observation::Silence,
        Observation::Failed("two words".to_owned()),
        Observation::NotSent("why not".to_owned()),
        Observation::Lost("who knows".to_owned()),
    ] {
        assert_eq!(read_observation(&observation.to_string()).unwrap(), observation);
    }
    for junk in ["", "arrived", "arrived x -", "arrived 1", "tcp - 1.2.3.4 5", "tcp - 1.2.3.4:5", "icmp - 1.2.3.4:5 6"]
    {
        assert!(read_probe(junk).is_err() && read_observation(junk).is_err(), "{junk}");
    }
}
