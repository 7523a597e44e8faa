//! What is asked of a Skuflow over another transport than AMQP.
#![allow(dead_code, missing_docs, reason = "each test file uses its part of this")]

use super::common::Skuflow;
use flow::{Event, Kind, KindName, Picture, Service, System, Transport};
use rusqlite::{Connection as Store, OpenFlags};
use serde_json::{Value, json};
use std::path::Path;

pub fn systems(transport: Transport) -> [System; 2] {
    transport.systems().collect::<Vec<_>>().try_into().unwrap()
}

pub async fn arrive(
    skuflow: &Skuflow,
    transport: Transport,
    sku: &str,
    quantity: u32,
    style: &str,
) -> Vec<Value> {
    let body = json!({ "sku": sku, "quantity": quantity, "style": style, "transport": transport });
    skuflow.accepted("arrivals", body).await
}

pub async fn picture(skuflow: &Skuflow) -> Picture {
    serde_json::from_value(skuflow.json("/api/journal/picture").await).unwrap()
}

/// Waits until both systems over a transport are settled, by the picture and by the transport itself.
pub async fn settled(skuflow: &Skuflow, transport: Transport) {
    skuflow
        .until("the systems are settled", async || {
            let picture = picture(skuflow).await;
            let queues = skuflow.json("/api/queues").await;
            let is_empty = |queue: &Value| queue["ready"] == 0 && queue["unacked"] == 0;
            systems(transport).iter().all(|system| picture.system(*system).is_settled())
                && queues.as_array().unwrap().iter().all(is_empty)
        })
        .await;
}

pub async fn get(skuflow: &Skuflow, system: System, call: &str) -> Value {
    skuflow.json(&system.api(call)).await
}

pub async fn set(skuflow: &Skuflow, system: System, call: &str, body: Value) -> (u16, Value) {
    let request = skuflow.request("PUT", &system.api(call)).json(&body);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

pub fn of_sku(list: &Value, sku: &str) -> Value {
    list.as_array().unwrap().iter().find(|entry| entry["sku"] == sku).cloned().unwrap_or(Value::Null)
}

pub async fn product(skuflow: &Skuflow, system: System, sku: &str) -> Value {
    of_sku(&get(skuflow, system, "catalog/products").await, sku)
}

pub async fn mails(skuflow: &Skuflow, system: System) -> usize {
    get(skuflow, system, "wishlist/emails").await.as_array().unwrap().len()
}

pub async fn wishes(skuflow: &Skuflow, system: System, sku: &str) -> usize {
    let wishes = get(skuflow, system, "wishlist/wishes").await;
    wishes.as_array().unwrap().iter().filter(|wish| wish["sku"] == sku).count()
}

pub async fn journal(skuflow: &Skuflow, system: System) -> Vec<Event> {
    let all = skuflow.journal().await;
    all.into_iter().filter(|event| event.system == Some(system)).collect()
}

pub fn count(events: &[Event], kind: KindName) -> usize {
    events.iter().filter(|event| event.kind.name() == kind).count()
}

/// How many of catalog's workers have taken a message.
pub async fn taken_by(skuflow: &Skuflow, system: System) -> usize {
    let story = journal(skuflow, system).await.into_iter();
    let of_catalog = story.filter(|event| event.node == Some(Service::Catalog.into()));
    let tags = of_catalog.filter_map(|event| match event.kind {
        Kind::Delivered { consumer_tag } => Some(consumer_tag),
        _ => None,
    });
    tags.collect::<std::collections::BTreeSet<_>>().len()
}

/// So many arrivals, each of a SKU of its own, so that each that is lost is missed by itself.
pub fn apart(system: System, round: u32, count: u32) -> Value {
    let line = |n: u32| {
        json!({
            "sku": format!("APART-{round}-{n}"), "quantity": 1,
            "style": system.style, "transport": system.transport,
        })
    };
    (0..count).map(line).collect::<Vec<_>>().into()
}

/// How many of those each service has not heard of, by the stores alone.
pub fn missing(data: &Path, system: System) -> [u64; 3] {
    let read = |file: &str, sql: &str| -> Vec<(String, i64)> {
        let store = Store::open_with_flags(data.join(file), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        store.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
        let mut select = store.prepare(sql).unwrap();
        let rows = select.query_map([system.as_str()], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    };
    let apart = "style = ?1 AND sku LIKE 'APART-%'";
    let recorded = read("inventory.db", &format!("SELECT sku, version FROM stock WHERE {apart}"));
    let known = [
        read("inventory.db", &format!("SELECT sku, calculated_version FROM stock WHERE {apart}")),
        read("catalog.db", &format!("SELECT sku, version FROM products WHERE {apart}")),
        read("wishlist.db", &format!("SELECT sku, version FROM known WHERE {apart}")),
    ];
    known.map(|known| recorded.iter().filter(|row| !known.contains(row)).count() as u64)
}

/// How many messages in the outbox of a system wait to be sent, by the store.
pub fn unsent(data: &Path, system: System) -> u64 {
    let store = Store::open_with_flags(data.join("inventory.db"), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    store.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    let count = "SELECT count(*) FROM outbox WHERE style = ?1";
    store.query_row(count, [system.as_str()], |row| row.get(0)).unwrap()
}

/// How many messages are told to be lost to each service.
pub fn told_lost(picture: &Picture, system: System) -> [u64; 3] {
    Service::ALWAYS.map(|service| picture.system(system).queue_of(service).map_or(0, |queue| queue.lost))
}
