//! What it takes at a scale that no laptop runs, from the model's numbers.

use crate::{Model, model::size, theory};
use serde::{Deserialize, Serialize};

/// How full a station may be, so that its times stay short.
const FULL: f64 = 0.7;
/// What one broker node takes of messages a second, and one partition of them: orders of magnitude from published benchmarks.
const NODE_PER_S: f64 = 50_000.0;
const PARTITION_PER_S: f64 = 10_000.0;
/// What one message has with its properties, and what a viewer gets of one arrival, in bytes.
const MESSAGE_BYTES: f64 = 600.0;
const VIEWER_BYTES: f64 = 10_000.0;

/// What is needed for so many arrivals a second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Paper {
    pub rate: f64,
    /// Copies of each service's worker.
    pub workers: f64,
    /// Messages in hand at inventory's API at once.
    pub callback_workers: f64,
    /// Relays side by side; each has a part of the SKUs.
    pub relays: f64,
    pub partitions: f64,
    pub broker_nodes: f64,
    /// Messages a second through the broker, in and out.
    pub messages: f64,
    /// Megabytes a second through the broker.
    pub megabytes: f64,
    /// Calls a second to inventory.
    pub calls: f64,
    /// Megabytes a second to a thousand viewers who see every arrival.
    pub viewer_megabytes: f64,
}

/// The model's work at another rate.
#[must_use]
pub fn at(model: &Model, rate: f64) -> Paper {
    let visits = theory::visits(model);
    let hands = |per_arrival: f64, ms: f64| libm::ceil(rate * per_arrival * ms / 1e3 / FULL).max(1.0);
    let calls = rate * size(model.callers()) * visits;
    let asking = if model.callers() > 0 { model.callback.mean_ms() } else { 0.0 };
    let messages = rate * (size(model.published()) + size(model.services) * visits);
    Paper {
        rate,
        workers: hands(visits, model.service.mean_ms() + asking),
        callback_workers: if calls > 0.0 {
            hands(size(model.callers()) * visits, model.callback.mean_ms())
        } else {
            0.0
        },
        relays: hands(size(model.published()), model.relay.mean_ms()),
        partitions: libm::ceil(rate * size(model.services) * visits / PARTITION_PER_S).max(1.0),
        broker_nodes: libm::ceil(messages / NODE_PER_S).max(1.0),
        messages,
        megabytes: messages * MESSAGE_BYTES / 1e6,
        calls,
        viewer_megabytes: rate * VIEWER_BYTES * 1e3 / 1e6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::Style;

    #[test]
    fn what_is_needed_grows_with_the_rate_and_choreography_needs_the_calls() {
        let model = Model::default();
        let (small, large) = (at(&model, 1e3), at(&model, 1e6));
        assert!((large.workers / small.workers - 1e3).abs() < 1.0);
        assert!((large.calls - 2e6).abs() < 1.0, "catalog and wishlist ask");
        let told = at(&Model { style: Style::Orchestration, ..model }, 1e6);
        assert!(told.calls == 0.0 && told.workers < large.workers && told.relays > large.relays);
    }
}
