//! Taking URLs apart.

use bstr::ByteSlice;

use super::address;
use super::escape::{Part, escape, unescape};
use crate::format::quote;

/// The parts of a URL, without the escapes but for the query and what is opaque.
#[derive(Debug, Default)]
pub(super) struct Url {
    /// In lower case.
    pub(super) scheme: Vec<u8>,
    /// What follows the scheme when that is no `/`.
    pub(super) opaque: Vec<u8>,
    pub(super) user: Option<User>,
    /// With the port.
    pub(super) host: Vec<u8>,
    pub(super) path: Vec<u8>,
    pub(super) query: Vec<u8>,
    pub(super) fragment: Vec<u8>,
}

/// What stands before the `@`.
#[derive(Debug, Default)]
pub(super) struct User {
    name: Vec<u8>,
    password: Option<Vec<u8>>,
}

impl User {
    /// As it is written in a URL.
    pub(super) fn escaped(&self) -> Vec<u8> {
        let mut escaped = escape(&self.name, Part::User);
        if let Some(password) = &self.password {
            escaped.push(b':');
            escaped.extend_from_slice(&escape(password, Part::User));
        }
        escaped
    }
}

impl Url {
    /// Parses an absolute or relative URL.
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        let (before, fragment) = cut(text, b"#");
        let error = |text: &[u8], error: String| format!("parse {}: {error}", quote(text));
        let mut url = Self::parse_without_fragment(before).map_err(|what| error(before, what))?;
        url.fragment = unescape(fragment, Part::Fragment).map_err(|what| error(text, what))?;
        Ok(url)
    }

    /// The host without its port and brackets.
    pub(super) fn hostname(&self) -> &[u8] {
        let host = &self.host[..];
        let host = host.rfind_byte(b':').filter(|colon| is_port(&host[*colon..])).map_or(host, |colon| &host[..colon]);
        host.strip_prefix(b"[").and_then(|host| host.strip_suffix(b"]")).unwrap_or(host)
    }

    fn parse_without_fragment(text: &[u8]) -> Result<Self, String> {
        if text.iter().any(u8::is_ascii_control) {
            return Err("net/url: invalid control character in URL".to_owned());
        }
        let mut url = Self::default();
        if text == b"*" {
            url.path = text.to_vec();
            return Ok(url);
        }
        let (scheme, rest) = split_scheme(text)?;
        url.scheme = scheme.to_ascii_lowercase();
        let (rest, query) = cut(rest, b"?");
        url.query = query.to_vec();
        if !rest.starts_with(b"/") {
            if !url.scheme.is_empty() {
                url.opaque = rest.to_vec();
                return Ok(url);
            }
            if cut(rest, b"/").0.contains(&b':') {
                return Err("first path segment in URL cannot contain colon".to_owned());
            }
        }
        let mut path = rest;
        if let Some(authority) = rest.strip_prefix(b"//")
            && (!url.scheme.is_empty() || !authority.starts_with(b"/"))
        {
            let end = authority.find_byte(b'/').unwrap_or(authority.len());
            url.read_authority(&authority[..end])?;
            path = &authority[end..];
        }
        url.path = unescape(path, Part::Path)?;
        Ok(url)
    }

    fn read_authority(&mut self, authority: &[u8]) -> Result<(), String> {
        let Some(at) = authority.rfind_byte(b'@') else {
            self.host = host(&self.scheme, authority)?;
            return Ok(());
        };
        self.host = host(&self.scheme, &authority[at + 1..])?;
        let userinfo = &authority[..at];
        if !userinfo.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(byte)) {
            return Err("net/url: invalid userinfo".to_owned());
        }
        let (name, password) = cut(userinfo, b":");
        self.user = Some(User {
            name: unescape(name, Part::User)?,
            password: if name.len() == userinfo.len() { None } else { Some(unescape(password, Part::User)?) },
        });
        Ok(())
    }
}

fn host(scheme: &[u8], host: &[u8]) -> Result<Vec<u8>, String> {
    match host.rfind_byte(b'[') {
        Some(0) => return bracketed_host(host),
        Some(_) => return Err("invalid IP-literal".to_owned()),
        None => {}
    }
    // Some databases have several hosts in one URL, each with its port.
    let colon = if matches!(scheme, b"http" | b"https") { host.find_byte(b':') } else { host.rfind_byte(b':') };
    if let Some(colon) = colon {
        check_port(&host[colon..])?;
    }
    unescape(host, Part::Host)
}

fn bracketed_host(host: &[u8]) -> Result<Vec<u8>, String> {
    let end = host.rfind_byte(b']').ok_or("missing ']' in host")?;
    check_port(&host[end + 1..])?;
    let port = unescape(&host[end + 1..], Part::Host)?;
    let address = &host[1..end];
    let zone = address.find(b"%25").unwrap_or(address.len());
    let mut unescaped = unescape(&address[..zone], Part::Host)?;
    unescaped.extend(unescape(&address[zone..], Part::Zone)?);
    address::check_ipv6(&unescaped)?;
    Ok([b"[", &unescaped[..], b"]", &port].concat())
}

fn check_port(port: &[u8]) -> Result<(), String> {
    match is_port(port) {
        true => Ok(()),
        false => Err(format!("invalid port {} after host", quote(port))),
    }
}

/// Nothing, or a colon and digits, of which there may be none.
fn is_port(text: &[u8]) -> bool {
    match text {
        [] => true,
        [b':', digits @ ..] => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

fn split_scheme(text: &[u8]) -> Result<(&[u8], &[u8]), String> {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    let length = text.iter().take_while(|byte| is_part(byte)).count();
    match text.get(length) {
        Some(b':') if length == 0 => Err("missing protocol scheme".to_owned()),
        Some(b':') if text[0].is_ascii_alphabetic() => Ok((&text[..length], &text[length + 1..])),
        _ => Ok((b"", text)),
    }
}

/// What stands before the separator and after it; all and nothing when it is not there.
fn cut<'a>(text: &'a [u8], separator: &[u8]) -> (&'a [u8], &'a [u8]) {
    text.split_once_str(separator).unwrap_or((text, b""))
}
