//! How many workers a service has, and how they are.

use super::Breaker;
use crate::Service;
use serde::{Deserialize, Serialize};

/// The body of `POST /api/{style}/{service}/workers`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkersWanted {
    /// How many consumers of the service's queue, 1 to 16.
    pub workers: u16,
    /// How many unacked messages each may hold, 1 to 1,000.
    pub prefetch: u16,
}

/// How a service's workers are: the answer to `GET` and `POST /api/{style}/{service}/workers`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workers {
    /// How many are wanted.
    pub workers: u16,
    /// How many unacked messages each may hold.
    pub prefetch: u16,
    /// How the supervisor sees them.
    pub state: WorkersState,
    /// How often one was started again since the server started.
    pub restarts: u64,
    /// When the supervisor last heard from them: microseconds since the Unix epoch.
    pub heartbeat_at_us: Option<u64>,
    /// Why they last stopped, if they did.
    pub last_error: Option<String>,
}

/// One service in the answer to `GET /api/{style}/workers`, which tells of all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crew {
    /// Whose.
    pub service: Service,
    /// The workers.
    pub workers: Workers,
    /// The breaker of the service's calls; none where it makes no calls.
    pub breaker: Option<Breaker>,
}

/// How the supervisor sees a service's workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkersState {
    /// They take messages.
    Running,
    /// They wait to be started again.
    Restarting,
    /// They stopped too often and are left alone until somebody sets them anew.
    Failed,
    /// They were stopped on purpose.
    Stopped,
}
