//! Changing one document: all at once, or where it is a List in blocks, item by item.

use std::borrow::Cow;

use serde_json::Value;
use yamledit::Document;

use super::change::{Change, Uninject};
use super::items::Items;
use super::objects::{Mistakes, change_item, change_object};
use super::original::{self, Restored};
use super::report::{ManifestError, ObjectReport};
use super::text::{self, Form, Written};
use super::{ChangedDocument, reading};
use crate::warnings::{DUPLICATE_KEY, TEXT_NOT_KEPT, TEXT_NOT_RESTORED, Warning};
use crate::yaml;

/// How often what is written may change the order of what is to be written; once is rare.
const MOST_ATTEMPTS_AT_ORDER: usize = 3;

/// Changes a document, the `number`th of its stream.
///
/// # Errors
/// All mistakes in it.
pub(super) fn change_document<'a>(
    document: Document<'a>,
    number: usize,
    change: &impl Change,
    form: Form,
) -> Result<ChangedDocument<'a>, Vec<ManifestError>> {
    if document.is_empty() {
        return Ok(ChangedDocument { source: document, text: Cow::Borrowed(document.text), report: Vec::new() });
    }
    let items = (form == Form::Kept).then(|| Items::of(document.text)).flatten();
    match items.and_then(|items| change_items(document, number, &items, change)) {
        Some(changed) => changed,
        None => change_whole(document, number, change, form),
    }
}

fn change_whole<'a>(
    document: Document<'a>,
    number: usize,
    change: &impl Change,
    form: Form,
) -> Result<ChangedDocument<'a>, Vec<ManifestError>> {
    let (value, duplicate) = yaml::read_manifest_noting_duplicates(document.text)
        .map_err(|error| vec![reading::not_yaml(&document, number, &error)])?;
    let (line, mut report) = (document.first_line(), Vec::new());
    let mistakes = |mistakes| errors(line, number, mistakes);
    let after = change_object(&value, change, line, &mut report).map_err(mistakes)?;
    let Some(after) = after else {
        return Ok(ChangedDocument { source: document, text: Cow::Borrowed(document.text), report });
    };
    if let (Some(duplicate), Some(first)) = (duplicate, report.first_mut()) {
        let line = document.line + duplicate.line.map_or(0, |line| line - 1);
        first.warnings.push(Warning::new(DUPLICATE_KEY, format!("line {line}: {duplicate}; only the last one counts")));
    }
    let unit = Unit { text: document.text, value, is_item: false };
    let changed = unit.changed(after, change, form);
    let (text, warning) = changed.map_err(|problem| mistakes(vec![(String::new(), problem)]))?;
    warn(&mut report, warning);
    Ok(ChangedDocument { source: document, text: text.into(), report })
}

/// Changes a List item by item; none where an item is written in a way that takes the parser, as with an alias that leads
/// out of it.
fn change_items<'a>(
    document: Document<'a>,
    number: usize,
    parts: &Items<'a>,
    change: &impl Change,
) -> Option<Result<ChangedDocument<'a>, Vec<ManifestError>>> {
    let (mut text, mut report, mut wrong) = (None, Vec::new(), Vec::new());
    // Offset of the item in the document.
    let mut at = parts.head.len();
    let mut line = document.line + lines(parts.head);
    for (index, item) in parts.items.iter().enumerate() {
        let unit = Unit { text: item, value: yaml::read_quickly(item)?, is_item: true };
        let object = unit.object()?;
        let changed = change_item(object, index, change, line, &mut report).and_then(|after| match after {
            Some(after) => unit
                .changed(after, change, Form::Kept)
                .map(Some)
                .map_err(|problem| vec![(format!("List items[{index}]"), problem)]),
            None => Ok(None),
        });
        match changed {
            Ok(Some((changed, warning))) => {
                text.get_or_insert_with(|| document.text[..at].to_owned()).push_str(&changed);
                warn(&mut report, warning);
            }
            Ok(None) => text.iter_mut().for_each(|text| text.push_str(item)),
            Err(mistakes) => wrong.extend(errors(line, number, mistakes)),
        }
        (at, line) = (at + item.len(), line + lines(item));
    }
    if !wrong.is_empty() {
        return Some(Err(wrong));
    }
    let text = text.map_or(Cow::Borrowed(document.text), |text| Cow::Owned(text + parts.tail));
    Some(Ok(ChangedDocument { source: document, text, report }))
}

fn warn(report: &mut [ObjectReport], warning: Option<Warning>) {
    if let Some(object) = report.last_mut() {
        object.warnings.extend(warning);
    }
}

fn errors(line: usize, number: usize, mistakes: Mistakes) -> Vec<ManifestError> {
    let error = |(object, message)| ManifestError { line, document: Some(number), object, message };
    mistakes.into_iter().map(error).collect()
}

fn lines(text: &str) -> usize {
    memchr::memchr_iter(b'\n', text.as_bytes()).count()
}

/// A text with an object in it: a document, or an item of a List, as a list with only this item.
struct Unit<'a> {
    text: &'a str,
    value: Value,
    is_item: bool,
}

impl Unit<'_> {
    fn object(&self) -> Option<&Value> {
        self.object_in(&self.value)
    }

    fn object_in<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        match value {
            Value::Array(items) if self.is_item => items.first().filter(|_| items.len() == 1),
            value => Some(value).filter(|_| !self.is_item),
        }
    }

    fn value_with(&self, object: Value) -> Value {
        if self.is_item { Value::Array(vec![object]) } else { object }
    }

    /// The text when the object becomes `after` by this change, and what its owner should know of the text.
    ///
    /// # Errors
    /// A sentence, when it cannot be written.
    fn changed(&self, after: Value, change: &impl Change, form: Form) -> Result<(String, Option<Warning>), String> {
        let after = self.value_with(after);
        if form == Form::Canonical {
            return Ok((text::write(self.text, &self.value, &after, form)?.text, None));
        }
        if change.is_undoing() {
            let Restored { text, left } = restored(&self.settled(self.text, &self.value, after, change)?);
            let warning = (!left.is_empty()).then(|| {
                let text = format!(
                    "the text has changed since it was injected; what could not be put back stays in comments, \
                     `# uninject: …` ({})",
                    left.len()
                );
                Warning::new(TEXT_NOT_RESTORED, text)
            });
            return Ok((text, warning));
        }
        let (bare, original) = match self.undone(self.text, &self.value)? {
            Some(former) => (original::bare(self.text), restored(&former)),
            None => (self.text.into(), Restored { text: self.text.to_owned(), left: Vec::new() }),
        };
        let written = self.settled(&bare, &self.value, after, change)?;
        self.commented(written, original)
    }

    /// The text with comments from which an uninjection makes the original, where it does not do so without.
    fn commented(&self, written: Written, original: Restored) -> Result<(String, Option<Warning>), String> {
        let comes_back = |text: &str| -> Result<bool, String> {
            let undone = self.undone(text, &written.value)?;
            Ok(undone.is_some_and(|undone| restored(&undone).text == original.text))
        };
        if original.left.is_empty() && comes_back(&written.text)? {
            return Ok((written.text, None));
        }
        // A comment needs a line of its own.
        let text = original::with_line_end(&written.text);
        let mut hunks = match self.undone(&text, &written.value)? {
            Some(back) => original::hunks(&back.text, &original.text),
            None => Vec::new(),
        };
        let was_left = !original.left.is_empty();
        hunks.extend(original.left.iter().cloned());
        let says_the_same = |text: &String| yaml::read_manifest(text).is_ok_and(|value| value == written.value);
        let commented = original::commented(&text, &hunks).filter(says_the_same);
        match commented {
            Some(commented) if was_left || comes_back(&commented)? => Ok((commented, None)),
            commented => {
                let why = "uninject will give back what it says, but not every comment, quote and blank in it";
                Ok((commented.unwrap_or(written.text), Some(Warning::new(TEXT_NOT_KEPT, why))))
            }
        }
    }

    /// Writes what a text is to say. Keys keep the order of the text whatever it is in the value, and what an injection
    /// writes down of the order has to be that of the text.
    fn settled(&self, text: &str, value: &Value, after: Value, change: &impl Change) -> Result<Written, String> {
        let mut written = text::write(text, value, &after, Form::Kept)?;
        let mut wanted = after;
        for _ in 0..MOST_ATTEMPTS_AT_ORDER {
            if text::have_same_order(&written.value, &wanted) {
                break;
            }
            let Some(again) = self.object_in(&written.value).and_then(|object| changed(object, change)) else { break };
            wanted = self.value_with(again);
            written = text::write(&written.text, &written.value, &wanted, Form::Kept)?;
        }
        Ok(written)
    }

    /// What an uninjection makes of a text; none when there is nothing to undo.
    fn undone(&self, text: &str, value: &Value) -> Result<Option<Written>, String> {
        let Some(before) = self.object_in(value).and_then(|object| changed(object, &Uninject)) else { return Ok(None) };
        text::write(text, value, &self.value_with(before), Form::Kept).map(Some)
    }
}

/// What was undone, with what can be put back of its original text without saying anything else.
fn restored(undone: &Written) -> Restored {
    original::restored(&undone.text, |text| yaml::read_manifest(text).is_ok_and(|value| value == undone.value))
}

/// What becomes of an object; none where nothing does.
fn changed(object: &Value, change: &impl Change) -> Option<Value> {
    change_object(object, change, 0, &mut Vec::new()).ok().flatten()
}
