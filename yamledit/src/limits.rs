//! How much one document may take.

use serde_json::Value;

use crate::error::Error;

/// What a document, and the value it is to have, may be at most. The defaults let everything sensible pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the text: 64 MiB.
    pub bytes: usize,
    /// Scalars, mappings and sequences, counted again wherever an alias repeats them: 1,000,000.
    pub nodes: usize,
    /// Collections within each other: 128. More than 255 is taken as 255.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 64 << 20, nodes: 1_000_000, depth: 128 }
    }
}

/// Walking a tree takes stack for every level, and this many fit into a small thread's.
const DEEPEST: usize = 255;

impl Limits {
    pub(crate) fn levels(&self) -> usize {
        self.depth.min(DEEPEST)
    }

    pub(crate) fn check_text(&self, text: &str) -> Result<(), Error> {
        if text.len() > self.bytes {
            return Err(Error::Limit(format!("a document has more than {} bytes", self.bytes)));
        }
        Ok(())
    }

    pub(crate) fn too_many_nodes(&self) -> Error {
        Error::Limit(format!("a document has more than {} nodes, aliases expanded", self.nodes))
    }

    pub(crate) fn too_deep(&self) -> Error {
        Error::Limit(format!("a document nests deeper than {} levels", self.levels()))
    }

    /// Whether a value is within the limits. Does not recurse, so that any value can be asked about.
    pub(crate) fn check_value(&self, value: &Value) -> Result<(), Error> {
        let mut left = vec![(value, 0)];
        let mut nodes = 0_usize;
        while let Some((value, depth)) = left.pop() {
            nodes += 1;
            match value {
                Value::Array(items) if !items.is_empty() => left.extend(items.iter().map(|item| (item, depth + 1))),
                Value::Object(map) if !map.is_empty() => left.extend(map.values().map(|item| (item, depth + 1))),
                _ => {}
            }
            if depth > self.levels() {
                return Err(self.too_deep());
            }
            if nodes > self.nodes {
                return Err(self.too_many_nodes());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_beyond_the_limits_are_refused() {
        let limits = Limits { nodes: 4, depth: 2, ..Limits::default() };
        assert_eq!(limits.check_value(&json!({"a": [1, 2]})), Ok(()));
        assert_eq!(limits.check_value(&json!({"a": [1, 2, 3]})), Err(limits.too_many_nodes()));
        assert_eq!(limits.check_value(&json!([[[1]]])), Err(limits.too_deep()));
    }
}
