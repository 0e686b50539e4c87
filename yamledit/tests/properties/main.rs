//! What has to hold for any document, however it is written, and any change.

mod choices;
#[path = "../common/read.rs"]
mod read;
mod styles;
mod values;

use choices::Choices;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use read::read;
use serde_json::Value;
use yamledit::{Limits, documents, edit};

/// A thousand cases, always the same ones; `PROPTEST_CASES` and `PROPTEST_RNG_SEED` make more and others.
fn config() -> ProptestConfig {
    let config = ProptestConfig::default();
    let rng_seed = if config.rng_seed == RngSeed::Random { RngSeed::Fixed(1) } else { config.rng_seed };
    ProptestConfig { cases: config.cases.max(1000), rng_seed, failure_persistence: None, ..config }
}

fn tape() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..400)
}

fn edited(text: &str, old: &Value, new: &Value) -> Result<String, TestCaseError> {
    edit(text, old, new, &Limits::default(), read)
        .map_err(|error| TestCaseError::fail(format!("{error}\n{old}\n{new}\n{text}")))
}

/// The same value without regard to its order is the same; here the order is held to as well.
fn ordered(value: &Value) -> String {
    value.to_string()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_is_written_in_any_style_reads_as_it_should(tape in tape()) {
        let mut choices = Choices::new(&tape);
        let value = values::document(&mut choices);
        let text = styles::write(&mut choices, &value, true);
        prop_assert_eq!(read(&text), Ok(value.clone()), "\n{}", text);
        prop_assert_eq!(edited(&text, &value, &value)?, text);
    }

    #[test]
    fn an_edited_document_reads_as_the_new_value(tape in tape()) {
        let mut choices = Choices::new(&tape);
        let old = values::document(&mut choices);
        let text = styles::write(&mut choices, &old, true);
        let mut new = old.clone();
        values::change(&mut choices, &mut new);
        let result = edited(&text, &old, &new)?;
        prop_assert_eq!(read(&result), Ok(new), "\n{}\n{}", text, result);
    }

    #[test]
    fn what_was_added_is_taken_away_without_a_trace(tape in tape()) {
        let mut choices = Choices::new(&tape);
        let old = values::document(&mut choices);
        let text = styles::write(&mut choices, &old, false);
        let mut new = old.clone();
        values::addition(&mut choices, &mut new);
        let there = edited(&text, &old, &new)?;
        prop_assert_eq!(ordered(&read(&there).unwrap()), ordered(&new), "\n{}", there);
        let back = edited(&there, &new, &old)?;
        prop_assert_eq!(&back, &text, "\n{}\n{}", text, there);
    }

    #[test]
    fn only_the_line_of_a_changed_scalar_changes(tape in tape()) {
        let mut choices = Choices::new(&tape);
        let old = serde_json::json!({"front": values::document(&mut choices), "x": [{"target": "before"}], "z": [values::document(&mut choices)]});
        let text = styles::write(&mut choices, &old, true);
        let mut new = old.clone();
        new["x"][0]["target"] = "after".into();
        prop_assert_eq!(edited(&text, &old, &new)?, text.replace("before", "after"), "\n{}", text);
    }

    #[test]
    fn no_byte_of_a_stream_is_lost(stream in "(---|\\.\\.\\.|%YAML 1.2|# c|a: 1|\\||\"|- | |\t|\n|\r\n|\r|\u{feff}|é|.){0,40}") {
        let mut end = 0;
        let mut together = String::new();
        for document in documents(&stream) {
            prop_assert_eq!(document.offset, end);
            prop_assert!(!document.text.is_empty());
            prop_assert_eq!(document.line, 1 + together.matches('\n').count());
            end += document.text.len();
            together.push_str(document.text);
        }
        prop_assert_eq!(together, stream);
    }

    #[test]
    fn a_stream_has_the_documents_that_were_put_together(tapes in proptest::collection::vec(tape(), 1..4)) {
        let mut stream = String::new();
        let mut values = Vec::new();
        for tape in &tapes {
            let mut choices = Choices::new(tape);
            let value = values::document(&mut choices);
            let text = styles::write(&mut choices, &value, true);
            let text = text.trim_start_matches('\u{feff}');
            stream.push_str(if read(&format!("{text}\n---\n")).is_ok() && text.contains("---") { "...\n" } else { "---\n" });
            stream.push_str(text);
            if !text.ends_with('\n') {
                stream.push('\n');
            }
            values.push(value);
        }
        let mut found: Vec<Value> = documents(&stream).map(|document| read(document.text).unwrap()).collect();
        found.retain(|value| !value.is_null());
        values.retain(|value| !value.is_null());
        prop_assert_eq!(found, values, "\n{}", stream);
    }
}
