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
//! - A message for tens of thousands of queues reaches them one after the other, and is confirmed when all have it. A
//!   large transaction is committed in its order, but others may see a part of it, as in RabbitMQ. Its commit-ok comes at
//!   its end.
//! - A queue that is deleted is gone at once for everybody; its consumers are told and its bindings removed after that.
//!   Its name can be used again when that is done.
//! - A connection is there until all it held is back and all it owned is gone; only then its close is confirmed.

use super::{
    ConnectionId, Core, Message, QueueId,
    channel::Deliveries,
    ending::{Deletion, Release},
    queue::{Entry, RequeuedBy},
    settle::Settle,
    spread::Spread,
    transaction::{Commit, Transaction},
};
use amq_protocol::protocol::{AMQPClass, basic, queue};
use std::{collections::BTreeSet, mem, sync::Arc};

/// Publishing a message again takes longer than dropping it.
pub(crate) const DEAD_LETTER_STEPS: usize = 5;
/// To look at so many things that stay as they are takes as long as to move a message.
const LOOKS_PER_STEP: usize = 50;

/// Something that was begun and has no end yet.
#[derive(Debug)]
pub(crate) enum Work {
    Publish {
        connection: ConnectionId,
        channel: u16,
        /// What is to be confirmed at its end.
        tag: Option<u64>,
        spread: Spread,
    },
    Settle {
        connection: ConnectionId,
        channel: u16,
        settle: Settle,
        left: Deliveries,
        returning: BTreeSet<QueueId>,
    },
    /// The end of a channel.
    Release {
        connection: ConnectionId,
        release: Release,
        returning: BTreeSet<QueueId>,
    },
    /// The end of a connection, after that of its channels.
    Close {
        connection: ConnectionId,
    },
    Commit {
        connection: ConnectionId,
        channel: u16,
        commit: Box<Commit>,
        returning: BTreeSet<QueueId>,
    },
    /// Settlements become void; their deliveries are unsettled again (spec 1.9.2.5).
    Rollback {
        connection: ConnectionId,
        channel: u16,
        transaction: Transaction,
    },
    /// The end of a queue, and whose doing it was.
    Delete {
        connection: Option<ConnectionId>,
        deletion: Deletion,
    },
    /// Messages that are in no queue any more; in the store they may still be in this one.
    Forget {
        queue: Option<QueueId>,
        entries: Box<dyn Entries>,
    },
}

/// Messages that go one after the other.
pub(crate) trait Entries: Iterator<Item = Entry> + std::marker::Send + std::fmt::Debug {}
impl<T: Iterator<Item = Entry> + std::marker::Send + std::fmt::Debug> Entries for T {}

impl Work {
    fn connection(&self) -> Option<ConnectionId> {
        match self {
            Self::Publish { connection, .. }
            | Self::Settle { connection, .. }
            | Self::Release { connection, .. }
            | Self::Close { connection }
            | Self::Commit { connection, .. }
            | Self::Rollback { connection, .. } => Some(*connection),
            Self::Delete { connection, .. } => *connection,
            Self::Forget { .. } => None,
        }
    }

    /// The queues that give out nothing until it is done, for messages come back to them.
    fn returning(&mut self) -> Option<&mut BTreeSet<QueueId>> {
        match self {
            Self::Settle { returning, .. }
            | Self::Release { returning, .. }
            | Self::Commit { returning, .. } => Some(returning),
            _ => None,
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

    /// Accounts for a search.
    pub(crate) fn spend_on_looks(&mut self, looks: usize) {
        self.spend(looks / LOOKS_PER_STEP);
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
        for queue in work.returning().into_iter().flat_map(|queues| &*queues) {
            if let Some(queue) = self.queues.get_mut(queue) {
                queue.returning += 1;
            }
        }
        if let Some(connection) = work.connection() {
            *self.working.entry(connection).or_default() += 1;
        }
        self.go_on(work);
    }

    fn go_on(&mut self, mut work: Work) {
        let before = mem::replace(&mut self.doer, work.connection());
        let is_done = self.go_on_with(&mut work);
        self.doer = before;
        if !is_done {
            self.works.push_back(work);
            return;
        }
        for id in work.returning().map(mem::take).unwrap_or_default() {
            if let Some(queue) = self.queues.get_mut(&id) {
                queue.returning -= 1;
            }
            self.touch(id);
        }
        if let Some(connection) = work.connection()
            && let Some(left) = self.working.get_mut(&connection)
        {
            *left -= 1;
            if *left == 0 {
                self.working.remove(&connection);
            }
        }
    }

    /// Does as much as there are steps for; says whether all is done.
    fn go_on_with(&mut self, work: &mut Work) -> bool {
        match work {
            Work::Publish { connection, channel, tag, spread } => {
                while self.has_steps() {
                    if let Some(verdict) = self.spread_part(*connection, spread) {
                        self.confirm(*connection, *channel, *tag, verdict);
                        return true;
                    }
                }
                false
            }
            Work::Settle { connection, channel, settle, left, .. } => {
                self.settle_some(*connection, Some(*channel), *settle, left, RequeuedBy::Client)
            }
            Work::Release { connection, release, .. } => self.release_some(*connection, release),
            Work::Close { connection } => self.close_some(*connection),
            Work::Commit { connection, channel, commit, .. } => {
                self.commit_some(*connection, *channel, commit)
            }
            Work::Rollback { connection, channel, transaction } => {
                self.roll_back_some(*connection, *channel, transaction)
            }
            Work::Delete { connection: _, deletion } => self.delete_some(deletion),
            Work::Forget { queue, entries } => {
                while self.has_steps() {
                    let Some(entry) = entries.next() else { return true };
                    self.spend(1);
                    match queue {
                        Some(queue) => self.forget_entry(*queue, &entry),
                        None => self.holding_bytes -= Entry::READY_BYTES,
                    }
                    self.garbage.push(entry.message);
                }
                false
            }
        }
    }

    /// How many things are going on for a connection.
    pub(crate) fn works_of(&self, connection: ConnectionId) -> usize {
        self.working.get(&connection).copied().unwrap_or_default()
    }

    /// Deliveries that are neither back nor with a channel, and whose they were.
    #[cfg(test)]
    pub(crate) fn settling(
        &self,
    ) -> impl Iterator<Item = (Option<(ConnectionId, u16)>, &super::channel::Unacked)> {
        self.works.iter().flat_map(|work| match work {
            Work::Settle { connection, channel, left, .. } => {
                left.iter().map(|left| (Some((*connection, *channel)), left)).collect()
            }
            Work::Release { release, .. } => release.unacked.iter().map(|left| (None, left)).collect(),
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
        if self.remains.values().any(|queue| *queue.name == *name) {
            return true;
        }
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

    /// Removes messages that nobody can see any more; what is stored of them is in this queue, if it is not gone with it.
    pub(crate) fn forget_all(&mut self, queue: Option<QueueId>, entries: impl Entries + 'static) {
        self.begin(Work::Forget { queue, entries: Box::new(entries) });
    }
}
