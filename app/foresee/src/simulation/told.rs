//! What is told of a simulation that is done.

use super::Simulation;
use crate::SECOND_NS;
use crate::outcome::{Outcome, Station, Verdict};
use crate::settings::Promise;
use crate::theory;

/// Below that share of its time a station is no reason to grow without end.
const BUSY: f64 = 0.95;
/// So many arrivals may gather by chance.
const BY_CHANCE: u64 = 200;

impl Simulation {
    /// What came of it, so far.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let stations = self.stations();
        let busiest =
            stations.iter().reduce(|most, one| if one.utilisation > most.utilisation { one } else { most });
        let (bottleneck, utilisation) =
            busiest.map(|one| (one.name.clone(), one.utilisation)).unwrap_or_default();
        let window_s = self.window_s();
        let quantile = |q| self.latencies.value_at_quantile(q);
        let counts = &self.counts;
        Outcome {
            style: self.settings.style,
            events: self.events,
            simulated_ns: self.now_ns,
            arrived: u64::from(self.arrived),
            completed: counts.completed,
            incomplete: counts.incomplete,
            throughput_per_s: if window_s > 0.0 { counts.completed_in_window as f64 / window_s } else { 0.0 },
            verdict: self.verdict(utilisation),
            bottleneck,
            mean_ns: match self.latencies.len() {
                0 => 0.0,
                n => self.measured_sum_ns as f64 / n as f64,
            },
            p50_ns: quantile(0.5),
            p95_ns: quantile(0.95),
            p99_ns: quantile(0.99),
            most_ns: self.latencies.max(),
            lost: counts.lost,
            parked: counts.parked,
            retried: counts.retried,
            redelivered: counts.redelivered,
            doubled: counts.doubled,
            messages: counts.messages,
            calls: counts.calls,
            under_way: self.under_way.area() as f64 / self.now_ns.max(1) as f64,
            stayed_ns: self.stayed_ns,
            area_ns: u64::try_from(self.under_way.area()).unwrap_or(u64::MAX),
            stations,
            depths: self.depths.clone(),
        }
    }

    fn window_s(&self) -> f64 {
        (self.window.1.unwrap_or(self.now_ns) - self.window.0) as f64 / SECOND_NS as f64
    }

    /// Whether it keeps up. Theory says so beyond any doubt where a station alone has more to do than time; what crashes and
    /// calls add is seen in the run itself.
    fn verdict(&self, utilisation: f64) -> Verdict {
        let (settings, window_s) = (&self.settings, self.window_s());
        let is_too_much = theory::load(settings) >= 1.0;
        let half_s = (self.window.1.unwrap_or(self.now_ns) - self.half.0) as f64 / SECOND_NS as f64;
        let gathered = self.left_at_end.saturating_sub(self.half.1);
        let grows_per_s = if half_s > 0.0 { gathered as f64 / half_s } else { 0.0 };
        let dropped_per_s = if window_s > 0.0 { self.counts.lost_in_window as f64 / window_s } else { 0.0 };
        let is_dropping = settings.promise == Promise::AtMostOnce
            && self.queues.iter().any(|queue| queue.ready.most() >= u64::from(settings.queue_max));
        if is_dropping {
            return Verdict::Drops { per_s: dropped_per_s };
        }
        let is_growing =
            utilisation > BUSY && gathered > BY_CHANCE && grows_per_s > settings.rate_per_s / 50.0;
        if is_too_much || is_growing { Verdict::Unstable { grows_per_s } } else { Verdict::Stable }
    }

    fn stations(&self) -> Vec<Station> {
        let until_ns = self.window.1.unwrap_or(self.now_ns).max(1);
        let mut stations = vec![
            Station {
                name: "relay".to_owned(),
                utilisation: self.relaying.mean(),
                waiting: self.outbox_waits.mean(),
                waiting_most: self.outbox_waits.most(),
            },
            Station {
                name: "broker".to_owned(),
                // What waits for the broker is counted nowhere: its steps are one line of arithmetic.
                utilisation: (self.broker_busy_ns as f64 / until_ns as f64).min(1.0),
                waiting: 0.0,
                waiting_most: 0,
            },
        ];
        let slots = f64::from(self.settings.slots());
        stations.extend(self.queues.iter().enumerate().map(|(at, queue)| Station {
            name: queue_name(at),
            utilisation: queue.busy.mean() / slots,
            waiting: queue.ready.mean(),
            waiting_most: queue.ready.most(),
        }));
        if self.settings.calls_per_arrival() > 0 {
            stations.push(Station {
                name: "inventory's answers".to_owned(),
                utilisation: self.calls_busy.mean() / f64::from(self.settings.callback_workers),
                waiting: self.calls_wait.mean(),
                waiting_most: self.calls_wait.most(),
            });
        }
        stations
    }
}

/// The first ones are those that are part of every system.
fn queue_name(at: usize) -> String {
    match at {
        0 => "inventory".to_owned(),
        1 => "catalog".to_owned(),
        2 => "wishlist".to_owned(),
        more => format!("service {}", more + 1),
    }
}
