//! Reading what a person names on the command line, and writing results so that nothing is lost half-way.
#![cfg_attr(test, expect(clippy::disallowed_methods, reason = "tests make files, and look at what was written"))]

pub mod download;
pub mod inputs;
pub mod interrupts;
mod opening;
pub mod replace;
pub mod stream;
pub mod watch;

use std::io::{self, Read};
use std::path::Path;

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

#[cfg(test)]
mod tests {
    use super::replace::{Access, replace};
    use super::*;

    #[test]
    fn errors_name_the_file() {
        let missing = Path::new("/nonexistent/file");
        assert!(read(missing).unwrap_err().to_string().starts_with("/nonexistent/file: "));
        let unwritable = replace(missing, &mut &b"x"[..], Access::Shared).unwrap_err();
        assert!(unwritable.to_string().starts_with("/nonexistent/file: "));
        let errors = read_sources(Some(missing), None, Some(missing)).unwrap_err();
        assert_eq!(errors.len(), 2);
    }
}
