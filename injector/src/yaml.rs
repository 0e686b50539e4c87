//! YAML in and out, as Kubernetes' own tools read and write it.

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_saphyr::{Budget, DuplicateKeyPolicy, Error, NonFiniteFloatPolicy, Options, SerializerOptions};
use yamledit::Limits;

use crate::workload::FieldError;
use value::{Placed, is_too_large, without_fractions};

mod quick;
mod value;

/// An object in etcd has at most 1.5 MiB; this is far beyond what fits.
const MAX_NODES: usize = 250_000;
/// A List may have thousands of objects; it takes about a gigabyte then.
const MAX_NODES_OF_LONG_TEXTS: usize = 5_000_000;
/// Kubernetes' own types nest about 20 levels deep, custom resources rarely more.
pub(crate) const MAX_DEPTH: usize = 64;

/// Text that is not YAML, or not what was expected in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct YamlError {
    /// Line of the mistake, from 1, where it is known.
    pub line: Option<usize>,
    /// Column in that line, from 1, where it is known.
    pub column: Option<usize>,
    /// The mistakes one by one, where they are mistakes of fields.
    pub fields: Vec<FieldError>,
    /// What is wrong.
    pub message: String,
}

impl YamlError {
    /// A mistake of which no place is known.
    pub(crate) fn of(message: String) -> Self {
        Self { line: None, column: None, message, fields: Vec::new() }
    }

    /// Mistakes of fields.
    pub(crate) fn of_fields(fields: Vec<FieldError>) -> Self {
        let messages: Vec<String> = fields.iter().map(ToString::to_string).collect();
        Self { fields, ..Self::of(messages.join("; ")) }
    }
}

/// Reads one document of a user's manifest; an empty document is `null`.
///
/// Values are read as kubectl reads them: `0777` is octal, `yes` and `on` are booleans, `1.0` is an integer, `7e12345` a
/// text because no number is so large, and of duplicate keys the last one wins (see [`read_manifest_noting_duplicates`]).
/// Other than with kubectl, keys are taken as text (there `yes: x` has the key `true`), booleans may be in any case (there
/// `oN` is a text), and tags that JSON has no type for are refused.
///
/// # Errors
/// When the text is not YAML, or larger or deeper than the limits allow: 250,000 nodes, or one for every four bytes of a
/// text beyond a megabyte, and 64 levels.
pub fn read_manifest(text: &str) -> Result<Value, YamlError> {
    match read_quickly(text) {
        Some(value) => Ok(value),
        None => read_value(text, DuplicateKeyPolicy::LastWins),
    }
}

/// [`read_manifest`] of a document in one of the forms that nearly all have; none for the others, right or wrong.
pub(crate) fn read_quickly(text: &str) -> Option<Value> {
    quick::read(text, most_nodes(text))
}

/// [`read_manifest`], and the mistake in a document that has a key twice: what the first one said is lost.
///
/// # Errors
/// As [`read_manifest`].
pub fn read_manifest_noting_duplicates(text: &str) -> Result<(Value, Option<YamlError>), YamlError> {
    if let Some(value) = read_quickly(text) {
        return Ok((value, None));
    }
    // Few have any: for the others it is read once.
    match read_value(text, DuplicateKeyPolicy::Error) {
        Ok(value) => Ok((value, None)),
        Err(error) => read_value(text, DuplicateKeyPolicy::LastWins).map(|value| (value, Some(error))),
    }
}

/// Reads a document of our own configuration, where a duplicate key is a mistake.
///
/// # Errors
/// When the text is not YAML, has a key twice, or does not have the shape of `T`.
pub fn read_config<T: DeserializeOwned>(text: &str) -> Result<T, YamlError> {
    read(text, DuplicateKeyPolicy::Error)
}

/// Reads JSON, with errors in the form of this module.
///
/// # Errors
/// When the text is not JSON, or does not have the shape of `T`.
pub fn read_json<T: DeserializeOwned>(text: &str) -> Result<T, YamlError> {
    serde_json::from_str(text).map_err(|error| YamlError {
        line: Some(error.line()).filter(|line| *line > 0),
        column: Some(error.column()).filter(|column| *column > 0),
        fields: Vec::new(),
        message: without_location(&error.to_string()),
    })
}

/// Writes one document, in block style with lists flush with their key, keys in the order they have.
///
/// Strings that some YAML parser would read as a boolean, number or null are quoted.
///
/// # Errors
/// Never for a [`Value`] in practice; the serialiser's own error otherwise.
pub fn write(value: &Value) -> Result<String, YamlError> {
    if has_text_that_begins_with_a_tab(value) {
        return yamledit::write(value, &Limits::default()).map_err(|error| YamlError::of(error.to_string()));
    }
    // Folding a long line would hide JSON inside annotations from search; wide enough means never.
    let options: SerializerOptions = serde_saphyr::ser_options! { folded_wrap_chars: 1 << 20 };
    serde_saphyr::to_string_with_options(value, options).map_err(|error| YamlError::of(error.to_string()))
}

/// As the first line of a block scalar, which is how the serialiser writes a text of several lines, Go refuses it.
fn has_text_that_begins_with_a_tab(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\n') && text.trim_start_matches('\n').starts_with('\t'),
        Value::Array(items) => items.iter().any(has_text_that_begins_with_a_tab),
        Value::Object(entries) => entries.values().any(has_text_that_begins_with_a_tab),
        _ => false,
    }
}

/// Nodes that a text may have. Only aliases make more of a short one, and a long one has few bytes for none.
pub(crate) fn most_nodes(text: &str) -> usize {
    (text.len() / 4).clamp(MAX_NODES, MAX_NODES_OF_LONG_TEXTS)
}

/// Reads a value as kubectl reads it.
fn read_value(text: &str, duplicate_keys: DuplicateKeyPolicy) -> Result<Value, YamlError> {
    let read = match parse(text, duplicate_keys, NonFiniteFloatPolicy::Reject) {
        // Few have such a number: for the others it is read once.
        Err(error) if is_too_large(&error) => {
            parse(text, duplicate_keys, NonFiniteFloatPolicy::PassThrough).and_then(|root| Placed::value(root, text))
        }
        read => read,
    };
    let mut value = read.map_err(|error| mistake(&error, text))?;
    without_fractions(&mut value);
    Ok(value)
}

fn read<T: DeserializeOwned>(text: &str, duplicate_keys: DuplicateKeyPolicy) -> Result<T, YamlError> {
    parse(text, duplicate_keys, NonFiniteFloatPolicy::Reject).map_err(|error| mistake(&error, text))
}

fn parse<T: DeserializeOwned>(
    text: &str,
    duplicate_keys: DuplicateKeyPolicy,
    non_finite: NonFiniteFloatPolicy,
) -> Result<T, Error> {
    let (mut budget, most_nodes) = (Budget::default(), most_nodes(text));
    // What ends a collection is an event too.
    (budget.max_nodes, budget.max_events) = (most_nodes, budget.max_events.max(2 * most_nodes));
    budget.max_depth = MAX_DEPTH;
    let options: Options = serde_saphyr::options! {
        budget: Some(budget),
        duplicate_keys: duplicate_keys,
        legacy_octal_numbers: true,
        non_finite_float_policy: non_finite,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options)
}

/// What the parser says, in the words of who writes manifests.
fn mistake(error: &Error, text: &str) -> YamlError {
    let known = |number: u64| usize::try_from(number).ok().filter(|number| *number > 0);
    let line = error.location().and_then(|location| known(location.line()));
    let column = error.location().and_then(|location| known(location.column()));
    let message = without_location(&error.to_string());
    let message = match error {
        Error::NonFiniteFloat { value, .. } => format!("`{value}` is no number in JSON; write it in quotes"),
        Error::NullIntoString { .. } => "a key without a name; write it in quotes".to_owned(),
        Error::TaggedScalarCannotDeserializeIntoString { .. } => {
            "a tag that JSON has no type for; leave it away".to_owned()
        }
        _ if message.contains("budget breached") => {
            let most_nodes = most_nodes(text);
            format!("larger than {most_nodes} nodes, deeper than {MAX_DEPTH} levels, or too many aliases")
        }
        _ if message.starts_with("multiple YAML documents") => "several documents where one belongs".to_owned(),
        _ => message.find(", set DuplicateKeyPolicy").map_or(message.clone(), |end| message[..end].to_owned()),
    };
    YamlError { line, column, message, fields: Vec::new() }
}

/// The parsers end their messages with a place; ours is put in front, relative to the whole file.
fn without_location(message: &str) -> String {
    match message.rfind(" at line ") {
        Some(end) if !message[end..].contains('\n') => message[..end].to_owned(),
        _ => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn scalars_are_read_as_kubectl_reads_them() {
        let read = read_manifest("mode: 0777\nanswer: on\nquoted: 'on'\nlast: 1\nlast: 2\n").unwrap();
        assert_eq!(read, json!({"mode": 511, "answer": true, "quoted": "on", "last": 2}));
    }

    #[test]
    fn a_duplicate_key_in_our_configuration_is_a_mistake() {
        let error = read_config::<Value>("policy: enabled\npolicy: disabled\n").unwrap_err();
        assert_eq!(error.line, Some(2), "{error}");
    }

    #[test]
    fn a_syntax_error_has_a_line_and_no_second_mention_of_it() {
        let error = read_manifest("a: 1\nb: {").unwrap_err();
        assert_eq!(error.line, Some(2));
        assert!(!error.message.contains("line"), "{error}");
    }

    #[test]
    fn ambiguous_strings_are_quoted_and_long_ones_stay_on_one_line() {
        let long = "word ".repeat(100);
        let text = write(&json!({"on": "yes", "number": "1_000", "long": long})).unwrap();
        assert!(text.contains("\"on\": \"yes\""), "{text}");
        assert!(text.contains("number: \"1_000\""), "{text}");
        assert_eq!(text.lines().count(), 3, "{text}");
    }

    #[test]
    fn a_text_that_begins_with_a_tab_is_quoted() {
        let value = json!({"command": ["sh", "\tcurl x\n\techo\n", "\n\n\tx\n"]});
        let text = write(&value).unwrap();
        assert!(!text.contains('|') && read_manifest(&text).unwrap() == value, "{text}");
    }

    #[test]
    fn an_alias_bomb_is_refused() {
        let mut text = "a: &a [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for (from, to) in ["ab", "bc", "cd", "de", "ef", "fg", "gh"].iter().map(|pair| pair.split_at(1)) {
            text.push_str(&format!("{to}: &{to} [{}]\n", vec![format!("*{from}"); 10].join(",")));
        }
        assert!(read_manifest(&text).is_err());
    }

    #[test]
    fn deep_nesting_is_refused() {
        let (open, close) = ("[".repeat(65), "]".repeat(65));
        assert!(read_manifest(&format!("{open}{close}")).unwrap_err().message.contains("64 levels"));
        assert!(read_manifest(&"[".repeat(100_000)).is_err());
    }

    #[test]
    fn a_duplicate_key_is_found_with_its_line() {
        let duplicate = |text| read_manifest_noting_duplicates(text).unwrap().1;
        assert_eq!(duplicate("a: 1\nb: 2\n"), None);
        assert_eq!(duplicate("a: 1\nb: 2\na: 3\n").unwrap().line, Some(3));
    }
}
