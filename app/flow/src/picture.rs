//! The picture: a pure fold over the journal.

use crate::Event;
use serde::{Deserialize, Serialize};

/// Everything the page shows, as it stands after a prefix of the journal.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// The last event that is in the picture; 0 before the first.
    pub seq: u64,
}

impl Picture {
    /// Takes in the next event.
    pub fn apply(&mut self, event: &Event) {
        self.seq = event.seq;
    }
}
