//! What the core asks its surroundings to do.

use super::{ConnectionId, Message, Name, exception::Exception};
use amq_protocol::protocol::AMQPClass;
use std::sync::Arc;

/// Something to send to a client.
#[derive(Clone, Debug)]
pub(crate) struct Effect {
    pub(crate) connection: ConnectionId,
    pub(crate) channel: u16,
    pub(crate) send: Send,
}

/// The three methods that carry content are kept apart, for their messages are shared and not copied.
#[derive(Clone, Debug)]
pub(crate) enum Send {
    Method(AMQPClass),
    Deliver { consumer_tag: Name, delivery_tag: u64, redelivered: bool, message: Arc<Message> },
    GetOk { delivery_tag: u64, redelivered: bool, message_count: u32, message: Arc<Message> },
    Return { exception: Exception, message: Arc<Message> },
}
