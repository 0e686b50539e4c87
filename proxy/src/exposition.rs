//! Metrics as text, in the two formats that Prometheus reads.
//!
//! Written here and not by a library, because Envoy's names must come out as they are: OpenMetrics wants every counter
//! to end in `_total`, which half of Envoy's do not, and the older format has no such rule.

use std::fmt::Write;

/// How the text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus text format 0.0.4, which Envoy writes too.
    Text,
    /// OpenMetrics 1.0.0, for those who ask for it.
    OpenMetrics,
}

/// What a number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
}

/// Text that grows by a family of samples at a time.
#[derive(Debug)]
pub struct Exposition {
    format: Format,
    text: String,
}

impl Format {
    /// What an `Accept` header asks for. Preferences among several are not weighed: who names OpenMetrics reads it.
    pub fn accepted(accept: &str) -> Self {
        if accept.contains("application/openmetrics-text") { Self::OpenMetrics } else { Self::Text }
    }

    /// The value of `Content-Type`.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

impl Exposition {
    /// No metrics yet.
    pub const fn new(format: Format) -> Self {
        Self { format, text: String::new() }
    }

    /// Adds a metric: its name, what it is, and for each value of `label` its number.
    pub fn family<'a>(
        &mut self,
        name: &str,
        help: &str,
        kind: Kind,
        label: &str,
        samples: impl Iterator<Item = (&'a str, u64)>,
    ) {
        self.head(name, help, kind);
        for (value, number) in samples {
            self.line(format_args!("{name}{{{label}=\"{}\"}} {number}", escaped(value)));
        }
    }

    /// Adds a metric that has no labels.
    pub fn single(&mut self, name: &str, help: &str, kind: Kind, number: u64) {
        self.head(name, help, kind);
        self.line(format_args!("{name} {number}"));
    }

    /// The whole text.
    pub fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.line(format_args!("# EOF"));
        }
        self.text
    }

    fn head(&mut self, name: &str, help: &str, kind: Kind) {
        let (family, kind) = match (self.format, kind) {
            (_, Kind::Gauge) => (name, "gauge"),
            (Format::Text, Kind::Counter) => (name, "counter"),
            // Here the family goes without the suffix, and what has none cannot be a counter.
            (Format::OpenMetrics, Kind::Counter) => match name.strip_suffix("_total") {
                Some(family) => (family, "counter"),
                None => (name, "unknown"),
            },
        };
        self.line(format_args!("# HELP {family} {help}"));
        self.line(format_args!("# TYPE {family} {kind}"));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // A string takes everything.
        let _ = writeln!(self.text, "{line}");
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(format: Format) -> String {
        let mut exposition = Exposition::new(format);
        exposition.family("cx_total", "Connections", Kind::Counter, "at", [("a", 1), ("b\"\\\n", 2)].into_iter());
        exposition.single("cx_overflow", "Reset", Kind::Counter, 3);
        exposition.single("cx_active", "Open", Kind::Gauge, 4);
        exposition.finish()
    }

    #[test]
    fn every_counter_is_one_in_the_text_format() {
        let expected = r#"# HELP cx_total Connections
# TYPE cx_total counter
cx_total{at="a"} 1
cx_total{at="b\"\\\n"} 2
# HELP cx_overflow Reset
# TYPE cx_overflow counter
cx_overflow 3
# HELP cx_active Open
# TYPE cx_active gauge
cx_active 4
"#;
        assert_eq!(text(Format::Text), expected);
    }

    #[test]
    fn openmetrics_names_families_without_suffix_and_ends_with_eof() {
        let expected = r#"# HELP cx Connections
# TYPE cx counter
cx_total{at="a"} 1
cx_total{at="b\"\\\n"} 2
# HELP cx_overflow Reset
# TYPE cx_overflow unknown
cx_overflow 3
# HELP cx_active Open
# TYPE cx_active gauge
cx_active 4
# EOF
"#;
        assert_eq!(text(Format::OpenMetrics), expected);
    }

    #[test]
    fn openmetrics_is_for_those_who_ask() {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        assert_eq!(Format::accepted(prometheus), Format::OpenMetrics);
        for accept in ["", "*/*", "text/plain;version=0.0.4"] {
            assert_eq!(Format::accepted(accept), Format::Text, "{accept}");
        }
    }
}
