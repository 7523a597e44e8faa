//! Tapping a broker that is not ours: a queue of the bridge's own is bound to each exchange.
//!
//! The broker itself then hands the bridge a copy of all that it routes. The copy says that the exchange
//! had the message; into which queues it went follows from the bindings, which are part of the topology.

use super::{Journal, Strangers, routed};
use crate::messaging::{Envelope, topology};
use flow::{
    Style,
    topology::{ExchangeType, style_of_exchange},
};
use futures::StreamExt;
use lapin::{
    Connection,
    message::Delivery,
    options::{BasicConsumeOptions, QueueBindOptions, QueueDeclareOptions},
    types::FieldTable,
};
use tokio_util::sync::CancellationToken;

/// Reports what the exchanges route until told to stop; calls `ready` once it hears everything.
///
/// # Errors
/// When the connection or the channel fails.
pub async fn run(
    connection: &Connection,
    journal: &Journal,
    strangers: &Strangers,
    stop: &CancellationToken,
    ready: &(dyn Fn() + Send + Sync),
) -> Result<(), lapin::Error> {
    let channel = connection.create_channel().await?;
    topology::declare(&channel).await?;
    // Ours alone, and gone with the connection: what nobody watches is not collected.
    let queue = channel
        .queue_declare("".into(), QueueDeclareOptions::exclusive().auto_delete(), FieldTable::default())
        .await?;
    for style in Style::ALL {
        for key in style.queues().map(|queue| queue.routing_key) {
            let (exchange, none) = (style.exchange().name.into(), FieldTable::default());
            channel
                .queue_bind(queue.name().clone(), exchange, key.into(), QueueBindOptions::default(), none)
                .await?;
        }
    }
    let no_ack = BasicConsumeOptions { no_ack: true, exclusive: true, ..Default::default() };
    let mut copies =
        channel.basic_consume(queue.name().clone(), "tap".into(), no_ack, FieldTable::default()).await?;
    ready();
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            copy = copies.next() => match copy {
                Some(Ok(copy)) => report(copy, journal, strangers),
                Some(Err(error)) => return Err(error),
                None => return Err(lapin::ErrorKind::FutureCompleted.into()),
            },
        }
    }
}

fn report(copy: Delivery, journal: &Journal, strangers: &Strangers) {
    let (exchange, key) = (copy.exchange.as_str(), copy.routing_key.as_str());
    let Some(style) = style_of_exchange(exchange) else { return };
    let queues: Vec<_> = style
        .queues()
        .filter(|queue| style.exchange().exchange_type == ExchangeType::Fanout || queue.routing_key == key)
        .collect();
    let message_type = queues.first().map_or("unknown", |queue| queue.message_type());
    let envelope = Envelope::read(&copy.properties, copy.data.clone(), message_type, |body| {
        strangers.claim("tap", body)
    });
    for queue in queues {
        journal.report(routed(&envelope, style, exchange, key, queue.name.into()));
    }
}
