//! Listens where the proxy would, and tells senders what it sees.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrIn, SockaddrIn6, SockaddrStorage, bind, getsockopt, listen,
    setsockopt, socket, sockopt,
};

use super::Error;
use super::sender::HEAD;
use crate::rule::Protocol;
use crate::validation::{Attempt, Expected, Observation, loopback};

/// What a probe sends, and some more.
const MAX_MESSAGE: usize = 1024;

/// The sockets of a trial. They are closed when it is dropped.
pub(super) struct Listeners {
    streams: Vec<TcpListener>,
    datagrams: Vec<UdpSocket>,
    are_transparent: bool,
}

/// A connection that has not said the token yet.
struct Caller {
    stream: TcpStream,
    observation: Observation,
    heard: Vec<u8>,
}

impl Listeners {
    /// Listens on every port at which one of the attempts should arrive.
    pub(super) fn open(attempts: &[Attempt]) -> Result<Self, Error> {
        let mut listeners = Self { streams: vec![], datagrams: vec![], are_transparent: true };
        let mut opened = Vec::new();
        for Attempt { family, probe, expected, .. } in attempts {
            let (port, is_handed) = match expected {
                Expected::RedirectedTo(port) => (*port, false),
                Expected::HandedTo(port) => (*port, true),
                Expected::LeftAlone => continue,
            };
            if opened.contains(&(*family, probe.protocol, port)) {
                continue;
            }
            opened.push((*family, probe.protocol, port));
            let is_handed_any = || {
                let handed = |other: &Attempt| other.family == *family && other.expected == Expected::HandedTo(port);
                is_handed || attempts.iter().any(handed)
            };
            let address = SocketAddr::new(loopback(*family), port);
            let opened = match probe.protocol {
                Protocol::Udp => UdpSocket::bind(address).map(|socket| listeners.datagrams.push(socket)),
                Protocol::Tcp => listeners.open_stream(address, is_handed_any()),
            };
            opened.map_err(|source| Error::Listen { address, source })?;
        }
        listeners.unblock()?;
        Ok(listeners)
    }

    /// Whether connections whose destination stays can be seen.
    pub(super) fn are_transparent(&self) -> bool {
        self.are_transparent
    }

    fn open_stream(&mut self, address: SocketAddr, is_handed: bool) -> io::Result<()> {
        if is_handed {
            match transparent(address) {
                Ok(listener) => {
                    self.streams.push(listener);
                    return Ok(());
                }
                Err(Errno::EPERM) => self.are_transparent = false,
                Err(errno) => return Err(errno.into()),
            }
        }
        self.streams.push(TcpListener::bind(address)?);
        Ok(())
    }

    fn unblock(&self) -> io::Result<()> {
        self.streams.iter().try_for_each(|listener| listener.set_nonblocking(true))?;
        self.datagrams.iter().try_for_each(|socket| socket.set_nonblocking(true))
    }

    /// Answers whoever says the token, until `end` is closed at its other end. Returns what arrived as a datagram: the
    /// signature of each, and at which port. Its answer may get lost on the way back, where that depends on whose socket
    /// it comes from: ours is not the agent's.
    pub(super) fn answer(&self, token: &str, end: &UnixStream) -> io::Result<Vec<(String, u16)>> {
        let mut callers: Vec<Caller> = Vec::new();
        let mut arrived = Vec::new();
        loop {
            let ready = self.wait(&callers, end)?;
            let (fixed, of_callers) = ready.split_at(1 + self.streams.len() + self.datagrams.len());
            if fixed[0] {
                return Ok(arrived);
            }
            let mut is_ready = of_callers.iter();
            callers.retain_mut(|caller| !is_ready.next().is_some_and(|ready| *ready) || caller.listen(token));
            let (streams, datagrams) = fixed[1..].split_at(self.streams.len());
            for (listener, _) in self.streams.iter().zip(streams).filter(|(_, ready)| **ready) {
                // A caller that has gone again is none.
                callers.extend(Caller::accept(listener).ok());
            }
            for (socket, _) in self.datagrams.iter().zip(datagrams).filter(|(_, ready)| **ready) {
                // One that cannot be received any more is as good as none.
                arrived.extend(answer_datagram(socket, token).ok().flatten());
            }
        }
    }

    /// Which of all sockets have something to say: `end`, listeners, datagrams, callers.
    fn wait(&self, callers: &[Caller], end: &UnixStream) -> io::Result<Vec<bool>> {
        let sockets = [end.as_fd()].into_iter();
        let sockets = sockets.chain(self.streams.iter().map(AsFd::as_fd)).chain(self.datagrams.iter().map(AsFd::as_fd));
        let sockets = sockets.chain(callers.iter().map(|caller| caller.stream.as_fd()));
        let mut entries: Vec<PollFd<'_>> = sockets.map(|socket| PollFd::new(socket, PollFlags::POLLIN)).collect();
        match poll(&mut entries, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        Ok(entries.iter().map(|entry| entry.any().unwrap_or(false)).collect())
    }
}

impl Caller {
    fn accept(listener: &TcpListener) -> io::Result<Self> {
        let (stream, _) = listener.accept()?;
        stream.set_nonblocking(true)?;
        let observation = Observation::Arrived { port: listener.local_addr()?.port(), original: original(&stream) };
        Ok(Self { stream, observation, heard: vec![] })
    }

    /// Reads what the caller says. Returns whether there may be more.
    fn listen(&mut self, token: &str) -> bool {
        let mut buffer = [0; MAX_MESSAGE];
        let Ok(length @ 1..) = self.stream.read(&mut buffer) else { return false };
        self.heard.extend_from_slice(&buffer[..length]);
        if signature(&self.heard, token).is_some() {
            // Whoever asks notices that there is no answer.
            let _ = self.stream.write_all(answer(token, &self.observation).as_bytes());
            return false;
        }
        self.heard.len() < MAX_MESSAGE
    }
}

/// Listens on all addresses, for connections to any other as well.
fn transparent(address: SocketAddr) -> nix::Result<TcpListener> {
    let (family, any) = match address {
        SocketAddr::V4(_) => (AddressFamily::Inet, IpAddr::from([0; 4])),
        SocketAddr::V6(_) => (AddressFamily::Inet6, IpAddr::from([0; 16])),
    };
    let fd = socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    if family == AddressFamily::Inet6 {
        setsockopt(&fd, sockopt::Ipv6V6Only, &true)?;
    }
    setsockopt(&fd, sockopt::ReuseAddr, &true)?;
    setsockopt(&fd, sockopt::IpTransparent, &true)?;
    bind(fd.as_raw_fd(), &SockaddrStorage::from(SocketAddr::new(any, address.port())))?;
    listen(&fd, Backlog::new(16)?)?;
    Ok(TcpListener::from(fd))
}

/// Where a connection was sent before any rule changed that.
fn original(stream: &TcpStream) -> Option<SocketAddr> {
    if stream.local_addr().ok()?.is_ipv4() {
        let address = SockaddrIn::from(getsockopt(stream, sockopt::OriginalDst).ok()?);
        Some(SocketAddr::V4(address.into()))
    } else {
        let address = SockaddrIn6::from(getsockopt(stream, sockopt::Ip6tOriginalDst).ok()?);
        Some(SocketAddr::V6(address.into()))
    }
}

fn answer_datagram(socket: &UdpSocket, token: &str) -> io::Result<Option<(String, u16)>> {
    let mut buffer = [0; MAX_MESSAGE];
    let (length, sender) = socket.recv_from(&mut buffer)?;
    let Some(signature) = signature(&buffer[..length], token) else { return Ok(None) };
    let port = socket.local_addr()?.port();
    // Whoever asks notices that there is no answer.
    let _ = socket.send_to(answer(token, &Observation::Arrived { port, original: None }).as_bytes(), sender);
    Ok(Some((signature, port)))
}

/// What follows the token in a message that is complete.
fn signature(message: &[u8], token: &str) -> Option<String> {
    let text = std::str::from_utf8(message.get(HEAD.len()..)?).ok()?;
    Some(text.strip_prefix(token)?.strip_suffix('\n')?.to_owned())
}

fn answer(token: &str, observation: &Observation) -> String {
    format!("{token} {observation}\n")
}
