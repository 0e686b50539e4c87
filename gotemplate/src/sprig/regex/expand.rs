//! Replacements that refer to groups: `$1`, `${name}`.

use crate::text::Str;
use crate::unicode::{decode, is_digit, is_letter};

/// Appends a template with `$1`, `$name` and `${name}` replaced by what groups matched, and `$$` by `$`. A group that
/// is not there is empty. Any other `$` stands for itself.
pub(super) fn expand<'a>(
    mut template: &[u8],
    names: &[Option<Str>],
    group: impl Fn(usize) -> Option<&'a [u8]>,
    out: &mut Vec<u8>,
) {
    while let Some(dollar) = template.iter().position(|&byte| byte == b'$') {
        let (before, after) = template.split_at(dollar);
        out.extend_from_slice(before);
        template = after.get(1..).unwrap_or_default();
        if let Some(rest) = template.strip_prefix(b"$") {
            out.push(b'$');
            template = rest;
        } else if let Some((name, rest)) = reference(template) {
            let matched = match number(name) {
                Some(number) => group(number),
                None => {
                    let mut same = names
                        .iter()
                        .enumerate()
                        .filter(|(_, given)| given.as_ref().is_some_and(|given| given.as_bytes() == name));
                    same.find_map(|(number, _)| group(number))
                }
            };
            out.extend_from_slice(matched.unwrap_or_default());
            template = rest;
        } else {
            out.push(b'$');
        }
    }
    out.extend_from_slice(template);
}

/// The name behind a `$`, as long as it goes on or in braces, and what follows.
fn reference(template: &[u8]) -> Option<(&[u8], &[u8])> {
    let in_braces = template.strip_prefix(b"{");
    let (name, rest) = name(in_braces.unwrap_or(template))?;
    match in_braces {
        Some(_) => Some((name, rest.strip_prefix(b"}")?)),
        None => Some((name, rest)),
    }
}

fn name(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut end = 0;
    while let Some((character, width)) = text.get(end..).and_then(decode) {
        if !is_letter(character) && !is_digit(character) && character != '_' {
            break;
        }
        end += width;
    }
    text.split_at_checked(end).filter(|(name, _)| !name.is_empty())
}

/// A number without zeros before it.
fn number(name: &[u8]) -> Option<usize> {
    if name.len() > 1 && name.starts_with(b"0") {
        return None;
    }
    const END: usize = 100_000_000;
    name.iter().try_fold(0, |number, byte| {
        (byte.is_ascii_digit() && number < END).then(|| number * 10 + usize::from(byte - b'0'))
    })
}
