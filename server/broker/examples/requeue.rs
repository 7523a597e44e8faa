//! How long others wait while one client does something large: gives back a million messages, purges them, lets them
//! expire, commits them, or goes with its queues.
//!
//! ```text
//! cargo run --release -p broker --example requeue -- [messages] [queues]
//! ```
#![allow(clippy::print_stdout, reason = "it prints numbers")]

use broker::{Broker, Config};
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties, ExchangeKind, options::*, types::FieldTable,
};
use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const QUEUE: &str = "requeue";
const OTHER_QUEUE: &str = "other";
const NOBODY: BasicPublishOptions = BasicPublishOptions { mandatory: false, immediate: false };

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let messages: u32 = arguments.next().map_or(Ok(1_000_000), |text| text.parse())?;
    let queues: u32 = arguments.next().map_or(Ok(10_000), |text| text.parse())?;
    // The broker has threads of its own, so that its clients' work is not taken for its own.
    let serving = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let broker = Arc::new(serving.block_on(Broker::start(Config::default()))?);
    let using = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    using.block_on(measure(&broker, messages, queues))?;
    drop(using);
    serving.block_on(async {
        if let Some(broker) = Arc::into_inner(broker) {
            broker.shutdown().await;
        }
    });
    Ok(())
}

async fn measure(broker: &Arc<Broker>, messages: u32, queues: u32) -> Outcome<()> {
    let url = format!("amqp://guest:guest@{}/%2f", broker.local_addr());
    let connect = async || Connection::connect(&url, ConnectionProperties::default()).await;
    let pinging = connect().await?.create_channel().await?;
    let mut watch = Watch { broker: broker.clone(), pinging, queue: QUEUE };
    for queue in [QUEUE, OTHER_QUEUE] {
        watch
            .pinging
            .queue_declare(queue.into(), QueueDeclareOptions::default(), FieldTable::default())
            .await?;
    }
    let publisher = connect().await?;
    let channel = publisher.create_channel().await?;
    let none = BasicProperties::default;
    publish(&channel, messages, none()).await?;

    let consumer = connect().await?;
    let holding = consumer.create_channel().await?;
    let options = BasicConsumeOptions::default();
    let deliveries = holding.basic_consume(QUEUE.into(), "holds all".into(), options, FieldTable::default());
    let mut last = take_all(deliveries.await?, messages).await;
    holding.basic_cancel("holds all".into(), BasicCancelOptions::default()).await?;
    let nack = async || {
        let options = BasicNackOptions { multiple: true, requeue: true };
        holding.basic_nack(std::mem::take(&mut last), options).await
    };
    watch.during("basic.nack, multiple, requeue", nack, |depth| depth == messages).await?;

    let options = BasicConsumeOptions::default();
    let deliveries = holding.basic_consume(QUEUE.into(), "holds all".into(), options, FieldTable::default());
    take_all(deliveries.await?, messages).await;
    let close = async || consumer.close(200, "gone".into()).await;
    watch.during("close of a connection that holds all", close, |depth| depth == messages).await?;
    let purge = async || channel.queue_purge(QUEUE.into(), QueuePurgeOptions::default()).await.map(|_| ());
    watch.during("queue.purge", purge, |depth| depth == 0).await?;

    // What is behind a message that does not expire expires when that one goes.
    publish(&channel, 1, none()).await?;
    publish(&channel, messages, none().with_expiration("1".into())).await?;
    let get = async || channel.basic_get(QUEUE.into(), BasicGetOptions { no_ack: true }).await.map(|_| ());
    watch.during("expiry of all at once", get, |depth| depth == 0).await?;

    let transaction = publisher.create_channel().await?;
    transaction.tx_select().await?;
    publish(&transaction, messages, none()).await?;
    let rollback = async || transaction.tx_rollback().await;
    watch.during("tx.rollback", rollback, |depth| depth == 0).await?;
    publish(&transaction, messages, none()).await?;
    let commit = async || transaction.tx_commit().await;
    watch.during("tx.commit", commit, |depth| depth == messages).await?;
    let delete = async || channel.queue_delete(QUEUE.into(), QueueDeleteOptions::default()).await.map(|_| ());
    watch.queue = OTHER_QUEUE;
    watch.during("queue.delete", delete, |_| true).await?;

    let owner = connect().await?;
    let declaring = owner.create_channel().await?;
    for number in 0..queues {
        let name = format!("{QUEUE}-{number}");
        let exchange = ExchangeDeclareOptions { auto_delete: true, ..Default::default() };
        let (name, none) = (name.as_str(), FieldTable::default());
        declaring.exchange_declare(name.into(), ExchangeKind::Fanout, exchange, none.clone()).await?;
        declaring.queue_declare(name.into(), QueueDeclareOptions::exclusive(), none.clone()).await?;
        for exchange in [name, "amq.fanout"] {
            let options = QueueBindOptions::default();
            declaring.queue_bind(name.into(), exchange.into(), "".into(), options, none.clone()).await?;
        }
    }
    let close = async || owner.close(200, "gone".into()).await;
    watch.during(&format!("close of the owner of {queues} queues and exchanges"), close, |_| true).await
}

async fn publish(channel: &Channel, messages: u32, properties: BasicProperties) -> Outcome<()> {
    for _ in 0..messages {
        let body = b"seventeen bytes!!";
        let publish = channel.basic_publish("".into(), QUEUE.into(), NOBODY, body, properties.clone());
        publish.await?;
    }
    // Answered when all of them were read.
    depth(channel, QUEUE).await?;
    Ok(())
}

/// Takes so many deliveries, and says the tag of the last.
async fn take_all(mut deliveries: lapin::Consumer, messages: u32) -> u64 {
    use futures::StreamExt;
    let mut last = 0;
    for _ in 0..messages {
        if let Some(Ok(delivery)) = deliveries.next().await {
            last = delivery.delivery_tag;
        }
    }
    last
}

async fn depth(channel: &Channel, queue: &str) -> lapin::Result<u32> {
    let passive = QueueDeclareOptions { passive: true, ..Default::default() };
    Ok(channel.queue_declare(queue.into(), passive, FieldTable::default()).await?.message_count())
}

/// Whoever has to wait.
struct Watch {
    broker: Arc<Broker>,
    pinging: Channel,
    /// Whose depth is asked for.
    queue: &'static str,
}

impl Watch {
    /// Uses the broker all the time while something is done, and until the queue is as deep as it should be.
    async fn during(
        &self,
        what: &str,
        act: impl AsyncFnOnce() -> lapin::Result<()>,
        is_over: impl Fn(u32) -> bool,
    ) -> Outcome<()> {
        let is_done = Arc::new(AtomicBool::new(false));
        let (broker, ended) = (self.broker.clone(), is_done.clone());
        let looking = std::thread::spawn(move || {
            let mut longest = Duration::ZERO;
            while !ended.load(Ordering::Relaxed) {
                let asked = Instant::now();
                drop(broker.overview());
                longest = longest.max(asked.elapsed());
                std::thread::sleep(Duration::from_millis(1));
            }
            longest
        });
        let started = Instant::now();
        let mut took = None;
        let mut longest = Duration::ZERO;
        let mut acting = std::pin::pin!(act());
        loop {
            let asked = Instant::now();
            let mut ping = std::pin::pin!(self.ping());
            let depth = loop {
                tokio::select! {
                    depth = &mut ping => break depth?,
                    done = &mut acting, if took.is_none() => {
                        done?;
                        took = Some(started.elapsed());
                    }
                }
            };
            longest = longest.max(asked.elapsed());
            if took.is_some() && is_over(depth) {
                break;
            }
        }
        is_done.store(true, Ordering::Relaxed);
        let overview = looking.join().map_err(|_| "the thread that looks has panicked")?;
        println!(
            "{what}: {:.0?}, done for all after {:.0?}; the longest wait of another client {longest:.1?}, \
             of an overview {overview:.1?}",
            took.unwrap_or_default(),
            started.elapsed()
        );
        Ok(())
    }

    /// How deep the queue is, after another one was used.
    async fn ping(&self) -> lapin::Result<u32> {
        self.pinging
            .basic_publish("".into(), OTHER_QUEUE.into(), NOBODY, b"ping", BasicProperties::default())
            .await?;
        self.pinging.basic_get(OTHER_QUEUE.into(), BasicGetOptions { no_ack: true }).await?;
        depth(&self.pinging, self.queue).await
    }
}
