//! What is asked of the model, and what it refuses.

use crate::{MS_NS, SECOND_NS, Spread};
use flow::Style;
use serde::{Deserialize, Serialize};

/// The most services that hear of an arrival.
pub const SERVICES_MAX: u8 = 20;
/// The most that all workers of a queue hold together.
pub const HELD_MAX: u32 = 100_000;
/// The most arrivals of a run.
pub const COUNT_MAX: u32 = 5_000_000;

/// When arrivals come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Arrivals {
    /// Independent of each other.
    Poisson,
    /// Always after the same time.
    Constant,
    /// Several at once, then none for a while.
    Bursts {
        /// How many at once.
        size: u32,
    },
    /// As they came in a run, at whatever rate.
    Recorded {
        /// The time before each, in nanoseconds.
        gaps_ns: Vec<u64>,
    },
}

/// What a worker does with the messages that it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Handling {
    /// One after the other, as a process with one thread does.
    OneByOne,
    /// All at the same time, as Skuflow's own consumers do.
    AtOnce,
}

/// What the transport promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Promise {
    /// What a handler did not finish is delivered again.
    AtLeastOnce,
    /// What was handed over once is gone, and so is what finds its queue full.
    AtMostOnce,
}

/// Everything that the model needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// One event that everybody hears, or a command for each.
    pub style: Style,
    /// Arrivals a second.
    pub rate_per_s: f64,
    /// When they come.
    pub arrivals: Arrivals,
    /// How many are simulated.
    pub count: u32,
    /// How many services hear of each; the first is inventory itself, which asks nobody.
    pub services: u8,
    /// Workers of each service.
    pub workers: u16,
    /// How many messages each worker holds.
    pub prefetch: u16,
    /// What it does with them.
    pub handling: Handling,
    /// What a handler takes by itself.
    pub service: Spread,
    /// What inventory takes to answer a call; nobody calls it in orchestration.
    pub callback: Spread,
    /// How many calls inventory answers at a time.
    pub callback_workers: u16,
    /// What the relay takes for a batch of its outbox.
    pub relay: Spread,
    /// The most messages of a batch.
    pub batch: u16,
    /// What the broker takes for each copy of a message, in nanoseconds.
    pub broker_ns: u64,
    /// From the relay to the consumer's hands, when nothing waits: half to the broker, half from there.
    pub way: Spread,
    /// How often a handler fails, from 0 to 1.
    pub failure: f64,
    /// How often a message is tried before it is parked.
    pub attempts: u8,
    /// How long it waits before its second attempt, in nanoseconds; each time twice as long.
    pub retry_ns: u64,
    /// How long a worker lives, in seconds, on the average; 0 for ever.
    pub crash_every_s: f64,
    /// How long until it is there again, in nanoseconds.
    pub restart_ns: u64,
    /// What the transport promises.
    pub promise: Promise,
    /// How many messages a queue takes at most, where the rest is dropped.
    pub queue_max: u32,
    /// Where all chance starts from.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            style: Style::Choreography,
            rate_per_s: 100.0,
            arrivals: Arrivals::Poisson,
            count: 20_000,
            services: 3,
            workers: 2,
            prefetch: 1,
            handling: Handling::OneByOne,
            service: Spread::Exponential { mean_ns: 8 * MS_NS },
            callback: Spread::Exponential { mean_ns: 4 * MS_NS },
            callback_workers: 8,
            relay: Spread::Constant { ns: 500_000 },
            batch: 100,
            broker_ns: 20_000,
            way: Spread::Constant { ns: 400_000 },
            failure: 0.0,
            attempts: 5,
            retry_ns: SECOND_NS / 5,
            crash_every_s: 0.0,
            restart_ns: SECOND_NS,
            promise: Promise::AtLeastOnce,
            queue_max: 1_000,
            seed: 1,
        }
    }
}

/// A setting that makes no sense, and which would.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} is {value}: use {range}")]
pub struct SettingsError {
    /// Which, in words.
    pub name: &'static str,
    /// What it is.
    pub value: String,
    /// What it can be.
    pub range: String,
}

impl Settings {
    /// Whether a style's consumers call inventory.
    #[must_use]
    pub fn calls(&self) -> bool {
        self.style == Style::Choreography && self.callback != Spread::NONE
    }

    /// How many consumers of an arrival call inventory.
    #[must_use]
    pub fn calls_per_arrival(&self) -> u8 {
        if self.calls() { self.services.saturating_sub(1) } else { 0 }
    }

    /// How many messages of a queue are worked on at the same time at most.
    #[must_use]
    pub fn slots(&self) -> u32 {
        let each = match self.handling {
            Handling::OneByOne => 1,
            Handling::AtOnce => u32::from(self.prefetch),
        };
        u32::from(self.workers) * each
    }

    /// The same in the other style, with the same chance.
    #[must_use]
    pub fn in_style(&self, style: Style) -> Self {
        Self { style, ..self.clone() }
    }

    /// Refuses what makes no sense.
    ///
    /// # Errors
    /// The first setting that makes none, with what would.
    pub fn check(&self) -> Result<(), SettingsError> {
        let day = 24.0 * 60.0 * 60.0;
        within("the rate", self.rate_per_s, 0.01, 10_000_000.0, " arrivals a second")?;
        within("the number of arrivals", f64::from(self.count), 10.0, f64::from(COUNT_MAX), "")?;
        within("the number of services", f64::from(self.services), 1.0, f64::from(SERVICES_MAX), "")?;
        within("the number of workers", f64::from(self.workers), 1.0, 10_000.0, "")?;
        within("prefetch", f64::from(self.prefetch), 1.0, 10_000.0, "")?;
        let held = f64::from(self.workers) * f64::from(self.prefetch);
        within("workers times prefetch", held, 1.0, f64::from(HELD_MAX), "")?;
        spread("the service time", &self.service)?;
        spread("the callback time", &self.callback)?;
        spread("the relay's time", &self.relay)?;
        spread("the way", &self.way)?;
        within("the number of callback workers", f64::from(self.callback_workers), 1.0, 10_000.0, "")?;
        within("the relay's batch", f64::from(self.batch), 1.0, 10_000.0, "")?;
        within("the broker's time", self.broker_ns as f64 / 1e6, 0.0, 1_000.0, " ms")?;
        within("the share of failures", self.failure, 0.0, 0.99, "")?;
        within("the number of attempts", f64::from(self.attempts), 1.0, 50.0, "")?;
        within("the delay before a retry", self.retry_ns as f64 / 1e9, 0.0, 3_600.0, " s")?;
        if self.crash_every_s != 0.0 {
            within("the time between crashes", self.crash_every_s, 1.0, 365.0 * day, " s, or 0 for never")?;
        }
        within("the time of a restart", self.restart_ns as f64 / 1e9, 0.0, 3_600.0, " s")?;
        within("the most of a queue", f64::from(self.queue_max), 1.0, 1e9, "")?;
        match &self.arrivals {
            Arrivals::Bursts { size } => within("the size of a burst", f64::from(*size), 1.0, 100_000.0, ""),
            Arrivals::Recorded { gaps_ns } => {
                within("the number of recorded arrivals", gaps_ns.len() as f64, 2.0, 100_000.0, "")?;
                let sum = gaps_ns.iter().fold(0_u64, |sum, gap| sum.saturating_add(*gap));
                within("the recorded time", sum as f64 / 1e9, 1e-6, 365.0 * day, " s")
            }
            Arrivals::Poisson | Arrivals::Constant => Ok(()),
        }
    }
}

fn within(name: &'static str, value: f64, low: f64, high: f64, unit: &str) -> Result<(), SettingsError> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(SettingsError { name, value: value.to_string(), range: format!("{low} to {high}{unit}") })
}

fn spread(name: &'static str, spread: &Spread) -> Result<(), SettingsError> {
    match spread {
        Spread::Empirical { quantiles_ns } if quantiles_ns.len() < 2 => {
            let (value, range) = (quantiles_ns.len().to_string(), "2 or more quantiles".to_owned());
            return Err(SettingsError { name, value, range });
        }
        Spread::Lognormal { cv, .. } => within("the deviation over the mean", *cv, 0.0, 10.0, "")?,
        _ => {}
    }
    within(name, spread.mean_ns() / 1e6, 0.0, 60_000.0, " ms")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_is_refused_with_the_range_that_makes_sense() {
        let wrong = |change: fn(&mut Settings)| {
            let mut settings = Settings::default();
            change(&mut settings);
            settings.check().map_err(|error| error.to_string())
        };
        assert_eq!(wrong(|_| {}), Ok(()));
        for (told, says) in [
            (wrong(|it| it.rate_per_s = 0.0), "the rate is 0: use 0.01 to 10000000 arrivals a second"),
            (wrong(|it| it.rate_per_s = f64::NAN), "the rate is NaN: use 0.01 to 10000000 arrivals a second"),
            (wrong(|it| it.services = 21), "the number of services is 21: use 1 to 20"),
            (wrong(|it| it.failure = 1.0), "the share of failures is 1: use 0 to 0.99"),
            (
                wrong(|it| (it.workers, it.prefetch) = (1_000, 1_000)),
                "workers times prefetch is 1000000: use 1 to 100000",
            ),
            (
                wrong(|it| it.crash_every_s = 0.5),
                "the time between crashes is 0.5: use 1 to 31536000 s, or 0 for never",
            ),
            (
                wrong(|it| it.service = Spread::Constant { ns: u64::MAX }),
                "the service time is 18446744073709.55: use 0 to 60000 ms",
            ),
        ] {
            assert_eq!(told, Err(says.to_owned()));
        }
    }
}
