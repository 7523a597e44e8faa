//! Direct reply-to: answers that go straight to the channel of whoever asked, without a queue.

use super::{
    ConnectionId, Core, Exception, Message, Name, Outcome, Properties, Send, channel::Channel, short,
};
use crate::raw;
use amq_protocol::protocol::{AMQPClass, basic};
use std::sync::Arc;

/// What a client consumes from, and writes into `reply-to`, to get answers.
const REPLY_QUEUE: &str = "amq.rabbitmq.reply-to";

/// The pseudo consumer of a channel that waits for replies.
#[derive(Clone, Debug)]
pub(crate) struct ReplyConsumer {
    pub(crate) tag: Name,
    /// What the other side sees as `reply-to`, and publishes to.
    pub(crate) address: Name,
}

pub(crate) fn is_reply_queue(name: &str) -> bool {
    name == REPLY_QUEUE
}

pub(crate) fn is_reply_address(name: &str) -> bool {
    name.strip_prefix(REPLY_QUEUE).is_some_and(|suffix| suffix.starts_with('.'))
}

impl Core {
    pub(crate) fn consume_replies(
        &mut self,
        connection: ConnectionId,
        number: u16,
        consume: &basic::Consume,
    ) -> Outcome<()> {
        let Some(channel) = self.channel_mut(connection, number) else { return Ok(()) };
        if !consume.no_ack {
            return Err(Exception::precondition_failed("reply consumer cannot acknowledge"));
        }
        if channel.reply_consumer.is_some() {
            return Err(Exception::precondition_failed("reply consumer already set"));
        }
        let tag: Name = match consume.consumer_tag.as_str() {
            "" => self.names.make("amq.ctag").into(),
            tag => tag.into(),
        };
        let address: Name = self.names.make(&format!("{REPLY_QUEUE}.g")).into();
        self.reply_addresses.insert(address.clone(), (connection, number));
        if let Some(channel) = self.channel_mut(connection, number) {
            channel.reply_consumer = Some(ReplyConsumer { tag: tag.clone(), address });
        }
        if !consume.nowait {
            let ok = basic::ConsumeOk { consumer_tag: short(&tag) };
            self.reply(connection, number, AMQPClass::Basic(basic::AMQPMethod::ConsumeOk(ok)));
        }
        Ok(())
    }

    /// Replaces the pseudo queue in `reply-to` by the address of the asking channel.
    pub(crate) fn with_reply_address(
        &mut self,
        connection: ConnectionId,
        number: u16,
        properties: Properties,
    ) -> Outcome<Properties> {
        let asks = properties.text(raw::REPLY_TO).is_some_and(|to| is_reply_queue(&to));
        if !asks {
            return Ok(properties);
        }
        let channel: Option<&mut Channel> = self.channel_mut(connection, number);
        match channel.and_then(|channel| channel.reply_consumer.as_ref()) {
            Some(reply) => Ok(properties.with_reply_to(short(&reply.address))),
            None => Err(Exception::precondition_failed("fast reply consumer does not exist")),
        }
    }

    /// Delivers a reply to whoever waits for it; if nobody does, it is gone.
    pub(crate) fn deliver_reply(&mut self, address: &str, message: &Message) {
        let Some(&(connection, number)) = self.reply_addresses.get(address) else { return };
        let Some(channel) = self.channel_mut(connection, number) else { return };
        let Some(reply) = channel.reply_consumer.clone() else { return };
        // Nobody settles a reply, so like RabbitMQ it does not use up a tag.
        let delivery_tag = channel.peek_delivery_tag();
        let copy = message.with_properties(message.raw_properties().clone());
        if let Some(connection) = self.connections.get_mut(&connection) {
            connection.unwritten_bytes += super::deliver::weight(&copy);
        }
        let message = Arc::new(copy);
        self.send(
            connection,
            number,
            Send::Deliver { consumer_tag: reply.tag, delivery_tag, redelivered: false, message },
        );
    }

    /// A passive declare of a reply address asks whether somebody still waits there.
    pub(crate) fn is_waiting_for_reply(&self, address: &str) -> bool {
        is_reply_queue(address) || self.reply_addresses.contains_key(address)
    }
}
