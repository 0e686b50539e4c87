//! Fetching a manifest over HTTPS.

use std::io;
use std::time::Duration;

use axum::http::{Request, Response, Uri, header};
use http_body_util::BodyExt;
use kube::client::Body;
use kube::{Client, Config};
use tokio::time::timeout;

/// As for a document in a file.
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// For all of it; a person waits.
const PATIENCE: Duration = Duration::from_secs(60);
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);
/// As many as browsers need for sensible sites.
const MAX_REDIRECTS: usize = 5;

/// Fetches what is at `address`, from servers that the system trusts.
///
/// # Errors
/// When it is not fetched within a minute, is larger than 64 MiB, or there is none.
pub fn fetch(address: &str) -> io::Result<Vec<u8>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let fetched = timeout(PATIENCE, follow(address)).await;
        fetched.unwrap_or_else(|_| Err(io::Error::other("it took more than a minute")))
    })
}

async fn follow(address: &str) -> io::Result<Vec<u8>> {
    let mut address = address.to_owned();
    for _ in 0..=MAX_REDIRECTS {
        let uri = parsed(&address)?;
        let response = get(&uri).await?;
        let status = response.status();
        if status.is_success() {
            return body(response).await;
        }
        let location = response.headers().get(header::LOCATION).and_then(|location| location.to_str().ok());
        match location.filter(|_| status.is_redirection()) {
            Some(location) => address = joined(&uri, location),
            None => return Err(io::Error::other(format!("the server answers {status}"))),
        }
    }
    Err(io::Error::other("it leads from one address to the next"))
}

fn parsed(address: &str) -> io::Result<Uri> {
    let uri: Uri = address.parse().map_err(|error| io::Error::other(format!("no valid address: {error}")))?;
    if uri.scheme_str() != Some("https") || uri.host().is_none() {
        return Err(io::Error::other(format!("it leads to {address}, which is no https:// address")));
    }
    Ok(uri)
}

/// The address that a redirection names, which may leave the server out.
fn joined(from: &Uri, location: &str) -> String {
    match from.authority() {
        Some(authority) if location.starts_with('/') && !location.starts_with("//") => {
            format!("https://{authority}{location}")
        }
        _ => location.to_owned(),
    }
}

async fn get(uri: &Uri) -> io::Result<Response<Body>> {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let server = Uri::builder().scheme("https").authority(authority).path_and_query("/").build();
    let mut config = Config::new(server.map_err(io::Error::other)?);
    config.connect_timeout = Some(CONNECT_PATIENCE);
    let client = Client::try_from(config).map_err(failed)?;
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let request = Request::get(target).body(Body::empty()).map_err(io::Error::other)?;
    client.send(request).await.map_err(failed)
}

async fn body(response: Response<Body>) -> io::Result<Vec<u8>> {
    let mut body = response.into_body();
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(failed)?.into_data() {
            bytes.extend_from_slice(&data);
        }
        if bytes.len() > MAX_BYTES {
            return Err(io::Error::other("it has more than 64 MiB"));
        }
    }
    Ok(bytes)
}

/// An error with all its causes: the outermost says little.
fn failed(error: impl std::error::Error) -> io::Error {
    let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
    io::Error::other(causes.map(ToString::to_string).collect::<Vec<_>>().join(": "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_is_followed() {
        assert!(parsed("http://example.org/").unwrap_err().to_string().contains("no https:// address"));
        assert!(parsed("https://").is_err() && parsed("https://a b/").is_err());
        let from = parsed("https://example.org/a/b?c").unwrap();
        assert_eq!(joined(&from, "/d"), "https://example.org/d");
        assert_eq!(joined(&from, "https://example.com/"), "https://example.com/");
        assert!(parsed(&joined(&from, "//example.com/")).is_err());
    }

    #[test]
    fn a_server_that_is_not_there_is_an_error() {
        assert!(fetch("https://127.0.0.1:1/a.yaml").is_err());
    }
}
