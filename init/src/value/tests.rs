//! Values that are taken, values that are refused, and that what is shown reads back.

use proptest::prelude::*;

use super::*;

fn good<T: fmt::Display, E: fmt::Debug>(parse: impl Fn(&str) -> Result<T, E>, cases: &[(&str, &str)]) {
    for (given, shown) in cases {
        assert_eq!(parse(given).unwrap().to_string(), *shown, "{given}");
    }
}

fn bad<T: fmt::Debug, E: fmt::Display>(parse: impl Fn(&str) -> Result<T, E>, cases: &[&str]) {
    for given in cases {
        assert!(parse(given).is_err(), "{given:?} was accepted");
    }
}

#[test]
fn listening_ports_are_1_to_65535() {
    good(listening_port, &[("1", "1"), ("15001", "15001"), ("65535", "65535"), ("015001", "15001")]);
    bad(
        listening_port,
        &["", "0", "65536", "-1", "+1", " 1", "1 ", "1\n", "0x50", "http", "99999999999999999999", "١"],
    );
}

#[test]
fn ports_in_lists_may_be_0_and_may_be_ranges() {
    good(port_range, &[("0", "0"), ("65535", "65535"), ("100:200", "100:200"), ("100-200", "100:200"), ("7:7", "7")]);
    bad(port_range, &["", ":", "1:", ":1", "2:1", "1:2:3", "65536", "1:65536", "1,2", "*", "1;2"]);
}

#[test]
fn ids_are_numbers_that_the_kernel_takes_for_somebody() {
    good(id, &[("0", "0"), ("1337", "1337"), ("4294967294", "4294967294")]);
    bad(id, &["", "-1", "4294967295", "istio-proxy", "1000-2000"]);
    good(group, &[("1337", "1337"), ("java", "java"), ("_apt", "_apt"), ("a.b-c", "a.b-c")]);
    bad(group, &["", "4294967295", "1x", "a b", "-j", "a\n", "a-group-name-of-more-than-32-letters"]);
}

#[test]
fn interfaces_have_the_names_that_the_kernel_allows_and_iptables_reads_as_one_word() {
    good(
        interface,
        &[("eth0", "eth0"), ("a", "a"), ("veth-1.2_x", "veth-1.2_x"), ("abcdefghijklmno", "abcdefghijklmno")],
    );
    bad(interface, &["", "0eth", "-i", "eth+", "eth 0", "eth0\n", "eth0\n-A X", "a/b", "abcdefghijklmnop", "ėth0"]);
}

#[test]
fn ranges_keep_their_host_bits_and_addresses_are_ranges_of_one() {
    good(range, &[("10.0.0.0/8", "10.0.0.0/8"), ("10.1.2.3/8", "10.1.2.3/8"), ("10.1.2.3", "10.1.2.3/32")]);
    good(range, &[("2001:DB8::/32", "2001:db8::/32"), ("fd00::1", "fd00::1/128"), ("::/0", "::/0")]);
    bad(range, &["::ffff:10.0.0.0/104", "::ffff:10.0.0.1", "0:0:0:0:0:ffff:a00:0/104"]);
    bad(range, &["", "*", "10.0.0.0/33", "10.0.0/8", "::/129", "fe80::1%eth0", "10.0.0.0/8 -j ACCEPT", "10.0.0.0/-1"]);
    good(
        loopback_range,
        &[("127.0.0.1/32", "127.0.0.1/32"), ("127.0.0.1/8", "127.0.0.1/8"), ("127.1.2.3", "127.1.2.3/32")],
    );
    bad(loopback_range, &["127.0.0.1/7", "10.0.0.0/8", "::1/128", "0.0.0.0/0", ""]);
}

#[test]
fn addresses_are_written_in_their_own_family() {
    good(address, &[("10.0.0.10", "10.0.0.10"), ("FD00::A", "fd00::a")]);
    bad(address, &["", "10.0.0.10/32", "::ffff:10.0.0.10", "fe80::1%eth0", "dns", "10.0.0.10\n", "10.0.10"]);
}

#[test]
fn marks_and_tables_are_those_that_mean_nothing_else() {
    good(|text| mark(text, 1338), &[("1", "1"), ("1337", "1337"), ("4294967295", "4294967295")]);
    bad(|text| mark(text, 1338), &["", "0", "1338", "-1", "0x539", "4294967296", "1337/0xff", "1\n"]);
    good(routing_table, &[("1", "1"), ("133", "133"), ("252", "252"), ("256", "256"), ("4294967295", "4294967295")]);
    bad(routing_table, &["", "0", "253", "254", "255", "main", "local", "-1", "4294967296"]);
}

#[test]
fn paths_are_of_one_line() {
    assert_eq!(path("/proc/1/ns/net"), Ok("/proc/1/ns/net".into()));
    bad(path, &["", "/a\nb", "/a\0", "\u{1b}", &"/a".repeat(2048)]);
}

#[test]
fn booleans_are_those_of_go() {
    for (given, value) in [("1", true), ("t", true), ("T", true), ("TRUE", true), ("true", true), ("True", true)] {
        assert_eq!(boolean(given), Ok(value));
    }
    for given in ["0", "f", "F", "FALSE", "false", "False"] {
        assert_eq!(boolean(given), Ok(false));
    }
    bad(boolean, &["", "yes", "no", "tRUE", "on", " true"]);
}

#[test]
fn lists_drop_blanks_and_empty_items() {
    assert_eq!(list(" 1, 2,,3 ,", id).unwrap(), [1, 2, 3]);
    assert!(list("", id).unwrap().is_empty());
    assert!(filled_list(",", id).is_err());
    assert_eq!(selection("*", id), Ok(Selection::All));
    assert_eq!(selection("", id), Ok(Selection::Only(vec![])));
    assert_eq!(selection("*,1", id).unwrap_err().len(), 1);
    assert_eq!(selection(",", id).unwrap_err().len(), 1);
    assert_eq!(selection(" , ", id).unwrap_err().len(), 1);
}

#[test]
fn every_wrong_item_of_a_list_is_reported() {
    let wrong: Vec<String> = list("1,x,2,y", id).unwrap_err().iter().map(ToString::to_string).collect();
    assert_eq!(wrong.len(), 2);
    assert!(wrong[0].starts_with("`x` is not") && wrong[1].starts_with("`y` is not"), "{wrong:?}");
}

#[test]
fn lists_have_a_limit() {
    assert!(list(&"1,".repeat(MAX_ITEMS), id).is_ok());
    assert_eq!(list(&"1,".repeat(MAX_ITEMS + 1), id).unwrap_err().len(), 1);
}

#[test]
fn a_wrong_value_is_shown_short_and_without_control_characters() {
    let shown = Invalid::new(&format!("a\n\u{1b}{}", "x".repeat(1000)), "short").to_string();
    assert!(shown.len() < 100 && !shown.contains(char::is_control), "{shown}");
}

proptest! {
    #[test]
    fn port_lists_read_back_as_they_are_shown(ends in prop::collection::vec((any::<u16>(), any::<u16>()), 0..50)) {
        let ports: Vec<PortRange> =
            ends.into_iter().map(|(a, b)| PortRange { first: a.min(b), last: a.max(b) }).collect();
        let shown = ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        prop_assert_eq!(list(&shown, port_range).unwrap(), ports);
    }

    #[test]
    fn whatever_is_accepted_is_shown_as_one_word(text in "\\PC*|[ -~\\n\\r\\t]{0,20}|[a-z0-9:/._-]{1,18}") {
        let shown = [
            port_range(&text).map(|value| value.to_string()),
            group(&text).map(|value| value.to_string()),
            interface(&text).map(|value| value.to_string()),
            range(&text).map(|value| value.to_string()),
            loopback_range(&text).map(|value| value.to_string()),
        ];
        for shown in shown.into_iter().flatten() {
            prop_assert!(!shown.is_empty() && shown.chars().all(|c| c.is_ascii_graphic()), "{}", shown);
        }
    }
}
