//! What the API server's clock says, as certificates are only good where clocks agree.

use std::time::{Duration, SystemTime};

use axum::http::header::DATE;
use axum::http::{HeaderMap, Request};
use k8s_openapi::jiff::fmt::rfc2822::DateTimeParser;
use kube::Client;
use kube::client::Body;
use tokio::time::timeout;

use super::REQUEST;

/// Anybody may ask for it, and every answer has a date.
const PATH: &str = "/version";

/// Compares the clock, which says `now`, with the API server's. One who says nothing of the time is taken to agree.
///
/// # Errors
/// When they are further apart than `tolerance`.
pub(super) async fn check(client: &Client, now: SystemTime, tolerance: Duration) -> Result<(), String> {
    let Ok(request) = Request::get(PATH).body(Body::empty()) else { return Ok(()) };
    match timeout(REQUEST, client.send(request)).await {
        Ok(Ok(answer)) => compare(now, answer.headers(), tolerance),
        // Nothing can be written then either, and that tells why.
        Ok(Err(_)) | Err(_) => Ok(()),
    }
}

fn compare(now: SystemTime, headers: &HeaderMap, tolerance: Duration) -> Result<(), String> {
    let date = headers.get(DATE).and_then(|date| date.to_str().ok());
    let Some(date) = date.and_then(|date| DateTimeParser::new().parse_timestamp(date).ok()) else { return Ok(()) };
    let theirs = SystemTime::from(date);
    let (apart, is_behind) = match now.duration_since(theirs) {
        Ok(apart) => (apart, false),
        Err(error) => (error.duration(), true),
    };
    if apart <= tolerance {
        return Ok(());
    }
    // Without seconds, which would be news each time.
    let apart = humantime::format_duration(Duration::from_secs(apart.as_secs() / 60 * 60));
    let which = if is_behind { "behind" } else { "ahead of" };
    Err(format!("nothing is written: the clock of this node is {apart} {which} the API server's; set the clock"))
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn clocks_that_are_further_apart_than_a_certificate_is_backdated_are_told() {
        let hour = Duration::from_secs(3600);
        let theirs = UNIX_EPOCH + Duration::from_secs(784_111_777);
        let headers = HeaderMap::from_iter([(DATE, "Sun, 06 Nov 1994 08:49:37 GMT".parse().unwrap())]);
        let compared = |now| compare(now, &headers, hour);
        for now in [theirs, theirs + hour, theirs - hour] {
            assert_eq!(compared(now), Ok(()));
        }
        assert!(compared(theirs + hour * 30).unwrap_err().contains("1day 6h ahead of"));
        assert!(compared(theirs - hour * 2).unwrap_err().contains("2h behind"));
        assert_eq!(compare(theirs, &HeaderMap::new(), hour), Ok(()));
        let headers = HeaderMap::from_iter([(DATE, "yesterday".parse().unwrap())]);
        assert_eq!(compare(theirs, &headers, hour), Ok(()));
    }
}
