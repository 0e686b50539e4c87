//! An HTTPS client that trusts one authority and speaks the protocol it is told to.

#![expect(clippy::unwrap_used, reason = "a client in a test fails the test")]

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

pub(crate) struct Client {
    address: SocketAddr,
    roots: RootCertStore,
}

impl Client {
    pub(crate) fn new(address: SocketAddr, ca_certificate: &str) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(ca_certificate.as_bytes()).unwrap()).unwrap();
        Self { address, roots }
    }

    /// Connects, and offers one protocol; none when `alpn` is empty.
    pub(crate) async fn connect(&self, alpn: &str) -> TlsStream<TcpStream> {
        self.connect_from(Ipv4Addr::LOCALHOST, alpn).await
    }

    /// Connects from one of the addresses of this host.
    pub(crate) async fn connect_from(&self, source: Ipv4Addr, alpn: &str) -> TlsStream<TcpStream> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(self.roots.clone())
            .with_no_client_auth();
        config.alpn_protocols =
            [alpn].iter().filter(|alpn| !alpn.is_empty()).map(|alpn| alpn.as_bytes().to_vec()).collect();
        let stream = self.tcp_from(source).await;
        stream.set_nodelay(true).unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
    }

    /// A connection without TLS.
    pub(crate) async fn tcp_from(&self, source: Ipv4Addr) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((source, 0).into()).unwrap();
        socket.connect(self.address).await.unwrap()
    }

    pub(crate) async fn post(&self, alpn: &str, path: &str, content_type: &str, body: String) -> (u16, String) {
        self.request(alpn, "POST", path, content_type, body).await
    }

    pub(crate) async fn request(
        &self,
        alpn: &str,
        method: &str,
        path: &str,
        content_type: &str,
        body: String,
    ) -> (u16, String) {
        let (size, sent) = (body.len(), Arc::new(AtomicUsize::new(0)));
        let request = Request::builder()
            .method(method)
            .uri(format!("https://localhost{path}"))
            .header("host", "localhost")
            .header("content-type", content_type)
            .body(Counted { left: Bytes::from(body), sent: Arc::clone(&sent) })
            .unwrap();
        let stream = TokioIo::new(self.connect(alpn).await);
        let response = if alpn == "h2" {
            let (mut sender, connection) =
                hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
            tokio::spawn(connection);
            sender.send_request(request).await.unwrap()
        } else {
            let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
            tokio::spawn(connection);
            sender.send_request(request).await.unwrap()
        };
        // Curl among others does not look at an answer when its body is not wanted any more.
        assert_eq!(sent.load(Ordering::SeqCst), size, "{alpn} {method} {path}: not all of the body was read");
        read(response).await
    }
}

/// A body that is sent piece by piece, and knows how much of it was.
struct Counted {
    left: Bytes,
    sent: Arc<AtomicUsize>,
}

impl Body for Counted {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let length = self.left.len().min(64 * 1024);
        let piece = self.left.split_to(length);
        self.sent.fetch_add(length, Ordering::SeqCst);
        Poll::Ready((length > 0).then_some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.len() as u64)
    }
}

async fn read(response: Response<hyper::body::Incoming>) -> (u16, String) {
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}
