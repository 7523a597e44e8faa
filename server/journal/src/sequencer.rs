//! Putting a tapped broker's word before what follows from it.
//!
//! RabbitMQ hands the bridge its copy of a message at about the time at which the consumers get theirs, so that
//! "delivered" can be heard before "routed". The sequencer holds back what is told of a message in a queue until
//! the broker's copy has arrived, or until [`PATIENCE_US`] have passed; then it says that the routing is inferred.

use flow::{Event, Id, Kind, Provenance};
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

/// How long the broker's copy may take, in microseconds.
pub const PATIENCE_US: u64 = 250_000;
/// For how long a routing is remembered whose delivery was not heard of, in microseconds.
const MEMORY_US: u64 = 60_000_000;

/// A message in a queue.
type Place = (Id, Id);

#[derive(Debug)]
enum Known {
    /// The broker's copy came; what follows may pass. So many copies were not acked yet: a message that was
    /// published twice is in the queue twice.
    Routed { unacked: u32 },
    /// These wait for it.
    Waiting(Vec<Event>),
}

#[derive(Debug, Default)]
pub struct Sequencer {
    /// Whether AMQP's events are in order as they come.
    skips_amqp: bool,
    places: HashMap<Place, Known>,
    /// The places by age, with the time at which each was first heard of.
    ages: VecDeque<(u64, Place)>,
}

impl Sequencer {
    /// One for a broker in this process, which tells everything in order: only what other transports tell is sequenced.
    #[must_use]
    pub fn skipping_amqp() -> Self {
        Self { skips_amqp: true, ..Self::default() }
    }

    /// Takes in one event and hands on, in order, what may be numbered now.
    pub fn push(&mut self, event: Event, out: &mut impl FnMut(Event)) {
        let now_us = event.at_us;
        self.expire(now_us, out);
        let is_amqp = event.system.is_none_or(|system| system.transport.is_default());
        if is_amqp && self.skips_amqp {
            return out(event);
        }
        let Some(place) = event.message_id.clone().zip(event.queue.clone()) else { return out(event) };
        if matches!(event.kind, Kind::Routed { .. }) {
            match self.places.insert(place.clone(), Known::Routed { unacked: 1 }) {
                Some(Known::Waiting(held)) => {
                    out(event);
                    for event in held {
                        self.follow(&place, event, out);
                    }
                }
                Some(Known::Routed { unacked }) => {
                    self.places.insert(place, Known::Routed { unacked: unacked + 1 });
                    out(event);
                }
                None => {
                    self.ages.push_back((now_us, place));
                    out(event);
                }
            }
            return;
        }
        match self.places.get_mut(&place) {
            Some(Known::Waiting(held)) => held.push(event),
            Some(Known::Routed { .. }) => self.follow(&place, event, out),
            None if matches!(event.kind, Kind::Delivered { .. }) && event.redelivered != Some(true) => {
                if is_amqp && event.exchange.as_deref() == Some("") {
                    // Nothing can be bound to the default exchange (AMQP 0-9-1, section 3.1.3.1), so no copy comes.
                    out(inferred(&event));
                    self.places.insert(place.clone(), Known::Routed { unacked: 1 });
                    out(event);
                } else {
                    self.places.insert(place.clone(), Known::Waiting(vec![event]));
                }
                self.ages.push_back((now_us, place));
            }
            None => out(event),
        }
    }

    /// Passes on what follows from a routing that is known.
    fn follow(&mut self, place: &Place, event: Event, out: &mut impl FnMut(Event)) {
        if matches!(event.kind, Kind::Acked { .. })
            && let Some(Known::Routed { unacked }) = self.places.get_mut(place)
        {
            *unacked -= 1;
            if *unacked == 0 {
                self.places.remove(place);
            }
        }
        out(event);
    }

    /// Whether anything is held back.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.ages.back().is_some()
    }

    /// Lets go what has waited long enough at `now_us`.
    pub fn expire(&mut self, now_us: u64, out: &mut impl FnMut(Event)) {
        while let Some((since, place)) = self.ages.front() {
            let limit = match self.places.get(place) {
                Some(Known::Waiting(_)) => PATIENCE_US,
                Some(Known::Routed { .. }) => MEMORY_US,
                None => 0,
            };
            if now_us.saturating_sub(*since) < limit {
                return;
            }
            if let Some((_, place)) = self.ages.pop_front()
                && let Some(Known::Waiting(held)) = self.places.remove(&place)
            {
                if let Some(first) = held.first() {
                    out(inferred(first));
                }
                held.into_iter().for_each(&mut *out);
            }
        }
    }
}

/// What was delivered from a queue must have been put there.
fn inferred(delivered: &Event) -> Event {
    let mut event = delivered.clone();
    event.provenance = Provenance::Inferred;
    event.node = Some(flow::Node::Broker);
    event.redelivered = None;
    event.kind = Kind::Routed { routing_key: Arc::from(""), message: None };
    event
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(at_us: u64, exchange: &str, kind: Kind) -> Event {
        let mut event = Event::new(at_us, Provenance::Service, kind);
        event.message_id = Some("m".into());
        event.queue = Some("q".into());
        event.exchange = Some(exchange.into());
        event
    }

    fn routed(at_us: u64) -> Event {
        event(at_us, "x", Kind::Routed { routing_key: "".into(), message: None })
    }

    fn delivered(at_us: u64, exchange: &str) -> Event {
        event(at_us, exchange, Kind::Delivered { consumer_tag: "c".into() })
    }

    fn acked(at_us: u64) -> Event {
        event(at_us, "x", Kind::Acked { duration_us: Some(1) })
    }

    fn order(events: impl IntoIterator<Item = Event>, end_us: u64) -> Vec<String> {
        let mut sequencer = Sequencer::default();
        let mut seen = Vec::new();
        let mut out = |event: Event| seen.push(format!("{} {:?}", event.kind.name(), event.provenance));
        for event in events {
            sequencer.push(event, &mut out);
        }
        sequencer.expire(end_us, &mut out);
        seen
    }

    #[test]
    fn what_follows_from_a_routing_waits_for_the_brokers_word() {
        let seen = order([delivered(1, "x"), acked(2), routed(3)], 4);
        assert_eq!(seen, ["routed Service", "delivered Service", "acked Service"]);
    }

    #[test]
    fn a_message_that_was_published_twice_is_routed_twice_and_no_more() {
        let twice = [routed(1), routed(2), delivered(3, "x"), acked(4), delivered(5, "x"), acked(6)];
        assert_eq!(order(twice, 7).iter().filter(|step| step.starts_with("routed")).count(), 2);
    }

    #[test]
    fn a_word_that_never_comes_is_inferred_in_time() {
        assert!(order([delivered(1, "x"), acked(2)], PATIENCE_US).is_empty());
        let seen = order([delivered(1, "x"), acked(2)], PATIENCE_US + 1);
        assert_eq!(seen, ["routed Inferred", "delivered Service", "acked Service"]);
    }

    #[test]
    fn what_came_through_the_default_exchange_is_inferred_at_once() {
        assert_eq!(order([delivered(1, "")], 1), ["routed Inferred", "delivered Service"]);
    }

    #[test]
    fn beside_a_broker_in_this_process_only_other_transports_wait_also_for_what_no_exchange_copied() {
        let [redis, _] = flow::Transport::Redis.systems().collect::<Vec<_>>()[..] else {
            panic!("two styles")
        };
        let kinds = |system: Option<flow::System>| {
            let (mut sequencer, mut out) = (Sequencer::skipping_amqp(), Vec::new());
            for event in [delivered(1, ""), routed(2)] {
                let event = Event { system, ..event };
                sequencer.push(event, &mut |event| out.push(event.kind.name()));
            }
            out
        };
        assert_eq!(kinds(None), [flow::KindName::Delivered, flow::KindName::Routed]);
        assert_eq!(kinds(Some(redis)), [flow::KindName::Routed, flow::KindName::Delivered]);
    }
}
