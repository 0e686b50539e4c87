//! How a registration stands.

/// How a registration stands, the worse the later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// The API server has what is wanted.
    Current,
    /// Another process keeps it.
    NotLeader,
    /// It differs, or is not known yet.
    Outdated,
    /// Somebody changes it back again and again.
    Contested,
    /// It belongs to somebody else.
    Conflict,
    /// The CA bundle does not verify the certificate served, so it is not written.
    Unverified,
    /// A permission is missing.
    Forbidden,
    /// The API server does not take it.
    Rejected,
    /// The API server does not answer.
    Unreachable,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Current,
        Self::NotLeader,
        Self::Outdated,
        Self::Contested,
        Self::Conflict,
        Self::Unverified,
        Self::Forbidden,
        Self::Rejected,
        Self::Unreachable,
    ];

    /// As a label of metrics writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::NotLeader => "not_leader",
            Self::Outdated => "outdated",
            Self::Contested => "contested",
            Self::Conflict => "conflict",
            Self::Unverified => "unverified",
            Self::Forbidden => "forbidden",
            Self::Rejected => "rejected",
            Self::Unreachable => "unreachable",
        }
    }
}
