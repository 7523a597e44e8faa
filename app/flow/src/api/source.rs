//! The code that runs, as it stands in the source.

use serde::{Deserialize, Serialize};

/// A function that a service runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// In which file of the source it stands.
    pub file: String,
    /// The line at which it begins, from 1.
    pub line: usize,
    /// Its text, without what indents all of it.
    pub code: String,
}
