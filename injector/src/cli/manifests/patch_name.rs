//! How a patch names the file that it is for, so that `patch -p1` and `git apply` find it.

use std::env;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use super::difference::{BOLD, Paint};
use crate::files::inputs::Input;

/// The lines that say which input the differences are of.
pub(super) fn header(input: &Input, coloured: bool) -> String {
    let paint = Paint { coloured };
    let mut text = String::new();
    for (sign, folder) in [("---", "a/"), ("+++", "b/")] {
        let name = match input {
            Input::StandardInput => "-".to_owned(),
            Input::Address(_) => quoted("", input.name().as_bytes()),
            Input::File(path) => match found_from_here(path) {
                path if path.is_absolute() => quoted("", path.as_os_str().as_bytes()),
                path => quoted(folder, path.as_os_str().as_bytes()),
            },
        };
        paint.line(&mut text, BOLD, &format!("{sign} {name}"));
    }
    text
}

/// The path without `.` and `..`, which git refuses.
fn found_from_here(path: &Path) -> PathBuf {
    if !path.components().any(|component| component == Component::ParentDir) {
        return path.components().filter(|component| *component != Component::CurDir).collect();
    }
    // What is above depends on links.
    let resolved = || {
        let folder = fs::canonicalize(path.parent()?).ok()?;
        let path = folder.join(path.file_name()?);
        let here = env::current_dir().and_then(fs::canonicalize).ok()?;
        Some(path.strip_prefix(here).map_or(path.clone(), Path::to_owned))
    };
    resolved().unwrap_or_else(|| path.to_owned())
}

/// A name as git writes it: in quotes where a line would not hold it, and with a tab behind where it has blanks.
fn quoted(folder: &str, name: &[u8]) -> String {
    let needs_quotes = |byte: u8| byte.is_ascii_control() || matches!(byte, b'"' | b'\\');
    if let Ok(name) = std::str::from_utf8(name)
        && !name.bytes().any(needs_quotes)
    {
        let tab = if name.contains(' ') { "\t" } else { "" };
        return format!("{folder}{name}{tab}");
    }
    let mut text = format!("\"{folder}");
    for byte in name {
        match byte {
            b'"' | b'\\' => text.extend(['\\', char::from(*byte)]),
            b'\n' => text.push_str("\\n"),
            b'\t' => text.push_str("\\t"),
            b'\r' => text.push_str("\\r"),
            b' '..=b'~' => text.push(char::from(*byte)),
            byte => text.push_str(&format!("\\{byte:03o}")),
        }
    }
    text + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_git_and_patch_take() {
        let of = |path: &str| header(&Input::File(path.into()), false);
        assert_eq!(of("a.yaml"), "--- a/a.yaml\n+++ b/a.yaml\n");
        assert_eq!(of("./d/./é.yaml"), "--- a/d/é.yaml\n+++ b/d/é.yaml\n");
        assert_eq!(of("/tmp/a.yaml"), "--- /tmp/a.yaml\n+++ /tmp/a.yaml\n");
        assert_eq!(of("src/../src/lib.rs"), "--- a/src/lib.rs\n+++ b/src/lib.rs\n");
        assert_eq!(of("a b"), "--- a/a b\t\n+++ b/a b\t\n");
        assert_eq!(of("a\n\"é\x01"), "--- \"a/a\\n\\\"\\303\\251\\001\"\n+++ \"b/a\\n\\\"\\303\\251\\001\"\n");
        assert_eq!(header(&Input::StandardInput, false), "--- -\n+++ -\n");
        let address = Input::Address("https://me:secret@example.org/a".to_owned());
        assert_eq!(header(&address, false), "--- https://***@example.org/a\n+++ https://***@example.org/a\n");
    }
}
