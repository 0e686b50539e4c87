//! Brings the rules into the kernel, or takes them back.
#![expect(clippy::disallowed_methods, reason = "looks up groups that are named in /etc/group")]

use std::time::Duration;

use crate::backend::{self, Kind};
use crate::diagnosis::Diagnosis;
use crate::groups::{self, UnknownGroups};
use crate::handover;
use crate::legacy;
use crate::owned::Current;
use crate::plan::{self, Outcome};
use crate::redirect;
use crate::report::{Report, TableReport};
use crate::routes::{self, Entry, Policy, Snapshot, Wanted};
use crate::rtnetlink::Rtnetlink;
use crate::rule::{Family, Match, Owner, RuleSet};
use crate::settings::{Backend, Families, InboundMode, LEGACY_MAX_OWNER_GROUPS, Settings};
use crate::store::{self, Brought, State};

mod lock;

use lock::Lock;

/// Where the groups of this container are.
const GROUPS: &str = "/etc/group";
/// Of rules that come before ours, how many are named.
const MAX_WARNINGS: usize = 10;
/// For how long another run may be at work. One that is stuck ends by itself later than that.
const LOCK_WAIT: Duration = Duration::from_secs(20);

/// Why rules could not be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Addresses or routes could not be read or changed.
    #[error(transparent)]
    Routes(#[from] routes::Error),
    /// The network namespace has no address, so that nothing says for which families rules are wanted.
    #[error(
        "the network namespace has no address, not even on lo; set up its network first, or name the families with --ip-families"
    )]
    NoAddress,
    /// Another run is at work.
    #[error(transparent)]
    Lock(#[from] lock::Error),
    /// A group is known to nobody.
    #[error(transparent)]
    Groups(#[from] UnknownGroups),
    /// The rules of a backend could not be read or written.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// An earlier run has written rules that cannot be seen, and beside which others would not work.
    #[error(
        "an earlier run has left its routing and no rules in nf_tables, so they may be in iptables-legacy, where they cannot be seen and would be in effect beside the new ones; nothing is changed: {0}; or remove them before with --cleanup-only where they can be seen"
    )]
    Unseen(String),
    /// What was to be removed may still be there.
    #[error("the rules that can be seen are removed, but others of an earlier run may be left in iptables-legacy: {0}")]
    Left(String),
    /// One rule names more groups than iptables-legacy takes.
    #[error(
        "{setting} names {groups} groups, and a rule of iptables-legacy holds {LEGACY_MAX_OWNER_GROUPS}; name fewer, or use --force-iptables-binary nft"
    )]
    TooManyGroups {
        /// The variable.
        setting: &'static str,
        /// How many it names.
        groups: usize,
    },
}

/// What is written to, and what was read before anything was written.
struct Run<'a> {
    settings: &'a Settings,
    kernel: Rtnetlink,
    snapshot: Snapshot,
    state: State,
    report: &'a mut Report,
    /// Whether rules have been written, or were there, that need the routes.
    is_written: bool,
}

/// Writes the rules, or with `cleanup_only` removes them; with `skip_rule_apply` does neither. What was done is added to
/// `report`, also if not all could be.
///
/// # Errors
/// When that fails. A second run brings about what the first did not.
pub fn run(settings: &Settings, report: &mut Report) -> Result<(), Error> {
    if settings.skip_rule_apply {
        tracing::info!("rules and routes are left as they are");
        return Ok(());
    }
    let _lock = Lock::take(LOCK_WAIT)?;
    // Everything is read before anything is written, so that a missing tool or right leaves the pod as it was.
    let kernel = Rtnetlink::open().map_err(routes::Error::Read)?;
    let snapshot = routes::read(&kernel)?;
    if settings.cleanup_only {
        Run { settings, kernel, snapshot, state: State::read()?, report, is_written: false }.clean_up()
    } else {
        let families = families_in(settings, &snapshot)?;
        let goal = goal(settings, &families)?;
        Run { settings, kernel, snapshot, state: State::read()?, report, is_written: false }.write(families, &goal)
    }
}

/// The families for which rules are wanted in this network namespace.
///
/// # Errors
/// When it cannot be found out.
pub fn families(settings: &Settings) -> Result<Vec<Family>, Error> {
    if let Families::Only(families) = settings.families {
        return Ok(families.to_vec());
    }
    let kernel = Rtnetlink::open().map_err(routes::Error::Read)?;
    families_in(settings, &routes::read(&kernel)?)
}

fn families_in(settings: &Settings, snapshot: &Snapshot) -> Result<Vec<Family>, Error> {
    let families = match settings.families {
        Families::Only(families) => families.to_vec(),
        Families::Auto => [Family::V4, Family::V6].into_iter().filter(|family| snapshot.has_family(*family)).collect(),
    };
    if families.is_empty() { Err(Error::NoAddress) } else { Ok(families) }
}

/// The rules that are wanted, with numbers for the names of groups, which is how the kernel shows them.
///
/// # Errors
/// When nobody knows a group.
pub fn goal(settings: &Settings, families: &[Family]) -> Result<Vec<RuleSet>, Error> {
    let goal: Vec<RuleSet> =
        families.iter().flat_map(|family| redirect::rule_sets(&settings.capture, *family)).collect();
    if !goal.iter().any(groups::are_named) {
        return Ok(goal);
    }
    // A container without the file knows no groups.
    let file = std::fs::read_to_string(GROUPS).unwrap_or_default();
    Ok(goal.iter().map(|rules| groups::resolve(rules, &file)).collect::<Result<_, _>>()?)
}

impl Run<'_> {
    fn write(&mut self, families: Vec<Family>, goal: &[RuleSet]) -> Result<(), Error> {
        let kind = self.choose()?;
        self.look_out_for_unseen(kind)?;
        if kind == Kind::Legacy {
            fits_legacy(goal)?;
        }
        let wanted = Wanted { families, policy: policy(self.settings) };
        self.snapshot.check(&wanted)?;
        let missing = self.snapshot.missing(&wanted);
        let marks = self.state.marks();
        let had_ipv6 = self.state.holds_ours_of(Family::V6);
        // No packet may be marked before there is a route for it.
        let mut added = Vec::new();
        let written = self.add(&missing, &mut added).and_then(|()| self.bring_all(kind, goal));
        if let Err(error) = written {
            // Rules that are in effect need their routes, whatever else has failed.
            if !self.is_written && !self.state.is_torn() {
                self.take_back(&added);
            }
            return Err(error);
        }
        let surplus = self.snapshot.surplus(&wanted, default_policy(self.settings), &marks, had_ipv6);
        self.remove(&surplus)?;
        self.tidy()
    }

    fn clean_up(&mut self) -> Result<(), Error> {
        let marks = self.state.marks();
        let is_tproxy_unseen = self.is_tproxy_unseen();
        let had_ipv6 = self.state.holds_ours_of(Family::V6);
        // The proxy is gone: what is still redirected when the routes go has nowhere to go to, so the rules go first.
        for kind in [Kind::Nft, Kind::Legacy] {
            if self.state.is_there(kind) {
                let brought = self.state.bring(kind, &[], false)?;
                self.note(&[], &brought);
            }
        }
        let nothing = Wanted { families: vec![], policy: None };
        let surplus = self.snapshot.surplus(&nothing, default_policy(self.settings), &marks, had_ipv6);
        // What sends packets to the proxy by a route goes before the route does.
        if !is_tproxy_unseen {
            self.remove(&surplus)?;
        }
        self.tidy()?;
        match self.state.unseen() {
            [] => Ok(()),
            unseen => Err(Error::Left(reasons(unseen))),
        }
    }

    /// Removes the tables that held nothing but what has been removed.
    fn tidy(&mut self) -> Result<(), Error> {
        if self.report.tables.iter().any(|table| table.outcome == Outcome::Removed) {
            self.state.tidy()?;
        }
        Ok(())
    }

    /// Rules of an earlier run that are in effect beside the same in nf_tables do no harm, but for those of TPROXY: two
    /// of them end all connections.
    fn look_out_for_unseen(&mut self, kind: Kind) -> Result<(), Error> {
        let unseen = self.state.unseen();
        if unseen.is_empty() || kind == Kind::Legacy {
            return Ok(());
        }
        let reasons = reasons(unseen);
        if self.is_tproxy_unseen() {
            return Err(Error::Unseen(reasons));
        }
        self.warn(format!("rules of an earlier run in iptables-legacy would go unseen: {reasons}"));
        Ok(())
    }

    /// Whether all signs are that there are unseen rules for TPROXY: their routing is there, and nothing that is seen
    /// explains it.
    fn is_tproxy_unseen(&self) -> bool {
        let is_ours = |policy: &Policy| [Policy::DEFAULT, default_policy(self.settings)].contains(policy);
        let has_routing =
            |family: Family| self.snapshot.rules.iter().any(|(of, policy, _)| *of == family && is_ours(policy));
        let mut families = self.state.unseen().iter().map(legacy::Error::family);
        families.any(|family| has_routing(family) && !self.state.holds_ours_of(family))
    }

    fn choose(&self) -> Result<Kind, Error> {
        let kind = match self.settings.backend {
            _ if self.settings.native_nftables => Some(Kind::Native),
            Backend::Legacy => Some(Kind::Legacy),
            Backend::Nft => Some(Kind::Nft),
            Backend::Default => backend::choose(self.state.seen()),
        };
        Ok(kind.ok_or(store::Error::Nothing)?)
    }

    /// Brings the rules to where they are wanted, and away from elsewhere.
    fn bring_all(&mut self, kind: Kind, goal: &[RuleSet]) -> Result<(), Error> {
        self.report.backend = Some(kind);
        for step in handover::steps(kind, goal, self.state.left(kind)) {
            let is_forced = self.settings.force_apply && step.to == kind;
            let brought = match self.state.bring(step.to, &step.goal, is_forced) {
                Err(store::Error::Refused(refused)) if step.to == kind && self.may_be_native(kind, &refused) => {
                    self.warn(format!("{refused}; the rules are written without the modules of x_tables instead"));
                    return self.bring_all(Kind::Native, goal);
                }
                brought => brought?,
            };
            self.is_written |= !step.goal.is_empty();
            self.note(&step.goal, &brought);
        }
        Ok(())
    }

    /// Whether rules that need no x_tables are an answer to what the kernel has refused.
    fn may_be_native(&self, kind: Kind, refused: &Diagnosis) -> bool {
        kind == Kind::Nft && self.settings.backend == Backend::Default && refused.lacks_module()
    }

    fn note(&mut self, goal: &[RuleSet], brought: &Brought) {
        for (backend, family, table, outcome) in &brought.outcomes {
            let (backend, family, table, outcome) = (*backend, *family, *table, *outcome);
            let nothing = RuleSet { family, table, rules: vec![] };
            let found = goal.iter().find(|rules| (rules.family, rules.table) == (family, table));
            let rules = found.filter(|_| outcome != Outcome::Removed).unwrap_or(&nothing);
            let (chains, count) = (rules.own_chains().len(), rules.rules.len());
            self.report.add(TableReport { backend, family, table, chains, rules: count, outcome });
            if let Some(current) = brought.view.table(family, table).filter(|_| backend != Kind::Native) {
                self.warn_of_others(rules, current, outcome != Outcome::Unchanged);
            }
        }
    }

    fn warn_of_others(&mut self, rules: &RuleSet, current: &Current, is_written: bool) {
        for rule in plan::ahead_of_ours(rules, current, is_written).take(MAX_WARNINGS) {
            let (family, table) = (rules.family, rules.table);
            self.warn(format!(
                "{family} {table} table: a rule of somebody else comes first, what it matches is not redirected: {rule}"
            ));
        }
    }

    fn warn(&mut self, warning: String) {
        if !self.report.warnings.contains(&warning) {
            tracing::warn!("{warning}");
            self.report.warnings.push(warning);
        }
    }

    fn add(&mut self, missing: &[Entry], added: &mut Vec<Entry>) -> Result<(), Error> {
        for entry in missing {
            routes::add(&self.kernel, *entry)?;
            added.push(*entry);
            self.report.routes.push((*entry, Outcome::Fresh));
        }
        Ok(())
    }

    fn remove(&mut self, surplus: &[Entry]) -> Result<(), Error> {
        for entry in surplus {
            routes::remove(&self.kernel, *entry)?;
            self.report.routes.push((*entry, Outcome::Removed));
        }
        Ok(())
    }

    fn take_back(&mut self, added: &[Entry]) {
        for entry in added.iter().rev() {
            if let Err(error) = routes::remove(&self.kernel, *entry) {
                tracing::warn!("{error}");
            }
        }
        self.report.routes.retain(|(entry, _)| !added.contains(entry));
    }
}

fn reasons(unseen: &[legacy::Error]) -> String {
    unseen.iter().map(legacy::Error::with_causes).collect::<Vec<_>>().join("; ")
}

fn fits_legacy(goal: &[RuleSet]) -> Result<(), Error> {
    for rule in goal.iter().flat_map(|rules| &rules.rules) {
        let is_group =
            |condition: &&Match| matches!(condition, Match::Owner(Owner::Group(_)) | Match::NotOwner(Owner::Group(_)));
        let groups = rule.matches.iter().filter(is_group).count();
        if groups > LEGACY_MAX_OWNER_GROUPS {
            return Err(Error::TooManyGroups { setting: rule.setting.unwrap_or("the settings"), groups });
        }
    }
    Ok(())
}

/// The routing that the rules need.
pub fn policy(settings: &Settings) -> Option<Policy> {
    settings.capture.routing().map(|tproxy| Policy { mark: tproxy.mark, table: tproxy.table })
}

/// The routing that an earlier run with these settings has left.
fn default_policy(settings: &Settings) -> Policy {
    match settings.capture.inbound_mode {
        InboundMode::Tproxy(tproxy) => Policy { mark: tproxy.mark, table: tproxy.table },
        InboundMode::Redirect => Policy::DEFAULT,
    }
}
