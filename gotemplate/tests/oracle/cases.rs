//! The corpus: cases and what Go makes of them, both in files of a simple format (`oracle/README.md`).

use std::fs;
use std::path::{Path, PathBuf};

use gotemplate::{MissingKey, Options};

use crate::request::Request;

/// A template with its data.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) request: Request,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) output: Option<Vec<u8>>,
    /// `parse` or `execute`, and the error.
    pub(crate) error: Option<(String, Vec<u8>)>,
}

/// A part of a file: `=== name`, and its sections, each with the rest of its `---` line.
struct Record {
    name: String,
    options: Vec<String>,
    sections: Vec<(String, Vec<u8>)>,
}

/// Folder of the corpus.
pub(crate) fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// The areas: files of the corpus without their ending, in order.
pub(crate) fn areas() -> Vec<String> {
    let files = fs::read_dir(corpus()).unwrap().map(|entry| entry.unwrap().path());
    let mut areas: Vec<String> = files
        .filter(|path| path.extension().is_some_and(|ending| ending == "cases"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    areas.sort();
    areas
}

/// The cases of an area.
pub(crate) fn cases(area: &str) -> Vec<Case> {
    records(&corpus().join(format!("{area}.cases"))).into_iter().map(case).collect()
}

/// What Go made of the cases of an area, by their names.
pub(crate) fn goldens(area: &str) -> Vec<(String, Outcome)> {
    records(&corpus().join(format!("{area}.golden")))
        .into_iter()
        .map(|record| (record.name.clone(), outcome(record)))
        .collect()
}

fn case(record: Record) -> Case {
    let mut request = Request::default();
    for option in &record.options {
        let words: Vec<&str> = option.split(' ').collect();
        match words.as_slice() {
            ["sprig"] => request.sprig = true,
            ["delimiters", left, right] => {
                request.options = Options { delimiters: ((*left).to_owned(), (*right).to_owned()), ..request.options };
            }
            ["missingkey", word] => request.options.missing_key = missing_key(word),
            other => panic!("{}: unknown option {other:?}", record.name),
        }
    }
    for (head, text) in record.sections {
        match head.split_once(' ').unwrap_or((&head, "")) {
            ("template", "") => request.template = text,
            ("template", name) => request.more.push((name.to_owned(), text)),
            ("data", "") => {
                request.data = serde_json::from_slice(&text).unwrap_or_else(|e| panic!("{}: {e}", record.name));
            }
            other => panic!("{}: unknown section {other:?}", record.name),
        }
    }
    Case { name: record.name, request }
}

pub(crate) fn missing_key(word: &str) -> MissingKey {
    match word {
        "" | "default" | "invalid" => MissingKey::Default,
        "zero" => MissingKey::Zero,
        "error" => MissingKey::Error,
        other => panic!("unknown missingkey {other}"),
    }
}

fn outcome(record: Record) -> Outcome {
    let mut outcome = Outcome::default();
    for (head, text) in record.sections {
        match head.split_once(' ').unwrap_or((&head, "")) {
            ("output", "") => outcome.output = Some(text),
            ("error", stage) => outcome.error = Some((stage.to_owned(), text)),
            other => panic!("{}: unknown section {other:?}", record.name),
        }
    }
    outcome
}

fn records(path: &Path) -> Vec<Record> {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut records: Vec<Record> = Vec::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        if let Some(name) = line.strip_prefix(b"=== ") {
            let name = String::from_utf8_lossy(name).into_owned();
            records.push(Record { name, options: Vec::new(), sections: Vec::new() });
            continue;
        }
        let Some(record) = records.last_mut() else { continue };
        if let Some(head) = line.strip_prefix(b"--- ") {
            record.sections.push((String::from_utf8_lossy(head).into_owned(), Vec::new()));
        } else if let Some((_, text)) = record.sections.last_mut() {
            text.extend_from_slice(line);
            text.push(b'\n');
        } else if let Some(option) = line.strip_prefix(b"option: ") {
            record.options.push(String::from_utf8_lossy(option).into_owned());
        }
    }
    // The line end before the next mark does not belong to a section; at the end of the file it is the same.
    let ended_with_line_end = bytes.ends_with(b"\n");
    let count = records.len();
    for (position, record) in records.iter_mut().enumerate() {
        let sections = record.sections.len();
        for (section, (_, text)) in record.sections.iter_mut().enumerate() {
            text.pop();
            if position + 1 == count && section + 1 == sections && ended_with_line_end {
                text.pop();
            }
        }
    }
    records
}
