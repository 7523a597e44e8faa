//! Channels: what a client does one thing after the other on (spec 1.5).

use super::{
    ConnectionId, ConsumerId, Core, Exception, Name, Outcome, QueueId, Send, confirm::Confirms,
    held::in_map_bytes, message::RoutingKeys, queue::Entry, reply_to::ReplyConsumer, short,
    transaction::Transaction,
};
use amq_protocol::protocol::{AMQPClass, channel};
use std::collections::{BTreeMap, BTreeSet};

/// A delivery that is not settled yet.
#[derive(Clone, Debug)]
pub(crate) struct Unacked {
    pub(crate) queue: QueueId,
    pub(crate) entry: Entry,
    /// None for `basic.get`.
    pub(crate) consumer: Option<(ConsumerId, Name)>,
}

impl Unacked {
    /// What it takes of memory, its message aside.
    pub(crate) const BYTES: usize = in_map_bytes(size_of::<(u64, Self)>());
}

/// Deliveries that are settled together. There may be a million that were settled one by one, and a map of one takes as
/// much as one of eleven.
#[derive(Debug)]
pub(crate) enum Deliveries {
    One(Option<(u64, Unacked)>),
    Many(BTreeMap<u64, Unacked>),
}

impl Deliveries {
    pub(crate) fn pop_first(&mut self) -> Option<(u64, Unacked)> {
        match self {
            Self::One(one) => one.take(),
            Self::Many(many) => many.pop_first(),
        }
    }

    /// Adds one, where there may be many.
    pub(crate) fn insert(&mut self, tag: u64, unacked: Unacked) {
        if let Self::One(one) = self {
            *self = Self::Many(one.take().into_iter().collect());
        }
        if let Self::Many(many) = self {
            many.insert(tag, unacked);
        }
    }

    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Unacked> {
        let (one, many) = match self {
            Self::One(one) => (one.as_ref(), None),
            Self::Many(many) => (None, Some(many)),
        };
        one.map(|(_, unacked)| unacked).into_iter().chain(many.into_iter().flat_map(BTreeMap::values))
    }

    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::One(one) => one.is_none(),
            Self::Many(many) => many.is_empty(),
        }
    }

    /// The queues that they are from, and perhaps others that the channel got messages from.
    pub(crate) fn queues(&self, delivered_from: &BTreeSet<QueueId>) -> BTreeSet<QueueId> {
        match self {
            Self::One(one) => one.iter().map(|(_, unacked)| unacked.queue).collect(),
            Self::Many(many) => queues_of(many, delivered_from),
        }
    }
}

/// The queues that these deliveries are from, and perhaps others that the channel got messages from.
pub(crate) fn queues_of(
    deliveries: &BTreeMap<u64, Unacked>,
    delivered_from: &BTreeSet<QueueId>,
) -> BTreeSet<QueueId> {
    /// To look at a million deliveries takes long, too.
    const FEW: usize = 100;
    if deliveries.len() <= FEW {
        deliveries.values().map(|unacked| unacked.queue).collect()
    } else {
        delivered_from.clone()
    }
}

/// A channel confirms publishes or collects them in transactions, never both.
#[derive(Debug, Default)]
pub(crate) enum Mode {
    #[default]
    Plain,
    Confirm(Confirms),
    Transaction(Transaction),
}

/// How a channel stands with its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChannelState {
    /// Never opened, or closed by both sides.
    Absent,
    Open,
    /// Closed by the broker; whatever comes is ignored until the client's close-ok (spec 1.5.2.5).
    Closing,
}

/// An open channel.
#[derive(Debug, Default)]
pub(crate) struct Channel {
    pub(crate) is_closing: bool,
    pub(crate) mode: Mode,
    last_delivery_tag: u64,
    pub(crate) unacked: BTreeMap<u64, Unacked>,
    /// The queues of what is unsettled, and perhaps others.
    pub(crate) delivered_from: BTreeSet<QueueId>,
    pub(crate) consumers: BTreeMap<Name, ConsumerId>,
    /// What each new consumer may have unsettled; 0 is any number.
    pub(crate) prefetch: u16,
    /// What all consumers together may have unsettled (`global`); 0 is any number.
    pub(crate) global_prefetch: u16,
    /// How much of `global_prefetch` is used.
    pub(crate) global_unacked: usize,
    /// Where its last delivery came from: when there is room again, the other queues are served first.
    pub(crate) last_served: Option<QueueId>,
    /// The queue that an empty queue name means (spec 1.7.2.3).
    pub(crate) last_queue: Option<Name>,
    pub(crate) reply_consumer: Option<ReplyConsumer>,
    /// Those of its latest publish: the next one often has the same.
    pub(crate) routing_keys: Option<RoutingKeys>,
}

impl Channel {
    pub(crate) fn next_delivery_tag(&mut self) -> u64 {
        self.last_delivery_tag += 1;
        self.last_delivery_tag
    }

    /// Notes a delivery that the client is to settle.
    pub(crate) fn note_unacked(&mut self, tag: u64, unacked: Unacked) {
        if self.unacked.is_empty() && !matches!(self.mode, Mode::Transaction(_)) {
            self.delivered_from.clear();
        }
        self.delivered_from.insert(unacked.queue);
        self.unacked.insert(tag, unacked);
    }

    /// The tag that the next delivery will have.
    pub(crate) fn peek_delivery_tag(&self) -> u64 {
        self.last_delivery_tag + 1
    }

    pub(crate) fn has_global_room(&self) -> bool {
        self.global_prefetch == 0 || self.global_unacked < usize::from(self.global_prefetch)
    }
}

/// There is no queue that an empty name could mean (spec 1.7.2.3).
pub(crate) fn no_last_queue() -> Exception {
    Exception::not_found("no previously declared queue")
}

impl Core {
    pub(crate) fn channel_state(&self, connection: ConnectionId, number: u16) -> ChannelState {
        match self.connections.get(&connection).and_then(|connection| connection.channels.get(&number)) {
            None => ChannelState::Absent,
            Some(channel) if channel.is_closing => ChannelState::Closing,
            Some(_) => ChannelState::Open,
        }
    }

    /// The channel, if it is there; all it did is undone when it is not.
    pub(crate) fn channel_mut(&mut self, connection: ConnectionId, number: u16) -> Option<&mut Channel> {
        self.connections.get_mut(&connection)?.channels.get_mut(&number)
    }

    pub(crate) fn open_channel(&mut self, id: ConnectionId, number: u16) -> Outcome<()> {
        self.add_channel(id, number)?;
        self.reply(id, number, AMQPClass::Channel(channel::AMQPMethod::OpenOk(channel::OpenOk {})));
        Ok(())
    }

    /// Answers a method for the queue declared last on a channel that was never opened. RabbitMQ looks for that queue
    /// before anything else, and closes the channel for there is none.
    pub(crate) fn refuse_last_queue(
        &mut self,
        id: ConnectionId,
        number: u16,
        ids: (u16, u16),
    ) -> Outcome<()> {
        self.add_channel(id, number)?;
        self.fail_channel(id, number, &no_last_queue(), ids);
        Ok(())
    }

    fn add_channel(&mut self, id: ConnectionId, number: u16) -> Outcome<()> {
        let Some(connection) = self.connections.get_mut(&id) else { return Ok(()) };
        let (open, max) = (connection.channels.len(), connection.channel_max);
        if max != 0 && open >= usize::from(max) {
            return Err(Exception::not_allowed(format!(
                "number of channels opened ({open}) has reached the negotiated channel_max ({max})"
            )));
        }
        connection.channels.insert(number, Channel::default());
        Ok(())
    }

    /// The client closes a channel.
    pub(crate) fn close_channel(&mut self, connection: ConnectionId, number: u16) {
        self.send_confirms();
        self.release_channel(connection, number);
        self.forget_channel(connection, number);
        self.reply(connection, number, AMQPClass::Channel(channel::AMQPMethod::CloseOk(channel::CloseOk {})));
        self.run();
    }

    pub(crate) fn forget_channel(&mut self, connection: ConnectionId, number: u16) {
        if let Some(connection) = self.connections.get_mut(&connection) {
            connection.channels.remove(&number);
        }
    }

    /// Ends a channel because of what its client did; `class` and `method` are what it did.
    pub(crate) fn fail_channel(
        &mut self,
        connection: ConnectionId,
        number: u16,
        exception: &Exception,
        (class_id, method_id): (u16, u16),
    ) {
        self.send_confirms();
        self.release_channel(connection, number);
        let close = channel::Close {
            reply_code: exception.reply_code.code(),
            reply_text: short(&exception.reply_text()),
            class_id,
            method_id,
        };
        self.reply(connection, number, AMQPClass::Channel(channel::AMQPMethod::Close(close)));
        self.run();
    }

    /// Gives back all that a channel holds: its consumers go, its unsettled messages return to their queues.
    pub(crate) fn release_channel(&mut self, connection: ConnectionId, number: u16) {
        let Some(channel) = self.channel_mut(connection, number) else { return };
        let closing = Channel { is_closing: true, ..Default::default() };
        let mut channel = std::mem::replace(channel, closing);
        if let Some(reply) = channel.reply_consumer.take() {
            self.reply_addresses.remove(&reply.address);
        }
        self.confirming.remove(&(connection, number));
        self.begin_release(connection, channel);
    }

    pub(crate) fn reply(&mut self, connection: ConnectionId, channel: u16, method: AMQPClass) {
        self.send(connection, channel, Send::Method(method));
    }
}
