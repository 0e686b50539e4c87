//! Doing the task to the documents of a stream, and what becomes of those that it cannot be done to.

use std::panic::resume_unwind;
use std::thread;

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
        self.task.note_namespaces(&piece.documents);
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
            (first..).zip(part).map(|(number, document)| self.one(*document, number)).collect()
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

    fn one<'a>(self, source: Document<'a>, number: usize) -> Done<'a> {
        let errors = match self.task.document(source, number) {
            Ok(changed) => return Done { number, result: Ok(changed) },
            Err(errors) => errors,
        };
        let result = match ChangedDocument::of_no_object(source) {
            Some(left) if self.objects_only => Ok(left),
            Some(_) => {
                let hint = "; --objects-only leaves it as it is";
                let hinted = |error: ManifestError| ManifestError { message: error.message + hint, ..error };
                Err(Mistakes { source, errors: errors.into_iter().map(hinted).collect() })
            }
            None => Err(Mistakes { source, errors }),
        };
        Done { number, result }
    }
}
