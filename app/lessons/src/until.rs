//! What a beat waits for: conditions over what the journal has told since it began, and over the picture.

use flow::api::BreakerState;
use flow::event::Kind;
use flow::fault::{FaultKind, FaultPhase, Gate};
use flow::picture::SystemPicture;
use flow::{Event, KindName, Service, Sku, System};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Something that has to be so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Until {
    /// Something has happened.
    Event(Seen),
    /// So much is in a queue, at least.
    Queue {
        name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ready: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unacked: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parked: Option<usize>,
    },
    /// So many steps are held, at least.
    Held {
        steps: usize,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        service: Option<Service>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        gate: Option<Gate>,
    },
    /// So many messages are in inventory's outbox, at least.
    Outbox {
        messages: u64,
    },
    Breaker {
        service: Service,
        state: BreakerState,
    },
    /// Whether a service takes part.
    Member {
        service: Service,
        takes_part: bool,
    },
    /// A message was handled, all queues are empty, and the services agree.
    Settled,
    /// A message was sent, and nothing is on its way. The services may disagree.
    Quiet,
}

/// An event of the journal, by as much as matters of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    pub kind: KindName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Service>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// Of which product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<Sku>,
    /// Which fault was set, struck or cleared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultKind>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<FaultPhase>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redelivered: Option<bool>,
    /// Which attempt it is, at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// How often it has to happen.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub times: usize,
}

const fn once() -> usize {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it so")]
const fn is_once(times: &usize) -> bool {
    *times == 1
}

impl Seen {
    /// Whether that event is meant.
    #[must_use]
    pub fn is_of(&self, event: &Event) -> bool {
        let of_fault = match &event.kind {
            Kind::FaultInjected { fault, phase } => {
                self.fault.is_none_or(|wanted| wanted == *fault)
                    && self.phase.is_none_or(|wanted| wanted == *phase)
            }
            _ => self.fault.is_none() && self.phase.is_none(),
        };
        event.kind.name() == self.kind
            && of_fault
            && self.service.is_none_or(|service| event.node == Some(service.into()))
            && self.queue.as_deref().is_none_or(|queue| event.queue.as_deref() == Some(queue))
            && self.sku.is_none_or(|sku| event.sku == Some(sku))
            && self.redelivered.is_none_or(|wanted| event.redelivered.unwrap_or_default() == wanted)
            && self.attempt.is_none_or(|least| event.attempt.is_some_and(|attempt| attempt >= least))
    }
}

/// What has happened since a beat began, and how things stand now.
#[derive(Debug, Clone, Copy)]
pub struct Window<'a> {
    system: System,
    events: &'a [Arc<Event>],
    picture: &'a SystemPicture,
}

impl<'a> Window<'a> {
    /// A window on a system: these events, oldest first, with the picture after the last of them. Events of other systems
    /// do not count.
    #[must_use]
    pub const fn new(system: System, events: &'a [Arc<Event>], picture: &'a SystemPicture) -> Self {
        Self { system, events, picture }
    }

    fn events(self) -> impl Iterator<Item = &'a Event> {
        let own = move |event: &&'a Arc<Event>| event.system.is_none_or(|of| of == self.system);
        self.events.iter().filter(own).map(|event| &**event)
    }

    /// How often something has happened.
    #[must_use]
    pub fn count(self, seen: &Seen) -> usize {
        self.events().filter(|event| seen.is_of(event)).count()
    }

    /// When something happened first: its place in the journal.
    #[must_use]
    pub fn first(self, seen: &Seen) -> Option<u64> {
        self.events().find(|event| seen.is_of(event)).map(|event| event.seq)
    }

    fn has(self, kind: KindName) -> bool {
        self.events().any(|event| event.kind.name() == kind)
    }

    /// Whether something is so.
    #[must_use]
    pub fn shows(self, until: &Until) -> bool {
        let picture = self.picture;
        match until {
            Until::Event(seen) => self.count(seen) >= seen.times,
            Until::Queue { name, ready, unacked, parked } => picture.queue(name).is_some_and(|queue| {
                ready.is_none_or(|least| queue.ready() >= least)
                    && unacked.is_none_or(|least| queue.unacked() >= least)
                    && parked.is_none_or(|least| queue.parked().count() >= least)
            }),
            Until::Held { steps, service, gate } => {
                let is_meant = |held: &&flow::fault::HeldStep| {
                    service.is_none_or(|service| held.service == service)
                        && gate.is_none_or(|gate| held.gate == gate)
                };
                picture.held.iter().filter(is_meant).count() >= *steps
            }
            Until::Outbox { messages } => picture.outbox() >= *messages,
            Until::Breaker { service, state } => picture.service(*service).breaker == *state,
            Until::Member { service, takes_part } => picture.has(*service) == *takes_part,
            Until::Settled => self.has(KindName::Acked) && picture.is_settled(),
            Until::Quiet => self.has(KindName::Published) && picture.is_quiet(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::{Picture, Provenance, Style};

    const SYSTEM: System = System::of(Style::Choreography);

    fn event(seq: u64, system: System, service: Service, kind: Kind) -> Arc<Event> {
        let mut event = Event::new(seq, Provenance::Service, kind);
        (event.seq, event.system, event.node) = (seq, Some(system), Some(service.into()));
        event.queue = Some(system.queue_of(service).name.into());
        Arc::new(event)
    }

    fn acked() -> Kind {
        Kind::Acked { duration_us: None }
    }

    fn seen(kind: KindName) -> Seen {
        Seen {
            kind,
            service: None,
            queue: None,
            sku: None,
            fault: None,
            phase: None,
            redelivered: None,
            attempt: None,
            times: 1,
        }
    }

    #[test]
    fn what_happens_counts_by_its_service_and_as_often_as_is_wanted_and_in_no_other_system() {
        let other = System::of(Style::Orchestration);
        let events = [
            event(1, SYSTEM, Service::Catalog, acked()),
            event(2, SYSTEM, Service::Wishlist, acked()),
            event(3, other, Service::Catalog, acked()),
        ];
        let picture = Picture::default();
        let window = Window::new(SYSTEM, &events, picture.system(SYSTEM));
        let of_catalog = Seen { service: Some(Service::Catalog), ..seen(KindName::Acked) };
        assert_eq!((window.count(&of_catalog), window.count(&seen(KindName::Acked))), (1, 2));
        assert!(window.shows(&Until::Event(of_catalog.clone())));
        assert!(!window.shows(&Until::Event(Seen { times: 2, ..of_catalog })));
        assert_eq!(
            window.first(&Seen { service: Some(Service::Wishlist), ..seen(KindName::Acked) }),
            Some(2)
        );
    }

    #[test]
    fn a_fault_counts_by_what_it_is_and_by_what_became_of_it() {
        let kind = Kind::FaultInjected { fault: FaultKind::CrashBeforeAck, phase: FaultPhase::Set };
        let events = [event(1, SYSTEM, Service::Catalog, kind)];
        let picture = Picture::default();
        let window = Window::new(SYSTEM, &events, picture.system(SYSTEM));
        let fault =
            |kind, phase| Seen { fault: Some(kind), phase: Some(phase), ..seen(KindName::FaultInjected) };
        assert_eq!(window.count(&fault(FaultKind::CrashBeforeAck, FaultPhase::Set)), 1);
        assert_eq!(window.count(&fault(FaultKind::CrashBeforeAck, FaultPhase::Struck)), 0);
        assert_eq!(window.count(&fault(FaultKind::Poison, FaultPhase::Set)), 0);
    }

    #[test]
    fn a_system_that_did_nothing_since_is_not_said_to_have_settled() {
        let picture = Picture::default();
        let quiet = picture.system(SYSTEM);
        assert!(!Window::new(SYSTEM, &[], quiet).shows(&Until::Settled));
        let events = [event(1, SYSTEM, Service::Catalog, acked())];
        assert!(Window::new(SYSTEM, &events, quiet).shows(&Until::Settled));
        assert!(!Window::new(SYSTEM, &events, quiet).shows(&Until::Quiet));
    }

    #[test]
    fn a_queue_has_at_least_so_much() {
        let mut picture = Picture::default();
        let name = SYSTEM.queue_of(Service::Catalog).name;
        let ready =
            |least| Until::Queue { name: name.to_owned(), ready: Some(least), unacked: None, parked: None };
        let mut routed =
            Event::new(1, Provenance::Broker, Kind::Routed { routing_key: "".into(), message: None });
        (routed.seq, routed.system, routed.queue) = (1, Some(SYSTEM), Some(name.into()));
        routed.message_id = Some("m".into());
        picture.apply(&routed);
        let window = Window::new(SYSTEM, &[], picture.system(SYSTEM));
        assert!(window.shows(&ready(1)) && !window.shows(&ready(2)));
    }
}
