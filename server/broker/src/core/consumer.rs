//! Consumers: who gets what a queue holds (spec 1.8.3.3).

use super::{ConnectionId, ConsumerId, Core, Exception, Name, Outcome, QueueId, arguments, short};
use crate::event::{ConsumerInfo, Event};
use amq_protocol::{
    protocol::{AMQPClass, basic},
    types::AMQPValue,
};
use std::collections::BTreeSet;

/// A consumer of a queue.
#[derive(Debug)]
pub(crate) struct Consumer {
    pub(crate) queue: QueueId,
    pub(crate) connection: ConnectionId,
    pub(crate) channel: u16,
    pub(crate) tag: Name,
    pub(crate) no_ack: bool,
    pub(crate) exclusive: bool,
    /// Higher ones are served first (`x-priority`).
    pub(crate) priority: i64,
    /// How many deliveries it may have unsettled; 0 is any number.
    pub(crate) prefetch: u16,
    pub(crate) unacked: usize,
}

impl Consumer {
    fn has_room(&self) -> bool {
        self.no_ack || self.prefetch == 0 || self.unacked < usize::from(self.prefetch)
    }
}

impl Core {
    pub(crate) fn consume(
        &mut self,
        connection: ConnectionId,
        number: u16,
        consume: basic::Consume,
    ) -> Outcome<()> {
        let tag = consume.consumer_tag.as_str();
        let Some(channel) = self.channel_mut(connection, number) else { return Ok(()) };
        let (prefetch, has_global_prefetch) = (channel.prefetch, channel.global_prefetch > 0);
        if channel.consumers.contains_key(tag) {
            return Err(Exception::not_allowed(format!("attempt to reuse consumer tag '{tag}'")));
        }
        if super::reply_to::is_reply_queue(consume.queue.as_str()) {
            return self.consume_replies(connection, number, &consume);
        }
        let name = self.expand_queue_name(connection, number, consume.queue.as_str())?;
        let id = self.accessible_queue(connection, &name)?;
        let queue = &self.queues[&id];
        let priority = match consume.arguments.inner().get("x-priority") {
            None => 0,
            Some(value) => arguments::integer(value).ok_or_else(|| {
                Exception::precondition_failed(format!(
                    "invalid arg 'x-priority' for {}: \"expected integer, got {}\"",
                    self.queue_text(&name),
                    arguments::type_name(value)
                ))
            })?,
        };
        if consume.arguments.inner().get("x-stream-offset").is_some() {
            return Err(Exception::precondition_failed(format!(
                "invalid arg 'x-stream-offset' for {} of queue type rabbit_classic_queue",
                self.queue_text(&name)
            )));
        }
        if let Some(value) = consume.arguments.inner().get("x-cancel-on-ha-failover")
            && !matches!(value, AMQPValue::Boolean(_))
        {
            return Err(Exception::precondition_failed(format!(
                "invalid arg 'x-cancel-on-ha-failover' for {}: {{unacceptable_type,{}}}",
                self.queue_text(&name),
                arguments::type_name(value)
            )));
        }
        let is_quorum = queue.arguments.kind == arguments::QueueKind::Quorum;
        if is_quorum && has_global_prefetch {
            return Err(Exception::not_implemented(format!(
                "{} does not support global qos",
                self.queue_text(&name)
            )));
        }
        self.spend_on_looks(self.queues[&id].consumers.len());
        let queue = &self.queues[&id];
        let is_taken = queue.consumers.iter().any(|other| self.consumers[other].exclusive);
        // Where one is active anyway, another one that wants to be alone could never be waiting.
        let may_be_alone = queue.consumers.is_empty() && !queue.arguments.single_active_consumer;
        if is_taken || (consume.exclusive && !may_be_alone) {
            return Err(Exception::access_refused(format!("{} in exclusive use", self.queue_text(&name))));
        }

        let tag: Name = if tag.is_empty() { self.names.make("amq.ctag").into() } else { tag.into() };
        let consumer_id = ConsumerId(self.next_id());
        let consumer = Consumer {
            queue: id,
            connection,
            channel: number,
            tag: tag.clone(),
            no_ack: consume.no_ack,
            exclusive: consume.exclusive,
            priority,
            prefetch,
            unacked: 0,
        };
        self.consumers.insert(consumer_id, consumer);
        if let Some(channel) = self.channel_mut(connection, number) {
            channel.consumers.insert(tag.clone(), consumer_id);
        }
        let consumers = &self.consumers;
        if let Some(queue) = self.queues.get_mut(&id) {
            let place = queue.consumers.partition_point(|other| consumers[other].priority >= priority);
            queue.consumers.insert(place, consumer_id);
            queue.gauge.set_consumers(queue.consumers.len());
            if queue.arguments.single_active_consumer {
                queue.active_consumer.get_or_insert(consumer_id);
            }
        }
        // The ok comes before the first delivery, or a client would not know whose it is.
        if !consume.nowait {
            let ok = basic::ConsumeOk { consumer_tag: short(&tag) };
            self.reply(connection, number, AMQPClass::Basic(basic::AMQPMethod::ConsumeOk(ok)));
        }
        self.report_consumer(consumer_id, Event::ConsumerAdded);
        self.touch(id);
        Ok(())
    }

    /// The client cancels a consumer; one that is not there is cancelled already.
    pub(crate) fn cancel(&mut self, connection: ConnectionId, number: u16, cancel: basic::Cancel) {
        let tag = cancel.consumer_tag.as_str();
        let Some(channel) = self.channel_mut(connection, number) else { return };
        let consumer = channel.consumers.remove(tag);
        if let Some(reply) = channel.reply_consumer.take_if(|reply| &*reply.tag == tag) {
            self.reply_addresses.remove(&reply.address);
        }
        let deleted = consumer.and_then(|consumer| self.remove_consumer(consumer));
        if !cancel.nowait {
            let ok = basic::CancelOk { consumer_tag: cancel.consumer_tag };
            self.reply(connection, number, AMQPClass::Basic(basic::AMQPMethod::CancelOk(ok)));
        }
        if let Some(queue) = deleted {
            self.delete_queue(queue, Some(connection));
        }
    }

    /// Takes a consumer from its queue, for its connection has let go of it. An auto-delete queue goes with its last one.
    pub(crate) fn remove_consumer_and_queue(&mut self, id: ConsumerId, connection: ConnectionId) {
        if let Some(queue) = self.remove_consumer(id) {
            self.delete_queue(queue, Some(connection));
        }
    }

    /// Takes a consumer from its queue; says which queue is to be deleted for it was the last one.
    #[must_use]
    fn remove_consumer(&mut self, id: ConsumerId) -> Option<QueueId> {
        self.report_consumer(id, Event::ConsumerRemoved);
        let consumer = self.consumers.remove(&id)?;
        let now_ms = self.now_ms;
        let queue = self.queues.get_mut(&consumer.queue)?;
        let looks = queue.consumers.len();
        queue.consumers.retain(|other| *other != id);
        queue.gauge.set_consumers(queue.consumers.len());
        if queue.active_consumer == Some(id) {
            queue.active_consumer = queue.consumers.first().copied();
        }
        queue.used_at_ms = now_ms;
        let is_over = queue.auto_delete && queue.consumers.is_empty();
        self.spend_on_looks(looks);
        self.touch(consumer.queue);
        is_over.then_some(consumer.queue)
    }

    /// Tells a consumer that its queue is gone, if its client announced that it understands.
    pub(crate) fn cancel_by_broker(&mut self, id: ConsumerId) {
        self.report_consumer(id, Event::ConsumerRemoved);
        let Some(consumer) = self.consumers.remove(&id) else { return };
        let (connection_id, number) = (consumer.connection, consumer.channel);
        let Some(connection) = self.connections.get_mut(&connection_id) else { return };
        let notify = connection.consumer_cancel_notify;
        let Some(channel) = connection.channels.get_mut(&number) else { return };
        channel.consumers.remove(&consumer.tag);
        if notify && !channel.is_closing {
            let cancel = basic::Cancel { consumer_tag: short(&consumer.tag), nowait: true };
            self.reply(connection_id, number, AMQPClass::Basic(basic::AMQPMethod::Cancel(cancel)));
        }
    }

    pub(crate) fn qos(&mut self, connection: ConnectionId, number: u16, qos: &basic::Qos) {
        let Some(channel) = self.channel_mut(connection, number) else { return };
        if qos.global {
            channel.global_prefetch = qos.prefetch_count;
        } else {
            channel.prefetch = qos.prefetch_count;
            channel.global_prefetch = 0;
        }
        let consumers: Vec<_> = channel.consumers.values().copied().collect();
        let last_served = channel.last_served;
        self.touch_queues_of(&consumers, last_served);
        self.reply(connection, number, AMQPClass::Basic(basic::AMQPMethod::QosOk(basic::QosOk {})));
    }

    /// Touches the queues of these consumers, those that come after `last_served` first: where consumers share their
    /// room, a queue that is always full would leave nothing to the others.
    pub(crate) fn touch_queues_of(&mut self, consumers: &[ConsumerId], last_served: Option<QueueId>) {
        self.spend_on_looks(consumers.len());
        let queues: BTreeSet<QueueId> =
            consumers.iter().filter_map(|id| self.consumers.get(id)).map(|consumer| consumer.queue).collect();
        let (served, waiting): (Vec<_>, Vec<_>) =
            queues.into_iter().partition(|queue| last_served.is_some_and(|last| *queue <= last));
        for queue in waiting.into_iter().chain(served) {
            self.touch(queue);
        }
    }

    /// Whether a consumer may get one more message now.
    fn can_take(&self, consumer: &Consumer) -> bool {
        consumer.has_room()
            && self.connections.get(&consumer.connection).is_some_and(|connection| {
                connection.unwritten_bytes < self.settings.max_unwritten_bytes
                    && connection
                        .channels
                        .get(&consumer.channel)
                        .is_some_and(|channel| !channel.is_closing && channel.has_global_room())
            })
    }

    /// Chooses who gets the next message of a queue: the highest priority that has room, in turns.
    pub(crate) fn next_consumer(&mut self, id: QueueId) -> Option<ConsumerId> {
        let queue = self.queues.get(&id)?;
        if queue.arguments.single_active_consumer {
            let active = queue.active_consumer?;
            return self.can_take(self.consumers.get(&active)?).then_some(active);
        }
        let count = queue.consumers.len();
        let place = queue.consumers.iter().position(|consumer| {
            self.consumers.get(consumer).is_some_and(|consumer| self.can_take(consumer))
        });
        self.spend_on_looks(place.map_or(count, |place| place + 1));
        let (queue, place) = (self.queues.get(&id)?, place?);
        let chosen = queue.consumers[place];
        if count > 1 {
            let priority = self.consumers.get(&chosen)?.priority;
            let consumers = &self.consumers;
            let queue = self.queues.get_mut(&id)?;
            queue.consumers.remove(place);
            let back = queue.consumers.partition_point(|other| consumers[other].priority >= priority);
            queue.consumers.insert(back, chosen);
        }
        Some(chosen)
    }

    pub(crate) fn consumer_info(&self, id: ConsumerId) -> Option<ConsumerInfo> {
        let consumer = self.consumers.get(&id)?;
        Some(ConsumerInfo {
            queue: self.queue_or_remains(consumer.queue)?.name.clone(),
            tag: consumer.tag.clone(),
            channel: consumer.channel,
            connection: self.info_of(consumer.connection)?,
            no_ack: consumer.no_ack,
            prefetch: consumer.prefetch,
        })
    }

    fn report_consumer(&self, id: ConsumerId, event: impl FnOnce(ConsumerInfo) -> Event) {
        if self.settings.hook.is_some()
            && let Some(info) = self.consumer_info(id)
        {
            self.report(|_| event(info));
        }
    }
}
