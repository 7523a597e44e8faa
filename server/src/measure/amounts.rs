//! How much a measurement sends, and how long it waits.

use std::time::Duration;

/// Set by nobody but the tests.
#[derive(Debug, Clone, Copy)]
pub struct Amounts {
    /// Arrivals one after the other, and as many all at once, while nothing is broken.
    pub undisturbed: usize,
    /// Arrivals of each scenario in which something is broken.
    pub broken: usize,
    /// How long a consumer is away.
    pub away: Duration,
    /// How long a system may take to show that it works.
    pub ready_max: Duration,
    /// How long arrivals may take once all is mended, before they count as lost.
    pub learned_max: Duration,
    /// Nothing is on its way any more when the journal has told nothing of the system for so long. Longer than what a worker
    /// that died held lies there until it is taken over.
    pub silence: Duration,
}

impl Default for Amounts {
    fn default() -> Self {
        Self {
            undisturbed: 200,
            broken: 50,
            away: Duration::from_secs(1),
            ready_max: Duration::from_secs(10),
            learned_max: Duration::from_secs(20),
            silence: Duration::from_secs(6),
        }
    }
}
