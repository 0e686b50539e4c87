//! Finds the programs of this workspace that a test runs.

use std::env;
use std::path::{Path, PathBuf};

/// A program that is not where Cargo puts it.
#[derive(Debug, thiserror::Error)]
pub enum MissingBinary {
    /// Cargo has not built it yet, or not in this profile.
    #[error("no program `{name}` at {path}; run `cargo build --workspace --bins` first, in the same profile")]
    NotBuilt {
        /// The program's name.
        name: String,
        /// Where it was expected.
        path: PathBuf,
    },
    /// The path of the running program is unknown, so there is no place to look.
    #[error("cannot tell where this program lies")]
    Lost(#[source] std::io::Error),
}

/// Path of the workspace program `name`: beside the running program, or beside its `deps` folder when that is a test.
///
/// # Errors
/// [`MissingBinary`], which says what to build.
pub fn binary(name: &str) -> Result<PathBuf, MissingBinary> {
    let path = beside(&env::current_exe().map_err(MissingBinary::Lost)?, name);
    if path.is_file() { Ok(path) } else { Err(MissingBinary::NotBuilt { name: name.to_owned(), path }) }
}

/// `target/debug/deps/test-1a2b` and `target/debug/demo` both lead to `target/debug/NAME`.
fn beside(running: &Path, name: &str) -> PathBuf {
    let folder = running.parent().unwrap_or(Path::new("."));
    let profile = if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder };
    profile.join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_and_a_program_find_the_same_neighbour() {
        let expected = Path::new("/w/target/release/sidecar");
        assert_eq!(beside(Path::new("/w/target/release/deps/pod-0123"), "sidecar"), expected);
        assert_eq!(beside(Path::new("/w/target/release/demo"), "sidecar"), expected);
    }

    #[test]
    fn a_program_that_was_not_built_is_named_with_the_remedy() {
        let error = binary("no-such-program").unwrap_err().to_string();
        assert!(error.contains("no-such-program") && error.contains("cargo build"), "{error}");
    }

    #[test]
    fn the_running_test_is_found_by_its_own_name() {
        let running = env::current_exe().unwrap();
        let name = running.file_name().unwrap().to_str().unwrap();
        assert!(binary(&format!("deps/{name}")).is_ok());
    }
}
