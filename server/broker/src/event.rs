//! What the broker reports: every transition as it happens, and a picture of the moment.

use crate::core::Message;
use std::sync::Arc;

/// A queue and how full it is after the transition that an event reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueDepth {
    /// Name of the queue.
    pub queue: Arc<str>,
    /// Messages waiting for a consumer.
    pub ready: usize,
    /// Messages delivered but not settled yet.
    pub unacked: usize,
}

/// A client's connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionInfo {
    /// A number that no other connection of this broker has.
    pub id: u64,
    /// The address it comes from.
    pub peer: Arc<str>,
    /// The name that the client gave it (`connection_name` in its client properties).
    pub name: Option<Arc<str>>,
    /// What the client says it is (`product` in its client properties).
    pub product: Option<Arc<str>>,
}

/// The four standard exchange types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExchangeKind {
    /// The routing key is the binding key (spec 3.1.3.1).
    Direct,
    /// Every binding matches (spec 3.1.3.2).
    Fanout,
    /// The routing key matches the pattern of the binding (spec 3.1.3.3).
    Topic,
    /// The headers match the arguments of the binding (spec 3.1.3.4).
    Headers,
}

impl ExchangeKind {
    /// The name of the type on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Fanout => "fanout",
            Self::Topic => "topic",
            Self::Headers => "headers",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Direct, Self::Fanout, Self::Topic, Self::Headers]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }
}

/// An exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangeInfo {
    /// Name of the exchange; empty for the default exchange.
    pub name: Arc<str>,
    /// Its type.
    pub kind: ExchangeKind,
    /// Survives a restart.
    pub durable: bool,
    /// Goes when its last binding goes.
    pub auto_delete: bool,
    /// Takes messages from other exchanges only.
    pub internal: bool,
}

/// A queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueInfo {
    /// Name of the queue.
    pub name: Arc<str>,
    /// Survives a restart.
    pub durable: bool,
    /// Belongs to one connection and goes with it.
    pub exclusive: bool,
    /// Goes when its last consumer goes.
    pub auto_delete: bool,
    /// Messages waiting for a consumer.
    pub ready: usize,
    /// Messages delivered but not settled yet.
    pub unacked: usize,
    /// How many consumers it has.
    pub consumers: usize,
}

/// What a queue holds, and how many take from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueCounts {
    /// Messages waiting for a consumer.
    pub ready: usize,
    /// Messages delivered but not settled yet.
    pub unacked: usize,
    /// How many consumers it has.
    pub consumers: usize,
}

/// Where a binding leads.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum BindingDestination {
    /// To the queue of this name.
    Queue(Arc<str>),
    /// To the exchange of this name.
    Exchange(Arc<str>),
}

/// A binding. The implicit ones of the default exchange are not listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindingInfo {
    /// The exchange it starts from.
    pub source: Arc<str>,
    /// What it leads to.
    pub destination: BindingDestination,
    /// Its routing key.
    pub routing_key: Arc<str>,
}

/// A consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerInfo {
    /// The queue it consumes.
    pub queue: Arc<str>,
    /// Its tag, unique on its channel.
    pub tag: Arc<str>,
    /// Number of the channel.
    pub channel: u16,
    /// The connection of the channel.
    pub connection: Arc<ConnectionInfo>,
    /// It settles by taking (`no-ack`).
    pub no_ack: bool,
    /// How many unsettled messages it takes at once; 0 is any number.
    pub prefetch: u16,
}

/// How a delivery was settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Settlement {
    /// By an ack.
    Acked,
    /// By a reject or nack without requeue: dropped, or dead-lettered if the queue says where to.
    Rejected,
    /// Back to the queue: by a reject or nack with requeue, a recover, or the end of its channel.
    Requeued,
}

/// Why a message was dead-lettered; the `reason` of `x-death`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeathReason {
    /// A consumer rejected it without requeue.
    Rejected,
    /// Its time to live was over.
    Expired,
    /// Its queue was too long.
    MaxLength,
    /// A quorum queue had delivered it too often.
    DeliveryLimit,
}

impl DeathReason {
    /// The reason as `x-death` names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::MaxLength => "maxlen",
            Self::DeliveryLimit => "delivery_limit",
        }
    }
}

/// A transition in the broker.
///
/// The hook is called synchronously and in order, while the broker's state is locked: it must be quick, and
/// it must not call back into the [`Broker`](crate::Broker).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The broker begins, with what its store gave back: always the first event, and what follows changes it.
    Started(Overview),
    /// A client finished its handshake.
    ConnectionOpened(Arc<ConnectionInfo>),
    /// A connection ended, whichever way.
    ConnectionClosed(Arc<ConnectionInfo>),
    /// An exchange was declared that was not there before.
    ExchangeDeclared {
        /// The exchange.
        exchange: ExchangeInfo,
        /// Whose doing it was; none when the broker did it by itself.
        by: Option<Arc<ConnectionInfo>>,
    },
    /// An exchange is gone. Comes after the bindings from it and to it, each of which is told.
    ExchangeDeleted {
        /// Its name.
        exchange: Arc<str>,
        /// Whose doing it was; none when the broker did it by itself.
        by: Option<Arc<ConnectionInfo>>,
    },
    /// A queue was declared that was not there before.
    QueueDeclared {
        /// The queue.
        queue: QueueInfo,
        /// Whose doing it was; none when the broker did it by itself.
        by: Option<Arc<ConnectionInfo>>,
    },
    /// A queue is gone, with the messages in it: it was deleted, its last consumer or its connection went, or nobody used
    /// it for too long. Comes after its bindings and consumers, each of which is told.
    QueueDeleted {
        /// Its name.
        queue: Arc<str>,
        /// How many ready messages went with it.
        messages: usize,
        /// Whose doing it was; none when the broker did it by itself.
        by: Option<Arc<ConnectionInfo>>,
    },
    /// All ready messages of a queue were removed.
    QueuePurged {
        /// The queue.
        depth: QueueDepth,
        /// How many messages were removed.
        messages: usize,
        /// Whose doing it was; none when the broker did it by itself.
        by: Option<Arc<ConnectionInfo>>,
    },
    /// A binding was added.
    BindingAdded {
        /// The binding.
        binding: BindingInfo,
        /// Whose doing it was; none when the broker did it by itself.
        by: Option<Arc<ConnectionInfo>>,
    },
    /// A binding is gone.
    BindingRemoved {
        /// The binding.
        binding: BindingInfo,
        /// Whose doing it was; none when the broker did it by itself.
        by: Option<Arc<ConnectionInfo>>,
    },
    /// A consumer started.
    ConsumerAdded(ConsumerInfo),
    /// A consumer is gone.
    ConsumerRemoved(ConsumerInfo),
    /// A message was taken from a publisher and put into queues. One that goes to very many is told in parts, each with
    /// queues of its own.
    Published {
        /// The message.
        message: Arc<Message>,
        /// The queues that took it.
        queues: Vec<QueueDepth>,
        /// Who published it.
        connection: Arc<ConnectionInfo>,
    },
    /// A mandatory message went to no queue and was returned.
    Returned {
        /// The message.
        message: Arc<Message>,
        /// Who published it.
        connection: Arc<ConnectionInfo>,
    },
    /// A message went to no queue and nobody wanted to know.
    Unroutable {
        /// The message.
        message: Arc<Message>,
        /// Who published it.
        connection: Arc<ConnectionInfo>,
    },
    /// A full queue refused a message (`x-overflow`).
    Refused {
        /// The queue.
        depth: QueueDepth,
        /// The message.
        message: Arc<Message>,
    },
    /// A message was sent to a consumer, or taken by `basic.get`.
    Delivered {
        /// The queue it comes from.
        depth: QueueDepth,
        /// The message.
        message: Arc<Message>,
        /// Tag of the consumer; none for `basic.get`.
        consumer_tag: Option<Arc<str>>,
        /// Who got it.
        connection: Arc<ConnectionInfo>,
        /// It had been delivered before.
        redelivered: bool,
        /// Nobody will settle it.
        no_ack: bool,
    },
    /// A delivered message was settled.
    Settled {
        /// The queue it came from.
        depth: QueueDepth,
        /// The message.
        message: Arc<Message>,
        /// Tag of the consumer; none for `basic.get`.
        consumer_tag: Option<Arc<str>>,
        /// Who had it.
        connection: Arc<ConnectionInfo>,
        /// How.
        settlement: Settlement,
    },
    /// The time to live of a message in a queue was over.
    Expired {
        /// The queue.
        depth: QueueDepth,
        /// The message.
        message: Arc<Message>,
    },
    /// A message left the head of a queue that was too long, or that had delivered it too often.
    Dropped {
        /// The queue.
        depth: QueueDepth,
        /// The message.
        message: Arc<Message>,
        /// Why.
        reason: DeathReason,
    },
    /// A message that died in one queue was published to its dead-letter exchange. Comes after the event
    /// that says how it died.
    DeadLettered {
        /// The queue it died in.
        from: Arc<str>,
        /// Why.
        reason: DeathReason,
        /// The dead-letter exchange.
        exchange: Arc<str>,
        /// The message as it was published there, with its `x-death` header.
        message: Arc<Message>,
        /// The queues that took it; none if there was no way, or only a way in a circle.
        queues: Vec<QueueDepth>,
    },
}

/// A picture of the broker. It is of one moment unless there are thousands of things: those are looked at in parts, so
/// that nobody waits long, and what changes meanwhile may be in the picture or not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overview {
    /// Every exchange, the default one first.
    pub exchanges: Vec<ExchangeInfo>,
    /// Every queue, oldest first.
    pub queues: Vec<QueueInfo>,
    /// Every binding that was made.
    pub bindings: Vec<BindingInfo>,
    /// Every consumer, oldest first.
    pub consumers: Vec<ConsumerInfo>,
    /// Every open connection, oldest first.
    pub connections: Vec<Arc<ConnectionInfo>>,
}
