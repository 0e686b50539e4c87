//! Groups that begin with `(?`: named ones, and those that set flags.

use super::Parser;
use super::error::{Error, Kind};

/// What `(?imsU)` sets.
#[derive(Clone, Copy, Default)]
pub(super) struct Flags {
    pub(super) ignores_case: bool,
    pub(super) is_multi_line: bool,
    pub(super) dot_matches_line_end: bool,
    pub(super) is_ungreedy: bool,
}

impl Parser<'_> {
    /// Reads the beginning of a group, or flags for the rest of this one.
    pub(super) fn special_group(&mut self) -> Result<(), Error> {
        // A name needs something behind the `<`, else it is taken for flags.
        for (beginning, least) in [(&b"(?P<"[..], 5), (b"(?<", 4)] {
            if self.rest.starts_with(beginning) && self.rest.len() >= least {
                return self.named_group(beginning.len());
            }
        }
        let before = self.rest;
        self.skip(2);
        let mut flags = self.flags;
        let mut is_on = true;
        let mut has_flag = false;
        while !self.rest.is_empty() {
            let flag = match self.character()? {
                'i' => &mut flags.ignores_case,
                'm' => &mut flags.is_multi_line,
                's' => &mut flags.dot_matches_line_end,
                'U' => &mut flags.is_ungreedy,
                '-' if is_on => {
                    is_on = false;
                    has_flag = false;
                    continue;
                }
                end @ (':' | ')') if is_on || has_flag => {
                    if end == ':' {
                        self.open(None);
                    }
                    self.flags = flags;
                    return Ok(());
                }
                _ => break,
            };
            *flag = is_on;
            has_flag = true;
        }
        Err(Error::new(Kind::InvalidPerlOperator, self.since(before)))
    }

    fn named_group(&mut self, beginning: usize) -> Result<(), Error> {
        let before = self.rest;
        let Some(end) = before.iter().position(|&byte| byte == b'>') else {
            self.check_utf8(before)?;
            return Err(Error::new(Kind::InvalidNamedGroup, before));
        };
        let name = before.get(beginning..end).unwrap_or_default();
        self.check_utf8(name)?;
        self.skip(end + 1);
        if name.is_empty() || !name.iter().all(|&byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(Error::new(Kind::InvalidNamedGroup, self.since(before)));
        }
        self.open(Some(Some(name.into())));
        Ok(())
    }

    pub(super) fn check_utf8(&self, text: &[u8]) -> Result<(), Error> {
        let invalid = |error: std::str::Utf8Error| text.get(error.valid_up_to()..).unwrap_or_default();
        std::str::from_utf8(text).map(|_| ()).map_err(|error| Error::new(Kind::InvalidUtf8, invalid(error)))
    }
}
