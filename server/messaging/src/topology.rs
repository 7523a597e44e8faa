//! Declares the exchanges, queues and bindings of both styles.
//!
//! Every connection declares everything before it does anything, also the queues of whoever has joined: then no service can
//! publish before the queues of the others exist, whichever starts first. Declaring again what is there changes nothing
//! (AMQP 0-9-1, rule on equivalence in exchange.declare and queue.declare).

use crate::hooks::Bindings;
use flow::{
    Style,
    topology::{ExchangeType, Queue},
};
use lapin::{
    Channel, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions},
    types::{AMQPValue, FieldTable},
};
use tokio_util::sync::CancellationToken;

/// The delay before each further attempt, in milliseconds; one more failure parks the message.
pub const RETRY_DELAYS_MS: [u64; 4] = [200, 1_000, 5_000, 15_000];

/// Declares the topology of both styles. A queue that is unbound on purpose stays so.
///
/// # Errors
/// When the broker refuses: most likely something of the same name was declared differently by somebody else.
pub async fn declare(channel: &Channel, bindings: &dyn Bindings) -> lapin::Result<()> {
    for style in Style::ALL {
        let exchange = style.exchange();
        let kind = match exchange.exchange_type {
            ExchangeType::Fanout => ExchangeKind::Fanout,
            ExchangeType::Direct => ExchangeKind::Direct,
        };
        let durable = ExchangeDeclareOptions { durable: true, ..Default::default() };
        channel.exchange_declare(exchange.name.into(), kind, durable, FieldTable::default()).await?;
    }
    for queue in bindings.queues() {
        ensure(channel, queue, bindings).await?;
    }
    Ok(())
}

/// Declares a queue with all that belongs to it, and binds it unless it is unbound on purpose.
///
/// # Errors
/// When the broker refuses.
pub async fn ensure(channel: &Channel, queue: &Queue, bindings: &dyn Bindings) -> lapin::Result<()> {
    declare_queue(channel, queue).await?;
    set_binding(channel, queue, bindings).await?;
    // Asked once more: its service may have left while we declared it.
    if !bindings.has_joined(queue.style.into(), queue.service) {
        take_away(channel, queue).await?;
    }
    Ok(())
}

/// Takes a queue's binding away: nothing comes into it any more.
///
/// # Errors
/// When the channel or connection fails.
pub async fn unbind(channel: &Channel, queue: &Queue) -> lapin::Result<()> {
    let (name, key) = (queue.name.into(), queue.routing_key.into());
    channel.queue_unbind(name, queue.style.exchange().name.into(), key, FieldTable::default()).await
}

/// How many messages wait in a queue.
///
/// # Errors
/// When there is no such queue, or the channel or connection fails.
pub async fn waiting(channel: &Channel, queue: &Queue) -> lapin::Result<u32> {
    let passive = QueueDeclareOptions { passive: true, ..Default::default() };
    Ok(channel.queue_declare(queue.name.into(), passive, FieldTable::default()).await?.message_count())
}

/// Deletes a queue and all that belongs to it; answers how many messages went with them. What is not there is no error.
///
/// # Errors
/// When the channel or connection fails.
pub async fn take_away(channel: &Channel, queue: &Queue) -> lapin::Result<u32> {
    let mut messages: u32 = 0;
    // What waits aside first: from the queue itself nothing goes there any more, but it would come back into it.
    let names = retry_queues(queue).chain([queue.name.to_owned(), queue.dead.to_owned()]);
    for name in names {
        let deleted = channel.queue_delete(name.as_str().into(), QueueDeleteOptions::default()).await?;
        messages = messages.saturating_add(deleted);
    }
    Ok(messages)
}

/// Keeps a queue bound, or unbound while that is wanted, until told to stop.
///
/// # Errors
/// When the channel or connection fails.
pub async fn keep_binding(
    channel: &Channel,
    queue: &Queue,
    bindings: &dyn Bindings,
    stop: &CancellationToken,
) -> lapin::Result<()> {
    let mut changes = bindings.changes();
    let mut was_unbound = None;
    loop {
        let change = *changes.borrow_and_update();
        let is_unbound = bindings.is_unbound(queue.style.into(), queue.service);
        if was_unbound.replace(is_unbound) != Some(is_unbound) {
            if is_unbound {
                bindings.tap_has_followed(change).await;
            }
            set_binding(channel, queue, bindings).await?;
            if is_unbound && bindings.is_unbound(queue.style.into(), queue.service) {
                bindings.was_unbound(queue.style.into(), queue.service);
            }
        }
        tokio::select! {
            Ok(()) = changes.changed() => {}
            () = stop.cancelled() => return Ok(()),
        }
    }
}

/// Binds a queue, or unbinds it while that is wanted.
///
/// # Errors
/// When the channel or connection fails.
pub async fn set_binding(channel: &Channel, queue: &Queue, bindings: &dyn Bindings) -> lapin::Result<()> {
    let (name, key) = (queue.name, queue.routing_key);
    let exchange = queue.style.exchange().name;
    if !bindings.is_unbound(queue.style.into(), queue.service) {
        let options = QueueBindOptions::default();
        channel.queue_bind(name.into(), exchange.into(), key.into(), options, FieldTable::default()).await?;
    }
    // Asked once more: it may have been unbound while we bound it.
    if bindings.is_unbound(queue.style.into(), queue.service) {
        channel.queue_unbind(name.into(), exchange.into(), key.into(), FieldTable::default()).await?;
    }
    Ok(())
}

/// The queues in which messages of `queue` wait for another attempt: one for each delay. A message leaves a queue only
/// at its head, so that in one queue for all a short wait would last as long as the longest in front of it.
pub fn retry_queues(queue: &Queue) -> impl Iterator<Item = String> {
    RETRY_DELAYS_MS.iter().map(|delay_ms| retry_queue(queue, *delay_ms))
}

/// Where a message of `queue` waits for that long: with those of the longest delay that is not longer. The first
/// delay's is `Q.retry` itself, the others are called `Q.retry.` and their delay.
#[must_use]
pub fn retry_queue(queue: &Queue, delay_ms: u64) -> String {
    let longest = RETRY_DELAYS_MS.iter().skip(1).rfind(|step| **step <= delay_ms);
    longest.map_or_else(|| queue.retry.to_owned(), |step| format!("{}.{step}", queue.retry))
}

async fn declare_queue(channel: &Channel, queue: &Queue) -> lapin::Result<()> {
    let durable = QueueDeclareOptions::durable();
    channel.queue_declare(queue.name.into(), durable, FieldTable::default()).await?;
    channel.queue_declare(queue.dead.into(), durable, FieldTable::default()).await?;
    // A message waits here with its own expiration and then goes back through the default exchange.
    let mut back = FieldTable::default();
    back.insert("x-dead-letter-exchange".into(), AMQPValue::LongString("".into()));
    back.insert("x-dead-letter-routing-key".into(), AMQPValue::LongString(queue.name.into()));
    for name in retry_queues(queue) {
        channel.queue_declare(name.as_str().into(), durable, back.clone()).await?;
    }
    Ok(())
}
