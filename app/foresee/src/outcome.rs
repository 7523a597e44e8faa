//! What came of a simulation.

use crate::depths::Depths;
use flow::Style;
use serde::{Deserialize, Serialize};

/// Whether the system keeps up.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Verdict {
    /// It does.
    Stable,
    /// It does not: so many more arrivals wait after each second. Then no percentile means anything, since it would be another
    /// one for a longer run.
    Unstable {
        /// By how much it grows.
        grows_per_s: f64,
    },
    /// It does not, and drops what it cannot take: so many messages a second.
    Drops {
        /// How many are dropped.
        per_s: f64,
    },
}

/// A place where time is spent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Station {
    /// What it is called.
    pub name: String,
    /// The share of its time in which it works.
    pub utilisation: f64,
    /// How many wait there on the average.
    pub waiting: f64,
    /// How many waited there at most.
    pub waiting_most: u64,
}

/// What came of a simulation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// In which style.
    pub style: Style,
    /// Steps of the simulation.
    pub events: u64,
    /// How much time passed in it, in nanoseconds.
    pub simulated_ns: u64,
    /// Arrivals.
    pub arrived: u64,
    /// Arrivals that had all their effects.
    pub completed: u64,
    /// Arrivals of which an effect is missing for good.
    pub incomplete: u64,
    /// Arrivals that had all their effects, a second, while arrivals came.
    pub throughput_per_s: f64,
    /// Whether the system keeps up.
    pub verdict: Verdict,
    /// The station that works most.
    pub bottleneck: String,
    /// From the arrival to its last effect, on the average, in nanoseconds.
    pub mean_ns: f64,
    /// Half took no longer.
    pub p50_ns: u64,
    /// 95 of 100 took no longer.
    pub p95_ns: u64,
    /// 99 of 100 took no longer.
    pub p99_ns: u64,
    /// The longest.
    pub most_ns: u64,
    /// Messages that are gone for good.
    pub lost: u64,
    /// Messages that were parked.
    pub parked: u64,
    /// How often a message was put off.
    pub retried: u64,
    /// How often a message was handed to a worker once more because the first one crashed.
    pub redelivered: u64,
    /// Messages that had their effect and were handed out again, since the ack went with the worker: what an inbox is for.
    pub doubled: u64,
    /// Messages that went to the broker.
    pub messages: u64,
    /// Calls to inventory.
    pub calls: u64,
    /// How many arrivals were under way on the average, over the whole run.
    pub under_way: f64,
    /// The time of all arrivals in the system, whole or not, in nanoseconds, as each of them measured it.
    pub stayed_ns: u64,
    /// The same as the area below the number of arrivals in the system. By Little's law it is equal.
    pub area_ns: u64,
    /// Relay, broker, the queues and inventory's answers.
    pub stations: Vec<Station>,
    /// The most messages that waited in all queues together, over time.
    pub depths: Depths,
}

impl Outcome {
    /// A number for all of it: equal for equal outcomes, wherever they were computed (FNV-1a over the JSON).
    #[must_use]
    pub fn digest(&self) -> String {
        let json = serde_json::to_vec(self).expect("an outcome is plain data");
        let hash = json.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        format!("{hash:016x}")
    }

    /// Whether percentiles mean something.
    #[must_use]
    pub fn is_stable(&self) -> bool {
        self.verdict == Verdict::Stable
    }
}
