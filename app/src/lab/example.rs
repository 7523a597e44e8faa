//! A small journal for tests: arrivals in choreography, each handled by catalog.

use super::form::Form;
use super::state::LabState;
use flow::event::{MessageInfo, Origin, State, StockReason};
use flow::{Dispatch, Event, History, Id, Kind, Node, Provenance, Quantity, Service, Sku, Style};

/// How many steps an arrival has.
pub const STEPS: u64 = 6;
/// From one step to the next.
const STEP_US: u64 = 1_000;

/// A lab that shows all that has happened, and the journal of that: so many arrivals `a1`, `a2` … with the messages `m1`,
/// `m2` …, announced by the named exchange.
pub fn lab(arrivals: u64, exchange: &str) -> (LabState, History) {
    let mut history = History::default();
    let mut at_us = 1_800_000_000_000_000;
    for number in 1..=arrivals {
        for mut event in arrival(number, exchange) {
            at_us += STEP_US;
            (event.seq, event.at_us) = (history.now().seq + 1, at_us);
            assert!(history.push(event));
        }
    }
    let form = Form::new(Vec::new(), Dispatch::default());
    let state = LabState::new(Style::Choreography, history.now().clone(), form, false);
    (state, history)
}

fn arrival(number: u64, exchange: &str) -> [Event; STEPS as usize] {
    let quantity = Quantity::parse(12).expect("a quantity");
    let body = r#"{"sku":"MUG-RED"}"#;
    let message = MessageInfo {
        message_type: "sku_processed".into(),
        app_id: "inventory".into(),
        timestamp_s: None,
        traceparent: None,
        publisher: None,
        body: body.into(),
        size_bytes: body.len() as u64,
    };
    let after = State { on_hand: Some(12), available: true, quantity: 12, version: number, points: None };
    let of = |node: Node, kind: Kind| {
        let mut event = Event::new(0, Provenance::Service, kind);
        (event.system, event.node) = (Some(Style::Choreography.into()), Some(node));
        (event.sku, event.correlation_id) = (Sku::parse("MUG-RED").ok(), Some(format!("a{number}").into()));
        event
    };
    let sent = |node: Node, queue: Option<&str>, kind: Kind| {
        let mut event = of(node, kind);
        (event.exchange, event.queue) = (Some(exchange.into()), queue.map(Id::from));
        event.message_id = Some(format!("m{number}").into());
        event
    };
    let recorded = Kind::StockRecorded { reason: StockReason::Arrival, before: None, after, messages: 1 };
    let queue = Some("catalog.sku_processed");
    let (inventory, catalog) = (Node::from(Service::Inventory), Node::from(Service::Catalog));
    [
        of(Node::Warehouse, Kind::ArrivalReceived { quantity, origin: Origin::Request }),
        of(inventory.clone(), recorded),
        sent(inventory, None, Kind::Published { routing_key: "".into(), message }),
        sent(Node::Broker, queue, Kind::Routed { routing_key: "".into(), message: None }),
        sent(catalog.clone(), queue, Kind::Delivered { consumer_tag: "t".into() }),
        sent(catalog, queue, Kind::Acked { duration_us: Some(STEP_US) }),
    ]
}
