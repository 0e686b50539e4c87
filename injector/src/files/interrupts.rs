//! Ctrl-C while files are being replaced: it takes effect between two steps, when no temporary file is left behind.

use std::io;
use std::os::fd::AsFd;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// As long as there is this, signals that end a process wait. Dropped, they take effect.
#[derive(Debug)]
pub struct Interrupts {
    before: SigSet,
    waiting: SignalFd,
}

impl Interrupts {
    /// Lets SIGINT, SIGTERM and SIGHUP wait. To be called where there is no other thread to take them.
    ///
    /// # Errors
    /// When the kernel has no descriptor to give.
    pub fn hold() -> io::Result<Self> {
        let mut signals = SigSet::empty();
        [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].into_iter().for_each(|signal| signals.add(signal));
        let waiting = SignalFd::with_flags(&signals, SfdFlags::SFD_CLOEXEC)?;
        let before = SigSet::thread_get_mask()?;
        signals.thread_block()?;
        Ok(Self { before, waiting })
    }

    /// Whether one waits. It is left where it is.
    pub fn is_any(&self) -> bool {
        poll(&mut [PollFd::new(self.waiting.as_fd(), PollFlags::POLLIN)], PollTimeout::ZERO)
            .is_ok_and(|ready| ready > 0)
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        // There is nobody to tell, and nothing that could be done.
        let _ = self.before.thread_set_mask();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::pthread::{pthread_kill, pthread_self};

    #[test]
    fn a_signal_waits() {
        let interrupts = Interrupts::hold().unwrap();
        assert!(!interrupts.is_any());
        // To this thread only: others would end with the test's process.
        pthread_kill(pthread_self(), Signal::SIGHUP).unwrap();
        assert!(interrupts.is_any());
        // It must not take effect.
        assert!(interrupts.waiting.read_signal().unwrap().is_some());
    }
}
