//! Random choices from a tape of bytes, which shrinks to simpler choices.

/// The tape; behind its end everything is the first choice.
pub(crate) struct Choices<'a> {
    tape: &'a [u8],
    at: usize,
}

impl<'a> Choices<'a> {
    pub(crate) fn new(tape: &'a [u8]) -> Self {
        Self { tape, at: 0 }
    }

    /// A number below `count`.
    pub(crate) fn pick(&mut self, count: usize) -> usize {
        let byte = self.tape.get(self.at).copied().unwrap_or_default();
        self.at += 1;
        usize::from(byte) * count / 256
    }

    /// Whether something happens that does so in so many of a hundred cases.
    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.pick(100) >= 100 - percent
    }

    pub(crate) fn one_of<'c, T>(&mut self, choices: &'c [T]) -> &'c T {
        &choices[self.pick(choices.len())]
    }
}
