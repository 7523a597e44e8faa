//! Dead-lettering: where messages go that a queue gives up, and the `x-death` header that says why.

use super::{
    Core, Message, Name, QueueId,
    arguments::integer,
    message::{header_routes, without_header},
};
use crate::{
    event::{DeathReason, Event},
    raw,
};
use amq_protocol::types::{AMQPValue, FieldArray, FieldTable};
use std::{collections::HashMap, sync::Arc};

const X_DEATH: &str = "x-death";

impl Core {
    /// Publishes a message that a queue gave up to its dead-letter exchange, if it has one.
    pub(crate) fn dead_letter(&mut self, from: QueueId, message: &Message, reason: DeathReason) {
        let Some(queue) = self.queues.get(&from) else { return };
        let Some(target) = queue.arguments.dead_letter.clone() else { return };
        let from = queue.name.clone();
        self.spend(super::work::DEAD_LETTER_STEPS);
        // An exchange that does not exist is no error here: the message is gone.
        let Some(exchange) = self.exchanges.get(&target.exchange) else { return };
        let exchange = exchange.name.clone();
        let dead = Arc::new(dead_message(
            self.next_id(),
            message,
            &from,
            reason,
            exchange.clone(),
            target.routing_key,
            self.now_ms / 1000,
        ));
        let mut queues = self.route(&dead);
        // What a consumer rejected may go round; what nobody looked at would go round for ever.
        if reason != DeathReason::Rejected {
            queues.retain(|id| {
                let is_cycle = |queue: &super::Queue| is_automatic_cycle(&queue.name, &dead);
                !self.queues.get(id).is_some_and(is_cycle)
            });
        }
        let queues = self.publish_internal(&dead, &queues);
        self.report(|_| Event::DeadLettered { from, reason, exchange, message: dead, queues });
    }
}

/// The message as it is published to the dead-letter exchange.
fn dead_message(
    id: u64,
    message: &Message,
    queue: &str,
    reason: DeathReason,
    exchange: Name,
    routing_key: Option<Name>,
    now_seconds: u64,
) -> Message {
    let headers = message.headers().unwrap_or_default();
    let mut headers = with_death(headers, message, queue, reason, now_seconds);
    let routing_keys = match routing_key {
        None => message.routing_keys().clone(),
        Some(key) => {
            headers = without_header(&headers, "CC");
            Arc::from([key])
        }
    };
    let properties = message.raw_properties().with_headers(&headers).without_expiration();
    Message::new(id, exchange, routing_keys, properties, message.body().clone(), message.held())
}

/// Notes a death in the headers: one entry for each queue and reason, the latest first, with a count.
fn with_death(
    mut headers: FieldTable,
    message: &Message,
    queue: &str,
    reason: DeathReason,
    now_seconds: u64,
) -> FieldTable {
    let deaths = match headers.inner().get(X_DEATH) {
        Some(AMQPValue::FieldArray(deaths)) => Some(deaths.as_slice().to_vec()),
        _ => None,
    };
    let is_first = !headers.contains_key(X_DEATH);
    let mut deaths = merged(deaths.unwrap_or_default());
    let same = |death: &AMQPValue| {
        matches!(death, AMQPValue::FieldTable(death)
            if field_is(death, "queue", queue) && field_is(death, "reason", reason.as_str()))
    };
    let death = match deaths.iter().position(same).map(|index| deaths.remove(index)) {
        Some(AMQPValue::FieldTable(death)) => count_up(death),
        _ => new_death(&headers, message, queue, reason, now_seconds),
    };
    deaths.insert(0, AMQPValue::FieldTable(death));
    headers.insert(X_DEATH.into(), AMQPValue::FieldArray(FieldArray::from(deaths)));
    if is_first {
        headers.insert("x-first-death-reason".into(), long_string(reason.as_str()));
        headers.insert("x-first-death-queue".into(), long_string(queue));
        headers.insert("x-first-death-exchange".into(), long_string(message.exchange()));
    }
    headers
}

/// One entry for each queue and reason: older brokers noted each death. RabbitMQ turns the order of the entries round as
/// it does so, and counts those that have no count; a single entry it leaves alone.
fn merged(deaths: Vec<AMQPValue>) -> Vec<AMQPValue> {
    if deaths.len() < 2 {
        return deaths;
    }
    let key = |death: &AMQPValue| match death {
        AMQPValue::FieldTable(death) => {
            format!("{:?}", ["queue", "reason"].map(|field| death.inner().get(field)))
        }
        other => format!("{other:?}"),
    };
    let mut times = HashMap::<String, i64>::new();
    let keys: Vec<String> = deaths.iter().map(key).collect();
    for key in &keys {
        *times.entry(key.clone()).or_default() += 1;
    }
    let first = keys.into_iter().zip(deaths).filter_map(|(key, mut death)| {
        let times = times.remove(&key)?;
        if let AMQPValue::FieldTable(death) = &mut death
            && !death.contains_key("count")
        {
            death.insert("count".into(), AMQPValue::LongLongInt(times));
        }
        Some(death)
    });
    let mut merged: Vec<AMQPValue> = first.collect();
    merged.reverse();
    merged
}

fn new_death(
    headers: &FieldTable,
    message: &Message,
    queue: &str,
    reason: DeathReason,
    now_seconds: u64,
) -> FieldTable {
    let cc = header_routes(headers, "CC").unwrap_or_default();
    let keys = std::iter::once(message.routing_key())
        .chain(&cc)
        .map(|key| AMQPValue::LongString(raw::unescape(key).to_vec().into()))
        .collect::<Vec<_>>();
    let mut death = FieldTable::default();
    death.insert("count".into(), AMQPValue::LongLongInt(1));
    death.insert("reason".into(), long_string(reason.as_str()));
    death.insert("queue".into(), long_string(queue));
    death.insert("time".into(), AMQPValue::Timestamp(now_seconds));
    death.insert("exchange".into(), long_string(message.exchange()));
    death.insert("routing-keys".into(), AMQPValue::FieldArray(FieldArray::from(keys)));
    if let Some(expiration) = message.raw_properties().text(raw::EXPIRATION) {
        death.insert("original-expiration".into(), long_string(&expiration));
    }
    death
}

fn count_up(mut death: FieldTable) -> FieldTable {
    let count = death.inner().get("count").and_then(integer).unwrap_or(0);
    // Whoever publishes may claim any count, and it goes round like RabbitMQ's.
    death.insert("count".into(), AMQPValue::LongLongInt(count.wrapping_add(1)));
    death
}

/// Whether the message was in this queue before and came round without any consumer rejecting it.
fn is_automatic_cycle(queue: &str, message: &Message) -> bool {
    let Some(headers) = message.headers() else { return false };
    let Some(AMQPValue::FieldArray(deaths)) = headers.inner().get(X_DEATH) else { return false };
    let deaths = deaths.as_slice();
    let in_queue =
        |death: &AMQPValue| matches!(death, AMQPValue::FieldTable(death) if field_is(death, "queue", queue));
    let automatic = |death: &AMQPValue| {
        matches!(death, AMQPValue::FieldTable(death)
            if !field_is(death, "reason", DeathReason::Rejected.as_str()))
    };
    deaths.iter().position(in_queue).is_some_and(|last| deaths[..=last].iter().all(automatic))
}

fn field_is(table: &FieldTable, field: &str, expected: &str) -> bool {
    matches!(table.inner().get(field), Some(AMQPValue::LongString(text)) if text.as_bytes() == expected.as_bytes())
}

fn long_string(text: &str) -> AMQPValue {
    AMQPValue::LongString(text.into())
}
