//! A proxy to test, a server to forward to, and what both say.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use sidecar_proxy::bind::{Ports, Purpose};
use sidecar_proxy::original_destination::OriginalDestination;
use sidecar_proxy::proxy::{Running, Settings, bind};
use sidecar_proxy::route::Direction;
use sidecar_proxy::socket::Liveness;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::access_log;

/// How long something that must happen may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// What netfilter would answer.
#[derive(Clone, Debug)]
pub(crate) enum Redirected {
    /// The connection was on its way there.
    From(SocketAddr),
    /// It was on its way to an address that is known once the proxy listens.
    FromOnceKnown(Arc<OnceLock<SocketAddr>>),
    /// It was on its way to the listener itself.
    FromListener,
    /// It was not redirected.
    Never,
    /// The kernel fails to say.
    Unknown,
}

impl OriginalDestination for Redirected {
    fn of(&self, accepted: &TcpStream) -> io::Result<Option<SocketAddr>> {
        match self {
            Self::From(address) => Ok(Some(*address)),
            Self::FromOnceKnown(address) => Ok(address.get().copied()),
            Self::FromListener => accepted.local_addr().map(Some),
            Self::Never => Ok(None),
            Self::Unknown => Err(io::ErrorKind::Other.into()),
        }
    }
}

pub(crate) fn settings() -> Settings {
    Settings {
        ports: Ports { outbound: 0, inbound: 0, health: 0, prometheus: 0 },
        workers: NonZeroUsize::new(2).unwrap(),
        max_connections: 1000,
        connect_timeout: Duration::from_secs(10),
        half_close_timeout: None,
        liveness: Liveness { keepalive: Some(Duration::from_secs(60)), user_timeout: Some(Duration::from_secs(60)) },
        access_log: true,
        drain_minimum: Duration::ZERO,
        drain_duration: Duration::from_secs(20),
    }
}

pub(crate) struct Proxy {
    addresses: Vec<(Purpose, SocketAddr)>,
    pub(crate) running: Running,
}

impl Proxy {
    pub(crate) async fn start(redirected: Redirected) -> Self {
        Self::start_with(settings(), redirected).await
    }

    pub(crate) async fn start_with(settings: Settings, redirected: Redirected) -> Self {
        access_log::capture();
        let bound = bind(settings, Arc::new(redirected)).unwrap();
        let addresses = bound.listening().iter().map(|listening| (listening.purpose, listening.address)).collect();
        Self { addresses, running: bound.serve().await.unwrap() }
    }

    /// The address to dial, since nobody can dial the wildcard.
    pub(crate) fn address(&self, purpose: Purpose, family: Ipv4OrV6) -> SocketAddr {
        let loopback: IpAddr = match family {
            Ipv4OrV6::V4 => Ipv4Addr::LOCALHOST.into(),
            Ipv4OrV6::V6 => Ipv6Addr::LOCALHOST.into(),
        };
        let same = |(of, address): &&(Purpose, SocketAddr)| *of == purpose && address.is_ipv6() == loopback.is_ipv6();
        SocketAddr::new(loopback, self.addresses.iter().find(same).unwrap().1.port())
    }

    /// Connects to the listener of a direction, over IPv4.
    pub(crate) async fn connect(&self, direction: Direction) -> TcpStream {
        self.connect_over(Ipv4OrV6::V4, direction).await
    }

    pub(crate) async fn connect_over(&self, family: Ipv4OrV6, direction: Direction) -> TcpStream {
        TcpStream::connect(self.address(Purpose::Traffic(direction), family)).await.unwrap()
    }

    pub(crate) async fn metric(&self, sample: &str) -> u64 {
        let (_, text) = get(self.address(Purpose::Prometheus, Ipv4OrV6::V4), "/stats/prometheus").await;
        let line = text.lines().find_map(|line| line.strip_prefix(sample));
        line.unwrap_or_else(|| panic!("no {sample} in\n{text}")).trim().parse().unwrap()
    }

    pub(crate) async fn cluster_metric(&self, name: &str, cluster: &str) -> u64 {
        self.metric(&format!("envoy_cluster_{name}{{envoy_cluster_name=\"{cluster}\"}}")).await
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ipv4OrV6 {
    V4,
    V6,
}

/// A server that sends back what it gets; tells who connected.
pub(crate) async fn echo(address: &str) -> (SocketAddr, tokio::sync::mpsc::UnboundedReceiver<SocketAddr>) {
    let listener = TcpListener::bind(address).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, peers) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, peer)) = listener.accept().await {
            let _ = sender.send(peer);
            tokio::spawn(async move {
                let (mut reader, mut writer) = stream.split();
                tokio::io::copy(&mut reader, &mut writer).await
            });
        }
    });
    (address, peers)
}

/// Sends, finishes sending, and returns everything that comes back.
pub(crate) async fn exchange(mut stream: TcpStream, request: &[u8]) -> io::Result<Vec<u8>> {
    soon(async {
        stream.write_all(request).await?;
        stream.shutdown().await?;
        let mut response = Vec::new();
        stream.read_to_end(&mut response).await?;
        Ok(response)
    })
    .await
}

/// Dials the listener of a direction and is reset, during or after the handshake. Returns the client's address.
pub(crate) async fn expect_reset(proxy: &Proxy, direction: Direction) -> SocketAddr {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let client = socket.local_addr().unwrap();
    let listener = proxy.address(Purpose::Traffic(direction), Ipv4OrV6::V4);
    let first_byte = async { socket.connect(listener).await?.read_u8().await };
    assert_eq!(soon(first_byte).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    client
}

/// Sends a little and waits for it to come back: the connection is up, and stays.
pub(crate) async fn ping(stream: &mut TcpStream) {
    soon(async {
        stream.write_all(b"ping").await.unwrap();
        let mut pong = [0; 4];
        stream.read_exact(&mut pong).await.unwrap();
        assert_eq!(&pong, b"ping");
    })
    .await;
}

/// Status and body of a GET.
pub(crate) async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: pod\r\n\r\n");
    let response = String::from_utf8(answer(stream, request.as_bytes()).await).unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// Everything that a server says to a request until it closes.
pub(crate) async fn answer(mut stream: TcpStream, request: &[u8]) -> Vec<u8> {
    soon(async {
        // A server that refuses the request may close before it has been sent.
        let _ = stream.write_all(request).await;
        let mut response = Vec::new();
        let _ = stream.read_to_end(&mut response).await;
        response
    })
    .await
}

/// The access-log line of the connection that came from `client`.
pub(crate) async fn logged(client: SocketAddr) -> BTreeMap<String, String> {
    soon(async {
        loop {
            if let Some(line) = access_log::line_of(client) {
                return line;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
}

pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("it takes too long")
}
