//! Paths with `/` between their elements, of files too: those of Linux.

use bstr::ByteSlice;

use super::text::{Change, text};
use crate::function::Functions;
use crate::limits::Budget;
use crate::text::Str;

pub(super) fn add(functions: &mut Functions) {
    let parts: [(&str, &str, Change); 4] = [
        ("base", "osBase", |path| base(path).to_vec()),
        ("clean", "osClean", clean),
        ("dir", "osDir", dir),
        ("ext", "osExt", |path| extension(path).to_vec()),
    ];
    for (name, name_for_files, part) in parts {
        for name in [name, name_for_files] {
            functions.add(name, move |budget: &Budget, path: Str| text(budget, part(&path)));
        }
    }
    for name in ["isAbs", "osIsAbs"] {
        functions.add(name, |path: Str| path.starts_with(b"/"));
    }
}

/// The last element; `.` of an empty path, `/` of one of nothing but slashes.
fn base(path: &[u8]) -> &[u8] {
    if path.is_empty() {
        return b".";
    }
    let trimmed = path.trim_end_with(|character| character == '/');
    match trimmed.rsplit(|&byte| byte == b'/').next() {
        Some(element) if !trimmed.is_empty() => element,
        _ => b"/",
    }
}

/// All but the last element, cleaned.
fn dir(path: &[u8]) -> Vec<u8> {
    let end = path.rfind_byte(b'/').map_or(0, |slash| slash + 1);
    clean(path.get(..end).unwrap_or_default())
}

/// From the last dot of the last element on.
fn extension(path: &[u8]) -> &[u8] {
    let element = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    element.rfind_byte(b'.').and_then(|dot| element.get(dot..)).unwrap_or_default()
}

/// The shortest path of the same meaning: without double slashes, `.` and, where an element is before it, `..`.
fn clean(path: &[u8]) -> Vec<u8> {
    let is_rooted = path.starts_with(b"/");
    let mut elements: Vec<&[u8]> = Vec::new();
    for element in path.split(|&byte| byte == b'/') {
        match element {
            b"" | b"." => {}
            b".." if elements.last().is_some_and(|last| *last != b"..") => {
                elements.pop();
            }
            b".." if is_rooted => {}
            element => elements.push(element),
        }
    }
    let joined = elements.join(&b'/');
    match (is_rooted, joined.is_empty()) {
        (true, _) => [b"/", joined.as_slice()].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_paths() {
        for (path, expected) in [
            ("", (".", ".", ".", "")),
            ("/", ("/", "/", "/", "")),
            ("//", ("/", "/", "/", "")),
            ("a/b.tar.gz", ("b.tar.gz", "a", "a/b.tar.gz", ".gz")),
            ("a//b/", ("b", "a/b", "a/b", "")),
            ("/../a/./b/..", ("..", "/a/b", "/a", ".")),
            ("../../x", ("x", "../..", "../../x", "")),
            ("a/../..", ("..", ".", "..", ".")),
            ("x.d/y", ("y", "x.d", "x.d/y", "")),
        ] {
            let bytes = path.as_bytes();
            let (dir, clean) = (dir(bytes), clean(bytes));
            let parts = [base(bytes), &dir, &clean, extension(bytes)].map(|part| part.to_str().unwrap());
            assert_eq!(parts, <[&str; 4]>::from(expected), "{path}");
        }
    }
}
