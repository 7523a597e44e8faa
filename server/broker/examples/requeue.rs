//! How long others wait while a client that held many messages goes away, and while many queues go with their owner.
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
    time::{Duration, Instant},
};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const QUEUE: &str = "requeue";

#[tokio::main]
async fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let messages: u32 = arguments.next().map_or(Ok(400_000), |text| text.parse())?;
    let queues: u32 = arguments.next().map_or(Ok(10_000), |text| text.parse())?;
    let broker = Broker::start(Config::default()).await?;
    let url = format!("amqp://guest:guest@{}/%2f", broker.local_addr());
    let connect = async || Connection::connect(&url, ConnectionProperties::default()).await;

    let publisher = connect().await?;
    let channel = publisher.create_channel().await?;
    channel.queue_declare(QUEUE.into(), QueueDeclareOptions::default(), FieldTable::default()).await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    for number in 0..messages {
        let options = BasicPublishOptions::default();
        let publish = channel.basic_publish(
            "".into(),
            QUEUE.into(),
            options,
            b"seventeen bytes!!",
            BasicProperties::default(),
        );
        let confirm = publish.await?;
        if number + 1 == messages {
            confirm.await?;
        }
    }
    let consumer = connect().await?;
    let holding = consumer.create_channel().await?;
    let (options, none) = (BasicConsumeOptions::default(), FieldTable::default());
    let _deliveries = holding.basic_consume(QUEUE.into(), "holds all".into(), options, none).await?;
    let started = Instant::now();
    while depth(&channel, QUEUE).await? > 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("{messages} messages delivered to one consumer in {:.1} s", started.elapsed().as_secs_f64());
    let longest = longest_wait(
        &channel,
        async || consumer.close(200, "gone".into()).await,
        async |depth| depth == messages,
    );
    println!("{messages} messages requeued: the longest wait of another client is {:?}", longest.await?);

    let owner = connect().await?;
    let declaring = owner.create_channel().await?;
    for number in 0..queues {
        let name = format!("{QUEUE}-{number}");
        let (exchange, none) = (ExchangeDeclareOptions::default(), FieldTable::default());
        declaring
            .exchange_declare(name.as_str().into(), ExchangeKind::Fanout, exchange, none.clone())
            .await?;
        declaring.queue_declare(name.as_str().into(), QueueDeclareOptions::exclusive(), none.clone()).await?;
        let bind = QueueBindOptions::default();
        declaring.queue_bind(name.as_str().into(), name.as_str().into(), "".into(), bind, none).await?;
    }
    let longest = longest_wait(&channel, async || owner.close(200, "gone".into()).await, async |_| true);
    println!("{queues} queues deleted with their owner: the longest wait is {:?}", longest.await?);
    broker.shutdown().await;
    Ok(())
}

async fn depth(channel: &Channel, queue: &str) -> lapin::Result<u32> {
    let passive = QueueDeclareOptions { passive: true, ..Default::default() };
    Ok(channel.queue_declare(queue.into(), passive, FieldTable::default()).await?.message_count())
}

/// Asks for a queue's depth all the time while something is done, and until the depth is as it should be.
async fn longest_wait(
    channel: &Channel,
    act: impl AsyncFnOnce() -> lapin::Result<()>,
    is_over: impl AsyncFn(u32) -> bool,
) -> Outcome<Duration> {
    let mut longest = Duration::ZERO;
    let mut acting = std::pin::pin!(act());
    let mut is_done = false;
    loop {
        let asked = Instant::now();
        let ready = depth(channel, QUEUE);
        let ready = if is_done {
            ready.await?
        } else {
            let mut ready = std::pin::pin!(ready);
            tokio::select! {
                ready = &mut ready => ready?,
                done = &mut acting => {
                    done?;
                    is_done = true;
                    ready.await?
                }
            }
        };
        longest = longest.max(asked.elapsed());
        if is_done && is_over(ready).await {
            return Ok(longest);
        }
    }
}
