//! What holds for streams of documents in whatever style: only what is injected changes, and it says what it should.

use proptest::prelude::*;
use serde_json::Value;
use sidecar_injector::manifest::{Action, Form, Manifest, ManifestError, Task};
use sidecar_injector::yaml;

use crate::choices::Choices;
use crate::injector;
use crate::pods::{pod, workload};
use crate::runner::check;

#[test]
fn only_injected_documents_change_and_they_say_what_was_injected() {
    check(100, |choices| {
        let injector = injector(choices);
        let task = Task::inject(injector, Form::Kept);
        let (mut stream, mut objects) = (String::new(), Vec::new());
        for _ in 0..=choices.below(3) {
            let pod = pod(choices);
            let mut object = workload(choices, &pod);
            if choices.chance(25) {
                object["kind"] = "ConfigMap".into();
            }
            let text = styled(choices, &object);
            stream.push_str(choices.pick(&["---\n", "---   # a document\n", "# before\n---\n"]));
            stream.push_str(&text);
            objects.push(object);
        }
        let Ok(injected) = task.stream(&stream) else { return Ok(false) };
        let after: Vec<&str> = texts(&injected.text);
        for (before, after) in texts(&stream).into_iter().zip(&after) {
            let [object] = &mut read(before)?[..] else { continue };
            // The text of an object by itself, without a style, is the measure.
            let plain =
                Task::inject(injector, Form::Canonical).stream(&yaml::write(object).unwrap()).map_err(failed)?;
            let is_injected = plain.report.iter().any(|object| matches!(object.action, Action::Injected(..)));
            if !is_injected {
                prop_assert_eq!(before, *after);
            }
            prop_assert_eq!(read(after)?, read(&plain.text)?, "of {}", before);
        }
        prop_assert_eq!(texts(&stream).len(), after.len());
        let twice = task.stream(&injected.text).map_err(failed)?;
        prop_assert_eq!(&twice.text, &injected.text, "of {}", stream);
        back(&stream, &injected, &objects)?;
        Ok(true)
    });
}

/// What was injected for the first time is taken back.
fn back(stream: &str, injected: &Manifest, objects: &[Value]) -> Result<(), TestCaseError> {
    if objects.iter().any(|object| object.to_string().contains("sidecar.istio.io/status")) {
        return Ok(());
    }
    let undone = Task::uninject(Form::Kept).stream(&injected.text).map_err(failed)?;
    prop_assert_eq!(read(&undone.text)?, read(stream)?, "of {}", stream);
    for (before, after) in texts(stream).into_iter().zip(texts(&undone.text)) {
        // There is no comment in JSON that could tell more of the text than the value does.
        let is_json = before.lines().any(|line| line.starts_with('{'));
        prop_assert!(is_json || before == after, "{:?} came back as {:?}", before, after);
    }
    Ok(())
}

fn failed(errors: Vec<ManifestError>) -> TestCaseError {
    TestCaseError::fail(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

fn texts(stream: &str) -> Vec<&str> {
    yamledit::documents(stream).map(|document| document.text).collect()
}

fn read(stream: &str) -> Result<Vec<Value>, TestCaseError> {
    let read = |document: yamledit::Document<'_>| yaml::read_manifest(document.text);
    let objects = yamledit::documents(stream).map(read).collect::<Result<Vec<_>, _>>();
    let objects = objects.map_err(|error| TestCaseError::fail(format!("{error} in {stream}")))?;
    Ok(objects.into_iter().filter(|object| !object.is_null()).collect())
}

/// The object as somebody might have written it.
fn styled(choices: &mut Choices<'_>, object: &Value) -> String {
    let mut text = match choices.below(4) {
        0 | 1 => yaml::write(object).unwrap(),
        2 => object.to_string() + "\n",
        _ => serde_json::to_string_pretty(object).unwrap() + "\n",
    };
    let original = yaml::read_manifest(&text);
    for _ in 0..choices.below(8) {
        let line = choices.below(text.lines().count().max(1));
        let noisy = noise(choices, &text, line);
        // What only looked like a place for a comment was one in a text.
        if yaml::read_manifest(&noisy) == original {
            text = noisy;
        }
    }
    if choices.chance(15) {
        let windows = text.replace('\n', "\r\n");
        if yaml::read_manifest(&windows) == original {
            text = windows;
        }
    }
    text
}

/// The text with a comment, a blank line or other quotes at this line.
fn noise(choices: &mut Choices<'_>, text: &str, at: usize) -> String {
    let kind = choices.below(5);
    let changed = |line: &str| {
        let indentation = &line[..line.len() - line.trim_start().len()];
        match kind {
            0 => format!("{indentation}# a comment\n{line}\n"),
            1 => format!("{line}   # behind\n"),
            2 => format!("\n{line}\n"),
            3 => line.replace('"', "'") + "\n",
            _ => format!("# at the left\n{line}\n"),
        }
    };
    let lines = text.lines().enumerate();
    lines.map(|(number, line)| if number == at { changed(line) } else { format!("{line}\n") }).collect()
}
