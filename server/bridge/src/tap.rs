//! Tapping a broker that is not ours: a queue of the bridge's own is bound to each exchange.
//!
//! The broker itself then hands the bridge a copy of all that it routes. The copy says that the exchange
//! had the message; into which queues it went follows from the bindings, which are part of the topology.

use super::{management::Bound, routed};
use flow::topology::{ExchangeType, Queue, style_of_exchange};
use futures::StreamExt;
use journal::Journal;
use lapin::{
    Channel, Connection,
    message::Delivery,
    options::{BasicConsumeOptions, QueueBindOptions, QueueDeclareOptions},
    types::{FieldTable, ShortString},
};
use messaging::{Bindings, Envelope, Strangers, topology};
use std::collections::BTreeSet;
use tokio_util::sync::CancellationToken;

/// Reports what the exchanges route, also into the strangers' queues that are known, until told to stop; calls `ready` once it hears everything.
///
/// # Errors
/// When the connection or the channel fails.
pub async fn run(
    connection: &Connection,
    journal: &Journal,
    strangers: &Strangers,
    bound: &Bound,
    bindings: &dyn Bindings,
    stop: &CancellationToken,
    ready: &(dyn Fn() + Send + Sync),
) -> Result<(), lapin::Error> {
    let channel = connection.create_channel().await?;
    topology::declare(&channel, bindings).await?;
    // Ours alone, and gone with the connection: what nobody watches is not collected.
    let queue = channel
        .queue_declare("".into(), QueueDeclareOptions::exclusive().auto_delete(), FieldTable::default())
        .await?;
    let mut taps = Taps { channel: &channel, queue: queue.name().clone(), bound: BTreeSet::new() };
    let mut changes = bindings.changes();
    let change = *changes.borrow_and_update();
    taps.follow(bindings).await?;
    bindings.tap_follows(Some(change));
    let no_ack = BasicConsumeOptions { no_ack: true, exclusive: true, ..Default::default() };
    let mut copies =
        channel.basic_consume(queue.name().clone(), "tap".into(), no_ack, FieldTable::default()).await?;
    ready();
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            Ok(()) = changes.changed() => {
                let change = *changes.borrow_and_update();
                taps.follow(bindings).await?;
                bindings.tap_follows(Some(change));
            }
            copy = copies.next() => match copy {
                Some(Ok(copy)) => report(copy, journal, strangers, bound, bindings),
                Some(Err(error)) => return Err(error),
                None => return Err(lapin::ErrorKind::FutureCompleted.into()),
            },
        }
    }
}

/// The bindings of the bridge's own queue. It hears a key only while a real queue does: our copy must not make a
/// message count as routed that reaches nobody else.
struct Taps<'a> {
    channel: &'a Channel,
    queue: ShortString,
    bound: BTreeSet<(&'static str, &'static str)>,
}

impl Taps<'_> {
    async fn follow(&mut self, bindings: &dyn Bindings) -> lapin::Result<()> {
        let queues = bindings.queues();
        let wanted: BTreeSet<_> = queues
            .iter()
            .filter(|queue| !bindings.is_unbound(queue.style.into(), queue.service))
            .map(|queue| (queue.style.exchange().name, queue.routing_key))
            .collect();
        for &(exchange, key) in wanted.difference(&self.bound) {
            // The real queues first: between the two bindings no message may have our copy alone.
            for queue in queues.iter().filter(|queue| queue.style.exchange().name == exchange) {
                topology::ensure(self.channel, queue, bindings).await?;
            }
            let (options, none) = (QueueBindOptions::default(), FieldTable::default());
            self.channel.queue_bind(self.queue.clone(), exchange.into(), key.into(), options, none).await?;
        }
        for &(exchange, key) in self.bound.difference(&wanted) {
            let none = FieldTable::default();
            self.channel.queue_unbind(self.queue.clone(), exchange.into(), key.into(), none).await?;
        }
        self.bound = wanted;
        Ok(())
    }
}

fn report(copy: Delivery, journal: &Journal, strangers: &Strangers, bound: &Bound, bindings: &dyn Bindings) {
    let (exchange, key) = (copy.exchange.as_str(), copy.routing_key.as_str());
    let Some(style) = style_of_exchange(exchange) else { return };
    let hears = |queue: &&Queue| {
        queue.style == style
            && (style.exchange().exchange_type == ExchangeType::Fanout || queue.routing_key == key)
            && !bindings.is_unbound(queue.style.into(), queue.service)
    };
    let queues: Vec<_> = bindings.queues().into_iter().filter(hears).collect();
    let message_type = queues.first().map_or("unknown", |queue| queue.message_type());
    let envelope = Envelope::receive(copy.properties, copy.data, message_type, |body| {
        strangers.claim("tap", queues.first().map_or("elsewhere", |queue| queue.routing_key), body)
    });
    for queue in queues {
        journal.report(routed(&envelope, style, exchange, key, queue.name.into(), None));
    }
    for queue in bound.hearing(style, key) {
        journal.report(routed(&envelope, style, exchange, key, queue, None));
    }
}
