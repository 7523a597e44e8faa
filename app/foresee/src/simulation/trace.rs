//! The simulation's own journal, for tests of what is learned from one.

use super::{Simulation, simulate};
use crate::{Outcome, Settings};
use flow::event::{MessageInfo, Origin, State, StockReason};
use flow::{Encoding, Event, Kind, Node, Provenance, Quantity, Service, System};

/// What happened, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    Arrived,
    Published,
    Delivered,
    Called(u64),
    Effect,
    PutOff,
}

impl Simulation {
    pub(super) fn see(&mut self, arrival: u32, queue: u16, seen: Seen) {
        let number = self.arrivals[arrival as usize].number;
        self.seen.push((self.now_ns, number, queue, seen));
    }
}

/// Simulates, and tells a journal of it. It is that of three services, as Skuflow has them.
pub(crate) fn traced(settings: &Settings) -> (Outcome, Vec<Event>) {
    let mut simulation = Simulation::new(settings.clone()).expect("a test's settings make sense");
    while !simulation.run(u64::MAX) {}
    let events = simulation.seen.iter().flat_map(|seen| told(settings.style.into(), *seen)).collect();
    assert_eq!(simulation.outcome(), simulate(settings).expect("they do"));
    (simulation.outcome(), events)
}

fn told(system: System, (at_ns, number, queue, seen): (u64, u32, u16, Seen)) -> Vec<Event> {
    let service = Service::ALWAYS[usize::from(queue)];
    let message = match system.style {
        flow::Style::Choreography => format!("m{number}"),
        flow::Style::Orchestration => format!("m{number}-{queue}"),
    };
    let state =
        State { on_hand: None, available: true, quantity: 1, version: u64::from(number) + 1, points: None };
    let event = |kind| {
        let mut event = Event::new(at_ns / 1_000, Provenance::Service, kind);
        event.system = Some(system);
        event.correlation_id = Some(format!("a{number}").into());
        event
    };
    let at_consumer = |kind| {
        let mut event = event(kind);
        event.node = Some(Node::Service(service));
        event.message_id = Some(message.as_str().into());
        event.queue = Some(system.queue_of(service).name.into());
        event
    };
    match seen {
        Seen::Arrived => {
            let quantity = Quantity::parse(1).expect("one is a quantity");
            let recorded =
                Kind::StockRecorded { reason: StockReason::Arrival, before: None, after: state, messages: 1 };
            vec![event(Kind::ArrivalReceived { quantity, origin: Origin::Request }), event(recorded)]
        }
        Seen::Published => {
            let sent = MessageInfo {
                message_type: "".into(),
                app_id: "".into(),
                timestamp_s: None,
                traceparent: None,
                publisher: None,
                body: "".into(),
                size_bytes: 1,
            };
            let mut event = event(Kind::Published { routing_key: "".into(), message: sent });
            event.message_id = Some(message.as_str().into());
            vec![event]
        }
        Seen::Delivered => vec![at_consumer(Kind::Delivered { consumer_tag: "c".into() })],
        Seen::Called(duration_us) => vec![at_consumer(Kind::HttpResponse {
            http_id: "h".into(),
            target: Service::Inventory,
            status: Some(200),
            error: None,
            answer: None,
            duration_us,
            encoding: Encoding::default(),
            body: None,
        })],
        Seen::Effect => vec![
            at_consumer(Kind::StateChanged { before: None, after: state }),
            at_consumer(Kind::Acked { duration_us: None }),
        ],
        Seen::PutOff => vec![
            at_consumer(Kind::RetryScheduled { delay_ms: 1, reason: "it failed".to_owned() }),
            at_consumer(Kind::Acked { duration_us: None }),
        ],
    }
}
