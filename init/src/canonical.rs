//! Rules as `iptables-save` prints them, whichever way they were written. Both backends are compared in this form.

use crate::rule::{Family, Match, Protocol, Rule, Target};

/// The body of a rule: what follows `-A CHAIN`.
///
/// Only a group given by name differs from what the kernel shows: it knows its number alone.
pub fn body(rule: &Rule, family: Family) -> String {
    let mut matches: Vec<&Match> = rule.matches.iter().filter(|condition| !is_always_true(condition)).collect();
    // Stable: what is of equal rank stays in the order in which it was written.
    matches.sort_by_key(|condition| rank(condition));
    let matches = matches.into_iter().map(text);
    matches.chain([target(rule.target, family)]).collect::<Vec<_>>().join(" ")
}

fn is_always_true(condition: &Match) -> bool {
    matches!(condition, Match::Source(range) | Match::Destination(range) if range.prefix_len() == 0)
}

/// What every packet has is printed first and in this order; the rest in the order in which it was written.
fn rank(condition: &Match) -> u8 {
    match condition {
        Match::Source(_) => 0,
        Match::Destination(_) | Match::NotDestination(_) => 1,
        Match::InInterface(_) => 2,
        Match::OutInterface(_) => 3,
        Match::Protocol(_)
        | Match::Port(..)
        | Match::NotPort(..)
        | Match::SourcePort(..)
        | Match::Ports(..)
        | Match::NotPorts(..) => 4,
        Match::Mark(_)
        | Match::NotMark(_)
        | Match::ConnectionMark(_)
        | Match::Established
        | Match::Untrackable
        | Match::Owner(_)
        | Match::NotOwner(_) => 5,
    }
}

fn text(condition: &Match) -> String {
    let of = |protocol: &Protocol| format!("-p {protocol} -m {protocol}");
    match condition {
        Match::Source(range) => Match::Source(range.trunc()).to_string(),
        Match::Destination(range) => Match::Destination(range.trunc()).to_string(),
        Match::NotDestination(range) => Match::NotDestination(range.trunc()).to_string(),
        Match::Port(protocol, ports) if ports.is_all() => of(protocol),
        Match::Port(protocol, ports) => format!("{} --dport {ports}", of(protocol)),
        Match::NotPort(protocol, ports) => format!("{} ! --dport {ports}", of(protocol)),
        Match::SourcePort(protocol, port) => format!("{} --sport {port}", of(protocol)),
        Match::Mark(mark) => format!("-m mark --mark {mark:#x}"),
        Match::NotMark(mark) => format!("-m mark ! --mark {mark:#x}"),
        Match::ConnectionMark(mark) => format!("-m connmark --mark {mark:#x}"),
        _ => condition.to_string(),
    }
}

fn target(target: Target, family: Family) -> String {
    let unspecified = match family {
        Family::V4 => "0.0.0.0",
        Family::V6 => "::",
    };
    match target {
        Target::SetMark(mark) => format!("-j MARK --set-xmark {mark:#x}/0xffffffff"),
        Target::SaveMark | Target::RestoreMark => format!("{target} --nfmask 0xffffffff --ctmask 0xffffffff"),
        Target::Tproxy { port, mark } => {
            format!("-j TPROXY --on-port {port} --on-ip {unspecified} --tproxy-mark {mark:#x}/0xffffffff")
        }
        _ => target.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::{Chain, Owner, Position};
    use crate::value::{Interface, PortRange};

    fn printed(matches: Vec<Match>, target: Target, family: Family) -> String {
        body(&Rule { setting: None, chain: Chain::Outbound, position: Position::Last, matches, target }, family)
    }

    fn returned(matches: Vec<Match>) -> String {
        printed(matches, Target::Return, Family::V4)
    }

    #[test]
    fn addresses_interfaces_and_protocol_come_first() {
        let port = Match::Port(Protocol::Tcp, PortRange::single(80));
        let matches = vec![
            Match::Owner(Owner::User(5)),
            port.clone(),
            Match::OutInterface(Interface::loopback()),
            Match::Destination("10.0.0.0/8".parse().unwrap()),
        ];
        let expected = "-d 10.0.0.0/8 -o lo -p tcp -m tcp --dport 80 -m owner --uid-owner 5 -j RETURN";
        assert_eq!(returned(matches), expected);
        let matches = vec![port, Match::Source("10.0.0.0/8".parse().unwrap())];
        assert_eq!(returned(matches), "-s 10.0.0.0/8 -p tcp -m tcp --dport 80 -j RETURN");
    }

    #[test]
    fn ranges_lose_their_host_bits_and_those_of_everything_are_not_printed() {
        assert_eq!(returned(vec![Match::Destination("10.1.2.3/8".parse().unwrap())]), "-d 10.0.0.0/8 -j RETURN");
        assert_eq!(returned(vec![Match::Source("::/0".parse().unwrap())]), "-j RETURN");
    }

    #[test]
    fn ports_name_their_extension() {
        let port = PortRange::single(53);
        assert_eq!(returned(vec![Match::NotPort(Protocol::Udp, port)]), "-p udp -m udp ! --dport 53 -j RETURN");
        assert_eq!(returned(vec![Match::SourcePort(Protocol::Udp, 53)]), "-p udp -m udp --sport 53 -j RETURN");
        let several = vec![port, PortRange::single(80)];
        assert_eq!(
            returned(vec![Match::NotPorts(Protocol::Tcp, several)]),
            "-p tcp -m multiport ! --dports 53,80 -j RETURN"
        );
    }

    #[test]
    fn marks_are_hexadecimal_and_have_their_mask() {
        assert_eq!(returned(vec![Match::NotMark(1338)]), "-m mark ! --mark 0x53a -j RETURN");
        assert_eq!(returned(vec![Match::ConnectionMark(1337)]), "-m connmark --mark 0x539 -j RETURN");
        assert_eq!(printed(vec![], Target::SetMark(1337), Family::V4), "-j MARK --set-xmark 0x539/0xffffffff");
        assert_eq!(
            printed(vec![], Target::RestoreMark, Family::V4),
            "-j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff"
        );
        assert_eq!(
            printed(vec![], Target::Tproxy { port: 15006, mark: 1337 }, Family::V6),
            "-j TPROXY --on-port 15006 --on-ip :: --tproxy-mark 0x539/0xffffffff"
        );
    }
}
