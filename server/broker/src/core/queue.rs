//! A queue: the messages that wait in it, in order, and the consumers that wait for them.

use super::{
    ConnectionId, ConsumerId, Message, Name,
    arguments::{Overflow, QueueArguments, QueueKind},
    gauge::Gauge,
    held::in_map_bytes,
    work::Entries,
};
use crate::{
    event::{QueueDepth, QueueInfo},
    raw,
};
use amq_protocol::types::FieldTable;
use indexmap::IndexSet;
use std::{
    cmp::Ordering,
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

/// A message in one queue.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Its place in the order of the queue: a requeued message goes back to where it was.
    pub(crate) position: u64,
    pub(crate) message: Arc<Message>,
    pub(crate) expires_at_ms: Option<u64>,
    /// How often it came back unsettled; counted against the delivery limit of a quorum queue.
    pub(crate) delivery_count: u32,
    pub(crate) redelivered: bool,
    /// It is in the store too.
    pub(crate) stored: bool,
}

/// There is one for each position.
impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        self.position.cmp(&other.position)
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.position == other.position
    }
}

impl Eq for Entry {}

impl Entry {
    /// What it takes of memory in a queue, its message aside.
    pub(crate) const READY_BYTES: usize = in_map_bytes(size_of::<Self>());

    /// Whether its time is over.
    pub(crate) fn has_expired(&self, now_ms: u64) -> bool {
        self.expires_at_ms.is_some_and(|at| at <= now_ms)
    }
}

/// Who gave a message back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequeuedBy {
    /// A client, with reject, nack or recover.
    Client,
    /// The end of its channel.
    ChannelEnd,
}

/// The messages of a queue that wait for a consumer.
#[derive(Debug)]
pub(crate) struct Ready {
    /// What came back to a quorum queue: it is served before anything new.
    returned: VecDeque<Entry>,
    /// By priority; a queue without priorities has one level. By position each: a million messages that come back go to
    /// their places as fast as a million new ones.
    levels: Vec<BTreeSet<Entry>>,
    len: usize,
    bytes: usize,
    gauge: Arc<Gauge>,
}

impl Ready {
    fn new(max_priority: u8, gauge: Arc<Gauge>) -> Self {
        let levels = (0..=max_priority).map(|_| BTreeSet::new()).collect();
        Self { returned: VecDeque::new(), levels, len: 0, bytes: 0, gauge }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn level(&self, entry: &Entry) -> usize {
        usize::from(entry.message.priority()).min(self.levels.len() - 1)
    }

    fn count_in(&mut self, entry: &Entry) {
        self.len += 1;
        self.bytes += entry.message.size();
        self.gauge.set_ready(self.len);
    }

    fn count_out(&mut self, entry: &Entry) {
        self.len -= 1;
        self.bytes -= entry.message.size();
        self.gauge.set_ready(self.len);
    }

    /// Puts an entry to its place in the order.
    fn put(&mut self, entry: Entry) {
        self.count_in(&entry);
        let level = self.level(&entry);
        self.levels[level].insert(entry);
    }

    fn put_back_returned(&mut self, entry: Entry) {
        self.count_in(&entry);
        self.returned.push_back(entry);
    }

    /// The entry that would be delivered next.
    pub(crate) fn head(&self) -> Option<&Entry> {
        self.returned.front().or_else(|| self.levels.iter().rev().find_map(BTreeSet::first))
    }

    pub(crate) fn pop(&mut self) -> Option<Entry> {
        let entry = self
            .returned
            .pop_front()
            .or_else(|| self.levels.iter_mut().rev().find_map(BTreeSet::pop_first))?;
        self.count_out(&entry);
        Some(entry)
    }

    /// Takes the head if its time is over. Like in RabbitMQ, what is behind it waits for it, a lower priority too.
    pub(crate) fn pop_expired(&mut self, now_ms: u64) -> Option<Entry> {
        self.head()?.expires_at_ms.filter(|&at| at <= now_ms)?;
        self.pop()
    }

    /// When the head expires.
    fn next_expiry_ms(&self) -> Option<u64> {
        self.head()?.expires_at_ms
    }

    /// Empties it; what was in it may be dropped in slices.
    fn drain(&mut self) -> impl Entries + use<> {
        let levels: Vec<_> = self.levels.iter_mut().map(std::mem::take).collect();
        self.len = 0;
        self.bytes = 0;
        self.gauge.set_ready(0);
        std::mem::take(&mut self.returned).into_iter().chain(levels.into_iter().flatten())
    }

    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.returned.iter().chain(self.levels.iter().rev().flatten())
    }
}

/// A queue.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) name: Name,
    pub(crate) durable: bool,
    pub(crate) auto_delete: bool,
    /// The connection that alone may use it.
    pub(crate) owner: Option<ConnectionId>,
    pub(crate) table: FieldTable,
    pub(crate) arguments: QueueArguments,
    pub(crate) ready: Ready,
    pub(crate) unacked: usize,
    /// In the order in which they are served: by priority, then whoever waited longest.
    pub(crate) consumers: Vec<ConsumerId>,
    /// Tells others what it holds.
    pub(crate) gauge: Arc<Gauge>,
    /// Of a queue with `x-single-active-consumer`: the one that gets the messages.
    pub(crate) active_consumer: Option<ConsumerId>,
    /// The exchanges that it was ever bound to: where to look for its bindings when it goes.
    pub(crate) bound_to: IndexSet<Name>,
    next_position: u64,
    /// Since when `x-expires` counts.
    pub(crate) used_at_ms: u64,
    /// It is on the core's list of queues to run.
    pub(crate) is_touched: bool,
    /// The turn was over before everything was done that could be done in it.
    pub(crate) is_behind: bool,
    /// How many clients' messages are on their way back to it.
    pub(crate) returning: usize,
    /// What the timers of the core know; it may be early, never late.
    pub(crate) armed_ms: Option<u64>,
}

impl Queue {
    pub(crate) fn new(name: Name, table: FieldTable, arguments: QueueArguments, now_ms: u64) -> Self {
        let gauge = Arc::<Gauge>::default();
        Self {
            name,
            durable: false,
            auto_delete: false,
            owner: None,
            table,
            ready: Ready::new(arguments.max_priority, gauge.clone()),
            gauge,
            arguments,
            unacked: 0,
            consumers: Vec::new(),
            active_consumer: None,
            bound_to: IndexSet::new(),
            next_position: 0,
            used_at_ms: now_ms,
            is_touched: false,
            is_behind: false,
            returning: 0,
            armed_ms: None,
        }
    }

    pub(crate) fn depth(&self) -> QueueDepth {
        QueueDepth { queue: self.name.clone(), ready: self.ready.len(), unacked: self.unacked }
    }

    pub(crate) fn info(&self) -> QueueInfo {
        QueueInfo {
            name: self.name.clone(),
            durable: self.durable,
            exclusive: self.owner.is_some(),
            auto_delete: self.auto_delete,
            ready: self.ready.len(),
            unacked: self.unacked,
            consumers: self.consumers.len(),
        }
    }

    /// One more of its messages is out with a client.
    pub(crate) fn count_delivered(&mut self) {
        self.unacked += 1;
        self.gauge.set_unacked(self.unacked);
    }

    /// A delivery was settled.
    pub(crate) fn count_settled(&mut self) {
        self.unacked -= 1;
        self.gauge.set_unacked(self.unacked);
    }

    /// Appends a message; says at which position, and when it expires.
    pub(crate) fn push(&mut self, message: Arc<Message>, now_ms: u64, stored: bool) -> (u64, Option<u64>) {
        let position = self.next_position;
        self.next_position += 1;
        // The shorter of the two times to live counts.
        let expiration_ms = message.raw_properties().text(raw::EXPIRATION);
        let expiration_ms = expiration_ms.and_then(|text| text.parse::<u64>().ok());
        let ttl_ms = self.arguments.message_ttl_ms.into_iter().chain(expiration_ms).min();
        let expires_at_ms = ttl_ms.map(|ttl| now_ms.saturating_add(ttl));
        self.ready.put(Entry {
            position,
            message,
            redelivered: false,
            expires_at_ms,
            delivery_count: 0,
            stored,
        });
        (position, expires_at_ms)
    }

    /// Puts back an entry that was read from the store.
    pub(crate) fn restore(&mut self, entry: Entry) {
        self.next_position = self.next_position.max(entry.position + 1);
        self.ready.put(entry);
    }

    /// Puts back an entry that was delivered and not settled; says at which position it is now.
    pub(crate) fn requeue(&mut self, mut entry: Entry, by: RequeuedBy) -> u64 {
        entry.redelivered = true;
        let is_limited = self.arguments.delivery_limit.is_some();
        let mut position = entry.position;
        match self.arguments.kind {
            QueueKind::Classic => self.ready.put(entry),
            // Without a limit RabbitMQ appends to the log anew, or a poison message would keep it growing.
            QueueKind::Quorum if by == RequeuedBy::Client && !is_limited => {
                position = self.next_position;
                self.next_position += 1;
                self.ready.put(Entry { position, ..entry });
            }
            QueueKind::Quorum => self.ready.put_back_returned(entry),
        }
        position
    }

    pub(crate) fn purge(&mut self) -> impl Entries + use<> {
        self.ready.drain()
    }

    /// Whether it is full, and takes no more messages then.
    pub(crate) fn refuses(&self, message: &Message) -> bool {
        let Self { ready, arguments: QueueArguments { max_length, max_length_bytes, overflow, .. }, .. } =
            self;
        *overflow != Overflow::DropHead
            && (max_length.is_some_and(|max| ready.len() + 1 > max)
                || max_length_bytes.is_some_and(|max| ready.bytes() + message.size() > max))
    }

    /// Whether messages at its head must go for it is too long.
    pub(crate) fn drops_head(&self) -> bool {
        self.arguments.overflow == Overflow::DropHead && self.overflows()
    }

    fn overflows(&self) -> bool {
        self.arguments.max_length.is_some_and(|max| self.ready.len() > max)
            || self.arguments.max_length_bytes.is_some_and(|max| self.ready.bytes() > max)
    }

    /// When something happens to the queue by itself: a head expires, or the unused queue does.
    pub(crate) fn next_deadline_ms(&self) -> Option<u64> {
        self.ready.next_expiry_ms().into_iter().chain(self.unused_deadline_ms()).min()
    }

    /// When `x-expires` removes the queue, unless somebody uses it.
    pub(crate) fn unused_deadline_ms(&self) -> Option<u64> {
        let expires = self.arguments.expires_ms?;
        self.consumers.is_empty().then(|| self.used_at_ms + expires)
    }
}
