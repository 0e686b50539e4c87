//! Rendering Go templates. The engine is known to this module and its functions only, so that it can be changed here.

mod functions;

use std::fmt;
use std::io::{self, Write};

use serde_json::Value;

/// No sidecar comes near this; a template that does is running away.
const MAX_OUTPUT_BYTES: usize = 1024 * 1024;
/// All `range` loops of one rendering together.
const MAX_ITERATIONS: u64 = 100_000;

/// A parsed template, rendered any number of times, from any thread.
pub struct Template {
    name: String,
    parsed: gotmpl::Template,
}

/// A template that does not parse, or cannot be rendered with the data of a pod.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("template '{template}': {problem}")]
pub struct TemplateError {
    /// Name of the template.
    pub template: String,
    /// What the engine says, with line and column where it knows them.
    pub problem: String,
}

impl Template {
    /// Parses `text`.
    ///
    /// # Errors
    /// When it is not a template. Unknown functions show up only in [`Template::render`].
    pub fn parse(name: &str, text: &str) -> Result<Self, TemplateError> {
        gotmpl::Template::new(name)
            .max_range_iters(MAX_ITERATIONS)
            .funcs(functions::all())
            .parse(text)
            .map(|parsed| Self { name: name.to_owned(), parsed })
            .map_err(|error| error_in(name, &error.to_string()))
    }

    /// The name it was parsed under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Renders with `data` as the dot.
    ///
    /// # Errors
    /// When a function fails or is unknown, when something is read that the data does not have, or when the output
    /// would pass 1 MiB.
    pub fn render(&self, data: &Value) -> Result<String, TemplateError> {
        let dot = gotmpl::to_value(data).map_err(|error| error_in(&self.name, &error.to_string()))?;
        let mut output = LimitedOutput::default();
        self.parsed.execute(&mut output, &dot).map_err(|error| error_in(&self.name, &error.to_string()))?;
        let text = String::from_utf8(output.bytes).map_err(|_| error_in(&self.name, "rendered text is not UTF-8"))?;
        match missing_value(&text, data) {
            Some(line) => {
                let problem = format!("line {line} of the rendered text has no value: values or mesh config lack it");
                Err(error_in(&self.name, &problem))
            }
            None => Ok(text),
        }
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template").field("name", &self.name).finish_non_exhaustive()
    }
}

fn error_in(template: &str, problem: &str) -> TemplateError {
    // The engine repeats the template's name, and says of every error that it is one.
    let own = format!("template: {template}:");
    let problem = problem.strip_prefix(&own).or_else(|| problem.strip_prefix("execution error: ")).unwrap_or(problem);
    TemplateError { template: template.to_owned(), problem: problem.to_owned() }
}

/// Line of the first place where the template printed something that is not there. The engine prints what Go prints
/// for it and goes on; the result would be a pod with `<nil>` for an image.
fn missing_value(rendered: &str, data: &Value) -> Option<usize> {
    ["<no value>", "<nil>"]
        .into_iter()
        .filter_map(|marker| rendered.lines().position(|line| line.contains(marker)).map(|index| (marker, index + 1)))
        // Whoever writes these words into an annotation may have them.
        .find(|(marker, _)| !contains_text(data, marker))
        .map(|(_, line)| line)
}

fn contains_text(value: &Value, text: &str) -> bool {
    match value {
        Value::String(string) => string.contains(text),
        Value::Array(values) => values.iter().any(|value| contains_text(value, text)),
        Value::Object(entries) => entries.iter().any(|(key, value)| key.contains(text) || contains_text(value, text)),
        _ => false,
    }
}

#[derive(Default)]
struct LimitedOutput {
    bytes: Vec<u8>,
}

impl Write for LimitedOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > MAX_OUTPUT_BYTES {
            return Err(io::Error::other(format!("the output passes {MAX_OUTPUT_BYTES} bytes")));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn render(text: &str, data: &Value) -> Result<String, String> {
        Template::parse("test", text).and_then(|template| template.render(data)).map_err(|error| error.to_string())
    }

    #[test]
    fn functions_work_together() {
        let data = json!({"meta": {"annotations": {"a": "x\"y"}}, "list": {"b": [1, "c"]}});
        assert_eq!(render("{{ annotation .meta `a` `z` | quote }}", &data).unwrap(), r#""x\"y""#);
        assert_eq!(render("{{ annotation .meta `b` `z` }}", &data).unwrap(), "z");
        assert_eq!(render("x:\n  {{ toYaml .list | indent 2 }}", &data).unwrap(), "x:\n  b:\n  - 1\n  - c\n");
    }

    #[test]
    fn what_the_data_lacks_is_an_error_with_a_line() {
        let error = render("a: 1\nb: {{ .nothing }}\n", &json!({})).unwrap_err();
        assert!(error.contains("template 'test'") && error.contains("line 2"), "{error}");
    }

    #[test]
    fn what_a_function_gets_and_is_not_there_is_an_error_too() {
        for template in ["a: {{ quote .x.y }}", "a: {{ annotation .meta `k` .x }}", "a: {{ printf `%s` .x }}"] {
            let error = render(template, &json!({"meta": {}})).unwrap_err();
            assert!(error.contains("line 1"), "{template}: {error}");
        }
    }

    #[test]
    fn a_user_may_write_what_go_prints_for_nothing() {
        let data = json!({"meta": {"annotations": {"a": "<no value>", "b": "<nil>"}}});
        assert_eq!(
            render("{{ annotation .meta `a` `` }} {{ annotation .meta `b` `` }}", &data).unwrap(),
            "<no value> <nil>"
        );
    }

    #[test]
    fn an_unknown_function_is_an_error_that_names_it() {
        let error = render("{{ noSuchFunction 1 }}", &json!({})).unwrap_err();
        assert!(error.contains("noSuchFunction"), "{error}");
    }

    #[test]
    fn output_and_loops_are_limited() {
        let data = json!({"long": "x".repeat(MAX_OUTPUT_BYTES / 2 + 1)});
        assert!(render("{{ .long }}{{ .long }}", &data).unwrap_err().contains("1048576"));
        assert!(render("{{ range 100000 }}{{ range 100000 }}{{ end }}{{ end }}", &data).is_err());
    }

    #[test]
    fn a_template_can_refuse() {
        let error = render("{{ fail `not with this proxy` }}", &json!({})).unwrap_err();
        assert!(error.contains("not with this proxy"), "{error}");
    }
}
