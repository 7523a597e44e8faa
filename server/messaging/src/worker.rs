//! One worker: a consumer with a channel of its own.

use super::{
    Publisher,
    consumer::{Consumer, Finished},
    settling::AtWork,
};
use crate::crew::Target;
use flow::{Id, Kind};
use futures::StreamExt;
use lapin::{
    Channel, Connection,
    options::{
        BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions,
        QueueDeclareOptions,
    },
    types::FieldTable,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    task::{JoinError, JoinSet},
    time::{Interval, MissedTickBehavior, interval, timeout},
};

/// How long handlers may go on after a stop before their messages are left to the next consumer.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(3);
/// How often a worker says that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How long the end of a cancelled consumer may take to reach us.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(1);

/// Why a worker ended that was not told to.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// Its channel or connection failed.
    #[error(transparent)]
    Amqp(#[from] lapin::Error),
    /// The queue is gone: somebody deleted it.
    #[error("the queue is gone")]
    QueueGone,
    /// A handler panicked; its message is delivered again.
    #[error("a handler panicked")]
    Panicked,
}

/// A worker that consumes.
pub struct Worker {
    /// Its number, from 1.
    number: u16,
    consumer: Consumer,
    target: watch::Receiver<Target>,
    prefetch: u16,
    channel: Channel,
    publisher: Publisher,
    deliveries: lapin::Consumer,
    tag: Id,
    /// Ended with the worker: what they hold is then delivered again.
    handlers: JoinSet<Finished>,
    /// The deliveries that they work on.
    at_work: AtWork,
    heartbeat: Interval,
}

/// How a wait for the handlers ended.
#[derive(PartialEq, Eq)]
enum Drained {
    All,
    Stopped,
}

impl Worker {
    /// Begins to consume; `alone` when no other worker of ours does.
    ///
    /// # Errors
    /// When the channel or connection fails.
    pub async fn start(
        consumer: Consumer,
        number: u16,
        alone: bool,
        connection: &Connection,
    ) -> Result<Self, WorkerError> {
        let queue = consumer.queue;
        let mut target = consumer.scope.crew().target();
        let prefetch = target.borrow_and_update().prefetch_now();
        let publisher = Publisher::open(connection).await?;
        let channel = connection.create_channel().await?;
        let passive = QueueDeclareOptions { passive: true, ..Default::default() };
        let depth = channel.queue_declare(queue.name.into(), passive, FieldTable::default()).await?;
        let tag: Id = match number {
            1 => format!("{}.{}", queue.service, queue.style),
            _ => format!("{}.{}.{number}", queue.service, queue.style),
        }
        .into();
        let deliveries = consume(&channel, &consumer, &tag, prefetch).await?;
        // What others have taken out meanwhile, nobody can tell.
        let ready = alone.then(|| depth.message_count().into());
        consumer.tell(Kind::ConsumerStarted { consumer_tag: Arc::clone(&tag), ready });
        let mut heartbeat = interval(HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self {
            number,
            consumer,
            target,
            prefetch,
            channel,
            publisher,
            deliveries,
            tag,
            handlers: JoinSet::new(),
            at_work: AtWork::default(),
            heartbeat,
        })
    }

    /// Consumes until told to stop, or until there should be fewer workers; then lets the handlers finish.
    /// Answers the worker's number with how it ended.
    pub async fn run(mut self) -> (u16, Result<(), WorkerError>) {
        let ended = self.work().await;
        let reason = match &ended {
            Ok(()) => "stopping".to_owned(),
            Err(error) => error.to_string(),
        };
        self.consumer.tell(Kind::ConsumerStopped { consumer_tag: Arc::clone(&self.tag), reason });
        // What it still holds goes back to the queue.
        let _ = self.channel.close(200, "the worker ends".into()).await;
        (self.number, ended)
    }

    async fn work(&mut self) -> Result<(), WorkerError> {
        loop {
            tokio::select! {
                biased;
                () = self.consumer.stop.cancelled() => return self.leave(true).await,
                Ok(()) = self.target.changed() => {
                    let target = *self.target.borrow_and_update();
                    if self.number > target.workers_now() {
                        return self.leave(false).await;
                    }
                    if target.prefetch_now() != self.prefetch && self.consume_anew().await? == Drained::Stopped {
                        return self.leave(true).await;
                    }
                }
                _ = self.heartbeat.tick() => self.consumer.scope.crew().beat(),
                Some(done) = self.handlers.join_next() => self.settle(done).await?,
                delivery = self.deliveries.next() => {
                    let delivery = delivery.ok_or(WorkerError::QueueGone)??;
                    self.at_work.begin(delivery.delivery_tag);
                    self.consumer.take(delivery, &self.tag, &self.publisher, &mut self.handlers);
                }
            }
        }
    }

    /// Tells the broker of a handler that has finished, and of all others that have by now.
    async fn settle(&mut self, first: Result<Finished, JoinError>) -> Result<(), WorkerError> {
        let mut ended = vec![first];
        ended.extend(std::iter::from_fn(|| self.handlers.try_join_next()));
        let has_panicked = ended.iter().any(Result::is_err);
        let (done, failed): (Vec<_>, Vec<_>) = ended.into_iter().flatten().partition(|one| one.is_done);
        let tags: Vec<_> = done.iter().map(|one| one.delivery_tag).collect();
        for ack in self.at_work.acks(&tags) {
            self.channel.basic_ack(ack.tag, BasicAckOptions { multiple: ack.multiple }).await?;
        }
        done.into_iter().for_each(Finished::acked);
        for one in failed {
            self.at_work.end(one.delivery_tag);
            let requeue = BasicNackOptions { requeue: true, ..Default::default() };
            self.channel.basic_nack(one.delivery_tag, requeue).await?;
        }
        // Nobody aborts a handler but the worker's end.
        if has_panicked { Err(WorkerError::Panicked) } else { Ok(()) }
    }

    /// Takes nothing new and lets the handlers finish: within bounds when the server stops.
    async fn leave(&mut self, server_stops: bool) -> Result<(), WorkerError> {
        self.cancel().await?;
        if !server_stops && self.drain().await? == Drained::All {
            return Ok(());
        }
        let drain = async {
            while let Some(done) = self.handlers.join_next().await {
                self.settle(done).await?;
            }
            Ok::<_, WorkerError>(())
        };
        if timeout(DRAIN_TIMEOUT, drain).await.is_err() {
            let left = self.handlers.len();
            tracing::warn!(
                queue = self.consumer.queue.name,
                left,
                "handlers are still at work; leaving them"
            );
        }
        Ok(())
    }

    /// Consumes with another prefetch. That counts for new consumers only (RabbitMQ's reading of basic.qos), so
    /// this one ends, what is in hand is finished, and it begins anew.
    async fn consume_anew(&mut self) -> Result<Drained, WorkerError> {
        self.cancel().await?;
        if self.drain().await? == Drained::Stopped {
            return Ok(Drained::Stopped);
        }
        self.prefetch = self.target.borrow_and_update().prefetch_now();
        self.deliveries = consume(&self.channel, &self.consumer, &self.tag, self.prefetch).await?;
        Ok(Drained::All)
    }

    /// Ends the consumer; what it was sent and nobody has begun goes back to the queue.
    async fn cancel(&mut self) -> Result<(), WorkerError> {
        self.channel.basic_cancel(self.tag.as_ref().into(), BasicCancelOptions::default()).await?;
        while let Ok(Some(Ok(delivery))) = timeout(CANCEL_TIMEOUT, self.deliveries.next()).await {
            let requeue = BasicNackOptions { requeue: true, ..Default::default() };
            delivery.acker.nack(requeue).await?;
        }
        Ok(())
    }

    /// Waits for the handlers, some of which may be held for as long as somebody likes.
    async fn drain(&mut self) -> Result<Drained, WorkerError> {
        loop {
            tokio::select! {
                () = self.consumer.stop.cancelled() => return Ok(Drained::Stopped),
                _ = self.heartbeat.tick() => self.consumer.scope.crew().beat(),
                done = self.handlers.join_next() => match done {
                    Some(done) => self.settle(done).await?,
                    None => return Ok(Drained::All),
                },
            }
        }
    }
}

async fn consume(
    channel: &Channel,
    consumer: &Consumer,
    tag: &Id,
    prefetch: u16,
) -> Result<lapin::Consumer, lapin::Error> {
    channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
    let (queue, none) = (consumer.queue.name.into(), FieldTable::default());
    channel.basic_consume(queue, tag.as_ref().into(), BasicConsumeOptions::default(), none).await
}
