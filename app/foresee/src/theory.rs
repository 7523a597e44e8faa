//! What queueing theory says in closed form: what the simulation is checked against, and what saturates first.

use crate::settings::{Handling, Settings};
use flow::Style;

/// A queue with exponential times: λ arrivals a second, `servers` of which each serves µ a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mmc {
    /// λ.
    pub arrivals_per_s: f64,
    /// µ.
    pub served_per_s: f64,
    /// How many serve.
    pub servers: u32,
}

impl Mmc {
    /// The share of its time in which each server works; from 1 on there is no steady state.
    #[must_use]
    pub fn load(&self) -> f64 {
        self.arrivals_per_s / (self.served_per_s * f64::from(self.servers))
    }

    /// The probability that an arrival has to wait (Erlang's C).
    #[must_use]
    pub fn waits(&self) -> f64 {
        let offered = self.arrivals_per_s / self.served_per_s;
        // Erlang's B by its recursion, which never overflows.
        let blocked = (1..=self.servers).fold(1.0, |b, n| offered * b / (f64::from(n) + offered * b));
        blocked / (1.0 - self.load() * (1.0 - blocked))
    }

    /// The mean time in the queue, in seconds.
    #[must_use]
    pub fn mean_wait_s(&self) -> f64 {
        self.waits() / self.spare_per_s()
    }

    /// The mean time in queue and service, in seconds.
    #[must_use]
    pub fn mean_s(&self) -> f64 {
        self.mean_wait_s() + 1.0 / self.served_per_s
    }

    fn spare_per_s(&self) -> f64 {
        f64::from(self.servers) * self.served_per_s - self.arrivals_per_s
    }

    /// The probability that queue and service together take longer.
    #[must_use]
    pub fn takes_longer(&self, than_s: f64) -> f64 {
        let (served, spare, waits) = (self.served_per_s, self.spare_per_s(), self.waits());
        let alone = libm::exp(-served * than_s);
        let both = if (spare - served).abs() < served * 1e-9 {
            (1.0 + served * than_s) * alone
        } else {
            (spare * alone - served * libm::exp(-spare * than_s)) / (spare - served)
        };
        (1.0 - waits) * alone + waits * both
    }

    /// The time in queue and service that a share of the arrivals does not exceed, in seconds.
    #[must_use]
    pub fn quantile_s(&self, share: f64) -> f64 {
        let (mut low, mut high) = (0.0, self.mean_s());
        while self.takes_longer(high) > 1.0 - share {
            high *= 2.0;
        }
        for _ in 0..80 {
            let middle = (low + high) / 2.0;
            if self.takes_longer(middle) > 1.0 - share { low = middle } else { high = middle }
        }
        high
    }
}

/// The mean time in a G/G/c queue by Allen and Cunneen's approximation, in seconds: that of M/M/c, by how much arrivals and
/// services vary.
#[must_use]
pub fn allen_cunneen_s(queue: &Mmc, arrivals_cv2: f64, service_cv2: f64) -> f64 {
    queue.mean_wait_s() * (arrivals_cv2 + service_cv2) / 2.0 + 1.0 / queue.served_per_s
}

/// The mean of the last of `branches` equal M/M/1 queues that each get a copy of every arrival (Nelson and Tantawi), between
/// its bounds: one branch alone, and branches that know nothing of each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ForkJoin {
    /// No fork-join is faster.
    pub at_least_s: f64,
    /// The approximation.
    pub about_s: f64,
    /// None is slower.
    pub at_most_s: f64,
}

/// The fork-join of so many branches, of which each has that mean and load.
#[must_use]
pub fn fork_join(branch_mean_s: f64, load: f64, branches: u32) -> ForkJoin {
    let all = harmonic(branches);
    let about = match branches {
        0 | 1 => 1.0,
        _ => {
            let share = all / harmonic(2);
            (share + 4.0 / 11.0 * (1.0 - share) * load) * (12.0 - load) / 8.0
        }
    };
    ForkJoin { at_least_s: branch_mean_s, about_s: branch_mean_s * about, at_most_s: branch_mean_s * all }
}

fn harmonic(n: u32) -> f64 {
    (1..=n).map(|one| 1.0 / f64::from(one)).sum()
}

/// The mean of stations one after the other: that of each, added up.
#[must_use]
pub fn tandem_s(means_s: &[f64]) -> f64 {
    means_s.iter().sum()
}

/// How often a message is handled on the average when a share of the attempts fails: 1/(1−p), and a little less where it is
/// parked at last.
#[must_use]
pub fn attempts(failure: f64, at_most: u8) -> f64 {
    if failure == 0.0 { 1.0 } else { (1.0 - libm::pow(failure, f64::from(at_most))) / (1.0 - failure) }
}

/// How many are in a system through which so many go a second, each for so long (Little).
#[must_use]
pub fn little(per_s: f64, stay_s: f64) -> f64 {
    per_s * stay_s
}

/// What the workers of a service are called among the stations.
pub const WORKERS: &str = "each service's workers";

/// A station, and the arrivals a second that it can take.
#[derive(Debug, Clone, PartialEq)]
pub struct Capacity {
    /// Its name.
    pub station: &'static str,
    /// Arrivals a second.
    pub per_s: f64,
}

/// What each station can take, the least first. Crashes and what waits for a call to be answered come on top.
#[must_use]
pub fn capacities(settings: &Settings) -> Vec<Capacity> {
    let services = f64::from(settings.services);
    let tries = attempts(settings.failure, settings.attempts);
    let messages = match settings.style {
        Style::Choreography => 1.0,
        Style::Orchestration => services,
    };
    let calls = f64::from(settings.calls_per_arrival());
    let call_s = if calls > 0.0 { settings.callback.mean_ns() / 1e9 } else { 0.0 };
    let handler_s = settings.service.mean_ns() / 1e9 + call_s;
    let held_s = handler_s + settings.way.mean_ns() / 1e9;
    let held = f64::from(settings.workers) * f64::from(settings.prefetch);
    // Whoever works on one thing at a time is busy with it; and nobody holds more than prefetch says.
    let workers = match settings.handling {
        Handling::OneByOne => (held / held_s).min(f64::from(settings.workers) / handler_s),
        Handling::AtOnce => held / held_s,
    };
    let answers = f64::from(settings.callback_workers) / (call_s * calls);
    let mut all = vec![
        Capacity {
            station: "the relay",
            per_s: f64::from(settings.batch) * 1e9 / settings.relay.mean_ns() / messages,
        },
        Capacity { station: "the broker", per_s: 1e9 / (settings.broker_ns as f64 * services) },
        Capacity { station: WORKERS, per_s: workers / tries },
    ];
    if calls > 0.0 {
        all.push(Capacity { station: "inventory's answers", per_s: answers / tries });
    }
    all.sort_by(|one, other| one.per_s.total_cmp(&other.per_s));
    all
}

/// The arrivals a second that the system can take.
#[must_use]
pub fn capacity(settings: &Settings) -> f64 {
    capacities(settings).first().map_or(f64::INFINITY, |least| least.per_s)
}

/// What is asked of it over what it can take.
#[must_use]
pub fn load(settings: &Settings) -> f64 {
    settings.rate_per_s / capacity(settings)
}

/// The bounds of the mean time to the last effect, by theory: what all share one after the other, then a fork into the
/// services' queues (Allen and Cunneen). None where there is no steady state, or where retries and crashes add what
/// these formulas do not know.
#[must_use]
pub fn time_to_last_effect(settings: &Settings) -> Option<ForkJoin> {
    let is_plain = settings.failure == 0.0 && settings.crash_every_s == 0.0;
    if load(settings) >= 1.0 || !is_plain {
        return None;
    }
    let calls = settings.calls_per_arrival() > 0;
    let call_s = if calls { settings.callback.mean_ns() / 1e9 } else { 0.0 };
    let own_s = settings.service.mean_ns() / 1e9;
    let served_s = own_s + call_s;
    if served_s == 0.0 {
        return None;
    }
    let deviation = settings.service.cv2() * own_s * own_s
        + if calls { settings.callback.cv2() * call_s * call_s } else { 0.0 };
    let queue =
        Mmc { arrivals_per_s: settings.rate_per_s, served_per_s: 1.0 / served_s, servers: settings.slots() };
    if queue.load() >= 1.0 {
        return None;
    }
    let branch_s = allen_cunneen_s(&queue, 1.0, deviation / (served_s * served_s));
    let before_s = tandem_s(&[
        settings.relay.mean_ns() / 1e9,
        settings.broker_ns as f64 * f64::from(settings.services) / 1e9,
        settings.way.mean_ns() / 1e9,
    ]);
    let fork = fork_join(branch_s, queue.load(), u32::from(settings.services));
    Some(ForkJoin {
        at_least_s: before_s + fork.at_least_s,
        about_s: before_s + fork.about_s,
        at_most_s: before_s + fork.at_most_s,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_give_what_textbooks_have() {
        let single = Mmc { arrivals_per_s: 8.0, served_per_s: 10.0, servers: 1 };
        assert!((single.waits() - 0.8).abs() < 1e-12);
        assert!((single.mean_s() - 0.5).abs() < 1e-12);
        // The time in M/M/1 is exponential itself.
        assert!((single.quantile_s(0.5) - 0.5 * std::f64::consts::LN_2).abs() < 1e-9);
        assert!((single.quantile_s(0.99) - 0.5 * 100_f64.ln()).abs() < 1e-9);
        // Erlang's own table: 2 erlangs at 3 servers wait with the probability 4/9.
        let three = Mmc { arrivals_per_s: 2.0, served_per_s: 1.0, servers: 3 };
        assert!((three.waits() - 4.0 / 9.0).abs() < 1e-12);
        assert!((allen_cunneen_s(&three, 1.0, 1.0) - three.mean_s()).abs() < 1e-12);
        assert!((allen_cunneen_s(&three, 1.0, 0.0) - 1.0 - three.mean_wait_s() / 2.0).abs() < 1e-12);
        // Two branches are known exactly: (12 − ρ)/8.
        assert!((fork_join(1.0, 0.5, 2).about_s - 11.5 / 8.0).abs() < 1e-12);
        assert!((fork_join(1.0, 0.5, 3).at_most_s - 11.0 / 6.0).abs() < 1e-12);
        assert!((attempts(0.2, 50) - 1.25).abs() < 1e-12);
        assert!((attempts(0.5, 2) - 1.5).abs() < 1e-12);
        assert_eq!(little(200.0, 0.05), 10.0);
    }

    #[test]
    fn what_saturates_first_is_named() {
        let settings = Settings::default();
        let first = |settings: &Settings| capacities(settings).remove(0);
        let choreography = first(&settings);
        assert_eq!(choreography.station, "each service's workers");
        // Two workers, of which each holds one message for 8 + 4 + 0.4 ms.
        assert!((choreography.per_s - 2_000.0 / 12.4).abs() < 1e-9);
        let orchestration = first(&settings.in_style(flow::Style::Orchestration));
        assert!((orchestration.per_s - 2_000.0 / 8.4).abs() < 1e-9);
        assert_eq!(
            first(&Settings { callback_workers: 1, ..settings.clone() }).station,
            "inventory's answers"
        );
        assert_eq!(first(&Settings { broker_ns: 10_000_000, ..settings }).station, "the broker");
    }
}
