//! Enters the network namespace of a pod, for a program that runs on the node.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use nix::sched::{CloneFlags, setns};

/// A namespace could not be entered; nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is none: the pod may have ended.
    #[error("the network namespace {} is gone, or never was; the pod may have ended", .0.display())]
    Gone(PathBuf),
    /// The file is there and does not open.
    #[error("cannot open the network namespace {}", .0.display())]
    Open(PathBuf, #[source] io::Error),
    /// It is something else.
    #[error("{} is not a network namespace; give a path such as /var/run/netns/NAME or /proc/PID/ns/net", .0.display())]
    Other(PathBuf),
    /// The kernel refused.
    #[error("cannot enter the network namespace {}; it takes the capability SYS_ADMIN", .0.display())]
    Enter(PathBuf, #[source] io::Error),
}

/// Moves this thread, and every program that it starts, to the network namespace at `path`.
///
/// # Errors
/// When that is not possible.
pub fn enter(path: &Path) -> Result<(), Error> {
    // A pipe is not waited for.
    let opened = OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path);
    let file = opened.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Error::Gone(path.to_owned()),
        _ => Error::Open(path.to_owned(), error),
    })?;
    setns(file, CloneFlags::CLONE_NEWNET).map_err(|errno| match errno {
        // What is left of the file when its namespace has been unmounted is an ordinary one.
        nix::errno::Errno::EINVAL => Error::Other(path.to_owned()),
        errno => Error::Enter(path.to_owned(), errno.into()),
    })
}
