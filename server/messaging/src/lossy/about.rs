//! What a message is about, to tell of its loss.

use crate::Envelope;
use flow::{Event, Id, Kind, Provenance, Sku, topology::Queue};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    pub message_id: Id,
    pub correlation_id: Id,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<Sku>,
    pub attempt: u32,
}

impl About {
    #[must_use]
    pub fn of(envelope: &Envelope) -> Self {
        Self {
            message_id: Arc::clone(&envelope.message_id),
            correlation_id: Arc::clone(&envelope.correlation_id),
            sku: envelope.sku(),
            attempt: envelope.attempt,
        }
    }
}

/// An event of a queue's service about a message.
#[must_use]
pub fn event(queue: &Queue, about: Option<&About>, kind: Kind) -> Event {
    let mut event = Event::new(0, Provenance::Service, kind);
    event.system = Some(queue.system());
    event.node = Some(queue.service.into());
    event.queue = Some(queue.name.into());
    if let Some(about) = about {
        event.sku = about.sku;
        event.message_id = Some(Arc::clone(&about.message_id));
        event.correlation_id = Some(Arc::clone(&about.correlation_id));
        event.causation_id = Some(Arc::clone(&about.message_id));
        event.attempt = Some(about.attempt);
    }
    event
}
