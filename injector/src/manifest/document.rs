//! Changing one document: all at once, or where it is a List in blocks, item by item.

use std::borrow::Cow;

use serde_json::Value;
use yamledit::Document;

use super::change::{Change, Uninject};
use super::items::Items;
use super::objects::{Mistakes, change_item, change_object};
use super::original::{self, Original};
use super::report::ManifestError;
use super::text::{self, Form, Written};
use super::{ChangedDocument, reading};
use crate::warnings::{DUPLICATE_KEY, Warning};
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
    let written = unit.changed(after, change, form).map_err(|problem| mistakes(vec![(String::new(), problem)]))?;
    Ok(ChangedDocument { source: document, text: written.into(), report })
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
                .map(Cow::Owned)
                .map_err(|problem| vec![(format!("List items[{index}]"), problem)]),
            None => Ok(Cow::Borrowed(*item)),
        });
        match changed {
            Ok(Cow::Owned(changed)) => text.get_or_insert_with(|| document.text[..at].to_owned()).push_str(&changed),
            Ok(Cow::Borrowed(item)) => text.iter_mut().for_each(|text| text.push_str(item)),
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

    /// The text when the object becomes `after` by this change.
    ///
    /// # Errors
    /// A sentence, when it cannot be written.
    fn changed(&self, after: Value, change: &impl Change, form: Form) -> Result<String, String> {
        if form == Form::Canonical {
            return Ok(text::write(self.text, &self.value, &self.value_with(after), form)?.text);
        }
        let (bare, original) = Original::taken_from(self.text);
        let written = self.settled(&bare, &self.value, self.value_with(after), change)?;
        if change.is_undoing() {
            return Ok(self.restored(written, original.as_ref()));
        }
        let original = match self.undone(&bare, &self.value)? {
            Some(former) => self.restored(former, original.as_ref()),
            None => bare,
        };
        Ok(self.commented(&written, &original)?.unwrap_or(written.text))
    }

    /// The text with a comment from which an uninjection makes the original; none where it does so without.
    fn commented(&self, written: &Written, original: &str) -> Result<Option<String>, String> {
        let Some(back) = self.undone(&written.text, &written.value)? else { return Ok(None) };
        if back.text == original {
            return Ok(None);
        }
        // A comment needs a line of its own.
        let text = original::with_line_end(&written.text);
        let Some(back) = self.undone(&text, &written.value)? else { return Ok(None) };
        let commented = Original::of(&back.text, original).and_then(|record| record.put_behind(&text));
        Ok(commented.filter(|text| yaml::read_manifest(text).is_ok_and(|value| value == written.value)))
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

    /// What was undone, with its original text where there is one that says the same.
    fn restored(&self, undone: Written, original: Option<&Original>) -> String {
        let original = original.and_then(|original| original.applied_to(&undone.text));
        let says_the_same = |text: &String| yaml::read_manifest(text).is_ok_and(|value| value == undone.value);
        original.filter(says_the_same).unwrap_or(undone.text)
    }
}

/// What becomes of an object; none where nothing does.
fn changed(object: &Value, change: &impl Change) -> Option<Value> {
    change_object(object, change, 0, &mut Vec::new()).ok().flatten()
}
