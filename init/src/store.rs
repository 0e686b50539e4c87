//! The backends of this machine: what they hold of ours, and how rules get into them.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use crate::backend::{Found, Kind, Seen};
use crate::change::Change;
use crate::diagnosis::{self, Diagnosis};
use crate::groups::UnknownGroups;
use crate::kernel::{Kernel, Refused, Unreadable};
use crate::legacy;
use crate::native;
use crate::native::present::Present;
use crate::native::step::Step;
use crate::nftables::snapshot::Snapshot;
use crate::plan::{self, Outcome, View};
use crate::rule::{Family, RuleSet, Table};
use crate::saved::Saved;

mod x_tables;

use x_tables::Legacy;

/// How often rules are written that others change at the same time, and how long to wait in between.
const ATTEMPTS: usize = 5;
const PAUSE: Duration = Duration::from_millis(10);

/// Where rules of ours may be.
const PLACES: [(Family, Table); 6] = [
    (Family::V4, Table::Raw),
    (Family::V4, Table::Mangle),
    (Family::V4, Table::Nat),
    (Family::V6, Table::Raw),
    (Family::V6, Table::Mangle),
    (Family::V6, Table::Nat),
];

/// A backend could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// iptables-legacy.
    #[error(transparent)]
    Legacy(#[from] legacy::Error),
    /// nf_tables could not be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// A group is given by a name.
    #[error(transparent)]
    Groups(#[from] UnknownGroups),
    /// nf_tables could not be written; nothing was.
    #[error("{0}")]
    Refused(Box<Diagnosis>),
    /// There are none to write to.
    #[error(
        "the kernel has no nf_tables; load the module nf_tables on the node, or use --force-iptables-binary legacy"
    )]
    NoNfTables,
    /// There is no backend.
    #[error(
        "the kernel has no nf_tables, and iptables-legacy-restore is not on the PATH; load the module nf_tables on the node, or use an image with iptables"
    )]
    Nothing,
}

/// What was read of all backends.
#[derive(Debug)]
pub struct State {
    /// Of nf_tables; `None` where the kernel has none.
    pub nf_tables: Option<NfTables>,
    /// Of iptables-legacy; nothing where it has no tables, or they cannot be seen.
    legacy: Legacy,
}

/// nf_tables as they were read.
#[derive(Debug)]
pub struct NfTables {
    kernel: Kernel,
    seen: Snapshot,
    view: View,
    /// Whether it has been written since it was read.
    is_stale: bool,
}

/// What became of the tables of a backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brought {
    /// Each table that has rules or had some of ours. The two layouts of nf_tables are one backend here.
    pub outcomes: Vec<(Kind, Family, Table, Outcome)>,
    /// How they were before.
    pub view: View,
}

impl State {
    /// Reads all backends. One that is not there is left out; what cannot be seen of iptables-legacy is [`State::unseen`].
    ///
    /// # Errors
    /// When nf_tables are there and cannot be read.
    pub fn read() -> Result<Self, Error> {
        let nf_tables = match NfTables::read() {
            Err(Unreadable::Missing(_)) => None,
            other => Some(other?),
        };
        Ok(Self { nf_tables, legacy: Legacy::read() })
    }

    /// The tables of iptables with rules, as they were read, backend by backend.
    pub fn tables(&self) -> impl Iterator<Item = (Kind, Family, Table, &Saved)> {
        let nft = self.nf_tables.iter().flat_map(|there| there.seen.tables.iter().map(|table| (Kind::Nft, table)));
        let legacy = self.legacy.seen.tables.iter().map(|table| (Kind::Legacy, table));
        let with_rules = nft.chain(legacy).map(|(kind, (family, table, saved))| (kind, *family, *table, saved));
        with_rules.filter(|(.., saved)| !saved.chains.is_empty() || !saved.others.is_empty())
    }

    /// Our native tables in the words of iptables, as they were read.
    pub fn native_tables(&self) -> Vec<(Family, Table, Saved)> {
        self.nf_tables.as_ref().map(|there| native::words::saved(&there.seen.native)).unwrap_or_default()
    }

    /// Our native tables that are not as `goal` wants them, each once.
    ///
    /// # Errors
    /// When a rule names a group.
    pub fn native_differences(&self, goal: &[RuleSet]) -> Result<Vec<Table>, UnknownGroups> {
        let own = self.own_tables().map(|own| own.steps_to(&native::ruleset::tables(goal), false)).transpose()?;
        let steps = own.unwrap_or_default();
        let is_changed = |table: &Table| steps.iter().any(|step| step.table() == *table);
        Ok([Table::Raw, Table::Mangle, Table::Nat].into_iter().filter(is_changed).collect())
    }

    /// What was found of each backend.
    pub fn seen(&self) -> Seen {
        let (nft, native) = match &self.nf_tables {
            Some(there) if there.seen.native.is_empty() => (found(&there.view), Found::Usable),
            Some(there) => (found(&there.view), Found::Ours),
            None => (Found::Missing, Found::Missing),
        };
        let is_usable = legacy::is_installed(Family::V4);
        let legacy = if is_usable { found(&self.legacy.view) } else { Found::Missing };
        Seen { nft, legacy, native }
    }

    /// The other backend than that of `kind`, if it holds anything of ours.
    pub fn left(&self, kind: Kind) -> Option<Kind> {
        let seen = self.seen();
        let others: &[(Kind, Found)] = match kind {
            Kind::Legacy => &[(Kind::Nft, seen.nft), (Kind::Native, seen.native)],
            Kind::Nft | Kind::Native => &[(Kind::Legacy, seen.legacy)],
        };
        others.iter().find(|(_, found)| *found == Found::Ours).map(|(kind, _)| *kind)
    }

    /// Whether any backend holds anything of ours for a family.
    pub fn holds_ours_of(&self, family: Family) -> bool {
        self.own_tables().is_some_and(|own| own.serves(family)) || self.views().any(|view| view.holds_ours_of(family))
    }

    /// The marks that chains of ours set on packets, or look for.
    pub fn marks(&self) -> BTreeSet<u32> {
        let own = self.own_tables().map(Present::marks).unwrap_or_default();
        self.views().flat_map(View::marks).chain(own).collect()
    }

    /// Makes the rules of `goal` all that there is of ours in a backend. What others change meanwhile is read again.
    ///
    /// # Errors
    /// When it cannot be written; then it is as it was.
    pub fn bring(&mut self, to: Kind, goal: &[RuleSet], force: bool) -> Result<Brought, Error> {
        match (to, &mut self.nf_tables) {
            (Kind::Legacy, _) => self.legacy.bring(goal, force),
            (Kind::Nft | Kind::Native, Some(there)) => there.bring(to, goal, force),
            (Kind::Nft | Kind::Native, None) => Err(Error::NoNfTables),
        }
    }

    /// Removes what held rules of ours when it was read, and holds nothing any more.
    ///
    /// # Errors
    /// When nf_tables cannot be read.
    pub fn tidy(&mut self) -> Result<(), Error> {
        let Some(NfTables { kernel, view, .. }) = &mut self.nf_tables else { return Ok(()) };
        let had = view.tables.iter().filter(|(.., current)| !current.owned.is_empty());
        Ok(kernel.tidy(&had.map(|(family, table, _)| (*family, *table)).collect::<Vec<_>>())?)
    }

    /// Whether a backend can be written to.
    pub fn is_there(&self, kind: Kind) -> bool {
        match kind {
            Kind::Legacy => !self.legacy.seen.tables.is_empty(),
            Kind::Nft | Kind::Native => self.nf_tables.is_some(),
        }
    }

    /// Why tables of iptables-legacy could not be seen, at most one reason for a family.
    pub fn unseen(&self) -> &[legacy::Error] {
        &self.legacy.unseen
    }

    /// Whether a failure has left some of the tables of iptables-legacy with new rules, and others without.
    pub fn is_torn(&self) -> bool {
        self.legacy.is_torn
    }

    fn own_tables(&self) -> Option<&Present> {
        self.nf_tables.as_ref().map(|there| &there.seen.native)
    }

    fn views(&self) -> impl Iterator<Item = &View> {
        self.nf_tables.as_ref().map(|there| &there.view).into_iter().chain([&self.legacy.view])
    }
}

fn found(view: &View) -> Found {
    match view {
        view if view.holds_ours() => Found::Ours,
        view if view.has_nat_rules() => Found::InUse,
        _ => Found::Usable,
    }
}

impl NfTables {
    fn read() -> Result<Self, Unreadable> {
        let mut kernel = Kernel::connect()?;
        let seen = kernel.read(&PLACES)?;
        Ok(Self { view: plan::divide(&seen.tables), kernel, seen, is_stale: false })
    }

    /// What is in the other layout goes in the same transaction.
    fn bring(&mut self, to: Kind, goal: &[RuleSet], force: bool) -> Result<Brought, Error> {
        let (xtables, own): (&[RuleSet], &[RuleSet]) = if to == Kind::Native { (&[], goal) } else { (goal, &[]) };
        let own = native::ruleset::tables(own);
        let mut attempt = 1;
        loop {
            if self.is_stale {
                self.seen = self.kernel.read(&PLACES)?;
                self.view = plan::divide(&self.seen.tables);
            }
            let changes = plan::changes(xtables, &self.view, Kind::Nft, force);
            let steps = self.seen.native.steps_to(&own, force)?;
            self.is_stale |= !changes.is_empty() || !steps.is_empty();
            match self.kernel.commit_with(&changes, &steps, &self.seen) {
                Ok(()) => {
                    let mut outcomes = outcomes(Kind::Nft, xtables, &changes);
                    outcomes.extend(native_outcomes(if to == Kind::Native { goal } else { &[] }, &steps));
                    return Ok(Brought { outcomes, view: self.view.clone() });
                }
                Err(Refused::Changed) if attempt < ATTEMPTS => told_to_wait(),
                Err(refused) => return Err(Error::Refused(Box::new(diagnosis::of_refusal(&refused, &changes)))),
            }
            attempt += 1;
        }
    }
}

fn outcomes(kind: Kind, goal: &[RuleSet], changes: &[Change]) -> Vec<(Kind, Family, Table, Outcome)> {
    let outcomes = plan::outcomes(goal, changes).into_iter();
    outcomes.map(|(family, table, outcome)| (kind, family, table, outcome)).collect()
}

/// The same for tables of both families: they are named once for each.
fn native_outcomes(goal: &[RuleSet], steps: &[Step]) -> Vec<(Kind, Family, Table, Outcome)> {
    let wanted = goal.iter().filter(|rules| !rules.rules.is_empty()).map(|rules| {
        let outcome = match steps.iter().find(|step| step.table() == rules.table) {
            None => Outcome::Unchanged,
            // With which the steps of a table begin that is not there.
            Some(Step::AddTable(_)) => Outcome::Fresh,
            Some(_) => Outcome::Replaced,
        };
        (Kind::Native, rules.family, rules.table, outcome)
    });
    // One that cannot be refilled is deleted too, and made anew.
    let is_wanted = |step: &&Step| goal.iter().any(|rules| rules.table == step.table() && !rules.rules.is_empty());
    let removed = steps.iter().filter(|step| matches!(step, Step::DeleteTable(_)) && !is_wanted(step));
    let removed = removed.flat_map(|step| [Family::V4, Family::V6].map(|family| (step.table(), family)));
    wanted.chain(removed.map(|(table, family)| (Kind::Native, family, table, Outcome::Removed))).collect()
}

fn told_to_wait() {
    tracing::info!("the rules of others have changed meanwhile; trying again");
    thread::sleep(PAUSE);
}
