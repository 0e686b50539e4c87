//! Removes tables and chains of iptables that nothing is in any more.

use super::{Kernel, Unreadable, unreadable};
use crate::nftables::batch::{Batch, TableId};
use crate::nftables::empty::{ChainUse, Empty, TableUse, empty};
use crate::nftables::message::{DUMP, Kind, Protocol};
use crate::rule::{Family, Table};

impl Kernel {
    /// Removes those of the tables that rules of ours were in which hold nothing but built-in chains without rules; where
    /// there is more, at least such chains as we make. Whoever needs them makes them again. Where that does not succeed,
    /// since somebody else uses them just now, they stay.
    ///
    /// # Errors
    /// [`Unreadable`]
    pub fn tidy(&mut self, had: &[(Family, Table)]) -> Result<(), Unreadable> {
        let mut batch = Batch::new(self.generation()?);
        for family in [Family::V4, Family::V6] {
            let had: Vec<Table> = had.iter().filter(|(of, _)| *of == family).map(|(_, table)| *table).collect();
            if had.is_empty() {
                continue;
            }
            let protocol = Protocol::from(family);
            let tables = self.socket.ask((Kind::GetTable, DUMP), protocol, None, TableUse::dump).map_err(unreadable)?;
            let chains = self.socket.ask((Kind::GetChain, DUMP), protocol, None, ChainUse::dump).map_err(unreadable)?;
            for found in empty(&had, &tables, &chains) {
                match found {
                    Empty::Table(table) => batch.delete_table(TableId { protocol, name: &table.to_string() }),
                    Empty::Chain(table, chain) => {
                        batch.delete_chain(TableId { protocol, name: &table.to_string() }, chain.name())
                    }
                };
            }
        }
        if let Err(rejection) = self.send(&batch.finish()) {
            tracing::debug!("empty tables stay: {rejection}");
        }
        Ok(())
    }
}
