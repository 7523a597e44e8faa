//! A visit to the dead-letter queues: a connection that takes messages out, and whose end puts back those that were
//! not settled.

use super::{DeskError, NODE, parked::Parked};
use flow::topology::Queue;
use lapin::{
    Acker, Channel, Connection,
    message::BasicGetMessage,
    options::{BasicGetOptions, QueueDeclareOptions, QueuePurgeOptions},
    types::FieldTable,
};
use messaging::connection::Connector;
use std::{sync::Arc, time::Duration};
use tokio::{
    runtime::Handle,
    sync::{Mutex, OwnedMutexGuard},
    time::timeout,
};

/// How long the broker may take to put back what was taken out, a hundred thousand messages maybe.
const PUT_BACK_TIMEOUT: Duration = Duration::from_secs(30);
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// One visit. Its turn lasts until the broker has put everything back, also when its caller is dropped: what one has
/// taken out, another would not find.
pub(super) struct Visit {
    connection: Arc<Connection>,
    channel: Channel,
    turn: Arc<OwnedMutexGuard<()>>,
    has_left: bool,
}

/// A message that was taken out.
pub(super) struct Taken {
    pub(super) parked: Parked,
    pub(super) acker: Acker,
    /// How many the queue still held behind it.
    pub(super) behind: u64,
}

impl Visit {
    /// Waits for its turn and connects.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub(super) async fn begin(connector: &Connector, turn: &Arc<Mutex<()>>) -> Result<Self, DeskError> {
        let turn = Arc::new(Arc::clone(turn).lock_owned().await);
        let connection = Arc::new(connector.visit(NODE).await.map_err(DeskError::NoConnection)?);
        let channel = connection.create_channel().await?;
        Ok(Self { connection, channel, turn, has_left: false })
    }

    /// The connection, for what is published meanwhile.
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// How many messages wait in a dead-letter queue now.
    ///
    /// # Errors
    /// When the broker does not answer, or somebody deleted the queue.
    pub(super) async fn waiting(&self, queue: &Queue) -> Result<u64, lapin::Error> {
        let passive = QueueDeclareOptions { passive: true, ..Default::default() };
        let depth = self.channel.queue_declare(queue.dead.into(), passive, FieldTable::default()).await?;
        Ok(depth.message_count().into())
    }

    /// Takes the oldest message that this visit has not taken yet. One at a time, so that no more than one body is on
    /// its way to us: `basic.qos` could not limit their bytes (AMQP 0-9-1, RabbitMQ ignores `prefetch-size`).
    ///
    /// # Errors
    /// When the broker does not answer, or somebody deleted the queue.
    pub(super) async fn next(&self, queue: &'static Queue) -> Result<Option<Taken>, lapin::Error> {
        let got = self.channel.basic_get(queue.dead.into(), BasicGetOptions { no_ack: false }).await?;
        Ok(got.map(|BasicGetMessage { delivery, message_count, .. }| {
            let (parked, acker) = Parked::read(queue, delivery);
            Taken { parked, acker, behind: message_count.into() }
        }))
    }

    /// Throws away what waits in a service's own queue, and says how many messages that were.
    ///
    /// # Errors
    /// When the broker does not answer, or somebody deleted the queue.
    pub(super) async fn purge(&self, queue: &Queue) -> Result<u32, lapin::Error> {
        self.channel.queue_purge(queue.name.into(), QueuePurgeOptions::default()).await
    }

    /// Ends the visit: what was not settled is where it was.
    pub(super) async fn leave(mut self) {
        self.has_left = true;
        leave(&self.connection, &self.channel).await;
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        if self.has_left {
            return;
        }
        // Without a runtime everything ends, the connection too.
        if let Ok(runtime) = Handle::try_current() {
            let (connection, channel) = (Arc::clone(&self.connection), self.channel.clone());
            let turn = Arc::clone(&self.turn);
            runtime.spawn(async move {
                leave(&connection, &channel).await;
                drop(turn);
            });
        }
    }
}

async fn leave(connection: &Connection, channel: &Channel) {
    // A broker that does not answer now puts everything back when the connection is gone.
    let _ = timeout(PUT_BACK_TIMEOUT, channel.close(200, "done".into())).await;
    let _ = timeout(CLOSE_TIMEOUT, connection.close(200, "done".into())).await;
}
