//! What is asked of a Skuflow over another transport than AMQP.
#![allow(dead_code, missing_docs, reason = "each test file uses its part of this")]

use super::common::Skuflow;
use flow::{Event, Kind, KindName, Picture, Service, System, Transport};
use serde_json::{Value, json};

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
