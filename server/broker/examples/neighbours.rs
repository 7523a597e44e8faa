//! How long others wait while one client does something large: gives back a million messages, purges them, lets them
//! expire, commits them, goes with its queues, or sends to tens of thousands of queues.
//!
//! ```text
//! cargo run --release -p broker --example neighbours -- [messages] [queues] [durable]
//! ```
#![allow(clippy::print_stdout, reason = "it prints numbers")]

use broker::{Broker, Config, Limits};
use futures::StreamExt;
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

/// What the program uses that embeds the broker: how long it takes to give a million things back is the allocator's, too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const QUEUE: &str = "large";
const OTHER_QUEUE: &str = "other";
const FANOUT: &str = "amq.fanout";
const NOBODY: BasicPublishOptions = BasicPublishOptions { mandatory: false, immediate: false };

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let messages: u32 = arguments.next().map_or(Ok(1_000_000), |text| text.parse())?;
    let queues: u32 = arguments.next().map_or(Ok(10_000), |text| text.parse())?;
    let is_durable = arguments.next().is_some_and(|text| text == "durable");
    let folder = tempfile::tempdir()?;
    let config = Config {
        data: is_durable.then(|| folder.path().to_owned()),
        // The messages of one run, wherever they are.
        limits: Limits { memory_bytes: 4 << 30, ..Limits::default() },
        ..Config::default()
    };
    // The broker has threads of its own, so that its clients' work is not taken for its own.
    let serving = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let broker = Arc::new(serving.block_on(Broker::start(config))?);
    let using = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    using.block_on(async {
        let url = format!("amqp://guest:guest@{}/%2f", broker.local_addr());
        let pinging = connect(&url).await?.create_channel().await?;
        for queue in [QUEUE, OTHER_QUEUE] {
            let options = QueueDeclareOptions { durable: queue == QUEUE, ..Default::default() };
            pinging.queue_declare(queue.into(), options, FieldTable::default()).await?;
        }
        let watch = Watch { broker: broker.clone(), url, pinging };
        let persistent = BasicProperties::default().with_delivery_mode(2);
        let properties = if is_durable { persistent } else { BasicProperties::default() };
        many_messages(&watch, messages, &properties).await?;
        a_transaction(&watch, messages, &properties).await?;
        many_queues(&watch, queues).await?;
        many_exchanges(&watch, queues).await
    })?;
    drop(using);
    serving.block_on(async {
        if let Some(broker) = Arc::into_inner(broker) {
            broker.shutdown().await;
        }
    });
    Ok(())
}

async fn connect(url: &str) -> lapin::Result<Connection> {
    Connection::connect(url, ConnectionProperties::default()).await
}

async fn many_messages(watch: &Watch, messages: u32, properties: &BasicProperties) -> Outcome<()> {
    let publisher = connect(&watch.url).await?;
    let channel = publisher.create_channel().await?;
    publish(&channel, messages, properties).await?;

    let consumer = connect(&watch.url).await?;
    let holding = consumer.create_channel().await?;
    let mut last = take_all(&holding, messages).await?;
    holding.basic_cancel("holds all".into(), BasicCancelOptions::default()).await?;
    let nack = async || {
        let options = BasicNackOptions { multiple: true, requeue: true };
        holding.basic_nack(std::mem::take(&mut last), options).await
    };
    watch.during("basic.nack, multiple, requeue", nack, messages).await?;

    take_all(&holding, messages).await?;
    let close = async || consumer.close(200, "gone".into()).await;
    watch.during("close of a connection that holds all", close, messages).await?;
    let purge = async || channel.queue_purge(QUEUE.into(), QueuePurgeOptions::default()).await.map(drop);
    watch.during("queue.purge", purge, 0).await?;

    // What is behind a message that does not expire expires when that one goes.
    publish(&channel, 1, properties).await?;
    publish(&channel, messages, &properties.clone().with_expiration("1".into())).await?;
    let get = async || channel.basic_get(QUEUE.into(), BasicGetOptions { no_ack: true }).await.map(drop);
    watch.during("expiry of all at once", get, 0).await?;

    publish(&channel, messages, properties).await?;
    let delete = async || channel.queue_delete(QUEUE.into(), QueueDeleteOptions::default()).await.map(drop);
    watch.during("queue.delete", delete, 0).await?;
    let options = QueueDeclareOptions::durable();
    channel.queue_declare(QUEUE.into(), options, FieldTable::default()).await?;
    Ok(())
}

async fn a_transaction(watch: &Watch, messages: u32, properties: &BasicProperties) -> Outcome<()> {
    let connection = connect(&watch.url).await?;
    let transaction = connection.create_channel().await?;
    transaction.tx_select().await?;
    let fill = async || publish(&transaction, messages, properties).await;
    watch.during("publishes into a transaction", fill, 0).await?;
    let rollback = async || transaction.tx_rollback().await;
    watch.during("tx.rollback of publishes", rollback, 0).await?;
    publish(&transaction, messages, properties).await?;
    let commit = async || transaction.tx_commit().await;
    watch.during("tx.commit of publishes", commit, messages).await?;

    let last = take_all(&transaction, messages).await?;
    transaction.basic_cancel("holds all".into(), BasicCancelOptions::default()).await?;
    let nack_each = async |options: BasicNackOptions| {
        for tag in last + 1 - u64::from(messages)..=last {
            transaction.basic_nack(tag, options).await?;
        }
        // Answered when all of them were read.
        depth(&transaction, OTHER_QUEUE).await.map(drop)
    };
    let back = BasicNackOptions { multiple: false, requeue: true };
    let nack = async || nack_each(back).await;
    watch.during("nacks, one by one, in a transaction", nack, 0).await?;
    let rollback = async || transaction.tx_rollback().await;
    watch.during("tx.rollback of nacks", rollback, 0).await?;
    nack_each(back).await?;
    let close = async || connection.close(200, "gone".into()).await;
    watch.during("close with an open transaction of nacks", close, messages).await?;
    let purge =
        async || watch.pinging.queue_purge(QUEUE.into(), QueuePurgeOptions::default()).await.map(drop);
    watch.during("queue.purge", purge, 0).await
}

async fn many_queues(watch: &Watch, queues: u32) -> Outcome<()> {
    let owner = connect(&watch.url).await?;
    let channel = owner.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    // Five times as many of these: they are quick to make.
    let all = queues * 5;
    let declare = async || {
        for number in 0..all {
            let name = format!("{QUEUE}-{number}");
            let exclusive = QueueDeclareOptions { nowait: true, ..QueueDeclareOptions::exclusive() };
            channel.queue_declare(name.as_str().into(), exclusive, FieldTable::default()).await?;
            let options = QueueBindOptions { nowait: true };
            channel
                .queue_bind(name.as_str().into(), FANOUT.into(), "".into(), options, FieldTable::default())
                .await?;
        }
        depth(&channel, OTHER_QUEUE).await.map(drop)
    };
    watch.during(&format!("declaring {all} queues"), declare, 0).await?;
    let fanout = async || {
        for _ in 0..5 {
            let properties = BasicProperties::default();
            channel.basic_publish(FANOUT.into(), "".into(), NOBODY, b"to all", properties).await?.await?;
        }
        Ok(())
    };
    watch.during(&format!("five messages to a fanout of {all} queues"), fanout, 0).await?;
    let looking = watch.broker.clone();
    let look = async || {
        tokio::task::spawn_blocking(move || drop(looking.overview())).await.unwrap_or_default();
        Ok(())
    };
    watch.during(&format!("an overview of {all} queues"), look, 0).await?;
    let close = async || owner.close(200, "gone".into()).await;
    watch.during(&format!("close of the owner of {all} queues of one exchange"), close, 0).await
}

async fn many_exchanges(watch: &Watch, queues: u32) -> Outcome<()> {
    let owner = connect(&watch.url).await?;
    let channel = owner.create_channel().await?;
    let none = FieldTable::default;
    channel.queue_declare("bound".into(), QueueDeclareOptions::exclusive(), none()).await?;
    for number in 0..queues {
        let name = format!("{QUEUE}-{number}");
        let name = name.as_str();
        for exchange in [name.to_owned(), format!("of-one-{number}")] {
            let options = ExchangeDeclareOptions { auto_delete: true, nowait: true, ..Default::default() };
            channel.exchange_declare(exchange.into(), ExchangeKind::Fanout, options, none()).await?;
        }
        channel.queue_declare(name.into(), QueueDeclareOptions::exclusive(), none()).await?;
        let options = QueueBindOptions { nowait: true };
        for exchange in [name, FANOUT] {
            channel.queue_bind(name.into(), exchange.into(), "".into(), options, none()).await?;
        }
        let exchange = format!("of-one-{number}");
        channel.queue_bind("bound".into(), exchange.into(), "".into(), options, none()).await?;
    }
    let delete = async || channel.queue_delete("bound".into(), QueueDeleteOptions::default()).await.map(drop);
    watch.during(&format!("queue.delete of one bound to {queues} exchanges"), delete, 0).await?;
    let close = async || owner.close(200, "gone".into()).await;
    watch.during(&format!("close of the owner of {queues} queues and exchanges"), close, 0).await
}

async fn publish(channel: &Channel, messages: u32, properties: &BasicProperties) -> lapin::Result<()> {
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
async fn take_all(channel: &Channel, messages: u32) -> lapin::Result<u64> {
    let options = BasicConsumeOptions::default();
    let consume = channel.basic_consume(QUEUE.into(), "holds all".into(), options, FieldTable::default());
    let mut deliveries = consume.await?;
    let mut last = 0;
    for _ in 0..messages {
        if let Some(delivery) = deliveries.next().await {
            last = delivery?.delivery_tag;
        }
    }
    Ok(last)
}

async fn depth(channel: &Channel, queue: &str) -> lapin::Result<u32> {
    let passive = QueueDeclareOptions { passive: true, ..Default::default() };
    Ok(channel.queue_declare(queue.into(), passive, FieldTable::default()).await?.message_count())
}

/// Whoever has to wait.
struct Watch {
    broker: Arc<Broker>,
    url: String,
    pinging: Channel,
}

impl Watch {
    /// Uses the broker all the time while something is done, and until the large queue is as deep as it should be.
    async fn during(
        &self,
        what: &str,
        act: impl AsyncFnOnce() -> lapin::Result<()>,
        depth: u32,
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
            loop {
                tokio::select! {
                    answered = &mut ping => break answered?,
                    done = &mut acting, if took.is_none() => {
                        done?;
                        took = Some(started.elapsed());
                    }
                }
            }
            longest = longest.max(asked.elapsed());
            if took.is_some() && self.depth() == depth {
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

    /// How deep the large queue is; a queue that is gone is not deep.
    fn depth(&self) -> u32 {
        let ready = self.broker.queue_counts(QUEUE).unwrap_or_default().ready;
        u32::try_from(ready).unwrap_or(u32::MAX)
    }

    /// Puts a message into another queue and takes it out again.
    async fn ping(&self) -> lapin::Result<()> {
        self.pinging
            .basic_publish("".into(), OTHER_QUEUE.into(), NOBODY, b"ping", BasicProperties::default())
            .await?;
        self.pinging.basic_get(OTHER_QUEUE.into(), BasicGetOptions { no_ack: true }).await.map(drop)
    }
}
