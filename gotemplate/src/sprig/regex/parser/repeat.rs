//! Repetitions: `*`, `+`, `?`, `{2,3}`.

/// How often something may occur.
#[derive(Clone, Copy)]
pub(super) struct Repeat {
    pub(super) least: u32,
    /// None for any number.
    pub(super) most: Option<u32>,
    /// Whether the numbers were written out; only those add up.
    pub(super) is_counted: bool,
}

/// What is beyond any limit.
const BEYOND: u32 = u32::MAX;

impl Repeat {
    /// How often Go lets something be repeated, nested repetitions multiplied.
    pub(super) const LIMIT: u32 = 1000;

    /// Reads a repetition; gives what follows, too. None, for a brace that begins none.
    pub(super) fn parse(text: &[u8]) -> Option<(Self, &[u8])> {
        let (first, rest) = text.split_first()?;
        let plain = |least, most| (Self { least, most, is_counted: false }, rest);
        match first {
            b'*' => return Some(plain(0, None)),
            b'+' => return Some(plain(1, None)),
            b'?' => return Some(plain(0, Some(1))),
            _ => {}
        }
        let (least, rest) = number(rest)?;
        let (most, rest) = match rest.strip_prefix(b",") {
            None => (Some(least), rest),
            Some(rest) if rest.starts_with(b"}") => (None, rest),
            Some(rest) => {
                let (most, rest) = number(rest)?;
                (Some(most), rest)
            }
        };
        Some((Self { least, most, is_counted: true }, rest.strip_prefix(b"}")?))
    }

    pub(super) fn is_in_range(self) -> bool {
        self.least <= Self::LIMIT && self.most.is_none_or(|most| most <= Self::LIMIT && most >= self.least)
    }
}

/// A number without zeros before it.
fn number(text: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = text.split_at(text.iter().take_while(|byte| byte.is_ascii_digit()).count());
    if digits.is_empty() || (digits.len() > 1 && digits.starts_with(b"0")) {
        return None;
    }
    let value = std::str::from_utf8(digits).ok()?.parse().unwrap_or(BEYOND);
    Some((value, rest))
}
