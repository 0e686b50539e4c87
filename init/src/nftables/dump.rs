//! Chains and rules as the kernel dumps them.

use crate::nftables::attribute::Attributes;
use crate::nftables::expression::Expression;
use crate::nftables::message::{Content, Kind, messages};

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DumpedTable {
    /// Its name.
    pub name: String,
    /// Whether the kernel passes over all of its chains.
    pub is_dormant: bool,
}

/// A chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DumpedChain {
    /// Its table.
    pub table: String,
    /// Its name.
    pub name: String,
    /// Where the kernel calls it; `None` if only other chains do.
    pub hook: Option<u32>,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DumpedRule {
    /// Its table.
    pub table: String,
    /// Its chain.
    pub chain: String,
    /// By which the kernel knows it.
    pub handle: u64,
    /// What it does.
    pub expressions: Vec<Expression>,
    /// What is kept with it.
    pub userdata: Vec<u8>,
}

/// What a dump can come to.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Failure {
    /// What is dumped has changed meanwhile.
    #[error("the rules changed while they were read")]
    Interrupted,
    /// The kernel refuses; the number of the error.
    #[error("{}", std::io::Error::from_raw_os_error(*.0))]
    Refused(i32),
    /// An object lacks what it must have.
    #[error("the kernel shows an nf_tables {0} in a form that is not known")]
    Malformed(&'static str),
}

/// A dump as it comes in, in pieces.
#[derive(Debug)]
pub struct Dump<T> {
    sequence: u32,
    kind: Kind,
    read: fn(&Attributes<'_>) -> Result<T, Failure>,
    /// What has been read so far.
    pub objects: Vec<T>,
}

impl Dump<DumpedTable> {
    /// Of tables, as answer to the request with this number.
    pub fn of_tables(sequence: u32) -> Self {
        Self { sequence, kind: Kind::NewTable, read: table, objects: vec![] }
    }
}

impl Dump<DumpedChain> {
    /// Of chains, as answer to the request with this number.
    pub fn of_chains(sequence: u32) -> Self {
        Self { sequence, kind: Kind::NewChain, read: chain, objects: vec![] }
    }
}

impl Dump<DumpedRule> {
    /// Of rules, as answer to the request with this number.
    pub fn of_rules(sequence: u32) -> Self {
        Self { sequence, kind: Kind::NewRule, read: rule, objects: vec![] }
    }
}

impl Dump<u32> {
    /// Of the generation of the tables, which is a number, and the only one.
    pub fn of_generation(sequence: u32) -> Self {
        let read = |found: &Attributes<'_>| found.u32(1).ok_or(Failure::Malformed("generation"));
        Self { sequence, kind: Kind::NewGeneration, read, objects: vec![] }
    }
}

impl<T> Dump<T> {
    /// Of objects of one kind, as answer to the request with this number; `read` makes one of its attributes.
    pub(crate) fn of(sequence: u32, kind: Kind, read: fn(&Attributes<'_>) -> Result<T, Failure>) -> Self {
        Self { sequence, kind, read, objects: vec![] }
    }

    /// Reads a piece; `true` at the end of the dump.
    ///
    /// # Errors
    /// [`Failure`]; the rest of the dump is still to come then.
    pub fn piece(&mut self, bytes: &[u8]) -> Result<bool, Failure> {
        for message in messages(bytes).filter(|message| message.sequence == self.sequence) {
            if message.is_interrupted {
                return Err(Failure::Interrupted);
            }
            match message.content {
                Content::Done(0) | Content::Answer(0, _) => return Ok(true),
                Content::Done(code) | Content::Answer(code, _) => return Err(Failure::Refused(code.saturating_neg())),
                Content::Object(kind, _, found) if kind == self.kind as u16 => {
                    self.objects.push((self.read)(&found)?);
                }
                Content::Object(..) | Content::Other => {}
            }
        }
        Ok(false)
    }
}

/// `NFT_TABLE_F_DORMANT`
const DORMANT: u32 = 1;

fn table(found: &Attributes<'_>) -> Result<DumpedTable, Failure> {
    let name = found.text(1).ok_or(Failure::Malformed("table"))?.to_owned();
    Ok(DumpedTable { name, is_dormant: found.u32(2).unwrap_or(0) & DORMANT != 0 })
}

fn chain(found: &Attributes<'_>) -> Result<DumpedChain, Failure> {
    let text = |kind| found.text(kind).map(str::to_owned).ok_or(Failure::Malformed("chain"));
    Ok(DumpedChain { table: text(1)?, name: text(3)?, hook: found.nested(4).u32(1) })
}

fn rule(found: &Attributes<'_>) -> Result<DumpedRule, Failure> {
    let malformed = Failure::Malformed("rule");
    let text = |kind| found.text(kind).map(str::to_owned);
    let (Some(table), Some(chain), Some(handle)) = (text(1), text(2), found.u64(3)) else { return Err(malformed) };
    let expressions = Expression::read_list(found.get(4).unwrap_or_default());
    Ok(DumpedRule { table, chain, handle, expressions, userdata: found.get(7).unwrap_or_default().to_vec() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::nftables::attribute::{put_text, put_u64};
    use crate::nftables::message::{INTERRUPTED, Protocol, put};

    fn object(kind: Kind, flags: u16, handle: u64) -> Vec<u8> {
        let mut bytes = vec![];
        put(&mut bytes, kind.number(), flags, 9, (Protocol::Ipv4, 0), |bytes| {
            put_text(bytes, 1, "nat");
            put_text(bytes, 2, "OUTPUT");
            put_u64(bytes, 3, handle);
        });
        bytes
    }

    fn done(code: i32) -> Vec<u8> {
        let mut bytes = vec![0; 20];
        bytes[..4].copy_from_slice(&20u32.to_ne_bytes());
        bytes[4..6].copy_from_slice(&3u16.to_ne_bytes());
        bytes[8..12].copy_from_slice(&9u32.to_ne_bytes());
        bytes[16..].copy_from_slice(&code.to_ne_bytes());
        bytes
    }

    #[test]
    fn rules_are_read_to_the_end_of_the_dump() {
        let mut dump = Dump::of_rules(9);
        assert_eq!(dump.piece(&[object(Kind::NewRule, 0, 4), object(Kind::NewGeneration, 0, 1)].concat()), Ok(false));
        assert_eq!(dump.piece(&[object(Kind::NewRule, 0, 5), done(0)].concat()), Ok(true));
        assert_eq!(dump.objects.iter().map(|rule| rule.handle).collect::<Vec<_>>(), [4, 5]);
        assert_eq!(dump.objects[0].chain, "OUTPUT");
    }

    #[test]
    fn a_dump_that_fails_or_is_overtaken_says_so() {
        let outcome = |bytes: &[u8]| Dump::of_rules(9).piece(bytes).unwrap_err();
        assert_eq!(outcome(&done(-1)), Failure::Refused(1));
        assert_eq!(outcome(&object(Kind::NewRule, INTERRUPTED, 4)), Failure::Interrupted);
        assert_eq!(Dump::of_rules(8).piece(&done(-1)), Ok(false));
    }

    proptest! {
        #[test]
        fn damaged_dumps_are_read_or_refused(at: usize, byte: u8, length: usize) {
            let mut bytes = [object(Kind::NewRule, 0, 4), object(Kind::NewRule, 0, 4), done(0)].concat();
            let at = at % bytes.len();
            bytes[at] = byte;
            bytes.truncate(length % (bytes.len() + 1));
            let _ = Dump::of_rules(9).piece(&bytes);
            let _ = Dump::of_chains(9).piece(&bytes);
        }
    }
}
