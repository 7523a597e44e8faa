//! Consuming a queue: many deliveries at work at once, each settled by what its handler says.
//!
//! Done is acked. A failure that may pass is sent to `Q.retry`, where it waits, and acked; one that will not, or
//! that used up its attempts, is sent to `Q.dead`, and acked. The copy is confirmed before the original is
//! acked, so that a crash in between leads to two copies and never to none; the inbox sees to the second.

use super::{Envelope, Publisher, Unacked};
use crate::{
    bridge::{self, Journal, Reporter, Strangers},
    clock,
};
use flow::{Event, Id, Kind, Provenance, topology::Queue};
use futures::{StreamExt, future::BoxFuture};
use lapin::{
    Channel, Connection,
    message::Delivery,
    options::{
        BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions,
        QueueDeclareOptions,
    },
    types::FieldTable,
};
use std::{sync::Arc, time::Duration};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How many unacked deliveries a consumer may hold.
pub const PREFETCH: u16 = 256;
/// The delay before each further attempt, in milliseconds; one more failure parks the message.
pub const RETRY_DELAYS_MS: [u64; 4] = [200, 1_000, 5_000, 15_000];
/// How long handlers may go on after a stop before their messages are left to the next consumer.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// A delivery, as handlers see it.
#[derive(Debug, Clone)]
pub struct Delivered {
    /// The queue from which it came.
    pub queue: &'static Queue,
    /// The message.
    pub envelope: Envelope,
    /// Tells the journal what happens to it.
    pub reporter: Reporter,
}

/// A handler's good end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handled {
    /// The effect is stored (or there was nothing newer to store).
    Done,
    /// The inbox has seen this message before.
    Duplicate,
}

/// A handler's bad end.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Trying again may help.
    #[error("{0}")]
    Transient(String),
    /// Trying again cannot help.
    #[error("{0}")]
    Permanent(String),
}

impl From<crate::store::StoreError> for Failure {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Transient(error.to_string())
    }
}

/// What to do with each delivery.
pub type Handler = Arc<dyn Fn(Delivered) -> BoxFuture<'static, Result<Handled, Failure>> + Send + Sync>;

/// A queue's consumer.
#[derive(Clone)]
pub struct Consumer {
    /// What it consumes.
    pub queue: &'static Queue,
    /// What it does.
    pub handler: Handler,
    /// Where it reports.
    pub journal: Journal,
    /// Names what comes without an id.
    pub strangers: Strangers,
    /// Counts what is delivered and not settled.
    pub unacked: Unacked,
    /// When to stop.
    pub stop: CancellationToken,
}

impl Consumer {
    /// Begins to consume.
    ///
    /// # Errors
    /// When the channel or connection fails.
    pub async fn start(self, connection: &Connection) -> Result<Consuming, lapin::Error> {
        let queue = self.queue;
        let publisher = Publisher::open(connection).await?;
        let channel = connection.create_channel().await?;
        channel.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
        let passive = QueueDeclareOptions { passive: true, ..Default::default() };
        let depth = channel.queue_declare(queue.name.into(), passive, FieldTable::default()).await?;
        let tag = format!("{}.{}", queue.service, queue.style);
        let deliveries = channel
            .basic_consume(
                queue.name.into(),
                tag.as_str().into(),
                BasicConsumeOptions::default(),
                FieldTable::default(),
            )
            .await?;
        let tag: Id = tag.into();
        let ready = depth.message_count().into();
        self.tell(Kind::ConsumerStarted { consumer_tag: Arc::clone(&tag), ready: Some(ready) });

        // What an earlier channel had unacked, the broker has put back into the queue.
        self.unacked.reset(queue);
        Ok(Consuming { consumer: self, channel, publisher, deliveries, tag })
    }

    fn take(&self, delivery: Delivery, tag: &Id, publisher: &Publisher, at_work: &TaskTracker) {
        let Delivery { properties, data, redelivered, acker, exchange, .. } = delivery;
        // A message that came through its retry queue bears the default exchange; its kind is still its queue's.
        let name = |body: &[u8]| self.strangers.claim(self.queue.name, body);
        let envelope = Envelope::read(&properties, data, self.queue.message_type(), name);
        let mut about = Event::new(0, Provenance::Service, Kind::HandlerStarted);
        about.style = Some(self.queue.style);
        about.node = Some(self.queue.service.into());
        about.exchange = Some(exchange.as_str().into());
        about.queue = Some(self.queue.name.into());
        about.sku = bridge::sku_of(&envelope.body);
        about.message_id = Some(Arc::clone(&envelope.message_id));
        about.correlation_id = Some(Arc::clone(&envelope.correlation_id));
        about.causation_id = Some(Arc::clone(&envelope.message_id));
        about.attempt = Some(envelope.attempt);
        about.redelivered = Some(redelivered);
        let reporter = Reporter::new(self.journal.clone(), about);
        let delivered_us = reporter.tell(Kind::Delivered { consumer_tag: Arc::clone(tag) });

        let unacked = self.unacked.one_more(self.queue);
        let delivered = Delivered { queue: self.queue, envelope, reporter };
        let (handler, publisher) = (Arc::clone(&self.handler), publisher.clone());
        at_work.spawn(async move {
            let _unacked = unacked;
            delivered.reporter.tell(Kind::HandlerStarted);
            let outcome = handler(delivered.clone()).await;
            if let Err(failure) = outcome
                && let Err(error) = put_aside(&delivered, &failure, &publisher).await
            {
                tracing::warn!(%error, %failure, "a failed message could not be put aside; it goes back");
                let requeue = BasicNackOptions { requeue: true, ..Default::default() };
                let _ = acker.nack(requeue).await;
                return;
            }
            match acker.ack(BasicAckOptions::default()).await {
                Ok(true) => {
                    let duration_us = clock::now_us().saturating_sub(delivered_us);
                    delivered.reporter.tell(Kind::Acked { duration_us: Some(duration_us) });
                }
                Ok(false) => {}
                Err(error) => tracing::debug!(%error, "an ack came too late; the message will come again"),
            }
        });
    }

    fn tell(&self, kind: Kind) {
        let mut event = Event::new(0, Provenance::Service, kind);
        event.style = Some(self.queue.style);
        event.node = Some(self.queue.service.into());
        event.queue = Some(self.queue.name.into());
        self.journal.report(event);
    }
}

/// A consumer at work.
pub struct Consuming {
    consumer: Consumer,
    channel: Channel,
    publisher: Publisher,
    deliveries: lapin::Consumer,
    tag: Id,
}

impl Consuming {
    /// Consumes until told to stop, then lets the handlers at work finish.
    ///
    /// # Errors
    /// When the channel or connection fails; unacked messages are then delivered again by the broker.
    pub async fn run(self) -> Result<(), lapin::Error> {
        let Self { consumer, channel, publisher, mut deliveries, tag } = self;
        let at_work = TaskTracker::new();
        let ended = loop {
            let delivery = tokio::select! {
                biased;
                () = consumer.stop.cancelled() => break Ok(()),
                delivery = deliveries.next() => delivery,
            };
            match delivery {
                Some(Ok(delivery)) => consumer.take(delivery, &tag, &publisher, &at_work),
                Some(Err(error)) => break Err(error),
                // The queue is gone: somebody deleted it. A new session declares it again.
                None => break Err(lapin::ErrorKind::FutureCompleted.into()),
            }
        };
        let reason = match &ended {
            Ok(()) => {
                channel.basic_cancel(tag.as_ref().into(), BasicCancelOptions::default()).await?;
                "stopping".to_owned()
            }
            Err(error) => error.to_string(),
        };
        consumer.tell(Kind::ConsumerStopped { consumer_tag: tag, reason });
        at_work.close();
        if tokio::time::timeout(DRAIN_TIMEOUT, at_work.wait()).await.is_err() {
            tracing::warn!(
                queue = consumer.queue.name,
                left = at_work.len(),
                "handlers are still at work; leaving them"
            );
        }
        ended
    }
}

/// Sends a message that failed to where it waits for its next attempt, or to where it rests.
async fn put_aside(
    delivered: &Delivered,
    failure: &Failure,
    publisher: &Publisher,
) -> Result<(), super::publisher::PublishError> {
    let mut envelope = delivered.envelope.clone();
    let queue = delivered.queue;
    let tries = envelope.attempt as usize;
    let delay_ms = match failure {
        Failure::Transient(_) => RETRY_DELAYS_MS.get(tries - 1).copied(),
        Failure::Permanent(_) => None,
    };
    let reason = failure.to_string();
    let (target, kind) = match delay_ms {
        Some(delay_ms) => {
            envelope.attempt += 1;
            (queue.retry, Kind::RetryScheduled { delay_ms, reason })
        }
        None => {
            envelope.reason = Some(reason.as_str().into());
            (queue.dead, Kind::DeadLettered { reason })
        }
    };
    publisher.send("", target, &envelope, delay_ms).await?.confirmed().await?;
    delivered.reporter.tell(kind);
    Ok(())
}
