//! Short ways to say methods.

use crate::client::{Client, Received};
use amq_protocol::{
    protocol::{AMQPClass, BasicProperties, basic, channel, confirm, exchange, queue},
    types::{AMQPValue, FieldTable},
};

/// Arguments from pairs.
pub fn table(fields: &[(&str, AMQPValue)]) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in fields {
        table.insert((*name).into(), value.clone());
    }
    table
}

pub fn text(text: &str) -> AMQPValue {
    AMQPValue::LongString(text.into())
}

pub fn int(number: i32) -> AMQPValue {
    AMQPValue::LongInt(number)
}

pub fn yes() -> AMQPValue {
    AMQPValue::Boolean(true)
}

pub fn declare(name: &str) -> queue::Declare {
    queue::Declare { queue: name.into(), ..Default::default() }
}

pub fn declare_with(name: &str, fields: &[(&str, AMQPValue)]) -> queue::Declare {
    queue::Declare { queue: name.into(), arguments: table(fields), ..Default::default() }
}

pub fn exchange(name: &str, kind: &str) -> exchange::Declare {
    exchange::Declare { exchange: name.into(), kind: kind.into(), ..Default::default() }
}

pub fn properties() -> BasicProperties {
    BasicProperties::default()
}

/// What a client does that is worth an answer.
impl Client {
    #[track_caller]
    pub fn declare(&mut self, channel: u16, declare: queue::Declare) -> Received {
        self.call(channel, AMQPClass::Queue(queue::AMQPMethod::Declare(declare)))
    }

    /// A queue that goes with its connection.
    #[track_caller]
    pub fn declare_exclusive(&mut self, channel: u16, name: &str, fields: &[(&str, AMQPValue)]) {
        let declare = queue::Declare { exclusive: true, ..declare_with(name, fields) };
        self.declare(channel, declare);
    }

    #[track_caller]
    pub fn declare_exchange(&mut self, channel: u16, declare: exchange::Declare) {
        self.call(channel, AMQPClass::Exchange(exchange::AMQPMethod::Declare(declare)));
    }

    #[track_caller]
    pub fn delete_exchange(&mut self, channel: u16, name: &str) {
        let delete = exchange::Delete { exchange: name.into(), ..Default::default() };
        self.call(channel, AMQPClass::Exchange(exchange::AMQPMethod::Delete(delete)));
    }

    #[track_caller]
    pub fn delete_queue(&mut self, channel: u16, name: &str) {
        let delete = queue::Delete { queue: name.into(), ..Default::default() };
        self.call(channel, AMQPClass::Queue(queue::AMQPMethod::Delete(delete)));
    }

    #[track_caller]
    pub fn delete_queue_with(&mut self, channel: u16, delete: queue::Delete) {
        self.call(channel, AMQPClass::Queue(queue::AMQPMethod::Delete(delete)));
    }

    #[track_caller]
    pub fn purge(&mut self, channel: u16, name: &str) {
        let purge = queue::Purge { queue: name.into(), nowait: false };
        self.call(channel, AMQPClass::Queue(queue::AMQPMethod::Purge(purge)));
    }

    #[track_caller]
    pub fn bind(&mut self, channel: u16, queue: &str, exchange: &str, key: &str) {
        self.bind_with(channel, queue, exchange, key, &[]);
    }

    #[track_caller]
    pub fn bind_with(
        &mut self,
        channel: u16,
        queue: &str,
        exchange: &str,
        key: &str,
        fields: &[(&str, AMQPValue)],
    ) {
        let bind = queue::Bind {
            queue: queue.into(),
            exchange: exchange.into(),
            routing_key: key.into(),
            nowait: false,
            arguments: table(fields),
        };
        self.call(channel, AMQPClass::Queue(queue::AMQPMethod::Bind(bind)));
    }

    #[track_caller]
    pub fn unbind(&mut self, channel: u16, queue: &str, exchange: &str, key: &str) {
        let unbind = queue::Unbind {
            queue: queue.into(),
            exchange: exchange.into(),
            routing_key: key.into(),
            arguments: FieldTable::default(),
        };
        self.call(channel, AMQPClass::Queue(queue::AMQPMethod::Unbind(unbind)));
    }

    #[track_caller]
    pub fn bind_exchange(&mut self, channel: u16, destination: &str, source: &str, key: &str) {
        let bind = exchange::Bind {
            destination: destination.into(),
            source: source.into(),
            routing_key: key.into(),
            ..Default::default()
        };
        self.call(channel, AMQPClass::Exchange(exchange::AMQPMethod::Bind(bind)));
    }

    pub fn publish(&mut self, channel: u16, exchange: &str, key: &str, body: &str) {
        self.publish_properties(channel, exchange, key, properties(), body);
    }

    pub fn publish_properties(
        &mut self,
        channel: u16,
        exchange: &str,
        key: &str,
        properties: BasicProperties,
        body: &str,
    ) {
        let publish =
            basic::Publish { exchange: exchange.into(), routing_key: key.into(), ..Default::default() };
        self.publish_with(channel, publish, properties, body.as_bytes());
    }

    pub fn publish_mandatory(&mut self, channel: u16, exchange: &str, key: &str, body: &str) {
        let publish = basic::Publish {
            exchange: exchange.into(),
            routing_key: key.into(),
            mandatory: true,
            immediate: false,
        };
        self.publish_with(channel, publish, properties(), body.as_bytes());
    }

    #[track_caller]
    pub fn confirm_select(&mut self, channel: u16) {
        let select = confirm::Select { nowait: false };
        self.call(channel, AMQPClass::Confirm(confirm::AMQPMethod::Select(select)));
    }

    #[track_caller]
    pub fn consume(&mut self, channel: u16, queue: &str, tag: &str) {
        self.consume_with(channel, queue, tag, basic::Consume::default());
    }

    #[track_caller]
    pub fn consume_with(&mut self, channel: u16, queue: &str, tag: &str, consume: basic::Consume) {
        let consume = basic::Consume { queue: queue.into(), consumer_tag: tag.into(), ..consume };
        self.call(channel, AMQPClass::Basic(basic::AMQPMethod::Consume(consume)));
    }

    #[track_caller]
    pub fn cancel(&mut self, channel: u16, tag: &str) {
        let cancel = basic::Cancel { consumer_tag: tag.into(), nowait: false };
        self.call(channel, AMQPClass::Basic(basic::AMQPMethod::Cancel(cancel)));
    }

    #[track_caller]
    pub fn qos(&mut self, channel: u16, prefetch_count: u16, global: bool) {
        let qos = basic::Qos { prefetch_count, global };
        self.call(channel, AMQPClass::Basic(basic::AMQPMethod::Qos(qos)));
    }

    pub fn ack(&mut self, channel: u16, delivery_tag: u64, multiple: bool) {
        let ack = basic::Ack { delivery_tag, multiple };
        self.send(channel, AMQPClass::Basic(basic::AMQPMethod::Ack(ack)));
    }

    pub fn nack(&mut self, channel: u16, delivery_tag: u64, multiple: bool, requeue: bool) {
        let nack = basic::Nack { delivery_tag, multiple, requeue };
        self.send(channel, AMQPClass::Basic(basic::AMQPMethod::Nack(nack)));
    }

    pub fn reject(&mut self, channel: u16, delivery_tag: u64, requeue: bool) {
        let reject = basic::Reject { delivery_tag, requeue };
        self.send(channel, AMQPClass::Basic(basic::AMQPMethod::Reject(reject)));
    }

    #[track_caller]
    pub fn get(&mut self, channel: u16, queue: &str) -> Received {
        let get = basic::Get { queue: queue.into(), no_ack: false };
        self.call(channel, AMQPClass::Basic(basic::AMQPMethod::Get(get)))
    }

    #[track_caller]
    pub fn recover(&mut self, channel: u16, requeue: bool) {
        let recover = basic::Recover { requeue };
        self.call(channel, AMQPClass::Basic(basic::AMQPMethod::Recover(recover)));
    }

    /// Confirms the close of a channel, so that it can be opened again.
    pub fn close_ok(&mut self, channel: u16) {
        let ok = channel::AMQPMethod::CloseOk(channel::CloseOk {});
        self.send(channel, AMQPClass::Channel(ok));
    }

    /// Closes a channel and opens it again after a channel exception.
    pub fn reopen(&mut self, channel: u16) {
        self.close_ok(channel);
        self.channel(channel);
    }
}
