//! An identifier as the picture looks it up: with its hash beside it.
//!
//! Every event of a queue looks through the messages in it. Most are not the one that is meant, and a hash tells so
//! without following a pointer to the text.

use crate::Id;
use serde::{Deserialize, Serialize};

/// A message's identifier. On the wire it is the text alone.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "Id", into = "Id")]
pub(super) struct Key {
    hash: u64,
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
        // FNV-1a: a few nanoseconds for an identifier, and the same everywhere.
        let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self { hash, id: id.clone() }
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

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && self.id == other.id
    }
}

impl Eq for Key {}
