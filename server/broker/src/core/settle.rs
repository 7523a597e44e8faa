//! Settling deliveries: ack, nack, reject, recover (spec 1.8.3.13 to 1.8.3.16).

use super::{
    ConnectionId, Core, Exception, Outcome, QueueId, StoreOp,
    arguments::QueueKind,
    channel::{Deliveries, Mode, Unacked},
    queue::{Entry, RequeuedBy},
    work::Work,
};
use crate::event::{DeathReason, Event, Settlement};
use amq_protocol::protocol::{AMQPClass, basic};
use std::collections::BTreeSet;

/// What is to happen to a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settle {
    Ack,
    Reject { requeue: bool },
}

impl Core {
    /// Settles what a client names: one tag, all up to a tag, or with tag 0 and `multiple` all there are.
    pub(crate) fn settle_tags(
        &mut self,
        connection: ConnectionId,
        number: u16,
        tag: u64,
        multiple: bool,
        settle: Settle,
    ) -> Outcome<()> {
        let Some(channel) = self.channel_mut(connection, number) else { return Ok(()) };
        let settled = if tag == 0 && multiple {
            Deliveries::Many(std::mem::take(&mut channel.unacked))
        } else if !channel.unacked.contains_key(&tag) {
            return Err(Exception::precondition_failed(format!("unknown delivery tag {tag}")));
        } else if multiple {
            let later = channel.unacked.split_off(&(tag + 1));
            Deliveries::Many(std::mem::replace(&mut channel.unacked, later))
        } else {
            Deliveries::One(channel.unacked.remove_entry(&tag))
        };
        if let Mode::Transaction(transaction) = &mut channel.mode {
            if settle == (Settle::Reject { requeue: true }) {
                transaction.returning_to.extend(settled.queues(&channel.delivered_from));
            }
            transaction.settlements.push_back((settle, settled));
            return Ok(());
        }
        self.settle(connection, number, settle, settled);
        Ok(())
    }

    /// Settles deliveries that were already taken from their channel.
    fn settle(&mut self, connection: ConnectionId, channel: u16, settle: Settle, settled: Deliveries) {
        let Some(found) = self.channel_mut(connection, channel) else { return };
        let returning = match settle {
            Settle::Reject { requeue: true } => settled.queues(&found.delivered_from),
            _ => BTreeSet::new(),
        };
        self.begin(Work::Settle { connection, channel, settle, left: settled, returning });
    }

    /// Settles as many as there are steps for; says whether all are.
    pub(crate) fn settle_some(
        &mut self,
        connection: ConnectionId,
        channel: Option<u16>,
        settle: Settle,
        left: &mut Deliveries,
        by: RequeuedBy,
    ) -> bool {
        while self.has_steps()
            && let Some((_, unacked)) = left.pop_first()
        {
            self.spend(1);
            if let Some(channel) = channel {
                self.free_global_room(connection, channel, &unacked);
            }
            self.settle_one(connection, unacked, settle, by);
        }
        left.is_empty()
    }

    pub(crate) fn settle_one(
        &mut self,
        connection: ConnectionId,
        unacked: Unacked,
        settle: Settle,
        by: RequeuedBy,
    ) {
        match settle {
            Settle::Ack => self.remove_settled(connection, unacked, Settlement::Acked),
            Settle::Reject { requeue: false } => {
                self.remove_settled(connection, unacked, Settlement::Rejected);
            }
            Settle::Reject { requeue: true } => self.requeue(connection, unacked, by),
        }
    }

    /// `basic.recover`: everything unsettled on the channel goes back to its queue.
    pub(crate) fn recover(&mut self, connection: ConnectionId, number: u16, requeue: bool) -> Outcome<()> {
        if !requeue {
            return Err(Exception::not_implemented("requeue=false"));
        }
        let Some(channel) = self.channel_mut(connection, number) else { return Ok(()) };
        let unacked = Deliveries::Many(std::mem::take(&mut channel.unacked));
        self.settle(connection, number, Settle::Reject { requeue: true }, unacked);
        Ok(())
    }

    pub(crate) fn recover_ok(&mut self, connection: ConnectionId, number: u16) {
        let ok = basic::AMQPMethod::RecoverOk(basic::RecoverOk {});
        self.reply(connection, number, AMQPClass::Basic(ok));
    }

    /// A delivery that counts against the channel's own prefetch does not any more.
    pub(crate) fn free_global_room(&mut self, connection: ConnectionId, number: u16, settled: &Unacked) {
        if settled.consumer.is_none() {
            return;
        }
        let Some(channel) = self.channel_mut(connection, number) else { return };
        let was_full = !channel.has_global_room();
        channel.global_unacked = channel.global_unacked.saturating_sub(1);
        if was_full && channel.has_global_room() {
            let consumers: Vec<_> = channel.consumers.values().copied().collect();
            let last_served = channel.last_served;
            self.touch_queues_of(&consumers, last_served);
        }
    }

    /// Takes a delivery off the books of its queue and its consumer; none if its queue is gone.
    fn take_back(&mut self, unacked: &Unacked) -> Option<()> {
        if let Some((consumer, _)) = &unacked.consumer
            && let Some(consumer) = self.consumers.get_mut(consumer)
        {
            consumer.unacked -= 1;
        }
        let Some(queue) = self.queues.get_mut(&unacked.queue) else {
            // The queue is gone, but the delivery kept its message until now.
            self.holding_bytes -= Unacked::BYTES;
            return None;
        };
        queue.count_settled();
        self.holding_bytes -= Unacked::BYTES;
        self.holding_bytes += Entry::READY_BYTES;
        self.touch(unacked.queue);
        Some(())
    }

    fn remove_settled(&mut self, connection: ConnectionId, unacked: Unacked, settlement: Settlement) {
        if self.take_back(&unacked).is_none() {
            return;
        }
        let Unacked { queue, entry, consumer } = unacked;
        self.forget_entry(queue, &entry);
        self.report_settled(connection, queue, &entry, consumer.map(|(_, tag)| tag), settlement);
        if settlement == Settlement::Rejected {
            self.dead_letter(queue, &entry.message, DeathReason::Rejected);
        }
    }

    /// Returns a delivery to its queue, where it was; a quorum queue counts how often.
    pub(crate) fn requeue(&mut self, connection: ConnectionId, unacked: Unacked, by: RequeuedBy) {
        if self.take_back(&unacked).is_none() {
            return;
        }
        let Unacked { queue: id, mut entry, consumer } = unacked;
        let tag = consumer.map(|(_, tag)| tag);
        entry.delivery_count = entry.delivery_count.saturating_add(1);
        let Some(queue) = self.queues.get_mut(&id) else { return };
        let limit = queue.arguments.delivery_limit.filter(|_| queue.arguments.kind == QueueKind::Quorum);
        if limit.is_some_and(|limit| u64::from(entry.delivery_count) > limit) {
            self.forget_entry(id, &entry);
            self.report_settled(connection, id, &entry, tag, Settlement::Rejected);
            self.dead_letter(id, &entry.message, DeathReason::DeliveryLimit);
            return;
        }
        let position = queue.requeue(entry.clone(), by);
        if entry.stored {
            if position != entry.position {
                self.log.note(StoreOp::DeleteMessage { queue: id, position: entry.position });
                let Entry { message, expires_at_ms, .. } = entry.clone();
                self.log.note(StoreOp::PutMessage { queue: id, position, message, expires_at_ms });
            }
            let delivery_count = entry.delivery_count;
            self.log.note(StoreOp::MarkRedelivered { queue: id, position, delivery_count });
        }
        self.report_settled(connection, id, &entry, tag, Settlement::Requeued);
    }

    /// A message has left a queue for good.
    pub(crate) fn forget_entry(&mut self, queue: QueueId, entry: &Entry) {
        self.holding_bytes -= Entry::READY_BYTES;
        if entry.stored {
            self.log.note(StoreOp::DeleteMessage { queue, position: entry.position });
        }
    }

    fn report_settled(
        &self,
        connection: ConnectionId,
        queue: QueueId,
        entry: &Entry,
        consumer_tag: Option<super::Name>,
        settlement: Settlement,
    ) {
        let (Some(queue), Some(connection)) = (self.queues.get(&queue), self.info_of(connection)) else {
            return;
        };
        self.report(|_| Event::Settled {
            depth: queue.depth(),
            message: entry.message.clone(),
            consumer_tag,
            connection,
            settlement,
        });
    }
}
