//! Declares the exchanges, queues and bindings of both styles.
//!
//! Every connection declares everything before it does anything: then no service can publish before
//! the queues of the others exist, whichever starts first. Declaring again what is there changes nothing
//! (AMQP 0-9-1, rule on equivalence in exchange.declare and queue.declare).

use flow::{
    Style,
    topology::{ExchangeType, QUEUES, Queue},
};
use lapin::{
    Channel, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};

/// Declares the topology of both styles.
///
/// # Errors
/// When the broker refuses: most likely something of the same name was declared differently by somebody else.
pub async fn declare(channel: &Channel) -> lapin::Result<()> {
    for style in Style::ALL {
        let exchange = style.exchange();
        let kind = match exchange.exchange_type {
            ExchangeType::Fanout => ExchangeKind::Fanout,
            ExchangeType::Direct => ExchangeKind::Direct,
        };
        let durable = ExchangeDeclareOptions { durable: true, ..Default::default() };
        channel.exchange_declare(exchange.name.into(), kind, durable, FieldTable::default()).await?;
    }
    for queue in &QUEUES {
        declare_queue(channel, queue).await?;
    }
    Ok(())
}

async fn declare_queue(channel: &Channel, queue: &Queue) -> lapin::Result<()> {
    let durable = QueueDeclareOptions::durable();
    channel.queue_declare(queue.name.into(), durable, FieldTable::default()).await?;
    channel.queue_declare(queue.dead.into(), durable, FieldTable::default()).await?;
    // A message waits here with its own expiration and then goes back through the default exchange.
    let mut back = FieldTable::default();
    back.insert("x-dead-letter-exchange".into(), AMQPValue::LongString("".into()));
    back.insert("x-dead-letter-routing-key".into(), AMQPValue::LongString(queue.name.into()));
    channel.queue_declare(queue.retry.into(), durable, back).await?;
    channel
        .queue_bind(
            queue.name.into(),
            queue.style.exchange().name.into(),
            queue.routing_key.into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        )
        .await
}
