//! The side that listens: answers with its name, the destination that it sees, and the source.

use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nix::unistd::{Gid, Uid, setfsgid, setfsuid};
use sidecar_test_support::namespace::Namespace;
use socket2::{Domain, SockRef, Socket, Type};

use super::dial::{self, Dial};

/// How long a listener may notice late that nobody needs it any more.
const PAUSE: Duration = Duration::from_millis(100);

/// The mark with which a transparent proxy dials the application.
const TPROXY_MARK: u32 = 1337;

/// Under whom a socket is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl Owner {
    /// From here on, sockets of this thread have this owner. Rules look at the user and group for file access, which
    /// are a thread's own and leave it its capabilities.
    pub(super) fn assume(self) {
        setfsgid(Gid::from_raw(self.gid));
        setfsuid(Uid::from_raw(self.uid));
    }
}

/// What a listener says.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) name: String,
    pub(super) to: SocketAddr,
    pub(super) from: IpAddr,
}

impl FromStr for Answer {
    type Err = io::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('|');
        let mut next = || parts.next().ok_or_else(|| io::Error::other(format!("no answer: `{text}`")));
        let name = next()?.to_owned();
        let to = next()?.parse().map_err(io::Error::other)?;
        let from = next()?.parse().map_err(io::Error::other)?;
        Ok(Self { name, to, from })
    }
}

/// What a listener does with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Answers.
    Answers,
    /// Answers datagrams.
    AnswersDatagrams,
    /// Takes connections to any address, and dials their destination from their source.
    Transparent,
}

/// A listener to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listener {
    pub(super) name: &'static str,
    pub(super) owner: Owner,
    pub(super) at: SocketAddr,
    pub(super) role: Role,
}

impl Listener {
    /// Listens in `namespace` until `stop`.
    pub(super) fn start(self, namespace: &Namespace, stop: &Arc<AtomicBool>) {
        let (listens, is_listening) = mpsc::channel();
        let stop = Arc::clone(stop);
        let serve = move || {
            self.owner.assume();
            match self.open() {
                Ok(socket) => {
                    listens.send(Ok(())).unwrap();
                    while !stop.load(Ordering::Relaxed) {
                        // Who was promised an answer and gets none says so.
                        let _ = self.serve_one(&socket);
                    }
                }
                Err(error) => listens.send(Err(error)).unwrap(),
            }
        };
        namespace.enter(|| drop(thread::spawn(serve))).unwrap();
        let listening = is_listening.recv().unwrap();
        assert!(listening.is_ok(), "{self:?}: {listening:?}");
    }

    fn open(self) -> io::Result<Socket> {
        let kind = if self.role == Role::AnswersDatagrams { Type::DGRAM } else { Type::STREAM };
        let socket = Socket::new(Domain::for_address(self.at), kind, None)?;
        socket.set_reuse_address(true)?;
        if self.at.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        if self.role == Role::Transparent {
            dial::be_transparent(&socket, self.at)?;
        }
        socket.bind(&self.at.into())?;
        // For datagrams it limits a read, for connections the wait for the next.
        socket.set_read_timeout(Some(PAUSE))?;
        if self.role != Role::AnswersDatagrams {
            socket.listen(128)?;
        }
        Ok(socket)
    }

    fn serve_one(self, socket: &Socket) -> io::Result<()> {
        if self.role == Role::AnswersDatagrams {
            let socket = UdpSocket::from(socket.try_clone()?);
            let (_, from) = socket.recv_from(&mut [0; 64])?;
            let answer = format!("{}|{}|{}", self.name, self.at, from.ip());
            return socket.send_to(answer.as_bytes(), from).map(drop);
        }
        let (mut stream, from) = TcpListener::from(socket.try_clone()?).accept()?;
        let to = destination(&stream)?;
        let name = if self.role == Role::Transparent { self.pass_on(to, from) } else { self.name.to_owned() };
        write!(stream, "{name}|{to}|{}", from.ip())
    }

    fn pass_on(self, to: SocketAddr, from: SocketAddr) -> String {
        let source = Some((from.ip(), 0).into());
        let dial = Dial { source, is_transparent: true, mark: Some(TPROXY_MARK), ..Dial::tcp(self.owner, to) };
        format!("{} for {}", self.name, dial.answered_by())
    }
}

/// Where a connection was going before any rule.
fn destination(stream: &TcpStream) -> io::Result<SocketAddr> {
    let local = stream.local_addr()?;
    let socket = SockRef::from(stream);
    let original = if local.is_ipv4() { socket.original_dst_v4() } else { socket.original_dst_v6() };
    // The kernel may not have kept track of it; then it is where it was going.
    Ok(original.ok().and_then(|address| address.as_socket()).unwrap_or(local))
}
