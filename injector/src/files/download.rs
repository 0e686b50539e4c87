//! Fetching a manifest over HTTPS.

use std::io;
use std::time::Duration;

use axum::http::{Request, Response, StatusCode, Uri, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
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

/// Sites tell programs apart by it, and some answer none that does not say who it is.
const USER_AGENT: &str = concat!("sidecar-injector/", env!("CARGO_PKG_VERSION"));
/// Where others are told of a proxy.
const PROXY_VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// Fetches what is at `address`, from servers that the system trusts, and through no proxy. User and password before the
/// server's name are sent to it, and to no other.
///
/// # Errors
/// When it is not fetched within a minute, is larger than 64 MiB, or there is none.
pub fn fetch(address: &str) -> io::Result<Vec<u8>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime
        .block_on(async {
            let fetched = timeout(PATIENCE, follow(address)).await;
            fetched.unwrap_or_else(|_| Err(io::Error::other("it took more than a minute")))
        })
        .map_err(|error| match PROXY_VARIABLES.iter().find(|name| std::env::var_os(name).is_some()) {
            Some(name) => io::Error::other(format!(
                "{error}; {name} is not used: fetch it with `curl ADDRESS | sidecar-injector … -f -`"
            )),
            None => error,
        })
}

/// The address without user and password, to be shown.
pub fn without_secret(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    match authority.rfind('@') {
        Some(at) => format!("{scheme}://***{}", &rest[at..]),
        None => address.to_owned(),
    }
}

async fn follow(address: &str) -> io::Result<Vec<u8>> {
    let mut address = address.to_owned();
    for _ in 0..=MAX_REDIRECTS {
        let uri = parsed(&address)?;
        let response = get(&uri).await?;
        let status = response.status();
        // Other successes have no contents, or not all of them.
        if status == StatusCode::OK {
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
        return Err(io::Error::other(format!("it leads to {}, which is no https:// address", without_secret(address))));
    }
    Ok(uri)
}

/// The address that a redirection names, as seen from where it is (RFC 3986, 5.2).
fn joined(from: &Uri, location: &str) -> String {
    let location = location.split('#').next().unwrap_or_default();
    let is_whole = location.find(':').is_some_and(|colon| !location[..colon].contains(['/', '?']));
    if is_whole {
        return location.to_owned();
    }
    if location.starts_with("//") {
        return format!("https:{location}");
    }
    let authority = from.authority().map_or("", |authority| authority.as_str());
    let (path, query) = match location.split_once('?') {
        Some((path, query)) => (path, format!("?{query}")),
        None => (location, String::new()),
    };
    let folder = from.path().rsplit_once('/').map_or("", |(folder, _)| folder);
    let path = match path {
        "" => from.path().to_owned(),
        path if path.starts_with('/') => without_dots(path),
        path => without_dots(&format!("{folder}/{path}")),
    };
    format!("https://{authority}{path}{query}")
}

/// A path without `.` and `..`.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/').skip(1) {
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            segment => kept.push(segment),
        }
    }
    if path.ends_with("/.") || path.ends_with("/..") {
        kept.push("");
    }
    format!("/{}", kept.join("/"))
}

/// User and password of an address, as HTTP takes them; there, what is not for an address stands as `%40`.
fn credentials(authority: &str) -> Option<String> {
    let (user, _) = authority.rsplit_once('@')?;
    let (mut bytes, mut rest) = (Vec::new(), user.as_bytes());
    while let Some((first, behind)) = rest.split_first() {
        let escaped = behind.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        match escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    Some(format!("Basic {}", STANDARD.encode(bytes)))
}

async fn get(uri: &Uri) -> io::Result<Response<Body>> {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let host = authority.rsplit('@').next().unwrap_or_default();
    let server = Uri::builder().scheme("https").authority(host).path_and_query("/").build();
    let mut config = Config::new(server.map_err(io::Error::other)?);
    config.connect_timeout = Some(CONNECT_PATIENCE);
    let client = Client::try_from(config).map_err(failed)?;
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let mut request = Request::get(target).header(header::USER_AGENT, USER_AGENT);
    if let Some(credentials) = credentials(authority) {
        request = request.header(header::AUTHORIZATION, credentials);
    }
    let request = request.body(Body::empty()).map_err(io::Error::other)?;
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
        assert!(parsed(&joined(&from, "http://example.org/")).is_err());
    }

    #[test]
    fn redirections_are_relative_to_where_they_are() {
        let from = parsed("https://me@example.org/a/b?c").unwrap();
        for (location, expected) in [
            ("/d", "https://me@example.org/d"),
            ("d?e:f#g", "https://me@example.org/a/d?e:f"),
            ("./../d/./e/..", "https://me@example.org/d/"),
            ("../../../d", "https://me@example.org/d"),
            ("?d", "https://me@example.org/a/b?d"),
            ("//example.com/", "https://example.com/"),
            ("https://example.com/", "https://example.com/"),
        ] {
            assert_eq!(joined(&from, location), expected, "{location}");
        }
    }

    #[test]
    fn passwords_are_sent_and_not_shown() {
        assert_eq!(without_secret("https://me:secret@example.org/a@b"), "https://***@example.org/a@b");
        assert_eq!(without_secret("https://example.org/a@b"), "https://example.org/a@b");
        assert_eq!(credentials("me:s%40t%@example.org"), Some(format!("Basic {}", STANDARD.encode("me:s@t%"))));
        assert_eq!(credentials("example.org"), None);
        let error = parsed("http://me:secret@example.org/").unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
    }

    #[test]
    fn a_server_that_is_not_there_is_an_error() {
        assert!(fetch("https://127.0.0.1:1/a.yaml").is_err());
    }
}
