//! Whether a service asks inventory at all.

use crate::words::words;
use serde::{Deserialize, Serialize};

/// The answer to `GET /api/{style}/{service}/breaker`: the circuit breaker of the service's calls to inventory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breaker {
    /// Whether calls are made.
    pub state: BreakerState,
    /// How many calls failed in a row.
    pub failures: u32,
    /// While it is open: when one call is tried, in microseconds since the Unix epoch.
    pub retry_at_us: Option<u64>,
    /// Why the last call failed, until one succeeds.
    pub last_error: Option<String>,
}

/// Whether calls are made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    /// They are.
    #[default]
    Closed,
    /// They are not: too many failed. Messages are put off, which is no attempt at them.
    Open,
    /// One is, to see whether it succeeds.
    HalfOpen,
}

words!(
    BreakerState { Closed = "closed", Open = "open", HalfOpen = "half_open" },
    UnknownBreakerState,
    "{0:?} is not a state of a circuit breaker"
);
