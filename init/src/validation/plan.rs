//! What to try: for each user that matters, the connections that show whether the rules do what they are for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use sidecar_contract::address::{INBOUND_SOURCE_V4, INBOUND_SOURCE_V6};

use super::walk::{Fate, LOOPBACK, Packet, Walk, walk};
use super::{Attempt, Direction, Expected, Identity, Probe, loopback};
use crate::canonical;
use crate::rule::{Chain, Family, Match, Owner, Protocol, Rule, RuleSet, Target};
use crate::settings::Capture;
use crate::value::Group;

/// Addresses for documentation (RFC 5737, RFC 3849, RFC 9637), which no machine has.
const NOBODY: [IpAddr; 5] = [
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
    IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1)),
    IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
    IpAddr::V6(Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 1)),
];

/// Whom applications usually are not, and the proxy neither.
const SOMEBODY: u32 = 65534;

/// Of each list of the proxy's users and groups, how many are tried.
const MAX_OWNERS: usize = 8;
/// Destinations that rules name, how many are considered.
const MAX_DESTINATIONS: usize = 64;
/// DNS servers that are tried. A resolver's configuration holds no more.
const MAX_SERVERS: usize = 3;

/// A connection that is redirected is answered from within the kernel at once. Longer than a container that has used up
/// its share of a processor is held back.
const NO_ANSWER: Duration = Duration::from_millis(300);

/// The port that DNS servers answer on.
const DNS: u16 = 53;

/// What the attempts depend on.
pub struct Scene<'a> {
    /// What the rules are made from.
    pub capture: &'a Capture,
    /// All rules of one family.
    pub rules: &'a [RuleSet],
    /// The family.
    pub family: Family,
    /// Who we are.
    pub own: Identity,
    /// Our own addresses in the family but for those on loopback.
    pub own_addresses: &'a [IpAddr],
    /// How the kernel would send a packet there.
    pub reach: &'a dyn Fn(IpAddr) -> Reach,
    /// The port to which connections are opened.
    pub probe_port: u16,
    /// Time for all attempts together.
    pub timeout: Duration,
}

/// How the kernel would send a packet to an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Through an interface, if its name is known.
    Through(Option<String>),
    /// Not at all: there is no route.
    Nowhere,
}

/// What is tried, and what cannot be.
#[derive(Debug, Default)]
pub struct Plan {
    /// What is tried.
    pub attempts: Vec<Attempt>,
    /// What the rules ask for but cannot be tried from here, and why: a sentence each.
    pub left_out: Vec<String>,
}

/// Chooses the attempts for one family.
pub fn plan(scene: &Scene<'_>) -> Plan {
    let mut planner = Planner { scene, users: users(scene), plan: Plan::default() };
    planner.inbound();
    let outbound = planner.outbound();
    planner.towards(Direction::Outbound, Protocol::Tcp, outbound, scene.capture.outbound_port, 1);
    for port in dns_ports(scene) {
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            let to_agent = |rule: &&Rule| rule.target == Target::Redirect(port);
            let mut servers = planner.named(to_agent);
            servers.truncate(MAX_SERVERS);
            let count = servers.len().max(1);
            if servers.is_empty() {
                servers = planner.nobody();
            }
            let servers = servers.into_iter().map(|server| SocketAddr::new(server, DNS)).collect();
            planner.towards(Direction::Dns, protocol, servers, port, count);
        }
    }
    planner.plan
}

/// Over what, where to, and through which interface.
type Way<'a> = (Protocol, SocketAddr, Option<&'a str>);

struct Planner<'a> {
    scene: &'a Scene<'a>,
    users: Vec<Identity>,
    plan: Plan,
}

impl<'a> Planner<'a> {
    /// The proxy calls its own pod by an address that is not loopback's usual one.
    fn inbound(&mut self) {
        let port = self.scene.capture.inbound_port;
        let marker = match self.scene.family {
            Family::V4 => INBOUND_SOURCE_V4.into(),
            Family::V6 => INBOUND_SOURCE_V6.into(),
        };
        let ports = self.ports();
        let with_ports =
            |address: &IpAddr| ports.iter().map(|port| SocketAddr::new(*address, *port)).collect::<Vec<_>>();
        let addresses = [marker];
        let candidates: Vec<SocketAddr> =
            addresses.iter().chain(self.scene.own_addresses).flat_map(with_ports).collect();
        for identity in self.users.clone() {
            let arrives = |fate| matches!(fate, Fate::Redirected(to) | Fate::Handed(to) if to == port);
            let found = candidates.iter().find_map(|destination| {
                let walk = self.walk(Protocol::Tcp, *destination, Some(LOOPBACK), identity);
                arrives(walk.fate).then_some((*destination, walk))
            });
            if let Some((destination, walk)) = found {
                self.attempt(Direction::Inbound, identity, (Protocol::Tcp, destination, Some(LOOPBACK)), &walk);
            }
        }
    }

    /// Where the rules send an application's connection to `port`, the proxy's own must not come.
    fn towards(
        &mut self,
        direction: Direction,
        protocol: Protocol,
        candidates: Vec<SocketAddr>,
        port: u16,
        count: usize,
    ) {
        let mut obstacle = None;
        let mut found = 0;
        for destination in candidates {
            let reach = (self.scene.reach)(destination.ip());
            let interface = match &reach {
                Reach::Through(interface) => interface.as_deref(),
                Reach::Nowhere => None,
            };
            let fate = |identity: &Identity| self.walk(protocol, destination, interface, *identity).fate;
            let fates: Vec<Fate> = self.users.iter().map(fate).collect();
            if found < count && fates.contains(&Fate::Redirected(port)) {
                if reach == Reach::Nowhere {
                    obstacle.get_or_insert_with(|| format!("there is no route to {}", destination.ip()));
                    continue;
                }
                found += 1;
                self.by_everybody(direction, (protocol, destination, interface), port);
            } else if fates.contains(&Fate::Unknown) {
                obstacle
                    .get_or_insert_with(|| "the rules name a group, or an interface, that is not known here".into());
            }
        }
        if let (0, Some(obstacle)) = (found, obstacle) {
            let family = self.scene.family;
            self.plan.left_out.push(format!("{family} {direction}: {protocol} not tried: {obstacle}"));
        }
    }

    fn by_everybody(&mut self, direction: Direction, way: Way<'_>, port: u16) {
        let (protocol, destination, interface) = way;
        for identity in self.users.clone() {
            let walk = self.walk(protocol, destination, interface, identity);
            if walk.fate == Fate::Redirected(port) || self.is_proxy(identity) && walk.fate == Fate::Unchanged {
                self.attempt(direction, identity, way, &walk);
            }
        }
    }

    fn attempt(
        &mut self,
        direction: Direction,
        identity: Identity,
        (protocol, destination, interface): Way<'_>,
        walk: &Walk<'_>,
    ) {
        let expected = match walk.fate {
            Fate::Redirected(port) => Expected::RedirectedTo(port),
            Fate::Handed(port) => Expected::HandedTo(port),
            Fate::Unchanged | Fate::Dropped | Fate::Unknown => Expected::LeftAlone,
        };
        // Time is left for other processes to start and to end, which a busy machine does not do at once.
        let all = self.scene.timeout * 3 / 4;
        // Datagrams that arrive are noted even if the answer gets lost.
        let is_short = expected == Expected::LeftAlone || protocol == Protocol::Udp;
        let patience = if is_short { all.min(NO_ANSWER) } else { all };
        let family = self.scene.family;
        let line = |rule: &&Rule| format!("-A {} {}", rule.chain, canonical::body(rule, family));
        let source = self.source(interface);
        self.plan.attempts.push(Attempt {
            family,
            direction,
            identity,
            is_proxy: self.is_proxy(identity),
            probe: Probe { protocol, source, destination, patience },
            expected,
            rules: walk.rules.iter().map(line).collect(),
        });
    }

    fn walk(
        &self,
        protocol: Protocol,
        destination: SocketAddr,
        interface: Option<&str>,
        identity: Identity,
    ) -> Walk<'a> {
        let source = self.source(interface);
        walk(self.scene.rules, Packet { protocol, source, destination, interface, identity })
    }

    /// To `::6` the kernel would send from `::6`, which is the address by which the proxy's calls to the application
    /// are known and left alone.
    fn source(&self, interface: Option<&str>) -> Option<IpAddr> {
        (interface == Some(LOOPBACK)).then(|| loopback(self.scene.family))
    }

    fn is_proxy(&self, identity: Identity) -> bool {
        let capture = self.scene.capture;
        capture.proxy_uids.contains(&identity.uid) || capture.proxy_gids.contains(&identity.gid)
    }

    /// The port that was asked for, those that rules send to the proxy, and another one for where a rule lets the first
    /// pass.
    fn ports(&self) -> Vec<u16> {
        let to_proxy = |rule: &&Rule| [Chain::Redirect, Chain::Tproxy].map(Target::Jump).contains(&rule.target);
        let rules = self.scene.rules.iter().flat_map(|set| &set.rules).filter(to_proxy);
        let named = rules.flat_map(|rule| &rule.matches).filter_map(|condition| match condition {
            Match::Port(Protocol::Tcp, range) => Some(range.first()),
            Match::Ports(Protocol::Tcp, ranges) => ranges.first().map(|range| range.first()),
            _ => None,
        });
        let named = named.filter(|port| *port != 0).take(MAX_DESTINATIONS);
        let asked = self.scene.probe_port;
        [asked].into_iter().chain(named).chain([asked.checked_add(1).unwrap_or(1)]).collect()
    }

    /// Nobody's address, then one of each range that a rule names; each with all ports.
    fn outbound(&self) -> Vec<SocketAddr> {
        let mut addresses = self.nobody();
        addresses.extend(self.named(|_| true));
        let ports = self.ports();
        let with_ports = |address| ports.iter().map(move |port| SocketAddr::new(address, *port));
        addresses.into_iter().flat_map(with_ports).collect()
    }

    fn nobody(&self) -> Vec<IpAddr> {
        NOBODY.into_iter().filter(|address| self.scene.family.holds(&IpNet::from(*address))).collect()
    }

    /// One address of each range that certain rules ask for.
    fn named(&self, is_asked: impl FnMut(&&Rule) -> bool) -> Vec<IpAddr> {
        let rules = self.scene.rules.iter().flat_map(|set| &set.rules).filter(is_asked);
        let ranges = rules.flat_map(|rule| &rule.matches).filter_map(|condition| match condition {
            Match::Destination(range) if self.scene.family.holds(range) => Some(a_host_of(range)),
            _ => None,
        });
        let mut addresses = Vec::new();
        for address in ranges.take(MAX_DESTINATIONS) {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        addresses
    }
}

/// Ourselves, an application, and everybody who is the proxy by user or by group alone, since one must do.
fn users(scene: &Scene<'_>) -> Vec<Identity> {
    let capture = scene.capture;
    let is_proxy = |gid: &u32| capture.proxy_gids.contains(gid);
    let matches = || scene.rules.iter().flat_map(|set| &set.rules).flat_map(|rule| &rule.matches);
    let gid = matches().find_map(|condition| match condition {
        Match::NotOwner(Owner::Group(Group::Id(gid))) if !is_proxy(gid) => Some(*gid),
        _ => None,
    });
    let excluded = |gid: u32| is_proxy(&gid) || matches().any(|condition| *condition == by_group(gid));
    let somebody = free(|uid| capture.proxy_uids.contains(&uid));
    let application = Identity { uid: somebody, gid: gid.unwrap_or_else(|| free(excluded)) };
    let of_user = capture.proxy_uids.iter().map(|uid| Identity { uid: *uid, ..application });
    let of_group = capture.proxy_gids.iter().map(|gid| Identity { gid: *gid, ..application });
    let mut users = vec![scene.own];
    for user in [application].into_iter().chain(of_user.take(MAX_OWNERS)).chain(of_group.take(MAX_OWNERS)) {
        if !users.contains(&user) {
            users.push(user);
        }
    }
    users
}

fn by_group(gid: u32) -> Match {
    Match::Owner(Owner::Group(Group::Id(gid)))
}

/// The highest usual id that is not taken.
fn free(is_taken: impl Fn(u32) -> bool) -> u32 {
    (1..=SOMEBODY).rev().find(|id| !is_taken(*id)).unwrap_or(SOMEBODY)
}

/// The first address of a range that a machine can have.
fn a_host_of(range: &IpNet) -> IpAddr {
    range.hosts().next().unwrap_or_else(|| range.addr())
}

/// The ports to which rules redirect that are neither of the proxy's two.
fn dns_ports(scene: &Scene<'_>) -> Vec<u16> {
    let mut ports = Vec::new();
    for rule in scene.rules.iter().flat_map(|set| &set.rules) {
        match rule.target {
            Target::Redirect(port)
                if ![scene.capture.outbound_port, scene.capture.inbound_port].contains(&port)
                    && !ports.contains(&port) =>
            {
                ports.push(port);
            }
            _ => {}
        }
    }
    ports
}
