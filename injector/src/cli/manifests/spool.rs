//! Where results wait until all are there: in memory, and when they are many in a file that goes with the process.

use std::io::{self, Read, Seek, SeekFrom, Take, Write};
use std::ops::Range;

use tempfile::SpooledTempFile;

/// Bytes in memory.
const IN_MEMORY: usize = 1 << 20;

/// Results that wait.
pub(super) struct Spool {
    file: SpooledTempFile,
    length: u64,
    last: Option<u8>,
}

impl Spool {
    pub(super) fn new() -> Self {
        Self { file: SpooledTempFile::new(IN_MEMORY), length: 0, last: None }
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Adds to what waits.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn push(&mut self, text: &str) -> io::Result<()> {
        self.file.write_all(text.as_bytes())?;
        self.length += text.len() as u64;
        self.last = text.as_bytes().last().copied().or(self.last);
        Ok(())
    }

    /// Ends the last line, if it has not ended.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn end_line(&mut self) -> io::Result<()> {
        if self.last.is_some_and(|last| last != b'\n') { self.push("\n") } else { Ok(()) }
    }

    /// Gives back a part of what waits. Nothing can be added any more.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn part(&mut self, range: Range<u64>) -> io::Result<Take<&mut impl Read>> {
        self.file.seek(SeekFrom::Start(range.start))?;
        Ok((&mut self.file).take(range.end - range.start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_back_from_memory_and_from_a_file() {
        for line in ["short", &"long".repeat(IN_MEMORY)] {
            let mut spool = Spool::new();
            spool.end_line().unwrap();
            spool.push(line).unwrap();
            spool.end_line().unwrap();
            let start = spool.length();
            spool.push("second\n").unwrap();
            spool.end_line().unwrap();
            let mut text = String::new();
            spool.part(start..spool.length()).unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, "second\n");
            text.clear();
            spool.part(0..start).unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, format!("{line}\n"));
        }
    }
}
