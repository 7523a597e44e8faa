//! The page's prose.

use crate::components::title;
use crate::lab::stage::transport_name;
use flow::api::{LossCounts, MeasureProgress, MeasureState, Scenario, Transports};

/// What the first table counts.
pub const COUNTED: &str = "Latency is from an arrival to its last effect, by the journal's own events, of arrivals one after \
     the other. Arrivals a second and CPU are of as many all at once. Bytes are the bodies of messages, as published and as \
     delivered, and of inventory's answers over HTTP. CPU is that of Skuflow itself, with the embedded broker in it, and of a \
     Redis that is its child; another server's is not counted. Two computers differ more than two transports do.";

/// What the second table counts.
pub const LOST: &str = "Lost: some service's store never learned of the arrival. Doubled: an effect was stored twice. Late: \
     it took more than a second longer than the undisturbed p99. Counted from the stores and the journal. The SKUs MEASURE-001 \
     and so on stay until all is taken back to the beginning.";

/// What the table of encodings counts.
pub const ENCODED: &str = "An answer of inventory's, as the consumers ask for it: its body, and the median time to write and to \
     read it on this machine. In which encoding they ask is set in the control room.";

/// A state as the page's mark has it.
pub const fn state(state: MeasureState) -> &'static str {
    match state {
        MeasureState::Never => "never",
        MeasureState::Running => "running",
        MeasureState::Done => "done",
        MeasureState::Stopped => "stopped",
    }
}

/// How the measurement stands, in a sentence.
pub fn progress(told: Option<&Transports>) -> String {
    let Some(told) = told else { return "The table could not be read.".to_owned() };
    let at = told.ended_at.as_deref().map(minute).unwrap_or_default();
    match (told.state, &told.progress) {
        (MeasureState::Never, _) => {
            "Nobody has measured yet. It takes a minute or two: real arrivals go through \
             every system, one system at a time, and what is broken on purpose is mended."
                .to_owned()
        }
        (MeasureState::Running, Some(progress)) => now(progress),
        (MeasureState::Running, None) => "It begins.".to_owned(),
        (MeasureState::Done, _) => format!("Measured on this machine{at}."),
        (MeasureState::Stopped, _) => {
            format!("Not finished{at}: {}.", told.detail.as_deref().unwrap_or("it was stopped"))
        }
    }
}

fn now(progress: &MeasureProgress) -> String {
    let MeasureProgress { system, scenario, step, steps } = *progress;
    let (style, transport) = (title(system.style), transport_name(system.transport));
    format!("Step {step} of {steps}: {style} over {transport}, {}.", doing(scenario))
}

/// ` at 2026-11-30 18:43 UTC`, of a time as RFC 3339 has it.
fn minute(time: &str) -> String {
    time.get(..16).map(|time| format!(" at {} UTC", time.replace('T', " "))).unwrap_or_default()
}

const fn doing(scenario: Scenario) -> &'static str {
    match scenario {
        Scenario::Ready => "to see whether it works",
        Scenario::Latency => "arrivals one after the other",
        Scenario::Throughput => "arrivals all at once",
        Scenario::ConsumerKilled => "a consumer is killed",
        Scenario::BrokerStopped => "the broker is stopped",
        Scenario::ProducerKilled => "the producer is killed",
        Scenario::ConsumerAway => "a consumer is away",
    }
}

/// What stands above a column of the second table.
pub const fn column(scenario: Scenario) -> &'static str {
    match scenario {
        Scenario::ConsumerKilled => "A consumer is killed between receive and ack",
        Scenario::BrokerStopped => "The broker stops and comes back",
        Scenario::ProducerKilled => "The producer is killed after its commit",
        Scenario::ConsumerAway => "A consumer is away for a second",
        Scenario::Ready | Scenario::Latency | Scenario::Throughput => doing(scenario),
    }
}

/// What became of arrivals.
pub fn counts(LossCounts { n, lost, doubled, late }: LossCounts) -> String {
    format!("{lost} lost, {doubled} doubled, {late} late of {n}")
}
