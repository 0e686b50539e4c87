//! Our own tables, besides those of iptables.

use super::{Kernel, Unreadable, unreadable};
use crate::native::present::{DumpedChain, DumpedTable, Present};
use crate::native::ruleset::table_name;
use crate::nftables::batch::TableId;
use crate::nftables::message::{DUMP, Kind, Protocol};

impl Kernel {
    /// Our tables of the family `inet`, at a moment: whoever wants to know that nothing has changed meanwhile compares
    /// [`Kernel::generation`] before and after.
    ///
    /// # Errors
    /// [`Unreadable`]
    pub fn native(&mut self) -> Result<Present, Unreadable> {
        let inet = Protocol::Inet;
        let tables = self.socket.ask((Kind::GetTable, DUMP), inet, None, DumpedTable::dump).map_err(unreadable)?;
        if !tables.iter().any(DumpedTable::is_ours) {
            return Ok(Present::default());
        }
        let chains = self.socket.ask((Kind::GetChain, DUMP), inet, None, DumpedChain::dump).map_err(unreadable)?;
        let mut rules = Vec::new();
        for table in Present::new(tables.clone(), vec![], vec![]).tables() {
            rules.extend(self.rules(TableId { protocol: inet, name: table_name(table) })?);
        }
        Ok(Present::new(tables, chains, rules))
    }
}
