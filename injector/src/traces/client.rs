//! One HTTP/1.1 request at a time, by a thread that may wait: all that an exporter needs.

use std::future::Future;
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::pin::Pin;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Request, Response, StatusCode};
use opentelemetry_http::{HttpClient, HttpError};

/// A collector says little.
const LONGEST_ANSWER: u64 = 64 * 1024;
const DEFAULT_PORT: u16 = 80;

#[derive(Debug)]
pub(super) struct Client {
    /// For each step: to connect, to send, to read.
    pub(super) patience: Duration,
}

impl HttpClient for Client {
    fn send_bytes<'this, 'result>(
        &'this self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'result>>
    where
        'this: 'result,
        Self: 'result,
    {
        Box::pin(async move { Ok(self.send(&request)?) })
    }
}

impl Client {
    fn send(&self, request: &Request<Bytes>) -> io::Result<Response<Bytes>> {
        let host = request.uri().host().unwrap_or_default();
        let port = request.uri().port_u16().unwrap_or(DEFAULT_PORT);
        let mut stream = self.connect(host.trim_matches(['[', ']']), port)?;
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let mut head = format!("POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n").into_bytes();
        for (name, value) in request.headers() {
            head.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
        head.extend(format!("Content-Length: {}\r\n\r\n", request.body().len()).bytes());
        stream.write_all(&head)?;
        stream.write_all(request.body())?;
        let mut answer = Vec::new();
        stream.take(LONGEST_ANSWER).read_to_end(&mut answer)?;
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = status(&answer).ok_or(io::ErrorKind::InvalidData)?;
        Ok(response)
    }

    fn connect(&self, host: &str, port: u16) -> io::Result<TcpStream> {
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for address in (host, port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, self.patience) {
                Ok(stream) => {
                    stream.set_read_timeout(Some(self.patience))?;
                    stream.set_write_timeout(Some(self.patience))?;
                    return Ok(stream);
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// Of an answer that begins like `HTTP/1.1 200 OK`.
fn status(answer: &[u8]) -> Option<StatusCode> {
    let line = answer.strip_prefix(b"HTTP/1.")?.get(2..5)?;
    StatusCode::from_bytes(line).ok()
}
