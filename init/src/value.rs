//! The values that settings take. Each is read from text once; rules are made of these types and never of given text.

mod duration;

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use ipnet::{IpNet, Ipv4Net};

pub(crate) use self::duration::duration;

/// Items in one list. The kernel walks rules one by one: a longer list would be felt in every connection.
const MAX_ITEMS: usize = 4096;
/// The kernel's IFNAMSIZ, less the terminating zero.
const MAX_INTERFACE: usize = 15;
/// What useradd and groupadd allow.
const MAX_GROUP: usize = 32;
/// The kernel's PATH_MAX, less the terminating zero.
const MAX_PATH: usize = 4095;
/// Characters of a wrong value that are repeated in a message.
const MAX_QUOTED: usize = 64;

/// A text that does not read as what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not {expected}")]
pub struct Invalid {
    given: String,
    expected: &'static str,
}

/// One port, or a range of ports with both ends in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    first: u16,
    last: u16,
}

/// Name of a network interface: a letter, then letters, digits, `_`, `.` and `-`; at most 15 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface(String);

/// A group of users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Group {
    /// By number.
    Id(u32),
    /// By name, as in the init container's own `/etc/group`.
    Name(String),
}

/// All, or those of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection<T> {
    /// Written `*`.
    All,
    /// Written as a comma separated list, which may be empty.
    Only(Vec<T>),
}

impl PortRange {
    /// Whether a port is in both.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

impl Invalid {
    pub(crate) fn new(given: &str, expected: &'static str) -> Self {
        let mut shown: String = given.chars().take(MAX_QUOTED).flat_map(char::escape_debug).collect();
        if given.chars().nth(MAX_QUOTED).is_some() {
            shown.push('…');
        }
        Self { given: shown, expected }
    }
}

impl PortRange {
    /// A range of a single port.
    pub const fn single(port: u16) -> Self {
        Self { first: port, last: port }
    }

    /// The lowest port in it.
    pub const fn first(self) -> u16 {
        self.first
    }

    /// The highest port in it.
    pub const fn last(self) -> u16 {
        self.last
    }

    /// Whether it is one port only.
    pub const fn is_single(self) -> bool {
        self.first == self.last
    }

    /// Whether every port is in it.
    pub const fn is_all(self) -> bool {
        self.first == 0 && self.last == u16::MAX
    }
}

impl Interface {
    /// The loopback interface.
    pub fn loopback() -> Self {
        Self("lo".to_owned())
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last { write!(f, "{}", self.first) } else { write!(f, "{}:{}", self.first, self.last) }
    }
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(gid) => write!(f, "{gid}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// A boolean as Go's `strconv.ParseBool` reads it, which is what the flags of istio-iptables take.
pub(crate) fn boolean(text: &str) -> Result<bool, Invalid> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(Invalid::new(text, "a boolean; use true or false")),
    }
}

/// A port that a program can listen on: 1 to 65535.
pub(crate) fn listening_port(text: &str) -> Result<u16, Invalid> {
    let expected = "a port; use a number from 1 to 65535";
    number(text, u64::from(u16::MAX))
        .and_then(|port| u16::try_from(port).ok())
        .filter(|port| *port != 0)
        .ok_or_else(|| Invalid::new(text, expected))
}

/// A port from 0 to 65535, or a range written `100:200` or `100-200`.
///
/// # Errors
/// When it is none, or begins after its end.
pub fn port_range(text: &str) -> Result<PortRange, Invalid> {
    let port = |text| number(text, u64::from(u16::MAX)).and_then(|port| u16::try_from(port).ok());
    let range = match text.split_once([':', '-']) {
        Some((first, last)) => port(first).zip(port(last)),
        None => port(text).map(|single| (single, single)),
    };
    match range {
        Some((first, last)) if first <= last => Ok(PortRange { first, last }),
        _ => Err(Invalid::new(text, "a port; use a number from 0 to 65535, or a range such as 8000:8100")),
    }
}

/// A user or group id. The largest 32-bit number means "none" to the kernel and is refused.
pub(crate) fn id(text: &str) -> Result<u32, Invalid> {
    number(text, u64::from(u32::MAX - 1))
        .and_then(|id| u32::try_from(id).ok())
        .ok_or_else(|| Invalid::new(text, "an id; use a number from 0 to 4294967294"))
}

/// A group id or name.
pub(crate) fn group(text: &str) -> Result<Group, Invalid> {
    let is_name = text.len() <= MAX_GROUP
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    if is_name {
        return Ok(Group::Name(text.to_owned()));
    }
    id(text).map(Group::Id).map_err(|_| Invalid::new(text, "a group; use its id or its name"))
}

/// A network interface.
///
/// # Errors
/// When it is none.
pub fn interface(text: &str) -> Result<Interface, Invalid> {
    let is_name = text.len() <= MAX_INTERFACE
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    if is_name {
        return Ok(Interface(text.to_owned()));
    }
    let expected = "an interface; use at most 15 letters, digits, `_`, `.` and `-`, with a letter first";
    Err(Invalid::new(text, expected))
}

/// A range in CIDR notation, or an address, which is a range of one.
pub(crate) fn range(text: &str) -> Result<IpNet, Invalid> {
    let range = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    match range {
        Ok(IpNet::V6(range)) if range.addr().to_ipv4_mapped().is_some() => Err(Invalid::new(text, NOT_MAPPED)),
        Ok(range) => Ok(range),
        Err(_) => Err(Invalid::new(text, "an address range; use CIDR notation such as 10.0.0.0/8 or 2001:db8::/32")),
    }
}

/// An address.
pub(crate) fn address(text: &str) -> Result<IpAddr, Invalid> {
    match text.parse() {
        Ok(IpAddr::V6(address)) if address.to_ipv4_mapped().is_some() => Err(Invalid::new(text, NOT_MAPPED)),
        Ok(address) => Ok(address),
        Err(_) => Err(Invalid::new(text, "an address; use one such as 10.96.0.10 or fd00::a")),
    }
}

/// What no packet bears, so that a rule with it would seem to do something and do nothing.
const NOT_MAPPED: &str = "an address that packets have; write IPv4 addresses as such, without ::ffff:";

/// A mark of packets. 0 is what packets without a mark have, and `taken` has a meaning of its own.
pub(crate) fn mark(text: &str, taken: u32) -> Result<u32, Invalid> {
    number(text, u64::from(u32::MAX))
        .and_then(|mark| u32::try_from(mark).ok())
        .filter(|mark| *mark != 0 && *mark != taken)
        .ok_or_else(|| Invalid::new(text, "a mark; use a number from 1 to 4294967295 other than 1338"))
}

/// A routing table that the kernel does not use itself: a default route to loopback in one of those cuts the pod off.
pub(crate) fn routing_table(text: &str) -> Result<u32, Invalid> {
    number(text, u64::from(u32::MAX))
        .and_then(|table| u32::try_from(table).ok())
        .filter(|table| !matches!(table, 0 | 253..=255))
        .ok_or_else(|| Invalid::new(text, "a routing table; use a number from 1 to 252, or from 256 to 4294967295"))
}

/// Path of a file, of a length that the kernel takes.
pub(crate) fn path(text: &str) -> Result<PathBuf, Invalid> {
    if text.is_empty() || text.len() > MAX_PATH || text.contains(char::is_control) {
        return Err(Invalid::new(text, "a path; use one of at most 4095 bytes without control characters"));
    }
    Ok(PathBuf::from(text))
}

/// An IPv4 range within 127.0.0.0/8.
pub(crate) fn loopback_range(text: &str) -> Result<Ipv4Net, Invalid> {
    match range(text) {
        Ok(IpNet::V4(range)) if range.addr().is_loopback() && range.prefix_len() >= 8 => Ok(range),
        _ => Err(Invalid::new(text, "an IPv4 loopback range; use one within 127.0.0.0/8 such as 127.0.0.1/32")),
    }
}

/// One of a fixed set of words.
pub(crate) fn word<T: Copy>(text: &str, words: &[(&str, T)], expected: &'static str) -> Result<T, Invalid> {
    words.iter().find_map(|(word, value)| (*word == text).then_some(*value)).ok_or_else(|| Invalid::new(text, expected))
}

/// A comma separated list. Blanks around items and empty items are dropped; every wrong item is reported.
pub(crate) fn list<T>(text: &str, item: impl Fn(&str) -> Result<T, Invalid>) -> Result<Vec<T>, Vec<Invalid>> {
    let items: Vec<&str> = text.split(',').map(|item| item.trim_matches(' ')).filter(|item| !item.is_empty()).collect();
    if items.len() > MAX_ITEMS {
        return Err(vec![Invalid::new(text, "a list of at most 4096 items")]);
    }
    let (mut values, mut wrong) = (Vec::with_capacity(items.len()), Vec::new());
    for text in items {
        match item(text) {
            Ok(value) => values.push(value),
            Err(invalid) => wrong.push(invalid),
        }
    }
    if wrong.is_empty() { Ok(values) } else { Err(wrong) }
}

/// A list that must not be empty.
pub(crate) fn filled_list<T>(text: &str, item: impl Fn(&str) -> Result<T, Invalid>) -> Result<Vec<T>, Vec<Invalid>> {
    match list(text, item)? {
        values if values.is_empty() => Err(vec![Invalid::new(text, "a list with an item in it")]),
        values => Ok(values),
    }
}

/// `*` alone, or a list; only a text that is empty stands for a list without items.
pub(crate) fn selection<T>(
    text: &str,
    item: impl Fn(&str) -> Result<T, Invalid>,
) -> Result<Selection<T>, Vec<Invalid>> {
    match text {
        "*" => Ok(Selection::All),
        "" => Ok(Selection::Only(vec![])),
        _ => filled_list(text, item).map(Selection::Only),
    }
}

/// Digits only: no sign, no blanks, at most `max`.
fn number(text: &str, max: u64) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten().filter(|number| *number <= max)
}

#[cfg(test)]
mod tests;
