//! Request bodies, with a limit on what all of them together may hold in memory.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::StatusCode;
use http_body_util::BodyExt;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

use crate::server::answer::Refusal;
use crate::server::peers::Peer;

/// Largest request body. An object in etcd is limited to 1.5 MiB, and a review may carry two of them.
pub const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;
/// Most values (scalars, arrays, objects) in a body. One may cost 1.7 kB until its pod is patched, and three bytes on the
/// wire; the largest pods of 1.5 MiB are long texts, and have a few thousand.
pub(super) const MAX_VALUES: usize = 100_000;

/// The reviews of nearly all pods are smaller, and never wait for a large one.
const SMALL_BYTES: usize = 256 * 1024;
const SMALL_VALUES: usize = 10_000;
/// What small bodies may hold together.
const SMALL_TOTAL_BYTES: usize = 32 * 1024 * 1024;
/// Larger bodies that are read, or wait to be reviewed, at once.
const LARGE_BODIES: usize = 4;
/// How long to wait for others' bodies to go away: less than API servers wait for the answer, which is five seconds, so
/// that they get to see it.
const PATIENCE: Duration = Duration::from_secs(2);
/// A client that is still sending does not see an answer over HTTP/2, so that the rest of a body that is refused is read
/// and thrown away, within limits.
const DISCARD_BYTES: usize = 32 * 1024 * 1024;
const DISCARD_TIME: Duration = Duration::from_secs(2);

/// The room that bodies share. Clones share it too.
#[derive(Clone, Debug)]
pub(super) struct Bodies {
    small: Arc<Semaphore>,
    large: Arc<Semaphore>,
    /// Parsing multiplies a large body's size, so that it is done one at a time.
    turn: Arc<Semaphore>,
}

/// A body in memory, and its share of the room.
#[derive(Debug)]
pub(super) struct Held {
    bytes: Vec<u8>,
    peer: Arc<Peer>,
    room: Room,
    _turn: Option<Share>,
}

#[derive(Debug)]
enum Room {
    Small(Share),
    Large(#[expect(dead_code, reason = "held, not read")] Share),
}

/// Of what one client may take, and of what all may take.
#[derive(Debug)]
struct Share {
    own: OwnedSemaphorePermit,
    shared: OwnedSemaphorePermit,
}

impl Default for Bodies {
    fn default() -> Self {
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self { small: semaphore(SMALL_TOTAL_BYTES), large: semaphore(LARGE_BODIES), turn: semaphore(1) }
    }
}

impl Bodies {
    /// Reads a whole body that `peer` sends.
    ///
    /// # Errors
    /// 408 at `deadline`, 413 when it is too large, 503 when others hold too much, 400 when the client breaks off.
    pub(super) async fn read(&self, mut body: Body, peer: Arc<Peer>, deadline: Instant) -> Result<Held, Refusal> {
        let read = timeout_at(deadline, self.collect(&mut body, peer)).await;
        let refusal = match read {
            Ok(Ok(held)) => return Ok(held),
            Ok(Err(refusal)) => refusal,
            Err(_) => Refusal::new(StatusCode::REQUEST_TIMEOUT, "timeout", "the body took too long to arrive"),
        };
        discard(body).await;
        Err(refusal)
    }

    async fn collect(&self, body: &mut Body, peer: Arc<Peer>) -> Result<Held, Refusal> {
        let room = Room::Small(room(&peer.small, &self.small, 0, "bodies").await?);
        let mut held = Held { bytes: Vec::new(), peer, room, _turn: None };
        // A small body takes its room as it arrives: what is only announced keeps nobody out.
        let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        if announced > SMALL_BYTES {
            self.make_room(&mut held, announced).await?;
        }
        while let Some(frame) = body.frame().await {
            let unreadable = |error| Refusal::new(StatusCode::BAD_REQUEST, "unreadable", format!("the body: {error}"));
            // Trailers say nothing here.
            let Ok(data) = frame.map_err(unreadable)?.into_data() else { continue };
            let length = held.bytes.len() + data.len();
            self.make_room(&mut held, length).await?;
            held.bytes.extend_from_slice(&data);
        }
        Ok(held)
    }

    /// Makes sure that `held` may grow to `length` bytes.
    async fn make_room(&self, held: &mut Held, length: usize) -> Result<(), Refusal> {
        if length > MAX_BODY_BYTES {
            return Err(too_large());
        }
        match &mut held.room {
            Room::Large(_) => {}
            Room::Small(reserved) if length <= SMALL_BYTES => {
                let missing = length.saturating_sub(reserved.own.num_permits());
                let more = room(&held.peer.small, &self.small, missing, "bodies").await?;
                reserved.own.merge(more.own);
                reserved.shared.merge(more.shared);
            }
            Room::Small(_) => {
                held.room = Room::Large(room(&held.peer.large, &self.large, 1, "large_bodies").await?);
                // In one go: doubling would hold two copies. The kernel gives the pages when they are written to.
                held.bytes.reserve_exact(MAX_BODY_BYTES - held.bytes.len());
            }
        }
        Ok(())
    }

    /// Waits until a body may be parsed, and says whether that takes so long that others must not wait behind it.
    ///
    /// # Errors
    /// 503 when too many others wait.
    pub(super) async fn turn(&self, held: &mut Held) -> Result<Load, Refusal> {
        let values = values(&held.bytes);
        if values <= SMALL_VALUES && matches!(held.room, Room::Small(_)) {
            return Ok(Load::Light);
        }
        held._turn = Some(room(&held.peer.turn, &self.turn, 1, "turn").await?);
        Ok(if values > MAX_VALUES { Load::Excessive } else { Load::Heavy })
    }
}

/// How long a body keeps a processor busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Load {
    /// Some milliseconds at most.
    Light,
    /// Long enough to be noticed by others.
    Heavy,
    /// Too many values: it is not to be parsed at all.
    Excessive,
}

impl Held {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Reads what is left of a body that is not wanted, so that the client gets to see the answer.
pub(super) async fn discard(mut body: Body) {
    if body.size_hint().lower() > DISCARD_BYTES as u64 {
        return;
    }
    let reading = async {
        let mut discarded = 0;
        while let Some(Ok(frame)) = body.frame().await {
            discarded += frame.data_ref().map_or(0, Bytes::len);
            if discarded > DISCARD_BYTES {
                return;
            }
        }
    };
    // Whoever is slower than this may miss the answer.
    let _ = timeout(DISCARD_TIME, reading).await;
}

async fn room(
    own: &Arc<Semaphore>,
    shared: &Arc<Semaphore>,
    permits: usize,
    limit: &'static str,
) -> Result<Share, Refusal> {
    let acquiring = async {
        // What is asked for at once is at most a small body.
        let own = Arc::clone(own).acquire_many_owned(permits as u32).await?;
        Ok(Share { own, shared: Arc::clone(shared).acquire_many_owned(permits as u32).await? })
    };
    let busy = || Refusal::busy(limit, "too many bodies at once; try again");
    timeout(PATIENCE, acquiring).await.map_err(|_| busy())?.map_err(|_: AcquireError| busy())
}

fn too_large() -> Refusal {
    let message = format!("the body is larger than {MAX_BODY_BYTES} bytes");
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
}

/// At least as many values as `json` has, without parsing it: every one but the first follows a bracket, comma or colon.
fn values(json: &[u8]) -> usize {
    let (mut values, mut in_string, mut escaped) = (1, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            b'[' | b',' | b':' if !in_string => values += 1,
            _ => {}
        }
    }
    values
}

#[cfg(test)]
mod tests;
