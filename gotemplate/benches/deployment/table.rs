//! The table at the end.

use std::collections::BTreeMap;
use std::io::{self, Write};

/// What is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Operation {
    Parse,
    Execute,
}

/// Whose time it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Engine {
    Gotemplate,
    Minijinja,
    Go,
}

/// Nanoseconds of one operation.
#[derive(Debug, Default)]
pub(crate) struct Table {
    times: BTreeMap<(Operation, Engine), f64>,
    notes: Vec<String>,
}

impl Operation {
    const ALL: [Self; 2] = [Self::Parse, Self::Execute];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Parse => "parse",
            Self::Execute => "execute",
        }
    }
}

impl Engine {
    const ALL: [Self; 3] = [Self::Gotemplate, Self::Minijinja, Self::Go];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gotemplate => "gotemplate",
            Self::Minijinja => "minijinja",
            Self::Go => "Go",
        }
    }
}

impl Table {
    /// Keeps the shortest of the samples: whatever else runs on the machine only makes them longer.
    pub(crate) fn record(&mut self, operation: Operation, engine: Engine, samples: &[f64]) {
        if let Some(shortest) = samples.iter().copied().min_by(f64::total_cmp) {
            self.times.insert((operation, engine), shortest);
        }
    }

    /// A line below the table.
    pub(crate) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    pub(crate) fn print(&self, output: &mut impl Write) -> io::Result<()> {
        write!(output, "\n{:10}", "")?;
        for engine in Engine::ALL {
            write!(output, "{:>22}", engine.name())?;
        }
        writeln!(output)?;
        for operation in Operation::ALL {
            write!(output, "{:10}", operation.name())?;
            for engine in Engine::ALL {
                write!(output, "{:>22}", self.cell(operation, engine))?;
            }
            writeln!(output)?;
        }
        writeln!(output, "\n(× n.nn: so many times as long as gotemplate)")?;
        self.notes.iter().try_for_each(|note| writeln!(output, "{note}"))
    }

    fn cell(&self, operation: Operation, engine: Engine) -> String {
        match (self.times.get(&(operation, engine)), self.times.get(&(operation, Engine::Gotemplate))) {
            (Some(time), Some(_)) if engine == Engine::Gotemplate => format!("{:.1} µs", time / 1e3),
            (Some(time), Some(own)) => format!("{:.1} µs (× {:.2})", time / 1e3, time / own),
            _ => "–".to_owned(),
        }
    }
}
