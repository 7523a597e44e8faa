//! Watching the embedded broker: it tells every transition, exactly and in order.

use super::{Journal, Strangers, node_of_stranger, routed, style_of, told_by_broker};
use crate::messaging::Envelope;
use broker::{ConnectionInfo, Message, Settlement};
use flow::{Event, Id, Kind, Node, Provenance, topology};
use std::sync::Arc;

/// Turns the broker's events into the journal's. What our services do they report themselves, so of
/// deliveries and acks only a stranger's are told here.
#[must_use]
pub fn watcher(journal: Journal, strangers: Strangers) -> Arc<dyn Fn(&broker::Event) + Send + Sync> {
    let watcher = Watcher { journal, strangers };
    Arc::new(move |event| watcher.see(event))
}

/// Why the broker takes no messages from anybody, or that it does again.
#[must_use]
pub fn trouble(reason: Option<String>) -> Event {
    let kind = match reason {
        Some(reason) => Kind::ConnectionBlocked { reason },
        None => Kind::ConnectionUnblocked,
    };
    let mut event = Event::new(0, Provenance::Broker, kind);
    event.node = Some(Node::Broker);
    event
}

struct Watcher {
    journal: Journal,
    strangers: Strangers,
}

impl Watcher {
    fn see(&self, event: &broker::Event) {
        match event {
            broker::Event::Published { message, queues, .. }
            | broker::Event::DeadLettered { message, queues, .. } => {
                for depth in queues {
                    self.routed(message, &depth.queue);
                }
            }
            broker::Event::Delivered { depth, message, consumer_tag, connection, redelivered, no_ack } => {
                if let Some(node) = stranger(connection) {
                    let consumer_tag = consumer_tag.clone().unwrap_or_else(|| "basic.get".into());
                    let delivered = Kind::Delivered { consumer_tag };
                    self.tell(message, &depth.queue, node.clone(), Some(*redelivered), delivered);
                    // What goes out without acks is settled as it goes.
                    if *no_ack {
                        self.tell(message, &depth.queue, node, None, Kind::Acked { duration_us: None });
                    }
                }
            }
            broker::Event::Settled { depth, message, connection, settlement, .. } => {
                let node = stranger(connection);
                // The dead-letter desk tells itself what it does there; what it only looks at goes back unchanged.
                if node.is_none() && depth.queue.ends_with(".dead") {
                    return;
                }
                let kind = match settlement {
                    Settlement::Acked if node.is_none() => return,
                    Settlement::Acked => Kind::Acked { duration_us: None },
                    Settlement::Rejected => Kind::Nacked { requeue: false, reason: "rejected".into() },
                    Settlement::Requeued => {
                        Kind::Nacked { requeue: true, reason: "put back into the queue".into() }
                    }
                };
                let node = node
                    .or_else(|| topology::queue_named(&depth.queue).map(|queue| queue.service.into()))
                    .unwrap_or(Node::Broker);
                self.tell(message, &depth.queue, node, None, kind);
            }
            broker::Event::ConsumerAdded(consumer) => {
                let kind = Kind::ConsumerStarted { consumer_tag: Arc::clone(&consumer.tag), ready: None };
                self.tell_consumer(consumer, kind);
            }
            broker::Event::ConsumerRemoved(consumer) => {
                let consumer_tag = Arc::clone(&consumer.tag);
                self.tell_consumer(
                    consumer,
                    Kind::ConsumerStopped { consumer_tag, reason: "it left".into() },
                );
            }
            _ => {}
        }
    }

    fn routed(&self, message: &Message, queue: &Id) {
        if let Some(style) = style_of(message.exchange(), queue) {
            let envelope = self.read(message, queue);
            let key = message.routing_key();
            self.journal.report(routed(&envelope, style, message.exchange(), key, Arc::clone(queue)));
        }
    }

    fn tell(&self, message: &Message, queue: &Id, node: Node, redelivered: Option<bool>, kind: Kind) {
        let Some(style) = style_of(message.exchange(), queue) else { return };
        let envelope = self.read(message, queue);
        let mut event = told_by_broker(&envelope, style, Arc::clone(queue), node, kind);
        event.redelivered = redelivered;
        self.journal.report(event);
    }

    fn tell_consumer(&self, consumer: &broker::ConsumerInfo, kind: Kind) {
        let Some(node) = stranger(&consumer.connection) else { return };
        let mut event = Event::new(crate::clock::now_us(), Provenance::Broker, kind);
        event.style = topology::queue_named(&consumer.queue).map(|queue| queue.style);
        event.node = Some(node);
        event.queue = Some(Arc::clone(&consumer.queue));
        self.journal.report(event);
    }

    fn read(&self, message: &Message, queue: &Id) -> Envelope {
        Envelope::read(&message.properties(), message.body().to_vec(), default_type(queue), |body| {
            let place = topology::queue_named(queue).map_or("elsewhere", |queue| queue.routing_key);
            self.strangers.of_broker(message.id(), place, body)
        })
    }
}

fn default_type(queue: &str) -> &str {
    topology::queue_named(queue).map_or("unknown", topology::Queue::message_type)
}

/// The node that stands for a stranger's connection; none for our own.
fn stranger(connection: &ConnectionInfo) -> Option<Node> {
    let name = connection.name.as_ref().or(connection.product.as_ref()).unwrap_or(&connection.peer);
    node_of_stranger(name)
}
