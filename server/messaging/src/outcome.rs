//! How a handler ends.

use std::time::Duration;
use store::{StoreError, effect::Effect, epoch::VersionError};

/// A handler's good end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handled {
    /// The effect is stored (or there was nothing newer to store).
    Done,
    /// The inbox has seen this message before.
    Duplicate,
}

impl<T> From<Effect<T>> for Handled {
    fn from(effect: Effect<T>) -> Self {
        match effect {
            Effect::Stored(_) | Effect::NothingNewer { .. } => Self::Done,
            Effect::Duplicate { .. } => Self::Duplicate,
        }
    }
}

/// A handler's bad end.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Trying again may help.
    #[error("{0}")]
    Transient(String),
    /// Trying again cannot help.
    #[error("{0}")]
    Permanent(String),
    /// There was no point in trying now: the message is put off, and this was no attempt at it.
    #[error("{reason}")]
    NotNow { reason: String, delay: Duration },
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Transient(error.to_string())
    }
}

impl From<VersionError> for Failure {
    fn from(error: VersionError) -> Self {
        match error {
            VersionError::Store(error) => error.into(),
            VersionError::Implausible { .. } => Self::Permanent(error.to_string()),
        }
    }
}
