//! AMQP's side of [`crate::transport`]: a channel for each worker, manual acks, and a copy in a queue for what is put aside.

use crate::{
    Envelope, Publisher, Strangers,
    consumer::Consumer,
    publisher::{self, PublishError},
    settling::AtWork,
    topology,
    transport::{Aside, InFlight, Intake, Link, Lost, Outlet, Place, Taken},
    worker::WorkerError,
};
use flow::{Id, topology::Queue};
use futures::StreamExt;
use lapin::{
    Channel, Connection,
    message::Delivery,
    options::{
        BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions,
        QueueDeclareOptions,
    },
    types::{DeliveryTag, FieldTable},
};
use std::time::Duration;
use tokio::time::timeout;

/// How long the end of a cancelled consumer may take to reach us.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(1);

impl From<lapin::Error> for Lost {
    fn from(error: lapin::Error) -> Self {
        Self(error.to_string())
    }
}

impl Outlet for Publisher {
    type InFlight = publisher::InFlight;

    fn send(
        &self,
        exchange: &str,
        routing_key: &str,
        envelope: &Envelope,
    ) -> Result<Self::InFlight, PublishError> {
        self.send(exchange, routing_key, envelope, None)
    }
}

impl InFlight for publisher::InFlight {
    fn confirmed(self) -> impl Future<Output = Result<(), PublishError>> + Send {
        self.confirmed()
    }
}

/// Puts a copy into `Q.retry` or `Q.dead`. It is confirmed before the original is acked, so that a crash in between leads to
/// two copies and never to none; the inbox sees to the second.
impl Aside for Publisher {
    type Tag = DeliveryTag;

    async fn put(
        &self,
        _tag: &DeliveryTag,
        queue: &'static Queue,
        envelope: &Envelope,
        place: Place,
    ) -> Result<(), PublishError> {
        let (target, delay_ms) = match place {
            Place::Retry { delay_ms } => (topology::retry_queue(queue, delay_ms), Some(delay_ms)),
            Place::Dead => (queue.dead.to_owned(), None),
        };
        self.send("", &target, envelope, delay_ms)?.confirmed().await
    }
}

impl Link for Connection {
    type Intake = ChannelIntake;

    async fn open(
        &self,
        consumer: &Consumer,
        tag: &Id,
        prefetch: u16,
    ) -> Result<(ChannelIntake, Option<u64>), WorkerError> {
        let queue = consumer.queue;
        let publisher = Publisher::open(self).await?;
        let channel = self.create_channel().await?;
        let passive = QueueDeclareOptions { passive: true, ..Default::default() };
        let depth = channel.queue_declare(queue.name.into(), passive, FieldTable::default()).await?;
        let deliveries = consume(&channel, queue, tag, prefetch).await?;
        let intake = ChannelIntake {
            queue,
            strangers: consumer.strangers.clone(),
            tag: Id::clone(tag),
            channel,
            publisher,
            deliveries,
            at_work: AtWork::default(),
        };
        Ok((intake, Some(depth.message_count().into())))
    }

    fn is_up(&self) -> bool {
        self.status().connected()
    }
}

/// A worker's channel, and its consumer there.
pub struct ChannelIntake {
    queue: &'static Queue,
    strangers: Strangers,
    tag: Id,
    channel: Channel,
    publisher: Publisher,
    deliveries: lapin::Consumer,
    /// The deliveries that its handlers work on.
    at_work: AtWork,
}

impl Intake for ChannelIntake {
    type Tag = DeliveryTag;
    type Aside = Publisher;

    fn aside(&self) -> Publisher {
        self.publisher.clone()
    }

    async fn next(&mut self) -> Result<Taken<DeliveryTag>, WorkerError> {
        let delivery = self.deliveries.next().await.ok_or(WorkerError::QueueGone)??;
        let Delivery { properties, data, redelivered, delivery_tag, exchange, .. } = delivery;
        self.at_work.begin(delivery_tag);
        // A message that came through its retry queue bears the default exchange; its kind is still its queue's.
        let name = |body: &[u8]| self.strangers.claim(self.queue.name, self.queue.routing_key, body);
        let envelope = Envelope::receive(properties, data, self.queue.message_type(), name);
        let exchange = exchange.as_str().into();
        Ok(Taken { tag: delivery_tag, envelope, exchange, redelivered, unreadable: None })
    }

    async fn done(&mut self, tags: &[DeliveryTag]) -> Result<(), WorkerError> {
        for ack in self.at_work.acks(tags) {
            self.channel.basic_ack(ack.tag, BasicAckOptions { multiple: ack.multiple }).await?;
        }
        Ok(())
    }

    async fn give_back(&mut self, tag: DeliveryTag) -> Result<(), WorkerError> {
        self.at_work.end(tag);
        let requeue = BasicNackOptions { requeue: true, ..Default::default() };
        Ok(self.channel.basic_nack(tag, requeue).await?)
    }

    async fn pause(&mut self) -> Result<(), WorkerError> {
        self.channel.basic_cancel(self.tag.as_ref().into(), BasicCancelOptions::default()).await?;
        while let Ok(Some(Ok(delivery))) = timeout(CANCEL_TIMEOUT, self.deliveries.next()).await {
            let requeue = BasicNackOptions { requeue: true, ..Default::default() };
            delivery.acker.nack(requeue).await?;
        }
        Ok(())
    }

    /// A prefetch counts for new consumers only (RabbitMQ's reading of basic.qos).
    async fn resume(&mut self, prefetch: u16) -> Result<(), WorkerError> {
        self.deliveries = consume(&self.channel, self.queue, &self.tag, prefetch).await?;
        Ok(())
    }

    /// The connection's heartbeats say it.
    async fn beat(&mut self) -> Result<(), WorkerError> {
        Ok(())
    }

    async fn close(&mut self) {
        let _ = self.channel.close(200, "the worker ends".into()).await;
    }
}

async fn consume(
    channel: &Channel,
    queue: &Queue,
    tag: &Id,
    prefetch: u16,
) -> Result<lapin::Consumer, lapin::Error> {
    channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
    let (queue, none) = (queue.name.into(), FieldTable::default());
    channel.basic_consume(queue, tag.as_ref().into(), BasicConsumeOptions::default(), none).await
}
