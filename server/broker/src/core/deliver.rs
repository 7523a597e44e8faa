//! Getting messages out of queues: to consumers, by `basic.get`, or because their time is over.

use super::{
    ConnectionId, ConsumerId, Core, Message, Outcome, QueueId, Send, arguments::QueueKind, channel::Unacked,
    queue::Entry,
};
use crate::event::{DeathReason, Event};
use amq_protocol::{
    protocol::{AMQPClass, basic},
    types::AMQPValue,
};
use std::sync::Arc;

impl Core {
    /// Delivers what is ready to whoever has room; false if the turn was over before.
    pub(crate) fn deliver_ready(&mut self, id: QueueId) -> bool {
        while let Some(queue) = self.queues.get(&id)
            && let Some(head) = queue.ready.head()
        {
            if !self.has_steps() {
                return false;
            }
            // A message with a time to live of 0 is delivered if that can be done at once, so what
            // expires this very moment still goes out.
            if head.expires_at_ms.is_some_and(|at| at < self.now_ms) {
                self.expire_head(id);
                continue;
            }
            let Some(consumer) = self.next_consumer(id) else { break };
            let Some(entry) = self.queue_mut(id).and_then(|queue| queue.ready.pop()) else { break };
            self.spend(1);
            self.deliver(id, consumer, entry);
        }
        true
    }

    fn deliver(&mut self, id: QueueId, consumer_id: ConsumerId, entry: Entry) {
        let Some(consumer) = self.consumers.get_mut(&consumer_id) else { return };
        let (connection_id, number) = (consumer.connection, consumer.channel);
        let (tag, no_ack) = (consumer.tag.clone(), consumer.no_ack);
        let Some(connection) = self.connections.get_mut(&connection_id) else { return };
        let Some(channel) = connection.channels.get_mut(&number) else { return };
        let delivery_tag = channel.next_delivery_tag();
        channel.last_served = Some(id);
        connection.last_served = Some(id);
        connection.unwritten_bytes += weight(&entry.message);
        let redelivered = entry.redelivered;
        let message = entry.message.clone();
        if no_ack {
            self.forget_entry(id, &entry);
        } else {
            self.holding_bytes -= Entry::READY_BYTES;
            self.holding_bytes += Unacked::BYTES;
            consumer.unacked += 1;
            channel.global_unacked += 1;
            let unacked =
                Unacked { queue: id, entry: entry.clone(), consumer: Some((consumer_id, tag.clone())) };
            channel.note_unacked(delivery_tag, unacked);
            if let Some(queue) = self.queues.get_mut(&id) {
                queue.count_delivered();
            }
        }
        let sent =
            if entry.delivery_count == 0 { message.clone() } else { self.with_delivery_count(id, &entry) };
        self.send(
            connection_id,
            number,
            Send::Deliver { consumer_tag: tag.clone(), delivery_tag, redelivered, message: sent },
        );
        self.report_delivered(id, connection_id, message, Some(tag), redelivered, no_ack);
    }

    /// A quorum queue says how often it has delivered a message before; to a consumer it does not say "never", to a get it
    /// does.
    fn with_delivery_count(&self, id: QueueId, entry: &Entry) -> Arc<Message> {
        let is_quorum = self.queues.get(&id).is_some_and(|queue| queue.arguments.kind == QueueKind::Quorum);
        if !is_quorum {
            return entry.message.clone();
        }
        let message = &entry.message;
        let mut headers = message.headers().unwrap_or_default();
        let count = i64::from(entry.delivery_count);
        headers.insert("x-delivery-count".into(), AMQPValue::LongLongInt(count));
        Arc::new(message.with_properties(message.raw_properties().with_headers(&headers)))
    }

    /// `basic.get` (spec 1.8.3.10).
    pub(crate) fn get(&mut self, connection: ConnectionId, number: u16, get: &basic::Get) -> Outcome<()> {
        let name = self.expand_queue_name(connection, number, get.queue.as_str())?;
        let id = self.accessible_queue(connection, &name)?;
        let now_ms = self.now_ms;
        self.drop_expired(id);
        let taken = self.queue_mut(id).and_then(|queue| {
            queue.used_at_ms = now_ms;
            queue.ready.pop()
        });
        let Some(entry) = taken else {
            let empty = basic::AMQPMethod::GetEmpty(basic::GetEmpty {});
            self.reply(connection, number, AMQPClass::Basic(empty));
            return Ok(());
        };
        let Some(channel) = self.channel_mut(connection, number) else { return Ok(()) };
        let delivery_tag = channel.next_delivery_tag();
        if !get.no_ack {
            let unacked = Unacked { queue: id, entry: entry.clone(), consumer: None };
            channel.note_unacked(delivery_tag, unacked);
        }
        if get.no_ack {
            self.forget_entry(id, &entry);
        } else if let Some(queue) = self.queue_mut(id) {
            queue.count_delivered();
            self.holding_bytes -= Entry::READY_BYTES;
            self.holding_bytes += Unacked::BYTES;
        }
        if let Some(connection) = self.connections.get_mut(&connection) {
            connection.unwritten_bytes += weight(&entry.message);
        }
        let message = self.with_delivery_count(id, &entry);
        let redelivered = entry.redelivered;
        self.report_delivered(id, connection, entry.message, None, redelivered, get.no_ack);
        // What has expired behind it is not left any more.
        self.drop_expired(id);
        // More may have expired than there are steps for, and what is at the head now expires in its time.
        self.touch(id);
        let left = self.queues.get(&id).map_or(0, |queue| queue.ready.len());
        let message_count = u32::try_from(left).unwrap_or(u32::MAX);
        self.send(connection, number, Send::GetOk { delivery_tag, redelivered, message_count, message });
        Ok(())
    }

    fn report_delivered(
        &self,
        queue: QueueId,
        connection: ConnectionId,
        message: Arc<Message>,
        consumer_tag: Option<super::Name>,
        redelivered: bool,
        no_ack: bool,
    ) {
        let (Some(queue), Some(connection)) = (self.queues.get(&queue), self.info_of(connection)) else {
            return;
        };
        self.report(|_| Event::Delivered {
            depth: queue.depth(),
            message,
            consumer_tag,
            connection,
            redelivered,
            no_ack,
        });
    }

    fn expire_head(&mut self, id: QueueId) {
        if let Some(entry) = self.queue_mut(id).and_then(|queue| queue.ready.pop()) {
            self.expire(id, entry);
        }
    }

    /// Removes what has expired at the head of the queue.
    pub(crate) fn drop_expired(&mut self, id: QueueId) {
        let now_ms = self.now_ms;
        while self.has_steps()
            && let Some(entry) = self.queue_mut(id).and_then(|queue| queue.ready.pop_expired(now_ms))
        {
            self.expire(id, entry);
        }
    }

    fn expire(&mut self, id: QueueId, entry: Entry) {
        self.spend(1);
        self.forget_entry(id, &entry);
        self.report_leaving(id, |depth| Event::Expired { depth, message: entry.message.clone() });
        self.dead_letter(id, &entry.message, DeathReason::Expired);
        self.garbage.push(entry.message);
    }

    /// Removes what is too much from the head of the queue.
    pub(crate) fn drop_overflow(&mut self, id: QueueId) {
        while self.has_steps()
            && let Some(queue) = self.queues.get_mut(&id)
            && queue.drops_head()
            && let Some(entry) = queue.ready.pop()
        {
            self.forget_entry(id, &entry);
            self.spend(1);
            let reason = DeathReason::MaxLength;
            self.report_leaving(id, |depth| Event::Dropped { depth, message: entry.message.clone(), reason });
            self.dead_letter(id, &entry.message, reason);
        }
    }

    fn report_leaving(&self, id: QueueId, event: impl FnOnce(crate::event::QueueDepth) -> Event) {
        if let Some(queue) = self.queues.get(&id) {
            self.report(|_| event(queue.depth()));
        }
    }
}

/// What a message counts for on its way to a socket; [`Core::written`] must be told the same.
pub(crate) fn weight(message: &Message) -> usize {
    /// Frames, names and bookkeeping: many empty messages are not for nothing.
    const OVERHEAD_BYTES: usize = 100;
    OVERHEAD_BYTES + message.body().len() + message.encoded_properties().len()
}
