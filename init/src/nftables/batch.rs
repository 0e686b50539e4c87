//! A transaction of nf_tables: messages that are carried out together or not at all.

use crate::nftables::attribute::{nest, put, put_text, put_u32, put_u64};
use crate::nftables::base::Base;
use crate::nftables::expression::Expression;
use crate::nftables::message::{self, ACK, APPEND, BATCH_BEGIN, BATCH_END, CREATE, Kind, Protocol};

/// `NFNL_SUBSYS_NFTABLES`, which the messages around a batch name.
const SUBSYSTEM: u16 = 10;
/// `NF_ACCEPT`
const ACCEPT: u32 = 1;

/// A table of nf_tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableId<'a> {
    /// Which packets it sees.
    pub protocol: Protocol,
    /// Its name.
    pub name: &'a str,
}

/// Where in its chain a rule is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Before all others.
    First,
    /// After all others.
    Last,
    /// Directly after the rule with this handle.
    After(u64),
}

/// A rule that is written.
#[derive(Clone, Copy, Debug)]
pub struct NewRule<'a> {
    /// Its chain.
    pub chain: &'a str,
    /// Where.
    pub place: Place,
    /// What it does.
    pub expressions: &'a [Expression],
    /// The protocol that modules of iptables take it to be limited to, 0 for none; `None` in tables that are not those of
    /// iptables.
    pub compatible_protocol: Option<u32>,
    /// What is kept with it.
    pub userdata: &'a [u8],
}

/// A transaction that is being put together. Each message has a number, from 1 on, by which the kernel refers to it.
#[derive(Clone, Debug)]
pub struct Batch {
    bytes: Vec<u8>,
    sequence: u32,
    /// Where the last message begins.
    last: usize,
}

impl Batch {
    /// A transaction that fails if the tables are not of this generation any more. With 0, it does not.
    pub fn new(generation: u32) -> Self {
        let mut batch = Self { bytes: Vec::with_capacity(16 * 1024), sequence: 0, last: 0 };
        message::put(&mut batch.bytes, BATCH_BEGIN, 0, 0, (Protocol::Unspecified, SUBSYSTEM), |bytes| {
            put_u32(bytes, 1, generation);
        });
        batch
    }

    /// Makes a table, if it is not there.
    pub fn new_table(&mut self, table: TableId<'_>) -> u32 {
        self.put(Kind::NewTable, CREATE, table, |_| {})
    }

    /// Deletes a table with all that is in it.
    pub fn delete_table(&mut self, table: TableId<'_>) -> u32 {
        self.put(Kind::DeleteTable, 0, table, |_| {})
    }

    /// Makes a chain, if it is not there.
    pub fn new_chain(&mut self, table: TableId<'_>, chain: &str, base: Option<Base>) -> u32 {
        self.put(Kind::NewChain, CREATE, table, |bytes| {
            put_text(bytes, 3, chain);
            if let Some(Base { kind, hook, priority }) = base {
                nest(bytes, 4, |bytes| {
                    put_u32(bytes, 1, hook);
                    put_u32(bytes, 2, priority.cast_unsigned());
                });
                put_u32(bytes, 5, ACCEPT);
                put_text(bytes, 7, kind);
            }
        })
    }

    /// Deletes all rules of a chain; or of a table.
    pub fn flush(&mut self, table: TableId<'_>, chain: Option<&str>) -> u32 {
        self.put(Kind::DeleteRule, 0, table, |bytes| {
            if let Some(chain) = chain {
                put_text(bytes, 2, chain);
            }
        })
    }

    /// Deletes a chain without rules that nothing refers to.
    pub fn delete_chain(&mut self, table: TableId<'_>, chain: &str) -> u32 {
        self.put(Kind::DeleteChain, 0, table, |bytes| put_text(bytes, 3, chain))
    }

    /// Deletes a rule.
    pub fn delete_rule(&mut self, table: TableId<'_>, chain: &str, handle: u64) -> u32 {
        self.put(Kind::DeleteRule, 0, table, |bytes| {
            put_text(bytes, 2, chain);
            put_u64(bytes, 3, handle);
        })
    }

    /// Writes a rule.
    pub fn new_rule(&mut self, table: TableId<'_>, rule: &NewRule<'_>) -> u32 {
        let append = if rule.place == Place::First { 0 } else { APPEND };
        self.put(Kind::NewRule, CREATE | append, table, |bytes| {
            put_text(bytes, 2, rule.chain);
            Expression::put_list(bytes, 4, rule.expressions);
            if let Some(protocol) = rule.compatible_protocol {
                nest(bytes, 5, |bytes| {
                    put_u32(bytes, 1, protocol);
                    put_u32(bytes, 2, 0);
                });
            }
            if let Place::After(handle) = rule.place {
                put_u64(bytes, 6, handle);
            }
            if !rule.userdata.is_empty() {
                put(bytes, 7, rule.userdata);
            }
        })
    }

    /// Whether it does nothing.
    pub fn is_empty(&self) -> bool {
        self.sequence == 0
    }

    /// The bytes for the kernel. It answers with what it refuses, and else with one acknowledgement, for the last message.
    pub fn finish(mut self) -> Finished {
        if !self.is_empty() {
            message::add_flags(&mut self.bytes, self.last, ACK);
        }
        let acknowledged = self.sequence;
        let end = acknowledged.wrapping_add(1);
        message::put(&mut self.bytes, BATCH_END, 0, end, (Protocol::Unspecified, SUBSYSTEM), |_| {});
        Finished { bytes: self.bytes, acknowledged }
    }

    fn put(&mut self, kind: Kind, flags: u16, table: TableId<'_>, content: impl FnOnce(&mut Vec<u8>)) -> u32 {
        self.sequence += 1;
        let content = |bytes: &mut Vec<u8>| {
            put_text(bytes, 1, table.name);
            content(bytes);
        };
        self.last = message::put(&mut self.bytes, kind.number(), flags, self.sequence, (table.protocol, 0), content);
        self.sequence
    }
}

/// A transaction, put together.
#[derive(Clone, Debug)]
pub struct Finished {
    /// What is sent, in one piece.
    pub bytes: Vec<u8>,
    /// Number of the one message that the kernel acknowledges. 0: there is none, and nothing to send.
    pub acknowledged: u32,
}
