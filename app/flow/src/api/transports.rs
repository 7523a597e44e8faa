//! The measured table of all systems: what `GET /api/transports` answers.

use crate::words::words;
use crate::{Encoding, System};
use serde::{Deserialize, Serialize};

/// One part of a measurement. The same parts are done in each system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scenario {
    /// One arrival, to see whether the system works at all.
    Ready,
    /// Arrivals one after the other: how long each takes.
    Latency,
    /// Arrivals all at once: how many a second there are, and what they cost.
    Throughput,
    /// Catalog's consumer is killed after it has stored an effect and before it acks.
    ConsumerKilled,
    /// The broker stops while messages come, and comes back.
    BrokerStopped,
    /// Inventory's relay is killed after its commit, with a message at the broker of which it does not know.
    ProducerKilled,
    /// Catalog's consumer is away for a second.
    ConsumerAway,
}

words!(
    Scenario {
        Ready = "ready",
        Latency = "latency",
        Throughput = "throughput",
        ConsumerKilled = "consumer_killed",
        BrokerStopped = "broker_stopped",
        ProducerKilled = "producer_killed",
        ConsumerAway = "consumer_away",
    },
    UnknownScenario,
    "{0:?} is no part of a measurement"
);

impl Scenario {
    /// Those in which something is broken, in the order of the loss table.
    pub const BROKEN: [Self; 4] =
        [Self::ConsumerKilled, Self::BrokerStopped, Self::ProducerKilled, Self::ConsumerAway];
}

/// How the measurement stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MeasureState {
    /// Nobody has measured since the server started.
    #[default]
    Never,
    /// It is being measured now.
    Running,
    /// Every system has been measured.
    Done,
    /// It ended before it was done; `detail` says why. What was measured before that is told.
    Stopped,
}

/// The answer to `GET /api/transports`, and to `POST` and `DELETE /api/transports/run`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transports {
    /// How the measurement stands.
    pub state: MeasureState,
    /// What is done now, while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<MeasureProgress>,
    /// When it was done or stopped: RFC 3339 in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// Why it was stopped, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// One for each system, in the order of [`System::ALL`].
    pub rows: Vec<TransportRow>,
    /// The same message in each encoding, once that has been measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub encodings: Vec<EncodingRow>,
}

/// An answer of inventory's in one encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EncodingRow {
    /// Which.
    pub encoding: Encoding,
    /// How many bytes it has.
    pub bytes: u32,
    /// How long it takes to write it, in nanoseconds: the median of `n` times.
    pub write_ns: u64,
    /// How long it takes to read it, in nanoseconds: the median of `n` times.
    pub read_ns: u64,
    /// How often each was done.
    pub n: u32,
}

/// What is measured now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeasureProgress {
    /// In which system.
    pub system: System,
    /// What.
    pub scenario: Scenario,
    /// Which step that is, from 1.
    pub step: u32,
    /// How many steps there are. Those of a system that turns out not to work are taken off.
    pub steps: u32,
}

/// One system in the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransportRow {
    /// Which.
    pub system: System,
    /// How messages travel in it.
    pub mode: String,
    /// What it promises.
    pub promise: String,
    /// What serves it and where, as far as that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Why there are no numbers: what serves it is not installed, or does not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What it takes while nothing is broken, once that has been measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undisturbed: Option<Undisturbed>,
    /// What became of arrivals while something was broken, as far as that has been measured.
    #[serde(default)]
    pub broken: Vec<Broken>,
}

/// What a system takes while nothing is broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undisturbed {
    /// How many arrivals, one after the other, the latency is of.
    pub n: u32,
    /// From an arrival to its last effect, in microseconds: half took no longer.
    pub p50_us: u64,
    /// 99 of 100 took no longer.
    pub p99_us: u64,
    /// Bodies of messages, as published and as delivered, and of inventory's answers over HTTP: bytes per arrival. Without
    /// headers, framing and confirms.
    pub bytes_per_arrival: u64,
    /// How many arrivals, all at once, the numbers below are of.
    pub burst: u32,
    /// Arrivals a second: how many there were, by the time from the first one to the last effect. 0 when none was done.
    pub arrivals_per_s: u64,
    /// CPU time per arrival, in microseconds; none where it cannot be had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_us: Option<u64>,
    /// Whose CPU time that is.
    pub cpu_of: String,
    /// How many of all these arrivals some service never learned of, with nothing broken.
    pub lost: u32,
}

/// What became of arrivals while something was broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broken {
    /// What was broken.
    pub scenario: Scenario,
    /// What became of them; none where that cannot be broken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<LossCounts>,
    /// Why there are no counts, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What became of `n` arrivals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LossCounts {
    /// How many there were.
    pub n: u32,
    /// Of how many some service's store never learned within the deadline.
    pub lost: u32,
    /// Of how many some effect was stored twice.
    pub doubled: u32,
    /// How many took more than a second longer than the undisturbed p99.
    pub late: u32,
}
