//! The broker without its network and its disk: a state machine with an injected clock.
//!
//! Commands come in as AMQP methods; what is to be sent comes out as [`Effect`]s and what is to be kept as
//! [`StoreOp`]s. Nothing here waits, reads a clock or does I/O, so that any sequence of commands can be
//! replayed.

mod arguments;
mod binding;
mod channel;
mod confirm;
mod connection;
mod consumer;
mod dead_letter;
mod deliver;
mod effect;
mod ending;
mod equivalence;
mod exception;
mod exchange;
mod exchange_ops;
mod float_text;
mod gauge;
mod headers;
mod held;
mod log;
mod message;
mod method;
mod names;
mod overview;
mod publish;
mod queue;
mod queue_ops;
mod recover;
mod reply_to;
mod settle;
mod spread;
mod topic;
mod transaction;
mod work;

#[cfg(test)]
mod properties_test;
#[cfg(test)]
mod work_test;

pub use message::Message;

pub(crate) use self::{
    channel::ChannelState,
    connection::Client,
    deliver::weight,
    effect::{Effect, Send},
    exception::{Exception, Outcome, ReplyCode},
    gauge::Gauges,
    held::{Held, HeldBytes},
    log::{Restored, RestoredMessage, StoreOp, StoredBinding, StoredExchange, StoredQueue},
    message::{Properties, short},
    names::Names,
    overview::Survey,
};

use crate::event::{ConnectionInfo, Event};
use connection::Connection;
use consumer::Consumer;
use exchange::Exchange;
use indexmap::IndexMap;
use log::Log;
use queue::Queue;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    fmt,
    sync::Arc,
};
use work::Work;

/// A name or key, shared by all who mention it.
pub(crate) type Name = Arc<str>;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) struct $name(pub(crate) u64);
    };
}

id! {
    /// A connection; ids are never used again.
    ConnectionId
}
id! {
    /// A queue. A queue that is deleted and declared again is another one: what was delivered from the
    /// first cannot be settled on the second.
    QueueId
}
id! {
    /// A consumer.
    ConsumerId
}

/// Called with every event, in order.
pub(crate) type Hook = Arc<dyn Fn(&Event) + std::marker::Send + Sync>;

/// What the core needs to know of its configuration.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) vhost: String,
    pub(crate) user: String,
    pub(crate) max_message_bytes: usize,
    pub(crate) max_queues: usize,
    /// Deliveries to a connection pause when this much is on the way to its socket.
    pub(crate) max_unwritten_bytes: usize,
    /// Whether durable things are reported as [`StoreOp`]s.
    pub(crate) durable: bool,
    pub(crate) hook: Option<Hook>,
    /// How much is done before others get the core; see [`work`].
    pub(crate) turn_steps: usize,
}

/// The state of the broker.
pub(crate) struct Core {
    settings: Settings,
    names: Names,
    now_ms: u64,
    exchanges: IndexMap<Name, Exchange>,
    queues: BTreeMap<QueueId, Queue>,
    queue_ids: HashMap<Name, QueueId>,
    /// Queues that are gone for everybody, while their consumers are being told and their bindings removed.
    remains: BTreeMap<QueueId, Queue>,
    gauges: Gauges,
    consumers: BTreeMap<ConsumerId, Consumer>,
    connections: BTreeMap<ConnectionId, Connection>,
    /// Which channel listens to a direct reply-to address.
    reply_addresses: HashMap<Name, (ConnectionId, u16)>,
    /// When which queue must be looked at.
    timers: BTreeSet<(u64, QueueId)>,
    /// Queues in which something changed since they were last run.
    touched: VecDeque<QueueId>,
    /// What was begun and has no end yet.
    works: VecDeque<Work>,
    garbage: Vec<Arc<Message>>,
    /// How many of them each connection has.
    working: HashMap<ConnectionId, usize>,
    /// How much may still be done in this turn.
    steps_left: usize,
    /// Channels that have confirms to send.
    confirming: BTreeSet<(ConnectionId, u16)>,
    /// Channels that have something to answer when it is on disk.
    awaiting_disk: BTreeSet<(ConnectionId, u16)>,
    effects: Vec<Effect>,
    log: Log,
    /// What all messages take, each once.
    messages: HeldBytes,
    /// What bodies take that have not come to their end.
    unfinished: HeldBytes,
    /// What queues, channels and transactions take to hold the messages.
    holding_bytes: usize,
    last_id: u64,
    /// Whose doing it is what happens now; none for what the broker does by itself.
    doer: Option<ConnectionId>,
    /// Counted apart, for the ids of durable queues are kept on disk and should stay small.
    last_queue_id: u64,
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").field("queues", &self.queues).finish_non_exhaustive()
    }
}

impl Core {
    pub(crate) fn new(settings: Settings, names: Names, now_ms: u64) -> Self {
        let log = Log::new(settings.durable);
        let mut core = Self {
            settings,
            names,
            now_ms,
            exchanges: IndexMap::new(),
            queues: BTreeMap::new(),
            queue_ids: HashMap::new(),
            remains: BTreeMap::new(),
            gauges: Gauges::default(),
            consumers: BTreeMap::new(),
            connections: BTreeMap::new(),
            reply_addresses: HashMap::new(),
            timers: BTreeSet::new(),
            touched: VecDeque::new(),
            works: VecDeque::new(),
            garbage: Vec::new(),
            working: HashMap::new(),
            steps_left: usize::MAX,
            confirming: BTreeSet::new(),
            awaiting_disk: BTreeSet::new(),
            effects: Vec::new(),
            log,
            messages: HeldBytes::default(),
            unfinished: HeldBytes::default(),
            holding_bytes: 0,
            last_id: 0,
            doer: None,
            last_queue_id: 0,
        };
        core.declare_predefined_exchanges();
        core
    }

    /// Tells the core what time it is, and begins a turn; what was due happens, as far as there are steps.
    pub(crate) fn advance(&mut self, now_ms: u64) {
        // A clock that was set back must not revive what has expired.
        self.now_ms = self.now_ms.max(now_ms);
        self.begin_turn();
        while self.has_steps()
            && let Some(&(at, queue)) = self.timers.first()
            && at <= self.now_ms
        {
            self.timers.pop_first();
            self.spend(1);
            if let Some(queue) = self.queues.get_mut(&queue) {
                queue.armed_ms = None;
            }
            self.delete_if_unused_too_long(queue);
            self.touch(queue);
            self.run();
        }
    }

    /// When [`Core::advance`] has something to do by itself.
    pub(crate) fn next_deadline_ms(&self) -> Option<u64> {
        self.timers.first().map(|&(at, _)| at)
    }

    /// What is to be sent since the last call, in order.
    pub(crate) fn take_effects(&mut self) -> Vec<Effect> {
        self.send_confirms();
        std::mem::take(&mut self.effects)
    }

    /// What it takes to hold the messages, on top of [`Core::messages`].
    pub(crate) fn holding_bytes(&self) -> usize {
        self.holding_bytes + self.log.ops_bytes()
    }

    pub(crate) fn messages(&self) -> &HeldBytes {
        &self.messages
    }

    pub(crate) fn gauges(&self) -> &Gauges {
        &self.gauges
    }

    pub(crate) fn unfinished(&self) -> &HeldBytes {
        &self.unfinished
    }

    fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    fn send(&mut self, connection: ConnectionId, channel: u16, send: Send) {
        self.effects.push(Effect { connection, channel, send });
    }

    /// Reports an event; it is only made when somebody listens.
    fn report(&self, event: impl FnOnce(&Self) -> Event) {
        if let Some(hook) = &self.settings.hook {
            hook(&event(self));
        }
    }

    /// The connection whose doing it is what happens now.
    fn doer(&self) -> Option<Arc<ConnectionInfo>> {
        self.info_of(self.doer?)
    }

    /// Notes that a queue has something to do: new messages, or consumers with room for more.
    fn touch(&mut self, queue: QueueId) {
        if let Some(found) = self.queues.get_mut(&queue)
            && !std::mem::replace(&mut found.is_touched, true)
        {
            self.touched.push_back(queue);
        }
    }

    /// Runs the queues in which something changed, until nothing moves any more or the turn is over.
    ///
    /// A worklist and not a recursion: a message that dies moves on to another queue, which may be full, and
    /// chains of queues can be as long as their owners like.
    fn run(&mut self) {
        while self.has_steps()
            && let Some(id) = self.touched.pop_front()
        {
            let Some(queue) = self.queues.get_mut(&id) else { continue };
            queue.is_touched = false;
            // It is touched again when everything is back.
            if queue.returning > 0 {
                continue;
            }
            let is_served = self.deliver_ready(id);
            self.drop_expired(id);
            self.drop_overflow(id);
            // To look at many consumers without room can take all the steps, and would again.
            let is_behind = !(self.has_steps() || is_served && self.is_at_rest(id));
            self.spend(1);
            if let Some(queue) = self.queues.get_mut(&id) {
                queue.is_behind = is_behind;
            }
            if is_behind {
                self.touch(id);
            } else {
                self.arm_timer(id);
            }
        }
    }

    /// Whether nothing of a queue has to go, apart from what waits for consumers.
    fn is_at_rest(&self, id: QueueId) -> bool {
        self.queues.get(&id).is_none_or(|queue| {
            let has_expired = queue.ready.head().is_some_and(|head| head.has_expired(self.now_ms));
            !(has_expired || queue.drops_head())
        })
    }

    /// Makes sure that the queue is looked at when its next deadline comes.
    fn arm_timer(&mut self, id: QueueId) {
        let Some(queue) = self.queues.get_mut(&id) else { return };
        let Some(deadline) = queue.next_deadline_ms() else { return };
        // A timer that is too early costs a look; moving it with every delivery would cost more.
        if queue.armed_ms.is_some_and(|armed| armed <= deadline) {
            return;
        }
        if let Some(armed) = queue.armed_ms.replace(deadline) {
            self.timers.remove(&(armed, id));
        }
        self.timers.insert((deadline, id));
    }

    /// How error texts name a queue.
    fn queue_text(&self, name: &str) -> String {
        format!("queue '{name}' in vhost '{}'", self.settings.vhost)
    }

    /// How error texts name an exchange.
    fn exchange_text(&self, name: &str) -> String {
        format!("exchange '{name}' in vhost '{}'", self.settings.vhost)
    }

    fn queue_id(&self, name: &str) -> Outcome<QueueId> {
        self.queue_ids
            .get(name)
            .copied()
            .ok_or_else(|| Exception::not_found(format!("no {}", self.queue_text(name))))
    }

    fn exchange(&self, name: &str) -> Outcome<&Exchange> {
        self.exchanges
            .get(name)
            .ok_or_else(|| Exception::not_found(format!("no {}", self.exchange_text(name))))
    }

    /// A queue, though it may be gone: for its name.
    fn queue_or_remains(&self, id: QueueId) -> Option<&Queue> {
        self.queues.get(&id).or_else(|| self.remains.get(&id))
    }

    /// A queue that must be there because something refers to it.
    fn queue_mut(&mut self, id: QueueId) -> Option<&mut Queue> {
        self.queues.get_mut(&id)
    }
}
