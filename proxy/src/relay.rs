//! Moves bytes both ways between two sockets until both have finished sending.
//!
//! # Guarantees
//! - Half-close is kept: the end of one direction is passed on (FIN) and leaves the other running.
//! - Back-pressure is kept: nothing more is read from a peer until the other has taken what was read before.
//! - An idle connection holds no buffer. Reads go into one scratch buffer of the thread; only what the other side
//!   does not take at once is copied aside, at most [`read_size`] bytes a direction.
//! - A busy connection lets others have their turn after [`BYTES_A_TURN`].

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::ErrorKind;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::outcome::{Outcome, Side};
use crate::sizing::{LONGEST_READ, read_size};

/// What one direction may move before other connections of the worker are looked at.
const BYTES_A_TURN: usize = 1024 * 1024;

/// Counts bytes as they go, so that a long transfer is seen while it runs.
pub trait Meter {
    /// Bytes came from this side.
    fn read(&mut self, from: Side, bytes: usize);
    /// Bytes were handed to the socket of this side.
    fn written(&mut self, to: Side, bytes: usize);
}

/// Relays until both directions have ended or one side is lost.
///
/// Returns [`Outcome::Closed`] or [`Outcome::Broken`]. The sockets are left to the caller to close: after
/// `Broken`, with a reset, so that the surviving side does not take it for a complete transfer.
pub async fn relay(downstream: &mut TcpStream, upstream: &mut TcpStream, meter: &mut impl Meter) -> Outcome {
    let (mut downstream_read, mut downstream_write) = downstream.split();
    let (mut upstream_read, mut upstream_write) = upstream.split();
    let mut request = Flow::new(Side::Downstream, Side::Upstream);
    let mut response = Flow::new(Side::Upstream, Side::Downstream);
    poll_fn(|context| {
        let request = request.poll(context, &mut downstream_read, &mut upstream_write, meter);
        let response = response.poll(context, &mut upstream_read, &mut downstream_write, meter);
        match (request, response) {
            // A side that was reset while we read from it is gone for both directions.
            (Poll::Ready(Ended::ReadFailed(kind)), _) => Poll::Ready(Outcome::Broken(Side::Downstream, kind)),
            (_, Poll::Ready(Ended::ReadFailed(kind))) => Poll::Ready(Outcome::Broken(Side::Upstream, kind)),
            // A side that can no longer be written to may have sent a last answer before it went: the other
            // direction delivers that, and ends by itself.
            (Poll::Ready(request), Poll::Ready(response)) => Poll::Ready(match (request, response) {
                (Ended::WriteFailed(kind), _) => Outcome::Broken(Side::Upstream, kind),
                (_, Ended::WriteFailed(kind)) => Outcome::Broken(Side::Downstream, kind),
                _ => Outcome::Closed,
            }),
            _ => Poll::Pending,
        }
    })
    .await
}

/// One direction.
struct Flow {
    from: Side,
    to: Side,
    moved: u64,
    state: State,
}

enum State {
    Reading,
    /// The receiver did not take everything; `rest[taken..]` is still to be written.
    Writing {
        rest: Vec<u8>,
        taken: usize,
    },
    /// The sender has finished; the receiver is yet to be told.
    Closing,
    Over(Ended),
}

#[derive(Clone, Copy)]
enum Ended {
    Finished,
    ReadFailed(ErrorKind),
    WriteFailed(ErrorKind),
}

impl Flow {
    const fn new(from: Side, to: Side) -> Self {
        Self { from, to, moved: 0, state: State::Reading }
    }

    fn poll<R, W>(
        &mut self,
        cx: &mut Context<'_>,
        reader: &mut R,
        writer: &mut W,
        meter: &mut impl Meter,
    ) -> Poll<Ended>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let turn_ends = self.moved.saturating_add(BYTES_A_TURN as u64);
        loop {
            self.state = match &mut self.state {
                State::Reading if self.moved >= turn_ends => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                State::Reading => ready!(self.poll_move(cx, reader, writer, meter)),
                State::Writing { rest, taken } => {
                    match ready!(Pin::new(&mut *writer).poll_write(cx, &rest[*taken..])) {
                        Ok(0) => State::Over(Ended::WriteFailed(ErrorKind::WriteZero)),
                        Ok(bytes) => {
                            meter.written(self.to, bytes);
                            *taken += bytes;
                            if *taken < rest.len() {
                                continue;
                            }
                            State::Reading
                        }
                        Err(error) => State::Over(Ended::WriteFailed(error.kind())),
                    }
                }
                State::Closing => State::Over(match ready!(Pin::new(&mut *writer).poll_shutdown(cx)) {
                    Ok(()) => Ended::Finished,
                    Err(error) => Ended::WriteFailed(error.kind()),
                }),
                State::Over(ended) => return Poll::Ready(*ended),
            };
        }
    }

    /// Reads once and writes as much of it as the receiver takes.
    fn poll_move<R, W>(
        &mut self,
        cx: &mut Context<'_>,
        reader: &mut R,
        writer: &mut W,
        meter: &mut impl Meter,
    ) -> Poll<State>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        SCRATCH.with_borrow_mut(|scratch| {
            let mut buffer = ReadBuf::new(&mut scratch[..read_size(self.moved)]);
            if let Err(error) = ready!(Pin::new(reader).poll_read(cx, &mut buffer)) {
                return Poll::Ready(State::Over(Ended::ReadFailed(error.kind())));
            }
            let mut bytes = buffer.filled();
            if bytes.is_empty() {
                return Poll::Ready(State::Closing);
            }
            meter.read(self.from, bytes.len());
            self.moved += bytes.len() as u64;
            while !bytes.is_empty() {
                match Pin::new(&mut *writer).poll_write(cx, bytes) {
                    Poll::Ready(Ok(0)) => return Poll::Ready(State::Over(Ended::WriteFailed(ErrorKind::WriteZero))),
                    Poll::Ready(Ok(written)) => {
                        meter.written(self.to, written);
                        bytes = &bytes[written..];
                    }
                    Poll::Ready(Err(error)) => return Poll::Ready(State::Over(Ended::WriteFailed(error.kind()))),
                    Poll::Pending => return Poll::Ready(State::Writing { rest: bytes.to_vec(), taken: 0 }),
                }
            }
            Poll::Ready(State::Reading)
        })
    }
}

thread_local! {
    /// Borrowed within one poll only, never across an await: connections of a worker take turns with it.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; LONGEST_READ].into_boxed_slice());
}

#[cfg(test)]
mod tests;
