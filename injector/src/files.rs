//! Reading what a person names on the command line, and writing results so that nothing is lost half-way.
#![cfg_attr(test, expect(clippy::disallowed_methods, reason = "tests make files, and look at what was written"))]

pub mod download;
pub mod inputs;
mod opening;
pub mod stream;
pub mod watch;

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use crate::config::{Source, Sources};
use crate::defaults;

/// Larger manifests are cut up by hand; larger configurations do not fit into a ConfigMap.
const MAX_INPUT_BYTES: u64 = 64 * 1024 * 1024;

/// A file that could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {action}")]
pub struct FileError {
    /// The file, as it was named.
    pub path: String,
    /// What was being done.
    pub action: &'static str,
    /// Why it failed.
    pub source: io::Error,
}

/// Reads a whole text file, or standard input for `-`.
///
/// # Errors
/// When it cannot be read, is larger than 64 MiB, is not UTF-8, or is a pipe that nobody writes to.
pub fn read(path: &Path) -> Result<String, FileError> {
    if path == Path::new("-") {
        return text_of(io::stdin().lock(), display(path));
    }
    let error = |source| FileError { path: display(path), action: "cannot be opened", source };
    text_of(opening::open(path).map_err(error)?, display(path))
}

/// All that the source has, which people know as `path`.
fn text_of(source: impl Read, path: String) -> Result<String, FileError> {
    let error = |action, source| Err(FileError { path, action, source });
    let mut text = String::new();
    match source.take(MAX_INPUT_BYTES + 1).read_to_string(&mut text) {
        Err(source) => error("cannot be read as text", source),
        Ok(_) if text.len() as u64 > MAX_INPUT_BYTES => error("is too large", io::Error::other("the limit is 64 MiB")),
        Ok(_) => Ok(text),
    }
}

/// How a person knows the file.
pub fn display(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() }
}

/// Reads the configuration from the files that are given, and takes the embedded text for those that are not.
///
/// # Errors
/// All files that cannot be read.
pub fn read_sources(
    config: Option<&Path>,
    values: Option<&Path>,
    mesh: Option<&Path>,
) -> Result<Sources, Vec<FileError>> {
    let mut errors = Vec::new();
    let mut sources = defaults::sources();
    if config.is_some() {
        // The embedded mesh config is for the embedded template.
        sources.mesh.text.clear();
    }
    for (path, source) in [(config, &mut sources.config), (values, &mut sources.values), (mesh, &mut sources.mesh)] {
        match path.map(|path| read(path).map(|text| Source { origin: path.display().to_string(), text })) {
            Some(Ok(given)) => *source = given,
            Some(Err(error)) => errors.push(error),
            None => {}
        }
    }
    if errors.is_empty() { Ok(sources) } else { Err(errors) }
}

/// Who may read a file; the umask takes its part away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody, when it is made anew; a file that is there keeps its mode.
    Shared,
    /// Its owner only, whoever may read what is there.
    Private,
}

/// Replaces the contents of `path` as a whole: a reader sees the old text or the new one, and so does a reader after a
/// crash. A file that is there keeps its mode, unless it becomes private, and its owner, as far as the kernel lets us; a
/// symbolic link stays one. What is no regular file, as `/dev/stdout`, is written to.
///
/// # Errors
/// When the directory or the file cannot be written; the file is then as it was.
pub fn write_atomically(path: &Path, text: &str, access: Access) -> Result<(), FileError> {
    replace(path, &mut text.as_bytes(), access)
}

/// [`write_atomically`] with all that `contents` gives.
///
/// # Errors
/// When the directory or the file cannot be written, or the contents cannot be read; the file is then as it was.
pub fn replace(path: &Path, contents: &mut dyn Read, access: Access) -> Result<(), FileError> {
    let error = |action| move |source| FileError { path: display(path), action, source };
    let present = match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => {
            let mut file = fs::OpenOptions::new().write(true).open(path).map_err(error("cannot be opened"))?;
            return io::copy(contents, &mut file).map(drop).map_err(error("cannot be written"));
        }
        Ok(metadata) => Some(metadata),
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => None,
        Err(source) => return Err(error("cannot be opened")(source)),
    };
    let target = match (&present, fs::read_link(path)) {
        (Some(_), _) => fs::canonicalize(path).map_err(error("cannot be opened"))?,
        // A link to a file that is yet to be made; what it says is relative to where it is.
        (None, Ok(link)) => path.parent().unwrap_or(Path::new("")).join(link),
        (None, Err(_)) => PathBuf::from(path),
    };
    let directory = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let permissions = match (&present, access) {
        (_, Access::Private) => PermissionsExt::from_mode(0o600),
        (Some(metadata), Access::Shared) => metadata.permissions(),
        (None, Access::Shared) => PermissionsExt::from_mode(0o666),
    };
    let mut file = tempfile::Builder::new()
        .permissions(permissions)
        .tempfile_in(directory)
        .map_err(error("cannot be written: its directory takes no temporary file"))?;
    io::copy(contents, &mut file).and_then(|_| file.as_file().sync_all()).map_err(error("cannot be written"))?;
    if let (Some(metadata), Access::Shared) = (present, access) {
        // Only root may give a file away; for others it is theirs in the end, as with most editors.
        let _ = fchown(file.as_file(), Some(metadata.uid()), Some(metadata.gid()));
        file.as_file().set_permissions(metadata.permissions()).map_err(error("cannot be written"))?;
    }
    file.persist(&target).map_err(|failed| error("cannot be replaced")(failed.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_keeps_its_mode_and_link() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("file"), directory.path().join("link"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write_atomically(&link, "new", Access::Shared).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2, "no temporary file is left");
    }

    #[test]
    fn a_link_to_a_file_that_is_yet_to_be_made_stays_a_link() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("link");
        std::os::unix::fs::symlink("file", &link).unwrap();
        write_atomically(&link, "new", Access::Shared).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(directory.path().join("file")).unwrap(), "new");
    }

    #[test]
    fn a_device_is_written_to_and_not_replaced() {
        write_atomically(Path::new("/dev/null"), "text", Access::Shared).unwrap();
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
            write_atomically(&file, "secret", Access::Private).unwrap();
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{mode_before:?}");
        }
    }

    #[test]
    fn errors_name_the_file() {
        let missing = Path::new("/nonexistent/file");
        assert!(read(missing).unwrap_err().to_string().starts_with("/nonexistent/file: "));
        assert!(
            write_atomically(missing, "x", Access::Shared).unwrap_err().to_string().starts_with("/nonexistent/file: ")
        );
        let errors = read_sources(Some(missing), None, Some(missing)).unwrap_err();
        assert_eq!(errors.len(), 2);
    }
}
