//! The JSONPatch (RFC 6902) from one pod to another, in few operations that a person can read.
//!
//! Mappings differ key by key. Keyed lists ([`pod_schema`]) are aligned by key, other lists by equal elements, so
//! that a container in front is one operation and not a rewrite of the whole list:
//!
//! ```text
//! {"op":"add","path":"/spec/containers/0","value":{"name":"istio-proxy"}}
//! {"op":"replace","path":"/spec/containers/1/image","value":"app:2"}
//! ```

use std::io;

use json_patch::jsonptr::{PointerBuf, Token};
use json_patch::{AddOperation, MoveOperation, Patch, PatchOperation, RemoveOperation, ReplaceOperation};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::patch::alignment::Alignment;
use crate::pod_schema;

mod alignment;

/// How often an element of a list may be shifted by operations before it, over all elements; past that the list is
/// replaced, as whoever applies the patch shifts them one operation at a time.
const MOST_SHIFTS: usize = 1_000_000;

/// Why a patch is not to be sent.
#[derive(Debug, thiserror::Error)]
pub enum PatchError {
    /// An operation of it fails.
    #[error("the patch does not apply: {0}")]
    DoesNotApply(#[from] json_patch::PatchError),
    /// It applies, and gives some other pod.
    #[error("the patch does not give the injected pod")]
    GivesAnother,
}

/// The operations that turn `before` into `after`; none when they are equal.
///
/// Within a list, first what goes (from the end), then what moves, then what comes (from the front), then what changes
/// inside an element. A value is replaced where that is shorter than the operations inside it, but never the whole pod.
/// There is no `test` and no `copy`. The order of the keys of a mapping is no difference.
pub fn diff(before: &Value, after: &Value) -> Patch {
    let mut differences = Differences { path: PointerBuf::new(), operations: Vec::new(), size: 0 };
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => differences.object(before, after, ""),
        (before, after) => differences.value(before, after, ""),
    }
    Patch(differences.operations)
}

/// [`diff`], tried out on `before`.
///
/// # Errors
/// When the patch does not apply or does not give `after`; neither should ever happen.
pub fn verified(before: &Value, after: &Value) -> Result<Patch, PatchError> {
    let patch = diff(before, after);
    let mut patched = before.clone();
    // `patch_unsafe` leaves a half patched value behind on errors; this one is dropped.
    json_patch::patch_unsafe(&mut patched, &patch)?;
    if patched == *after { Ok(patch) } else { Err(PatchError::GivesAnother) }
}

struct Differences {
    /// Where the values being compared stand in the pod after the operations so far.
    path: PointerBuf,
    operations: Vec<PatchOperation>,
    /// Size of the operations as JSON, with a comma after each.
    size: usize,
}

impl Differences {
    /// `schema` is where the values stand in the API.
    fn value(&mut self, before: &Value, after: &Value, schema: &str) {
        let (count, size) = (self.operations.len(), self.size);
        match (before, after) {
            (Value::Object(before), Value::Object(after)) => self.object(before, after, schema),
            (Value::Array(before_list), Value::Array(after_list)) => {
                if self.list(before_list, after_list, schema).is_none() {
                    self.roll_back(count, size);
                    self.replace(after);
                }
            }
            _ if before == after => {}
            _ => self.replace(after),
        }
        if self.is_replacing_shorter(after, self.size - size) {
            self.roll_back(count, size);
            self.replace(after);
        }
    }

    fn object(&mut self, before: &Map<String, Value>, after: &Map<String, Value>, schema: &str) {
        for key in before.keys().filter(|key| !after.contains_key(*key)) {
            let path = self.path.with_trailing_token(key);
            self.push(PatchOperation::Remove(RemoveOperation { path }));
        }
        for (key, value) in after {
            match before.get(key) {
                Some(present) => {
                    self.path.push_back(key);
                    self.value(present, value, &pod_schema::field(schema, key));
                    self.path.pop_back();
                }
                None => self.add(key, value),
            }
        }
    }

    /// `None` when the list had better be replaced.
    fn list(&mut self, before: &[Value], after: &[Value], schema: &str) -> Option<()> {
        let mut alignment = Alignment::of(before, after, pod_schema::merge_key(schema));
        alignment.part(|old, new| self.is_rewritten(&before[old], &after[new], new, schema));
        let shifting = alignment.removed().count() + alignment.moves().len() + alignment.added().count();
        if shifting.saturating_mul(before.len().max(after.len())) > MOST_SHIFTS {
            return None;
        }
        for index in alignment.removed() {
            let path = self.path.with_trailing_token(index);
            self.push(PatchOperation::Remove(RemoveOperation { path }));
        }
        for (from, to) in alignment.moves() {
            let (from, path) = (self.path.with_trailing_token(from), self.path.with_trailing_token(to));
            self.push(PatchOperation::Move(MoveOperation { from, path }));
        }
        for index in alignment.added() {
            self.add(index, &after[index]);
        }
        for (old, new) in alignment.pairs() {
            self.element(&before[old], &after[new], new, schema);
        }
        Some(())
    }

    fn element(&mut self, before: &Value, after: &Value, index: usize, list: &str) {
        self.path.push_back(index);
        self.value(before, after, pod_schema::element(list));
        self.path.pop_back();
    }

    /// Whether nothing of an element is worth keeping: it would be moved only to be replaced.
    fn is_rewritten(&mut self, before: &Value, after: &Value, index: usize, list: &str) -> bool {
        let (count, size) = (self.operations.len(), self.size);
        self.element(before, after, index, list);
        let path = self.path.with_trailing_token(index);
        let rewritten = matches!(&self.operations[count..], [PatchOperation::Replace(whole)] if whole.path == path);
        self.roll_back(count, size);
        rewritten
    }

    fn add<'a>(&mut self, key: impl Into<Token<'a>>, value: &Value) {
        let path = self.path.with_trailing_token(key);
        self.push(PatchOperation::Add(AddOperation { path, value: value.clone() }));
    }

    fn replace(&mut self, value: &Value) {
        let operation = ReplaceOperation { path: self.path.clone(), value: value.clone() };
        self.push(PatchOperation::Replace(operation));
    }

    fn push(&mut self, operation: PatchOperation) {
        self.size += size_within(&operation, usize::MAX).unwrap_or(usize::MAX / 2) + 1;
        self.operations.push(operation);
    }

    fn roll_back(&mut self, count: usize, size: usize) {
        self.operations.truncate(count);
        self.size = size;
    }

    /// Looks at no more of `value` than fits into the `nested` bytes that replacing it has to beat.
    fn is_replacing_shorter(&self, value: &Value, nested: usize) -> bool {
        let empty = ReplaceOperation { path: self.path.clone(), value: Value::Null };
        let frame = || size_within(&PatchOperation::Replace(empty), usize::MAX).map(|size| size + 1 - "null".len());
        if nested == 0 {
            return false;
        }
        // A replacement of exactly `nested` bytes is no gain.
        let room = frame().and_then(|frame| nested.checked_sub(frame + 1));
        room.is_some_and(|room| size_within(value, room).is_some())
    }
}

/// Size of the JSON of `value`; `None` when that is more than `most` bytes.
fn size_within(value: &impl Serialize, most: usize) -> Option<usize> {
    let mut counter = Counter { left: most };
    serde_json::to_writer(&mut counter, value).ok()?;
    Some(most - counter.left)
}

struct Counter {
    left: usize,
}

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.left = self.left.checked_sub(bytes.len()).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
