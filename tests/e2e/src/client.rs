//! A small HTTP/1.1 client with a time-out.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longest answer that is read, in bytes.
const LONGEST_ANSWER: u64 = 4 * 1024 * 1024;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status code.
    pub status: u16,
    /// The body as text.
    pub body: String,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The URL is not of the form that is understood.
    #[error("not a URL that can be asked: `{0}`; write http://ADDRESS:PORT/PATH with an IP address")]
    Url(String),
    /// No connection, or one that broke or was silent for too long.
    #[error("no answer from {address}")]
    Connection {
        /// Who was asked.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The answer is not HTTP.
    #[error("not an HTTP answer: {0:?}")]
    Answer(String),
}

/// Asks for `url`; `patience` is for the connection and for each silence.
///
/// # Errors
/// [`Error`]. An answer with a bad status is an answer.
pub fn get(url: &str, patience: Duration) -> Result<Answer, Error> {
    let (address, path) = parse(url).ok_or_else(|| Error::Url(url.to_owned()))?;
    let answer = exchange(address, path, patience).map_err(|source| Error::Connection { address, source })?;
    let parsed = answer.split_once("\r\n\r\n").and_then(|(head, body)| {
        let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
        let chunked = head.to_ascii_lowercase().contains("\r\ntransfer-encoding: chunked");
        (!chunked).then(|| Answer { status, body: body.to_owned() })
    });
    parsed.ok_or(Error::Answer(answer))
}

fn parse(url: &str) -> Option<(SocketAddr, &str)> {
    let rest = url.strip_prefix("http://")?;
    let (address, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    Some((address.parse().ok()?, if path.is_empty() { "/" } else { path }))
}

fn exchange(address: SocketAddr, path: &str, patience: Duration) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    // In one write, so that no server sees half a head.
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").as_bytes())?;
    let mut answer = Vec::new();
    stream.take(LONGEST_ANSWER).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::thread;

    const PATIENCE: Duration = Duration::from_secs(5);

    fn server(answer: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("[::1]:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 1024]);
            stream.write_all(answer.as_bytes()).unwrap();
        });
        address
    }

    #[test]
    fn status_and_body_are_told_apart() {
        let address = server("HTTP/1.1 503 Service Unavailable\r\nx: y\r\n\r\nnot now");
        let answer = get(&format!("http://{address}"), PATIENCE).unwrap();
        assert_eq!(answer, Answer { status: 503, body: "not now".to_owned() });
    }

    #[test]
    fn nobody_and_nonsense_are_errors() {
        let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert!(matches!(get(&format!("http://{nobody}/"), PATIENCE), Err(Error::Connection { .. })));
        let nonsense = server("SSH-2.0\r\n\r\n");
        assert!(matches!(get(&format!("http://{nonsense}/"), PATIENCE), Err(Error::Answer(_))));
        for url in ["https://127.0.0.1:1/", "http://localhost:80/", "http://127.0.0.1/"] {
            assert!(matches!(get(url, PATIENCE), Err(Error::Url(_))), "{url}");
        }
    }

    #[test]
    fn silence_ends_with_the_patience() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        assert!(matches!(get(&url, Duration::from_millis(100)), Err(Error::Connection { .. })));
    }
}
