//! Exit codes. Programs document any others that they add.

/// All done.
pub const DONE: u8 = 0;
/// It could not be done; standard error says what failed.
pub const FAILED: u8 = 1;
/// The command line was wrong; nothing was tried.
pub const USAGE: u8 = 2;
