//! Which method does what.

use super::{ConnectionId, Core, Exception, Outcome, Properties, settle::Settle};
use amq_protocol::protocol::{AMQPClass, access, basic, channel, confirm, exchange, queue, tx};
use bytes::Bytes;

const BASIC_PUBLISH: (u16, u16) = (60, 40);

impl Core {
    /// A method without content on an open channel. An error ends the connection; whatever ends only the
    /// channel is dealt with here.
    pub(crate) fn method(&mut self, connection: ConnectionId, number: u16, method: AMQPClass) -> Outcome<()> {
        let ids = (method.get_amqp_class_id(), method.get_amqp_method_id());
        let before = self.doer.replace(connection);
        let outcome = self.dispatch(connection, number, method);
        self.doer = before;
        self.conclude(connection, number, outcome, ids)
    }

    /// A publish with all of its content on an open channel.
    pub(crate) fn publish_method(
        &mut self,
        connection: ConnectionId,
        number: u16,
        publish: &basic::Publish,
        properties: Option<Properties>,
        body: Bytes,
    ) -> Outcome<()> {
        let outcome = self.publish(connection, number, publish, properties, body);
        self.conclude(connection, number, outcome, BASIC_PUBLISH)
    }

    /// A publish whose body was too large to be kept.
    pub(crate) fn refuse_large_publish(&mut self, connection: ConnectionId, number: u16, body_bytes: u64) {
        let max = self.settings.max_message_bytes;
        let exception = Exception::precondition_failed(format!(
            "message size {body_bytes} is larger than configured max size {max}"
        ));
        self.fail_channel(connection, number, &exception, BASIC_PUBLISH);
    }

    fn conclude(
        &mut self,
        connection: ConnectionId,
        number: u16,
        outcome: Outcome<()>,
        ids: (u16, u16),
    ) -> Outcome<()> {
        self.run();
        match outcome {
            Err(exception) if !exception.reply_code.is_hard() => {
                self.fail_channel(connection, number, &exception, ids);
                Ok(())
            }
            outcome => outcome,
        }
    }

    fn dispatch(&mut self, connection: ConnectionId, number: u16, method: AMQPClass) -> Outcome<()> {
        match method {
            AMQPClass::Basic(method) => self.basic(connection, number, method),
            AMQPClass::Queue(method) => self.queue(connection, number, method),
            AMQPClass::Exchange(exchange::AMQPMethod::Declare(declare)) => {
                self.declare_exchange(connection, number, declare)
            }
            AMQPClass::Exchange(exchange::AMQPMethod::Delete(delete)) => {
                self.delete_exchange(connection, number, &delete)
            }
            AMQPClass::Exchange(exchange::AMQPMethod::Bind(bind)) => {
                self.bind_exchange(connection, number, bind)
            }
            AMQPClass::Exchange(exchange::AMQPMethod::Unbind(unbind)) => {
                self.unbind_exchange(connection, number, unbind)
            }
            AMQPClass::Confirm(confirm::AMQPMethod::Select(select)) => {
                self.confirm_select(connection, number, &select)
            }
            AMQPClass::Tx(tx::AMQPMethod::Select(_)) => self.tx_select(connection, number),
            AMQPClass::Tx(tx::AMQPMethod::Commit(_)) => self.tx_commit(connection, number),
            AMQPClass::Tx(tx::AMQPMethod::Rollback(_)) => self.tx_rollback(connection, number),
            AMQPClass::Channel(channel::AMQPMethod::Open(_)) => {
                Err(Exception::channel_error("second 'channel.open' seen"))
            }
            AMQPClass::Channel(channel::AMQPMethod::Flow(flow)) => self.flow(connection, number, &flow),
            AMQPClass::Access(access::AMQPMethod::Request(_)) => {
                let ok = access::AMQPMethod::RequestOk(access::RequestOk {});
                self.reply(connection, number, AMQPClass::Access(ok));
                Ok(())
            }
            _ => Err(unimplemented()),
        }
    }

    fn basic(&mut self, connection: ConnectionId, number: u16, method: basic::AMQPMethod) -> Outcome<()> {
        match method {
            basic::AMQPMethod::Ack(ack) => {
                self.settle_tags(connection, number, ack.delivery_tag, ack.multiple, Settle::Ack)
            }
            basic::AMQPMethod::Nack(nack) => {
                let settle = Settle::Reject { requeue: nack.requeue };
                self.settle_tags(connection, number, nack.delivery_tag, nack.multiple, settle)
            }
            basic::AMQPMethod::Reject(reject) => {
                let settle = Settle::Reject { requeue: reject.requeue };
                self.settle_tags(connection, number, reject.delivery_tag, false, settle)
            }
            basic::AMQPMethod::Consume(consume) => self.consume(connection, number, consume),
            basic::AMQPMethod::Cancel(cancel) => {
                self.cancel(connection, number, cancel);
                Ok(())
            }
            basic::AMQPMethod::Get(get) => self.get(connection, number, &get),
            basic::AMQPMethod::Qos(qos) => {
                self.qos(connection, number, &qos);
                Ok(())
            }
            basic::AMQPMethod::RecoverAsync(recover) => self.recover(connection, number, recover.requeue),
            basic::AMQPMethod::Recover(recover) => {
                self.recover(connection, number, recover.requeue)?;
                self.recover_ok(connection, number);
                Ok(())
            }
            _ => Err(unimplemented()),
        }
    }

    fn queue(&mut self, connection: ConnectionId, number: u16, method: queue::AMQPMethod) -> Outcome<()> {
        match method {
            queue::AMQPMethod::Declare(declare) => self.declare_queue(connection, number, declare),
            queue::AMQPMethod::Bind(bind) => self.bind_queue(connection, number, bind),
            queue::AMQPMethod::Unbind(unbind) => self.unbind_queue(connection, number, unbind),
            queue::AMQPMethod::Purge(purge) => self.purge(connection, number, &purge),
            queue::AMQPMethod::Delete(delete) => self.delete_queue_by_client(connection, number, &delete),
            _ => Err(unimplemented()),
        }
    }

    /// RabbitMQ leaves stopping the flow to prefetch, and so do we (spec 1.5.2.3).
    fn flow(&mut self, connection: ConnectionId, number: u16, flow: &channel::Flow) -> Outcome<()> {
        if !flow.active {
            return Err(Exception::not_implemented("active=false"));
        }
        let ok = channel::AMQPMethod::FlowOk(channel::FlowOk { active: true });
        self.reply(connection, number, AMQPClass::Channel(ok));
        Ok(())
    }
}

/// What only a broker sends, or no broker of this protocol knows.
fn unimplemented() -> Exception {
    Exception::command_invalid("unimplemented method")
}
