//! What is broken on purpose, in words.

use flow::fault::{Fault, FaultKind, Trigger};

/// What is broken, in a sentence.
#[must_use]
pub const fn sentence(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::HandlerDelay => "The handler takes longer.",
        FaultKind::HandlerError => "The handler fails, and may succeed at its next try.",
        FaultKind::Poison => "A message fails at every try, until it is parked.",
        FaultKind::CrashBeforeEffect => "The service dies before it has done anything.",
        FaultKind::CrashBeforeAck => "The service dies after it has stored its effect, before the ack.",
        FaultKind::ConsumerStopped => "The service takes no messages until this is cleared.",
        FaultKind::HttpSlow => "Inventory answers the service late.",
        FaultKind::HttpError => "Inventory answers the service with 500.",
        FaultKind::HttpTimeout => "Inventory never answers the service.",
        FaultKind::HttpRefused => "Inventory's port refuses the service.",
        FaultKind::PublishedTwice => "Inventory publishes the same message twice.",
        FaultKind::QueueUnbound => "The service's queue is unbound from its exchange until this is cleared.",
        FaultKind::ConnectionCut => "The service's connection to the broker is cut; it comes back by itself.",
        FaultKind::BrokerStopped => "The broker stops until this is cleared.",
        FaultKind::RelayCrash => "Inventory's relay dies after the second message of an arrival.",
    }
}

/// Why a fault does nothing here.
pub const NEVER: &str = "In this style nobody asks inventory, so it never strikes.";

/// Its name for people.
#[must_use]
pub fn name(kind: FaultKind) -> String {
    let mut name = words(kind).replace("http", "HTTP");
    name[..1].make_ascii_uppercase();
    name
}

/// Its name within a sentence or on a card.
#[must_use]
pub fn words(kind: FaultKind) -> String {
    kind.as_str().replace('_', " ")
}

/// Whether only inventory can have it.
#[must_use]
pub const fn is_inventorys(kind: FaultKind) -> bool {
    matches!(kind, FaultKind::PublishedTwice | FaultKind::RelayCrash | FaultKind::BrokerStopped)
}

/// When it strikes, in words.
#[must_use]
pub fn trigger(fault: &Fault) -> String {
    match (fault.kind, fault.trigger) {
        (kind, _) if kind.lasts() => "until cleared".to_owned(),
        (_, Trigger::Next) => "next time".to_owned(),
        (_, Trigger::EveryNth(1)) => "every time".to_owned(),
        (_, Trigger::EveryNth(n)) => format!("every {n}th time"),
        (_, Trigger::Probability(p)) => format!("with probability {p}, seed {}", fault.seed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::Service;

    #[test]
    fn every_fault_has_a_name_and_a_sentence_of_its_own() {
        let told: std::collections::BTreeSet<_> =
            FaultKind::ALL.iter().map(|&kind| (name(kind), sentence(kind))).collect();
        assert_eq!(told.len(), FaultKind::ALL.len());
        assert_eq!(name(FaultKind::HttpSlow), "HTTP slow");
    }

    #[test]
    fn when_a_fault_strikes_is_told_in_words() {
        let told = |kind, trigger| {
            super::trigger(&Fault {
                kind,
                service: Service::Catalog,
                trigger,
                seed: 7,
                delay_ms: None,
                struck: 0,
            })
        };
        assert_eq!(told(FaultKind::Poison, Trigger::Next), "next time");
        assert_eq!(told(FaultKind::Poison, Trigger::EveryNth(1)), "every time");
        assert_eq!(told(FaultKind::Poison, Trigger::EveryNth(3)), "every 3th time");
        assert_eq!(told(FaultKind::Poison, Trigger::Probability(0.5)), "with probability 0.5, seed 7");
        assert_eq!(told(FaultKind::QueueUnbound, Trigger::Next), "until cleared");
    }
}
