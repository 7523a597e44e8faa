//! How many messages a second go through the broker: published by one lapin connection, confirmed, consumed and
//! acked by another.
//!
//! ```text
//! cargo run --release -p broker --example throughput -- [messages] [amqp://a-rabbitmq-to-compare-with]
//! ```
#![allow(clippy::print_stdout, reason = "it prints numbers")]

use broker::{Broker, Config};
use futures::{StreamExt, stream::FuturesOrdered};
use lapin::{BasicProperties, Connection, ConnectionProperties, options::*, types::FieldTable};
use std::{error::Error, time::Instant};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const BODY_BYTES: usize = 200;
const CONFIRM_WINDOW: usize = 1000;
const PREFETCH: u16 = 300;
const PERSISTENT: u8 = 2;
const QUEUE: &str = "throughput";
/// The middle one of so many rounds counts.
const ROUNDS: usize = 3;

#[tokio::main]
async fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let messages: usize = arguments.next().map_or(Ok(100_000), |text| text.parse())?;
    let rabbitmq = arguments.next();
    println!(
        "{messages} messages of {BODY_BYTES} bytes, persistent, window {CONFIRM_WINDOW}, prefetch {PREFETCH}"
    );
    println!("{:<12} {:>14} {:>14}", "queue", "this broker", "RabbitMQ");
    for durable in [false, true] {
        let data = tempfile::tempdir()?;
        let data = durable.then(|| data.path().to_owned());
        let broker = Broker::start(Config { data, ..Default::default() }).await?;
        let ours =
            median(&format!("amqp://guest:guest@{}/%2f", broker.local_addr()), durable, messages).await?;
        broker.shutdown().await;
        let theirs = match &rabbitmq {
            Some(url) => format!("{:>12.0}/s", median(url, durable, messages).await?),
            None => "(not asked)".to_owned(),
        };
        let name = if durable { "durable" } else { "in memory" };
        println!("{name:<12} {ours:>12.0}/s {theirs:>14}");
    }
    Ok(())
}

async fn median(url: &str, durable: bool, messages: usize) -> Outcome<f64> {
    let mut rates = Vec::new();
    for _ in 0..ROUNDS {
        rates.push(round(url, durable, messages).await?);
    }
    rates.sort_by(f64::total_cmp);
    Ok(rates[ROUNDS / 2])
}

/// One round; messages a second from the first publish to the last ack.
async fn round(url: &str, durable: bool, messages: usize) -> Outcome<f64> {
    let connection = Connection::connect(url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel.queue_delete(QUEUE.into(), QueueDeleteOptions::default()).await?;
    let options = QueueDeclareOptions { durable, ..Default::default() };
    channel.queue_declare(QUEUE.into(), options, FieldTable::default()).await?;
    let consuming = tokio::spawn(consume(url.to_owned(), messages));
    let started = Instant::now();
    publish(&channel, messages).await?;
    consuming.await??;
    let elapsed = started.elapsed();
    channel.queue_delete(QUEUE.into(), QueueDeleteOptions::default()).await?;
    connection.close(200, "".into()).await?;
    Ok(messages as f64 / elapsed.as_secs_f64())
}

async fn publish(channel: &lapin::Channel, messages: usize) -> Outcome<()> {
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let body = [b'x'; BODY_BYTES];
    let mut waiting = FuturesOrdered::new();
    for _ in 0..messages {
        if waiting.len() >= CONFIRM_WINDOW {
            waiting.next().await.transpose()?;
        }
        let properties = BasicProperties::default().with_delivery_mode(PERSISTENT);
        let publishing =
            channel.basic_publish("".into(), QUEUE.into(), BasicPublishOptions::default(), &body, properties);
        waiting.push_back(publishing.await?);
    }
    while waiting.next().await.transpose()?.is_some() {}
    Ok(())
}

async fn consume(url: String, messages: usize) -> Outcome<()> {
    let connection = Connection::connect(&url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
    let options = BasicConsumeOptions::default();
    let mut consumer =
        channel.basic_consume(QUEUE.into(), "consumer".into(), options, FieldTable::default()).await?;
    for _ in 0..messages {
        let delivery = consumer.next().await.ok_or("the consumer ended")??;
        delivery.ack(BasicAckOptions::default()).await?;
    }
    connection.close(200, "".into()).await?;
    Ok(())
}
