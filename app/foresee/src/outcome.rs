//! What a run comes to.

use crate::{
    Model, Station,
    model::{count, size},
    theory,
};
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// How many moments there are at which depths are noted.
pub const MOMENTS: usize = 60;

/// How a station fared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Load {
    pub station: Station,
    /// Its name.
    pub name: String,
    /// Which share of its time it was at work, from 0 to 1.
    pub utilisation: f64,
    /// How many waited on average.
    pub waiting: f64,
    /// How many waited at the most.
    pub most: u64,
    /// How many waited, at evenly spaced moments of the run.
    pub depths: Vec<u64>,
}

/// What was simulated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// How many arrivals had all of their effects.
    pub done: u64,
    /// How many messages were parked after their last attempt.
    pub parked: u64,
    /// How many messages were lost in crashes.
    pub lost: u64,
    /// How many attempts were made again, after failures and crashes.
    pub again: u64,
    /// How long it all took, in seconds of the model's clock.
    pub seconds: f64,
    /// Arrivals a second that had all of their effects.
    pub throughput: f64,
    /// From arrival to last effect, in milliseconds: the mean and these shares of all.
    pub mean_ms: f64,
    pub p50_ms: f64,
    pub p95_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
    pub loads: Vec<Load>,
    /// How many events were simulated.
    pub events: u64,
    /// Names the run: the same everywhere for the same model and seed.
    pub digest: String,
}

/// What was simulated, with what theory says of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    pub model: Model,
    pub outcome: Outcome,
    /// The first station that is full as the rate grows, and at how many arrivals a second.
    pub full_at: f64,
    pub bottleneck: Station,
    /// Beyond what it can carry: by how many messages a second what waits grows.
    pub grows_per_s: Option<f64>,
    /// What theory says of the time to the last effect, where it can be said.
    pub theory_mean_ms: Option<f64>,
}

impl Forecast {
    /// Simulates the model, and asks theory.
    #[must_use]
    pub fn of(model: Model) -> Self {
        let outcome = crate::run(&model);
        Self::with(model, outcome)
    }

    #[must_use]
    pub fn with(model: Model, outcome: Outcome) -> Self {
        let (bottleneck, full_at) = theory::full_at(&model);
        let grows_per_s = theory::growth(&model).filter(|growth| *growth > 0.0);
        let theory_mean_ms = grows_per_s.is_none().then(|| theory::to_last_effect_ms(&model));
        Self { model, outcome, full_at, bottleneck, grows_per_s, theory_mean_ms }
    }
}

/// Times with three figures, up to three hours.
#[derive(Debug)]
pub(crate) struct Times(Histogram<u64>, f64);

impl Times {
    pub(crate) fn new() -> Self {
        let hours_ns = 3 * 3_600 * 1_000_000_000;
        Self(Histogram::new_with_bounds(1, hours_ns, 3).expect("the bounds are sound"), 0.0)
    }

    pub(crate) fn note(&mut self, ns: u64) {
        self.0.saturating_record(ns.max(1));
        self.1 += count(ns);
    }

    pub(crate) fn len(&self) -> u64 {
        self.0.len()
    }

    pub(crate) fn mean_ms(&self) -> f64 {
        self.1 / count(self.0.len().max(1)) / 1e6
    }

    pub(crate) fn ms(&self, share: f64) -> f64 {
        if self.0.is_empty() { 0.0 } else { count(self.0.value_at_quantile(share)) / 1e6 }
    }

    pub(crate) fn max_ms(&self) -> f64 {
        if self.0.is_empty() { 0.0 } else { count(self.0.max()) / 1e6 }
    }
}

/// A station's name.
#[must_use]
pub fn name(station: Station) -> String {
    match station {
        Station::Relay => "Inventory's relay".to_owned(),
        Station::Broker => "Broker".to_owned(),
        Station::Callback => "Inventory's API".to_owned(),
        Station::Service(0) => "Stock recalculation".to_owned(),
        Station::Service(1) => "Catalog".to_owned(),
        Station::Service(2) => "Wishlist".to_owned(),
        Station::Service(3) => "Loyalty".to_owned(),
        Station::Service(more) => format!("Service {}", size(more + 1)),
    }
}
