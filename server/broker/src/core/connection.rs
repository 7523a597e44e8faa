//! Connections: what belongs to one client (spec 1.4).

use super::{ConnectionId, Core, QueueId, channel::Channel, work::Work};
use crate::event::{ConnectionInfo, Event};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What the handshake settled with a client.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) info: ConnectionInfo,
    /// It announced that it understands a `basic.cancel` from the broker.
    pub(crate) consumer_cancel_notify: bool,
    pub(crate) channel_max: u16,
}

/// An open connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) info: Arc<ConnectionInfo>,
    pub(crate) consumer_cancel_notify: bool,
    pub(crate) channel_max: u16,
    pub(crate) channels: BTreeMap<u16, Channel>,
    /// The queues that are exclusive to it, oldest first.
    pub(crate) owned: BTreeSet<QueueId>,
    /// How much of what was sent to it has not left the broker yet.
    pub(crate) unwritten_bytes: usize,
    /// Where its last delivery came from: when there is room again, the other queues are served first.
    pub(crate) last_served: Option<QueueId>,
    /// It is over, but what it held is not back yet.
    is_closing: bool,
}

impl Core {
    pub(crate) fn open_connection(&mut self, client: Client) -> ConnectionId {
        let id = ConnectionId(self.next_id());
        let info = Arc::new(ConnectionInfo { id: id.0, ..client.info });
        self.connections.insert(
            id,
            Connection {
                info: info.clone(),
                consumer_cancel_notify: client.consumer_cancel_notify,
                channel_max: client.channel_max,
                channels: BTreeMap::new(),
                owned: BTreeSet::new(),
                unwritten_bytes: 0,
                last_served: None,
                is_closing: false,
            },
        );
        self.report(|_| Event::ConnectionOpened(info));
        id
    }

    /// The connection is over, whichever way: what it held returns to the queues, what it owned goes.
    pub(crate) fn close_connection(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if std::mem::replace(&mut connection.is_closing, true) {
            return;
        }
        let channels: Vec<u16> = connection.channels.keys().copied().collect();
        for number in channels {
            self.release_channel(id, number);
            self.forget_channel(id, number);
        }
        self.begin(Work::Close { connection: id });
        self.run();
    }

    /// Whether all that a connection held is back, and all it owned is gone.
    pub(crate) fn is_gone(&self, id: ConnectionId) -> bool {
        !self.connections.contains_key(&id)
    }

    /// The socket took this much; a connection that had too much on its way may get more now.
    pub(crate) fn written(&mut self, id: ConnectionId, bytes: usize) {
        let max = self.settings.max_unwritten_bytes;
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let was_congested = connection.unwritten_bytes >= max;
        connection.unwritten_bytes = connection.unwritten_bytes.saturating_sub(bytes);
        if !was_congested || connection.unwritten_bytes >= max {
            return;
        }
        let consumers: Vec<_> =
            connection.channels.values().flat_map(|channel| channel.consumers.values().copied()).collect();
        let last_served = connection.last_served;
        self.touch_queues_of(&consumers, last_served);
        self.run();
    }

    pub(crate) fn connection_count(&self) -> usize {
        self.connections.len()
    }

    pub(crate) fn info_of(&self, id: ConnectionId) -> Option<Arc<ConnectionInfo>> {
        self.connections.get(&id).map(|connection| connection.info.clone())
    }
}
