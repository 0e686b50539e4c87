//! Reading a stream of YAML documents piece by piece, so that only the documents at hand are in memory.

use std::io::Read;

use yamledit::{Document, documents};

use crate::manifest::ManifestError;

/// Bytes to ask for at a time, at least.
const PIECE: usize = 256 * 1024;
/// A larger document has more nodes than any reader takes.
const MAX_DOCUMENT_BYTES: usize = 64 * 1024 * 1024;
/// What is written is kept until all is read, and that is enough.
const MAX_STREAM_BYTES: u64 = 4 * 1024 * 1024 * 1024;
/// How a text in UTF-16 begins, in either order of bytes.
const UTF_16: [&[u8]; 2] = [&[0xff, 0xfe], &[0xfe, 0xff]];

/// Documents that are in memory together.
#[derive(Debug)]
pub struct Piece<'a> {
    /// The documents. In one that is not UTF-8, other bytes take the place of those that are not.
    pub documents: Vec<Document<'a>>,
    /// The number of the first, from 1.
    pub first: usize,
    /// Those that are not UTF-8, in their order.
    pub not_text: Vec<ManifestError>,
}

/// Gives the documents of a stream to `each`, some at a time; says how many there are.
///
/// # Errors
/// When the source cannot be read to its end, is UTF-16, or has too large a document or too many. The documents before
/// that were given.
pub fn read_documents(source: &mut dyn Read, mut each: impl FnMut(&Piece<'_>)) -> Result<usize, ManifestError> {
    let mut stream =
        Stream { buffer: Vec::new(), checked: 0, line: 1, number: 1, follows_json: false, bad: Vec::new() };
    let mut total = 0;
    loop {
        // What is looked at again for an end that is yet to come has doubled.
        let wanted = stream.buffer.len().clamp(PIECE, MAX_DOCUMENT_BYTES);
        let read = (&mut *source).take(wanted as u64).read_to_end(&mut stream.buffer);
        let read = read.map_err(|error| stream.mistake(format!("cannot be read: {error}")))?;
        if total == 0 && UTF_16.iter().any(|mark| stream.buffer.starts_with(mark)) {
            let what =
                "is UTF-16, as PowerShell's > writes it; save it as UTF-8, in PowerShell with Out-File -Encoding utf8";
            return Err(stream.mistake(what.to_owned()));
        }
        total += read as u64;
        if total > MAX_STREAM_BYTES {
            return Err(stream.mistake("the stream has more than 4 GiB up to here; cut it up".to_owned()));
        }
        let is_whole = read < wanted;
        stream.give(is_whole, &mut each);
        if is_whole {
            return Ok(stream.number - 1);
        }
        if stream.buffer.len() >= MAX_DOCUMENT_BYTES {
            return Err(stream.mistake("has more than 64 MiB; cut it up".to_owned()));
        }
    }
}

/// What is read and not yet given.
struct Stream {
    buffer: Vec<u8>,
    /// Bytes that are known to be UTF-8 by now.
    checked: usize,
    /// Line in the stream at which the buffer begins.
    line: usize,
    /// Number of the document at which the buffer begins.
    number: usize,
    /// Whether the buffer begins behind a JSON object, with no marker between them.
    follows_json: bool,
    /// Offsets of bytes that were not UTF-8, in their order; of a line only the first.
    bad: Vec<usize>,
}

impl Stream {
    /// Gives the documents that have ended.
    fn give(&mut self, is_whole: bool, each: &mut impl FnMut(&Piece<'_>)) {
        // A line may go on in the next piece, and a character too.
        let end =
            if is_whole { self.buffer.len() } else { memchr::memrchr(b'\n', &self.buffer).map_or(0, |at| at + 1) };
        make_text(&mut self.buffer[self.checked..end], self.checked, &mut self.bad);
        self.checked = end;
        // It is text now.
        let text = std::str::from_utf8(&self.buffer[..end]).unwrap_or_default();
        let mut found: Vec<_> = documents(text).collect();
        found.iter_mut().for_each(|document| document.line += self.line - 1);
        if let Some(document) = found.first_mut() {
            document.follows_json = self.follows_json;
        }
        // The last one may go on.
        let rest = if is_whole { None } else { found.pop() };
        let (first, count) = (self.number, found.len());
        let not_text = not_text(&found, first, &self.bad);
        let rest = rest.map(|last| (last.offset, last.line, last.follows_json));
        if count > 0 {
            each(&Piece { documents: found, first, not_text });
        }
        self.number += count;
        if let Some((offset, line, follows_json)) = rest {
            self.buffer.drain(..offset);
            self.checked -= offset;
            self.bad.retain_mut(|at| at.checked_sub(offset).map(|left| *at = left).is_some());
            (self.line, self.follows_json) = (line, follows_json);
        }
    }

    /// A mistake at the document that the buffer begins with.
    fn mistake(&self, message: String) -> ManifestError {
        ManifestError { line: self.line, document: Some(self.number), object: String::new(), message }
    }
}

/// Puts a question mark in the place of each byte that is not UTF-8, and adds where that is, as counted from `offset`.
fn make_text(bytes: &mut [u8], offset: usize, bad: &mut Vec<usize>) {
    let (mut at, mut line_end) = (0, 0);
    while let Err(error) = std::str::from_utf8(&bytes[at..]) {
        let found = at + error.valid_up_to();
        if found >= line_end {
            bad.push(offset + found);
            line_end = memchr::memchr(b'\n', &bytes[found..]).map_or(bytes.len(), |end| found + end);
        }
        at = found + error.error_len().unwrap_or(bytes.len() - found);
        bytes[found..at].fill(b'?');
    }
}

/// The mistakes of documents that have bytes which are not UTF-8.
fn not_text(found: &[Document<'_>], first: usize, bad: &[usize]) -> Vec<ManifestError> {
    let mut mistakes = Vec::new();
    for (document, number) in found.iter().zip(first..) {
        let next = bad.partition_point(|at| *at < document.offset);
        let Some(at) = bad.get(next).and_then(|at| at.checked_sub(document.offset)) else { continue };
        if let Some(before) = document.text.as_bytes().get(..at).filter(|before| before.len() < document.text.len()) {
            mistakes.push(ManifestError {
                line: document.line + memchr::memchr_iter(b'\n', before).count(),
                document: Some(number),
                object: String::new(),
                message: "not UTF-8; save the file as UTF-8".to_owned(),
            });
        }
    }
    mistakes
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    /// A reader that gives a few bytes at a time, as a pipe does.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = buffer.len().min(self.0.len()).min(7);
            let (given, rest) = self.0.split_at(length);
            buffer[..length].copy_from_slice(given);
            self.0 = rest;
            Ok(length)
        }
    }

    /// Text, line and number of each document, and whether it follows JSON.
    fn read(stream: &str) -> Vec<(String, usize, usize, bool)> {
        let mut found = Vec::new();
        let count = read_documents(&mut Drip(stream.as_bytes()), |piece| {
            assert_eq!(piece.not_text, []);
            let documents = (piece.first..).zip(&piece.documents);
            found.extend(documents.map(|(number, at)| (at.text.to_owned(), at.line, number, at.follows_json)));
        });
        assert_eq!(count.unwrap(), found.len());
        found
    }

    #[test]
    fn a_stream_in_pieces_has_the_documents_of_the_whole() {
        let filler = format!("a: \"{}é\"\n# c\n...\n# d\n", "é".repeat(1000));
        let large = format!("large: |\n{}", "  line\n".repeat(100_000));
        let json = "{\"a\": 1}\n".repeat(100_000);
        let filled = format!("{filler}---\n").repeat(200);
        let stream = format!("# first\n{filled}---\n{large}---\n{json}---\nb: 1\n--- # last");
        let whole: Vec<_> = documents(&stream)
            .zip(1..)
            .map(|(found, number)| (found.text.to_owned(), found.line, number, found.follows_json))
            .collect();
        assert_eq!(read(&stream), whole);
        assert_eq!(read(""), []);
    }

    #[test]
    fn what_is_no_text_is_a_mistake_of_its_document_wherever_the_pieces_end() {
        for length in [1, 100_000] {
            let good = format!("a: {}\n---\n", "x".repeat(length));
            let (mut documents, mut mistakes) = (0, Vec::new());
            let stream =
                [good.as_bytes(), good.as_bytes(), b"b:\n- \xff\xc3\n- \xff\n---\n", good.as_bytes(), b"c: \xc3"];
            let count = read_documents(&mut Drip(&stream.concat()), |piece| {
                documents += piece.documents.len();
                mistakes.extend(piece.not_text.iter().map(|error| (error.line, error.document)));
            });
            assert_eq!((count, documents), (Ok(5), 5));
            assert_eq!(mistakes, [(6, Some(3)), (11, Some(5))], "{length}");
        }
    }

    #[test]
    fn utf_16_is_named() {
        let mut source: &[u8] = b"\xff\xfea\0:\0";
        let error = read_documents(&mut source, |_| {}).unwrap_err();
        assert_eq!((error.line, error.message.contains("is UTF-16")), (1, true));
    }

    #[test]
    fn a_line_without_end_is_refused_in_time() {
        let mut source = (&b"a: 1\n---\n"[..]).chain(io::repeat(b'a'));
        let error = read_documents(&mut source, |_| {}).unwrap_err();
        assert_eq!(error.to_string(), "2: document 2: has more than 64 MiB; cut it up");
    }
}
