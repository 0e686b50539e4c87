//! Replacing files so that nothing is lost half-way.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use super::interrupts::Interrupts;
use super::{FileError, display};

/// As many symbolic links in a row as Linux follows.
const MAX_LINKS: usize = 40;
/// Of the name of a file in that of its temporary one: with what is around it, names may have 255 bytes.
const MAX_NAME_BYTES: usize = 200;

/// Who may read a file; the umask takes its part away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody, when it is made anew; a file that is there keeps its mode.
    Shared,
    /// Its owner only, whoever may read what is there.
    Private,
}

/// New contents beside the file whose place they are to take. Dropped, they are gone.
#[derive(Debug)]
pub struct Pending {
    path: String,
    target: PathBuf,
    contents: TempPath,
    warnings: Vec<String>,
}

impl Pending {
    /// Writes the contents to disk, beside `path`.
    ///
    /// # Errors
    /// When the directory takes no file, or the contents cannot be read.
    pub fn new(path: &Path, contents: &mut dyn Read, access: Access) -> Result<Self, FileError> {
        let error = |action| move |source| FileError { path: display(path), action, source };
        let present = match fs::metadata(path) {
            Ok(metadata) => Some(metadata),
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => None,
            Err(source) => return Err(error("cannot be opened")(source)),
        };
        let target = match &present {
            Some(_) => fs::canonicalize(path),
            None => end_of_links(path),
        };
        let target = target.map_err(error("cannot be opened"))?;
        let permissions = match (&present, access) {
            (_, Access::Private) => PermissionsExt::from_mode(0o600),
            (Some(metadata), Access::Shared) => metadata.permissions(),
            (None, Access::Shared) => PermissionsExt::from_mode(0o666),
        };
        let directory = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = tempfile::Builder::new()
            .prefix(&temporary_name(&target))
            .permissions(permissions)
            .tempfile_in(directory)
            .map_err(error("cannot be written: its directory takes no temporary file"))?;
        io::copy(contents, &mut file).map_err(error("cannot be written"))?;
        let mut warnings = Vec::new();
        if let (Some(was), Access::Shared) = (present, access) {
            warnings = keep_owner(file.as_file(), &was).map_err(error("cannot be written"))?;
        }
        file.as_file().sync_all().map_err(error("cannot be written"))?;
        warnings.iter_mut().for_each(|warning| warning.insert_str(0, &format!("{}: ", display(path))));
        Ok(Self { path: display(path), target, contents: file.into_temp_path(), warnings })
    }

    /// Puts the contents into the file's place; what of the old file could not be kept.
    ///
    /// # Errors
    /// When it cannot be replaced; it is then as it was.
    pub fn put(self) -> Result<Vec<String>, FileError> {
        let Self { path, target, contents, warnings } = self;
        match contents.persist(target) {
            Ok(()) => Ok(warnings),
            Err(failed) => Err(FileError { path, action: "cannot be replaced", source: failed.error }),
        }
    }
}

/// Replaces the contents of `path` as a whole: a reader sees the old text or the new one, and so does a reader after a
/// crash. A file that is there keeps its mode, unless it becomes private, and its owner, as far as the kernel lets us; a
/// symbolic link stays one. What is no regular file, as `/dev/stdout`, is written to. Says what could not be kept.
///
/// # Errors
/// When the directory or the file cannot be written, or the contents cannot be read; the file is then as it was.
pub fn replace(path: &Path, contents: &mut dyn Read, access: Access) -> Result<Vec<String>, FileError> {
    let error = |action| move |source| FileError { path: display(path), action, source };
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        let mut file = fs::OpenOptions::new().write(true).open(path).map_err(error("cannot be opened"))?;
        return io::copy(contents, &mut file).map(|_| Vec::new()).map_err(error("cannot be written"));
    }
    // Without a descriptor for it, a signal ends this at once, and may leave a file behind.
    let _interrupts = Interrupts::hold();
    Pending::new(path, contents, access)?.put()
}

/// What a link to a file that is yet to be made leads to; what a link says is relative to where it is.
fn end_of_links(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&target) {
            Ok(link) => target = target.parent().unwrap_or(Path::new("")).join(link),
            Err(_) => return Ok(target),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

/// Whoever finds such a file after a crash knows whose it is, and may remove it.
fn temporary_name(target: &Path) -> std::ffi::OsString {
    let name = target.file_name().unwrap_or_default().as_bytes();
    let mut temporary = std::ffi::OsString::from(".");
    temporary.push(OsStr::from_bytes(&name[..name.len().min(MAX_NAME_BYTES)]));
    temporary.push(".sidecar-injector-");
    temporary
}

/// Gives the new file owner and mode of the old one; says what could not be kept.
fn keep_owner(file: &File, was: &Metadata) -> io::Result<Vec<String>> {
    let mut warnings = Vec::new();
    if fchown(file, Some(was.uid()), Some(was.gid())).is_err() {
        // Only root may give a file away, but whoever is in a group may give it to the group.
        let _ = fchown(file, None, Some(was.gid()));
        let now = file.metadata()?;
        if now.uid() != was.uid() {
            warnings.push(format!("its owner was user {}, and is now user {}", was.uid(), now.uid()));
        }
        if now.gid() != was.gid() {
            warnings.push(format!("its group was {}, and is now {}", was.gid(), now.gid()));
        }
    }
    if was.nlink() > 1 {
        warnings.push("it has other names (hard links), which keep the old text".to_owned());
    }
    // After the owner: a change of that takes bits of the mode away.
    file.set_permissions(was.permissions())?;
    Ok(warnings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, text: &str, access: Access) -> Result<Vec<String>, FileError> {
        replace(path, &mut text.as_bytes(), access)
    }

    #[test]
    fn a_file_is_replaced_as_a_whole_and_keeps_its_mode_and_link() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("file"), directory.path().join("link"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(write(&link, "new", Access::Shared).unwrap(), [""; 0]);
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2, "no temporary file is left");
    }

    #[test]
    fn links_to_a_file_that_is_yet_to_be_made_stay_links() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        std::os::unix::fs::symlink("second", path("first")).unwrap();
        std::os::unix::fs::symlink("file", path("second")).unwrap();
        write(&path("first"), "new", Access::Shared).unwrap();
        assert!(["first", "second"].iter().all(|name| fs::symlink_metadata(path(name)).unwrap().is_symlink()));
        assert_eq!(fs::read_to_string(path("file")).unwrap(), "new");
        std::os::unix::fs::symlink("round", path("round")).unwrap();
        assert!(write(&path("round"), "new", Access::Shared).is_err());
    }

    #[test]
    fn what_waits_is_hidden_and_goes_when_it_is_dropped() {
        let directory = tempfile::tempdir().unwrap();
        let names = || fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name());
        for name in ["a.yaml", &"n".repeat(250)] {
            let pending = Pending::new(&directory.path().join(name), &mut &b"new"[..], Access::Shared).unwrap();
            let waiting = names().next().unwrap().into_string().unwrap();
            assert!(waiting.starts_with(&format!(".{}", &name[..6])) && waiting.contains(".sidecar-injector-"));
            drop(pending);
            assert_eq!(names().count(), 0);
        }
    }

    #[test]
    fn other_names_of_a_file_are_told_of() {
        let directory = tempfile::tempdir().unwrap();
        let (file, other) = (directory.path().join("file"), directory.path().join("other"));
        fs::write(&file, "old").unwrap();
        fs::hard_link(&file, &other).unwrap();
        let warnings = write(&file, "new", Access::Shared).unwrap();
        assert!(
            warnings[0].ends_with("file: it has other names (hard links), which keep the old text"),
            "{warnings:?}"
        );
        assert_eq!(fs::read_to_string(&other).unwrap(), "old");
    }

    #[test]
    fn a_device_is_written_to_and_not_replaced() {
        write(Path::new("/dev/null"), "text", Access::Shared).unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }

    #[test]
    fn a_private_file_is_for_its_owner_only() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("key");
        for mode_before in [None, Some(0o644)] {
            if let Some(mode) = mode_before {
                fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            }
            write(&file, "secret", Access::Private).unwrap();
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{mode_before:?}");
        }
    }
}
