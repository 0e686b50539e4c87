//! What a run has done, for people and for programs.

use serde_json::{Value, json};

use crate::backend::Kind;
use crate::plan::Outcome;
use crate::routes::Entry;
use crate::rule::{Family, Table};

/// What a run has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Where the rules are; `None` where none are wanted.
    pub backend: Option<Kind>,
    /// What became of each table.
    pub tables: Vec<TableReport>,
    /// What was added to routing, and what was removed.
    pub routes: Vec<(Entry, Outcome)>,
    /// What whoever reads this should look after.
    pub warnings: Vec<String>,
    /// What `--run-validation` has found; `None` where it was not asked for, or has not begun.
    pub validation: Option<Validation>,
}

/// What a trial of the rules has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validation {
    /// How many connections and queries went where they should.
    pub passed: usize,
    /// What is wrong: a sentence each.
    pub failures: Vec<String>,
    /// What could not be tried or compared, and why: a sentence each.
    pub left_out: Vec<String>,
}

/// What became of one table of one family in one backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableReport {
    /// The backend.
    pub backend: Kind,
    /// The family.
    pub family: Family,
    /// The table.
    pub table: Table,
    /// How many chains of ours it has now.
    pub chains: usize,
    /// How many rules of ours it has now.
    pub rules: usize,
    /// What was done.
    pub outcome: Outcome,
}

impl Report {
    /// Adds what became of a table. Of several steps with the same table, the first says what was there and the last what
    /// is.
    pub fn add(&mut self, done: TableReport) {
        let TableReport { backend, family, table, .. } = done;
        let known =
            self.tables.iter_mut().find(|known| (known.backend, known.family, known.table) == (backend, family, table));
        match known {
            Some(known) if done.outcome == Outcome::Removed => known.outcome = Outcome::Removed,
            Some(_) => {}
            None => self.tables.push(done),
        }
    }

    /// Tells what was done, in one event for each thing.
    pub fn log(&self) {
        for TableReport { backend, family, table, chains, rules, outcome } in &self.tables {
            let is_there = *outcome != Outcome::Removed;
            let message = if is_there { "redirection is in place" } else { "rules of an earlier run are gone" };
            tracing::info!(%backend, %family, %table, chains, rules, outcome = outcome.word(), "{message}");
        }
        for (entry, outcome) in &self.routes {
            let verb = if *outcome == Outcome::Removed { "removed" } else { "added" };
            tracing::info!("{verb} {entry}");
        }
    }

    /// One JSON object: `outcome`, `backend`, `tables`, `routes`, `warnings`, `validation` (or null), and `error` if the
    /// run failed.
    pub fn json(&self, error: Option<&str>) -> Value {
        let tables: Vec<Value> = self.tables.iter().map(TableReport::json).collect();
        let routes = self.routes.iter().map(|(entry, outcome)| {
            let verb = if *outcome == Outcome::Removed { "removed" } else { "added" };
            json!({"entry": entry.to_string(), "outcome": verb})
        });
        let mut report = json!({
            "outcome": if error.is_some() { "failed" } else { self.outcome() },
            "backend": self.backend.map(|kind| kind.to_string()),
            "tables": tables,
            "routes": routes.collect::<Vec<_>>(),
            "warnings": self.warnings,
            "validation": self.validation.as_ref().map(Validation::json),
        });
        if let (Some(error), Value::Object(fields)) = (error, &mut report) {
            fields.insert("error".to_owned(), error.into());
        }
        report
    }

    /// In a word: that of the tables if it is the same for all, else that something was replaced.
    fn outcome(&self) -> &'static str {
        let mut outcomes = self.tables.iter().map(|table| table.outcome);
        let Some(first) = outcomes.next() else {
            return if self.routes.is_empty() { "unchanged" } else { "replaced" };
        };
        if outcomes.any(|outcome| outcome != first) || first == Outcome::Unchanged && !self.routes.is_empty() {
            return "replaced";
        }
        first.word()
    }
}

impl Validation {
    fn json(&self) -> Value {
        json!({
            "outcome": if self.failures.is_empty() { "passed" } else { "failed" },
            "passed": self.passed,
            "failures": self.failures,
            "leftOut": self.left_out,
        })
    }
}

impl TableReport {
    fn json(&self) -> Value {
        json!({
            "backend": self.backend.to_string(),
            "family": self.family.to_string(),
            "table": self.table.to_string(),
            "chains": self.chains,
            "rules": self.rules,
            "outcome": self.outcome.to_string(),
        })
    }
}
