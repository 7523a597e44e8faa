//! What happened.

use super::{MessageInfo, Origin, State, StockReason, Stored};
use crate::api::BreakerState;
use crate::fault::{FaultKind, FaultPhase, Gate, ReleasedBy};
use crate::mode::Mode;
use crate::{Encoding, Id, Quantity, Service};

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
        /// In what encoding it wants the answer.
        encoding: Encoding,
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
        /// In what encoding it came.
        encoding: Encoding,
        /// The body that told the availability, or was to tell it: the text of an [`AnswerBody`](super::AnswerBody).
        body: Option<Id>,
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
    /// The message was sent and never arrived, or was lost with the memory in which it was: nobody keeps it any more.
    Lost {
        /// Where it was lost, and why.
        reason: String,
    },
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
    /// Another Skuflow uses the same virtual host or Redis, and takes messages out of the same queues.
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
    /// A service that takes part only where it is wanted joined or left, or inventory's code was changed for it.
    MembershipChanged {
        /// Whether it takes part now.
        joined: bool,
        /// Whether inventory's own list of receivers names it now.
        applied: bool,
        /// How many messages were thrown away with its queues.
        messages: u32,
    },
    /// In which mode messages travel from now on.
    ModeChanged {
        /// Which one.
        mode: Mode,
    },
    /// Something that a newer Skuflow told, and this one does not know. It keeps its place in the order and changes nothing.
    Unknown,
}
