//! Where the output goes: in larger pieces than it is made, and no more of it than allowed.

use std::io::{self, Write};

use crate::function::FunctionError;

const PIECE: usize = 8 * 1024;

pub(super) struct Output<'w> {
    writer: &'w mut dyn Write,
    pending: Vec<u8>,
    limit: u64,
    left: u64,
}

/// Why something was not written.
pub(super) enum Refused {
    Limit(FunctionError),
    Writer(io::Error),
}

impl<'w> Output<'w> {
    pub(super) fn new(writer: &'w mut dyn Write, limit: u64) -> Self {
        Self { writer, pending: Vec::with_capacity(PIECE), limit, left: limit }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        let Some(left) = self.left.checked_sub(bytes.len() as u64) else {
            return Err(Refused::Limit(FunctionError::limit(format!(
                "output passes the limit of {} bytes",
                self.limit
            ))));
        };
        self.left = left;
        if self.pending.len() + bytes.len() > PIECE {
            self.flush().map_err(Refused::Writer)?;
        }
        if bytes.len() > PIECE {
            return self.writer.write_all(bytes).map_err(Refused::Writer);
        }
        self.pending.extend_from_slice(bytes);
        Ok(())
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        let result = self.writer.write_all(&self.pending);
        self.pending.clear();
        result
    }
}
