//! Journals for tests, told like the real system tells them: the same fields, causes and order of events.

use crate::event::{MessageInfo, Origin, State, StockReason};
use crate::fault::{Gate, ReleasedBy};
use crate::{Encoding, Event, Id, Kind, Node, Provenance, Quantity, Service, Sku, Style};

/// How much later each event happens, in microseconds, unless time is let pass.
pub const STEP_US: u64 = 100;

/// A journal being written.
#[derive(Default)]
pub struct Story {
    pub events: Vec<Event>,
    now_us: u64,
    holds: u64,
}

/// One message in one queue, with what its events have in common.
#[derive(Clone)]
pub struct Copy {
    pub style: Style,
    pub service: Service,
    pub arrival: Id,
    pub message: Id,
    pub attempt: u32,
}

/// What is for sale.
pub fn state(quantity: u32, version: u64) -> State {
    State { on_hand: None, available: quantity > 0, quantity, version, points: None }
}

impl Story {
    /// A story that begins at a time in this century.
    pub fn new() -> Self {
        Self { now_us: 1_800_000_000_000_000, ..Self::default() }
    }

    /// Lets time pass in which nothing happens.
    pub fn wait(&mut self, us: u64) {
        self.now_us += us;
    }

    /// Writes an event down and says its place.
    pub fn tell(&mut self, mut event: Event) -> u64 {
        self.now_us += STEP_US;
        (event.seq, event.at_us) = (self.events.len() as u64 + 1, self.now_us);
        self.events.push(event);
        self.events.len() as u64
    }

    fn about(style: Style, node: impl Into<Node>, arrival: &Id, kind: Kind) -> Event {
        let mut event = Event::new(0, Provenance::Service, kind);
        (event.system, event.node) = (Some(style.into()), Some(node.into()));
        (event.sku, event.correlation_id) = (Sku::parse("MUG-RED").ok(), Some(arrival.clone()));
        event
    }

    /// The warehouse reports 12 pieces and inventory records them.
    pub fn receive(&mut self, style: Style, arrival: &Id, version: u64) {
        let quantity = Quantity::parse(12).unwrap();
        let received = Kind::ArrivalReceived { quantity, origin: Origin::Request };
        self.tell(Self::about(style, Node::Warehouse, arrival, received));
        let after = State { on_hand: Some(12), ..state(12, version) };
        let recorded = Kind::StockRecorded { reason: StockReason::Arrival, before: None, after, messages: 1 };
        let mut recorded = Self::about(style, Service::Inventory, arrival, recorded);
        recorded.causation_id = Some(arrival.clone());
        self.tell(recorded);
    }

    /// Inventory publishes a message, and says under which id.
    pub fn publish(&mut self, style: Style, arrival: &Id, routing_key: &str) -> Id {
        let (message_type, body) = match style {
            Style::Choreography => ("sku_processed", r#"{"sku":"MUG-RED"}"#),
            Style::Orchestration => {
                (routing_key, r#"{"sku":"MUG-RED","available":true,"quantity":12,"version":2}"#)
            }
        };
        let message = MessageInfo {
            message_type: message_type.into(),
            app_id: "inventory".into(),
            timestamp_s: None,
            traceparent: None,
            publisher: None,
            body: body.into(),
            size_bytes: body.len() as u64,
        };
        let id: Id = format!("{arrival}/{message_type}").into();
        let mut event = Self::about(
            style,
            Service::Inventory,
            arrival,
            Kind::Published { routing_key: routing_key.into(), message },
        );
        event.exchange = Some(style.exchange().name.into());
        (event.message_id, event.causation_id) = (Some(id.clone()), Some(arrival.clone()));
        self.tell(event);
        id
    }

    /// The broker confirms a message.
    pub fn confirm(&mut self, style: Style, arrival: &Id, message: &Id) {
        let kind = Kind::Confirmed { duration_us: 300 };
        let mut event = Self::about(style, Service::Inventory, arrival, kind);
        event.exchange = Some(style.exchange().name.into());
        (event.message_id, event.causation_id) = (Some(message.clone()), Some(message.clone()));
        self.tell(event);
    }

    /// One step of a message in a queue.
    pub fn step(&mut self, copy: &Copy, kind: Kind) -> u64 {
        let mut event = Self::about(copy.style, copy.service, &copy.arrival, kind);
        let exchange = if copy.attempt == 1 { copy.style.exchange().name } else { "" };
        (event.exchange, event.queue) =
            (Some(exchange.into()), Some(copy.style.queue_of(copy.service).name.into()));
        (event.message_id, event.causation_id) = (Some(copy.message.clone()), Some(copy.message.clone()));
        (event.attempt, event.redelivered) = (Some(copy.attempt), Some(false));
        match &event.kind {
            Kind::Routed { .. } => {
                (event.node, event.provenance) = (Some(Node::Broker), Provenance::Broker);
                event.redelivered = None;
            }
            Kind::HttpResponse { http_id, .. } => event.causation_id = Some(http_id.clone()),
            _ => {}
        }
        self.tell(event)
    }

    /// The broker puts it into its queue.
    pub fn route(&mut self, copy: &Copy) {
        let key = if copy.style == Style::Choreography {
            ""
        } else {
            copy.style.queue_of(copy.service).routing_key
        };
        self.step(copy, Kind::Routed { routing_key: key.into(), message: None });
    }

    /// The consumer gets it and begins.
    pub fn deliver(&mut self, copy: &Copy) {
        self.step(copy, Kind::Delivered { consumer_tag: format!("{}.1", copy.service).into() });
        self.step(copy, Kind::HandlerStarted);
    }

    /// The handler asks inventory; without `answer` inventory says 500.
    pub fn ask(&mut self, copy: &Copy, answer: Option<State>) {
        let http_id: Id = format!("{}/{}/{}", copy.message, copy.service, copy.attempt).into();
        let (target, style, encoding) = (Service::Inventory, copy.style, Encoding::Json);
        let path = format!("/api/{style}/inventory/skus/MUG-RED/availability");
        self.step(copy, Kind::HttpRequest { http_id: http_id.clone(), target, path, encoding });
        let status = Some(if answer.is_some() { 200 } else { 500 });
        let error = answer.is_none().then(|| "inventory answered 500 Internal Server Error".to_owned());
        let duration_us = STEP_US;
        self.step(
            copy,
            Kind::HttpResponse { http_id, target, status, error, answer, duration_us, encoding, body: None },
        );
    }

    /// The handler stores what it learned, tells who waits, and acks.
    pub fn finish(&mut self, copy: &Copy, version: u64) {
        self.step(copy, Kind::StateChanged { before: None, after: state(12, version) });
        if copy.service == Service::Wishlist {
            let (to, subject) = ("ada@example.org".to_owned(), "MUG-RED is back".to_owned());
            self.step(copy, Kind::EmailSent { email_id: 1, to, subject });
        }
        self.ack(copy);
    }

    pub fn ack(&mut self, copy: &Copy) {
        self.step(copy, Kind::Acked { duration_us: Some(5 * STEP_US) });
    }

    /// All that a handler does with a message.
    pub fn handle(&mut self, copy: &Copy, version: u64) {
        self.deliver(copy);
        if copy.style == Style::Choreography && copy.service != Service::Inventory {
            self.ask(copy, Some(state(12, version)));
        }
        self.finish(copy, version);
    }

    /// A step waits at a gate for `us`.
    pub fn hold(&mut self, copy: &Copy, gate: Gate, us: u64) {
        self.holds += 1;
        let (hold_id, released_by) = (self.holds, ReleasedBy::Step);
        self.at_gate(copy, gate, Kind::Held { gate, hold_id, routing_key: None });
        self.wait(us - STEP_US);
        self.at_gate(copy, gate, Kind::Released { gate, hold_id, duration_us: us, released_by });
    }

    fn at_gate(&mut self, copy: &Copy, gate: Gate, kind: Kind) {
        if gate != Gate::BeforePublish {
            self.step(copy, kind);
            return;
        }
        let mut event = Self::about(copy.style, Service::Inventory, &copy.arrival, kind);
        event.message_id = Some(copy.message.clone());
        self.tell(event);
    }

    /// The arrival up to its messages in their queues: inventory's, catalog's, wishlist's.
    pub fn send(&mut self, style: Style, arrival: &str, version: u64) -> [Copy; 3] {
        let arrival: Id = arrival.into();
        self.receive(style, &arrival, version);
        let copy = |service, message: &Id| Copy {
            style,
            service,
            arrival: arrival.clone(),
            message: message.clone(),
            attempt: 1,
        };
        let all = [Service::Inventory, Service::Catalog, Service::Wishlist];
        match style {
            Style::Choreography => {
                let message = self.publish(style, &arrival, "");
                let copies = all.map(|service| copy(service, &message));
                copies.iter().for_each(|copy| self.route(copy));
                self.confirm(style, &arrival, &message);
                copies
            }
            Style::Orchestration => {
                let copies = all.map(|service| {
                    let message = self.publish(style, &arrival, style.queue_of(service).routing_key);
                    copy(service, &message)
                });
                for copy in &copies {
                    self.route(copy);
                    self.confirm(style, &arrival, &copy.message);
                }
                copies
            }
        }
    }

    /// A whole arrival, from the gate to the last ack.
    pub fn arrival(&mut self, style: Style, arrival: &str, version: u64) {
        for copy in self.send(style, arrival, version) {
            self.handle(&copy, version);
        }
    }
}
