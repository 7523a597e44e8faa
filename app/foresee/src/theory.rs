//! What queueing theory says: exact where a formula exists, an approximation where that is the usual one.

use crate::{
    Model, Station,
    model::{count, size},
};

/// Arrivals at a place with `servers` servers, each of which ends `service_rate` a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// Arrivals a second.
    pub rate: f64,
    /// What one server ends a second.
    pub service_rate: f64,
    pub servers: usize,
}

impl Line {
    /// Which share of the servers' time is used; from 1 on, what waits grows for ever.
    #[must_use]
    pub fn load(&self) -> f64 {
        self.rate / (self.service_rate * size(self.servers))
    }

    /// The chance that an arrival has to wait in M/M/c (Erlang C).
    #[must_use]
    pub fn chance_to_wait(&self) -> f64 {
        let offered = self.rate / self.service_rate;
        // Erlang B by its recursion, which no factorial overflows.
        let blocked =
            (1..=self.servers).fold(1.0, |blocked, n| offered * blocked / (size(n) + offered * blocked));
        blocked / (1.0 - self.load() * (1.0 - blocked))
    }

    /// The mean time before service in M/M/c, in seconds; M/M/1 is the case of one server.
    #[must_use]
    pub fn mean_wait_s(&self) -> f64 {
        self.chance_to_wait() / (size(self.servers) * self.service_rate - self.rate)
    }

    /// The same for other variations of arrivals and service (Allen and Cunneen); exact for M/M/c and for M/G/1.
    #[must_use]
    pub fn mean_wait_general_s(&self, arrivals_cv: f64, service_cv: f64) -> f64 {
        self.mean_wait_s() * (arrivals_cv * arrivals_cv + service_cv * service_cv) / 2.0
    }

    /// The mean time until it is done in M/M/c, in seconds.
    #[must_use]
    pub fn mean_sojourn_s(&self) -> f64 {
        self.mean_wait_s() + 1.0 / self.service_rate
    }

    /// The time within which that share is done in M/M/c, in seconds.
    #[must_use]
    pub fn sojourn_s(&self, share: f64) -> f64 {
        let (mut least, mut most) = (0.0, 1.0 / self.service_rate);
        while self.done_within(most) < share {
            most *= 2.0;
        }
        // As many halvings as a number has bits.
        for _ in 0..60 {
            let middle = f64::midpoint(least, most);
            if self.done_within(middle) < share { least = middle } else { most = middle }
        }
        most
    }

    /// Which share is done within that time in M/M/c.
    fn done_within(&self, time_s: f64) -> f64 {
        let (wait, service) = (self.chance_to_wait(), self.service_rate);
        let drain = size(self.servers) * service - self.rate;
        let gone = |rate: f64| libm::exp(-rate * time_s);
        let apart = drain - service;
        let late = if apart.abs() < 1e-9 * service {
            gone(service) * (1.0 + wait * service * time_s)
        } else {
            gone(service) + wait * service / apart * (gone(service) - gone(drain))
        };
        1.0 - late
    }
}

/// How often a message is worked on until it succeeds or is parked.
#[must_use]
pub fn visits(model: &Model) -> f64 {
    let failing = model.failure_percent / 100.0;
    if failing <= 0.0 {
        return 1.0;
    }
    // With no bound on attempts it would be 1 / (1 − p).
    (1.0 - libm::pow(failing, f64::from(model.attempts))) / (1.0 - failing)
}

/// Each station as a line, with how often an arrival passes it, and the variation of its service.
#[must_use]
pub fn lines(model: &Model) -> Vec<(Station, Line, f64, f64)> {
    let per_s = |ms: f64| if ms > 0.0 { 1e3 / ms } else { f64::MAX };
    let visits = visits(model);
    let mut lines = vec![
        (Station::Relay, size(model.published()), 1, model.relay.mean_ms(), model.relay.cv()),
        (Station::Broker, size(model.services), 1, model.broker.mean_ms(), model.broker.cv()),
    ];
    let callers = model.callers();
    if callers > 0 {
        let asked = size(callers) * visits;
        lines.push((
            Station::Callback,
            asked,
            model.callback_workers,
            model.callback.mean_ms(),
            model.callback.cv(),
        ));
    }
    for service in 0..model.services {
        // Whoever asks has its hands full while it waits for the answer.
        let asking = if service > 0 && callers > 0 { model.callback.mean_ms() } else { 0.0 };
        let whole_ms = model.service.mean_ms() + asking;
        lines.push((Station::Service(service), visits, model.hands(), whole_ms, model.service.cv()));
    }
    let line = |(station, visits, servers, ms, cv)| {
        (station, Line { rate: model.rate * visits, service_rate: per_s(ms), servers }, visits, cv)
    };
    lines.into_iter().map(line).collect()
}

/// The station that is full first as the rate grows, and at how many arrivals a second.
///
/// # Panics
/// Never: every model has a relay.
#[must_use]
pub fn full_at(model: &Model) -> (Station, f64) {
    let full = |(station, line, visits, _): (Station, Line, f64, f64)| {
        (station, line.service_rate * size(line.servers) / visits)
    };
    let first = lines(model).into_iter().map(full).min_by(|a, b| a.1.total_cmp(&b.1));
    first.expect("every model has a relay")
}

/// By how many messages a second what waits grows, all stations together; less than nothing where all is worked off.
#[must_use]
pub fn growth(model: &Model) -> Option<f64> {
    let over = |(_, line, ..): (Station, Line, f64, f64)| line.rate - line.service_rate * size(line.servers);
    lines(model).into_iter().map(over).max_by(f64::total_cmp)
}

/// The mean time from an arrival to its last effect, in milliseconds: relay and broker one after the other, then the
/// services side by side, of which the last one counts (harmonic numbers, as for a fork and join of exponentials, bounded by
/// the variation that they really have).
#[must_use]
pub fn to_last_effect_ms(model: &Model) -> f64 {
    let mut before_s = 0.0;
    let mut slowest: (f64, f64) = (0.0, 0.0);
    for (station, line, _, cv) in lines(model) {
        if line.service_rate >= f64::MAX {
            continue;
        }
        let stay_s = line.mean_wait_general_s(model.burstiness, cv) + 1.0 / line.service_rate;
        match station {
            Station::Relay if model.published() > 1 => {
                before_s += stay_s + size(model.published() - 1) / line.service_rate / 2.0
            }
            Station::Relay | Station::Broker => before_s += stay_s,
            Station::Service(_) => {
                if stay_s > slowest.0 {
                    slowest = (stay_s, cv);
                }
            }
            Station::Callback => {}
        }
    }
    let last = (1..=model.services).map(|n| 1.0 / size(n)).sum::<f64>();
    let spread = slowest.1.min(1.0);
    (before_s + slowest.0 * (1.0 + (last - 1.0) * spread)) * 1e3
}

/// Little's law: how many are inside, from how many come and how long they stay.
#[must_use]
pub fn inside(rate: f64, stay_s: f64) -> f64 {
    rate * stay_s
}

/// The mean of a list, and the half-width of its 95 % confidence interval (Student's t for few, 1.96 for many).
#[must_use]
pub fn confidence(values: &[f64]) -> (f64, f64) {
    /// Student's t at 97.5 % for 1 to 10 degrees of freedom.
    const STUDENT: [f64; 10] = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];
    let n = size(values.len().max(1));
    let mean = values.iter().sum::<f64>() / n;
    if values.len() < 2 {
        return (mean, f64::INFINITY);
    }
    let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / (n - 1.0);
    let t = STUDENT.get(values.len() - 2).copied().unwrap_or(if values.len() < 31 { 2.09 } else { 1.96 });
    (mean, t * libm::sqrt(variance / n))
}

/// How many of something there are, as a number to calculate with.
#[must_use]
pub const fn number(count_of: u64) -> f64 {
    count(count_of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Draw, Outcome, run};

    /// A model that is one line: one service, and nothing before it that takes time.
    fn line(rate: f64, ms: f64, workers: usize, seed: u64) -> Outcome {
        let nothing = Draw::Constant { ms: 0.0 };
        let model = Model {
            style: flow::Style::Orchestration,
            rate,
            arrivals: 1_000_000,
            services: 1,
            workers,
            prefetch: workers,
            service: Draw::Exponential { ms },
            relay: nothing,
            broker: nothing,
            seed,
            ..Model::default()
        };
        run(&model.checked().unwrap())
    }

    #[test]
    fn one_server_and_many_wait_as_theory_says() {
        for (rate, ms, servers) in [(500.0, 1.0, 1), (800.0, 1.0, 1), (1_600.0, 2.0, 4), (700.0, 10.0, 10)] {
            let theory = Line { rate, service_rate: 1e3 / ms, servers };
            let run = line(rate, ms, servers, 11);
            let close = |simulated: f64, expected: f64, within: f64, what: &str| {
                let off = simulated / expected - 1.0;
                assert!(
                    off.abs() < within,
                    "{what} at {rate}/s on {servers}: {simulated} and not {expected}"
                );
            };
            close(run.mean_ms, theory.mean_sojourn_s() * 1e3, 0.02, "mean");
            close(run.mean_ms - ms, theory.mean_wait_s() * 1e3, 0.02, "wait");
            close(run.p50_ms, theory.sojourn_s(0.5) * 1e3, 0.02, "p50");
            close(run.p99_ms, theory.sojourn_s(0.99) * 1e3, 0.04, "p99");
            let load = run.loads.iter().find(|load| load.station == Station::Service(0)).unwrap();
            close(load.utilisation, theory.load(), 0.01, "load");
            // Little's law holds for every run, whatever its distributions.
            close(load.waiting, inside(run.throughput, (run.mean_ms - ms) / 1e3), 0.02, "those who wait");
        }
    }

    /// Where waits are long they hang together, and a million are few: the mean of several runs has no bias.
    #[test]
    fn close_to_its_limit_it_waits_as_theory_says_too() {
        let theory = Line { rate: 900.0, service_rate: 100.0, servers: 10 };
        let waits: Vec<f64> = (1..=6).map(|seed| line(900.0, 10.0, 10, seed).mean_ms - 10.0).collect();
        let ((mean, half), expected) = (confidence(&waits), theory.mean_wait_s() * 1e3);
        assert!(
            (mean - expected).abs() < half.max(0.02 * expected),
            "{mean} ± {half} and not {expected}: {waits:?}"
        );
        assert!(half < 0.06 * expected, "{waits:?}");
    }

    #[test]
    fn the_formulas_agree_with_their_textbook_cases() {
        let one = Line { rate: 0.5, service_rate: 1.0, servers: 1 };
        assert!((one.mean_sojourn_s() - 2.0).abs() < 1e-12);
        assert!((one.sojourn_s(0.5) - 2.0 * std::f64::consts::LN_2).abs() < 1e-9);
        assert!((one.chance_to_wait() - 0.5).abs() < 1e-12);
        // Two servers at half load wait in a third of all cases.
        let two = Line { rate: 1.0, service_rate: 1.0, servers: 2 };
        assert!((two.chance_to_wait() - 1.0 / 3.0).abs() < 1e-12);
        // M/D/1 waits half as long as M/M/1.
        assert!((one.mean_wait_general_s(1.0, 0.0) - one.mean_wait_s() / 2.0).abs() < 1e-12);
        let retried = Model { failure_percent: 20.0, attempts: 100, ..Model::default() };
        assert!((visits(&retried) - 1.25).abs() < 1e-9);
        assert_eq!(visits(&Model::default()), 1.0);
    }

    #[test]
    fn an_interval_covers_what_is_true_about_as_often_as_it_says() {
        let covered = (0..200_u64).filter(|round| {
            let mut dice = crate::draw::Dice::new(*round, 9);
            let values: Vec<f64> = (0..8).map(|_| 5.0 + dice.normal()).collect();
            let (mean, half) = confidence(&values);
            (mean - 5.0).abs() <= half
        });
        assert!((180..=199).contains(&covered.count()));
        assert_eq!(confidence(&[1.0]).1, f64::INFINITY);
    }
}
