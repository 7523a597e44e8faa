//! The end of channels, connections and queues. It may take long, and is done in slices like any [`Work`].

use super::{
    ConnectionId, ConsumerId, Core, Name, QueueId, StoreOp,
    channel::{Channel, Deliveries, Mode},
    exchange::Destination,
    queue::{Queue, RequeuedBy},
    settle::Settle,
    work::Work,
};
use crate::event::Event;
use std::{collections::LinkedList, mem};

/// How much longer it takes to remove a queue, a consumer or a binding than a message.
const REMOVE_STEPS: usize = 10;

/// What is left of a channel.
#[derive(Debug)]
pub(crate) struct Release {
    /// They go first: what returns to the queues must not go out to them again.
    consumers: Vec<ConsumerId>,
    /// Deliveries whose settlement waited for a commit that never came: they return with the others.
    void: LinkedList<(Settle, Deliveries)>,
    pub(crate) unacked: Deliveries,
}

/// What a deleted queue leaves behind, its messages aside.
#[derive(Debug)]
pub(crate) struct Deletion {
    queue: QueueId,
    /// The next one last.
    consumers: Vec<ConsumerId>,
    /// The exchanges that it may be bound to, the next one last.
    bound_to: Vec<Name>,
    /// How many messages went with it.
    messages: usize,
}

impl Core {
    /// Gives back what is left of a channel.
    pub(crate) fn begin_release(&mut self, connection: ConnectionId, channel: Channel) {
        let Channel { mode, consumers, unacked, delivered_from, .. } = channel;
        let unacked = Deliveries::Many(unacked);
        let mut returning = unacked.queues(&delivered_from);
        let mut void = LinkedList::new();
        // Acks that wait for a commit which never comes are void (spec 1.9.2.5).
        if let Mode::Transaction(mut transaction) = mode {
            if !transaction.settlements.is_empty() {
                returning = delivered_from;
            }
            void = mem::take(&mut transaction.settlements);
            self.begin(Work::Rollback { connection, channel: 0, transaction });
        }
        let release = Release { consumers: consumers.into_values().collect(), void, unacked };
        self.begin(Work::Release { connection, release, returning });
    }

    /// Goes on with the end of a channel; says whether it is done.
    pub(crate) fn release_some(&mut self, connection: ConnectionId, release: &mut Release) -> bool {
        let Release { consumers, void, unacked } = release;
        while self.has_steps()
            && let Some(consumer) = consumers.pop()
        {
            self.spend(REMOVE_STEPS);
            self.remove_consumer_and_queue(consumer, connection);
        }
        // In the order of their tags, whatever order they were settled in.
        while self.has_steps()
            && let Some((_, settled)) = void.front_mut()
        {
            self.spend(1);
            match settled.pop_first() {
                Some((tag, delivery)) => unacked.insert(tag, delivery),
                None => {
                    void.pop_front();
                }
            }
        }
        let requeue = Settle::Reject { requeue: true };
        consumers.is_empty()
            && void.is_empty()
            && self.settle_some(connection, None, requeue, unacked, RequeuedBy::ChannelEnd)
    }

    /// Goes on with the end of a connection; says whether it is done.
    pub(crate) fn close_some(&mut self, id: ConnectionId) -> bool {
        // The messages that it held come first.
        while self.works_of(id) == 1 && self.has_steps() {
            let owned = self.connections.get_mut(&id).and_then(|connection| connection.owned.pop_first());
            let Some(queue) = owned else {
                if let Some(connection) = self.connections.remove(&id) {
                    self.report(|_| Event::ConnectionClosed(connection.info));
                }
                return true;
            };
            self.delete_queue(queue, Some(id));
        }
        self.spend(1);
        false
    }

    /// Deletes a queue with its messages and bindings; its consumers are told. The connection whose doing it was, if any,
    /// waits for the end of it.
    pub(crate) fn delete_queue(&mut self, id: QueueId, by: Option<ConnectionId>) {
        let Some(mut queue) = self.queues.remove(&id) else { return };
        self.spend(REMOVE_STEPS);
        self.queue_ids.remove(&queue.name);
        self.gauges.remove(&queue.name);
        if let Some(armed) = queue.armed_ms {
            self.timers.remove(&(armed, id));
        }
        if let Some(owner) = queue.owner.and_then(|owner| self.connections.get_mut(&owner)) {
            owner.owned.remove(&id);
        }
        let deletion = Deletion {
            queue: id,
            consumers: mem::take(&mut queue.consumers).into_iter().rev().collect(),
            bound_to: mem::take(&mut queue.bound_to).into_iter().rev().collect(),
            messages: queue.ready.len(),
        };
        let purged = queue.purge();
        self.remains.insert(id, queue);
        self.begin(Work::Delete { connection: by, deletion });
        self.forget_all(None, purged);
    }

    /// Goes on with the end of a queue; says whether it is done.
    pub(crate) fn delete_some(&mut self, deletion: &mut Deletion) -> bool {
        let Deletion { queue: id, consumers, bound_to, messages } = deletion;
        let destination = Destination::Queue(*id);
        while self.has_steps()
            && let Some(source) = bound_to.pop()
        {
            self.spend(REMOVE_STEPS);
            self.remove_bindings(&source, &destination);
        }
        while self.has_steps()
            && let Some(consumer) = consumers.pop()
        {
            self.spend(REMOVE_STEPS);
            self.cancel_by_broker(consumer);
        }
        if !(bound_to.is_empty() && consumers.is_empty()) {
            return false;
        }
        if let Some(queue) = self.remains.remove(id) {
            // It takes its messages with it, in the store too.
            if queue.durable {
                self.log.note(StoreOp::DeleteQueue(*id));
            }
            let (queue, messages) = (queue.name.clone(), *messages);
            self.report(|core| Event::QueueDeleted { queue, messages, by: core.doer() });
        }
        true
    }

    /// `x-expires`: the queue goes when nobody has used it for so long.
    pub(crate) fn delete_if_unused_too_long(&mut self, id: QueueId) {
        let deadline = self.queues.get(&id).and_then(Queue::unused_deadline_ms);
        if deadline.is_some_and(|deadline| deadline <= self.now_ms) {
            self.delete_queue(id, None);
        }
    }
}
