//! Noticing that files may have changed: edited, replaced by a rename, or swapped behind a symbolic link as Kubernetes
//! does with mounted Secrets and ConfigMaps.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::time::{Instant, sleep_until, timeout_at};

/// What no notification came for is found after this long: on network file systems, and after a directory was replaced.
const BACKSTOP: Duration = Duration::from_secs(10);
/// Whoever writes several files is done when nothing has happened for this long.
const QUIET: Duration = Duration::from_millis(100);
/// In a directory that is never quiet, changes are told of this often.
const MAX_WAIT: Duration = Duration::from_secs(1);
/// As many symbolic links in a row as Linux follows.
const MAX_LINKS: usize = 40;

/// A watch over the directories that some files are in.
///
/// It says that something may have changed, not what: read the files again, and compare. Files and directories need not
/// exist yet.
#[derive(Debug)]
pub struct FileWatch {
    paths: Vec<PathBuf>,
    /// None where the kernel has no more to give; there is the backstop.
    notifications: Option<Notifications>,
    backstop: Duration,
    last: Instant,
}

impl FileWatch {
    /// Watches from now on. Read the files after this, and no change is missed.
    ///
    /// Needs a tokio runtime around it.
    pub fn new(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        let notifications = Notifications::new()
            .inspect_err(|error| tracing::warn!(%error, "no notifications of file changes; looking every ten seconds"))
            .ok();
        let watch =
            Self { paths: paths.into_iter().collect(), notifications, backstop: BACKSTOP, last: Instant::now() };
        watch.watch_directories();
        watch
    }

    /// Completes when something may have changed since [`FileWatch::new`] or the last completion, and the writing has
    /// come to rest: after 100 ms of quiet, a second at most; and every 10 s even so. Dropped before that, nothing is lost
    /// but time.
    pub async fn changed(&mut self) {
        let is_notified = tokio::select! {
            is_notified = notified(self.notifications.as_mut()) => is_notified,
            () = sleep_until(self.last + self.backstop) => true,
        };
        if !is_notified {
            tracing::warn!("notifications of file changes ended; looking every ten seconds");
            self.notifications = None;
            sleep_until(self.last + self.backstop).await;
        }
        // Before the quiet, so that what changes in a directory that just came is part of it.
        self.watch_directories();
        let deadline = Instant::now() + MAX_WAIT;
        while let Some(true) = self.is_noisy(deadline).await {}
        self.last = Instant::now();
    }

    /// Whether there was a notification before it was quiet, or the deadline.
    async fn is_noisy(&mut self, deadline: Instant) -> Option<bool> {
        let quiet = (Instant::now() + QUIET).min(deadline);
        timeout_at(quiet, notified(self.notifications.as_mut())).await.ok()
    }

    /// What is watched already stays as it is; directories that went away have taken their watch with them.
    fn watch_directories(&self) {
        let Some(notifications) = &self.notifications else { return };
        let events = AddWatchFlags::IN_CLOSE_WRITE
            | AddWatchFlags::IN_CREATE
            | AddWatchFlags::IN_DELETE
            | AddWatchFlags::IN_MOVE
            | AddWatchFlags::IN_ATTRIB
            | AddWatchFlags::IN_ONLYDIR;
        for directory in self.paths.iter().flat_map(|path| directories(path)).collect::<BTreeSet<_>>() {
            match notifications.inotify.add_watch(&directory, events) {
                Ok(_) | Err(Errno::ENOENT) => {}
                Err(error) => tracing::debug!(%error, directory = %directory.display(), "cannot be watched"),
            }
        }
    }
}

/// inotify: asked through one descriptor, read through another.
#[derive(Debug)]
struct Notifications {
    inotify: Inotify,
    /// No pipe, but all that matters of one: a descriptor to read from when it is readable.
    read: pipe::Receiver,
}

impl Notifications {
    fn new() -> io::Result<Self> {
        let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?;
        let read = pipe::Receiver::from_owned_fd_unchecked(inotify.as_fd().try_clone_to_owned()?)?;
        Ok(Self { inotify, read })
    }
}

/// Completes when there were notifications, with true, or when there can be none any more.
async fn notified(notifications: Option<&mut Notifications>) -> bool {
    let Some(notifications) = notifications else { return std::future::pending().await };
    // Room for several, or the kernel refuses to write even one. What they say is not looked at.
    let mut bytes = [0; 4096];
    match notifications.read.read(&mut bytes).await {
        Ok(length) => length > 0,
        Err(error) => {
            tracing::warn!(%error, "notifications of file changes cannot be read");
            false
        }
    }
}

/// The directories in which a change can change what `path` leads to: its own, and that of everything that symbolic links
/// lead to, a directory on the way included.
fn directories(path: &Path) -> BTreeSet<PathBuf> {
    let mut directories = BTreeSet::new();
    let mut pending = vec![path.to_owned()];
    let mut links = 0;
    while let Some(path) = pending.pop() {
        let parent = match path.parent() {
            Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
            Some(parent) => parent,
            None => continue,
        };
        if !directories.insert(parent.to_owned()) && !path.is_symlink() {
            continue;
        }
        for link in [&path, parent] {
            if let Ok(target) = link.read_link()
                && links < MAX_LINKS
            {
                links += 1;
                let from = link.parent().unwrap_or(Path::new(""));
                pending.push(from.join(target));
                directories.insert(if from.as_os_str().is_empty() { PathBuf::from(".") } else { from.to_owned() });
            }
        }
    }
    directories
}

#[cfg(test)]
mod tests;
