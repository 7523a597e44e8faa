//! What is known of one message or one arrival, read off its events.

use super::words;
use flow::event::MessageInfo;
use flow::{Event, Id, Kind, Node};
use std::sync::Arc;

/// A message, on its way through one queue if one is given.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MessageFacts {
    /// The message itself, if its publishing is at hand.
    pub info: Option<MessageInfo>,
    /// Where it was published.
    pub exchange: Option<Id>,
    /// Who handles it, if it has come that far.
    pub consumer: Option<Node>,
    /// What happens to it now.
    pub state: &'static str,
    pub attempt: u32,
    /// How long it lay in its queue.
    pub in_queue_us: Option<u64>,
    /// How its call ended, or that it waits.
    pub http: Option<String>,
    /// From delivery to ack.
    pub handled_us: Option<u64>,
    /// Why it failed, if it did.
    pub reason: Option<String>,
}

/// Reads a message's facts off the events of its arrival, in order.
#[must_use]
pub fn message_facts<'a>(
    events: impl IntoIterator<Item = &'a Arc<Event>>,
    id: &str,
    queue: Option<&str>,
) -> MessageFacts {
    let mut facts = MessageFacts { state: "on its way", attempt: 1, ..MessageFacts::default() };
    let mut routed_us = None;
    for event in events {
        let is_of_message = event.message_id.as_deref() == Some(id);
        let is_elsewhere = queue.is_some() && event.queue.is_some() && event.queue.as_deref() != queue;
        let is_call = matches!(event.kind, Kind::HttpRequest { .. } | Kind::HttpResponse { .. });
        if (!is_of_message && !is_call) || is_elsewhere {
            continue;
        }
        facts.attempt = facts.attempt.max(event.attempt.unwrap_or(1));
        match &event.kind {
            Kind::Published { message, .. } => {
                (facts.info, facts.exchange) = (Some(message.clone()), event.exchange.clone());
            }
            Kind::Routed { message, .. } => {
                if facts.info.is_none() {
                    facts.info.clone_from(message);
                }
                routed_us = Some(event.at_us);
                if queue.is_some() {
                    facts.state = "waiting in its queue";
                }
            }
            Kind::Delivered { .. } if queue.is_some() => {
                facts.in_queue_us = routed_us.map(|routed| event.at_us.saturating_sub(routed));
                facts.consumer.clone_from(&event.node);
                facts.state = "being handled";
            }
            Kind::HttpRequest { .. } if is_by(event, &facts) => facts.http = Some("waiting".to_owned()),
            Kind::HttpResponse { status, error, duration_us, .. } if is_by(event, &facts) => {
                let took = words::duration(*duration_us);
                facts.http = Some(match (status, error) {
                    (Some(status), _) => format!("{status} in {took}"),
                    (None, error) => format!("{} after {took}", error.as_deref().unwrap_or("no answer")),
                });
            }
            Kind::Acked { duration_us } if queue.is_some() => {
                facts.handled_us = *duration_us;
                if facts.state == "being handled" {
                    facts.state = "handled";
                }
            }
            Kind::RetryScheduled { reason, .. } => {
                (facts.state, facts.reason) = ("waiting for its next attempt", Some(reason.clone()));
            }
            Kind::DuplicateIgnored { .. } => facts.state = "known already, and ignored",
            Kind::OlderVersionIgnored { .. } => facts.state = "older than what was known, and ignored",
            Kind::Expired => facts.state = "expired: no consumer took it in time",
            Kind::Lost { reason } => (facts.state, facts.reason) = ("lost", Some(reason.clone())),
            Kind::DeadLettered { reason } => (facts.state, facts.reason) = ("parked", Some(reason.clone())),
            Kind::Refused { reason, .. } => {
                (facts.state, facts.reason) = ("refused, waiting to be sent again", Some(reason.clone()));
            }
            Kind::Returned { reply_text, .. } => {
                (facts.state, facts.reason) = ("returned: no queue took it", Some(reply_text.clone()));
            }
            _ => {}
        }
    }
    facts
}

/// Whether the message's consumer made the call. Two messages of one arrival have different consumers.
fn is_by(event: &Event, facts: &MessageFacts) -> bool {
    facts.consumer.is_some() && event.node == facts.consumer
}

/// The arrival to which a message belongs, if that is at hand.
#[must_use]
pub fn arrival_of<'a>(events: impl IntoIterator<Item = &'a Arc<Event>>, message_id: &str) -> Option<Id> {
    let of_message = events.into_iter().filter(|event| event.message_id.as_deref() == Some(message_id));
    of_message.filter_map(|event| event.correlation_id.clone()).next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::{Provenance, Service};

    fn event(at_us: u64, queue: &str, node: Service, kind: Kind) -> Arc<Event> {
        let mut event = Event::new(at_us, Provenance::Service, kind);
        (event.node, event.queue) = (Some(node.into()), Some(queue.into()));
        (event.message_id, event.correlation_id) = (Some("m".into()), Some("a".into()));
        Arc::new(event)
    }

    #[test]
    fn a_message_is_told_apart_by_the_queue_it_went_through() {
        let routed = || Kind::Routed { routing_key: "".into(), message: None };
        let events = [
            event(100, "c", Service::Inventory, routed()),
            event(110, "w", Service::Inventory, routed()),
            event(500, "c", Service::Catalog, Kind::Delivered { consumer_tag: "t".into() }),
            event(900, "c", Service::Catalog, Kind::Acked { duration_us: Some(400) }),
        ];
        let catalog = message_facts(&events, "m", Some("c"));
        assert_eq!(
            (catalog.state, catalog.in_queue_us, catalog.handled_us),
            ("handled", Some(400), Some(400))
        );
        assert_eq!(message_facts(&events, "m", Some("w")).state, "waiting in its queue");
        assert_eq!(message_facts(&events, "m", None).state, "on its way");
        assert_eq!(arrival_of(&events, "m").as_deref(), Some("a"));
    }
}
