//! Regular expressions of Go.

mod expand;
mod parser;
mod pattern;
mod property;
mod subject;

use self::pattern::Pattern;
use self::subject::Subject;
use super::collections::Strings;
use super::text::text;
use crate::format::quote;
use crate::function::{FunctionError, Functions};
use crate::limits::Budget;
use crate::text::Str;

pub(super) fn add(functions: &mut Functions) {
    add_with_go_names(functions, "regex", must_compile);
    add_with_go_names(functions, "mustRegex", Pattern::compile);
    functions
        .add("regexMatch", |budget: &Budget, pattern: Str, text: Str| match Pattern::compile(budget, &pattern) {
            Ok(pattern) => pattern.is_match(budget, &Subject::new(budget, &text)?),
            Err(error) if error.is_limit() => Err(error),
            Err(_) => Ok(false),
        })
        .add("mustRegexMatch", |budget: &Budget, pattern: Str, text: Str| {
            Pattern::compile(budget, &pattern)?.is_match(budget, &Subject::new(budget, &text)?)
        })
        .add("regexQuoteMeta", |budget: &Budget, text: Str| self::text(budget, quote_meta(&text)));
}

type Compile = fn(&Budget, &[u8]) -> Result<Pattern, FunctionError>;

/// Adds the functions that exist in two forms, which differ in the error for what is no pattern.
fn add_with_go_names(functions: &mut Functions, prefix: &str, compile: Compile) {
    functions
        .add(format!("{prefix}Find"), move |budget: &Budget, pattern: Str, text: Str| {
            find(budget, &compile(budget, &pattern)?, &text)
        })
        .add(format!("{prefix}FindAll"), move |budget: &Budget, pattern: Str, text: Str, count: isize| {
            find_all(budget, &compile(budget, &pattern)?, &text, count)
        })
        .add(format!("{prefix}Split"), move |budget: &Budget, pattern: Str, text: Str, count: isize| {
            split(budget, &compile(budget, &pattern)?, &text, count, pattern.is_empty())
        })
        .add(format!("{prefix}ReplaceAll"), move |budget: &Budget, pattern: Str, text: Str, template: Str| {
            let pattern = compile(budget, &pattern)?;
            replace_all(budget, &pattern, &text, &template, |subject, groups, out| {
                expand::expand(
                    &template,
                    pattern.group_names(),
                    |group| subject.part(groups.get(group)?.clone()?),
                    out,
                );
            })
        })
        .add(format!("{prefix}ReplaceAllLiteral"), move |budget: &Budget, pattern: Str, text: Str, new: Str| {
            replace_all(budget, &compile(budget, &pattern)?, &text, &new, |_, _, out| out.extend_from_slice(&new))
        });
}

/// What is no pattern makes Go panic with more words.
fn must_compile(budget: &Budget, pattern: &[u8]) -> Result<Pattern, FunctionError> {
    Pattern::compile(budget, pattern).map_err(|error| match error.is_limit() {
        true => error,
        false => FunctionError::new(format!("regexp: Compile({}): {error}", quoted(pattern))),
    })
}

/// In backquotes where Go could read it back, in double quotes elsewhere.
fn quoted(pattern: &[u8]) -> String {
    match std::str::from_utf8(pattern) {
        Ok(text)
            if !text.contains(|sign: char| {
                sign == '`' || sign == '\u{feff}' || (sign.is_ascii_control() && sign != '\t')
            }) =>
        {
            format!("`{text}`")
        }
        _ => quote(pattern),
    }
}

fn find(budget: &Budget, pattern: &Pattern, searched: &[u8]) -> Result<Str, FunctionError> {
    let subject = Subject::new(budget, searched)?;
    let mut found = Vec::new();
    pattern.find_all(budget, &subject, 1, |groups| {
        found.extend_from_slice(
            groups.first().cloned().flatten().and_then(|span| subject.part(span)).unwrap_or_default(),
        );
        Ok(())
    })?;
    text(budget, found)
}

fn find_all(budget: &Budget, pattern: &Pattern, searched: &[u8], count: isize) -> Result<Strings, FunctionError> {
    let subject = Subject::new(budget, searched)?;
    let mut found = Vec::new();
    pattern.find_all(budget, &subject, usize::try_from(count).unwrap_or(usize::MAX), |groups| {
        let part = groups.first().cloned().flatten().and_then(|span| subject.part(span)).unwrap_or_default();
        budget.allocate_values(1)?;
        found.push(text(budget, part.to_vec())?);
        Ok(())
    })?;
    Ok(Strings((!found.is_empty()).then_some(found)))
}

/// The parts between matches: at most `count`, or all when it is negative.
fn split(
    budget: &Budget,
    pattern: &Pattern,
    searched: &[u8],
    count: isize,
    is_empty: bool,
) -> Result<Strings, FunctionError> {
    let limit = usize::try_from(count).unwrap_or(usize::MAX);
    if limit == 0 {
        return Ok(Strings(None));
    }
    if searched.is_empty() && !is_empty {
        return Ok(Strings(Some(vec![Str::default()])));
    }
    let subject = Subject::new(budget, searched)?;
    let mut parts = Vec::new();
    let (mut begin, mut end) = (0, 0);
    let part = |range| {
        budget.allocate_values(1)?;
        text(budget, subject.part(range).unwrap_or_default().to_vec())
    };
    pattern.find_all(budget, &subject, limit, |groups| {
        if let Some(Some(found)) = groups.first()
            && parts.len() < limit - 1
        {
            end = found.start;
            // A match of nothing at the beginning makes no part.
            if found.end != 0 {
                parts.push(part(begin..end)?);
            }
            begin = found.end;
        }
        Ok(())
    })?;
    if end != subject.text().len() {
        parts.push(part(begin..subject.text().len())?);
    }
    Ok(Strings(Some(parts)))
}

fn replace_all(
    budget: &Budget,
    pattern: &Pattern,
    searched: &[u8],
    new: &[u8],
    replace: impl Fn(&Subject<'_>, &pattern::Groups, &mut Vec<u8>),
) -> Result<Str, FunctionError> {
    let subject = Subject::new(budget, searched)?;
    let mut out = Vec::new();
    let mut charged = 0;
    let mut copied = 0;
    pattern.find_all(budget, &subject, usize::MAX, |groups| {
        let Some(Some(found)) = groups.first() else { return Ok(()) };
        out.extend_from_slice(subject.part(copied..found.start).unwrap_or_default());
        budget.work(new.len() as u64 / 8)?;
        replace(&subject, groups, &mut out);
        copied = found.end;
        budget.allocate(out.len() - std::mem::replace(&mut charged, out.len()))
    })?;
    out.extend_from_slice(subject.part(copied..subject.text().len()).unwrap_or_default());
    budget.allocate(out.len() - charged)?;
    Ok(out.into())
}

/// With a backslash before every sign that means something in a pattern.
fn quote_meta(text: &[u8]) -> Vec<u8> {
    let mut quoted = Vec::with_capacity(text.len());
    for &byte in text {
        if br"\.+*?()|[]{}^$".contains(&byte) {
            quoted.push(b'\\');
        }
        quoted.push(byte);
    }
    quoted
}

#[cfg(test)]
mod tests;
