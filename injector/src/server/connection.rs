//! One connection from its first byte to its end: nobody keeps one without asking for something.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue};
use hyper::server::conn::{http1, http2};
use hyper::service::{Service, service_fn};
use hyper::{Error, Request, Version};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use sidecar_process::drain::DrainWatch;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};
use tower::ServiceExt;

use crate::server::peers::Peer;
use crate::server::unread::Unread;

const MAX_HEADER_BYTES: usize = 64 * 1024;
/// A client that is gone without a word is noticed by pings that nobody answers.
const PING_INTERVAL: Duration = Duration::from_secs(15);
const PING_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_STREAMS: u32 = 128;
/// What one request may send ahead of its reader: enough for nearly every review, and little enough that several that
/// wait for their turn leave the connection open for others.
const STREAM_WINDOW_BYTES: u32 = 64 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;
/// For the next of the answers to be read.
const ANSWER: Duration = Duration::from_secs(30);
/// For a request that crosses our word that the connection ends, or comes when it is about to.
const LINGER: Duration = Duration::from_secs(3);

/// What the two sides speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Http1,
    Http2,
}

/// How long a connection may be without a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// When the headers of the first request must have been read.
    pub(super) first: Instant,
    /// From the end of a request to the headers of the next.
    pub(super) idle: Duration,
}

impl Protocol {
    /// As TLS negotiated it; a client that offered nothing speaks HTTP/1.1.
    pub(super) fn negotiated(alpn: Option<&[u8]>) -> Self {
        if alpn == Some(b"h2") { Self::Http2 } else { Self::Http1 }
    }
}

/// Serves until the client leaves, its patience is used up, or `drain` says to stop; requests under way are finished.
///
/// An HTTP/1.1 client learns of the end from the answer to its last request. A connection that is simply closed may lose
/// the request that is on its way, and API servers, which speak HTTP/1.1 to webhooks, do not send a review twice.
pub(super) async fn serve<I>(
    io: I,
    protocol: Protocol,
    router: Router,
    peer: Arc<Peer>,
    patience: Patience,
    drain: &DrainWatch,
) where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (requests, unread) = (Requests::default(), Unread::default());
    let service = counted(router, peer, requests.clone(), unread.clone(), drain.clone());
    let io = TokioIo::new(io);
    let serving = async {
        match protocol {
            Protocol::Http1 => {
                let stopping = async {
                    drain.stopping().await;
                    requests.pause(LINGER).await;
                };
                until_ended(http1().serve_connection(io, service), &requests, patience, stopping).await
            }
            Protocol::Http2 => {
                until_ended(http2().serve_connection(io, service), &requests, patience, drain.stopping()).await
            }
        }
    };
    tokio::select! {
        served = serving => if let Err(error) = served {
            tracing::debug!(%error, "connection ended early");
        },
        () = unread.stuck(ANSWER) => tracing::debug!("a client does not read its answers"),
    }
}

async fn until_ended(
    connection: impl GracefulConnection<Error = Error>,
    requests: &Requests,
    patience: Patience,
    stopping: impl Future<Output = ()>,
) -> Result<(), Error> {
    // From before the connection is polled: a request may be there, and answered, the first time that it is.
    let begun = requests.0.subscribe();
    let mut connection = pin!(connection);
    tokio::select! {
        served = connection.as_mut() => return served,
        () = stopping => {}
        () = requests.used_up(begun, patience) => {}
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        served = connection => served,
        // It has not even said what it speaks, or does not read our last words.
        () = requests.pause(LINGER) => Ok(()),
    }
}

fn http1() -> http1::Builder {
    let mut builder = http1::Builder::new();
    // `Patience` covers the time for headers, and also the time before the first of them.
    builder.header_read_timeout(None).max_buf_size(MAX_HEADER_BYTES);
    builder
}

fn http2() -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT)
        .max_concurrent_streams(MAX_STREAMS)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_header_list_size(MAX_HEADER_BYTES as u32);
    builder
}

fn counted(
    router: Router,
    peer: Arc<Peer>,
    requests: Requests,
    unread: Unread,
    drain: DrainWatch,
) -> impl Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send + 'static> {
    service_fn(move |mut request: Request<Incoming>| {
        let (under_way, router, unread, drain) = (requests.begin(), router.clone(), unread.clone(), drain.clone());
        let version = request.version();
        request.extensions_mut().insert(Arc::clone(&peer));
        async move {
            let mut answer = router.oneshot(request).await?;
            // HTTP/2 has its own way to say so, and knows no such header.
            if version < Version::HTTP_2 && drain.is_announced() {
                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            drop(under_way);
            Ok(unread.until_taken(answer))
        }
    })
}

/// The requests of a connection that are under way. Clones share the count.
#[derive(Clone, Debug, Default)]
struct Requests(Arc<watch::Sender<usize>>);

/// A request that is under way until this is dropped.
struct UnderWay(Requests);

impl Requests {
    fn begin(&self) -> UnderWay {
        self.0.send_modify(|count| *count += 1);
        UnderWay(self.clone())
    }

    /// Completes when the client has waited longer than it may with its first request, which `begun` sees, or with a
    /// further one.
    async fn used_up(&self, mut begun: watch::Receiver<usize>, patience: Patience) {
        if timeout_at(patience.first, begun.changed()).await.is_ok() {
            self.pause(patience.idle).await;
        }
    }

    /// Completes when there has been no request for so long.
    async fn pause(&self, length: Duration) {
        let mut count = self.0.subscribe();
        loop {
            // Neither wait fails: the sender is in `self`.
            let _ = count.wait_for(|count| *count == 0).await;
            if timeout(length, count.changed()).await.is_err() {
                return;
            }
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
mod tests;
