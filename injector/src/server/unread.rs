//! Answers that a client has not taken yet: they use memory, and so count until they are gone.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use hyper::body::{Frame, SizeHint};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::server::peers::Place;

/// The answers of a connection that wait to be read. Clones share the count.
#[derive(Clone, Debug, Default)]
pub(super) struct Unread {
    waiting: Arc<watch::Sender<usize>>,
    taken: Arc<watch::Sender<u64>>,
}

impl Unread {
    /// Counts `response` until the last of its bytes has been sent, or the connection is gone. A [`Place`] among its
    /// extensions is held for as long.
    pub(super) fn until_taken(&self, mut response: Response) -> Response {
        let place = response.extensions_mut().remove::<Arc<Place>>();
        self.waiting.send_modify(|count| *count += 1);
        let held = Arc::new(Held { unread: self.clone(), _place: place });
        response.map(|inner| Body::new(Counted { inner, held }))
    }

    /// Completes when answers have been waiting for so long, and not one of them was taken.
    pub(super) async fn stuck(&self, length: Duration) {
        let (mut waiting, mut taken) = (self.waiting.subscribe(), self.taken.subscribe());
        loop {
            // Neither wait fails: the senders are in `self`.
            let _ = waiting.wait_for(|count| *count > 0).await;
            taken.mark_unchanged();
            if timeout(length, taken.changed()).await.is_err() {
                return;
            }
        }
    }
}

#[derive(Debug)]
struct Held {
    unread: Unread,
    _place: Option<Arc<Place>>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.unread.waiting.send_modify(|count| *count -= 1);
        self.unread.taken.send_modify(|count| *count = count.wrapping_add(1));
    }
}

/// A body whose every piece remembers that it is held.
struct Counted {
    inner: Body,
    held: Arc<Held>,
}

struct Piece {
    bytes: Bytes,
    _held: Arc<Held>,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(context));
        let held = |bytes| Bytes::from_owner(Piece { bytes, _held: Arc::clone(&self.held) });
        Poll::Ready(frame.map(|frame| frame.map(|frame| frame.map_data(held))))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;
    use tokio::time::Instant;

    const PATIENCE: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn an_answer_counts_until_its_bytes_are_gone() {
        let unread = Unread::default();
        let response = unread.until_taken(Response::new(Body::from("text")));
        assert_eq!(response.body().size_hint().exact(), Some(4));
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!((&bytes[..], *unread.waiting.borrow()), (&b"text"[..], 1));
        let start = Instant::now();
        unread.stuck(PATIENCE).await;
        assert_eq!(start.elapsed(), PATIENCE);
        drop(bytes);
        assert_eq!(*unread.waiting.borrow(), 0);
        assert!(timeout(PATIENCE * 2, unread.stuck(PATIENCE)).await.is_err(), "nothing waits");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_reads_is_waited_for() {
        let unread = Unread::default();
        let mut answers: Vec<_> = (0..5).map(|_| unread.until_taken(Response::new(Body::from("text")))).collect();
        let start = Instant::now();
        tokio::join!(unread.stuck(PATIENCE), async {
            for _ in 0..3 {
                tokio::time::sleep(PATIENCE / 2).await;
                answers.pop();
            }
        });
        assert_eq!(start.elapsed(), PATIENCE / 2 * 3 + PATIENCE);
    }
}
