//! What bodies may hold, and when they are refused.

use super::*;

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::Frame;

/// A body of unknown length: so many chunks, and then its end, or silence.
struct Chunks {
    left: usize,
    chunk: Bytes,
    ends: bool,
}

impl HttpBody for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                Poll::Ready(Some(Ok(Frame::data(self.chunk.clone()))))
            }
            None if self.ends => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}

const KIB: usize = 1024;

fn chunks(kib: usize, ends: bool) -> Body {
    Body::new(Chunks { left: kib, chunk: Bytes::from_static(&[b' '; KIB]), ends })
}

async fn read(bodies: &Bodies, body: Body) -> Result<Held, &'static str> {
    read_of(bodies, &Arc::new(Peer::unlimited()), body).await
}

async fn read_of(bodies: &Bodies, peer: &Arc<Peer>, body: Body) -> Result<Held, &'static str> {
    let deadline = Instant::now() + Duration::from_secs(10);
    bodies.read(body, Arc::clone(peer), deadline).await.map_err(|refusal| refusal.code())
}

#[tokio::test(start_paused = true)]
async fn one_client_leaves_room_for_others() {
    let (bodies, flood) = (Bodies::default(), Arc::new(Peer::default()));
    let (mut large, mut small) = (Vec::new(), Vec::new());
    while let Ok(held) = read_of(&bodies, &flood, chunks(300, true)).await {
        large.push(held);
    }
    while let Ok(held) = read_of(&bodies, &flood, chunks(256, true)).await {
        small.push(held);
    }
    assert!(!large.is_empty() && !small.is_empty());
    for kib in [1, 256, 300, 8 * KIB] {
        assert!(read(&bodies, chunks(kib, true)).await.is_ok(), "{kib}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_is_read_up_to_the_limit() {
    let bodies = Bodies::default();
    for kib in [0, 1, 256, 257, 8 * KIB] {
        assert_eq!(read(&bodies, chunks(kib, true)).await.unwrap().bytes().len(), kib * KIB);
        assert_eq!(read(&bodies, Body::from(vec![b' '; kib * KIB])).await.unwrap().bytes().len(), kib * KIB);
    }
    assert_eq!(read(&bodies, chunks(8 * KIB + 1, true)).await.unwrap_err(), "too_large");
    assert_eq!(read(&bodies, Body::from(vec![b' '; MAX_BODY_BYTES + 1])).await.unwrap_err(), "too_large");
    assert_eq!(bodies.small.available_permits(), SMALL_TOTAL_BYTES, "nothing is kept");
    assert_eq!(bodies.large.available_permits(), LARGE_BODIES, "nothing is kept");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_arrive_is_given_up() {
    let start = Instant::now();
    assert_eq!(read(&Bodies::default(), chunks(300, false)).await.unwrap_err(), "timeout");
    assert!(start.elapsed() <= Duration::from_secs(10) + DISCARD_TIME);
}

#[tokio::test(start_paused = true)]
async fn large_bodies_wait_for_each_other_and_small_ones_for_nobody() {
    let bodies = Bodies::default();
    let mut held = Vec::new();
    for _ in 0..LARGE_BODIES {
        held.push(read(&bodies, chunks(300, true)).await.unwrap());
    }
    let start = Instant::now();
    let mut small = read(&bodies, chunks(200, true)).await.unwrap();
    assert_eq!(bodies.turn(&mut small).await.unwrap(), Load::Light);
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(read(&bodies, chunks(300, true)).await.unwrap_err(), "large_bodies");
    assert_eq!(start.elapsed(), PATIENCE);
    let (_, waited) = tokio::join!(
        async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            held.pop();
        },
        read(&bodies, chunks(300, true))
    );
    assert!(waited.is_ok());
}

#[tokio::test(start_paused = true)]
async fn small_bodies_are_limited_together() {
    let bodies = Bodies::default();
    let mut held = Vec::new();
    for _ in 0..SMALL_TOTAL_BYTES / SMALL_BYTES {
        held.push(read(&bodies, chunks(256, true)).await.unwrap());
    }
    assert_eq!(read(&bodies, chunks(1, true)).await.unwrap_err(), "bodies");
    held.pop();
    assert!(read(&bodies, chunks(1, true)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn heavy_bodies_are_parsed_one_at_a_time() {
    let bodies = Bodies::default();
    let body = |values: usize| Body::from(format!("[{}0]", "0,".repeat(values - 2)));
    let mut first = read(&bodies, body(SMALL_VALUES + 1)).await.unwrap();
    let mut second = read(&bodies, body(SMALL_VALUES + 1)).await.unwrap();
    assert_eq!(bodies.turn(&mut first).await.unwrap(), Load::Heavy);
    assert_eq!(bodies.turn(&mut second).await.unwrap_err().code(), "turn");
    drop(first);
    assert_eq!(bodies.turn(&mut second).await.unwrap(), Load::Heavy);
    let mut light = read(&bodies, body(SMALL_VALUES)).await.unwrap();
    assert_eq!(bodies.turn(&mut light).await.unwrap(), Load::Light);
    let mut too_many = read(&bodies, body(MAX_VALUES + 1)).await.unwrap();
    drop(second);
    assert_eq!(bodies.turn(&mut too_many).await.unwrap(), Load::Excessive);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_wanted_is_read_within_limits() {
    let start = Instant::now();
    discard(chunks(10 * KIB, true)).await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    discard(chunks(100 * KIB, false)).await;
    assert_eq!(start.elapsed(), Duration::ZERO, "stops at the limit");
    discard(chunks(1, false)).await;
    assert_eq!(start.elapsed(), DISCARD_TIME);
}

#[test]
fn values_are_counted_without_parsing() {
    for (json, expected) in
        [("1", 1), ("[1,2]", 3), (r#"{"a":1,"b":[2]}"#, 5), (r#"["a,b:[c", "\",,", "\\", 1]"#, 5), ("[[0],[0]]", 5)]
    {
        let counted = values(json.as_bytes());
        assert!(counted >= expected && counted <= expected + 2, "{json}: {counted}");
    }
}
