//! Sends probes, and reads what a listener answers.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrStorage, bind, connect, setsockopt, socket, sockopt,
};

use super::ourselves;
use crate::rule::Protocol;
use crate::validation::{Identity, Observation, Probe, read_observation};

/// What precedes the token: the head of a DNS response without content, which a server that gets it does not answer.
pub(super) const HEAD: [u8; 12] = [0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// What follows the token: who sends, and what.
pub(super) fn signature(user: Identity, probe: &Probe) -> String {
    let Identity { uid, gid } = user;
    format!(" {uid}:{gid} {probe}")
}

/// Answers are short lines.
const MAX_ANSWER: usize = 256;

/// A word that nobody can guess.
pub(super) fn token() -> String {
    // Each hasher of the standard library has keys of its own from the kernel.
    [(); 2].map(|()| format!("{:016x}", RandomState::new().build_hasher().finish())).concat()
}

/// Sends all probes at the same time.
pub(super) fn send_all(token: &str, probes: &[Probe]) -> Vec<Observation> {
    thread::scope(|scope| {
        let sending: Vec<_> = probes.iter().map(|probe| scope.spawn(|| send(token, probe))).collect();
        let lost = || Observation::Lost("its thread did not end well".to_owned());
        sending.into_iter().map(|sending| sending.join().unwrap_or_else(|_| lost())).collect()
    })
}

fn send(token: &str, probe: &Probe) -> Observation {
    let answer = match probe.protocol {
        Protocol::Tcp => over_tcp(token, probe),
        Protocol::Udp => over_udp(token, probe),
    };
    match answer {
        Ok(answer) => {
            let ours = answer.strip_prefix(token).and_then(|line| read_observation(line.trim()).ok());
            ours.unwrap_or(Observation::Elsewhere)
        }
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Observation::Silence,
        Err(error) => Observation::Failed(reason(&error)),
    }
}

fn over_tcp(token: &str, probe: &Probe) -> io::Result<String> {
    let deadline = Instant::now() + probe.patience;
    let mut stream = opened(probe, deadline)?;
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(left(deadline)?))?;
    stream.write_all(&message(token, probe))?;
    let mut answer = Vec::new();
    // A stranger's answer may not end by itself.
    let mut buffer = [0; MAX_ANSWER];
    while answer.len() < MAX_ANSWER && !answer.ends_with(b"\n") {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => answer.extend_from_slice(&buffer[..length]),
            // The connection stands: it is somebody who says nothing.
            Err(_) => break,
        }
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn opened(probe: &Probe, deadline: Instant) -> io::Result<TcpStream> {
    let family = if probe.destination.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let fd = socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK, None)?;
    stay_here(&fd, probe.destination)?;
    if let Some(source) = probe.source {
        bind(fd.as_raw_fd(), &SockaddrStorage::from(SocketAddr::new(source, 0)))?;
    }
    match connect(fd.as_raw_fd(), &SockaddrStorage::from(probe.destination)) {
        Ok(()) | Err(Errno::EINPROGRESS) => {}
        Err(errno) => return Err(errno.into()),
    }
    wait_for_connection(&fd, deadline)?;
    let stream = TcpStream::from(fd);
    match stream.take_error()? {
        Some(error) => Err(error),
        None => Ok(stream),
    }
}

fn wait_for_connection(fd: &OwnedFd, deadline: Instant) -> io::Result<()> {
    loop {
        let timeout = PollTimeout::try_from(left(deadline)?).unwrap_or(PollTimeout::MAX);
        match poll(&mut [PollFd::new(fd.as_fd(), PollFlags::POLLOUT)], timeout) {
            Ok(0) | Err(Errno::EINTR) => {}
            Ok(_) => return Ok(()),
            Err(errno) => return Err(errno.into()),
        }
    }
}

fn over_udp(token: &str, probe: &Probe) -> io::Result<String> {
    let any: IpAddr = if probe.destination.is_ipv4() { [0; 4].into() } else { [0; 16].into() };
    let socket = UdpSocket::bind(SocketAddr::new(probe.source.unwrap_or(any), 0))?;
    stay_here(&socket, probe.destination)?;
    socket.connect(probe.destination)?;
    socket.set_read_timeout(Some(probe.patience))?;
    socket.send(&message(token, probe))?;
    let mut buffer = [0; MAX_ANSWER];
    // Only what comes from where the probe was sent is received, as by an application that asks a DNS server.
    let length = socket.recv(&mut buffer)?;
    Ok(String::from_utf8_lossy(&buffer[..length]).into_owned())
}

/// Lets no router pass on what is sent.
fn stay_here(fd: &impl AsFd, destination: SocketAddr) -> io::Result<()> {
    let one_hop = 1;
    if destination.is_ipv4() {
        setsockopt(fd, sockopt::Ipv4Ttl, &one_hop)?;
    } else {
        setsockopt(fd, sockopt::Ipv6Ttl, &one_hop)?;
    }
    Ok(())
}

fn message(token: &str, probe: &Probe) -> Vec<u8> {
    [&HEAD, token.as_bytes(), signature(ourselves(), probe).as_bytes(), b"\n"].concat()
}

/// Time until the deadline; that there is none left is an error, as after waiting in vain.
fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(left) }
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::ConnectionRefused => "it was refused where it was sent".to_owned(),
        ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable => {
            format!("it got nowhere ({error})")
        }
        _ => error.to_string(),
    }
}
