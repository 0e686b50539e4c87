//! Netlink messages of nf_tables: a header, a family, attributes.

use crate::nftables::attribute::{Attributes, attributes};
use crate::rule::Family;

/// `NLM_F_REQUEST`
pub const REQUEST: u16 = 0x1;
/// `NLM_F_ACK`
pub const ACK: u16 = 0x4;
/// `NLM_F_DUMP_INTR`: what is dumped has changed while it was dumped.
pub const INTERRUPTED: u16 = 0x10;
/// `NLM_F_DUMP`
pub const DUMP: u16 = 0x300;
/// `NLM_F_CREATE`
pub const CREATE: u16 = 0x400;
/// `NLM_F_APPEND`
pub const APPEND: u16 = 0x800;

/// `NLMSG_ERROR`, which with code 0 is an acknowledgement.
const ERROR: u16 = 2;
/// `NLMSG_DONE`
const DONE: u16 = 3;
/// `NFNL_MSG_BATCH_BEGIN` and `NFNL_MSG_BATCH_END`.
pub(crate) const BATCH_BEGIN: u16 = 0x10;
pub(crate) const BATCH_END: u16 = 0x11;
/// `NFNL_SUBSYS_NFTABLES`
const SUBSYSTEM: u16 = 10;
/// Bytes of the netlink header, and of the family and its companions after it.
const HEADER: usize = 16;
const FAMILY: usize = 4;
/// Bit of an answer's flags: it carries attributes that explain it, and repeats no more than the header of the request.
const CAPPED: u16 = 0x100;
const EXPLAINED: u16 = 0x200;

/// What a message of nf_tables is about: `enum nf_tables_msg_types`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the kernel's names")]
pub enum Kind {
    NewTable = 0,
    GetTable = 1,
    DeleteTable = 2,
    NewChain = 3,
    GetChain = 4,
    DeleteChain = 5,
    NewRule = 6,
    GetRule = 7,
    DeleteRule = 8,
    NewGeneration = 15,
    GetGeneration = 16,
}

/// Which packets a table sees: `NFPROTO_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// None in particular; in a dump, all.
    Unspecified = 0,
    /// Both families.
    Inet = 1,
    /// IPv4.
    Ipv4 = 2,
    /// IPv6.
    Ipv6 = 10,
}

/// A message as it was received.
#[derive(Clone, Debug)]
pub struct Received<'a> {
    /// Of the request that it answers.
    pub sequence: u32,
    /// Whether what is dumped has changed meanwhile, so that the dump is worth nothing.
    pub is_interrupted: bool,
    /// What it says.
    pub content: Content<'a>,
}

/// What a received message says.
#[derive(Clone, Debug)]
pub enum Content<'a> {
    /// A dump ends here; otherwise than well if there is a code.
    Done(i32),
    /// A request was carried out (0) or refused (the negated number of an error), perhaps with an explanation.
    Answer(i32, Option<&'a str>),
    /// An object: what it is, its family, its attributes.
    Object(u16, u8, Attributes<'a>),
    /// Something else.
    Other,
}

impl Kind {
    /// As it is written in a message.
    pub const fn number(self) -> u16 {
        SUBSYSTEM << 8 | self as u16
    }
}

impl From<Family> for Protocol {
    fn from(family: Family) -> Self {
        match family {
            Family::V4 => Self::Ipv4,
            Family::V6 => Self::Ipv6,
        }
    }
}

/// Appends a message, and returns where it begins. `resource` is 0 but for the messages around a batch.
pub fn put(
    bytes: &mut Vec<u8>,
    kind: u16,
    flags: u16,
    sequence: u32,
    (protocol, resource): (Protocol, u16),
    content: impl FnOnce(&mut Vec<u8>),
) -> usize {
    let start = bytes.len();
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&kind.to_ne_bytes());
    bytes.extend_from_slice(&(flags | REQUEST).to_ne_bytes());
    bytes.extend_from_slice(&sequence.to_ne_bytes());
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&[protocol as u8, 0]);
    bytes.extend_from_slice(&resource.to_be_bytes());
    content(bytes);
    let length = u32::try_from(bytes.len() - start).unwrap_or(u32::MAX);
    bytes[start..start + 4].copy_from_slice(&length.to_ne_bytes());
    start
}

/// A request about one kind of object.
pub fn request(
    kind: Kind,
    flags: u16,
    sequence: u32,
    protocol: Protocol,
    content: impl FnOnce(&mut Vec<u8>),
) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(64);
    put(&mut bytes, kind.number(), flags, sequence, (protocol, 0), content);
    bytes
}

/// Adds flags to the message that begins at `start`.
pub(crate) fn add_flags(bytes: &mut [u8], start: usize, flags: u16) {
    if let Some([low, high]) = bytes.get_mut(start + 6..start + 8) {
        [*low, *high] = (u16::from_ne_bytes([*low, *high]) | flags).to_ne_bytes();
    }
}

/// The acknowledgements that the kernel's answer to a dump or batch consists of. Ends where bytes are no message any more.
pub fn messages(mut bytes: &[u8]) -> impl Iterator<Item = Received<'_>> {
    std::iter::from_fn(move || {
        let length = usize::try_from(number(bytes, 0)?).ok()?;
        let message = bytes.get(..length).filter(|message| message.len() >= HEADER)?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        let kind = u16::from_ne_bytes([message[4], message[5]]);
        let flags = u16::from_ne_bytes([message[6], message[7]]);
        let sequence = number(message, 8)?;
        Some(Received { sequence, is_interrupted: flags & INTERRUPTED != 0, content: content(kind, flags, message) })
    })
}

fn content(kind: u16, flags: u16, message: &[u8]) -> Content<'_> {
    let code = || number(message, HEADER).map_or(0, u32::cast_signed);
    match kind {
        DONE => Content::Done(code()),
        ERROR => Content::Answer(code(), explanation(flags, message)),
        _ => match message.get(HEADER) {
            Some(family) if kind >> 8 == SUBSYSTEM && message.len() >= HEADER + FAMILY => {
                Content::Object(kind & 0xff, *family, attributes(&message[HEADER + FAMILY..]))
            }
            _ => Content::Other,
        },
    }
}

/// `NLMSGERR_ATTR_MSG`, which comes after the code and the request, or the request's header alone.
fn explanation(flags: u16, message: &[u8]) -> Option<&str> {
    if flags & EXPLAINED == 0 {
        return None;
    }
    let request = HEADER + 4;
    let length = if flags & CAPPED != 0 { HEADER } else { usize::try_from(number(message, request)?).ok()? };
    let rest = message.get(request.checked_add(length.checked_next_multiple_of(4)?)?..)?;
    attributes(rest).text(1).filter(|text| !text.is_empty())
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_message_is_read_as_it_was_written() {
        let bytes = request(Kind::GetRule, DUMP, 7, Protocol::Ipv6, |bytes| {
            crate::nftables::attribute::put_text(bytes, 1, "nat");
        });
        let all: Vec<Received<'_>> = messages(&bytes).collect();
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].sequence, 7);
        let Content::Object(7, 10, found) = &all[0].content else { panic!("{all:?}") };
        assert_eq!(found.text(1), Some("nat"));
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..300), kind in 0u16..4, flags: u16) {
            prop_assert!(messages(&bytes).count() <= bytes.len() / HEADER);
            let mut answer = vec![];
            put(&mut answer, kind, flags, 1, (Protocol::Inet, 0), |content| content.extend_from_slice(&bytes));
            prop_assert_eq!(messages(&answer).count(), 1);
        }
    }
}
