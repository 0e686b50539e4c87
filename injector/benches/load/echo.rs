//! The yardstick: axum behind rustls, which sends every body back.
#![expect(clippy::print_stderr, reason = "who started it learns there where it listens")]

use std::convert::Infallible;
use std::error::Error;
use std::fs;
use std::path::Path;

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use sidecar_injector::server::certificate;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// The argument that makes this program the echo.
pub(crate) const MODE: &str = "echo";

/// Serves for ever with the certificate in `folder`; says where, on standard error.
pub(crate) fn serve(folder: &Path) -> Result<(), Box<dyn Error>> {
    #[expect(clippy::disallowed_methods, reason = "certificates are files")]
    let read = |name: &str| fs::read_to_string(folder.join(name));
    let tls = certificate::server_config(&read("tls.crt")?, &read("tls.key")?)?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    let never = runtime.block_on(accept(TlsAcceptor::from(tls)))?;
    match never {}
}

async fn accept(acceptor: TlsAcceptor) -> Result<Infallible, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    eprintln!(r#"{{"message":"listening","https":"{}"}}"#, listener.local_addr()?);
    let router = Router::new().route("/inject", post(|body: Bytes| async { body }));
    loop {
        let (stream, _) = listener.accept().await?;
        let (acceptor, router) = (acceptor.clone(), router.clone());
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let service = TowerToHyperService::new(router);
            // wrk leaves its connections without a word.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
