//! Decisions of a generator, taken from bytes: proptest makes fewer and smaller ones of them, and the pod gets simpler.

use serde_json::{Map, Value, json};

/// Text that means something else than itself to some reader of YAML, JSON, Go templates, or command lines.
const ODD: [&str; 44] = [
    "web",
    "",
    " ",
    "a\"b",
    "a'b",
    "a\\b",
    "a\nb",
    "a\n",
    "\n  - name: evil\n    image: evil",
    "\"\n- evil",
    "x: y",
    "- x",
    "? x",
    "{a: b}",
    "[a, b]",
    "[",
    "}",
    "null",
    "~",
    "yes",
    "0x1f",
    "0777",
    "1e3",
    ".nan",
    "2001-01-01",
    "12:30:45",
    "{{ .Values.global }}",
    "{{",
    "%d%s",
    "日本語 🎉",
    "e\u{301}",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "\u{7f}\u{1}",
    "\u{0}",
    "\t",
    "&a",
    "*a",
    "!!binary x",
    "a # b",
    "---",
    "<no value> <nil>",
    "$patch",
];

/// Bytes that decide; after the last of them every decision is the plainest one.
pub(crate) struct Choices<'a> {
    bytes: std::slice::Iter<'a, u8>,
}

impl<'a> Choices<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes: bytes.iter() }
    }

    fn byte(&mut self) -> usize {
        self.bytes.next().copied().unwrap_or_default().into()
    }

    /// A number from 0 to `count - 1`; small bytes give small ones.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        self.byte() * count / 256
    }

    /// Whether something happens that does so in `percent` of a hundred cases, and never when bytes have run out.
    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.byte() * 100 >= (100 - percent) * 256
    }

    /// One of them; the first is the plainest.
    pub(crate) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    /// Some of them, in their order.
    pub(crate) fn some<T: Copy>(&mut self, from: &[T], percent: usize) -> Vec<T> {
        from.iter().copied().filter(|_| self.chance(percent)).collect()
    }

    /// `plain`, or now and then something odd.
    pub(crate) fn text(&mut self, plain: &str) -> String {
        if self.chance(12) { self.odd().to_owned() } else { plain.to_owned() }
    }

    /// Odd text.
    pub(crate) fn odd(&mut self) -> &'static str {
        self.pick(&ODD)
    }

    /// Any JSON.
    pub(crate) fn json(&mut self, depth: usize) -> Value {
        const KEYS: [&str; 10] = ["a", "name", "metadata", "spec", "containers", "$patch", "", "a/b~c", "0", "image"];
        match self.below(if depth == 0 { 6 } else { 8 }) {
            0 => Value::Null,
            1 => json!({}),
            2 => json!([]),
            3 => self.odd().into(),
            4 => self.pick(&[json!(0), json!(-1), json!(1.5), json!(1e300), json!(u64::MAX)]),
            5 => self.chance(50).into(),
            6 => (0..self.below(4)).map(|_| self.json(depth - 1)).collect(),
            _ => {
                let entries = (0..self.below(4)).map(|_| (self.pick(&KEYS).to_owned(), self.json(depth - 1)));
                Value::Object(entries.collect())
            }
        }
    }

    /// `fields` as a mapping: some of them with null or nothing in them instead, some more that nobody knows, and in
    /// another order.
    pub(crate) fn mapping(&mut self, fields: Vec<(&str, Value)>) -> Value {
        let mut entries: Vec<(String, Value)> =
            fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        if self.chance(10) {
            let unknown = self.json(2);
            entries.push(("x-unknown".to_owned(), unknown));
        }
        if self.chance(30) {
            let by = self.below(entries.len().max(1));
            entries.rotate_left(by);
        }
        Value::Object(entries.into_iter().collect::<Map<_, _>>())
    }

    /// `value`, or now and then null or nothing in its place.
    pub(crate) fn or_nothing(&mut self, value: Value) -> Value {
        match (self.chance(6), &value) {
            (false, _) => value,
            (true, Value::Array(_)) => self.pick(&[Value::Null, json!([])]),
            (true, Value::Object(_)) => self.pick(&[Value::Null, json!({})]),
            (true, _) => Value::Null,
        }
    }

    /// Puts `junk` into some place of `value`.
    pub(crate) fn replace(&mut self, value: &mut Value, junk: &Value) {
        let deeper = self.chance(85);
        match value {
            Value::Array(elements) if deeper && !elements.is_empty() => {
                let place = self.below(elements.len());
                self.replace(&mut elements[place], junk);
            }
            Value::Object(entries) if deeper && !entries.is_empty() => {
                let place = self.below(entries.len());
                if let Some(entry) = entries.values_mut().nth(place) {
                    self.replace(entry, junk);
                }
            }
            _ => *value = junk.clone(),
        }
    }
}
