//! The code that runs, as it stands in the source.

use crate::{KindName, Service};
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

/// The code that does a step of the story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeStep {
    /// Of which kinds such a step is.
    pub kinds: Vec<KindName>,
    /// Who takes it, where that matters.
    pub node: Option<Service>,
    /// The function.
    pub source: Source,
    /// The lines of the file that do it, from 1; without any, all of the function does.
    pub marked: Vec<usize>,
}
