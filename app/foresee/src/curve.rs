//! The same settings under other loads: the curve that turns upwards long before the system is full.

use crate::{Outcome, Settings, theory};
use serde::{Deserialize, Serialize};

/// Loads at which a curve is computed, over the capacity; closer to each other where it bends.
pub const LOADS: [f64; 9] = [0.1, 0.3, 0.5, 0.65, 0.75, 0.85, 0.9, 0.95, 1.05];
/// Arrivals at each.
pub const COUNT: u32 = 4_000;

/// A point of a curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Arrivals a second.
    pub rate_per_s: f64,
    /// Half of them took no longer, in nanoseconds.
    pub p50_ns: u64,
    /// 99 of 100 took no longer.
    pub p99_ns: u64,
    /// Arrivals that had all their effects, a second.
    pub throughput_per_s: f64,
    /// Whether the system keeps up.
    pub is_stable: bool,
}

impl Point {
    /// The point of an outcome.
    #[must_use]
    pub fn of(rate_per_s: f64, outcome: &Outcome) -> Self {
        Self {
            rate_per_s,
            p50_ns: outcome.p50_ns,
            p99_ns: outcome.p99_ns,
            throughput_per_s: outcome.throughput_per_s,
            is_stable: outcome.is_stable(),
        }
    }
}

/// What is to be simulated for a curve.
pub fn settings(of: &Settings) -> impl Iterator<Item = Settings> + use<'_> {
    let full = theory::capacity(of).clamp(1.0, 1_000_000.0);
    let shorter = of.count.min(COUNT);
    LOADS.iter().map(move |load| Settings { rate_per_s: full * load, count: shorter, ..of.clone() })
}
