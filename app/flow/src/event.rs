//! The journal's events: the only source of the picture (design, section 5).
//!
//! In Rust an event is a header and a [`Kind`] that holds exactly what that kind needs. In JSON it is one flat
//! object whose absent fields are left out; the private module `wire` converts between the two at the edge.

mod wire;

use crate::api::BreakerState;
use crate::fault::{FaultKind, FaultPhase, Gate, ReleasedBy};
use crate::words::words;
use crate::{Actor, Id, Quantity, Service, Sku, Style};
use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct as _};
use std::{fmt, sync::Arc};

/// One step of the system, as somebody saw it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "wire::Flat")]
pub struct Event {
    /// Its place in the journal: gapless, and never going back. 0 until the journal has taken it.
    pub seq: u64,
    /// When it happened: microseconds since the Unix epoch, by the server's clock.
    pub at_us: u64,
    /// The system it belongs to; none for what concerns both, such as a lost connection.
    pub style: Option<Style>,
    /// Who did it.
    pub node: Option<Node>,
    /// The exchange concerned; the empty text is the default exchange.
    pub exchange: Option<Id>,
    /// The queue concerned.
    pub queue: Option<Id>,
    /// The SKU concerned.
    pub sku: Option<Sku>,
    /// The message concerned.
    pub message_id: Option<Id>,
    /// The arrival from which all this follows.
    pub correlation_id: Option<Id>,
    /// What directly caused it: an arrival, a message or an HTTP call.
    pub causation_id: Option<Id>,
    /// Which attempt at the message this is, from 1.
    pub attempt: Option<u32>,
    /// Whether the broker had delivered the message before.
    pub redelivered: Option<bool>,
    /// Who wanted it, where a person or a program outside did; none for what happened by itself.
    pub actor: Option<Arc<Actor>>,
    /// How we know.
    pub provenance: Provenance,
    /// How many earlier events the journal had to leave out because it could not keep up; 0 almost always.
    pub summarised: u64,
    /// What happened.
    pub kind: Kind,
}

impl Event {
    /// An event with nothing but its kind and who tells it; the rest is filled in field by field.
    #[must_use]
    pub const fn new(at_us: u64, provenance: Provenance, kind: Kind) -> Self {
        Self {
            seq: 0,
            at_us,
            style: None,
            node: None,
            exchange: None,
            queue: None,
            sku: None,
            message_id: None,
            correlation_id: None,
            causation_id: None,
            attempt: None,
            redelivered: None,
            actor: None,
            provenance,
            summarised: 0,
            kind,
        }
    }
}

/// How we know of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provenance {
    /// A service says it did it.
    Service,
    /// The broker says so, or handed us a copy.
    Broker,
    /// It follows from what was seen.
    Inferred,
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(from = "Arc<str>")]
pub enum Node {
    /// Where arrivals come from.
    Warehouse,
    /// Where sales come from.
    Storefront,
    /// One of our services.
    Service(Service),
    /// The broker itself.
    Broker,
    /// A stranger, by the name it gave.
    Foreign(Arc<str>),
}

impl Node {
    /// The node's name on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Warehouse => "warehouse",
            Self::Storefront => "storefront",
            Self::Service(service) => service.as_str(),
            Self::Broker => "broker",
            Self::Foreign(name) => name,
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<Service> for Node {
    fn from(service: Service) -> Self {
        Self::Service(service)
    }
}

impl From<Arc<str>> for Node {
    fn from(name: Arc<str>) -> Self {
        match &*name {
            "warehouse" => Self::Warehouse,
            "storefront" => Self::Storefront,
            "broker" => Self::Broker,
            other => other.parse().map_or_else(|_| Self::Foreign(Arc::clone(&name)), Self::Service),
        }
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// What happened, with what that kind needs.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// The warehouse reported new stock.
    ArrivalReceived {
        /// How many pieces.
        quantity: Quantity,
        /// By which way it came.
        origin: Origin,
    },
    /// Inventory recorded new numbers and, in the same transaction, the messages to send.
    StockRecorded {
        /// Why.
        reason: StockReason,
        /// The numbers before, if the SKU was known.
        before: Option<State>,
        /// The numbers after.
        after: State,
        /// How many messages stand in the outbox because of it.
        messages: u32,
    },
    /// A message was handed to the broker.
    Published {
        /// The routing key.
        routing_key: Id,
        /// The message itself.
        message: MessageInfo,
    },
    /// The broker took responsibility for a message.
    Confirmed {
        /// From publish to confirm, in microseconds.
        duration_us: u64,
    },
    /// No queue took a mandatory message.
    Returned {
        /// The reply code, such as 312 (AMQP 0-9-1, section 1.2 of the reference).
        reply_code: u16,
        /// The broker's words.
        reply_text: String,
    },
    /// The exchange put a message into a queue.
    Routed {
        /// The routing key.
        routing_key: Id,
        /// The message itself, when nobody here published it.
        message: Option<MessageInfo>,
    },
    /// The broker did not take a message (`basic.nack` to its publisher): a queue on its exchange is full and rejects.
    /// It is sent again.
    Refused {
        /// After how long, in milliseconds.
        delay_ms: u64,
        /// Why, as far as the broker tells.
        reason: String,
    },
    /// The broker handed a message to a consumer.
    Delivered {
        /// The consumer's tag.
        consumer_tag: Id,
    },
    /// A handler began to work on a message.
    HandlerStarted,
    /// A handler asked another service.
    HttpRequest {
        /// This call's id.
        http_id: Id,
        /// Whom it asked.
        target: Service,
        /// The path, with the method `GET`.
        path: String,
    },
    /// The answer, or its absence.
    HttpResponse {
        /// The call's id.
        http_id: Id,
        /// Whom it asked.
        target: Service,
        /// The status, when there was an answer.
        status: Option<u16>,
        /// What went wrong, when there was none.
        error: Option<String>,
        /// The availability that was answered.
        answer: Option<State>,
        /// From request to answer, in microseconds.
        duration_us: u64,
    },
    /// A service stored something new.
    StateChanged {
        /// What it believed before, if anything.
        before: Option<State>,
        /// What it believes now.
        after: State,
    },
    /// The wishlist sent an e-mail.
    EmailSent {
        /// The e-mail's id.
        email_id: i64,
        /// The receiver's address.
        to: String,
        /// The subject.
        subject: String,
    },
    /// The consumer settled the message: done.
    Acked {
        /// From delivery to ack, in microseconds, where that was measured.
        duration_us: Option<u64>,
    },
    /// The consumer gave the message back.
    Nacked {
        /// Whether it goes back into its queue.
        requeue: bool,
        /// Why.
        reason: String,
    },
    /// The message will be tried again.
    RetryScheduled {
        /// After how long, in milliseconds.
        delay_ms: u64,
        /// Why.
        reason: String,
    },
    /// The consumer has handled this message before, and does not handle it again.
    DuplicateIgnored {
        /// Which version of the SKU's numbers the consumer knows.
        known_version: Option<u64>,
        /// Which version the message led to.
        offered_version: Option<u64>,
    },
    /// The message led to numbers that are older than those the consumer knows, and it stored nothing.
    OlderVersionIgnored {
        /// Which version of the SKU's numbers the consumer knows.
        known_version: u64,
        /// Which version the message led to.
        offered_version: u64,
    },
    /// A service's circuit breaker decided anew whether inventory is asked.
    BreakerChanged {
        /// How it was.
        from: BreakerState,
        /// How it is.
        to: BreakerState,
        /// Why the last call failed, if it did.
        reason: Option<String>,
    },
    /// The message waited in its queue for longer than it was to live, and the broker took it out.
    Expired,
    /// The message used up its attempts and was parked.
    DeadLettered {
        /// Why.
        reason: String,
    },
    /// A gate stopped something.
    Held {
        /// Which gate.
        gate: Gate,
        /// The name by which it can be released.
        hold_id: u64,
        /// With which routing key the message is to be published, if that is what waits.
        routing_key: Option<Id>,
    },
    /// A gate let it go.
    Released {
        /// Which gate.
        gate: Gate,
        /// Which hold ended.
        hold_id: u64,
        /// For how long it was held, in microseconds: no part of any latency.
        duration_us: u64,
        /// Why it went on.
        released_by: ReleasedBy,
    },
    /// Somebody closed or opened gates, or they opened by themselves.
    GatesSet {
        /// How many are closed now.
        gates: u32,
        /// When they open by themselves: microseconds since the Unix epoch, while any is closed.
        opens_at_us: Option<u64>,
    },
    /// Somebody said how many workers a service is to have.
    WorkersSet {
        /// How many.
        workers: u16,
        /// How many unacked messages each may hold.
        prefetch: u16,
    },
    /// Somebody takes products, stock and wishes back to the seed, in both systems.
    SystemReset,
    /// Inventory tells the others once more what it has recorded.
    AnnouncedAgain {
        /// Which version of the SKU's numbers.
        version: u64,
        /// How many messages stand in the outbox because of it.
        messages: u32,
    },
    /// Somebody broke something on purpose.
    FaultInjected {
        /// What.
        fault: FaultKind,
        /// Whether it was set, struck or cleared.
        phase: FaultPhase,
    },
    /// A consumer began to take messages from a queue.
    ConsumerStarted {
        /// The consumer's tag.
        consumer_tag: Id,
        /// How many messages were waiting then, where that is known.
        ready: Option<u64>,
    },
    /// A consumer stopped.
    ConsumerStopped {
        /// The consumer's tag.
        consumer_tag: Id,
        /// Why.
        reason: String,
    },
    /// A connection to the broker broke.
    ConnectionLost {
        /// Why.
        reason: String,
    },
    /// A connection to the broker is there again.
    ConnectionRestored,
    /// The broker takes no messages from a connection now (`connection.blocked`, an extension of AMQP by RabbitMQ).
    ConnectionBlocked {
        /// Why.
        reason: String,
    },
    /// The broker takes messages from a connection again.
    ConnectionUnblocked,
    /// The server began to run once more. Whatever its last run had in hand went with that run: connections, consumers,
    /// holds, faults; and the last steps of a run that was killed may be told nowhere.
    ServerStarted,
    /// Another Skuflow uses the same virtual host, and takes messages out of the same queues.
    NeighbourSeen,
    /// It uses it no longer.
    NeighbourGone,
    /// Somebody counted what is stored: that is the truth, whatever was told.
    Counted {
        /// Messages in inventory's outbox.
        messages: Option<u32>,
        /// E-mails in the wishlist's mailbox.
        emails: Option<u64>,
        /// Messages in the queue's dead-letter queue.
        dead: Option<u64>,
        /// Messages that wait in the queue.
        ready: Option<u64>,
        /// Messages of the queue in consumers' hands.
        unacked: Option<u64>,
    },
    /// The stores hold this of the SKU, read as the server started: that is the truth, whatever was told.
    StoresRead {
        /// What inventory has recorded.
        recorded: State,
        /// What each service has stored.
        stored: Stored,
    },
    /// A way leads from the exchange into the queue now: a binding, or several over other exchanges.
    QueueBound {
        /// The key of the first binding, which is the exchange's own.
        routing_key: Id,
        /// The exchanges in between, the first one first.
        via: Vec<Id>,
    },
    /// A way from the exchange into the queue is gone.
    QueueUnbound {
        /// The key of the first binding.
        routing_key: Id,
        /// The exchanges in between, the first one first.
        via: Vec<Id>,
    },
    /// A queue is gone, with what was in it.
    QueueDeleted {
        /// How many messages waited in it.
        messages: u32,
    },
    /// All that waited in a queue was thrown away.
    QueuePurged {
        /// How many messages that were.
        messages: u32,
    },
    /// Something that a newer Skuflow told, and this one does not know. It keeps its place in the order and changes nothing.
    Unknown,
}

/// The name of a [`Kind`], without what it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is told at the kind of the same name")]
pub enum KindName {
    ArrivalReceived,
    StockRecorded,
    Published,
    Confirmed,
    Returned,
    Refused,
    Routed,
    Delivered,
    HandlerStarted,
    HttpRequest,
    HttpResponse,
    StateChanged,
    EmailSent,
    Acked,
    Nacked,
    RetryScheduled,
    DuplicateIgnored,
    OlderVersionIgnored,
    BreakerChanged,
    Expired,
    DeadLettered,
    Held,
    Released,
    GatesSet,
    WorkersSet,
    SystemReset,
    AnnouncedAgain,
    FaultInjected,
    ConsumerStarted,
    ConsumerStopped,
    ConnectionLost,
    ConnectionRestored,
    ConnectionBlocked,
    ConnectionUnblocked,
    ServerStarted,
    NeighbourSeen,
    NeighbourGone,
    Counted,
    StoresRead,
    QueueBound,
    QueueUnbound,
    QueueDeleted,
    QueuePurged,
    #[serde(other)]
    Unknown,
}

words!(
    KindName {
        ArrivalReceived = "arrival_received",
        StockRecorded = "stock_recorded",
        Published = "published",
        Confirmed = "confirmed",
        Returned = "returned",
        Refused = "refused",
        Routed = "routed",
        Delivered = "delivered",
        HandlerStarted = "handler_started",
        HttpRequest = "http_request",
        HttpResponse = "http_response",
        StateChanged = "state_changed",
        EmailSent = "email_sent",
        Acked = "acked",
        Nacked = "nacked",
        RetryScheduled = "retry_scheduled",
        DuplicateIgnored = "duplicate_ignored",
        OlderVersionIgnored = "older_version_ignored",
        BreakerChanged = "breaker_changed",
        Expired = "expired",
        DeadLettered = "dead_lettered",
        Held = "held",
        Released = "released",
        GatesSet = "gates_set",
        WorkersSet = "workers_set",
        SystemReset = "system_reset",
        AnnouncedAgain = "announced_again",
        FaultInjected = "fault_injected",
        ConsumerStarted = "consumer_started",
        ConsumerStopped = "consumer_stopped",
        ConnectionLost = "connection_lost",
        ConnectionRestored = "connection_restored",
        ConnectionBlocked = "connection_blocked",
        ConnectionUnblocked = "connection_unblocked",
        ServerStarted = "server_started",
        NeighbourSeen = "neighbour_seen",
        NeighbourGone = "neighbour_gone",
        Counted = "counted",
        StoresRead = "stores_read",
        QueueBound = "queue_bound",
        QueueUnbound = "queue_unbound",
        QueueDeleted = "queue_deleted",
        QueuePurged = "queue_purged",
        Unknown = "unknown",
    },
    UnknownKind,
    "{0:?} is not a kind of journal event"
);

impl Kind {
    /// The kind's name.
    #[must_use]
    pub const fn name(&self) -> KindName {
        match self {
            Self::ArrivalReceived { .. } => KindName::ArrivalReceived,
            Self::StockRecorded { .. } => KindName::StockRecorded,
            Self::Published { .. } => KindName::Published,
            Self::Confirmed { .. } => KindName::Confirmed,
            Self::Returned { .. } => KindName::Returned,
            Self::Refused { .. } => KindName::Refused,
            Self::Routed { .. } => KindName::Routed,
            Self::Delivered { .. } => KindName::Delivered,
            Self::HandlerStarted => KindName::HandlerStarted,
            Self::HttpRequest { .. } => KindName::HttpRequest,
            Self::HttpResponse { .. } => KindName::HttpResponse,
            Self::StateChanged { .. } => KindName::StateChanged,
            Self::EmailSent { .. } => KindName::EmailSent,
            Self::Acked { .. } => KindName::Acked,
            Self::Nacked { .. } => KindName::Nacked,
            Self::RetryScheduled { .. } => KindName::RetryScheduled,
            Self::DuplicateIgnored { .. } => KindName::DuplicateIgnored,
            Self::OlderVersionIgnored { .. } => KindName::OlderVersionIgnored,
            Self::BreakerChanged { .. } => KindName::BreakerChanged,
            Self::Expired => KindName::Expired,
            Self::DeadLettered { .. } => KindName::DeadLettered,
            Self::Held { .. } => KindName::Held,
            Self::Released { .. } => KindName::Released,
            Self::GatesSet { .. } => KindName::GatesSet,
            Self::WorkersSet { .. } => KindName::WorkersSet,
            Self::SystemReset => KindName::SystemReset,
            Self::AnnouncedAgain { .. } => KindName::AnnouncedAgain,
            Self::FaultInjected { .. } => KindName::FaultInjected,
            Self::ConsumerStarted { .. } => KindName::ConsumerStarted,
            Self::ConsumerStopped { .. } => KindName::ConsumerStopped,
            Self::ConnectionLost { .. } => KindName::ConnectionLost,
            Self::ConnectionRestored => KindName::ConnectionRestored,
            Self::ConnectionBlocked { .. } => KindName::ConnectionBlocked,
            Self::ConnectionUnblocked => KindName::ConnectionUnblocked,
            Self::ServerStarted => KindName::ServerStarted,
            Self::NeighbourSeen => KindName::NeighbourSeen,
            Self::NeighbourGone => KindName::NeighbourGone,
            Self::Counted { .. } => KindName::Counted,
            Self::StoresRead { .. } => KindName::StoresRead,
            Self::QueueBound { .. } => KindName::QueueBound,
            Self::QueueUnbound { .. } => KindName::QueueUnbound,
            Self::QueueDeleted { .. } => KindName::QueueDeleted,
            Self::QueuePurged { .. } => KindName::QueuePurged,
            Self::Unknown => KindName::Unknown,
        }
    }
}

/// How an arrival came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// By an HTTP request.
    Request,
    /// In a file, by its name.
    File(String),
    /// From the simulator.
    Simulator,
}

/// Why stock changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StockReason {
    /// Goods came in.
    Arrival,
    /// Goods went out.
    Sale,
    /// Everything was taken back to how it began.
    Reset,
}

/// What a service knows of a SKU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct State {
    /// Pieces in the warehouse; only inventory knows.
    #[serde(default)]
    pub on_hand: Option<u32>,
    /// Whether any is for sale.
    pub available: bool,
    /// How many are for sale.
    pub quantity: u32,
    /// The version of inventory's numbers that this reflects.
    pub version: u64,
}

/// What each service has stored of a SKU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// What inventory calculated last.
    pub inventory: State,
    /// What the catalog shows; `None` when it does not know the SKU.
    pub catalog: Option<State>,
    /// What wishlist knows; `None` when it has not heard of the SKU.
    pub wishlist: Option<State>,
}

impl Stored {
    /// What that service has stored.
    #[must_use]
    pub const fn of(&self, service: Service) -> Option<State> {
        match service {
            Service::Inventory => Some(self.inventory),
            Service::Catalog => self.catalog,
            Service::Wishlist => self.wishlist,
        }
    }
}

/// In JSON a field that is absent is left out; a packed picture has its fields by their order, and needs them all.
impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let leaves_out = serializer.is_human_readable() && self.on_hand.is_none();
        let mut state = serializer.serialize_struct("State", if leaves_out { 3 } else { 4 })?;
        if leaves_out {
            state.skip_field("on_hand")?;
        } else {
            state.serialize_field("on_hand", &self.on_hand)?;
        }
        state.serialize_field("available", &self.available)?;
        state.serialize_field("quantity", &self.quantity)?;
        state.serialize_field("version", &self.version)?;
        state.end()
    }
}

impl From<crate::Availability> for State {
    fn from(known: crate::Availability) -> Self {
        Self { on_hand: None, available: known.available, quantity: known.quantity, version: known.version }
    }
}

/// A message as it went over the wire (AMQP 0-9-1, class basic).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageInfo {
    /// The property `type`.
    #[serde(rename = "type")]
    pub message_type: Id,
    /// The property `app_id`.
    pub app_id: Id,
    /// The property `timestamp`, in seconds since the Unix epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp_s: Option<u64>,
    /// The header `traceparent` (W3C Trace Context).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<Id>,
    /// Who published it, where the broker tells: the name of a stranger's connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publisher: Option<Id>,
    /// The body's text; what is no UTF-8 or longer than 4 KiB is shortened for viewing.
    pub body: Id,
    /// The body's true size.
    pub size_bytes: u64,
}
