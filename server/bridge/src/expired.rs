//! Messages that waited in a queue for longer than they were to live: the embedded broker tells of them.
//!
//! RabbitMQ tells nobody; there such a message is seen only where a dead-letter exchange gives it to somebody.

use super::told_by_broker;
use flow::{Kind, Node, topology};
use journal::Journal;
use messaging::{Envelope, Strangers};
use std::sync::Arc;

/// Tells what the broker took out because it was too old. What waits in a retry queue for its time is no such message:
/// that it is back in its queue is told already.
pub fn tell(journal: &Journal, strangers: &Strangers, event: &broker::Event) {
    let broker::Event::Expired { depth, message } = event else { return };
    let queue = &depth.queue;
    let own = topology::queue_named(queue);
    let Some(style) = topology::style_of_exchange(message.exchange()).or(own.map(|own| own.style)) else {
        return;
    };
    if own.is_none() && is_retry(queue) {
        return;
    }
    let message_type = own.map_or("unknown", topology::Queue::message_type);
    let envelope = Envelope::read(&message.properties(), message.body().to_vec(), message_type, |body| {
        strangers.of_broker(message.id(), own.map_or("elsewhere", |own| own.routing_key), body)
    });
    let event = told_by_broker(&envelope, style, Arc::clone(queue), Node::Broker, Kind::Expired);
    journal.report(event);
}

/// Whether a queue is one of those in which our messages wait for their next attempt.
fn is_retry(queue: &str) -> bool {
    topology::QUEUES.iter().any(|own| {
        let rest = queue.strip_prefix(own.name).and_then(|rest| rest.strip_prefix(".retry"));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
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
