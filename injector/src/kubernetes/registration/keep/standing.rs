//! How one object stands, from what the API server said.

use crate::kubernetes::registration::RegistrarError;
use crate::registration::{Difference, State};

/// How one object stands, and why where that is no good news.
pub(super) type Standing = (State, String);

/// What to say about a change by others that was taken back. Who takes something out owns nothing, so that there is a
/// conflict only about what is still there.
pub(super) fn taken_back(
    conflict: Option<&RegistrarError>,
    is_by_others: bool,
    is_new: bool,
    difference: &Difference,
) -> Option<String> {
    let fields = difference.fields().join(", ");
    match conflict {
        Some(conflict) => Some(format!("{conflict}; taken back: {fields}")),
        None if is_by_others && is_new => Some("somebody deleted it; it was made again".to_owned()),
        None if is_by_others => Some(format!("somebody changed it; put back: {fields}")),
        None => None,
    }
}

/// The first of the worst, so that the same is told as long as nothing changes.
pub(super) fn worst(standings: impl IntoIterator<Item = Standing>) -> Option<Standing> {
    standings.into_iter().reduce(|worst, next| if next.0 > worst.0 { next } else { worst })
}

pub(super) fn standing(error: &RegistrarError) -> Standing {
    let state = match error {
        RegistrarError::Forbidden { .. } => State::Forbidden,
        RegistrarError::Conflict { .. } => State::Conflict,
        RegistrarError::Changed { .. } => State::Outdated,
        RegistrarError::Rejected { .. } => State::Rejected,
        RegistrarError::Unreachable { .. } => State::Unreachable,
    };
    (state, error.to_string())
}
