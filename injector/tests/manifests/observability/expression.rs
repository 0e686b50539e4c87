//! As much of PromQL as it takes to say which metrics an expression asks for.

use std::collections::BTreeSet;

/// Words that are followed by label names in parentheses.
const GROUPINGS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];
const OPERATORS: [&str; 6] = ["and", "or", "unless", "bool", "offset", "atan2"];

/// The metrics that `expression` names: words outside of braces, brackets and groupings that are neither functions nor
/// operators.
pub(crate) fn metrics(expression: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        match first {
            '{' => rest = after(rest, '}'),
            '[' => rest = after(rest, ']'),
            first if first.is_ascii_digit() => {
                rest = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '.');
            }
            first if is_word(first) => {
                let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                let (word, behind) = rest.split_at(end);
                rest = behind;
                if GROUPINGS.contains(&word) {
                    rest = after(rest, ')');
                } else if !OPERATORS.contains(&word) && !rest.trim_start().starts_with('(') && !aggregates(rest) {
                    found.insert(word.to_owned());
                }
            }
            first => rest = &rest[first.len_utf8()..],
        }
    }
    found
}

/// The values that label `name` is compared with.
pub(crate) fn values_of<'a>(expression: &'a str, name: &str) -> Vec<&'a str> {
    let comparisons = expression.split(name).skip(1);
    let compared = comparisons.filter_map(|rest| rest.trim_start_matches(['=', '!', '~']).strip_prefix('"'));
    compared.filter_map(|rest| Some(rest.split_once('"')?.0)).collect()
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == ':'
}

/// Whether `sum by (…)` goes on here.
fn aggregates(rest: &str) -> bool {
    ["by", "without"].iter().any(|word| {
        let behind = rest.trim_start().strip_prefix(word);
        behind.is_some_and(|behind| behind.trim_start().starts_with('('))
    })
}

/// What comes after the first `end` that is not in a string.
fn after(text: &str, end: char) -> &str {
    let mut in_string = false;
    for (at, c) in text.char_indices() {
        if c == '"' {
            in_string = !in_string;
        } else if c == end && !in_string {
            return &text[at + c.len_utf8()..];
        }
    }
    ""
}

#[test]
fn metrics_are_found_among_functions_labels_and_durations() {
    let found = |text: &str| metrics(text).into_iter().collect::<Vec<_>>();
    let ratio = r#"sum by (a, b) (rate(x_total{c="d}e",f=~"g"}[5m])) / sum(rate(y_total[$__interval])) > 0.05"#;
    assert_eq!(found(ratio), ["x_total", "y_total"]);
    assert_eq!(found("min by (a) (x_seconds) - time() < 4 * 3600"), ["x_seconds"]);
    assert_eq!(found("absent(up == 1) or on (a) z offset 5m"), ["up", "z"]);
    assert_eq!(values_of(ratio, "f"), ["g"]);
}
