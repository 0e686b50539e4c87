//! Doing the task to the documents of a stream, and what becomes of those that it cannot be done to.

use std::panic::resume_unwind;
use std::thread;

use serde::de::IgnoredAny;
use yamledit::Document;

use crate::files::stream::Piece;
use crate::manifest::{ChangedDocument, ManifestError, Task};

/// More than so many wait for the one that writes.
const MOST_THREADS: usize = 8;
/// Fewer are done before a thread has started.
const FEWEST_DOCUMENTS: usize = 8;

/// What became of a document, and its number in the stream.
pub(super) struct Done<'a> {
    pub(super) number: usize,
    pub(super) result: Result<ChangedDocument<'a>, Mistakes<'a>>,
}

/// What is wrong in a document.
pub(super) struct Mistakes<'a> {
    pub(super) source: Document<'a>,
    pub(super) errors: Vec<ManifestError>,
}

/// What is done to documents.
#[derive(Clone, Copy)]
pub(super) struct Work<'a> {
    pub(super) task: Task<'a>,
    /// Whether documents that are no Kubernetes objects are left as they are.
    pub(super) objects_only: bool,
}

impl Work<'_> {
    /// Does it to the documents of a piece, on as many threads as there are cores.
    pub(super) fn done<'a>(self, piece: &Piece<'a>) -> Vec<Done<'a>> {
        let mut done = self.done_on_threads(&piece.documents, piece.first);
        let mut not_text = piece.not_text.iter().peekable();
        for Done { number, result } in &mut done {
            if let Some(error) = not_text.next_if(|error| error.document == Some(*number)) {
                let source = match result {
                    Ok(changed) => changed.source,
                    Err(mistakes) => mistakes.source,
                };
                *result = Err(Mistakes { source, errors: vec![error.clone()] });
            }
        }
        done
    }

    fn done_on_threads<'a>(self, documents: &[Document<'a>], first: usize) -> Vec<Done<'a>> {
        let threads = thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
        let share = documents.len().div_ceil(threads).max(FEWEST_DOCUMENTS);
        let all = move |part: &[Document<'a>], first: usize| -> Vec<Done<'a>> {
            (first..).zip(part).flat_map(|(number, document)| self.one(*document, number)).collect()
        };
        if documents.len() <= share {
            return all(documents, first);
        }
        thread::scope(|scope| {
            let parts = documents.chunks(share).zip((first..).step_by(share));
            let running: Vec<_> = parts.map(|(part, first)| scope.spawn(move || all(part, first))).collect();
            running.into_iter().flat_map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
        })
    }

    fn one<'a>(self, source: Document<'a>, number: usize) -> Vec<Done<'a>> {
        let errors = match self.task.document(source, number) {
            Ok(changed) => return vec![Done { number, result: Ok(changed) }],
            Err(errors) => errors,
        };
        if let Some(values) = json_values(source) {
            return values.into_iter().flat_map(|value| self.one(value, number)).collect();
        }
        let result = match ChangedDocument::of_no_object(source) {
            Some(left) if self.objects_only => Ok(left),
            Some(_) => {
                let hint = "; --objects-only leaves it as it is";
                let hinted = |error: ManifestError| ManifestError { message: error.message + hint, ..error };
                Err(Mistakes { source, errors: errors.into_iter().map(hinted).collect() })
            }
            None => Err(Mistakes { source, errors }),
        };
        vec![Done { number, result }]
    }
}

/// The values of a document that is several JSON objects one behind the other, as `jq -c` writes them: no YAML, but
/// kubectl reads it.
fn json_values(document: Document<'_>) -> Option<Vec<Document<'_>>> {
    let blank = |c: char| c.is_whitespace() || c == '\u{feff}';
    let start = document.text.trim_start_matches(blank);
    let start = start.strip_prefix("---").map_or(start, |behind| behind.trim_start_matches(blank));
    if !start.starts_with('{') {
        return None;
    }
    let before = document.text.len() - start.len();
    let mut values = serde_json::Deserializer::from_str(start).into_iter::<IgnoredAny>();
    let mut ends = Vec::new();
    while let Some(value) = values.next() {
        value.ok()?;
        ends.push(before + values.byte_offset());
    }
    if ends.len() < 2 {
        return None;
    }
    let text = document.text;
    // The line end behind a value belongs to it, and to the last one what is left.
    for end in &mut ends {
        let behind = &text[*end..];
        let blanks = behind.len() - behind.trim_start_matches([' ', '\t', '\r']).len();
        if behind[blanks..].starts_with('\n') {
            *end += blanks + 1;
        }
    }
    *ends.last_mut()? = text.len();
    let (mut from, mut line) = (0, document.line);
    let split = ends.into_iter().map(|end| {
        let part = Document { text: &text[from..end], offset: document.offset + from, line };
        line += memchr::memchr_iter(b'\n', part.text.as_bytes()).count();
        from = end;
        part
    });
    Some(split.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use yamledit::documents;

    #[test]
    fn json_objects_one_behind_the_other_are_documents() {
        let values = |text: &str| {
            let found = json_values(documents(text).last().unwrap());
            found.map(|found| found.iter().map(|value| (value.text.to_owned(), value.line)).collect::<Vec<_>>())
        };
        let of = |text: &str, line| (text.to_owned(), line);
        let found = values("a: 1\n---\n{\"a\": 1} \r\n\n{}{\n}\n\n");
        assert_eq!(found, Some(vec![of("---\n{\"a\": 1} \r\n", 2), of("\n{}", 4), of("{\n}\n\n", 5)]));
        assert_eq!(values("{}\n"), None);
        assert_eq!(values("{}\n{\n"), None);
        assert_eq!(values("{}\n# no JSON\n{}\n"), None);
    }
}
