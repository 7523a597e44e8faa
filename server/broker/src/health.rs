//! Whether the broker takes messages.

use crate::listener::Pressure;
use std::time::SystemTime;
use tokio::sync::watch;

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

/// Tells when a broker may have come to take messages or to take none, by [`Broker::health_changes`](crate::Broker::health_changes).
#[derive(Clone, Debug)]
pub struct HealthChanges(pub(crate) watch::Receiver<Pressure>);

impl HealthChanges {
    /// Waits for the next change since the last call; false if there will be none, for the broker is gone.
    pub async fn next(&mut self) -> bool {
        self.0.changed().await.is_ok()
    }
}
