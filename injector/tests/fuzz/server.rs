//! The real server over TLS, and connections to it that are kept.

use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwapOption;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use sidecar_injector::certificates::{LOOPBACK_NAMES, Validity, issue};
use sidecar_injector::context::Injector;
use sidecar_injector::events::Events;
use sidecar_injector::server::Bound;
use sidecar_injector::server::certificate;
use sidecar_process::drain::Drain;
use sidecar_process::readiness::Readiness;

use crate::client::Client;

const PATHS: [&str; 3] = ["/inject", "/inject/", "/inject/cluster/c/net/n--slash--m/x"];

pub(crate) struct Server {
    client: Client,
    http1: Option<http1::SendRequest<Full<Bytes>>>,
    http2: Option<http2::SendRequest<Full<Bytes>>>,
    _drain: Drain,
}

impl Server {
    pub(crate) async fn start(injector: Injector) -> Self {
        let issued = issue(&LOOPBACK_NAMES, Validity::one_year(SystemTime::now())).unwrap();
        let tls = certificate::server_config(&issued.certificate, &issued.key).unwrap();
        let loopback = || "127.0.0.1:0".parse().unwrap();
        let bound = Bound::bind(loopback(), loopback()).await.unwrap();
        let client = Client::new(bound.https_address().unwrap(), &issued.ca_certificate);
        let (drain, watch) = Drain::new();
        let current = Arc::new(ArcSwapOption::from_pointee(injector));
        tokio::spawn(bound.serve(current, tls, Arc::default(), Events::default(), Readiness::new(), watch));
        Self { client, http1: None, http2: None, _drain: drain }
    }

    /// The status and the body of the answer; every other case goes over HTTP/2.
    pub(crate) async fn post(&mut self, case: u64, body: &[u8]) -> Result<(u16, Vec<u8>), String> {
        let path = PATHS[case as usize % PATHS.len()];
        let request = Request::post(format!("https://localhost{path}"))
            .header("host", "localhost")
            .header("content-type", "application/json")
            .body(Full::new(Bytes::copy_from_slice(body)))
            .unwrap();
        let sent = if case.is_multiple_of(2) {
            self.http2().await.send_request(request).await
        } else {
            self.http1().await.send_request(request).await
        };
        let response = sent.map_err(|error| format!("no answer: {error:?}"))?;
        let status = response.status().as_u16();
        let answer = response.into_body().collect().await.map_err(|error| format!("half an answer: {error:?}"))?;
        Ok((status, answer.to_bytes().to_vec()))
    }

    async fn http1(&mut self) -> &mut http1::SendRequest<Full<Bytes>> {
        if let Some(sender) = &mut self.http1
            && sender.ready().await.is_err()
        {
            self.http1 = None;
        }
        if self.http1.is_none() {
            let stream = TokioIo::new(self.client.connect("http/1.1").await);
            let (sender, connection) = http1::handshake(stream).await.unwrap();
            tokio::spawn(connection);
            self.http1 = Some(sender);
        }
        self.http1.as_mut().unwrap()
    }

    async fn http2(&mut self) -> &mut http2::SendRequest<Full<Bytes>> {
        if let Some(sender) = &mut self.http2
            && sender.ready().await.is_err()
        {
            self.http2 = None;
        }
        if self.http2.is_none() {
            let stream = TokioIo::new(self.client.connect("h2").await);
            let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
            tokio::spawn(connection);
            self.http2 = Some(sender);
        }
        self.http2.as_mut().unwrap()
    }
}
