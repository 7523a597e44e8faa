//! How full the queues are, measured and not derived.

use crate::{EmbeddedBroker, Unacked};
use base::clock;
use broker::QueueCounts;
use flow::{
    Transport,
    api::QueueDepth,
    topology::{QUEUES, Queue},
};
use lapin::{Channel, options::QueueDeclareOptions, types::FieldTable};
use tokio::sync::watch;

/// Where the numbers come from.
#[derive(Clone)]
pub enum Depths {
    /// The embedded broker knows them.
    Embedded(EmbeddedBroker),
    /// Another broker tells `ready` and `consumers` (AMQP 0-9-1, queue.declare-ok); `unacked` is what our own
    /// consumers hold.
    Remote {
        /// The bridge's channel, while there is one.
        channel: watch::Receiver<Option<Channel>>,
        /// What our consumers hold.
        unacked: Unacked,
    },
}

/// Why there are no numbers.
#[derive(Debug, thiserror::Error)]
pub enum DepthsError {
    /// No connection.
    #[error("there is no connection")]
    NoConnection,
    /// The broker failed.
    #[error(transparent)]
    Amqp(#[from] lapin::Error),
}

impl Depths {
    /// Measures every queue that a service consumes.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub async fn sample(&self) -> Result<Vec<QueueDepth>, DepthsError> {
        match self {
            Self::Embedded(broker) => {
                let names = QUEUES.iter().map(|queue| queue.name);
                let counts = broker.queue_counts(names).ok_or(DepthsError::NoConnection)?;
                Ok(QUEUES
                    .iter()
                    .zip(counts)
                    .map(|(queue, QueueCounts { ready, unacked, consumers })| {
                        depth(queue, ready as u64, unacked as u64, consumers as u64)
                    })
                    .collect())
            }
            Self::Remote { channel, unacked } => {
                let channel = channel.borrow().clone().ok_or(DepthsError::NoConnection)?;
                let mut depths = Vec::with_capacity(QUEUES.len());
                for queue in &QUEUES {
                    let passive = QueueDeclareOptions { passive: true, ..Default::default() };
                    let declared =
                        channel.queue_declare(queue.name.into(), passive, FieldTable::default()).await?;
                    let (ready, consumers) = (declared.message_count(), declared.consumer_count());
                    depths.push(depth(queue, ready.into(), unacked.of(queue.name), consumers.into()));
                }
                Ok(depths)
            }
        }
    }
}

fn depth(queue: &Queue, ready: u64, unacked: u64, consumers: u64) -> QueueDepth {
    QueueDepth {
        name: queue.name.to_owned(),
        style: queue.style,
        transport: Transport::Amqp,
        ready,
        unacked,
        consumers,
        sampled_at: clock::now_text(),
    }
}
