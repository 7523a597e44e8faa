//! Scale on paper: what a load would take that nobody here can run. Simple arithmetic, with what it assumes.

use crate::{Settings, theory};
use flow::Style;
use serde::{Deserialize, Serialize};

/// How busy anything is planned to be: beyond, waiting grows faster than load.
pub const PLANNED_LOAD: f64 = 0.7;
/// A message on the wire with its headers: the event has only a SKU, a command all that is needed.
const EVENT_BYTES: f64 = 350.0;
const COMMAND_BYTES: f64 = 420.0;
/// A call and its answer, with headers.
const CALL_BYTES: f64 = 700.0;
/// Of a node, for what is planned in handlers and brokers.
const CORES: f64 = 8.0;
/// What the journal tells of an arrival, and how large that is as JSON.
const JOURNAL_EVENTS: f64 = 22.0;
const JOURNAL_BYTES: f64 = 330.0;
/// What a connection of 10 Gbit/s carries in bytes, at the planned load.
const LINE_BYTES_PER_S: f64 = 1.25e9 * PLANNED_LOAD;

/// What a load takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Paper {
    /// Arrivals a second.
    pub rate_per_s: f64,
    /// Messages that are published, a second.
    pub messages_per_s: f64,
    /// Copies that the broker hands out, a second.
    pub copies_per_s: f64,
    /// Calls to inventory, a second.
    pub calls_per_s: f64,
    /// Messages into the broker and out of it, and calls, in bytes a second.
    pub bytes_per_s: f64,
    /// Messages of a service that are in hand at the same time.
    pub in_hand: f64,
    /// Workers of each service.
    pub workers: f64,
    /// Partitions of each queue, if each is read by one worker in order.
    pub partitions: f64,
    /// Relays, if each sends one batch after the other.
    pub relays: f64,
    /// Brokers' cores.
    pub broker_cores: f64,
    /// Calls that inventory answers at the same time.
    pub answers: f64,
    /// Nodes of eight cores, if a handler's time is all computing: a bound from above.
    pub nodes: f64,
    /// Connections of 10 Gbit/s that the bytes fill.
    pub lines: f64,
    /// Events of a journal that tells each step, a second.
    pub journal_events_per_s: f64,
    /// Viewers who could be told every event over one such connection; the page sums up long before.
    pub viewers: f64,
}

/// What a load takes with these times.
#[must_use]
pub fn paper(settings: &Settings, rate_per_s: f64) -> Paper {
    let services = f64::from(settings.services);
    let (messages, bytes) = match settings.style {
        Style::Choreography => (1.0, EVENT_BYTES),
        Style::Orchestration => (services, COMMAND_BYTES),
    };
    let tries = theory::attempts(settings.failure, settings.attempts);
    let calls = f64::from(settings.calls_per_arrival()) * tries;
    let call_s = settings.callback.mean_ns() / 1e9;
    let own_s = settings.service.mean_ns() / 1e9;
    let handler_s = own_s + if calls > 0.0 { call_s } else { 0.0 };
    let planned = |per_arrival: f64| (rate_per_s * per_arrival / PLANNED_LOAD).ceil();
    let alone = Settings { workers: 1, rate_per_s: 1.0, ..settings.clone() };
    let worker_per_s = theory::capacities(&alone)
        .into_iter()
        .find(|one| one.station == theory::WORKERS)
        .map_or(f64::INFINITY, |one| one.per_s);
    let workers = planned(1.0 / worker_per_s).max(1.0);
    let broker_cores = planned(settings.broker_ns as f64 * services / 1e9).max(1.0);
    let relay_s = settings.relay.mean_ns() / 1e9 * messages / f64::from(settings.batch);
    let answers = planned(call_s * calls);
    let computing = planned(own_s * tries * services) + answers + broker_cores;
    let bytes_per_s = rate_per_s * ((messages + services * tries) * bytes + calls * CALL_BYTES);
    let journal_events_per_s = rate_per_s * JOURNAL_EVENTS;
    Paper {
        rate_per_s,
        messages_per_s: rate_per_s * messages,
        copies_per_s: rate_per_s * services * tries,
        calls_per_s: rate_per_s * calls,
        bytes_per_s,
        in_hand: theory::little(rate_per_s * tries, handler_s),
        workers,
        partitions: workers,
        relays: planned(relay_s).max(1.0),
        broker_cores,
        answers,
        nodes: (computing / CORES).ceil(),
        lines: (bytes_per_s / LINE_BYTES_PER_S).ceil(),
        journal_events_per_s,
        viewers: (LINE_BYTES_PER_S / (journal_events_per_s * JOURNAL_BYTES)).floor(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_arrivals_a_second_take_as_many_workers_as_they_keep_busy() {
        let told = paper(&Settings::default(), 1e6);
        assert_eq!((told.messages_per_s, told.copies_per_s, told.calls_per_s), (1e6, 3e6, 2e6));
        // Each message is in a handler for 12 ms.
        assert_eq!(told.in_hand.round(), 12_000.0);
        // Held for 12.4 ms each, at 70 %.
        assert_eq!(told.workers, (12_400.0_f64 / 0.7).ceil());
        assert_eq!(told.viewers, 0.0, "nobody can be told each of 22 million events a second");
        let commands = paper(&Settings::default().in_style(Style::Orchestration), 1e6);
        assert_eq!((commands.messages_per_s, commands.calls_per_s, commands.answers), (3e6, 0.0, 0.0));
        assert!(commands.workers < told.workers);
    }
}
