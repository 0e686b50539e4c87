//! Where results wait until all are there: in memory, and when they are many in a file that goes with the process.

use std::env;
use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Take, Write};
use std::ops::Range;

/// Bytes in memory, where there is room for files.
const IN_MEMORY: u64 = 1 << 20;

/// Results that wait.
pub(super) struct Spool {
    store: Store,
    length: u64,
    last: Option<u8>,
}

enum Store {
    Memory { bytes: Cursor<Vec<u8>>, may_move: bool },
    File(File),
}

impl Spool {
    pub(super) fn new() -> Self {
        Self { store: Store::Memory { bytes: Cursor::default(), may_move: true }, length: 0, last: None }
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Adds to what waits.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn push(&mut self, text: &str) -> io::Result<()> {
        if self.length + text.len() as u64 > IN_MEMORY {
            self.move_out()?;
        }
        match &mut self.store {
            Store::Memory { bytes, .. } => bytes.write_all(text.as_bytes())?,
            Store::File(file) => file.write_all(text.as_bytes()).map_err(named)?,
        }
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

    /// Takes back what was added beyond this length, at which a line has ended.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn truncate(&mut self, length: u64) -> io::Result<()> {
        match &mut self.store {
            Store::Memory { bytes, .. } => {
                bytes.get_mut().truncate(usize::try_from(length).unwrap_or(usize::MAX));
                bytes.set_position(length);
            }
            Store::File(file) => {
                file.set_len(length).and_then(|()| file.seek(SeekFrom::Start(length))).map_err(named)?;
            }
        }
        (self.length, self.last) = (length, None);
        Ok(())
    }

    /// Gives back a part of what waits. Nothing can be added any more.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn part(&mut self, range: Range<u64>) -> io::Result<Take<&mut dyn Read>> {
        let read: &mut dyn Read = match &mut self.store {
            Store::Memory { bytes, .. } => {
                bytes.set_position(range.start);
                bytes
            }
            Store::File(file) => {
                file.seek(SeekFrom::Start(range.start)).map_err(named)?;
                file
            }
        };
        Ok(read.take(range.end - range.start))
    }

    /// An image may have no directory for temporary files; then all stays in memory.
    fn move_out(&mut self) -> io::Result<()> {
        let Store::Memory { bytes, may_move: true } = &mut self.store else { return Ok(()) };
        if let Ok(mut file) = tempfile::tempfile() {
            file.write_all(bytes.get_ref()).map_err(named)?;
            self.store = Store::File(file);
        } else if let Store::Memory { may_move, .. } = &mut self.store {
            *may_move = false;
        }
        Ok(())
    }
}

/// Says where room has to be made.
fn named(error: io::Error) -> io::Error {
    let place = env::temp_dir();
    io::Error::new(error.kind(), format!("temporary file in {} (from TMPDIR): {error}", place.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(spool: &mut Spool, range: Range<u64>) -> String {
        let mut text = String::new();
        spool.part(range).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn parts_come_back_from_memory_and_from_a_file() {
        for (line, may_move) in [("short", true), (&*"long".repeat(1 << 20), true), (&*"long".repeat(1 << 20), false)] {
            let mut spool = Spool::new();
            spool.store = Store::Memory { bytes: Cursor::default(), may_move };
            spool.end_line().unwrap();
            spool.push(line).unwrap();
            spool.end_line().unwrap();
            let start = spool.length();
            spool.push("taken back").unwrap();
            spool.truncate(start).unwrap();
            spool.push("second\n").unwrap();
            spool.end_line().unwrap();
            assert_eq!(matches!(spool.store, Store::File(_)), may_move && line != "short");
            assert_eq!(all(&mut spool, start..start + 7), "second\n");
            assert_eq!(all(&mut spool, 0..start), format!("{line}\n"));
        }
    }
}
