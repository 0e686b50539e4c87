//! Literal block scalars: text of several lines behind a `|`.

use super::Reader;

impl Reader<'_> {
    /// The text of the literal behind `header`, of which only `|` and `|-` are read, in a block that is indented so far.
    pub(super) fn literal(&mut self, header: &str, indentation: usize) -> Option<String> {
        let is_stripped = match header {
            "|" => false,
            "|-" => true,
            _ => return None,
        };
        let mut text = String::new();
        // Empty lines at the end are not part of the text.
        let mut empty = 0;
        let mut inner = None;
        loop {
            let start = self.next;
            let Some(line) = self.raw_line() else { break };
            let content = line.trim_start_matches(' ');
            let spaces = line.len() - content.len();
            if content.is_empty() {
                // Blanks beyond the indentation are text, and before the first line of text a mistake.
                if inner.is_none_or(|inner| spaces > inner) && spaces > 0 {
                    return None;
                }
                empty += 1;
                continue;
            }
            let inner = *inner.get_or_insert(spaces);
            if spaces < inner || spaces <= indentation {
                self.next = start;
                break;
            }
            text.extend(std::iter::repeat_n('\n', empty));
            empty = 0;
            text.push_str(&line[inner..]);
            text.push('\n');
        }
        // What an empty one means, and one whose last line has no end, the parser knows.
        if text.is_empty() || !self.text[..self.next].ends_with('\n') {
            return None;
        }
        if is_stripped {
            text.pop();
        }
        Some(text)
    }
}
