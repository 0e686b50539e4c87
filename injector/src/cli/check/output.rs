//! Standard output of `check`.

#![expect(clippy::disallowed_methods, reason = "what a terminal can show is told by the environment")]

use std::io::{self, IsTerminal, Write};

use crate::cli::Failure;
use crate::explain::text::Marks;

/// Standard output, until whoever reads it has seen enough.
pub(super) struct Output {
    stdout: io::StdoutLock<'static>,
    is_closed: bool,
}

impl Output {
    pub(super) fn new() -> Self {
        Self { stdout: io::stdout().lock(), is_closed: false }
    }

    /// Writes, and says whether anybody reads on.
    ///
    /// # Errors
    /// When it cannot be written, for another reason than that.
    pub(super) fn write(&mut self, text: &str) -> Result<bool, Failure> {
        if self.is_closed {
            return Ok(false);
        }
        match self.stdout.write_all(text.as_bytes()).and_then(|()| self.stdout.flush()) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.is_closed = true;
                Ok(false)
            }
            Err(error) => Err(Failure { messages: vec![format!("standard output: {error}")] }),
        }
    }

    /// Signs for a terminal that says that it has them; words for everything else.
    pub(super) fn marks(&self) -> Marks {
        let is_utf8 = ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .filter_map(|name| std::env::var(name).ok())
            .find(|value| !value.is_empty())
            .is_some_and(|value| {
                let value = value.to_ascii_lowercase();
                value.ends_with("utf-8") || value.ends_with("utf8")
            });
        if is_utf8 && self.stdout.is_terminal() { Marks::Signs } else { Marks::Words }
    }
}
