//! Addresses, routes and rules of routing, as the kernel holds them for this network namespace.
//!
//! Messages are read and written for these three kinds only: an enumeration of all that can be said to the kernel's routing
//! would make up a fifth of the program.

use std::io;

use netlink_packet_core::{Emitable, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, Parseable};
use netlink_packet_route::address::AddressMessage;
use netlink_packet_route::route::RouteMessage;
use netlink_packet_route::rule::RuleMessage;
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};

/// `NLM_F_DUMP_INTR`: what is dumped changed meanwhile, and something may be missing.
const INTERRUPTED: u16 = 0x10;
/// How often a dump is taken that is interrupted.
const ATTEMPTS: usize = 5;

/// Bytes of the header of a message.
const HEADER: usize = 16;
/// `NLMSG_ERROR`, which with code 0 is an acknowledgement, and `NLMSG_DONE`, the end of a dump.
const ERROR: u16 = 2;
const DONE: u16 = 3;

/// A kind of object, by the numbers of its messages: `RTM_NEW…`, `RTM_DEL…`, `RTM_GET…`.
pub trait Object: Emitable + Parseable<[u8]> {
    /// Adds one, and is what the kernel answers with.
    const NEW: u16;
    /// Removes one.
    const DELETE: u16 = Self::NEW + 1;
    /// Asks for all.
    const GET: u16 = Self::NEW + 2;
}

impl Object for AddressMessage {
    const NEW: u16 = 20;
}

impl Object for RouteMessage {
    const NEW: u16 = 24;
}

impl Object for RuleMessage {
    const NEW: u16 = 32;
}

/// A socket to the kernel's routing.
pub struct Rtnetlink {
    socket: Socket,
}

impl Rtnetlink {
    /// Opens a socket in the network namespace of this thread.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn open() -> io::Result<Self> {
        let socket = Socket::new(NETLINK_ROUTE)?;
        socket.connect(&SocketAddr::new(0, 0))?;
        // The kernel has answered when `send` returns, so that there is nothing to wait for, nor to wait for in vain.
        socket.set_non_blocking(true)?;
        Ok(Self { socket })
    }

    /// Adds an object.
    ///
    /// # Errors
    /// The kernel's.
    pub fn add<O: Object>(&self, object: &O, flags: u16) -> io::Result<()> {
        self.change(O::NEW, object, flags)
    }

    /// Removes an object.
    ///
    /// # Errors
    /// The kernel's.
    pub fn remove<O: Object>(&self, object: &O) -> io::Result<()> {
        self.change(O::DELETE, object, 0)
    }

    fn change(&self, kind: u16, object: &impl Emitable, flags: u16) -> io::Result<()> {
        self.send(kind, object, NLM_F_ACK | flags)?;
        let (answer, _) = self.socket.recv_from_full()?;
        match messages(&answer).next() {
            Some(Message { kind: ERROR, body, .. }) => code(body),
            _ => Err(io::Error::other("the kernel answered something other than an acknowledgement")),
        }
    }

    /// Asks for all objects of a kind. Of `like` the family counts.
    ///
    /// # Errors
    /// The kernel's.
    pub fn dump<O: Object>(&self, like: &O) -> io::Result<Vec<O>> {
        for _ in 0..ATTEMPTS {
            self.send(O::GET, like, NLM_F_DUMP)?;
            if let Some(objects) = self.collect()? {
                return Ok(objects);
            }
        }
        Err(io::Error::other("the kernel's list changes faster than it can be read"))
    }

    /// The objects of a dump; `None` if it was interrupted.
    fn collect<O: Object>(&self) -> io::Result<Option<Vec<O>>> {
        let mut objects = Vec::new();
        let mut is_interrupted = false;
        loop {
            let (answer, _) = self.socket.recv_from_full()?;
            for Message { kind, flags, body } in messages(&answer) {
                is_interrupted |= flags & INTERRUPTED != 0;
                match kind {
                    DONE => return code(body).map(|()| (!is_interrupted).then_some(objects)),
                    ERROR => code(body)?,
                    // One that says what is not known here is none that this program looks for.
                    _ if kind == O::NEW => objects.extend(O::parse(body).ok()),
                    _ => {}
                }
            }
        }
    }

    fn send(&self, kind: u16, object: &impl Emitable, flags: u16) -> io::Result<()> {
        let mut bytes = vec![0; HEADER + object.buffer_len()];
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        bytes[..4].copy_from_slice(&length.to_ne_bytes());
        bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
        bytes[6..8].copy_from_slice(&(NLM_F_REQUEST | flags).to_ne_bytes());
        object.emit(&mut bytes[HEADER..]);
        self.socket.send(&bytes, 0).map(drop)
    }
}

struct Message<'a> {
    kind: u16,
    flags: u16,
    body: &'a [u8],
}

/// The messages of one answer. Ends where bytes are no message any more.
fn messages(mut bytes: &[u8]) -> impl Iterator<Item = Message<'_>> {
    std::iter::from_fn(move || {
        let length = usize::try_from(u32::from_ne_bytes(*bytes.first_chunk()?)).ok()?;
        let message = bytes.get(..length).filter(|message| message.len() >= HEADER)?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        let half = |at: usize| u16::from_ne_bytes([message[at], message[at + 1]]);
        Some(Message { kind: half(4), flags: half(6), body: &message[HEADER..] })
    })
}

/// What an acknowledgement, or the end of a dump, says: 0, or the negated number of an error.
fn code(body: &[u8]) -> io::Result<()> {
    match body.first_chunk().map_or(0, |code| i32::from_ne_bytes(*code)) {
        0 => Ok(()),
        code => Err(io::Error::from_raw_os_error(code.saturating_neg())),
    }
}
