//! Cutting a YAML stream into documents without losing a byte.

/// One document, with the separator in front of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Document<'a> {
    /// From its separator line, if it has one, to the next one. All documents together are the stream.
    pub(crate) text: &'a str,
    /// Number of its first line in the stream, from 1.
    pub(crate) line: usize,
}

/// Cuts at lines that start a document: `---`, alone or followed by a space.
///
/// Inside a document such a line cannot occur: YAML forbids it at the start of a line even in block scalars.
pub(crate) fn documents(stream: &str) -> Vec<Document<'_>> {
    let mut documents = Vec::new();
    let (mut start, mut start_line, mut offset) = (0, 1, 0);
    for (index, line) in stream.split_inclusive('\n').enumerate() {
        if is_separator(line) && offset > start {
            documents.push(Document { text: &stream[start..offset], line: start_line });
            (start, start_line) = (offset, index + 1);
        }
        offset += line.len();
    }
    if offset > start {
        documents.push(Document { text: &stream[start..], line: start_line });
    }
    documents
}

impl<'a> Document<'a> {
    /// Whether there is nothing in it but separators, comments and blank lines.
    pub(crate) fn is_empty(&self) -> bool {
        self.leading_lines().len() == self.text.len()
    }

    /// Line in the stream of the first thing in it that is not a separator, comment or blank line.
    pub(crate) fn first_line(&self) -> usize {
        self.line + self.leading_lines().lines().count()
    }

    /// What goes in front of the document when it is written anew: its own separator, comments and blank lines; or a
    /// separator, where the document began on the separator's line.
    pub(crate) fn head(&self) -> &'a str {
        match self.leading_lines() {
            "" if is_separator(self.text.lines().next().unwrap_or_default()) => "---\n",
            lines => lines,
        }
    }

    /// The separator, comments and blank lines before anything else.
    fn leading_lines(&self) -> &'a str {
        let length = self.text.split_inclusive('\n').take_while(|line| says_nothing(line)).map(str::len).sum();
        &self.text[..length]
    }
}

fn is_separator(line: &str) -> bool {
    line.strip_prefix("---").is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

fn says_nothing(line: &str) -> bool {
    let rest = if is_separator(line) { &line[3..] } else { line };
    let rest = rest.trim_start_matches('\u{feff}').trim();
    // A line that starts with `%` is a directive, as in `%YAML 1.2`; nothing in a Kubernetes object can start so.
    rest.is_empty() || rest.starts_with('#') || line.starts_with('%') || rest == "..."
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn separators_start_documents_and_know_their_line() {
        let stream = "# head\na: 1\n---\nb: |\n  ---\n  x\n--- # third\n\nc: 1\n---";
        let found: Vec<_> = documents(stream).iter().map(|d| (d.text, d.line, d.first_line())).collect();
        assert_eq!(
            found,
            [
                ("# head\na: 1\n", 1, 2),
                ("---\nb: |\n  ---\n  x\n", 3, 4),
                ("--- # third\n\nc: 1\n", 7, 9),
                ("---", 10, 11)
            ]
        );
    }

    #[test]
    fn what_only_looks_like_a_separator_is_none() {
        assert_eq!(documents("a: 1\n----\n---b\n ---\n").len(), 1);
        assert_eq!(documents("a: 1\r\n---\r\nb: 1\r\n").len(), 2);
    }

    #[test]
    fn comments_blank_lines_and_directives_are_nothing() {
        for nothing in ["", "\n", "---\n", "# a\n\n---   # b\n", "\u{feff}# a\n", "%YAML 1.2\n", "---\r\n"] {
            assert!(documents(nothing).iter().all(Document::is_empty), "{nothing:?}");
        }
        assert!(!documents("--- {a: 1}\n")[0].is_empty());
    }

    #[test]
    fn a_document_on_its_separators_line_still_gets_a_separator() {
        let stream = "a: 1\n--- {b: 1}\n--- !!map\nc: 1\n--- # d\nd: 1\n";
        let heads: Vec<_> = documents(stream).iter().map(Document::head).collect();
        assert_eq!(heads, ["", "---\n", "---\n", "--- # d\n"]);
    }

    proptest! {
        #[test]
        fn no_byte_is_lost(stream in "(---|# c|a: 1| |\n|\r\n|é){0,20}") {
            let together: String = documents(&stream).iter().map(|document| document.text).collect();
            prop_assert_eq!(together, stream);
        }
    }
}
