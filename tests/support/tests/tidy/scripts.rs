//! Shell scripts stop at the first mistake, and no line ends in blanks.

use crate::repository::{Repository, Violation};

/// First lines that start a script with bash.
const BASH: [&str; 2] = ["#!/usr/bin/env bash", "#!/bin/bash"];
/// The line without which a script goes on after a failure.
const STRICT: &str = "set -euo pipefail";

pub(crate) fn strict_scripts(repository: &Repository) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, file) in repository.files() {
        let first = file.text.lines().next().unwrap_or_default();
        let is_shell = path.ends_with(".sh") || (first.starts_with("#!") && first.contains("sh"));
        let mut report = |line, what: &str| violations.push(Violation::new(path, line, what));
        if file.executable && !first.starts_with("#!") {
            report(1, "is executable without saying by which program: begin with `#!`");
        }
        if !is_shell {
            continue;
        }
        if !BASH.contains(&first) {
            report(1, "is not started with bash: begin with `#!/usr/bin/env bash`");
        }
        if !file.text.lines().any(|line| line == STRICT) {
            report(2, "goes on after a failed command: say `set -euo pipefail`");
        }
        if !file.executable {
            report(1, "is not executable: chmod +x");
        }
    }
    violations
}

pub(crate) fn no_trailing_whitespace(repository: &Repository) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (path, file) in repository.files().filter(|(path, _)| !is_verbatim(path)) {
        for (at, line) in file.text.lines().enumerate() {
            if line.ends_with([' ', '\t', '\r']) {
                violations.push(Violation::new(path, at + 1, "ends in blanks, which nobody sees and every diff shows"));
            }
        }
    }
    violations
}

/// Goldens, captured data and the texts of test cases are kept as they are, blanks included.
fn is_verbatim(path: &str) -> bool {
    [".cases", ".golden", ".tmpl"].iter().any(|ending| path.ends_with(ending))
        || path.split('/').any(|folder| matches!(folder, "corpus" | "golden" | "goldens" | "testdata"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository::places;

    #[test]
    fn lax_scripts_are_found() {
        let strict = "#!/usr/bin/env bash\nset -euo pipefail\n";
        let repository = Repository::of(&[
            ("tests/run", strict),
            ("old", "#!/bin/sh\nset -euo pipefail\n"),
            ("lax", "#!/bin/bash\n# set -euo pipefail\n"),
            ("part.sh", "echo\n"),
            ("tool.py", "#!/usr/bin/env python3\n"),
        ]);
        let found: Vec<String> = strict_scripts(&repository).iter().map(ToString::to_string).collect();
        // A made-up file is not executable, so each of the four scripts has that violation too.
        assert_eq!(found.iter().filter(|line| line.contains("not executable")).count(), 4, "{found:#?}");
        assert_eq!(found.iter().filter(|line| line.contains("not started with bash")).count(), 2, "{found:#?}");
        assert_eq!(found.iter().filter(|line| line.contains("goes on")).count(), 2, "{found:#?}");
        assert_eq!(found.len(), 8, "{found:#?}");
    }

    #[test]
    fn blanks_at_the_end_are_found_except_in_goldens() {
        let text = "good\nbad \nbad\t\n";
        let repository = Repository::of(&[("a.md", text), ("golden/a.txt", text), ("a.golden", text)]);
        assert_eq!(places(&no_trailing_whitespace(&repository)), ["a.md:2", "a.md:3"]);
    }
}
