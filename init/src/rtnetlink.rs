//! Addresses, routes and rules of routing, as the kernel holds them for this network namespace.

use std::io;

use netlink_packet_core::{NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};

/// `NLM_F_DUMP_INTR`: what is dumped changed meanwhile, and something may be missing.
const INTERRUPTED: u16 = 0x10;
/// How often a dump is taken that is interrupted.
const ATTEMPTS: usize = 5;

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

    /// Has the kernel carry out a request.
    ///
    /// # Errors
    /// The kernel's.
    pub fn change(&self, message: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
        self.send(message, NLM_F_ACK | flags)?;
        let (answer, _) = self.socket.recv_from_full()?;
        match read(&answer)?.payload {
            NetlinkPayload::Error(error) if error.code.is_none() => Ok(()),
            NetlinkPayload::Error(error) => Err(error.to_io()),
            _ => Err(io::Error::other("the kernel answered something other than an acknowledgement")),
        }
    }

    /// Asks for all objects of a kind.
    ///
    /// # Errors
    /// The kernel's.
    pub fn dump(&self, message: &RouteNetlinkMessage) -> io::Result<Vec<RouteNetlinkMessage>> {
        for _ in 0..ATTEMPTS {
            self.send(message.clone(), NLM_F_DUMP)?;
            if let Some(objects) = self.collect()? {
                return Ok(objects);
            }
        }
        Err(io::Error::other("the kernel's list changes faster than it can be read"))
    }

    /// The objects of a dump; `None` if it was interrupted.
    fn collect(&self) -> io::Result<Option<Vec<RouteNetlinkMessage>>> {
        let mut objects = Vec::new();
        let mut is_interrupted = false;
        loop {
            let (answer, _) = self.socket.recv_from_full()?;
            let mut rest = &answer[..];
            while !rest.is_empty() {
                let message = read(rest)?;
                let length = usize::try_from(message.header.length).map_err(io::Error::other)?;
                rest = rest.get(length.max(1).next_multiple_of(4)..).unwrap_or_default();
                is_interrupted |= message.header.flags & INTERRUPTED != 0;
                match message.payload {
                    NetlinkPayload::Done(done) if done.code != 0 => {
                        return Err(io::Error::from_raw_os_error(done.code.saturating_neg()));
                    }
                    NetlinkPayload::Done(_) => return Ok((!is_interrupted).then_some(objects)),
                    NetlinkPayload::Error(error) => return Err(error.to_io()),
                    NetlinkPayload::InnerMessage(object) => objects.push(object),
                    _ => {}
                }
            }
        }
    }

    fn send(&self, message: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST | flags;
        let mut message = NetlinkMessage::new(header, NetlinkPayload::InnerMessage(message));
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        self.socket.send(&bytes, 0).map(drop)
    }
}

fn read(bytes: &[u8]) -> io::Result<NetlinkMessage<RouteNetlinkMessage>> {
    NetlinkMessage::deserialize(bytes).map_err(io::Error::other)
}
