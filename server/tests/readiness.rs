//! `/readyz`, the journal and the page say so when the broker has no room or the outbox cannot be sent.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod common;

use bridge::embedded;
use broker::{Broker, Config, Limits};
use common::{On, Skuflow};
use flow::{KindName, Style};
use lapin::{
    BasicProperties, Connection, ConnectionProperties,
    options::{BasicPublishOptions, QueueBindOptions, QueueDeclareOptions, QueuePurgeOptions},
    types::FieldTable,
};
use messaging::EmbeddedBroker;
use server::cli::BrokerChoice;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const MEMORY_BYTES: usize = 400_000;

/// Status and text of `/readyz`.
async fn readiness(skuflow: &Skuflow) -> (u16, String) {
    let response = skuflow.get("/readyz").await;
    (response.status().as_u16(), response.text().await.unwrap())
}

async fn picture(skuflow: &Skuflow) -> flow::Picture {
    serde_json::from_value(skuflow.json("/api/journal/picture").await).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_without_room_is_told_everywhere_and_all_goes_on_once_it_has_some() {
    let limits = Limits { memory_bytes: MEMORY_BYTES, ..Limits::default() };
    let broker = Broker::start(Config { limits, ..Config::default() }).await.unwrap();
    let url = format!("amqp://guest:guest@{}/%2f", broker.local_addr());
    let mut skuflow = Skuflow::start_with(On::Embedded, |settings| {
        settings.broker = BrokerChoice::At(url.parse().unwrap());
    })
    .await;
    skuflow.broker_url = url;
    let channel = skuflow.amqp().await.create_channel().await.unwrap();
    let (options, none) = (QueueDeclareOptions::default(), FieldTable::default());
    channel.queue_declare("garbage".into(), options, none).await.unwrap();
    let garbage = vec![b'x'; 2 * MEMORY_BYTES];
    let (options, none) = (BasicPublishOptions::default(), BasicProperties::default());
    channel.basic_publish("".into(), "garbage".into(), options, &garbage, none).await.unwrap();

    // Accepted and recorded; only what follows from it waits. The broker learns of a publisher from what it publishes, so
    // the first message may be through.
    let style = Style::Choreography;
    skuflow.arrive("MUG-RED", 2, style.as_str()).await;
    skuflow
        .until("it is not ready", async || {
            let (status, text) = readiness(&skuflow).await;
            status == 503 && text.contains("takes no messages from inventory choreography")
        })
        .await;
    for _ in 0..2 {
        skuflow.arrive("MUG-RED", 2, style.as_str()).await;
    }
    assert_eq!(skuflow.stock(style.as_str(), "MUG-RED").await["on_hand"], 6);
    assert!(skuflow.product(style.as_str(), "MUG-RED").await["quantity"].as_u64() <= Some(2));
    let reason = picture(&skuflow).await.broker_blocked(style).map(str::to_owned);
    assert_eq!(reason.as_deref(), Some("low on memory"));
    assert_eq!(picture(&skuflow).await.broker_blocked(Style::Orchestration), None);
    let page = skuflow.get("/lab/choreography").await.text().await.unwrap();
    assert!(page.contains("The broker takes no messages now"), "{page}");

    // On a connection of its own: the publisher's is blocked.
    let other = skuflow.amqp().await.create_channel().await.unwrap();
    other.queue_purge("garbage".into(), QueuePurgeOptions::default()).await.unwrap();
    skuflow.until("it is ready", async || readiness(&skuflow).await.0 == 200).await;
    skuflow.settled().await;
    assert_eq!(skuflow.product(style.as_str(), "MUG-RED").await["quantity"], 6);
    assert_eq!(picture(&skuflow).await.broker_blocked(style), None);
    let published = skuflow.journal().await;
    let published = published.iter().filter(|event| event.kind.name() == KindName::Published).count();
    assert_eq!(published, 3, "what waits for a blocked broker is not sent again and again");
    skuflow.stopped().await;
    broker.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_embedded_broker_that_strangers_fill_says_so_before_anybody_of_ours_publishes() {
    let limits = Limits { memory_bytes: MEMORY_BYTES, ..Limits::default() };
    let broker = EmbeddedBroker::start(Config { limits, ..Config::default() }).await.unwrap();
    let (told, mut tells) = mpsc::unbounded_channel();
    let (teller, end) = (broker.clone(), CancellationToken::new());
    let stop = end.clone();
    let telling = tokio::spawn(async move { teller.tell_trouble(|why| told.send(why).unwrap(), stop).await });
    let url = format!("amqp://guest:guest@{}/%2f", broker.local_addr());
    let connect = async || Connection::connect(&url, ConnectionProperties::default()).await.unwrap();
    let (filling, emptying) = (connect().await, connect().await);
    let channel = filling.create_channel().await.unwrap();
    let (options, none) = (QueueDeclareOptions::default(), FieldTable::default());
    channel.queue_declare("garbage".into(), options, none).await.unwrap();
    let garbage = vec![b'x'; 2 * MEMORY_BYTES];
    let (options, none) = (BasicPublishOptions::default(), BasicProperties::default());
    channel.basic_publish("".into(), "garbage".into(), options, &garbage, none).await.unwrap();

    let why = tells.recv().await.unwrap().unwrap();
    let mut picture = flow::Picture::default();
    picture.apply(&embedded::trouble(Some(why)));
    for style in Style::ALL {
        assert!(picture.broker_blocked(*style).unwrap().contains("bytes of memory"), "{picture:?}");
    }
    let channel = emptying.create_channel().await.unwrap();
    channel.queue_purge("garbage".into(), QueuePurgeOptions::default()).await.unwrap();
    picture.apply(&embedded::trouble(tells.recv().await.unwrap()));
    assert!(!picture.is_broker_full());
    end.cancel();
    telling.await.unwrap();
    broker.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outbox_that_no_queue_takes_from_is_not_ready_until_one_does() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let style = Style::Choreography;
    let exchange = style.exchange().name;
    let channel = skuflow.amqp().await.create_channel().await.unwrap();
    for queue in style.queues() {
        let none = FieldTable::default();
        channel.queue_unbind(queue.name.into(), exchange.into(), "".into(), none).await.unwrap();
    }
    skuflow.arrive("MUG-RED", 2, style.as_str()).await;
    skuflow
        .until("it is not ready", async || {
            let (status, text) = readiness(&skuflow).await;
            status == 503 && text.contains("the outbox of choreography is stuck: no queue took the message")
        })
        .await;
    for queue in style.queues() {
        let (options, none) = (QueueBindOptions::default(), FieldTable::default());
        channel.queue_bind(queue.name.into(), exchange.into(), "".into(), options, none).await.unwrap();
    }
    skuflow.settled().await;
    assert_eq!(readiness(&skuflow).await, (200, "ready\n".to_owned()));
    assert_eq!(skuflow.product(style.as_str(), "MUG-RED").await["quantity"], 2);
    skuflow.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outbox_from_which_what_was_stuck_is_taken_is_ready_without_another_message() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let style = Style::Choreography;
    let channel = skuflow.amqp().await.create_channel().await.unwrap();
    for queue in style.queues() {
        let (exchange, none) = (style.exchange().name, FieldTable::default());
        channel.queue_unbind(queue.name.into(), exchange.into(), "".into(), none).await.unwrap();
    }
    skuflow.arrive("MUG-RED", 2, style.as_str()).await;
    skuflow.until("it is not ready", async || readiness(&skuflow).await.0 == 503).await;
    let reset = skuflow.post("/api/reset", r#"{"confirm":"reset"}"#).await;
    assert_eq!(reset.status(), 204);
    skuflow.until("it is ready", async || readiness(&skuflow).await.0 == 200).await;
    skuflow.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_wrong_is_said_at_once() {
    let skuflow = Skuflow::start(On::Embedded).await;
    std::fs::rename(skuflow.data().join("catalog.db"), skuflow.data().join("elsewhere.db")).unwrap();
    std::fs::rename(skuflow.data().join("wishlist.db"), skuflow.data().join("elsewhere too.db")).unwrap();
    let (status, text) = readiness(&skuflow).await;
    assert_eq!(status, 503);
    assert!(text.contains("catalog.db is gone") && text.contains("wishlist.db is gone"), "{text}");
}
