//! Opens the listening sockets, all of them before anything is served.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use socket2::{Domain, Protocol, SockRef, Socket, Type};

use crate::route::Direction;
use crate::socket::{Liveness, configure};

/// Connections that may wait to be accepted; the kernel lowers it to `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

/// What the proxy listens for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Redirected connections of the application, and of peers.
    Traffic(Direction),
    /// Readiness.
    Health,
    /// Metrics.
    Prometheus,
}

/// The ports to listen on; 0 takes any free one.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    /// On loopback: connections leaving the pod.
    pub outbound: u16,
    /// On every address, since redirected connections keep the pod's: connections entering the pod.
    pub inbound: u16,
    /// On every address, for the kubelet.
    pub health: u16,
    /// On every address, for Prometheus.
    pub prometheus: u16,
}

/// A listening socket.
#[derive(Debug)]
pub struct Listening {
    /// What it is for.
    pub purpose: Purpose,
    /// Where it listens, with the port the kernel chose if it was asked to.
    pub address: SocketAddr,
    pub(crate) socket: TcpListener,
}

/// Every socket that could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct BindErrors(pub Vec<BindError>);

/// One socket that could not be opened.
#[derive(Debug)]
pub struct BindError {
    /// What it is for.
    pub purpose: Purpose,
    /// Where it should listen.
    pub address: SocketAddr,
    /// What the kernel said.
    pub reason: io::Error,
}

impl Purpose {
    /// The name of the listener: Istio's, for those that Istio has.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Traffic(Direction::Outbound) => "virtualOutbound",
            Self::Traffic(Direction::Inbound) => "virtualInbound",
            Self::Health => "health",
            Self::Prometheus => "prometheus",
        }
    }

    const fn flag(self) -> &'static str {
        match self {
            Self::Traffic(Direction::Outbound) => "--outbound-port",
            Self::Traffic(Direction::Inbound) => "--inbound-port",
            Self::Health => "--health-port",
            Self::Prometheus => "--prometheus-port",
        }
    }
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { purpose, address, reason } = self;
        write!(f, "cannot listen on {address} for {}: {reason}; ", purpose.name())?;
        match reason.kind() {
            io::ErrorKind::AddrInUse => {
                write!(f, "end the process that listens there (see `ss -ltnp`) or choose another {}", purpose.flag())
            }
            io::ErrorKind::PermissionDenied => write!(f, "choose a {} from 1024 on", purpose.flag()),
            _ => write!(f, "choose another {}", purpose.flag()),
        }
    }
}

/// Listens on IPv4 and, where the kernel has it, IPv6.
///
/// # Errors
/// All that could not be opened; then none stays open.
pub fn bind(ports: Ports, liveness: Liveness) -> Result<Vec<Listening>, BindErrors> {
    let mut listening = Vec::new();
    let mut errors = Vec::new();
    for (purpose, address) in addresses(ports) {
        match listen(address, liveness) {
            Ok((socket, address)) => listening.push(Listening { purpose, address, socket }),
            Err(reason) if address.is_ipv6() && lacks_ipv6(&reason) => {
                tracing::info!(listener = purpose.name(), %address, %reason, "no IPv6 here; going without");
            }
            Err(reason) => errors.push(BindError { purpose, address, reason }),
        }
    }
    if errors.is_empty() { Ok(listening) } else { Err(BindErrors(errors)) }
}

fn addresses(ports: Ports) -> impl Iterator<Item = (Purpose, SocketAddr)> {
    let Ports { outbound, inbound, health, prometheus } = ports;
    let everywhere = |port| [SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)), (Ipv6Addr::UNSPECIFIED, port).into()];
    let loopback = |port| [SocketAddr::from((Ipv4Addr::LOCALHOST, port)), (Ipv6Addr::LOCALHOST, port).into()];
    [
        (Purpose::Traffic(Direction::Outbound), loopback(outbound)),
        (Purpose::Traffic(Direction::Inbound), everywhere(inbound)),
        (Purpose::Health, everywhere(health)),
        (Purpose::Prometheus, everywhere(prometheus)),
    ]
    .into_iter()
    .flat_map(|(purpose, addresses)| addresses.map(|address| (purpose, address)))
}

fn listen(address: SocketAddr, liveness: Liveness) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        // Each family has its own socket, so that an address says which family a client came by.
        socket.set_only_v6(true)?;
    }
    // Connections of a predecessor that linger in TIME_WAIT must not keep a restart from listening.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    configure(&SockRef::from(&socket), liveness)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    let socket = TcpListener::from(socket);
    let address = socket.local_addr()?;
    Ok((socket, address))
}

/// `EAFNOSUPPORT`: built or booted without IPv6. `EADDRNOTAVAIL`: `net.ipv6.conf.lo.disable_ipv6`.
fn lacks_ipv6(error: &io::Error) -> bool {
    use nix::libc::{EADDRNOTAVAIL, EAFNOSUPPORT};
    matches!(error.raw_os_error(), Some(EAFNOSUPPORT | EADDRNOTAVAIL))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind;

    #[test]
    fn a_failure_names_the_listener_the_address_and_what_to_try() {
        let error = BindError {
            purpose: Purpose::Traffic(Direction::Inbound),
            address: "0.0.0.0:15006".parse().unwrap(),
            reason: ErrorKind::AddrInUse.into(),
        };
        let text = error.to_string();
        for part in ["virtualInbound", "0.0.0.0:15006", "--inbound-port", "ss -ltnp"] {
            assert!(text.contains(part), "no `{part}` in {text}");
        }
    }

    #[test]
    fn outbound_is_for_this_pod_only() {
        let ports = Ports { outbound: 1, inbound: 2, health: 3, prometheus: 4 };
        for (purpose, address) in addresses(ports) {
            let local = purpose == Purpose::Traffic(Direction::Outbound);
            assert_eq!(address.ip().is_loopback(), local, "{purpose:?} on {address}");
        }
    }

    #[test]
    fn accepted_connections_inherit_the_options_of_the_listener() {
        let liveness = Liveness {
            keepalive: Some(std::time::Duration::from_secs(77)),
            user_timeout: Some(std::time::Duration::from_secs(88)),
        };
        let (listener, address) = listen("127.0.0.1:0".parse().unwrap(), liveness).unwrap();
        let _client = std::net::TcpStream::connect(address).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        let accepted = SockRef::from(&accepted);
        assert!(accepted.tcp_nodelay().unwrap());
        assert!(accepted.keepalive().unwrap());
        assert_eq!(accepted.tcp_keepalive_time().unwrap(), liveness.keepalive.unwrap());
        assert_eq!(accepted.tcp_user_timeout().unwrap(), liveness.user_timeout);
    }
}
