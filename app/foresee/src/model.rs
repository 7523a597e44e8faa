//! What is simulated.

use crate::Draw;
use flow::Style;
use serde::{Deserialize, Serialize};

/// The most services in a model.
pub const SERVICES_MAX: usize = 20;
/// The most arrivals in one run.
pub const ARRIVALS_MAX: u64 = 10_000_000;

/// A number that is not in its range.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{name}: {given} is out of range; use {least} to {most}")]
pub struct OutOfRange {
    /// Which number.
    pub name: &'static str,
    given: f64,
    least: f64,
    most: f64,
}

/// Where something waits and is worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Station {
    /// Inventory's relay, which publishes what is in the outbox.
    Relay,
    /// The broker.
    Broker,
    /// A service, by its place: inventory, catalog, wishlist, and whoever joins.
    Service(usize),
    /// Inventory's answers over HTTP.
    Callback,
}

/// A system, as numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Model {
    /// Which style.
    pub style: Style,
    /// Arrivals a second.
    pub rate: f64,
    /// How irregularly they come: 0 like clockwork, 1 at random (Poisson), above that in bursts.
    pub burstiness: f64,
    /// How many arrivals are simulated.
    pub arrivals: u64,
    /// How many services handle each arrival; the first one is inventory itself.
    pub services: usize,
    /// How many messages each service has in hand at once: its workers.
    pub workers: usize,
    /// The most unacknowledged messages of a service. Fewer than workers keep some of those idle.
    pub prefetch: usize,
    /// What a service does itself for a message.
    pub service: Draw,
    /// How long inventory works on an answer.
    pub callback: Draw,
    /// How many answers inventory works on at once.
    pub callback_workers: usize,
    /// What publishing one message takes of the relay.
    pub relay: Draw,
    /// What one message takes of the broker, for each queue.
    pub broker: Draw,
    /// How many attempts of a hundred fail.
    pub failure_percent: f64,
    /// After how many milliseconds a message is tried again.
    pub retry_ms: f64,
    /// How many attempts there are before a message is parked.
    pub attempts: u32,
    /// A service crashes about every so many seconds; 0 is never.
    pub crash_every_s: f64,
    /// For how many milliseconds it is away then.
    pub restart_ms: f64,
    /// Whether what was in hand in a crash comes back (at least once), or is lost (at most once).
    pub at_least_once: bool,
    /// What the dice begin with.
    pub seed: u64,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            style: Style::Choreography,
            rate: 100.0,
            burstiness: 1.0,
            arrivals: 20_000,
            services: 3,
            workers: 1,
            prefetch: 10,
            service: Draw::LogNormal { ms: 1.0, cv: 0.5 },
            callback: Draw::LogNormal { ms: 0.4, cv: 0.5 },
            callback_workers: 4,
            relay: Draw::LogNormal { ms: 0.1, cv: 0.5 },
            broker: Draw::Exponential { ms: 0.02 },
            failure_percent: 0.0,
            retry_ms: 200.0,
            attempts: 5,
            crash_every_s: 0.0,
            restart_ms: 1_000.0,
            at_least_once: true,
            seed: 1,
        }
    }
}

impl Model {
    /// The model, if all of its numbers are in their ranges.
    ///
    /// # Errors
    /// The first number that is not.
    pub fn checked(self) -> Result<Self, OutOfRange> {
        let mut all: Vec<(&'static str, f64, f64, f64)> = vec![
            ("rate", self.rate, 0.001, 10_000_000.0),
            ("burstiness", self.burstiness, 0.0, 10.0),
            ("arrivals", count(self.arrivals), 1.0, count(ARRIVALS_MAX)),
            ("services", size(self.services), 1.0, size(SERVICES_MAX)),
            ("workers", size(self.workers), 1.0, 10_000.0),
            ("prefetch", size(self.prefetch), 1.0, 65_535.0),
            ("callback_workers", size(self.callback_workers), 1.0, 10_000.0),
            ("failure_percent", self.failure_percent, 0.0, 90.0),
            ("retry_ms", self.retry_ms, 0.0, 3_600_000.0),
            ("attempts", f64::from(self.attempts), 1.0, 100.0),
            ("crash_every_s", self.crash_every_s, 0.0, 1_000_000.0),
            ("restart_ms", self.restart_ms, 0.0, 3_600_000.0),
        ];
        let draws = [
            ("service_ms", "service_cv", self.service),
            ("callback_ms", "callback_cv", self.callback),
            ("relay_ms", "relay_cv", self.relay),
            ("broker_ms", "broker_cv", self.broker),
        ];
        for (name, cv, draw) in draws {
            all.push((name, draw.mean_ms(), 0.0, 60_000.0));
            all.push((cv, draw.cv(), 0.0, 5.0));
        }
        for (name, given, least, most) in all {
            // A number that is none is in no range.
            if !(least..=most).contains(&given) {
                return Err(OutOfRange { name, given, least, most });
            }
        }
        Ok(self)
    }

    /// How many messages of a service are worked on at once.
    #[must_use]
    pub const fn hands(&self) -> usize {
        if self.workers < self.prefetch { self.workers } else { self.prefetch }
    }

    /// How many services ask inventory: in choreography all but inventory itself.
    #[must_use]
    pub const fn callers(&self) -> usize {
        match self.style {
            Style::Choreography => self.services - 1,
            Style::Orchestration => 0,
        }
    }

    /// How many messages inventory publishes for one arrival.
    #[must_use]
    pub const fn published(&self) -> usize {
        match self.style {
            Style::Choreography => 1,
            Style::Orchestration => self.services,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "bounded far below that")]
pub(crate) const fn count(number: u64) -> f64 {
    number as f64
}

#[expect(clippy::cast_precision_loss, reason = "bounded far below that")]
pub(crate) const fn size(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_is_refused_with_the_range() {
        let wrong = |change: fn(&mut Model)| {
            let mut model = Model::default();
            change(&mut model);
            model.checked().unwrap_err().to_string()
        };
        assert_eq!(wrong(|model| model.rate = -1.0), "rate: -1 is out of range; use 0.001 to 10000000");
        assert!(wrong(|model| model.rate = f64::NAN).starts_with("rate: NaN"));
        assert!(wrong(|model| model.services = 0).starts_with("services: 0"));
        assert!(
            wrong(|model| model.service = Draw::Constant { ms: f64::INFINITY }).starts_with("service_ms")
        );
        assert!(Model::default().checked().is_ok());
    }
}
