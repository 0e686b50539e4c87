//! The matches of iptables that are understood: the kernel's structure of each, and its words.

use std::fmt;

use crate::nftables::expression::Extension;
use crate::nftables::xtables::bytes::{Packed, Unpacked};
use crate::rule::Protocol;

/// A condition that iptables has a module for. Displays as `iptables-save` prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum XtMatch {
    /// `-m tcp` or `-m udp`.
    Ports(Protocol, Ports, Ports),
    /// `-m multiport`.
    PortList(PortList),
    /// `-m owner`.
    Owner(Owners),
    /// `-m mark`: the value, the bits of it that count, and whether it must be another.
    Mark(u32, u32, bool),
    /// `-m connmark`, likewise.
    ConnectionMark(u32, u32, bool),
    /// `-m conntrack --ctstate`: the states (bits of `XT_CONNTRACK_STATE_*`), and whether it must be none of them.
    State(u16, bool),
    /// `-m comment`
    Comment(String),
}

/// Source or destination ports: first, last, and whether it must be another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports(pub u16, pub u16, pub bool);

/// Several ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortList {
    /// 0 source, 1 destination, 2 either.
    pub which: u8,
    /// First and last of each range; at most 15 words, of which a range takes two.
    pub ranges: Vec<(u16, u16)>,
    /// Whether it must be another.
    pub is_inverted: bool,
}

/// Whose socket: first and last id, and whether it must be another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Owners {
    /// The user.
    pub user: Option<(u32, u32, bool)>,
    /// The group.
    pub group: Option<(u32, u32, bool)>,
    /// Whether there must be a socket, or none.
    pub socket: Option<bool>,
}

impl Ports {
    /// Any.
    pub const ALL: Self = Self(0, u16::MAX, false);
}

/// `XT_OWNER_UID`, `XT_OWNER_GID`, `XT_OWNER_SOCKET`
const OWNER_USER: u8 = 1;
const OWNER_GROUP: u8 = 2;
const OWNER_SOCKET: u8 = 4;
/// Words that `xt_multiport_v1` has room for.
const MAX_PORTS: usize = 15;
/// `XT_CONNTRACK_STATE`, and how many bytes come before it: eight addresses, two times, five numbers.
const CONNTRACK_STATE: u16 = 1;
const BEFORE_CONNTRACK_FLAGS: usize = 8 * 16 + 2 * 4 + 5 * 2;
const AFTER_CONNTRACK_STATES: usize = 5 * 2;
/// `XT_MAX_COMMENT_LEN`
const COMMENT: usize = 256;
/// In the order in which they are printed: `XT_CONNTRACK_STATE_BIT`, and those that have bits of their own.
const STATES: [(u16, &str); 7] = [
    (1, "INVALID"),
    (8, "NEW"),
    (4, "RELATED"),
    (2, "ESTABLISHED"),
    (0x40, "UNTRACKED"),
    (0x80, "SNAT"),
    (0x100, "DNAT"),
];
/// `RELATED,ESTABLISHED`
pub(super) const ESTABLISHED: u16 = 2 | 4;
/// `INVALID`
pub(super) const INVALID: u16 = 1;

impl XtMatch {
    /// As the kernel takes it.
    pub fn extension(&self) -> Extension {
        let packed = Packed::default();
        let (name, revision, info) = match self {
            Self::Ports(protocol, source, destination) => {
                let packed = packed.u16(source.0).u16(source.1).u16(destination.0).u16(destination.1);
                let inverted = u8::from(source.2) | u8::from(destination.2) << 1;
                match protocol {
                    Protocol::Tcp => ("tcp", 0, packed.zeros(3).u8(inverted)),
                    Protocol::Udp => ("udp", 0, packed.u8(inverted)),
                }
            }
            Self::PortList(list) => ("multiport", 1, list.pack()),
            Self::Owner(owners) => ("owner", 1, owners.pack()),
            Self::Mark(value, mask, inverted) => ("mark", 1, packed.u32(*value).u32(*mask).u8((*inverted).into())),
            Self::ConnectionMark(value, mask, inverted) => {
                ("connmark", 1, packed.u32(*value).u32(*mask).u8((*inverted).into()))
            }
            Self::State(states, inverted) => {
                let flags = packed.zeros(BEFORE_CONNTRACK_FLAGS).u16(CONNTRACK_STATE).u16((*inverted).into());
                ("conntrack", 3, flags.u16(*states).zeros(AFTER_CONNTRACK_STATES))
            }
            Self::Comment(text) => {
                let text = &text.as_bytes()[..text.len().min(COMMENT - 1)];
                ("comment", 0, packed.bytes(text).zeros(COMMENT - text.len()))
            }
        };
        Extension { name: name.to_owned(), revision, info: info.finish() }
    }

    /// The match that the kernel shows so, if it is understood whole.
    pub fn of(Extension { name, revision, info }: &Extension) -> Option<Self> {
        let mut info = Unpacked(info);
        let read = match (&**name, *revision) {
            ("tcp", 0) => read_ports(Protocol::Tcp, &mut info)?,
            ("udp", 0) => read_ports(Protocol::Udp, &mut info)?,
            ("multiport", 1) => Self::PortList(PortList::read(&mut info)?),
            ("owner", 1) => Self::Owner(Owners::read(&mut info)?),
            ("mark", 1) => Self::Mark(info.u32()?, info.u32()?, info.u8()? != 0),
            ("connmark", 1) => Self::ConnectionMark(info.u32()?, info.u32()?, info.u8()? != 0),
            ("conntrack", 3) => {
                info.zeros(BEFORE_CONNTRACK_FLAGS)?;
                let (flags, inverted) = (info.u16()?, info.u16()?);
                (flags == CONNTRACK_STATE && inverted <= 1).then_some(())?;
                Self::State(info.u16()?, inverted != 0)
            }
            ("comment", 0) => {
                let text = info.bytes(COMMENT)?;
                let text = text.split(|byte| *byte == 0).next()?;
                Self::Comment(str::from_utf8(text).ok()?.to_owned())
            }
            _ => return None,
        };
        info.end()?;
        Some(read)
    }
}

fn read_ports(protocol: Protocol, info: &mut Unpacked<'_>) -> Option<XtMatch> {
    let [from, to, first, last] = [info.u16()?, info.u16()?, info.u16()?, info.u16()?];
    if protocol == Protocol::Tcp {
        // The number of a TCP option, a mask of TCP flags, and their values.
        info.zeros(3)?;
    }
    let inverted = info.u8()?;
    (inverted < 4).then_some(())?;
    Some(XtMatch::Ports(protocol, Ports(from, to, inverted & 1 != 0), Ports(first, last, inverted & 2 != 0)))
}

impl PortList {
    fn pack(&self) -> Packed {
        let words: Vec<(u16, bool)> = self
            .ranges
            .iter()
            .flat_map(|(first, last)| {
                let is_range = first != last;
                [(*first, is_range)].into_iter().chain(is_range.then_some((*last, false)))
            })
            .take(MAX_PORTS)
            .collect();
        let unused = MAX_PORTS - words.len();
        let packed = Packed::default().u8(self.which).u8(u8::try_from(words.len()).unwrap_or_default());
        let packed = words.iter().fold(packed, |packed, (port, _)| packed.u16(*port)).zeros(2 * unused);
        let packed = words.iter().fold(packed, |packed, (_, is_range)| packed.u8((*is_range).into())).zeros(unused);
        packed.u8(self.is_inverted.into())
    }

    fn read(info: &mut Unpacked<'_>) -> Option<Self> {
        let (which, count) = (info.u8()?, usize::from(info.u8()?));
        (which <= 2 && count <= MAX_PORTS).then_some(())?;
        let mut ports = [0; MAX_PORTS];
        for port in &mut ports {
            *port = info.u16()?;
        }
        let begins_range = info.bytes(MAX_PORTS)?;
        let mut ranges = vec![];
        let mut at = 0;
        while at < count {
            let is_range = begins_range[at] != 0;
            let last = at + usize::from(is_range);
            (last < count).then_some(())?;
            ranges.push((ports[at], ports[last]));
            at = last + 1;
        }
        Some(Self { which, ranges, is_inverted: info.u8()? != 0 })
    }
}

impl Owners {
    fn pack(&self) -> Packed {
        let ids = |packed: Packed, ids: Option<(u32, u32, bool)>| {
            let (first, last, _) = ids.unwrap_or_default();
            packed.u32(first).u32(last)
        };
        let packed = ids(ids(Packed::default(), self.user), self.group);
        let flag = |is_there: bool, bit| if is_there { bit } else { 0 };
        let checked = flag(self.user.is_some(), OWNER_USER)
            | flag(self.group.is_some(), OWNER_GROUP)
            | flag(self.socket.is_some(), OWNER_SOCKET);
        let inverted = flag(self.user.is_some_and(|user| user.2), OWNER_USER)
            | flag(self.group.is_some_and(|group| group.2), OWNER_GROUP)
            | flag(self.socket == Some(false), OWNER_SOCKET);
        packed.u8(checked).u8(inverted)
    }

    fn read(info: &mut Unpacked<'_>) -> Option<Self> {
        let [uid, last_uid, gid, last_gid] = [info.u32()?, info.u32()?, info.u32()?, info.u32()?];
        let (checked, inverted) = (info.u8()?, info.u8()?);
        (checked < 8 && inverted & !checked == 0).then_some(())?;
        let ids = |bit, first, last| (checked & bit != 0).then_some((first, last, inverted & bit != 0));
        let socket = (checked & OWNER_SOCKET != 0).then_some(inverted & OWNER_SOCKET == 0);
        Some(Self { user: ids(OWNER_USER, uid, last_uid), group: ids(OWNER_GROUP, gid, last_gid), socket })
    }
}

impl fmt::Display for XtMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ports(protocol, source, destination) => {
                write!(f, "-m {protocol}")?;
                write_ports(f, "--sport", source)?;
                write_ports(f, "--dport", destination)
            }
            Self::PortList(list) => list.fmt(f),
            Self::Owner(owners) => owners.fmt(f),
            Self::Mark(value, mask, inverted) => write_mark(f, "mark", *value, *mask, *inverted),
            Self::ConnectionMark(value, mask, inverted) => write_mark(f, "connmark", *value, *mask, *inverted),
            Self::State(states, inverted) => {
                let names = STATES.iter().filter(|(bit, _)| states & bit != 0).map(|(_, name)| *name);
                write!(f, "-m conntrack{} --ctstate {}", not(*inverted), names.collect::<Vec<_>>().join(","))
            }
            Self::Comment(text) => {
                write!(f, "-m comment --comment \"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
            }
        }
    }
}

impl fmt::Display for PortList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flag = ["--sports", "--dports", "--ports"][usize::from(self.which).min(2)];
        write!(f, "-m multiport{} {flag} ", not(self.is_inverted))?;
        for (at, (first, last)) in self.ranges.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { "," })?;
            write_range(f, *first, *last, ':')?;
        }
        Ok(())
    }
}

impl fmt::Display for Owners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("-m owner")?;
        if let Some(is_there) = self.socket {
            write!(f, "{} --socket-exists", not(!is_there))?;
        }
        for (flag, ids) in [("--uid-owner", self.user), ("--gid-owner", self.group)] {
            if let Some((first, last, inverted)) = ids {
                write!(f, "{} {flag} ", not(inverted))?;
                write_range(f, first, last, '-')?;
            }
        }
        Ok(())
    }
}

fn write_ports(f: &mut fmt::Formatter<'_>, flag: &str, ports: &Ports) -> fmt::Result {
    if *ports == Ports::ALL {
        return Ok(());
    }
    write!(f, "{} {flag} ", not(ports.2))?;
    write_range(f, ports.0, ports.1, ':')
}

fn write_range<T: fmt::Display + PartialEq>(
    f: &mut fmt::Formatter<'_>,
    first: T,
    last: T,
    separator: char,
) -> fmt::Result {
    if first == last { write!(f, "{first}") } else { write!(f, "{first}{separator}{last}") }
}

fn write_mark(f: &mut fmt::Formatter<'_>, module: &str, value: u32, mask: u32, inverted: bool) -> fmt::Result {
    write!(f, "-m {module}{} --mark {value:#x}", not(inverted))?;
    if mask == u32::MAX { Ok(()) } else { write!(f, "/{mask:#x}") }
}

pub(super) fn not(is_inverted: bool) -> &'static str {
    if is_inverted { " !" } else { "" }
}
