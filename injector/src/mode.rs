//! Whose result is wanted.

use std::fmt;

/// Where Istio's result and the one that a user would want differ, which of the two.
///
/// Every difference is listed in `docs/compatibility.md`, with its reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// The result that a user would want.
    #[default]
    Corrected,
    /// Istio's result, known defects included, so that a cluster can change injectors without a difference.
    Istio,
}

impl Mode {
    /// Whether Istio's result is wanted.
    pub fn is_istio(self) -> bool {
        self == Self::Istio
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Corrected => "corrected",
            Self::Istio => "istio",
        })
    }
}
