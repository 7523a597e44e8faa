//! What strangers bind and consume on the broker is seen, with their names.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod common;

use axum::{Router, http::StatusCode};
use common::{On, Skuflow};
use flow::{
    Event, Id, KindName, Node, Picture, Provenance, Style,
    picture::{Consumer, QueuePicture},
};
use lapin::{
    Channel, Connection, ConnectionProperties,
    options::{BasicConsumeOptions, QueueBindOptions, QueueDeclareOptions},
    types::FieldTable,
};
use server::cli::BrokerChoice;
use std::net::SocketAddr;
use tokio::net::TcpListener;

on_both_brokers!(a_stranger_with_a_queue_of_its_own_is_seen_with_its_name_until_it_leaves);

/// A management API that knows of nothing, at that address.
async fn manage(addr: SocketAddr) {
    let api = Router::new().fallback(|| async { StatusCode::NOT_FOUND });
    let listener = TcpListener::bind(addr).await.unwrap();
    tokio::spawn(async move { axum::serve(listener, api).await });
}

#[tokio::test]
async fn the_page_is_told_when_others_become_visible() {
    // Where the management API will be. Another broker than the embedded one is any that is named.
    let addr = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let broker = Skuflow::start(On::Embedded).await;
    let skuflow = Skuflow::start_with(On::Embedded, |settings| {
        settings.broker = BrokerChoice::At(broker.broker_url.parse().unwrap());
        settings.management = Some(format!("http://{addr}").parse().unwrap());
    })
    .await;
    let part = async || skuflow.get("/parts/choreography/others").await.text().await.unwrap();
    skuflow.until("it is told that nobody answers", async || part().await.contains("does not answer")).await;
    manage(addr).await;
    skuflow.until("others are visible", async || part().await.is_empty()).await;
}

const QUEUE: &str = "audit of strangers";

async fn start(on: On) -> Skuflow {
    let management = std::env::var("SKUFLOW_TEST_RABBITMQ_MANAGEMENT").ok();
    Skuflow::start_with(on, |settings| {
        if on == On::RabbitMq {
            settings.management = management.map(|url| url.parse().unwrap());
        }
    })
    .await
}

/// A queue of its own at the fanout exchange, and somebody who listens and acks.
async fn listen(url: &str) -> (Connection, Channel) {
    let named = ConnectionProperties::default().with_connection_name("audit".into());
    let connection = Connection::connect(url, named).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let none = FieldTable::default;
    channel.queue_declare(QUEUE.into(), QueueDeclareOptions::exclusive(), none()).await.unwrap();
    let exchange = Style::Choreography.exchange().name;
    channel
        .queue_bind(QUEUE.into(), exchange.into(), "".into(), QueueBindOptions::default(), none())
        .await
        .unwrap();
    let no_ack = BasicConsumeOptions { no_ack: true, ..Default::default() };
    let consumer = channel.basic_consume(QUEUE.into(), "listener".into(), no_ack, none()).await.unwrap();
    consumer.set_delegate(|_| async {});
    (connection, channel)
}

async fn seen(skuflow: &Skuflow) -> Option<QueuePicture> {
    let mut picture = Picture::default();
    for event in skuflow.journal().await {
        picture.apply(&event);
    }
    picture.system(Style::Choreography).queue(QUEUE).cloned()
}

async fn told(skuflow: &Skuflow, kind: KindName) -> Vec<Event> {
    let is_it = |event: &Event| event.kind.name() == kind && event.queue.as_deref() == Some(QUEUE);
    skuflow.journal().await.into_iter().filter(is_it).collect()
}

async fn a_stranger_with_a_queue_of_its_own_is_seen_with_its_name_until_it_leaves(on: On) {
    let skuflow = start(on).await;
    let (connection, _channel) = listen(&skuflow.broker_url).await;
    skuflow
        .until("the stranger is seen", async || !told(&skuflow, KindName::ConsumerStarted).await.is_empty())
        .await;
    let audit = Node::Foreign("audit".into());
    let started = told(&skuflow, KindName::ConsumerStarted).await;
    assert!(started.iter().all(|event| event.provenance == Provenance::Broker));
    assert!(started.iter().all(|event| event.node.as_ref() == Some(&audit)));
    let consumer = Consumer { tag: Id::from("listener"), node: Some(audit) };
    assert_eq!(seen(&skuflow).await.unwrap().consumers, [consumer]);

    skuflow.arrive("MUG-RED", 1, "choreography").await;
    skuflow.settled().await;
    skuflow
        .until("its copy is seen", async || seen(&skuflow).await.is_some_and(|queue| queue.routed == 1))
        .await;
    skuflow
        .until("it has taken its copy", async || seen(&skuflow).await.is_some_and(|queue| queue.is_empty()))
        .await;

    connection.close(200, "bye".into()).await.unwrap();
    skuflow
        .until("it has left", async || seen(&skuflow).await.is_some_and(|queue| queue.consumers.is_empty()))
        .await;
    // Nobody else was taken for a stranger: the tap of the bridge is none.
    let strangers: Vec<_> = skuflow
        .journal()
        .await
        .into_iter()
        .filter(|event| {
            event.kind.name() == KindName::ConsumerStarted && event.provenance == Provenance::Broker
        })
        .filter(|event| event.queue.as_deref() != Some(QUEUE))
        .collect();
    assert!(strangers.is_empty(), "{strangers:?}");
    skuflow.stopped().await;
}

#[test]
fn the_page_says_why_strangers_are_not_visible() {
    const REASON: &str = "management API was not named";
    common::run(On::RabbitMq, async |on| {
        let skuflow = Skuflow::start(on).await;
        let others =
            async |skuflow: &Skuflow| skuflow.get("/parts/choreography/others").await.text().await.unwrap();
        assert!(others(&skuflow).await.contains(REASON));
        skuflow.stopped().await;
        let skuflow = start(on).await;
        skuflow.until("they are visible", async || others(&skuflow).await.is_empty()).await;
        skuflow.stopped().await;
    });
    common::run(On::Embedded, async |on| {
        let skuflow = Skuflow::start(on).await;
        assert_eq!(skuflow.get("/parts/choreography/others").await.text().await.unwrap(), "");
        skuflow.stopped().await;
    });
}
