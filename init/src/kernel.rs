//! The rules in the kernel's nf_tables: read and written over netlink, without any other program.
//!
//! Reading makes no table and no chain. That the kernel loads `nf_tables`, if it is a module, cannot be avoided by asking.

use std::io;

use nix::errno::Errno;

use crate::change::Change;
use crate::native::step::Step as NativeStep;
use crate::nftables::batch::{Finished, TableId};
use crate::nftables::dump::{Dump, DumpedChain, DumpedRule, DumpedTable, Failure};
use crate::nftables::message::{ACK, DUMP, Kind, Protocol};
use crate::nftables::snapshot::Snapshot;
use crate::nftables::transaction::{Impossible, Step, transaction};
use crate::restore;
use crate::rule::{Family, Table};

mod native;
mod socket;
mod tidy;

pub use socket::Rejection;
use socket::Socket;

/// How often the tables are read again that others change at the same time.
const ATTEMPTS: usize = 10;

/// Why the tables cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// There is nothing to read, nor to write.
    #[error(
        "the kernel has no nf_tables; load the module nf_tables on the node, or use --force-iptables-binary legacy"
    )]
    Missing(#[source] io::Error),
    /// The capability is missing.
    #[error(
        "the kernel shows nf_tables only to who has the capability NET_ADMIN in this network namespace; add it to the container"
    )]
    Forbidden(#[source] io::Error),
    /// Somebody else writes all the time.
    #[error(
        "the rules changed each of {ATTEMPTS} times while they were read; run again when no other program changes them"
    )]
    Unsettled,
    /// The kernel shows something that does not read.
    #[error(transparent)]
    Malformed(Failure),
    /// The socket fails.
    #[error("cannot read nf_tables over netlink")]
    Socket(#[source] io::Error),
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The tables are not any more as they were read: read again, and plan again.
    #[error("the rules changed after they were read")]
    Changed,
    /// No transaction would bring them about.
    #[error(transparent)]
    Impossible(#[from] Impossible),
    /// The kernel refuses a message.
    #[error("the kernel refuses {what}{}", explained(.explanation.as_deref()))]
    Step {
        /// The place of the change in the list; `None` where it is the transaction as a whole.
        change: Option<usize>,
        /// What the message was to do.
        step: Option<Step>,
        /// The same in words.
        what: String,
        /// What the kernel says beyond a number.
        explanation: Option<String>,
        /// The number.
        #[source]
        error: io::Error,
    },
    /// The kernel refuses a message about our own tables.
    #[error("the kernel refuses `{step}`{}", explained(.explanation.as_deref()))]
    Native {
        /// What the message was to do.
        step: Box<NativeStep>,
        /// What the kernel says beyond a number.
        explanation: Option<String>,
        /// The number.
        #[source]
        error: io::Error,
    },
    /// The transaction is larger than the kernel takes from a socket.
    #[error(
        "the rules take {0} bytes, more than the kernel takes at once without the capability NET_ADMIN on the node; raise the sysctl net.core.wmem_max, or use fewer ranges and ports"
    )]
    TooLarge(usize),
    /// The socket fails.
    #[error("cannot write nf_tables over netlink")]
    Socket(#[source] io::Error),
}

/// A connection to nf_tables in the network namespace of the thread that made it.
#[derive(Debug)]
pub struct Kernel {
    socket: Socket,
}

impl Kernel {
    /// Connects.
    ///
    /// # Errors
    /// When the kernel has no netfilter, or the process may not open a socket.
    pub fn connect() -> Result<Self, Unreadable> {
        let socket =
            Socket::open().map_err(|error| match Errno::from_raw(error.raw_os_error().unwrap_or_default()) {
                Errno::EPROTONOSUPPORT | Errno::EAFNOSUPPORT => Unreadable::Missing(error),
                Errno::EPERM | Errno::EACCES => Unreadable::Forbidden(error),
                _ => Unreadable::Socket(error),
            })?;
        Ok(Self { socket })
    }

    /// These tables of iptables, and our own, at one moment.
    ///
    /// # Errors
    /// [`Unreadable`]
    pub fn read(&mut self, tables: &[(Family, Table)]) -> Result<Snapshot, Unreadable> {
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                // What is left of the interrupted dump goes with its socket.
                *self = Self::connect()?;
            }
            match self.try_read(tables) {
                Ok(Some(snapshot)) => return Ok(snapshot),
                Ok(None) | Err(Unreadable::Malformed(Failure::Interrupted)) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Unreadable::Unsettled)
    }

    /// `None`: there was a change meanwhile.
    fn try_read(&mut self, tables: &[(Family, Table)]) -> Result<Option<Snapshot>, Unreadable> {
        let mut snapshot = Snapshot { generation: self.generation()?, ..Snapshot::default() };
        for family in [Family::V4, Family::V6] {
            let mut asked = tables.iter().filter(|(of, _)| *of == family).map(|(_, table)| *table).peekable();
            if asked.peek().is_none() {
                continue;
            }
            let dormant = self.tables(family.into())?.into_iter().filter(|table| table.is_dormant);
            let dormant: Vec<String> = dormant.map(|table| table.name).collect();
            let chains = self.chains(family.into())?;
            for table in asked {
                let name = table.to_string();
                let chains: Vec<DumpedChain> = chains.iter().filter(|chain| chain.table == name).cloned().collect();
                let id = TableId { protocol: family.into(), name: &name };
                let rules = if chains.is_empty() { vec![] } else { self.rules(id)? };
                snapshot.add(family, table, chains, &rules);
                if dormant.contains(&name) {
                    snapshot.dormant.push((family, table));
                }
            }
        }
        snapshot.native = self.native()?;
        Ok((self.generation()? == snapshot.generation).then_some(snapshot))
    }

    /// The number of the present state of all tables.
    ///
    /// # Errors
    /// [`Unreadable`]
    pub fn generation(&mut self) -> Result<u32, Unreadable> {
        let dump = self.socket.ask((Kind::GetGeneration, ACK), Protocol::Unspecified, None, Dump::of_generation);
        dump.map_err(unreadable)?.pop().ok_or(Unreadable::Malformed(Failure::Malformed("generation")))
    }

    /// All tables of a family.
    ///
    /// # Errors
    /// [`Unreadable`]
    pub fn tables(&mut self, protocol: Protocol) -> Result<Vec<DumpedTable>, Unreadable> {
        self.socket.ask((Kind::GetTable, DUMP), protocol, None, Dump::of_tables).map_err(unreadable)
    }

    /// All chains of a family.
    ///
    /// # Errors
    /// [`Unreadable`]
    pub fn chains(&mut self, protocol: Protocol) -> Result<Vec<DumpedChain>, Unreadable> {
        self.socket.ask((Kind::GetChain, DUMP), protocol, None, Dump::of_chains).map_err(unreadable)
    }

    /// The rules of a table, chain by chain, in order. None where it does not exist.
    ///
    /// # Errors
    /// [`Unreadable`]
    pub fn rules(&mut self, table: TableId<'_>) -> Result<Vec<DumpedRule>, Unreadable> {
        let asked = self.socket.ask((Kind::GetRule, DUMP), table.protocol, Some(table.name), Dump::of_rules);
        let mut rules = asked.map_err(unreadable)?;
        // Old kernels show those of all tables.
        rules.retain(|rule| rule.table == table.name);
        Ok(rules)
    }

    /// Carries out all changes in one transaction, provided that the tables still are as they were `seen`.
    ///
    /// # Errors
    /// [`Refused`]; nothing has been changed then.
    pub fn commit(&mut self, changes: &[Change], seen: &Snapshot) -> Result<(), Refused> {
        self.commit_with(changes, &[], seen)
    }

    /// Like [`Kernel::commit`], with steps for our own tables in the same transaction.
    ///
    /// # Errors
    /// [`Refused`]; nothing has been changed then.
    pub fn commit_with(&mut self, changes: &[Change], native: &[NativeStep], seen: &Snapshot) -> Result<(), Refused> {
        let mut transaction = transaction(changes, seen)?;
        for step in native {
            step.append_to(&mut transaction.batch).map_err(Impossible::from)?;
        }
        self.send(&transaction.batch.finish()).map_err(|rejection| match rejection {
            Rejection::Changed => Refused::Changed,
            Rejection::TooLarge(bytes) => Refused::TooLarge(bytes),
            Rejection::Socket(error) => Refused::Socket(error),
            Rejection::Message { number, error, explanation } => {
                let at = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
                let of_native = at.and_then(|at| native.get(at.checked_sub(transaction.steps.len())?));
                if let Some(step) = of_native {
                    return Refused::Native { step: Box::new(step.clone()), explanation, error };
                }
                let at = at.and_then(|at| transaction.steps.get(at));
                let (change, step) = (at.map(|(change, _)| *change), at.map(|(_, step)| *step));
                if matches!(step, Some(Step::Removal(_))) && error.kind() == io::ErrorKind::NotFound {
                    return Refused::Changed;
                }
                Refused::Step { change, step, what: words(changes, change, step), explanation, error }
            }
        })
    }

    /// Carries out a transaction.
    ///
    /// # Errors
    /// [`Rejection`]; nothing has been changed then.
    pub fn send(&mut self, batch: &Finished) -> Result<(), Rejection> {
        if batch.acknowledged == 0 { Ok(()) } else { self.socket.send(batch) }
    }
}

fn explained(explanation: Option<&str>) -> String {
    explanation.map(|text| format!(", since: {text}")).unwrap_or_default()
}

/// What the kernel answers to who asks for a table, told apart.
fn unreadable(failure: socket::Error) -> Unreadable {
    let code = match failure {
        socket::Error::Socket(error) => return Unreadable::Socket(error),
        socket::Error::Dump(Failure::Refused(code)) => code,
        socket::Error::Dump(other) => return Unreadable::Malformed(other),
    };
    let error = io::Error::from_raw_os_error(code);
    match Errno::from_raw(code) {
        Errno::EPERM | Errno::EACCES => Unreadable::Forbidden(error),
        // So it answers for a part of netfilter that is not there.
        Errno::EINVAL | Errno::EOPNOTSUPP | Errno::EPROTONOSUPPORT => Unreadable::Missing(error),
        Errno::EINTR | Errno::EAGAIN => Unreadable::Malformed(Failure::Interrupted),
        _ => Unreadable::Socket(error),
    }
}

fn words(changes: &[Change], change: Option<usize>, step: Option<Step>) -> String {
    let Some((change, step)) = change.and_then(|at| changes.get(at)).zip(step) else {
        return "the transaction as a whole".to_owned();
    };
    let place = format!("of the {} {} table", change.family(), change.table());
    match step {
        Step::Table => format!("the {} {} table", change.family(), change.table()),
        Step::Chain => format!("a chain {place}"),
        Step::Removal(at) => {
            let rule = change.removed.get(at).map(ToString::to_string).unwrap_or_default();
            format!("to delete the rule `{rule}` {place}")
        }
        Step::Rule(at) => {
            let rule = change.rules.rules.get(at).map(restore::line).unwrap_or_default();
            format!("the rule `{rule}` {place}")
        }
    }
}
