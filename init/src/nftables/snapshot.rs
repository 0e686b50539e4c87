//! The tables of iptables as they are in nf_tables, in the words of `iptables-save`.

use crate::native::present::Present;
use crate::nftables::dump::{DumpedChain, DumpedRule};
use crate::nftables::userdata::is_marked;
use crate::nftables::xtables::body;
use crate::rule::{Family, Table};
use crate::saved::{Saved, SavedRule};

/// What was there at one moment.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Number of that moment; every change of any table has another.
    pub generation: u32,
    /// Each table that was asked for. One that does not exist is as one without rules.
    pub tables: Vec<(Family, Table, Saved)>,
    /// Chains of others that exist. They are used as they are.
    pub chains: Vec<(Family, Table, DumpedChain)>,
    /// Tables that the kernel passes over, whatever is in them.
    pub dormant: Vec<(Family, Table)>,
    /// Our own tables besides those of iptables.
    pub native: Present,
}

/// The built-in chains in the order in which `iptables-save` prints them; all others follow by name.
const BUILT_IN: [&str; 5] = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"];

impl Snapshot {
    /// Takes up a table.
    pub fn add(&mut self, family: Family, table: Table, chains: Vec<DumpedChain>, rules: &[DumpedRule]) {
        let name = table.to_string();
        let mut saved = Saved::default();
        for chain in chains.into_iter().filter(|chain| chain.table == name) {
            if table.holds_own(&chain.name) {
                saved.chains.entry(chain.name).or_default();
            } else {
                self.chains.push((family, table, chain));
            }
        }
        for rule in rules.iter().filter(|rule| rule.table == name) {
            let body = body(&rule.expressions, family);
            match saved.chains.get_mut(&rule.chain) {
                Some(bodies) => bodies.push(body),
                None => {
                    let mut read = SavedRule::read(&rule.chain, &body);
                    read.handle = Some(rule.handle);
                    read.is_marked = is_marked(&rule.userdata);
                    saved.others.push(read);
                }
            }
        }
        saved.others.sort_by(|one, other| place(one.chain()).cmp(&place(other.chain())));
        self.tables.push((family, table, saved));
    }

    /// What is in a table, if it was asked for.
    pub fn table(&self, family: Family, table: Table) -> Option<&Saved> {
        self.tables.iter().find(|(of, named, _)| (*of, *named) == (family, table)).map(|(_, _, saved)| saved)
    }

    /// A chain of others, if it exists.
    pub fn chain(&self, family: Family, table: Table, name: &str) -> Option<&DumpedChain> {
        let mut chains = self.chains.iter();
        chains
            .find(|(of, named, chain)| (*of, *named, &*chain.name) == (family, table, name))
            .map(|(_, _, chain)| chain)
    }
}

fn place(chain: &str) -> (usize, &str) {
    (BUILT_IN.iter().position(|name| *name == chain).unwrap_or(BUILT_IN.len()), chain)
}
