//! What takes long is done in slices, and others are served between them.
//!
//! A turn is one use of the core, by a client's frames or by the broker itself. It does a bounded number of steps: a
//! step is about one message that moves. What is left waits here until [`Core::work`] is called.
//!
//! - What one connection asked for is done in its order: its next frame waits until its work is done
//!   ([`Core::must_wait`]).
//! - A queue to which messages are coming back gives out none until all of them are back, so that nobody gets a later
//!   message first. Consumers wait for it, and so does whoever asks with `basic.get`.
//! - Messages of a queue that was purged or deleted are gone at once for everybody; their memory follows.
//! - A large transaction is committed in its order, but others may see a part of it, as in RabbitMQ. Its commit-ok comes
//!   at its end.
//! - A connection is there until all it held is back and all it owned is gone; only then its close is confirmed.

use super::{
    ConnectionId, ConsumerId, Core, Message, QueueId,
    channel::{Channel, Mode, Unacked},
    confirm::Verdict,
    queue::{Entry, RequeuedBy},
    settle::Settle,
    transaction::{HeldPublish, Transaction},
};
use crate::event::Event;
use amq_protocol::protocol::{AMQPClass, basic, queue, tx};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    mem,
    sync::Arc,
};

/// How much longer the deletion of a queue takes than a message.
const DELETE_STEPS: usize = 10;
/// Publishing a message again takes longer than dropping it.
pub(crate) const DEAD_LETTER_STEPS: usize = 5;

/// Deliveries that all are to be settled in the same way.
#[derive(Debug, Default)]
pub(crate) struct Settling {
    pub(crate) left: BTreeMap<u64, Unacked>,
    /// The queues that they may be from.
    queues: BTreeSet<QueueId>,
    /// The queues that give out nothing until it is done.
    returning: BTreeSet<QueueId>,
}

/// Something that was begun and has no end yet.
#[derive(Debug)]
pub(crate) enum Work {
    Settle {
        connection: ConnectionId,
        channel: u16,
        settle: Settle,
        settling: Settling,
    },
    /// The end of a channel. Its consumers go first: what returns to the queues must not go out to them again.
    Release {
        connection: ConnectionId,
        consumers: Vec<ConsumerId>,
        settling: Settling,
    },
    /// The end of a connection, after that of its channels.
    Close {
        connection: ConnectionId,
        owned: Vec<QueueId>,
    },
    Commit {
        connection: ConnectionId,
        channel: u16,
        publishes: VecDeque<HeldPublish>,
        settlements: VecDeque<(Settle, Settling)>,
        is_stored: bool,
    },
    /// Settlements become void; their deliveries are unsettled again (spec 1.9.2.5).
    Rollback {
        connection: ConnectionId,
        channel: u16,
        transaction: Transaction,
    },
    /// Messages that are in no queue any more; in the store they may still be in this one.
    Forget {
        queue: QueueId,
        entries: Box<dyn Entries>,
    },
}

/// Messages that go one after the other.
pub(crate) trait Entries: Iterator<Item = Entry> + std::marker::Send + std::fmt::Debug {}
impl<T: Iterator<Item = Entry> + std::marker::Send + std::fmt::Debug> Entries for T {}

impl Work {
    fn connection(&self) -> Option<ConnectionId> {
        match self {
            Self::Settle { connection, .. }
            | Self::Release { connection, .. }
            | Self::Close { connection, .. }
            | Self::Commit { connection, .. }
            | Self::Rollback { connection, .. } => Some(*connection),
            Self::Forget { .. } => None,
        }
    }
}

impl Core {
    /// Begins a turn.
    pub(crate) fn begin_turn(&mut self) {
        self.steps_left = self.settings.turn_steps;
    }

    /// Whether there is more to do in this turn.
    pub(crate) fn has_steps(&self) -> bool {
        self.steps_left > 0
    }

    pub(crate) fn spend(&mut self, steps: usize) {
        self.steps_left = self.steps_left.saturating_sub(steps);
    }

    /// Whether [`Core::work`] has something to do.
    pub(crate) fn has_work(&self) -> bool {
        !self.works.is_empty() || !self.touched.is_empty()
    }

    /// What nobody refers to any more. Freeing it can take the system long, and needs no lock.
    pub(crate) fn take_garbage(&mut self) -> Vec<Arc<Message>> {
        mem::take(&mut self.garbage)
    }

    /// One turn of what is left from others, each of which gets a share.
    pub(crate) fn work(&mut self) {
        // Queues that never come to rest must not keep the rest from its end.
        let half = self.settings.turn_steps.div_ceil(2);
        self.steps_left = half;
        self.run();
        self.steps_left += half;
        for _ in 0..self.works.len() {
            let Some(work) = self.works.pop_front() else { break };
            if !self.has_steps() {
                self.works.push_front(work);
                break;
            }
            let share = (self.settings.turn_steps / 4).max(1);
            let others = self.steps_left.saturating_sub(share);
            self.steps_left -= others;
            self.go_on(work);
            self.steps_left += others;
            self.run();
        }
    }

    /// Does what can be done in this turn; the rest is done in others.
    pub(crate) fn begin(&mut self, mut work: Work) {
        match &mut work {
            Work::Settle { settle: Settle::Reject { requeue: true }, settling, .. }
            | Work::Release { settling, .. } => self.hold_queues(settling),
            Work::Commit { settlements, .. } => {
                for (settle, settling) in settlements {
                    if *settle == (Settle::Reject { requeue: true }) {
                        self.hold_queues(settling);
                    }
                }
            }
            _ => {}
        }
        if let Some(connection) = work.connection() {
            *self.working.entry(connection).or_default() += 1;
        }
        self.go_on(work);
    }

    /// Queues to which something comes back give out nothing meanwhile.
    fn hold_queues(&mut self, settling: &mut Settling) {
        settling.returning = mem::take(&mut settling.queues);
        for queue in &settling.returning {
            if let Some(queue) = self.queues.get_mut(queue) {
                queue.returning += 1;
            }
        }
    }

    fn let_queues_go(&mut self, returned: BTreeSet<QueueId>) {
        for id in returned {
            if let Some(queue) = self.queues.get_mut(&id) {
                queue.returning -= 1;
            }
            self.touch(id);
        }
    }

    fn go_on(&mut self, mut work: Work) {
        let is_done = match &mut work {
            Work::Settle { connection, channel, settle, settling } => {
                self.settle_some(*connection, Some(*channel), *settle, settling, RequeuedBy::Client)
            }
            Work::Release { connection, consumers, settling } => {
                while self.has_steps()
                    && let Some(consumer) = consumers.pop()
                {
                    self.spend(DELETE_STEPS);
                    self.remove_consumer_and_queue(consumer);
                }
                let requeue = Settle::Reject { requeue: true };
                consumers.is_empty()
                    && self.settle_some(*connection, None, requeue, settling, RequeuedBy::ChannelEnd)
            }
            Work::Close { connection, owned } => self.close_some(*connection, owned),
            Work::Commit { connection, channel, publishes, settlements, is_stored } => {
                self.commit_some(*connection, *channel, publishes, settlements, is_stored)
            }
            Work::Rollback { connection, channel, transaction } => {
                self.roll_back_some(*connection, *channel, transaction)
            }
            Work::Forget { queue, entries } => {
                while self.has_steps()
                    && let Some(entry) = entries.next()
                {
                    self.spend(1);
                    self.forget_entry(*queue, &entry);
                    self.garbage.push(entry.message);
                }
                self.has_steps()
            }
        };
        if !is_done {
            self.works.push_back(work);
        } else if let Some(connection) = work.connection()
            && let Some(left) = self.working.get_mut(&connection)
        {
            *left -= 1;
            if *left == 0 {
                self.working.remove(&connection);
            }
        }
    }

    fn settle_some(
        &mut self,
        connection: ConnectionId,
        channel: Option<u16>,
        settle: Settle,
        settling: &mut Settling,
        by: RequeuedBy,
    ) -> bool {
        while self.has_steps()
            && let Some((_, unacked)) = settling.left.pop_first()
        {
            self.spend(1);
            if let Some(channel) = channel {
                self.free_global_room(connection, channel, &unacked);
            }
            self.settle_one(connection, unacked, settle, by);
        }
        let is_done = settling.left.is_empty();
        if is_done {
            self.let_queues_go(mem::take(&mut settling.returning));
        }
        is_done
    }

    fn close_some(&mut self, id: ConnectionId, owned: &mut Vec<QueueId>) -> bool {
        // The messages that it held come first.
        if self.working.get(&id).is_some_and(|works| *works > 1) {
            self.spend(1);
            return false;
        }
        while self.has_steps()
            && let Some(queue) = owned.pop()
        {
            self.spend(DELETE_STEPS);
            self.delete_queue(queue);
        }
        if !owned.is_empty() {
            return false;
        }
        if let Some(connection) = self.connections.remove(&id) {
            self.report(|_| Event::ConnectionClosed(connection.info));
        }
        true
    }

    fn commit_some(
        &mut self,
        connection: ConnectionId,
        number: u16,
        publishes: &mut VecDeque<HeldPublish>,
        settlements: &mut VecDeque<(Settle, Settling)>,
        is_stored: &mut bool,
    ) -> bool {
        while self.has_steps()
            && let Some(HeldPublish { message, queues, mandatory }) = publishes.pop_front()
        {
            self.spend(1 + queues.len());
            self.holding_bytes -= HeldPublish::BYTES;
            *is_stored |= self.publish_to(connection, number, message, &queues, mandatory) == Verdict::Stored;
        }
        if !publishes.is_empty() {
            return false;
        }
        while let Some((settle, settling)) = settlements.front_mut() {
            *is_stored |= self.log.is_enabled();
            let settle = *settle;
            if !self.settle_some(connection, Some(number), settle, settling, RequeuedBy::Client) {
                return false;
            }
            settlements.pop_front();
        }
        let unwritten = self.log.last_unwritten().filter(|_| *is_stored);
        if let Some(batch) = unwritten {
            if let Some(Mode::Transaction(transaction)) =
                self.channel_mut(connection, number).map(|channel| &mut channel.mode)
            {
                transaction.commit_with(batch);
            }
        } else if self.channel_mut(connection, number).is_some_and(|channel| !channel.is_closing) {
            self.reply(connection, number, AMQPClass::Tx(tx::AMQPMethod::CommitOk(tx::CommitOk {})));
        }
        true
    }

    fn roll_back_some(
        &mut self,
        connection: ConnectionId,
        number: u16,
        transaction: &mut Transaction,
    ) -> bool {
        while self.has_steps()
            && let Some(publish) = transaction.publishes.pop_front()
        {
            self.spend(1);
            self.holding_bytes -= HeldPublish::BYTES;
            self.garbage.push(publish.message);
        }
        while self.has_steps()
            && let Some((tag, unacked)) = transaction.pop_unacked()
        {
            self.spend(1);
            match self.channel_mut(connection, number).filter(|channel| !channel.is_closing) {
                Some(channel) => {
                    channel.note_unacked(tag, unacked);
                }
                None => {
                    let requeue = Settle::Reject { requeue: true };
                    self.settle_one(connection, unacked, requeue, RequeuedBy::ChannelEnd);
                }
            }
        }
        let is_done = transaction.publishes.is_empty() && transaction.settlements.is_empty();
        if is_done && self.channel_mut(connection, number).is_some_and(|channel| !channel.is_closing) {
            self.reply(connection, number, AMQPClass::Tx(tx::AMQPMethod::RollbackOk(tx::RollbackOk {})));
        }
        is_done
    }

    /// What is left of a channel when it ends.
    pub(crate) fn begin_release(&mut self, connection: ConnectionId, channel: Channel) {
        let Channel { mode, consumers, mut unacked, delivered_from, .. } = channel;
        // Acks that wait for a commit which never comes are void (spec 1.9.2.5).
        if let Mode::Transaction(mut transaction) = mode {
            for (_, settling) in mem::take(&mut transaction.settlements) {
                unacked = merged(unacked, settling);
            }
            let work = Work::Rollback { connection, channel: 0, transaction };
            self.begin(work);
        }
        let settling = Settling::new(unacked, &delivered_from);
        self.begin(Work::Release { connection, consumers: consumers.into_values().collect(), settling });
    }

    /// Deliveries that are neither back nor with a channel, and whose they were.
    #[cfg(test)]
    pub(crate) fn settling(&self) -> impl Iterator<Item = (Option<(ConnectionId, u16)>, &Unacked)> {
        self.works.iter().flat_map(|work| match work {
            Work::Settle { connection, channel, settling, .. } => {
                settling.left.values().map(|left| (Some((*connection, *channel)), left)).collect()
            }
            Work::Release { settling, .. } => settling.left.values().map(|left| (None, left)).collect(),
            _ => Vec::new(),
        })
    }

    /// Whether a method must not be executed yet.
    pub(crate) fn must_wait(
        &mut self,
        connection: ConnectionId,
        number: u16,
        method: Option<&AMQPClass>,
    ) -> bool {
        if self.working.contains_key(&connection) {
            return true;
        }
        let name = match method {
            Some(AMQPClass::Basic(basic::AMQPMethod::Get(get))) => get.queue.as_str(),
            Some(AMQPClass::Queue(
                queue::AMQPMethod::Declare(queue::Declare { queue, .. })
                | queue::AMQPMethod::Purge(queue::Purge { queue, .. })
                | queue::AMQPMethod::Delete(queue::Delete { queue, .. }),
            )) => queue.as_str(),
            _ => return false,
        };
        let Ok(name) = self.expand_queue_name(connection, number, name) else { return false };
        let Some(&id) = self.queue_ids.get(name.as_str()) else { return false };
        let is_get = matches!(method, Some(AMQPClass::Basic(_)));
        if is_get {
            self.drop_expired(id);
        }
        let now_ms = self.now_ms;
        let Some(queue) = self.queues.get(&id) else { return false };
        if is_get {
            let has_expired = queue.ready.head().is_some_and(|head| head.has_expired(now_ms));
            let must_wait = queue.returning > 0 || queue.is_touched || has_expired;
            if has_expired {
                self.touch(id);
            }
            must_wait
        } else {
            // A count of the moment will do while more changes than anybody could wait for.
            queue.is_touched && !queue.is_behind
        }
    }

    /// Removes messages that nobody can see any more.
    pub(crate) fn forget_all(&mut self, queue: QueueId, entries: impl Entries + 'static) {
        self.begin(Work::Forget { queue, entries: Box::new(entries) });
    }
}

/// All deliveries of both; that it is linear in the smaller is what counts.
fn merged(one: BTreeMap<u64, Unacked>, other: Settling) -> BTreeMap<u64, Unacked> {
    let (mut large, small) = if one.len() < other.left.len() { (other.left, one) } else { (one, other.left) };
    large.extend(small);
    large
}

impl Settling {
    pub(crate) fn new(left: BTreeMap<u64, Unacked>, delivered_from: &BTreeSet<QueueId>) -> Self {
        /// To look at a million deliveries takes long, too.
        const FEW: usize = 100;
        let queues = if left.len() <= FEW {
            left.values().map(|unacked| unacked.queue).collect()
        } else {
            delivered_from.clone()
        };
        Self { left, queues, returning: BTreeSet::new() }
    }
}
