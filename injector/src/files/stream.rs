//! Reading a stream of YAML documents piece by piece, so that only the documents at hand are in memory.

use std::io::{self, Read};

use yamledit::{Document, documents};

/// Bytes to ask for at a time, at least.
const PIECE: usize = 256 * 1024;
/// A larger document has more nodes than any reader takes.
const MAX_DOCUMENT_BYTES: usize = 64 * 1024 * 1024;
/// What is written is kept until all is read, and that is enough.
const MAX_STREAM_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// Gives the documents of a stream to `each`, some at a time, with the number of the first, from 1; says how many there
/// are.
///
/// # Errors
/// When the source cannot be read, is no text, or has too large a document or too many. Those before it were given.
pub fn read_documents(source: &mut dyn Read, mut each: impl FnMut(&[Document<'_>], usize)) -> io::Result<usize> {
    let (mut buffer, mut line, mut number, mut total) = (Vec::new(), 1, 0, 0);
    loop {
        // What is looked at again for an end that is yet to come has doubled.
        let wanted = buffer.len().clamp(PIECE, MAX_DOCUMENT_BYTES);
        let read = (&mut *source).take(wanted as u64).read_to_end(&mut buffer)?;
        let is_whole = read < wanted;
        total += read as u64;
        if total > MAX_STREAM_BYTES {
            return Err(io::Error::other("it has more than 4 GiB"));
        }
        // A line may go on in the next piece, and a character too.
        let end = if is_whole { buffer.len() } else { memchr::memrchr(b'\n', &buffer).map_or(0, |at| at + 1) };
        let text = text(&buffer[..end], line)?;
        let mut found: Vec<_> = documents(text).collect();
        found.iter_mut().for_each(|document| document.line += line - 1);
        // The last one may go on.
        let last = if is_whole { None } else { found.pop() };
        if !found.is_empty() {
            each(&found, number + 1);
        }
        number += found.len();
        if is_whole {
            return Ok(number);
        }
        if let Some(Document { offset, line: next_line, .. }) = last {
            buffer.drain(..offset);
            line = next_line;
        }
        if buffer.len() >= MAX_DOCUMENT_BYTES {
            let what = format!("line {line}: document {} has more than 64 MiB; cut it up", number + 1);
            return Err(io::Error::other(what));
        }
    }
}

fn text(bytes: &[u8], first_line: usize) -> io::Result<&str> {
    std::str::from_utf8(bytes).map_err(|error| {
        let line = first_line + memchr::memchr_iter(b'\n', &bytes[..error.valid_up_to()]).count();
        io::Error::new(io::ErrorKind::InvalidData, format!("line {line}: not UTF-8"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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

    fn read(stream: &str) -> Vec<(String, usize, usize)> {
        let mut found = Vec::new();
        let count = read_documents(&mut Drip(stream.as_bytes()), |documents, number| {
            found.extend((number..).zip(documents).map(|(number, at)| (at.text.to_owned(), at.line, number)));
        });
        assert_eq!(count.unwrap(), found.len());
        found
    }

    #[test]
    fn a_stream_in_pieces_has_the_documents_of_the_whole() {
        let filler = format!("a: \"{}é\"\n# c\n...\n# d\n", "é".repeat(1000));
        let large = format!("large: |\n{}", "  line\n".repeat(100_000));
        let stream = format!("# first\n{}---\n{large}---\nb: 1\n--- # last", format!("{filler}---\n").repeat(200));
        let whole: Vec<_> =
            documents(&stream).zip(1..).map(|(found, number)| (found.text.to_owned(), found.line, number)).collect();
        assert_eq!(read(&stream), whole);
        assert_eq!(read(""), []);
    }

    #[test]
    fn what_is_no_text_is_refused_with_its_line() {
        let mut count = 0;
        let mut source: &[u8] = b"a: 1\n---\nb: \xff\n";
        let error = read_documents(&mut source, |documents, _| count += documents.len()).unwrap_err();
        assert_eq!((error.to_string().as_str(), count), ("line 3: not UTF-8", 0));
    }

    #[test]
    fn a_line_without_end_is_refused_in_time() {
        let error = read_documents(&mut io::repeat(b'a'), |_, _| {}).unwrap_err();
        assert_eq!(error.to_string(), "line 1: document 1 has more than 64 MiB; cut it up");
    }
}
