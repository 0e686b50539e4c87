//! Room for functions that call themselves as deep as a text nests.

/// More than one level of nesting takes between two calls of [`with_room`], without optimization too.
const RESERVE: usize = 128 * 1024;
const SEGMENT: usize = 1024 * 1024;

/// Runs a function, on a new piece of stack where the current one is nearly used up.
pub(crate) fn with_room<R>(run: impl FnOnce() -> R) -> R {
    stacker::maybe_grow(RESERVE, SEGMENT, run)
}
