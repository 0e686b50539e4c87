//! `--run-validation`: tries the rules with traffic, and compares what is in the kernel with what is wanted, since nobody
//! in here can send what arrives from other machines.

use crate::apply;
use crate::backend::{self, Found, Kind};
use crate::kernel::Unreadable;
use crate::probe::{self, Attempts};
use crate::report::{Report, Validation};
use crate::routes::{self, Wanted};
use crate::rtnetlink::Rtnetlink;
use crate::rule::{Family, RuleSet};
use crate::settings::Settings;
use crate::store::{self, State};
use crate::validation::{Difference, differences};

/// Differences that are named.
const MAX_DIFFERENCES: usize = 20;

/// Why the rules are not known to be good.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not known which are wanted.
    #[error(transparent)]
    Goal(#[from] apply::Error),
    /// Traffic does not go where it should, or could not be sent.
    #[error(transparent)]
    Probe(#[from] probe::Error),
    /// They are not those that are wanted, a line each.
    #[error("{}", .0.join("\n"))]
    Different(Vec<String>),
    /// What is there could not be read.
    #[error(transparent)]
    Store(store::Error),
    /// Neither could routes.
    #[error(transparent)]
    Routes(#[from] routes::Error),
}

impl Error {
    /// Whether the rules are not good, or not known to be. Otherwise the trial has not begun.
    pub fn is_about_rules(&self) -> bool {
        !matches!(self, Self::Goal(_))
    }
}

/// What was compared.
#[derive(Default)]
struct Comparison {
    differences: Vec<String>,
    left_out: Vec<String>,
}

/// Tries and compares what `settings` ask for with what is there. The result is added to `report`.
///
/// # Errors
/// When something is not as it should be, or nothing can be said about it.
pub fn run(settings: &Settings, report: &mut Report) -> Result<(), Error> {
    let families = apply::families(settings)?;
    let goal = apply::goal(settings, &families)?;
    let validation = report.validation.insert(Validation::default());
    let result = examine(settings, families, &goal, validation);
    if let Err(error) = &result {
        validation.failures = with_causes(error).lines().map(str::to_owned).collect();
        return result;
    }
    for reason in &validation.left_out {
        tracing::info!("{reason}");
    }
    tracing::info!(passed = validation.passed, "the rules do with real traffic what they are for");
    Ok(())
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    std::iter::once(error.to_string()).chain(causes.map(ToString::to_string)).collect::<Vec<_>>().join(": ")
}

fn examine(
    settings: &Settings,
    families: Vec<Family>,
    goal: &[RuleSet],
    validation: &mut Validation,
) -> Result<(), Error> {
    let Settings { capture, probe_port, probe_timeout, .. } = settings;
    let attempts = Attempts { capture, rules: goal, probe_port: *probe_port, timeout: *probe_timeout };
    let tried = probe::run(&attempts);
    // What traffic shows is told first and alone: it names the rule that should have done it.
    if let Err(error @ probe::Error::Rules(_)) = tried {
        return Err(error.into());
    }
    let mut compared = compare_rules(goal)?;
    let wanted = Wanted { families, policy: apply::policy(settings) };
    let snapshot = routes::read(&Rtnetlink::open().map_err(routes::Error::Read)?)?;
    compared.differences.extend(snapshot.missing(&wanted).iter().map(|entry| format!("`{entry}` is not there")));
    let count = compared.differences.len();
    if count > 0 {
        compared.differences.truncate(MAX_DIFFERENCES);
        if count > MAX_DIFFERENCES {
            compared.differences.push(format!("and {} more", count - MAX_DIFFERENCES));
        }
        return Err(Error::Different(compared.differences));
    }
    let tried = tried?;
    validation.passed = tried.passed;
    validation.left_out = tried.left_out;
    validation.left_out.extend(compared.left_out);
    Ok(())
}

/// Rules are compared where they are, whatever the settings would choose.
fn compare_rules(goal: &[RuleSet]) -> Result<Comparison, Error> {
    let mut compared = Comparison::default();
    let not_compared = |reason: &dyn std::fmt::Display| format!("rules not compared with the settings: {reason}");
    let state = match State::read() {
        Ok(state) => state,
        Err(error @ (store::Error::Unreadable(Unreadable::Forbidden(_)) | store::Error::Legacy(_))) => {
            compared.left_out.push(not_compared(&error));
            return Ok(compared);
        }
        Err(error) => return Err(Error::Store(error)),
    };
    let seen = state.seen();
    let is_there = [seen.nft, seen.legacy, seen.native].contains(&Found::Ours);
    let wants_any = goal.iter().any(|rules| !rules.rules.is_empty());
    let Some(kind) = backend::choose(seen).filter(|_| is_there) else {
        match state.unseen() {
            _ if !wants_any => {}
            [] => compared.differences.push("there are no rules of ours".to_owned()),
            _ => {
                let reason = "there are tables of iptables-legacy that cannot be looked at";
                compared.left_out.push(not_compared(&reason));
            }
        }
        return Ok(compared);
    };
    compared.differences = if kind == Kind::Native {
        of_native(goal, &state)?
    } else {
        let tables = state.tables().filter(|(of, ..)| *of == kind);
        let tables: Vec<_> = tables.map(|(_, family, table, saved)| (family, table, saved.clone())).collect();
        differences(goal, &tables).iter().map(ToString::to_string).collect()
    };
    if let Some(other) = state.left(kind) {
        compared.differences.push(format!("there are rules of ours in {other} too, besides those in {kind}"));
    }
    Ok(compared)
}

/// Native rules are not those of iptables one by one, so what tells is whether there is anything to be written. The words
/// of iptables only name what is missing.
fn of_native(goal: &[RuleSet], state: &State) -> Result<Vec<String>, Error> {
    let changed = state.native_differences(goal).map_err(|error| Error::Store(error.into()))?;
    let absent = differences(goal, &state.native_tables());
    let absent = || absent.iter().filter(|difference| difference.is_absent());
    let named = changed.into_iter().flat_map(|table| {
        let named: Vec<String> = absent().filter(|found| found.table == table).map(Difference::to_string).collect();
        if named.is_empty() { vec![format!("our native {table} table has other rules than are wanted")] } else { named }
    });
    Ok(named.collect())
}
