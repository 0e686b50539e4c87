//! Which of the kernel's ways to hold rules is written to.

use std::fmt;

/// A way to hold rules. All of them are in effect at the same time, so that rules must be in one only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// nf_tables, in the layout of iptables-nft: `iptables-save` shows the rules.
    Nft,
    /// x_tables, by the tools of iptables-legacy.
    Legacy,
    /// nf_tables, in tables and expressions of its own: needs no module of x_tables.
    Native,
}

/// What was found of one backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// It cannot be used.
    Missing,
    /// It can be used, and holds nothing that says who uses it.
    Usable,
    /// Its nat table has rules: the programs of this network namespace use it.
    InUse,
    /// It holds rules of ours.
    Ours,
}

/// What was found of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Of nf_tables, in the layout of iptables-nft.
    pub nft: Found,
    /// Of iptables-legacy.
    pub legacy: Found,
    /// Of nf_tables, in a layout of its own.
    pub native: Found,
}

/// Chooses without a setting: where our rules are they stay, so that runs do not write to one after another. Then where
/// the other programs of the namespace write, since what they mean to come first would not if ours were elsewhere.
///
/// `None` where there is nothing to write to.
pub fn choose(seen: Seen) -> Option<Kind> {
    let all = [(Kind::Nft, seen.nft), (Kind::Legacy, seen.legacy), (Kind::Native, seen.native)];
    let first = |wanted: Found| all.iter().find(|(_, found)| *found == wanted).map(|(kind, _)| *kind);
    let is_legacy_in_use = seen.legacy == Found::InUse;
    let usable = || all.iter().find(|(_, found)| *found != Found::Missing).map(|(kind, _)| *kind);
    first(Found::Ours).or(is_legacy_in_use.then_some(Kind::Legacy)).or_else(usable)
}

impl Kind {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Nft => "nft",
            Self::Legacy => "legacy",
            Self::Native => "native",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use Found::{InUse, Missing, Ours, Usable};

    use super::*;

    #[test]
    fn our_own_rules_decide_then_those_of_others_then_what_is_there() {
        let cases = [
            ((Usable, Usable, Usable), Some(Kind::Nft)),
            ((Usable, InUse, Usable), Some(Kind::Legacy)),
            ((InUse, InUse, Usable), Some(Kind::Legacy)),
            ((InUse, Usable, Usable), Some(Kind::Nft)),
            ((Usable, Ours, Usable), Some(Kind::Legacy)),
            ((Usable, InUse, Ours), Some(Kind::Native)),
            ((Ours, Ours, Ours), Some(Kind::Nft)),
            ((Ours, InUse, Usable), Some(Kind::Nft)),
            ((Missing, Usable, Missing), Some(Kind::Legacy)),
            ((Missing, Missing, Missing), None),
        ];
        for ((nft, legacy, native), chosen) in cases {
            assert_eq!(choose(Seen { nft, legacy, native }), chosen, "{nft:?} {legacy:?} {native:?}");
        }
    }
}
