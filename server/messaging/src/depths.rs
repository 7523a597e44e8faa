//! How full the queues are, measured and not derived.

use crate::{Bindings, EmbeddedBroker, Unacked};
use base::clock;
use broker::QueueCounts;
use flow::{api::QueueDepth, topology::Queue};
use futures::future::BoxFuture;
use lapin::{Channel, options::QueueDeclareOptions, types::FieldTable};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::watch;

/// Measures the queues that there are; clones share the source.
#[derive(Clone)]
pub struct Depths {
    source: Source,
    bindings: Arc<dyn Bindings>,
    others: Arc<Mutex<Vec<Arc<dyn Gauge>>>>,
}

/// Measures the queues of another transport.
pub trait Gauge: Send + Sync {
    /// Those that there are now; none where it is asleep or does not answer.
    fn sample(&self) -> BoxFuture<'_, Vec<QueueDepth>>;
}

/// Where the numbers come from.
#[derive(Clone)]
pub enum Source {
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
    #[error("there is no connection")]
    NoConnection,
    #[error(transparent)]
    Amqp(#[from] lapin::Error),
}

impl Depths {
    /// Measures the queues that there are to be by `bindings`.
    #[must_use]
    pub fn new(source: Source, bindings: impl Bindings + 'static) -> Self {
        Self { source, bindings: Arc::new(bindings), others: Arc::default() }
    }

    /// Measures another transport's queues too.
    pub fn also(&self, gauge: Arc<dyn Gauge>) {
        self.gauges().push(gauge);
    }

    fn gauges(&self) -> MutexGuard<'_, Vec<Arc<dyn Gauge>>> {
        self.others.lock().expect("nothing panics while it holds this lock")
    }

    /// Measures every queue that a service consumes.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub async fn sample(&self) -> Result<Vec<QueueDepth>, DepthsError> {
        let mut depths = self.sample_broker().await?;
        let others = self.gauges().clone();
        for other in others {
            depths.extend(other.sample().await);
        }
        Ok(depths)
    }

    async fn sample_broker(&self) -> Result<Vec<QueueDepth>, DepthsError> {
        let queues = self.bindings.queues();
        match &self.source {
            Source::Embedded(broker) => {
                let names = queues.iter().map(|queue| queue.name);
                let counts = broker.queue_counts(names).ok_or(DepthsError::NoConnection)?;
                Ok(queues
                    .iter()
                    .zip(counts)
                    .map(|(queue, QueueCounts { ready, unacked, consumers })| {
                        depth(queue, ready as u64, unacked as u64, consumers as u64)
                    })
                    .collect())
            }
            Source::Remote { channel, unacked } => {
                let channel = channel.borrow().clone().ok_or(DepthsError::NoConnection)?;
                let mut depths = Vec::with_capacity(queues.len());
                for queue in queues {
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

/// How full a queue is, as it was counted just now.
#[must_use]
pub fn depth(queue: &Queue, ready: u64, unacked: u64, consumers: u64) -> QueueDepth {
    QueueDepth {
        name: queue.name.to_owned(),
        style: queue.style,
        transport: queue.transport,
        ready,
        unacked,
        consumers,
        sampled_at: clock::now_text(),
    }
}
