//! Why a text was not edited.

/// Why a text was not edited.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is not YAML.
    #[error("line {line}: {message}")]
    Syntax {
        /// Line of the mistake, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// The text has several documents; [`crate::documents`] takes them apart.
    #[error("line {line}: a second document begins; edit one at a time")]
    SeveralDocuments {
        /// Line where the second one begins, from 1.
        line: usize,
    },
    /// The text or a value is beyond one of the [`crate::Limits`]; the sentence says which.
    #[error("{0}")]
    Limit(String),
    /// No text was found that the caller's reader reads as the wanted value.
    #[error("cannot be written so that it is read as it should be: {0}")]
    Unfaithful(String),
}
