//! Files and their tests are short, say what they are, and are named the same way everywhere.

use crate::repository::{Repository, Violation};
use crate::tokens::{closing, starts_with, tokens};

/// A file that does not fit in a head is two files.
const LONGEST_FILE: usize = 400;
/// Tests longer than this hide the code above them.
const LONGEST_INLINE_TESTS: usize = 150;

pub(crate) fn short_files(repository: &Repository) -> Vec<Violation> {
    let long = repository.rust().map(|(path, text)| (path, text.lines().count())).filter(|(_, n)| *n > LONGEST_FILE);
    long.map(|(path, count)| {
        let what = format!("{count} lines, more than {LONGEST_FILE}: split it by concept");
        Violation::new(path, LONGEST_FILE + 1, what)
    })
    .collect()
}

pub(crate) fn short_inline_tests(repository: &Repository) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, text) in repository.rust() {
        let tokens = tokens(text);
        for at in (0..tokens.len()).filter(|at| starts_with(&tokens[*at..], &["mod", "tests", "{"])) {
            let lines = tokens[closing(&tokens, at + 2)].line - tokens[at].line + 1;
            if lines > LONGEST_INLINE_TESTS {
                let folder = path.trim_end_matches(".rs");
                let what = format!(
                    "{lines} lines of inline tests, more than {LONGEST_INLINE_TESTS}: move them to {folder}/tests.rs"
                );
                violations.push(Violation::new(path, tokens[at].line, what));
            }
        }
    }
    violations
}

pub(crate) fn module_docs(repository: &Repository) -> Vec<Violation> {
    let silent = repository.rust().filter(|(_, text)| !text.starts_with("//! "));
    silent
        .map(|(path, _)| Violation::new(path, 1, "does not begin with `//!`, so a reader cannot tell what it is"))
        .collect()
}

pub(crate) fn no_mod_rs(repository: &Repository) -> Vec<Violation> {
    let named_so = repository.rust().filter(|(path, _)| path.ends_with("/mod.rs"));
    named_so
        .map(|(path, _)| Violation::new(path, 1, "is called mod.rs; ten of those look alike: use foo.rs and foo/"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository::places;

    #[test]
    fn a_file_may_have_400_lines() {
        let (most, more) = ("x\n".repeat(400), "x\n".repeat(401));
        let repository = Repository::of(&[("a/most.rs", &most), ("a/more.rs", &more), ("a/more.md", &more)]);
        assert_eq!(places(&short_files(&repository)), ["a/more.rs:401"]);
    }

    #[test]
    fn inline_tests_may_have_150_lines() {
        let tests = |lines: usize| format!("fn f() {{}}\nmod tests {{\n{}}}\n", "\n".repeat(lines - 2));
        let repository = Repository::of(&[("most.rs", &tests(150)), ("more.rs", &tests(151))]);
        assert_eq!(places(&short_inline_tests(&repository)), ["more.rs:2"]);
    }

    #[test]
    fn a_file_says_first_what_it_is() {
        let repository = Repository::of(&[("good.rs", "//! Good.\n"), ("bad.rs", "use std::fs;\n//! Late.\n")]);
        assert_eq!(places(&module_docs(&repository)), ["bad.rs:1"]);
    }

    #[test]
    fn mod_rs_is_found() {
        let repository = Repository::of(&[("a/src/b.rs", ""), ("a/src/c/mod.rs", "")]);
        assert_eq!(places(&no_mod_rs(&repository)), ["a/src/c/mod.rs:1"]);
    }
}
