//! Removes tables of iptables that nothing is in any more.

use super::{Kernel, Unreadable, unreadable};
use crate::nftables::batch::{Batch, TableId};
use crate::nftables::empty::{ChainUse, TableUse, empty};
use crate::nftables::message::{DUMP, Kind, Protocol};
use crate::rule::Family;

impl Kernel {
    /// Removes the tables raw, mangle and nat of both families where they hold nothing but built-in chains without rules.
    /// Whoever needs them makes them again. Where that does not succeed, since somebody else uses them just now, they stay.
    ///
    /// # Errors
    /// [`Unreadable`]
    pub fn tidy(&mut self) -> Result<(), Unreadable> {
        let mut batch = Batch::new(self.generation()?);
        for family in [Family::V4, Family::V6] {
            let protocol = Protocol::from(family);
            let tables = self.socket.ask((Kind::GetTable, DUMP), protocol, None, TableUse::dump).map_err(unreadable)?;
            let chains = self.socket.ask((Kind::GetChain, DUMP), protocol, None, ChainUse::dump).map_err(unreadable)?;
            for table in empty(&tables, &chains) {
                batch.delete_table(TableId { protocol, name: &table.to_string() });
            }
        }
        if let Err(rejection) = self.send(&batch.finish()) {
            tracing::debug!("empty tables stay: {rejection}");
        }
        Ok(())
    }
}
