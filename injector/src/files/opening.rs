//! Opening a file to read it, without waiting for somebody who never comes.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// A named pipe that nobody has opened for writing may wait for ever; within this time a shell has started both programs.
const PATIENCE_MS: u16 = 2_000;

/// Opens a file without waiting for somebody to write to it.
///
/// # Errors
/// When it cannot be opened, is a disk, or is a pipe that nobody writes to.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path)?;
    let kind = file.metadata()?.file_type();
    if kind.is_block_device() {
        return Err(io::Error::other("it is a disk"));
    }
    if kind.is_fifo() {
        await_writer(&file)?;
    }
    fcntl(&file, FcntlArg::F_SETFL(OFlag::empty()))?;
    Ok(file)
}

/// Waits until there is something in the pipe, or somebody who may write to it.
fn await_writer(mut pipe: &File) -> io::Result<()> {
    let mut waiting = [PollFd::new(pipe.as_fd(), PollFlags::POLLIN)];
    if poll(&mut waiting, PollTimeout::from(PATIENCE_MS))? > 0 {
        return Ok(());
    }
    // Nothing of an empty pipe is read: the end if nobody writes, and else that it would have to wait.
    match pipe.read(&mut [0]) {
        Ok(0) => Err(io::Error::other("it is a pipe that nobody writes to")),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(io::Error::other("it is a pipe that others read too")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::stat::Mode;
    use std::io::Write;

    #[test]
    fn a_pipe_is_read_when_somebody_writes_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        nix::unistd::mkfifo(&path, Mode::S_IRWXU).unwrap();
        assert!(open(&path).unwrap_err().to_string().contains("nobody writes"));
        let writer = std::thread::spawn({
            let path = path.clone();
            move || OpenOptions::new().write(true).open(path)?.write_all(b"a: 1\n")
        });
        assert_eq!(super::super::read(&path).unwrap(), "a: 1\n");
        writer.join().unwrap().unwrap();
    }

    #[test]
    fn a_device_without_end_is_too_large() {
        let error = super::super::read(Path::new("/dev/zero")).unwrap_err();
        assert_eq!(error.to_string(), "/dev/zero: is too large");
    }
}
