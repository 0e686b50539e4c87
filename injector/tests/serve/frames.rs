//! HTTP/2 by hand: what no client library would send.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use crate::PATIENCE;
use crate::client::Client;

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RESET: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

/// How long the other side of a flood may not take what is sent before that counts as its answer.
const STANDSTILL: Duration = Duration::from_secs(3);

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The headers of a review: `POST /inject`, JSON, from the static table where there is an entry.
pub(crate) fn headers() -> Vec<u8> {
    let text = |index: &[u8], text: &str| [index, &[text.len() as u8], text.as_bytes()].concat();
    [
        &[0x83, 0x87][..],
        &text(&[0x04], "/inject"),
        &text(&[0x01], "localhost"),
        &text(&[0x0f, 0x10], "application/json"),
    ]
    .concat()
}

/// A connection that has sent its preface, with these settings.
pub(crate) struct Raw {
    _reader: ReadHalf<TlsStream<TcpStream>>,
    writer: WriteHalf<TlsStream<TcpStream>>,
}

impl Raw {
    pub(crate) async fn connect(client: &Client, source: Ipv4Addr, settings: &[u8]) -> Self {
        let (reader, writer) = tokio::io::split(client.connect_from(source, "h2").await);
        let mut raw = Self { _reader: reader, writer };
        let preface = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &frame(SETTINGS, 0, 0, settings)[..]].concat();
        assert!(raw.send(&preface).await);
        raw
    }

    /// False when the connection has ended.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> bool {
        let sending = async {
            self.writer.write_all(bytes).await?;
            self.writer.flush().await
        };
        matches!(timeout(PATIENCE, sending).await, Ok(Ok(())))
    }

    /// Sends again and again, while nobody reads what is answered; tells how many bytes were taken.
    pub(crate) async fn flood(&mut self, bytes: &[u8], times: usize) -> usize {
        let mut taken = 0;
        for _ in 0..times {
            let mut left = bytes;
            while !left.is_empty() {
                match timeout(STANDSTILL, self.writer.write(left)).await {
                    Ok(Ok(length)) if length > 0 => (taken, left) = (taken + length, &left[length..]),
                    _ => return taken,
                }
            }
            if !matches!(timeout(STANDSTILL, self.writer.flush()).await, Ok(Ok(()))) {
                return taken;
            }
        }
        taken
    }
}
