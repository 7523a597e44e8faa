//! Watching the embedded broker: it tells every transition, exactly and in order. It also tells of a message that expired,
//! which RabbitMQ tells nobody.

use super::{
    mirror::{Mirror, stranger},
    routed, told_by_broker,
};
use broker::{ConnectionInfo, Message, QueueDepth, Settlement};
use flow::{Event, Id, Kind, Node, Picture, Provenance, Style, picture::BASIC_GET, topology};
use journal::Journal;
use messaging::{Envelope, Strangers};
use std::sync::{Arc, Mutex};

/// Turns the broker's events into the journal's, from that picture on. What our services do they report themselves, so
/// of deliveries and acks only a stranger's are told here.
#[must_use]
pub fn watcher(
    journal: Journal,
    strangers: Strangers,
    picture: &Picture,
) -> Arc<dyn Fn(&broker::Event) + Send + Sync> {
    let mirror = Mutex::new(Mirror::new(journal.clone(), picture));
    let watcher = Watcher { journal, strangers, mirror };
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
    mirror: Mutex<Mirror>,
}

impl Watcher {
    fn see(&self, event: &broker::Event) {
        // The broker tells one thing after the other: nobody else ever has it.
        let mut mirror = self.mirror.lock().expect("nothing panics while it holds the mirror");
        let mirror = &mut *mirror;
        match event {
            broker::Event::Started(found) => mirror.started(found),
            broker::Event::QueueDeclared { queue, .. } => mirror.declared(&queue.name),
            broker::Event::BindingAdded { binding, by } => mirror.bound(binding, by.as_ref()),
            broker::Event::BindingRemoved { binding, by } => mirror.unbound(binding, by.as_ref()),
            broker::Event::QueueDeleted { queue, messages, by } => {
                mirror.deleted(queue, *messages, by.as_ref());
            }
            broker::Event::QueuePurged { depth, messages, by } => {
                mirror.purged(depth, *messages, by.as_ref());
            }
            broker::Event::ConsumerAdded(consumer) => mirror.consumer_added(consumer),
            broker::Event::ConsumerRemoved(consumer) => mirror.consumer_removed(consumer),
            broker::Event::Expired { depth, message } => {
                // What is counted after it has the last word.
                self.expired(message, &depth.queue);
                mirror.shrank(depth);
            }
            broker::Event::Dropped { depth, .. } => mirror.shrank(depth),
            broker::Event::Published { message, queues, connection } => {
                for depth in queues {
                    mirror.holds(depth);
                    self.routed(mirror, message, &depth.queue, stranger(connection).as_ref());
                }
            }
            broker::Event::DeadLettered { message, queues, .. } => {
                for depth in queues {
                    mirror.holds(depth);
                    self.routed(mirror, message, &depth.queue, None);
                }
            }
            broker::Event::Delivered { depth, message, consumer_tag, connection, redelivered, no_ack } => {
                mirror.holds(depth);
                if let Some(node) = stranger(connection) {
                    let consumer_tag = match consumer_tag {
                        Some(tag) => mirror.tag_of(&depth.queue, connection, tag),
                        None => BASIC_GET.into(),
                    };
                    let delivered = Kind::Delivered { consumer_tag };
                    self.tell(mirror, message, &depth.queue, &node, Some(*redelivered), &delivered);
                    // What goes out without acks is settled as it goes.
                    if *no_ack {
                        let acked = Kind::Acked { duration_us: None };
                        self.tell(mirror, message, &depth.queue, &node, None, &acked);
                    }
                }
            }
            broker::Event::Settled { depth, message, connection, settlement, .. } => {
                mirror.holds(depth);
                self.settled(mirror, message, depth, connection, *settlement);
            }
            _ => {}
        }
    }

    fn settled(
        &self,
        mirror: &Mirror,
        message: &Message,
        depth: &QueueDepth,
        connection: &ConnectionInfo,
        settlement: Settlement,
    ) {
        let node = stranger(connection);
        // The dead-letter desk tells itself what it does there; what it only looks at goes back unchanged.
        if node.is_none() && depth.queue.ends_with(".dead") {
            return;
        }
        let kind = match settlement {
            Settlement::Acked if node.is_none() => return,
            Settlement::Acked => Kind::Acked { duration_us: None },
            Settlement::Rejected => Kind::Nacked { requeue: false, reason: "rejected".into() },
            Settlement::Requeued => Kind::Nacked { requeue: true, reason: "put back into the queue".into() },
        };
        let node = node
            .or_else(|| topology::amqp_queue_named(&depth.queue).map(|queue| queue.service.into()))
            .unwrap_or(Node::Broker);
        self.tell(mirror, message, &depth.queue, &node, None, &kind);
    }

    fn routed(&self, mirror: &Mirror, message: &Message, queue: &Id, publisher: Option<&Node>) {
        in_its_style(mirror, message, queue, |style| {
            let envelope = self.read(message, queue);
            let (exchange, key) = (message.exchange(), message.routing_key());
            self.journal.report(routed(&envelope, style, exchange, key, Arc::clone(queue), publisher));
        });
    }

    /// The broker took a message out because it was too old. What waits in a retry queue for its time is no such message:
    /// that it is back in its queue is told already.
    fn expired(&self, message: &Message, queue: &Id) {
        let own = topology::amqp_queue_named(queue);
        let of_exchange = topology::style_of_exchange(message.exchange());
        let Some(style) = of_exchange.or(own.map(|own| own.style)) else { return };
        if own.is_none() && is_retry(queue) {
            return;
        }
        let envelope = self.read(message, queue);
        self.journal.report(told_by_broker(&envelope, style, Arc::clone(queue), Node::Broker, Kind::Expired));
    }

    fn tell(
        &self,
        mirror: &Mirror,
        message: &Message,
        queue: &Id,
        node: &Node,
        redelivered: Option<bool>,
        kind: &Kind,
    ) {
        in_its_style(mirror, message, queue, |style| {
            let envelope = self.read(message, queue);
            let mut event = told_by_broker(&envelope, style, Arc::clone(queue), node.clone(), kind.clone());
            event.redelivered = redelivered;
            self.journal.report(event);
        });
    }

    fn read(&self, message: &Message, queue: &Id) -> Envelope {
        Envelope::read(&message.properties(), message.body().to_vec(), default_type(queue), |body| {
            let place = topology::amqp_queue_named(queue).map_or("elsewhere", |queue| queue.routing_key);
            self.strangers.of_broker(message.id(), place, body)
        })
    }
}

/// Tells a step of a message in a queue in each style that leads there. What came by one style's exchange is no step of
/// another: there only the queue's depth is told.
fn in_its_style(mirror: &Mirror, message: &Message, queue: &Id, tell: impl Fn(Style)) {
    let of_exchange = topology::style_of_exchange(message.exchange());
    for style in mirror.styles_of(queue) {
        if of_exchange.is_none_or(|of_exchange| of_exchange == style) {
            tell(style);
        } else {
            mirror.has_changed_elsewhere(style, queue);
        }
    }
}

/// Whether a queue is one of those in which our messages wait for their next attempt.
fn is_retry(queue: &str) -> bool {
    topology::all_queues().any(|own| {
        let rest = queue.strip_prefix(own.name).and_then(|rest| rest.strip_prefix(".retry"));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

fn default_type(queue: &str) -> &str {
    topology::amqp_queue_named(queue).map_or("unknown", topology::Queue::message_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_queue_is_told_from_a_strangers() {
        assert!(is_retry("catalog.sku_processed.retry") && is_retry("catalog.sku_processed.retry.1000"));
        assert!(!is_retry("catalog.sku_processed") && !is_retry("theirs.retry"));
    }
}
