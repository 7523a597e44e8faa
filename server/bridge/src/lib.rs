//! The bridge: what the broker does and what strangers have there, tapped, mirrored, and reported to the journal.
//!
//! - [`embedded`]: the embedded broker tells every transition by itself.
//! - [`tap`], [`management`]: another broker is asked, by a queue of the bridge's own and by RabbitMQ's management API.
//! - [`neighbours`]: other Skuflows on the same virtual host or Redis.

pub mod embedded;
pub mod management;
mod mirror;
pub mod neighbours;
mod reach;
pub mod tap;

use flow::{Event, Id, Kind, Node, Provenance, Style, event::MessageInfo};
use messaging::{Envelope, connection::OUR_NAME};
use std::sync::Arc;

/// The node that stands for a connection of that name; none for one of our own.
fn node_of_stranger(name: &str) -> Option<Node> {
    (!name.starts_with(OUR_NAME)).then(|| Node::Foreign(name.into()))
}

/// That the broker put a message into a queue; by whom it was published, where that is known and was a stranger.
fn routed(
    envelope: &Envelope,
    style: Style,
    exchange: &str,
    routing_key: &str,
    queue: Id,
    publisher: Option<&Node>,
) -> Event {
    // What inventory sent is in the journal already, as published.
    let is_foreign = publisher.is_some() || &*envelope.app_id != "inventory";
    let publisher = publisher.map(|node| node.as_str().into());
    let message = is_foreign.then(|| MessageInfo { publisher, ..envelope.info() });
    let kind = Kind::Routed { routing_key: routing_key.into(), message };
    let mut event = told_by_broker(envelope, style, queue, Node::Broker, kind);
    event.exchange = Some(exchange.into());
    event
}

/// What the broker tells of a message in a queue.
fn told_by_broker(envelope: &Envelope, style: Style, queue: Id, node: Node, kind: Kind) -> Event {
    let mut event = Event::new(base::clock::now_us(), Provenance::Broker, kind);
    event.system = Some(style.into());
    event.node = Some(node);
    event.queue = Some(queue);
    event.sku = envelope.sku();
    event.message_id = Some(Arc::clone(&envelope.message_id));
    event.correlation_id = Some(Arc::clone(&envelope.correlation_id));
    event.causation_id = Some(Arc::clone(&envelope.message_id));
    event.attempt = Some(envelope.attempt);
    event
}
