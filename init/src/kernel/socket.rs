//! The socket: requests and their answers.

use std::io;

use netlink_sys::protocols::NETLINK_NETFILTER;
use netlink_sys::{Socket as NetlinkSocket, SocketAddr};
use nix::errno::Errno;
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::{SndBuf, SndBufForce};

use crate::nftables::attribute::put_text;
use crate::nftables::batch::Finished;
use crate::nftables::dump::{Dump, Failure};
use crate::nftables::message::{Content, Kind, Protocol, messages, request};

/// The kernel dumps in pieces of at most 32 KiB.
const PIECE: usize = 64 * 1024;
/// What the send buffer holds without asking for more.
const ALWAYS_FITS: usize = 64 * 1024;
/// Answers that say no more than that others were lost.
const MAX_LOST: usize = 16;

/// Why a question was not answered.
#[derive(Debug)]
pub(super) enum Error {
    Socket(io::Error),
    Dump(Failure),
}

/// Why a transaction was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Rejection {
    /// The tables are of another generation.
    #[error("the rules changed after they were read")]
    Changed,
    /// It has too many bytes.
    #[error("the transaction of {0} bytes is too large")]
    TooLarge(usize),
    /// A message is refused, the first of perhaps several.
    #[error("the kernel refuses message {number}")]
    Message {
        /// Its number in the batch; 0 for the batch as a whole.
        number: u32,
        /// The error.
        #[source]
        error: io::Error,
        /// What the kernel says beyond that.
        explanation: Option<String>,
    },
    /// The socket fails.
    #[error("the netlink socket fails")]
    Socket(#[source] io::Error),
}

pub(super) struct Socket {
    socket: NetlinkSocket,
    sequence: u32,
    buffer: Vec<u8>,
}

impl std::fmt::Debug for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Socket").field("sequence", &self.sequence).finish_non_exhaustive()
    }
}

impl Socket {
    pub(super) fn open() -> io::Result<Self> {
        let socket = NetlinkSocket::new(NETLINK_NETFILTER)?;
        socket.connect(&SocketAddr::new(0, 0))?;
        // The kernel has answered when a request has been sent, so that there is nothing to wait for, nor in vain.
        socket.set_non_blocking(true)?;
        // Errors that repeat no request and say more; kernels before 4.12 do neither.
        let _ = socket.set_cap_ack(true);
        let _ = socket.set_ext_ack(true);
        Ok(Self { socket, sequence: 0, buffer: Vec::with_capacity(PIECE) })
    }

    /// Asks for all objects of one kind.
    pub(super) fn ask<T>(
        &mut self,
        (kind, flags): (Kind, u16),
        protocol: Protocol,
        table: Option<&str>,
        dump: fn(u32) -> Dump<T>,
    ) -> Result<Vec<T>, Error> {
        self.sequence = self.sequence.wrapping_add(1);
        let question = request(kind, flags, self.sequence, protocol, |bytes| {
            if let Some(table) = table {
                put_text(bytes, 1, table);
            }
        });
        self.socket.send(&question, 0).map_err(Error::Socket)?;
        let mut dump = dump(self.sequence);
        loop {
            let piece = self.receive().map_err(Error::Socket)?;
            if dump.piece(piece).map_err(Error::Dump)? {
                return Ok(dump.objects);
            }
        }
    }

    pub(super) fn send(&mut self, batch: &Finished) -> Result<(), Rejection> {
        let length = batch.bytes.len();
        if length > ALWAYS_FITS && setsockopt(&self.socket, SndBufForce, &length).is_err() {
            // The sysctl net.core.wmem_max limits what this gives.
            let _ = setsockopt(&self.socket, SndBuf, &length);
        }
        self.socket.send(&batch.bytes, 0).map_err(|error| match error.raw_os_error().map(Errno::from_raw) {
            Some(Errno::EMSGSIZE) => Rejection::TooLarge(length),
            _ => Rejection::Socket(error),
        })?;
        self.verdict(batch.acknowledged)
    }

    /// The kernel's answers to a batch: any number of refusals, or one acknowledgement.
    fn verdict(&mut self, acknowledged: u32) -> Result<(), Rejection> {
        let (mut refused, mut is_done, mut lost) = (None, false, 0);
        loop {
            let answers = match self.receive() {
                Ok(answers) => answers,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // More refusals than there was room for; the first ones are there.
                Err(error) if error.raw_os_error() == Some(Errno::ENOBUFS as i32) && lost < MAX_LOST => {
                    lost += 1;
                    continue;
                }
                Err(error) => return Err(Rejection::Socket(error)),
            };
            for answer in messages(answers) {
                match answer.content {
                    Content::Answer(0, _) => is_done |= answer.sequence == acknowledged,
                    Content::Answer(code, explanation) if refused.is_none() => {
                        refused = Some((answer.sequence, code.saturating_neg(), explanation.map(str::to_owned)));
                    }
                    _ => {}
                }
            }
        }
        match refused {
            Some((number, code, explanation)) => Err(rejection(number, code, explanation)),
            None if is_done => Ok(()),
            None => Err(Rejection::Socket(io::Error::other("the kernel did not say that it has written the rules"))),
        }
    }

    fn receive(&mut self) -> io::Result<&[u8]> {
        self.buffer.clear();
        self.socket.recv(&mut self.buffer, 0)?;
        Ok(&self.buffer)
    }
}

fn rejection(number: u32, code: i32, explanation: Option<String>) -> Rejection {
    match Errno::from_raw(code) {
        Errno::ERESTART | Errno::EAGAIN => Rejection::Changed,
        // Of a single message, it means that something is in use.
        Errno::EBUSY if number == 0 => Rejection::Changed,
        _ => Rejection::Message { number, error: io::Error::from_raw_os_error(code), explanation },
    }
}
