//! Strings: cut, trimmed, searched, quoted and joined.

mod camel;
mod case;
mod cut;
mod join;
mod split;
mod words;
mod wrap;

use bstr::ByteSlice;

use self::wrap::LongWords;
use super::text::{Change, print, strval, text};
use crate::format::quote as quoted;
use crate::function::{FunctionError, Functions, Variadic};
use crate::limits::Budget;
use crate::text::Str;
use crate::value::Value;

pub(super) fn add(functions: &mut Functions) {
    add_case(functions);
    add_tests(functions);
    add_printing(functions);
    cut::add(functions);
    join::add(functions);
    split::add(functions);
    functions
        .add("hello", || "Hello!")
        .add("repeat", |budget: &Budget, count: isize, text: Str| repeat(budget, &text, count))
        .add("indent", |budget: &Budget, spaces: isize, text: Str| indent(budget, spaces, &text))
        .add("nindent", |budget: &Budget, spaces: isize, text: Str| {
            let indented = indent(budget, spaces, &text)?;
            self::text(budget, [b"\n", indented.as_bytes()].concat())
        })
        .add("replace", |budget: &Budget, old: Str, new: Str, text: Str| replace(budget, &text, &old, &new))
        .add("plural", |one: Str, many: Str, count: isize| if count == 1 { one } else { many })
        .add("wrap", |budget: &Budget, width: isize, text: Str| {
            wrap::wrap(budget, &text, width, b"\n", LongWords::Keep)
        })
        .add("wrapWith", |budget: &Budget, width: isize, newline: Str, text: Str| {
            let newline = if newline.is_empty() { b"\n" } else { newline.as_bytes() };
            wrap::wrap(budget, &text, width, newline, LongWords::Cut)
        });
}

fn add_case(functions: &mut Functions) {
    let changes: [(&str, Change); 10] = [
        ("upper", case::upper),
        ("lower", case::lower),
        ("title", case::title),
        ("untitle", case::untitle),
        ("swapcase", case::swapcase),
        ("initials", case::initials),
        ("nospace", case::nospace),
        ("camelcase", camel::camelcase),
        ("snakecase", |text| words::join(text, '_')),
        ("kebabcase", |text| words::join(text, '-')),
    ];
    for (name, change) in changes {
        functions.add(name, move |budget: &Budget, text: Str| self::text(budget, change(&text)));
    }
}

fn add_tests(functions: &mut Functions) {
    functions
        .add("contains", |part: Str, text: Str| text.contains_str(part.as_bytes()))
        .add("hasPrefix", |prefix: Str, text: Str| text.starts_with(prefix.as_bytes()))
        .add("hasSuffix", |suffix: Str, text: Str| text.ends_with(suffix.as_bytes()));
}

fn add_printing(functions: &mut Functions) {
    functions
        .add("toString", |budget: &Budget, value: Value| strval(budget, &value))
        .add("quote", |budget: &Budget, values: Variadic<Value>| {
            spaced(budget, &values.0, |value| text(budget, quoted(&strval(budget, value)?).into_bytes()))
        })
        .add("squote", |budget: &Budget, values: Variadic<Value>| {
            spaced(budget, &values.0, |value| text(budget, [b"'", print(budget, value)?.as_bytes(), b"'"].concat()))
        })
        .add("cat", |budget: &Budget, values: Variadic<Value>| spaced(budget, &values.0, |value| print(budget, value)));
}

/// What `print` gives for each value that is not nil, with spaces between.
fn spaced(
    budget: &Budget,
    values: &[Value],
    print: impl Fn(&Value) -> Result<Str, FunctionError>,
) -> Result<Str, FunctionError> {
    let mut out = Vec::new();
    for (position, value) in values.iter().filter(|value| !matches!(value, Value::Nil)).enumerate() {
        if position > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(&print(value)?);
    }
    text(budget, out)
}

fn repeat(budget: &Budget, text: &[u8], count: isize) -> Result<Str, FunctionError> {
    let count = usize::try_from(count).map_err(|_| "strings: negative Repeat count")?;
    let length = text.len().checked_mul(count).filter(|&length| isize::try_from(length).is_ok());
    budget.allocate(length.ok_or("strings: Repeat output length overflow")?)?;
    Ok(text.repeat(count).into())
}

/// Every line of the text, empty ones too, after so many spaces.
fn indent(budget: &Budget, spaces: isize, text: &[u8]) -> Result<Str, FunctionError> {
    let padding = repeat(budget, b" ", spaces)?;
    replace(budget, &[padding.as_bytes(), text].concat(), b"\n", &[b"\n", padding.as_bytes()].concat())
}

/// Every `old` in the text replaced by `new`. An empty one is found before each rune and at the end.
fn replace(budget: &Budget, text: &[u8], old: &[u8], new: &[u8]) -> Result<Str, FunctionError> {
    let count = match old {
        [] => super::text::runes(text).count() + 1,
        _ => text.find_iter(old).count(),
    };
    let length = (text.len() - count * old.len()).saturating_add(count.saturating_mul(new.len()));
    budget.allocate(length)?;
    let mut out = Vec::with_capacity(length);
    if old.is_empty() {
        for rune in super::text::runes(text) {
            out.extend_from_slice(new);
            out.extend_from_slice(text.get(rune.start..rune.start + rune.width).unwrap_or_default());
        }
        out.extend_from_slice(new);
    } else {
        text.replace_into(old, new, &mut out);
    }
    Ok(out.into())
}

#[cfg(test)]
mod tests;
