//! Moves bytes both ways between two sockets until both have finished sending.
//!
//! # Guarantees
//! - Half-close is kept: the end of one direction is passed on (FIN) and leaves the other running.
//! - Back-pressure is kept: nothing more is read from a peer until the other has taken what was read before.
//! - An idle connection holds no buffer. Reads go into one scratch buffer of the thread; only what the other side
//!   does not take at once is copied aside: [`read_size`] bounds it for a direction, and for the thread.
//! - A busy connection lets others have their turn after [`BYTES_A_TURN`].

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io::ErrorKind;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

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
/// When one direction has ended and the other has moved nothing for `half_close_timeout`, whoever is to end it is lost.
///
/// Returns [`Outcome::Closed`] or [`Outcome::Broken`]. The sockets are left to the caller to close: after
/// `Broken`, with a reset, so that the surviving side does not take it for a complete transfer.
pub async fn relay(
    downstream: &mut TcpStream,
    upstream: &mut TcpStream,
    meter: &mut impl Meter,
    half_close_timeout: Option<Duration>,
) -> Outcome {
    let (mut downstream_read, mut downstream_write) = downstream.split();
    let (mut upstream_read, mut upstream_write) = upstream.split();
    let mut request = Flow::new(Side::Downstream, Side::Upstream);
    let mut response = Flow::new(Side::Upstream, Side::Downstream);
    let mut half_closed = None;
    poll_fn(|context| {
        let to_upstream = request.poll(context, &mut downstream_read, &mut upstream_write, meter);
        let to_downstream = response.poll(context, &mut upstream_read, &mut downstream_write, meter);
        match (to_upstream, to_downstream) {
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
            (Poll::Pending, Poll::Pending) => Poll::Pending,
            (to_upstream, _) => {
                let Some(timeout) = half_close_timeout else { return Poll::Pending };
                let unfinished = if to_upstream.is_ready() { &response } else { &request };
                let half_closed = half_closed.get_or_insert_with(|| HalfClosed::new(timeout, unfinished.moved));
                ready!(half_closed.poll(context, timeout, unfinished.moved));
                Poll::Ready(Outcome::Broken(unfinished.from, ErrorKind::TimedOut))
            }
        }
    })
    .await
}

/// Watches the direction that is left when the other has ended.
struct HalfClosed {
    timer: Pin<Box<Sleep>>,
    moved: u64,
}

impl HalfClosed {
    fn new(timeout: Duration, moved: u64) -> Self {
        Self { timer: Box::pin(sleep(timeout)), moved }
    }

    /// Ready when nothing was moved since the timer was last set.
    fn poll(&mut self, cx: &mut Context<'_>, timeout: Duration, moved: u64) -> Poll<()> {
        loop {
            ready!(self.timer.as_mut().poll(cx));
            if std::mem::replace(&mut self.moved, moved) == moved {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(Instant::now() + timeout);
        }
    }
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
        rest: Rest,
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
                    match ready!(Pin::new(&mut *writer).poll_write(cx, &rest.0[*taken..])) {
                        Ok(0) => State::Over(Ended::WriteFailed(ErrorKind::WriteZero)),
                        Ok(bytes) => {
                            meter.written(self.to, bytes);
                            *taken += bytes;
                            if *taken < rest.0.len() {
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
            let mut buffer = ReadBuf::new(&mut scratch[..read_size(self.moved, HELD.get())]);
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
                    Poll::Pending => return Poll::Ready(State::Writing { rest: Rest::of(bytes), taken: 0 }),
                }
            }
            Poll::Ready(State::Reading)
        })
    }
}

/// Bytes that the receiver has not taken yet.
struct Rest(Vec<u8>);

impl Rest {
    fn of(bytes: &[u8]) -> Self {
        HELD.set(HELD.get() + bytes.len());
        Self(bytes.to_vec())
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        HELD.set(HELD.get().saturating_sub(self.0.len()));
    }
}

thread_local! {
    /// Bytes in every [`Rest`] of this thread. A connection never leaves its worker, so it ends where it began.
    static HELD: Cell<usize> = const { Cell::new(0) };

    /// Borrowed within one poll only, never across an await: connections of a worker take turns with it.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; LONGEST_READ].into_boxed_slice());
}

#[cfg(test)]
mod tests;
