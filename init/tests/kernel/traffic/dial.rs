//! The side that connects: sends nothing but asks who answers.

use std::fmt;
use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket, Type};

use super::NOBODY;
use super::endpoint::{Answer, Owner};

/// Within one machine an answer takes less than a millisecond; the rest is for a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(3);

/// A connection, or a datagram.
#[derive(Clone, Debug)]
pub(super) struct Dial {
    pub(super) owner: Owner,
    /// Where it comes from; without, what the kernel chooses.
    pub(super) source: Option<SocketAddr>,
    /// Whether `source` may be an address of another machine, as only a transparent proxy's may.
    pub(super) is_transparent: bool,
    pub(super) mark: Option<u32>,
    pub(super) to: SocketAddr,
    pub(super) is_udp: bool,
}

impl Dial {
    pub(super) fn tcp(owner: Owner, to: SocketAddr) -> Self {
        Self { owner, source: None, is_transparent: false, mark: None, to, is_udp: false }
    }

    /// Name of the listener that answered, [`NOBODY`], or what is odd about the answer.
    pub(super) fn answered_by(&self) -> String {
        self.owner.assume();
        match self.exchange() {
            Ok((answer, source)) => self.judge(answer, source),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => NOBODY.to_owned(),
            Err(error) => format!("{NOBODY}, but {error}"),
        }
    }

    /// The destination must be the one that was dialled, and the source be kept.
    fn judge(&self, answer: Answer, source: IpAddr) -> String {
        match answer {
            Answer { name, to, .. } if to != self.to => format!("{name}, which sees the destination {to}"),
            Answer { name, from, .. } if from != source => format!("{name}, which sees the source {from}"),
            Answer { name, .. } => name,
        }
    }

    fn exchange(&self) -> io::Result<(Answer, IpAddr)> {
        let kind = if self.is_udp { Type::DGRAM } else { Type::STREAM };
        let socket = Socket::new(Domain::for_address(self.to), kind, None)?;
        self.bind(&socket)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        if self.is_udp {
            return self.ask(socket);
        }
        socket.connect_timeout(&SockAddr::from(self.to), PATIENCE)?;
        let source = local(&socket)?;
        let mut text = String::new();
        { socket }.read_to_string(&mut text)?;
        Ok((text.parse()?, source.ip()))
    }

    /// The answer must come from whom the question was sent to, or a resolver would not take it.
    fn ask(&self, socket: Socket) -> io::Result<(Answer, IpAddr)> {
        let socket = std::net::UdpSocket::from(socket);
        // Connected only for the kernel to choose a source: then what others send is still seen.
        let source = match self.source {
            Some(source) => source.ip(),
            None => {
                let probe = std::net::UdpSocket::bind(unspecified(self.to))?;
                probe.connect(self.to)?;
                probe.local_addr()?.ip()
            }
        };
        socket.send_to(b"who", self.to)?;
        let mut text = [0; 256];
        let (length, sender) = socket.recv_from(&mut text)?;
        let mut answer: Answer = String::from_utf8_lossy(&text[..length]).parse()?;
        // A listener of datagrams does not know where one was sent to.
        answer.to = sender;
        Ok((answer, source))
    }

    fn bind(&self, socket: &Socket) -> io::Result<()> {
        if let Some(mark) = self.mark {
            socket.set_mark(mark)?;
        }
        if self.is_transparent {
            be_transparent(socket, self.to)?;
        }
        if let Some(source) = self.source {
            socket.set_reuse_address(true)?;
            socket.bind(&source.into())?;
        } else if self.is_udp {
            socket.bind(&unspecified(self.to).into())?;
        }
        Ok(())
    }
}

/// Lets a socket have addresses of other machines. Needs NET_ADMIN.
pub(super) fn be_transparent(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    match address {
        SocketAddr::V4(_) => socket.set_ip_transparent_v4(true),
        SocketAddr::V6(_) => socket.set_ip_transparent_v6(true),
    }
}

fn unspecified(like: SocketAddr) -> SocketAddr {
    match like {
        SocketAddr::V4(_) => (std::net::Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (std::net::Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}

pub(super) fn local(socket: &Socket) -> io::Result<SocketAddr> {
    socket.local_addr()?.as_socket().ok_or_else(|| io::Error::other("not an Internet socket"))
}

impl fmt::Display for Dial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Owner { uid, gid } = self.owner;
        let transport = if self.is_udp { "UDP " } else { "" };
        write!(f, "{uid}:{gid} to {transport}{}", self.to)?;
        self.source.map_or(Ok(()), |source| write!(f, " from {source}"))
    }
}
