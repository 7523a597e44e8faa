//! Doing what a client's frames ask for, in their order.

use super::{
    assembler::Command,
    connection::{Next, Session},
    frame::{BASIC_PUBLISH, Failure, Frame},
};
use crate::core::{ChannelState, Core, Exception, ReplyCode};
use amq_protocol::protocol::{AMQPClass, basic, channel, connection, queue};

impl Session {
    /// Executes what was taken in order, each frame when those before it are done, and lets others in between.
    pub(super) async fn execute_all(&mut self) -> Result<Next, Failure> {
        let shared = self.shared.clone();
        let mut turns = shared.turns.subscribe();
        let mut next = Next::Read;
        while next == Next::Read && !self.taken.is_empty() {
            let must_wait;
            (next, must_wait) = shared.with_core(|core| self.execute_some(core))?;
            if must_wait {
                // The sender lives as long as this session does.
                let _ = turns.changed().await;
            } else if !self.taken.is_empty() {
                tokio::task::yield_now().await;
            }
        }
        if next == Next::Closing {
            self.shared.close_connection(self.id);
            self.shared.wait_until_gone(self.id).await;
            self.is_closing = true;
            self.confirm_close();
        }
        Ok(next)
    }

    /// Executes what can be executed in one turn of the core; says whether the rest must wait for others' turns.
    fn execute_some(&mut self, core: &mut Core) -> Result<(Next, bool), Failure> {
        while core.has_steps()
            && let Some(frame) = self.taken.front()
        {
            let (number, method) = match frame {
                Frame::Method { channel, method } => (*channel, Some(method)),
                _ => (0, None),
            };
            if core.must_wait(self.id, number, method) {
                return Ok((Next::Read, true));
            }
            core.spend(1);
            let Some(frame) = self.taken.pop_front() else { break };
            let next = self.execute(core, frame)?;
            if next != Next::Read {
                return Ok((next, false));
            }
        }
        Ok((Next::Read, false))
    }

    fn execute(&mut self, core: &mut Core, frame: Frame) -> Result<Next, Failure> {
        let channel = match &frame {
            Frame::Heartbeat => return Ok(Next::Read),
            Frame::Method { channel, .. } | Frame::Header { channel, .. } | Frame::Body { channel, .. } => {
                *channel
            }
        };
        match frame {
            Frame::Method { channel: 0, method } => self.connection_method(method),
            frame => self.channel_frame(core, channel, frame).map(|()| Next::Read),
        }
    }

    fn connection_method(&mut self, method: AMQPClass) -> Result<Next, Failure> {
        let ids = (method.get_amqp_class_id(), method.get_amqp_method_id());
        match method {
            AMQPClass::Connection(connection::AMQPMethod::Close(_)) => Ok(Next::Closing),
            // The one user's password does not expire.
            AMQPClass::Connection(connection::AMQPMethod::UpdateSecret(_)) => {
                let ok = connection::AMQPMethod::UpdateSecretOk(connection::UpdateSecretOk {});
                self.outbox.push_method(0, AMQPClass::Connection(ok));
                Ok(Next::Read)
            }
            _ => {
                let exception = Exception::channel_error("unexpected method in connection state running");
                Err(Failure { exception, ids })
            }
        }
    }

    fn channel_frame(&mut self, core: &mut Core, number: u16, frame: Frame) -> Result<(), Failure> {
        let method = match &frame {
            Frame::Method { method: AMQPClass::Channel(method), .. } => Some(method),
            _ => None,
        };
        match (core.channel_state(self.id, number), method) {
            (ChannelState::Absent, Some(channel::AMQPMethod::Open(_))) => {
                core.open_channel(self.id, number).map_err(Failure::of_connection)
            }
            (ChannelState::Absent, _) if is_for_last_queue(&frame) => {
                core.refuse_last_queue(self.id, number, ids_of(&frame)).map_err(Failure::of_connection)
            }
            (ChannelState::Absent, _) => {
                let exception = Exception::channel_error("expected 'channel.open'");
                Err(Failure { exception, ids: ids_of(&frame) })
            }
            (ChannelState::Closing, Some(channel::AMQPMethod::CloseOk(_))) => {
                core.forget_channel(self.id, number);
                Ok(())
            }
            (ChannelState::Closing, Some(channel::AMQPMethod::Close(_))) => {
                let ok = channel::AMQPMethod::CloseOk(channel::CloseOk {});
                core.reply(self.id, number, AMQPClass::Channel(ok));
                Ok(())
            }
            (ChannelState::Closing, Some(channel::AMQPMethod::Open(_))) => {
                let exception = Exception::channel_error("second 'channel.open' seen");
                Err(Failure { exception, ids: ids_of(&frame) })
            }
            (ChannelState::Closing, _) => Ok(()),
            (ChannelState::Open, Some(channel::AMQPMethod::Close(_))) => {
                self.assembler.forget(number);
                core.close_channel(self.id, number);
                Ok(())
            }
            (ChannelState::Open, _) => {
                let ids = ids_of(&frame);
                match self.assembler.take(frame)? {
                    Some(command) => self.command(core, command).map_err(|exception| {
                        // An error of the broker itself is about no method.
                        let is_ours = exception.reply_code == ReplyCode::InternalError;
                        Failure { exception, ids: if is_ours { (0, 0) } else { ids } }
                    }),
                    None => Ok(()),
                }
            }
        }
    }

    fn command(&mut self, core: &mut Core, command: Command) -> Result<(), Exception> {
        match command {
            Command::Method { channel, method } => core.method(self.id, channel, method),
            Command::Publish { channel, publish, properties, body } => {
                core.publish_method(self.id, channel, &publish, properties, body)
            }
            Command::TooLarge { channel, body_bytes } => {
                core.refuse_large_publish(self.id, channel, body_bytes);
                Ok(())
            }
        }
    }
}

/// Whether this is a method for the queue that was declared last on its channel (spec 1.7.2.3).
fn is_for_last_queue(frame: &Frame) -> bool {
    let Frame::Method { method, .. } = frame else { return false };
    let queue = match method {
        AMQPClass::Queue(queue::AMQPMethod::Bind(bind)) => &bind.queue,
        AMQPClass::Queue(queue::AMQPMethod::Unbind(unbind)) => &unbind.queue,
        AMQPClass::Queue(queue::AMQPMethod::Purge(purge)) => &purge.queue,
        AMQPClass::Queue(queue::AMQPMethod::Delete(delete)) => &delete.queue,
        AMQPClass::Basic(basic::AMQPMethod::Consume(consume)) => &consume.queue,
        AMQPClass::Basic(basic::AMQPMethod::Get(get)) => &get.queue,
        _ => return false,
    };
    queue.as_str().is_empty()
}

/// Class and method that an error in this frame is about.
fn ids_of(frame: &Frame) -> (u16, u16) {
    match frame {
        Frame::Method { method, .. } => (method.get_amqp_class_id(), method.get_amqp_method_id()),
        _ => BASIC_PUBLISH,
    }
}
