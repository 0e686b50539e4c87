//! A List taken apart in its text, so that only the item at hand has to be in memory as more than text.

use crate::yaml;

use super::objects::is_list;

/// Fields of a List take a few lines; other documents are not looked through for nothing.
const MOST_BYTES_BEFORE_ITEMS: usize = 4096;

/// The parts of a List that is written in blocks. Together they are its text.
#[derive(Debug, PartialEq)]
pub(super) struct Items<'a> {
    /// Up to and with the line of `items:`, and comments behind it.
    pub(super) head: &'a str,
    /// Each item, as a list with this one item, and comments behind it.
    pub(super) items: Vec<&'a str>,
    /// What stands behind the items.
    pub(super) tail: &'a str,
}

impl<'a> Items<'a> {
    /// The parts of a document that is a List; none when it is something else, or a List in another style.
    pub(super) fn of(document: &'a str) -> Option<Self> {
        let head_end = items_line_end(document)?;
        let mut parts = Self { head: document, items: Vec::new(), tail: "" };
        let (mut start, mut at, mut indentation) = (None, head_end, None);
        for line in document[head_end..].split_inclusive('\n') {
            let content = line.trim_start_matches(' ');
            let spaces = line.len() - content.len();
            let is_item = matches!(content.as_bytes(), [b'-', b' ' | b'\n' | b'\r', ..] | [b'-']);
            let says_nothing = content.trim_end_matches(['\r', '\n']).is_empty() || content.starts_with('#');
            if is_item && *indentation.get_or_insert(spaces) == spaces {
                match start.replace(at) {
                    Some(start) => parts.items.push(&document[start..at]),
                    None => parts.head = &document[..at],
                }
            } else if !says_nothing && indentation.is_none_or(|indentation| spaces <= indentation) {
                break;
            }
            at += line.len();
        }
        parts.items.push(&document[start?..at]);
        parts.tail = &document[at..];
        parts.is_a_list().then_some(parts)
    }

    /// Whether head and tail say that it is a List, and nothing else of the items.
    fn is_a_list(&self) -> bool {
        let around = format!("{}{}", self.head, self.tail);
        yaml::read_quickly(&around).is_some_and(|list| is_list(&list) && list["items"].is_null())
    }
}

/// Offset behind the first line that is `items:` and nothing else but a comment.
fn items_line_end(document: &str) -> Option<usize> {
    let mut at = 0;
    for line in document.split_inclusive('\n') {
        at += line.len();
        let rest = line.strip_prefix("items:").map(|rest| rest.trim_matches([' ', '\r', '\n']));
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('#')) {
            return Some(at);
        }
        if at > MOST_BYTES_BEFORE_ITEMS {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_in_blocks_has_parts() {
        let head = "# of a cluster\napiVersion: v1\nitems: # two\n# the first\n";
        let items = ["- kind: A\n  b: |\n    - x\n\n# behind\n", "-\n  c: []\n"];
        let tail = "kind: List\nmetadata:\n  resourceVersion: \"\"\n";
        let text = format!("{head}{}{tail}", items.concat());
        assert_eq!(Items::of(&text), Some(Items { head, items: items.to_vec(), tail }));
        let indented = "kind: List\r\napiVersion: v1\r\nitems:\r\n  - a: 1\r\n  - b:\r\n    - 1\r\n";
        let parts = Items::of(indented).unwrap();
        assert_eq!((parts.items.len(), parts.tail), (2, ""));
    }

    #[test]
    fn other_documents_have_none() {
        for text in [
            "kind: List\napiVersion: v1\nitems: []\n",
            "kind: List\napiVersion: v1\nitems:\n",
            "kind: ConfigMap\napiVersion: v1\nitems:\n- a\n",
            "kind: List\napiVersion: v1\nitems:\n- a\nitems:\n- b\n",
            "{kind: List, apiVersion: v1,\nitems:\n- a}\n",
        ] {
            assert_eq!(Items::of(text), None, "{text}");
        }
    }
}
