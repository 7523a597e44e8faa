//! Settings from a run: how long each step took in the journal's events.
//!
//! Only what went smoothly is measured: the first attempt at a message that nobody held, broke or delivered twice.

use crate::replications::Interval;
use crate::settings::{Arrivals, Handling, Settings};
use crate::spread::Spread;
use flow::tally::{Latency, Tallies};
use flow::{Event, Kind, System};
use std::collections::{HashMap, HashSet};

const US_NS: u64 = 1_000;
/// With fewer arrivals than that nothing is said of how they come.
const GAPS_MIN: usize = 20;
/// As many gaps as are kept of a run.
const GAPS_MAX: usize = 5_000;

/// How long a step took.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The mean in nanoseconds, and how far it may be off.
    pub mean_ns: Interval,
    /// All of it.
    pub spread: Spread,
}

impl Measured {
    fn of(mut durations_ns: Vec<u64>) -> Option<Self> {
        durations_ns.sort_unstable();
        let values: Vec<_> = durations_ns.iter().map(|ns| *ns as f64).collect();
        Some(Self { mean_ns: Interval::of(&values), spread: Spread::measured(durations_ns)? })
    }
}

/// What a run says of one system.
#[derive(Debug, Clone, PartialEq)]
pub struct Learned {
    /// Of which.
    pub system: System,
    /// How many arrivals there were.
    pub arrivals: usize,
    /// How many came in a second; none with one arrival or less.
    pub rate_per_s: Option<f64>,
    /// The times between them.
    pub gaps_ns: Vec<u64>,
    /// From the record in inventory's store to the broker.
    pub relay: Option<Measured>,
    /// From the relay to the consumer's hands.
    pub way: Option<Measured>,
    /// From there to the effect, less the call.
    pub service: Option<Measured>,
    /// From a call to its answer.
    pub callback: Option<Measured>,
    /// How many messages were put off, of how many deliveries.
    pub failures: (usize, usize),
    /// From the arrival to its last effect, as it was.
    pub took: Latency,
}

/// What is told of a message at one consumer.
#[derive(Debug, Default)]
struct Handled {
    delivered_us: Option<u64>,
    effect_us: Option<u64>,
    acked_us: Option<u64>,
    called_us: u64,
}

/// Reads a run.
#[must_use]
pub fn learn<'a>(system: System, events: impl IntoIterator<Item = &'a Event>) -> Learned {
    let (mut arrived_us, mut recorded_us, mut published_us) = (Vec::new(), HashMap::new(), HashMap::new());
    let (mut relay, mut callback, mut troubled) = (Vec::new(), Vec::new(), HashSet::new());
    let mut handled: HashMap<(&str, &str), Handled> = HashMap::new();
    let (mut put_off, mut deliveries) = (0, 0);
    let mut tallies = Tallies::default();
    for event in events.into_iter().filter(|event| event.system == Some(system)) {
        tallies.apply(event);
        let Some(arrival) = event.correlation_id.as_deref() else { continue };
        let message = event.message_id.as_deref().unwrap_or_default();
        let at_consumer = event.queue.as_deref().map(|queue| (message, queue));
        match &event.kind {
            Kind::ArrivalReceived { .. } => arrived_us.push(event.at_us),
            Kind::StockRecorded { .. } => _ = recorded_us.insert(arrival, event.at_us),
            Kind::Published { .. } if !published_us.contains_key(message) => {
                published_us.insert(message, event.at_us);
                relay.extend(recorded_us.get(arrival).and_then(|recorded| passed(*recorded, event.at_us)));
            }
            Kind::Delivered { .. } => {
                deliveries += 1;
                if let Some(key) = at_consumer {
                    handled.entry(key).or_default().delivered_us.get_or_insert(event.at_us);
                }
            }
            Kind::HttpResponse { status: Some(200), duration_us, .. } => {
                callback.push(duration_us * US_NS);
                if let Some(key) = at_consumer {
                    handled.entry(key).or_default().called_us += duration_us;
                }
            }
            Kind::StateChanged { .. } | Kind::EmailSent { .. } => {
                if let Some(key) = at_consumer {
                    handled.entry(key).or_default().effect_us = Some(event.at_us);
                }
            }
            Kind::Acked { .. } => {
                if let Some(key) = at_consumer {
                    handled.entry(key).or_default().acked_us.get_or_insert(event.at_us);
                }
            }
            Kind::RetryScheduled { .. } => {
                put_off += 1;
                troubled.insert(message);
            }
            Kind::HttpResponse { .. }
            | Kind::Held { .. }
            | Kind::Nacked { .. }
            | Kind::FaultInjected { .. }
            | Kind::DuplicateIgnored { .. } => _ = troubled.insert(message),
            _ => {}
        }
    }
    let smooth = || handled.iter().filter(|((message, _), _)| !troubled.contains(message));
    let way =
        smooth().filter_map(|((message, _), one)| passed(*published_us.get(message)?, one.delivered_us?));
    let service = smooth().filter_map(|(_, one)| {
        // What changed nothing has its effect with the ack.
        let all = passed(one.delivered_us?, one.effect_us.or(one.acked_us)?)?;
        Some(all.saturating_sub(one.called_us * US_NS))
    });
    arrived_us.sort_unstable();
    let gaps_ns: Vec<_> = arrived_us.windows(2).map(|pair| (pair[1] - pair[0]) * US_NS).collect();
    let whole_ns: u64 = gaps_ns.iter().sum();
    Learned {
        system,
        arrivals: arrived_us.len(),
        rate_per_s: (whole_ns > 0).then(|| gaps_ns.len() as f64 * 1e9 / whole_ns as f64),
        way: Measured::of(way.collect()),
        service: Measured::of(service.collect()),
        gaps_ns,
        relay: Measured::of(relay),
        callback: Measured::of(callback),
        failures: (put_off, deliveries),
        took: tallies.summary().all_effects,
    }
}

/// From then to then, in nanoseconds; none where the clock went backwards.
fn passed(from_us: u64, to_us: u64) -> Option<u64> {
    to_us.checked_sub(from_us).map(|us| us * US_NS)
}

impl Learned {
    /// Whether there is enough to go by: messages that were handled.
    #[must_use]
    pub const fn is_enough(&self) -> bool {
        self.service.is_some()
    }

    /// The settings with what was learned in place of what was assumed. How many workers there are is not to be seen in a run,
    /// and stays; they do at once what they hold, as Skuflow's do.
    #[must_use]
    pub fn applied_to(&self, settings: &Settings) -> Settings {
        let mut learned = settings.in_style(self.system.style);
        let set = |place: &mut Spread, measured: &Option<Measured>| {
            if let Some(measured) = measured {
                *place = measured.spread.clone();
            }
        };
        set(&mut learned.relay, &self.relay);
        set(&mut learned.way, &self.way);
        set(&mut learned.service, &self.service);
        set(&mut learned.callback, &self.callback);
        if let Some(rate) = self.rate_per_s {
            learned.rate_per_s = rate.clamp(0.01, 10_000_000.0);
        }
        if self.gaps_ns.len() >= GAPS_MIN && self.rate_per_s.is_some() {
            learned.arrivals =
                Arrivals::Recorded { gaps_ns: self.gaps_ns.iter().copied().take(GAPS_MAX).collect() };
        }
        if self.failures.1 > 0 {
            learned.failure = (self.failures.0 as f64 / self.failures.1 as f64).min(0.99);
        }
        // All that is between the relay and the consumer is in the way.
        learned.broker_ns = 0;
        learned.handling = Handling::AtOnce;
        learned
    }
}

#[cfg(test)]
#[path = "learn/tests.rs"]
mod tests;
