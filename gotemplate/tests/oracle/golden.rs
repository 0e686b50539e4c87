//! The corpus against what Go made of it.

use gotemplate::Limits;

use crate::cases::{self, Outcome};

/// Cases that differ on purpose, each in the README's list.
const DELIBERATE: [&str; 2] = ["template never ends", "sortAlpha changes the list it is given"];

#[test]
fn every_case_renders_as_in_go() {
    let mut differences = Vec::new();
    let mut count = 0;
    for area in cases::areas() {
        let goldens = cases::goldens(&area);
        let cases = cases::cases(&area);
        let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
        let expected: Vec<&str> = goldens.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, expected, "{area}.golden is stale: see oracle/README.md");
        for (case, (_, expected)) in cases.iter().zip(&goldens) {
            count += 1;
            let given = case.request.render(&Limits::default());
            if DELIBERATE.contains(&case.name.as_str()) {
                assert_ne!(given, *expected, "{}: no longer differs", case.name);
            } else if !agree(&given, expected) {
                differences.push(describe(&area, case, &given, expected));
            }
        }
    }
    assert!(differences.is_empty(), "{} of {count} cases differ:\n\n{}", differences.len(), differences.join("\n\n"));
    assert!(count >= 1_200, "only {count} cases: some are missing");
}

/// The same output, and the same error at the same stage. Errors are text: what is not UTF-8 in them is not compared.
fn agree(given: &Outcome, expected: &Outcome) -> bool {
    let error = |outcome: &Outcome| {
        outcome.error.as_ref().map(|(stage, error)| (stage.clone(), String::from_utf8_lossy(error).into_owned()))
    };
    given.output == expected.output && error(given) == error(expected)
}

fn describe(area: &str, case: &cases::Case, given: &Outcome, expected: &Outcome) -> String {
    let template = String::from_utf8_lossy(&case.request.template);
    let show = |outcome: &Outcome| {
        let output = outcome.output.as_ref().map(|output| String::from_utf8_lossy(output).into_owned());
        let error = outcome.error.as_ref().map(|(stage, error)| format!("{stage}: {}", String::from_utf8_lossy(error)));
        format!("{output:?} {}", error.unwrap_or_default())
    };
    format!("{area}, {}: {template}\n  given    {}\n  expected {}", case.name, show(given), show(expected))
}
