//! How an event travels in the diagram: on which line, in which shape, for how long, and what waits for it.

use flow::event::StockReason;
use flow::layout::{
    ARRIVAL_EDGE, consumer_id, deliver_edge, http_edge, park_edge, publish_edge, replay_edge, retry_edge,
    return_edge, rival_edge, route_edge,
};
use flow::picture::DESK;
use flow::{Event, Kind, Node, Style, System, topology};
use std::hash::{DefaultHasher, Hash, Hasher as _};

/// What a token looks like. Shape and line say the same as the colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Goods on their way in.
    Goods,
    /// An event: a circle.
    Event,
    /// A command: a square.
    Command,
    /// An HTTP call or its answer: a small ring.
    Http,
    /// Something that went wrong: a diamond.
    Error,
    /// A consumer's ack: a tick.
    Ack,
}

impl Shape {
    /// Its name, for the style sheet.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Goods => "goods",
            Self::Event => "event",
            Self::Command => "command",
            Self::Http => "http",
            Self::Error => "error",
            Self::Ack => "ack",
        }
    }

    /// The shape of a message in that style.
    #[must_use]
    pub const fn of_style(style: Style) -> Self {
        match style {
            Style::Choreography => Self::Event,
            Style::Orchestration => Self::Command,
        }
    }
}

/// One hop along one line.
#[derive(Debug, Clone, PartialEq)]
pub struct Hop {
    pub edge: String,
    /// Whether it travels against the line's direction.
    pub back: bool,
    /// What it looks like.
    pub shape: Shape,
    /// How long it is drawn.
    pub duration_ms: f64,
    /// How long it truly took, in words, where that is known.
    pub words: Option<String>,
}

/// The times are those that the eye follows easily; the pacer may halve them.
const MESSAGE_MS: f64 = 750.0;
const ROUTE_MS: f64 = 850.0;
const CALL_MS: f64 = 1_000.0;
const SHORT_MS: f64 = 700.0;

/// How the event travels, if it does.
#[must_use]
pub fn hop_of(event: &Event, system: impl Into<System>) -> Option<Hop> {
    let system = system.into();
    let message = Shape::of_style(system.style);
    let hop = |edge: String, shape: Shape, duration_ms: f64| Hop {
        edge,
        back: false,
        shape,
        duration_ms,
        words: None,
    };
    let queue = event.queue.as_deref();
    Some(match &event.kind {
        Kind::ArrivalReceived { .. } => hop(ARRIVAL_EDGE.into(), Shape::Goods, SHORT_MS),
        Kind::StockRecorded { reason: StockReason::Sale, .. } => {
            Hop { words: Some("sale".to_owned()), ..hop(ARRIVAL_EDGE.into(), Shape::Goods, SHORT_MS) }
        }
        Kind::Published { routing_key, .. } if is_of_desk(event) => {
            hop(replay_edge(routing_key), message, ROUTE_MS)
        }
        Kind::Published { routing_key, .. } => match event.exchange.as_deref() {
            Some("") => hop(route_edge(routing_key), message, ROUTE_MS),
            _ => hop(publish_edge(system.exchange().name), message, MESSAGE_MS),
        },
        // On the default exchange the way from publisher to queue was one line already. What a stranger's queue gets from
        // an exchange that is not drawn comes from nowhere.
        Kind::Routed { .. } if event.attempt.unwrap_or(1) == 1 && is_of_exchange(event, system) => {
            hop(route_edge(queue?), message, ROUTE_MS)
        }
        Kind::Delivered { .. } => hop(taking_edge(event)?, message, SHORT_MS),
        Kind::HttpRequest { .. } => hop(http_edge(place_of(event)?), Shape::Http, CALL_MS),
        Kind::HttpResponse { status, .. } => {
            let shape = if *status == Some(200) { Shape::Http } else { Shape::Error };
            Hop { back: true, ..hop(http_edge(place_of(event)?), shape, CALL_MS) }
        }
        Kind::Acked { .. } => Hop { back: true, ..hop(taking_edge(event)?, Shape::Ack, SHORT_MS) },
        // What comes back comes out of where it waited.
        Kind::Routed { .. } if event.attempt > Some(1) => {
            hop(return_edge(own_queue(event)?), message, ROUTE_MS)
        }
        Kind::Lost { .. } => hop(route_edge(own_queue(event)?), Shape::Error, ROUTE_MS),
        Kind::RetryScheduled { .. } => hop(retry_edge(own_queue(event)?), Shape::Error, SHORT_MS),
        Kind::DeadLettered { .. } => hop(park_edge(own_queue(event)?), Shape::Error, SHORT_MS),
        Kind::Nacked { .. } => Hop { back: true, ..hop(taking_edge(event)?, Shape::Error, SHORT_MS) },
        _ => return None,
    })
}

fn is_of_exchange(event: &Event, system: System) -> bool {
    // Without an exchange, the way from publisher to queue was one line already.
    system.has_exchange() && event.exchange.as_deref().is_none_or(|name| name == system.exchange().name)
}

/// Whether the dead-letter desk publishes it.
fn is_of_desk(event: &Event) -> bool {
    matches!(&event.node, Some(Node::Foreign(who)) if **who == *DESK)
}

/// The queue of ours that it is about: what is put off or parked goes around beside it.
fn own_queue(event: &Event) -> Option<&str> {
    event.queue.as_deref().filter(|name| topology::queue_named(name).is_some())
}

/// The line on which a message leaves its queue: a stranger at a queue of ours has one of its own.
fn taking_edge(event: &Event) -> Option<String> {
    let queue = event.queue.as_deref()?;
    Some(match &event.node {
        Some(Node::Foreign(who)) if topology::queue_named(queue).is_some() => rival_edge(queue, who),
        _ => deliver_edge(queue),
    })
}

/// The id of the card at which a service's event takes place.
fn place_of(event: &Event) -> Option<&str> {
    match event.node.as_ref()? {
        Node::Service(service) => Some(consumer_id(*service)),
        other => Some(other.as_str()),
    }
}

/// What the event must not be shown before.
#[must_use]
pub fn waits_for(event: &Event) -> Option<u64> {
    let message = event.message_id.as_deref();
    let arrival = event.correlation_id.as_deref();
    match &event.kind {
        Kind::StockRecorded { .. } | Kind::Published { .. } => Some(key("arrived", arrival?, "")),
        Kind::Routed { .. } if event.attempt > Some(1) => {
            Some(key("put off", message?, event.queue.as_deref()?))
        }
        Kind::Confirmed { .. }
        | Kind::Routed { .. }
        | Kind::Returned { .. }
        | Kind::Refused { .. }
        | Kind::Lost { .. } => Some(key("published", message?, "")),
        Kind::Delivered { .. } => Some(key("routed", message?, event.queue.as_deref()?)),
        Kind::HttpResponse { http_id, .. } => Some(key("asked", http_id, "")),
        Kind::HandlerStarted
        | Kind::HttpRequest { .. }
        | Kind::StateChanged { .. }
        | Kind::DuplicateIgnored { .. }
        | Kind::OlderVersionIgnored { .. }
        | Kind::BreakerChanged { .. }
        | Kind::EmailSent { .. }
        | Kind::Acked { .. }
        | Kind::Nacked { .. }
        | Kind::RetryScheduled { .. }
        | Kind::DeadLettered { .. } => Some(key("at", arrival?, event.node.as_ref()?.as_str())),
        _ => None,
    }
}

/// What the event's landing lets go on.
#[must_use]
pub fn lands_as(event: &Event) -> [Option<u64>; 2] {
    let message = event.message_id.as_deref();
    let arrival = event.correlation_id.as_deref();
    match &event.kind {
        Kind::ArrivalReceived { .. } | Kind::StockRecorded { reason: StockReason::Sale, .. } => {
            [arrival.map(|id| key("arrived", id, "")), None]
        }
        Kind::Published { routing_key, .. } => {
            [message.map(|id| key("published", id, "")), message.map(|id| key("routed", id, routing_key))]
        }
        Kind::Routed { .. } => {
            [message.zip(event.queue.as_deref()).map(|(id, queue)| key("routed", id, queue)), None]
        }
        Kind::Delivered { .. } | Kind::HttpResponse { .. } => {
            let node = event.node.as_ref().map(Node::as_str);
            [arrival.zip(node).map(|(id, node)| key("at", id, node)), None]
        }
        Kind::HttpRequest { http_id, .. } => [Some(key("asked", http_id, "")), None],
        Kind::Acked { .. } => [message.map(|id| key("acked", id, "")), None],
        Kind::RetryScheduled { .. } => {
            [message.zip(event.queue.as_deref()).map(|(id, queue)| key("put off", id, queue)), None]
        }
        _ => [None, None],
    }
}

fn key(what: &str, id: &str, place: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (what, id, place).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::Provenance;

    fn edge(kind: Kind, node: Node, queue: &str, exchange: Option<&str>) -> Option<String> {
        let mut event = Event::new(1, Provenance::Broker, kind);
        (event.node, event.queue) = (Some(node), Some(queue.into()));
        event.exchange = exchange.map(Into::into);
        hop_of(&event, Style::Choreography).map(|hop| hop.edge)
    }

    #[test]
    fn a_message_travels_on_the_line_that_it_took_and_on_none_when_that_is_not_drawn() {
        let routed = |exchange| {
            let kind = Kind::Routed { routing_key: "".into(), message: None };
            edge(kind, Node::Broker, "audit", exchange)
        };
        let line = Some(route_edge("audit"));
        assert_eq!((routed(Some("sku_processed")), routed(None)), (line.clone(), line));
        assert_eq!((routed(Some("")), routed(Some("elsewhere"))), (None, None));
        let delivered = |node, queue| edge(Kind::Delivered { consumer_tag: "t".into() }, node, queue, None);
        let stranger = || Node::Foreign("rival".into());
        let own = "catalog.sku_processed";
        assert_eq!(delivered(stranger(), own), Some(rival_edge(own, "rival")));
        assert_eq!(delivered(flow::Service::Catalog.into(), own), Some(deliver_edge(own)));
        assert_eq!(delivered(stranger(), "audit"), Some(deliver_edge("audit")));
    }

    #[test]
    fn what_failed_goes_around_by_its_retry_queue_and_what_is_parked_into_the_tray() {
        let queue = "catalog.sku_processed";
        let catalog = || Node::from(flow::Service::Catalog);
        let reason = || "500".to_owned();
        let put_off = Kind::RetryScheduled { delay_ms: 200, reason: reason() };
        assert_eq!(edge(put_off, catalog(), queue, None), Some(retry_edge(queue)));
        let parked = Kind::DeadLettered { reason: reason() };
        assert_eq!(edge(parked, catalog(), queue, None), Some(park_edge(queue)));
        let event = |kind, attempt| {
            let mut event = Event::new(1, Provenance::Broker, kind);
            (event.queue, event.message_id, event.attempt) =
                (Some(queue.into()), Some("m".into()), Some(attempt));
            event
        };
        let back = event(Kind::Routed { routing_key: queue.into(), message: None }, 2);
        let hop = hop_of(&back, Style::Choreography).unwrap();
        assert_eq!((hop.edge, hop.shape), (return_edge(queue), Shape::Event));
        // It sets out once it was seen to arrive where it waits.
        let put_off = event(Kind::RetryScheduled { delay_ms: 200, reason: reason() }, 1);
        assert_eq!(waits_for(&back), lands_as(&put_off)[0]);
    }
}
