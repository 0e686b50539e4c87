//! What a rule is: matches and a target in a chain of a table, for one address family.

use std::fmt;

use ipnet::IpNet;

use crate::value::{Group, Interface, PortRange};

/// Every chain that belongs to the redirection has a name that begins so. Others may too: [`Table::holds_own`] tells.
pub const OWN_PREFIX: &str = "ISTIO_";

/// Which of the kernel's two rule sets a rule is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `iptables`.
    V4,
    /// `ip6tables`.
    V6,
}

/// A table of netfilter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// Sees every packet, after connection tracking; marks packets, and hands them to a socket (TPROXY).
    Mangle,
    /// Sees the first packet of each connection, and may change where it goes.
    Nat,
    /// Sees every packet, before connection tracking.
    Raw,
}

/// A chain that rules are put in, or jump to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chain {
    /// Built in: packets that arrive, before routing.
    Prerouting,
    /// Built in: packets that this network namespace sends.
    Output,
    /// Decides which inbound connections go to the proxy.
    Inbound,
    /// Sends a connection to the proxy's inbound port.
    InRedirect,
    /// Decides which outbound connections go to the proxy.
    Outbound,
    /// Sends a connection to the proxy's outbound port.
    Redirect,
    /// Marks a packet of a connection that the proxy has, so that it is routed to loopback (TPROXY).
    Divert,
    /// Hands a packet to the proxy's inbound socket, its destination unchanged (TPROXY).
    Tproxy,
    /// Drops packets that connection tracking finds invalid.
    Drop,
    /// Sends DNS queries to the agent (nat), or keeps those of the application and of the proxy apart (raw).
    OutboundDns,
    /// Empty, so that a jump to it does nothing but tell a later run which of the rules around it are ours.
    Note,
}

/// Transport protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `tcp`
    Tcp,
    /// `udp`
    Udp,
}

/// Whose socket a packet comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Effective user of the process that made the socket.
    User(u32),
    /// Its primary group; supplementary groups do not count.
    Group(Group),
}

/// A condition on a packet. Displays as `iptables-restore` reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// Arrives through this interface.
    InInterface(Interface),
    /// Leaves through this interface.
    OutInterface(Interface),
    /// Comes from this range.
    Source(IpNet),
    /// Goes to this range.
    Destination(IpNet),
    /// Goes anywhere but to this range.
    NotDestination(IpNet),
    /// Is of this protocol.
    Protocol(Protocol),
    /// Is of this protocol and goes to one of these ports.
    Port(Protocol, PortRange),
    /// Is of this protocol and goes to none of these ports.
    NotPort(Protocol, PortRange),
    /// Is of this protocol and comes from this port.
    SourcePort(Protocol, u16),
    /// Is of this protocol and goes to one of these ports or ranges: at most 15 words, of which a range takes two.
    Ports(Protocol, Vec<PortRange>),
    /// Is of this protocol and goes to none of these ports or ranges.
    NotPorts(Protocol, Vec<PortRange>),
    /// Has exactly this mark.
    Mark(u32),
    /// Has another mark than this, or none (which is 0).
    NotMark(u32),
    /// Belongs to a connection with exactly this mark.
    ConnectionMark(u32),
    /// Belongs to a connection that is established, or related to one that is.
    Established,
    /// Connection tracking cannot make anything of it.
    Untrackable,
    /// Comes from this owner's socket.
    Owner(Owner),
    /// Comes from somebody else's socket, or from none.
    NotOwner(Owner),
}

/// What becomes of a packet that fulfils all matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Leaves the chain; at the end of a built-in chain that means: passes unchanged.
    Return,
    /// Goes on in another chain.
    Jump(Chain),
    /// Passes the table.
    Accept,
    /// Is dropped.
    Drop,
    /// Goes to this local port; the proxy reads the original destination from the socket.
    Redirect(u16),
    /// Gets this mark in place of any other.
    SetMark(u32),
    /// Its connection gets the packet's mark.
    SaveMark,
    /// It gets its connection's mark.
    RestoreMark,
    /// Goes to the socket that listens on this port, and gets this mark; its destination stays.
    Tproxy {
        /// The port.
        port: u16,
        /// The mark.
        mark: u32,
    },
    /// Its connection is looked up in this zone of connection tracking.
    Zone(u16),
}

/// Where in its chain a rule is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// At this place of those that are there when it is written; the first is 1.
    At(u16),
    /// After all others.
    Last,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The flag or environment variable that asks for it, if it is not always there.
    pub setting: Option<&'static str>,
    /// The chain it is in.
    pub chain: Chain,
    /// Where it is put when it is written.
    pub position: Position,
    /// All must hold.
    pub matches: Vec<Match>,
    /// What happens then.
    pub target: Target,
}

/// All rules of one table and family, in the order in which they are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSet {
    /// The family.
    pub family: Family,
    /// The table.
    pub table: Table,
    /// The rules.
    pub rules: Vec<Rule>,
}

impl RuleSet {
    /// The chains to be made: those with rules in the order of their first rule, then those only jumped to.
    pub fn own_chains(&self) -> Vec<Chain> {
        let with_rules = self.rules.iter().map(|rule| rule.chain);
        let jumped_to = self.rules.iter().filter_map(|rule| match rule.target {
            Target::Jump(chain) => Some(chain),
            _ => None,
        });
        let mut chains = Vec::new();
        for chain in with_rules.chain(jumped_to) {
            if chain.is_own() && !chains.contains(&chain) {
                chains.push(chain);
            }
        }
        chains
    }
}

impl Rule {
    /// Whether it sends packets to another chain of ours.
    pub fn is_jump(&self) -> bool {
        matches!(self.target, Target::Jump(_))
    }
}

impl Family {
    /// Whether an address range is of this family.
    pub fn holds(self, range: &IpNet) -> bool {
        match self {
            Self::V4 => matches!(range, IpNet::V4(_)),
            Self::V6 => matches!(range, IpNet::V6(_)),
        }
    }
}

impl Table {
    /// Whether this is the name of a chain that the redirection of a sidecar has in this table, ours as well as Istio's.
    /// What else has such a name is of somebody else, such as of Istio's redirection without sidecars.
    pub fn holds_own(self, name: &str) -> bool {
        let own: &[Chain] = match self {
            Self::Mangle => &[Chain::Inbound, Chain::Divert, Chain::Tproxy, Chain::Drop],
            Self::Nat => &[Chain::Inbound, Chain::InRedirect, Chain::Outbound, Chain::Redirect, Chain::OutboundDns],
            Self::Raw => &[Chain::Inbound, Chain::OutboundDns],
        };
        own.iter().chain(&[Chain::Note]).any(|chain| chain.name() == name)
    }
}

impl Chain {
    /// Whether the chain is made by us, rather than by the kernel.
    pub fn is_own(self) -> bool {
        self.name().starts_with(OWN_PREFIX)
    }

    /// Its name in the kernel.
    pub fn name(self) -> &'static str {
        match self {
            Self::Prerouting => "PREROUTING",
            Self::Output => "OUTPUT",
            Self::Inbound => "ISTIO_INBOUND",
            Self::InRedirect => "ISTIO_IN_REDIRECT",
            Self::Outbound => "ISTIO_OUTPUT",
            Self::Redirect => "ISTIO_REDIRECT",
            Self::Divert => "ISTIO_DIVERT",
            Self::Tproxy => "ISTIO_TPROXY",
            Self::Drop => "ISTIO_DROP",
            Self::OutboundDns => "ISTIO_OUTPUT_DNS",
            Self::Note => "ISTIO_NOTE",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        })
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mangle => "mangle",
            Self::Nat => "nat",
            Self::Raw => "raw",
        })
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        })
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(uid) => write!(f, "--uid-owner {uid}"),
            Self::Group(group) => write!(f, "--gid-owner {group}"),
        }
    }
}

impl fmt::Display for Match {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InInterface(interface) => write!(f, "-i {interface}"),
            Self::OutInterface(interface) => write!(f, "-o {interface}"),
            Self::Source(range) => write!(f, "-s {range}"),
            Self::Destination(range) => write!(f, "-d {range}"),
            Self::NotDestination(range) => write!(f, "! -d {range}"),
            Self::Protocol(protocol) => write!(f, "-p {protocol}"),
            Self::Port(protocol, ports) => write!(f, "-p {protocol} --dport {ports}"),
            Self::NotPort(protocol, ports) => write!(f, "-p {protocol} ! --dport {ports}"),
            Self::SourcePort(protocol, port) => write!(f, "-p {protocol} --sport {port}"),
            Self::Ports(protocol, ports) => write!(f, "-p {protocol} -m multiport --dports {}", list(ports)),
            Self::NotPorts(protocol, ports) => write!(f, "-p {protocol} -m multiport ! --dports {}", list(ports)),
            Self::Mark(mark) => write!(f, "-m mark --mark {mark}"),
            Self::NotMark(mark) => write!(f, "-m mark ! --mark {mark}"),
            Self::ConnectionMark(mark) => write!(f, "-m connmark --mark {mark}"),
            Self::Established => f.write_str("-m conntrack --ctstate RELATED,ESTABLISHED"),
            Self::Untrackable => f.write_str("-m conntrack --ctstate INVALID"),
            Self::Owner(owner) => write!(f, "-m owner {owner}"),
            Self::NotOwner(owner) => write!(f, "-m owner ! {owner}"),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Return => f.write_str("-j RETURN"),
            Self::Jump(chain) => write!(f, "-j {chain}"),
            Self::Accept => f.write_str("-j ACCEPT"),
            Self::Drop => f.write_str("-j DROP"),
            Self::Redirect(port) => write!(f, "-j REDIRECT --to-ports {port}"),
            Self::SetMark(mark) => write!(f, "-j MARK --set-mark {mark}"),
            Self::SaveMark => f.write_str("-j CONNMARK --save-mark"),
            Self::RestoreMark => f.write_str("-j CONNMARK --restore-mark"),
            Self::Tproxy { port, mark } => write!(f, "-j TPROXY --tproxy-mark {mark}/0xffffffff --on-port {port}"),
            Self::Zone(zone) => write!(f, "-j CT --zone {zone}"),
        }
    }
}

fn list(ports: &[PortRange]) -> String {
    ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}
