//! Handshakes before, between and after replacements.

use std::time::{Duration, UNIX_EPOCH};

use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore, ServerConnection};

use super::*;
use crate::certificates::{Issued, LOOPBACK_NAMES, Validity, issue};
use crate::clock::now;

fn issued() -> (Issued, Pair) {
    let issued = issue(&LOOPBACK_NAMES, Validity::one_year(now())).unwrap();
    let pair = Pair::new(issued.certificate.clone(), issued.key.clone()).unwrap();
    (issued, pair)
}

fn client(issued: &[&Issued]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for issued in issued {
        roots.add(CertificateDer::from_pem_slice(issued.ca_certificate.as_bytes()).unwrap()).unwrap();
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = Resumption::in_memory_sessions(8);
    Arc::new(config)
}

/// How the handshake was made, in memory.
fn handshake(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Result<HandshakeKind, rustls::Error> {
    let mut client = ClientConnection::new(Arc::clone(client), ServerName::try_from("localhost").unwrap()).unwrap();
    let mut server = ServerConnection::new(Arc::clone(server)).unwrap();
    for _ in 0..8 {
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).unwrap();
        }
        let mut sent = bytes.as_slice();
        while !sent.is_empty() {
            server.read_tls(&mut sent).unwrap();
            server.process_new_packets()?;
        }
        let mut bytes = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        let mut sent = bytes.as_slice();
        while !sent.is_empty() {
            client.read_tls(&mut sent).unwrap();
            client.process_new_packets()?;
        }
    }
    Ok(client.handshake_kind().unwrap())
}

#[test]
fn handshakes_fail_before_there_is_one_and_follow_replacements() {
    let serving = ServingCertificate::default();
    let server = serving.server_config().unwrap();
    let ((old, old_pair), (new, new_pair)) = (issued(), issued());
    assert!(serving.chain().is_none() && serving.not_after().is_none());
    assert!(handshake(&client(&[&old]), &server).is_err());
    serving.set(&old_pair).unwrap();
    assert!(handshake(&client(&[&old]), &server).is_ok());
    assert!(serving.not_after().unwrap() > UNIX_EPOCH + Duration::from_secs(1));
    serving.set(&new_pair).unwrap();
    assert!(handshake(&client(&[&old]), &server).is_err());
    assert!(handshake(&client(&[&old, &new]), &server).is_ok());
    assert_eq!(serving.chain().unwrap().len(), 2);
}

#[test]
fn sessions_are_resumed_across_a_replacement() {
    let serving = ServingCertificate::default();
    let server = serving.server_config().unwrap();
    let ((old, old_pair), (_, new_pair)) = (issued(), issued());
    let client = client(&[&old]);
    serving.set(&old_pair).unwrap();
    assert_eq!(handshake(&client, &server).unwrap(), HandshakeKind::Full);
    serving.set(&new_pair).unwrap();
    assert_eq!(handshake(&client, &server).unwrap(), HandshakeKind::Resumed);
}
