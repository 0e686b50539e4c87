//! A small HTTP/1.1 server that tells its client what it saw: the application of a test's pod, and its peer.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use serde_json::json;

/// Longest request head that is read, in bytes.
const LONGEST_HEAD: u64 = 8 * 1024;
/// How long a client may be silent.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest delay that a client may ask for with `/delay/SECONDS`, so that a typing error does not hang a test.
const LONGEST_DELAY: Duration = Duration::from_secs(10);

/// Answers every request on `port`, of either family, and never returns without an error.
///
/// The answer is a JSON object: `peer` and `local` address, `method` and `path`. `GET /delay/2` is answered after two
/// seconds. Each request is a line on standard error, written before the answer.
///
/// # Errors
/// When the port cannot be listened on.
pub fn serve(port: u16) -> io::Result<()> {
    // With Linux's default of `bindv6only`, 0, this takes IPv4 as well.
    let listener = TcpListener::bind((Ipv6Addr::UNSPECIFIED, port))?;
    log(&format!("listening on {}", listener.local_addr()?));
    for stream in listener.incoming() {
        let stream = stream?;
        thread::spawn(move || {
            if let Err(error) = answer(stream) {
                log(&format!("no answer: {error}"));
            }
        });
    }
    Ok(())
}

fn answer(mut stream: TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let (peer, local) = (canonical(stream.peer_addr()?), canonical(stream.local_addr()?));
    let head = read_head(&mut stream)?;
    let mut words = head.lines().next().unwrap_or_default().split(' ');
    let (Some(method), Some(path)) = (words.next(), words.next()) else {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "not an HTTP request"));
    };
    log(&format!("{method} {path} from {peer} to {local}"));
    thread::sleep(delay(path));
    let body =
        json!({"peer": peer.to_string(), "local": local.to_string(), "method": method, "path": path}).to_string();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// Reads up to the empty line that ends the head of a request.
fn read_head(stream: &mut TcpStream) -> io::Result<String> {
    let mut reader = BufReader::new(stream.take(LONGEST_HEAD));
    let mut head = String::new();
    while reader.read_line(&mut head)? > 0 {
        if head.ends_with("\r\n\r\n") {
            return Ok(head);
        }
    }
    Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the request has no end"))
}

fn delay(path: &str) -> Duration {
    let seconds = path.strip_prefix("/delay/").and_then(|seconds| seconds.parse().ok());
    seconds.map_or(Duration::ZERO, Duration::from_secs).min(LONGEST_DELAY)
}

/// An IPv4 client of a socket for both families shows up as `::ffff:10.0.0.1`.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

fn log(line: &str) {
    // Without standard error there is nobody to tell.
    let _ = writeln!(io::stderr(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client;

    #[test]
    fn a_client_is_told_what_was_seen_of_it() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || answer(listener.accept().unwrap().0));
        let answer = client::get(&format!("http://{address}/who"), PATIENCE).unwrap();
        server.join().unwrap().unwrap();
        assert_eq!(answer.status, 200);
        let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!((&body["method"], &body["path"]), (&json!("GET"), &json!("/who")));
        assert_eq!(body["local"], address.to_string());
        assert!(body["peer"].as_str().unwrap().starts_with("127.0.0.1:"));
    }

    #[test]
    fn a_delay_is_asked_for_by_path_and_bounded() {
        assert_eq!(delay("/"), Duration::ZERO);
        assert_eq!(delay("/delay/2"), Duration::from_secs(2));
        assert_eq!(delay("/delay/86400"), LONGEST_DELAY);
        assert_eq!(delay("/delay/soon"), Duration::ZERO);
    }
}
