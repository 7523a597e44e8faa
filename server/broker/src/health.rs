//! Whether the broker takes messages.

use std::time::SystemTime;

/// Whether the broker takes messages, and if not, why publishers are held up.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// It does.
    Ready,
    /// Messages fill the memory that they may use; publishers wait until some are gone (`connection.blocked`).
    MemoryFull {
        /// How many bytes they use.
        held_bytes: usize,
        /// How many they may use ([`Limits::memory_bytes`](crate::Limits::memory_bytes)).
        limit_bytes: usize,
    },
    /// The store cannot be written, such as when the disk is full. It is tried again all the time. Nothing persistent is
    /// confirmed meanwhile; publishers wait once a certain amount is unwritten (`connection.blocked`).
    StoreFailing {
        /// Since when.
        since: SystemTime,
        /// How often writing was tried.
        times: u64,
        /// What went wrong the last time.
        reason: String,
    },
}
