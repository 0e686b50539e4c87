//! A semantic version, or what is close to one.

use std::cmp::Ordering;
use std::fmt;

use crate::function::FunctionError;
use crate::text::Str;

/// A version. Minor and patch may be left out, and a `v` may stand before it.
#[derive(Clone, Debug, Default)]
pub(super) struct Version {
    pub(super) major: u64,
    pub(super) minor: u64,
    pub(super) patch: u64,
    /// What follows `-`; empty for a release.
    pub(super) prerelease: String,
    /// What follows `+`.
    pub(super) metadata: String,
    /// As it was written.
    pub(super) original: Str,
}

/// The parts of a version as they are written, in the order in which they come.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Parts<'a> {
    /// The whole, with its `v`.
    pub(super) text: &'a [u8],
    pub(super) major: &'a [u8],
    /// Without its point; empty when left out.
    pub(super) minor: &'a [u8],
    /// Without its point; empty when left out.
    pub(super) patch: &'a [u8],
    /// Without its `-`.
    pub(super) prerelease: &'a [u8],
    /// Without its `+`.
    pub(super) metadata: &'a [u8],
}

impl<'a> Parts<'a> {
    /// As much as can be read from the start of the text as a version whose numbers are made of such bytes.
    pub(super) fn read(text: &'a [u8], is_digit: fn(u8) -> bool) -> Option<Self> {
        let unprefixed = text.strip_prefix(b"v").unwrap_or(text);
        let (major, mut rest) = split_while(unprefixed, is_digit);
        if major.is_empty() {
            return None;
        }
        let mut number = || match rest.strip_prefix(b".").map(|after| split_while(after, is_digit)) {
            Some((number, after)) if !number.is_empty() => {
                rest = after;
                number
            }
            _ => &[],
        };
        let minor = number();
        let patch = if minor.is_empty() { &[] } else { number() };
        let (prerelease, rest) = split_identifiers(rest, b'-');
        let (metadata, rest) = split_identifiers(rest, b'+');
        let text = &text[..text.len() - rest.len()];
        Some(Self { text, major, minor, patch, prerelease, metadata })
    }
}

impl Version {
    /// Reads a version.
    pub(super) fn parse(text: &Str) -> Result<Self, FunctionError> {
        let parts = Parts::read(text.as_bytes(), |byte| byte.is_ascii_digit());
        let parts =
            parts.filter(|parts| parts.text.len() == text.as_bytes().len()).ok_or("Invalid Semantic Version")?;
        Self::of(parts)
    }

    pub(super) fn of(parts: Parts<'_>) -> Result<Self, FunctionError> {
        let version = Self {
            major: number(parts.major)?,
            minor: number(parts.minor)?,
            patch: number(parts.patch)?,
            prerelease: text(parts.prerelease),
            metadata: text(parts.metadata),
            original: parts.text.into(),
        };
        check_prerelease(&version.prerelease)?;
        Ok(version)
    }

    /// A change of this version, which keeps its `v`.
    pub(super) fn changed(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut changed = self.clone();
        change(&mut changed);
        let prefix = if self.original.as_bytes().starts_with(b"v") { "v" } else { "" };
        changed.original = format!("{prefix}{changed}").into();
        changed
    }

    /// Which of them is the later one. Metadata does not matter.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let numbers = |version: &Self| (version.major, version.minor, version.patch);
        numbers(self).cmp(&numbers(other)).then_with(|| compare_prereleases(&self.prerelease, &other.prerelease))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if !self.prerelease.is_empty() {
            write!(f, "-{}", self.prerelease)?;
        }
        if !self.metadata.is_empty() {
            write!(f, "+{}", self.metadata)?;
        }
        Ok(())
    }
}

/// A release is later than its prereleases.
pub(super) fn compare_prereleases(a: &str, b: &str) -> Ordering {
    match (a.is_empty(), b.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (a, b) => compare_identifiers(a.unwrap_or_default(), b.unwrap_or_default()),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// Fails for what is no prerelease.
pub(super) fn check_prerelease(prerelease: &str) -> Result<(), FunctionError> {
    for identifier in prerelease.split('.') {
        if identifier.bytes().all(|byte| byte.is_ascii_digit()) {
            if identifier.len() > 1 && identifier.starts_with('0') {
                return Err("Version segment starts with 0".into());
            }
        } else if !identifier.bytes().all(is_identifier) {
            return Err("Invalid Prerelease string".into());
        }
    }
    Ok(())
}

/// Fails for what is no metadata.
pub(super) fn check_metadata(metadata: &str) -> Result<(), FunctionError> {
    match metadata.bytes().all(|byte| byte == b'.' || is_identifier(byte)) {
        true => Ok(()),
        false => Err("Invalid Metadata string".into()),
    }
}

/// Numbers come before texts, and nothing before both.
fn compare_identifiers(a: &str, b: &str) -> Ordering {
    let number = |text: &str| text.parse::<u64>().ok();
    match (a.is_empty(), b.is_empty(), number(a), number(b)) {
        (true, ..) | (_, true, ..) => b.is_empty().cmp(&a.is_empty()),
        (.., Some(a_number), Some(b_number)) if a != b => a_number.cmp(&b_number).then(Ordering::Less),
        (.., Some(_), None) => Ordering::Less,
        (.., None, Some(_)) => Ordering::Greater,
        _ => a.cmp(b),
    }
}

/// An identifier or several, each after a point, with this byte before them.
fn split_identifiers(text: &[u8], before: u8) -> (&[u8], &[u8]) {
    let Some(after) = text.strip_prefix(&[before]) else { return (&[], text) };
    let mut length = split_while(after, is_identifier).0.len();
    if length == 0 {
        return (&[], text);
    }
    while let Some(more) = after[length..].strip_prefix(b".") {
        match split_while(more, is_identifier).0.len() {
            0 => break,
            more => length += 1 + more,
        }
    }
    after.split_at(length)
}

fn split_while(text: &[u8], belongs: fn(u8) -> bool) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|byte| belongs(**byte)).count())
}

fn is_identifier(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

fn number(digits: &[u8]) -> Result<u64, FunctionError> {
    let digits = text(digits);
    if digits.is_empty() {
        return Ok(0);
    }
    digits.parse().map_err(|_| {
        let message = format!("strconv.ParseUint: parsing \"{digits}\": value out of range");
        FunctionError::new(format!("Error parsing version segment: {message}"))
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
