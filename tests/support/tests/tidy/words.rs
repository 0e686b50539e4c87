//! Words that have no place in this repository's code.

use crate::repository::{Repository, Violation};
use crate::tokens::{Token, closing, starts_with, tokens};

/// Macros that say that something is not done yet.
const UNFINISHED: [&str; 3] = ["todo", "unimplemented", "dbg"];

pub(crate) fn no_forbidden_words(repository: &Repository) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, text) in repository.rust() {
        let tokens = tokens(text);
        for at in 0..tokens.len() {
            let rest = &tokens[at..];
            if let Some(what) = unfinished(rest).or_else(|| in_attribute(rest)) {
                violations.push(Violation::new(path, tokens[at].line, what));
            }
        }
    }
    violations
}

fn unfinished(tokens: &[Token]) -> Option<String> {
    let name = UNFINISHED.into_iter().find(|name| starts_with(tokens, &[name, "!"]))?;
    Some(format!("`{name}!`: what is committed is finished"))
}

/// What is wrong with the attribute that begins here.
fn in_attribute(tokens: &[Token]) -> Option<String> {
    let open = match tokens {
        [hash, bracket, ..] if hash.text == "#" && bracket.text == "[" => 1,
        [hash, mark, bracket, ..] if hash.text == "#" && mark.text == "!" && bracket.text == "[" => 2,
        _ => return None,
    };
    let inside = &tokens[open + 1..closing(tokens, open)];
    // Programs of tests have no library that they could share a module in.
    let is_shared = inside.get(2).is_some_and(|path| path.text.starts_with("\"../common/"));
    if starts_with(inside, &["path", "="]) && !is_shared {
        return Some("`#[path]`: a module lies where its name says".to_owned());
    }
    // Also inside `cfg_attr`.
    let allows = (0..inside.len()).any(|at| starts_with(&inside[at..], &["allow", "("]));
    allows.then(|| "`#[allow]` stays when its cause is gone: use `#[expect(…, reason = \"…\")]`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository::places;

    #[test]
    fn unfinished_code_allowances_and_moved_modules_are_found() {
        let bad = "#![allow(dead_code)]\n#[cfg_attr(x, allow(y))]\nfn f() { todo!() }\n#[path = \"a.rs\"]\nmod b;\n\
                   fn g() { unimplemented!(); }\nfn h() { dbg!(1); }\n";
        let repository = Repository::of(&[("bad.rs", bad)]);
        let expected = ["bad.rs:1", "bad.rs:2", "bad.rs:3", "bad.rs:4", "bad.rs:6", "bad.rs:7"];
        assert_eq!(places(&no_forbidden_words(&repository)), expected);
    }

    #[test]
    fn programs_of_tests_share_modules() {
        let repository = Repository::of(&[("a.rs", "#[path = \"../common/pods.rs\"]\nmod pods;\n")]);
        assert_eq!(places(&no_forbidden_words(&repository)), Vec::<String>::new());
    }

    #[test]
    fn talking_about_them_is_fine() {
        let good =
            "//! Never `todo!()`.\n#[expect(dead_code, reason = \"allow(x)\")]\nfn allow(todo: bool) { \"dbg!()\"; }\n";
        assert_eq!(no_forbidden_words(&Repository::of(&[("good.rs", good)])), []);
    }
}
