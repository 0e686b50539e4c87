//! A mutating webhook of somebody else: a small server of its own, for the pods of one namespace.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};
use sidecar_injector::certificates::{Issued, Validity, issue};
use sidecar_injector::clock::now;
use sidecar_test_support::api_server::ApiServer;

use super::objects::create;

/// The JSON Patch for a pod.
type Change = fn(&Value) -> Value;

/// A webhook that is called. Dropped, it is taken out.
pub(super) struct SecondWebhook<'a> {
    server: &'a ApiServer,
    name: String,
    address: SocketAddr,
    calls: Arc<AtomicUsize>,
    stopped: Arc<AtomicBool>,
}

impl<'a> SecondWebhook<'a> {
    /// Registers it under this name, by whose place in the alphabet it is called before or after others.
    pub(super) fn start(
        server: &'a ApiServer,
        name: &str,
        namespace: &str,
        reinvocation: &str,
        change: Change,
    ) -> Self {
        let issued = issue(&["127.0.0.1"], Validity::one_year(now())).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (calls, stopped) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let (counted, ended, tls) = (Arc::clone(&calls), Arc::clone(&stopped), server_config(&issued));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let (tls, counted) = (Arc::clone(&tls), Arc::clone(&counted));
                thread::spawn(move || {
                    let connection = ServerConnection::new(tls).unwrap();
                    // A client that leaves is no failure.
                    let _ = serve(StreamOwned::new(connection, client), change, &counted);
                });
            }
        });
        create(server, &configuration(name, namespace, reinvocation, address, &issued));
        Self { server, name: name.to_owned(), address, calls, stopped }
    }

    /// How often it was asked, dry runs aside.
    pub(super) fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }
}

impl Drop for SecondWebhook<'_> {
    fn drop(&mut self) {
        let _ = self.server.run(["delete", "mutatingwebhookconfiguration", &self.name]);
        self.stopped.store(true, Ordering::Relaxed);
        // So that the listener's thread looks.
        let _ = TcpStream::connect(self.address);
    }
}

fn configuration(name: &str, namespace: &str, reinvocation: &str, address: SocketAddr, issued: &Issued) -> Value {
    json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
    "metadata": {"name": name},
    "webhooks": [{
        "name": "second.example.com",
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "reinvocationPolicy": reinvocation,
        "timeoutSeconds": 30,
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}],
        "clientConfig": {"url": format!("https://{address}/"), "caBundle": STANDARD.encode(&issued.ca_certificate)},
    }]})
}

fn server_config(issued: &Issued) -> Arc<ServerConfig> {
    // Another test may have done it.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let chain = CertificateDer::pem_slice_iter(issued.certificate.as_bytes()).collect::<Result<_, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).unwrap();
    Arc::new(ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap())
}

/// Answers the requests of a connection, one after the other.
fn serve(stream: StreamOwned<ServerConnection, TcpStream>, change: Change, calls: &AtomicUsize) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut length = None;
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().ok();
            } else if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length.ok_or(io::ErrorKind::InvalidData)?];
        stream.read_exact(&mut body)?;
        let review: Value = serde_json::from_slice(&body)?;
        // Dry runs are how a test finds out whether it is called yet.
        if review["request"]["dryRun"] == false {
            calls.fetch_add(1, Ordering::Relaxed);
        }
        let patch = STANDARD.encode(change(&review["request"]["object"]).to_string());
        let response =
            json!({"uid": review["request"]["uid"], "allowed": true, "patchType": "JSONPatch", "patch": patch});
        let answer =
            json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}).to_string();
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", answer.len());
        stream.get_mut().write_all((head + &answer).as_bytes())?;
        stream.get_mut().flush()?;
    }
}
