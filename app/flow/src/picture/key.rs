//! An identifier as the picture looks it up: with what stands for it beside it.
//!
//! Every event of a queue looks through the messages in it. Most are not the one that is meant, and a hash tells so
//! without following a pointer to the text.

use crate::{Id, index};
use serde::{Deserialize, Serialize};

/// A message's identifier. On the wire it is the text alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Id", into = "Id")]
pub(super) struct Key {
    // First, so that it is compared first.
    hash: index::Key,
    id: Id,
}

impl Key {
    /// The identifier itself.
    pub(super) const fn id(&self) -> &Id {
        &self.id
    }
}

impl From<&Id> for Key {
    fn from(id: &Id) -> Self {
        Self { hash: index::Key::new("message", id, ""), id: id.clone() }
    }
}

impl From<Id> for Key {
    fn from(id: Id) -> Self {
        Self::from(&id)
    }
}

impl From<Key> for Id {
    fn from(key: Key) -> Self {
        key.id
    }
}
