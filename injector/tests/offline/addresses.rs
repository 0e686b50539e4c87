//! Manifests at `https://` addresses.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::{Folder, Ran, SERVICE};

/// A server that answers by path, and writes its certificate into the folder; its address.
fn serve(folder: &Folder) -> String {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(folder.path().join("ca.pem"), made.cert.pem()).unwrap();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
    let address = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            // Whoever does not trust it goes away.
            let _ = answer(&mut stream);
        }
    });
    address
}

fn answer(stream: &mut (impl Read + Write)) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        request.extend(byte);
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let answer = match request.split(' ').nth(1) {
        Some("/s.yaml") => format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{SERVICE}", SERVICE.len()),
        Some("/moved") => "HTTP/1.1 302 Found\r\nLocation: /s.yaml\r\nContent-Length: 0\r\n\r\n".to_owned(),
        Some("/d/moved") => "HTTP/1.1 302 Found\r\nLocation: ../s.yaml\r\nContent-Length: 0\r\n\r\n".to_owned(),
        Some("/empty") => "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
        Some("/mine") if request.contains("authorization: Basic bWU6c2VjcmV0\r\n") => {
            format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{SERVICE}", SERVICE.len())
        }
        Some("/plain") => "HTTP/1.1 302 Found\r\nLocation: http://localhost/\r\nContent-Length: 0\r\n\r\n".to_owned(),
        Some("/loop") => "HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n".to_owned(),
        Some("/endless") => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
            loop {
                stream.write_all(&[b'#'; 65_536])?;
            }
        }
        _ => "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned(),
    };
    stream.write_all(answer.as_bytes())?;
    stream.flush()
}

#[test]
fn addresses_are_fetched_from_servers_that_are_trusted() {
    let folder = Folder::of(&[("a.yaml", SERVICE)]);
    let address = serve(&folder);
    let run = |path: &str, trusted: bool| {
        let mut command = folder.command("kube-inject", &["-f", &format!("{address}{path}")]);
        if trusted {
            command.env("SSL_CERT_FILE", folder.path().join("ca.pem"));
        }
        Ran::from(command.output().unwrap())
    };
    assert_eq!(run("/s.yaml", true).exits(0, &["unchanged Service s"]).stdout, SERVICE);
    assert_eq!(run("/moved", true).exits(0, &[]).stdout, SERVICE);
    assert_eq!(run("/d/moved", true).exits(0, &[]).stdout, SERVICE);
    run("/empty", true).exits(1, &["cannot be fetched: the server answers 204"]);
    run("/mine", true).exits(1, &["cannot be fetched: the server answers 404"]);
    let mut with_password = folder.command("kube-inject", &["-f", &address.replace("https://", "HTTPS://me:secret@")]);
    with_password.arg("-f").arg(address.replace("https://", "https://me:secret@") + "/mine").env("ALL_PROXY", "x");
    let ran = Ran::from(with_password.env("SSL_CERT_FILE", folder.path().join("ca.pem")).output().unwrap());
    ran.exits(1, &["HTTPS://***@localhost", "answers 404 Not Found; ALL_PROXY is not used"]);
    assert!(!ran.stderr.contains("secret") && !ran.stderr.contains("mine"), "{}", ran.stderr);
    run("/s.yaml", false).exits(1, &["/s.yaml: cannot be fetched", "certificate"]);
    run("/none", true).exits(1, &["cannot be fetched: the server answers 404"]);
    run("/plain", true).exits(1, &["no https:// address"]);
    run("/loop", true).exits(1, &["it leads from one address to the next"]);
    run("/endless", true).exits(1, &["it has more than 64 MiB"]);
}
