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

on_both_brokers!(
    a_stranger_with_a_queue_of_its_own_is_seen_with_its_name_until_it_leaves,
    a_queue_is_seen_while_it_is_bound_in_its_style_alone_and_one_that_is_bound_elsewhere_never,
    a_rival_at_a_queue_of_ours_is_seen_there_and_a_purge_empties_what_it_purges,
    two_servers_on_one_virtual_host_are_told_of_each_other_until_one_leaves,
);

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
    let hidden = async || skuflow.json("/api/others").await["hidden"].clone();
    skuflow
        .until("it is told that nobody answers", async || {
            hidden().await.to_string().contains("does not answer")
        })
        .await;
    manage(addr).await;
    skuflow.until("others are visible", async || hidden().await.is_null()).await;
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

    let listens = told(&skuflow, KindName::ConsumerStarted).await;
    assert_eq!(listens.len(), 1, "that it takes messages is not told as if it came once more: {listens:?}");

    connection.close(200, "bye".into()).await.unwrap();
    skuflow.until("its queue has left with it", async || seen(&skuflow).await.is_none()).await;
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
        let hidden = async |skuflow: &Skuflow| skuflow.json("/api/others").await["hidden"].clone();
        assert!(hidden(&skuflow).await.to_string().contains(REASON));
        skuflow.stopped().await;
        let skuflow = start(on).await;
        skuflow.until("they are visible", async || hidden(&skuflow).await.is_null()).await;
        skuflow.stopped().await;
    });
    common::run(On::Embedded, async |on| {
        let skuflow = Skuflow::start(on).await;
        assert!(skuflow.json("/api/others").await["hidden"].is_null());
        skuflow.stopped().await;
    });
}

/// What the server's own picture shows of others in a style: each queue with how it is bound, and who consumes.
async fn others(skuflow: &Skuflow, style: Style) -> Vec<String> {
    let picture: Picture = serde_json::from_value(skuflow.json("/api/journal/picture").await).unwrap();
    let system = picture.system(style);
    let names = |queue: &QueuePicture| {
        let names = queue.strangers().map(|one| one.node.as_ref().unwrap().to_string());
        names.collect::<Vec<_>>().join(", ")
    };
    let foreign = system.foreign_queues().iter().map(|queue| {
        let ways = queue.told_bindings().unwrap_or_default().iter();
        let ways: Vec<_> = ways.map(|way| format!("{}[{}]", way.routing_key, way.via.join(","))).collect();
        format!("{} by {} ready {} to {}", queue.name, ways.join(" "), queue.ready(), names(queue))
    });
    let rivals = system.own_queues().iter().filter(|queue| queue.strangers().next().is_some());
    foreign.chain(rivals.map(|queue| format!("{} to {}", queue.name, names(queue)))).collect()
}

async fn shows(skuflow: &Skuflow, style: Style, expected: &[&str]) {
    let what = format!("{style} shows {expected:?}");
    skuflow.until(&what, async || others(skuflow, style).await == expected).await;
}

async fn stranger(skuflow: &Skuflow, name: &str) -> (Connection, Channel) {
    let named = ConnectionProperties::default().with_connection_name(name.into());
    let connection = Connection::connect(&skuflow.broker_url, named).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    (connection, channel)
}

async fn declare(channel: &Channel, queue: &str) {
    let none = FieldTable::default();
    // What a run before left there would be in the way.
    channel.queue_delete(queue.into(), Default::default()).await.unwrap();
    channel.queue_declare(queue.into(), QueueDeclareOptions::durable(), none).await.unwrap();
}

async fn bind(channel: &Channel, queue: &str, exchange: &str, key: &str) {
    let (options, none) = (QueueBindOptions::default(), FieldTable::default());
    channel.queue_bind(queue.into(), exchange.into(), key.into(), options, none).await.unwrap();
}

async fn unbind(channel: &Channel, queue: &str, exchange: &str, key: &str) {
    channel.queue_unbind(queue.into(), exchange.into(), key.into(), FieldTable::default()).await.unwrap();
}

async fn consume(channel: &Channel, queue: &str) {
    let (options, none) = (BasicConsumeOptions::default(), FieldTable::default());
    let consumer = channel.basic_consume(queue.into(), "takes".into(), options, none).await.unwrap();
    consumer.set_delegate(|_| async {});
}

async fn a_queue_is_seen_while_it_is_bound_in_its_style_alone_and_one_that_is_bound_elsewhere_never(on: On) {
    let (event, command) = (Style::Choreography, Style::Orchestration);
    let skuflow = start(on).await;
    let (_connection, channel) = stranger(&skuflow, "audit").await;
    declare(&channel, "elsewhere").await;
    bind(&channel, "elsewhere", "amq.fanout", "").await;
    consume(&channel, "elsewhere").await;

    declare(&channel, "archive").await;
    bind(&channel, "archive", "inventory.commands", "update_wishlists").await;
    shows(&skuflow, command, &["archive by update_wishlists[] ready 0 to "]).await;
    assert_eq!(others(&skuflow, event).await, [""; 0]);

    // Over another exchange, in the other style too.
    let fanout = lapin::ExchangeKind::Fanout;
    channel
        .exchange_declare("relay".into(), fanout, Default::default(), FieldTable::default())
        .await
        .unwrap();
    bind(&channel, "archive", "relay", "").await;
    let relay = async |exchange: &str| {
        let (options, none) = (Default::default(), FieldTable::default());
        channel.exchange_bind("relay".into(), exchange.into(), "".into(), options, none).await.unwrap();
    };
    relay("sku_processed").await;
    shows(&skuflow, event, &["archive by [relay] ready 0 to "]).await;
    unbind(&channel, "archive", "inventory.commands", "update_wishlists").await;
    shows(&skuflow, command, &[]).await;
    shows(&skuflow, event, &["archive by [relay] ready 0 to "]).await;

    skuflow.arrive("MUG-RED", 1, "choreography").await;
    shows(&skuflow, event, &["archive by [relay] ready 1 to "]).await;
    channel.queue_purge("archive".into(), Default::default()).await.unwrap();
    shows(&skuflow, event, &["archive by [relay] ready 0 to "]).await;

    channel.exchange_delete("relay".into(), Default::default()).await.unwrap();
    shows(&skuflow, event, &[]).await;
    bind(&channel, "archive", "sku_processed", "").await;
    shows(&skuflow, event, &["archive by [] ready 0 to "]).await;
    channel.queue_delete("archive".into(), Default::default()).await.unwrap();
    shows(&skuflow, event, &[]).await;
    skuflow
        .until("that it is gone is told", async || {
            let journal = skuflow.journal().await;
            let gone = journal.iter().filter(|event| event.kind.name() == KindName::QueueDeleted);
            gone.filter(|one| one.queue.as_deref() == Some("archive"))
                .map(|one| one.style())
                .eq([Some(event)])
        })
        .await;
    channel.queue_delete("elsewhere".into(), Default::default()).await.unwrap();
    let elsewhere = skuflow.journal().await;
    let elsewhere: Vec<_> =
        elsewhere.iter().filter(|one| one.queue.as_deref() == Some("elsewhere")).collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
    skuflow.stopped().await;
}

async fn a_rival_at_a_queue_of_ours_is_seen_there_and_a_purge_empties_what_it_purges(on: On) {
    const QUEUE: &str = "catalog.sku_processed";
    let (event, command) = (Style::Choreography, Style::Orchestration);
    let skuflow = start(on).await;
    let (connection, channel) = stranger(&skuflow, "rival").await;
    consume(&channel, QUEUE).await;
    shows(&skuflow, event, &["catalog.sku_processed to rival"]).await;
    assert_eq!(others(&skuflow, command).await, [""; 0]);
    connection.close(200, "bye".into()).await.unwrap();
    shows(&skuflow, event, &[]).await;

    // Ours has one message in hand, and takes no other.
    let body = serde_json::json!({ "workers": 1, "prefetch": 1 }).to_string();
    let answer = skuflow.post("/api/choreography/catalog/workers", body).await;
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    let gates = async |closed: serde_json::Value| {
        let request = skuflow.request("PUT", "/api/choreography/gates");
        let answer = request.json(&serde_json::json!({ "closed": closed })).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    };
    gates(serde_json::json!([{ "gate": "after_delivery", "service": "catalog" }])).await;
    let depth = async || {
        let picture: Picture = serde_json::from_value(skuflow.json("/api/journal/picture").await).unwrap();
        picture.system(event).queue(QUEUE).map(|queue| (queue.ready(), queue.unacked()))
    };
    for _ in 0..4 {
        skuflow.arrive("MUG-RED", 1, "choreography").await;
    }
    skuflow.until("three wait", async || depth().await == Some((3, 1))).await;
    let (_connection, channel) = stranger(&skuflow, "purger").await;
    channel.queue_purge(QUEUE.into(), Default::default()).await.unwrap();
    skuflow.until("the purge is seen", async || depth().await == Some((0, 1))).await;
    gates(serde_json::json!([])).await;
    skuflow.until("ours went on", async || depth().await == Some((0, 0))).await;
    skuflow.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_both_styles_lead_to_gets_a_message_in_the_style_of_its_exchange_alone() {
    const BOTH: &str = "x.both";
    let skuflow = Skuflow::start(On::Embedded).await;
    let (_connection, channel) = stranger(&skuflow, "both").await;
    declare(&channel, BOTH).await;
    bind(&channel, BOTH, "sku_processed", "").await;
    bind(&channel, BOTH, "inventory.commands", "nobody.at.all").await;
    for &style in Style::ALL {
        skuflow.until("both lead to it", async || others(&skuflow, style).await.len() == 1).await;
    }
    skuflow.arrive("MUG-RED", 1, "choreography").await;
    skuflow.settled().await;
    let is_ready = async |style: Style| {
        let mut picture = Picture::default();
        skuflow.journal().await.iter().for_each(|event| picture.apply(event));
        picture.system(style).queue(BOTH).is_some_and(|queue| queue.ready() == 1)
    };
    for &style in Style::ALL {
        skuflow.until("both show what is in it", async || is_ready(style).await).await;
    }
    let is_step =
        |event: &Event| event.queue.as_deref() == Some(BOTH) && event.kind.name() == KindName::Routed;
    let styles: Vec<_> =
        skuflow.journal().await.into_iter().filter(is_step).map(|event| event.style()).collect();
    assert_eq!(styles, [Some(Style::Choreography)]);
}

#[tokio::test]
async fn whoever_publishes_is_named_and_who_purges_too() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let (_connection, channel) = stranger(&skuflow, "a till").await;
    let (options, body) = (Default::default(), br#"{"sku":"MUG-RED"}"#);
    channel
        .basic_publish("sku_processed".into(), "".into(), options, body, Default::default())
        .await
        .unwrap();
    let routed = skuflow
        .some("it is routed", async || {
            skuflow.journal().await.into_iter().find(|event| event.kind.name() == KindName::Routed)
        })
        .await;
    let flow::Kind::Routed { message: Some(message), .. } = &routed.kind else { panic!("{routed:?}") };
    assert_eq!(message.publisher.as_deref(), Some("a till"));
    declare(&channel, "archive").await;
    bind(&channel, "archive", "sku_processed", "").await;
    shows(&skuflow, Style::Choreography, &["archive by [] ready 0 to "]).await;
    let bound = skuflow.journal().await;
    let bound: Vec<_> = bound.iter().filter(|event| event.kind.name() == KindName::QueueBound).collect();
    assert_eq!(bound.len(), 1, "what is ours is bound as it was declared, and not told: {bound:?}");
    assert_eq!(bound[0].node, Some(Node::Foreign("a till".into())));
}

/// The server was not there while the queue was changed: what it shows after its start is what is there.
#[tokio::test]
async fn after_a_restart_others_are_shown_as_they_are_then() {
    let style = Style::Choreography;
    let skuflow = Skuflow::start(On::Embedded).await;
    let (_connection, channel) = stranger(&skuflow, "audit").await;
    declare(&channel, "archive").await;
    bind(&channel, "archive", "sku_processed", "").await;
    let none = FieldTable::default();
    // It goes with the broker, as the connections do.
    channel.queue_declare("passing".into(), Default::default(), none).await.unwrap();
    bind(&channel, "passing", "sku_processed", "").await;
    consume(&channel, "archive").await;
    let before = ["archive by [] ready 0 to audit", "passing by [] ready 1 to "];
    skuflow.arrive("MUG-RED", 1, "choreography").await;
    shows(&skuflow, style, &before).await;

    let skuflow = skuflow.restart().await;
    shows(&skuflow, style, &["archive by [] ready 1 to "]).await;
    let told = skuflow.journal().await.len();
    let skuflow = skuflow.restart().await;
    shows(&skuflow, style, &["archive by [] ready 1 to "]).await;
    let news = skuflow.journal().await.split_off(told);
    let bound = news.iter().filter(|event| event.kind.name() == KindName::QueueBound).count();
    assert_eq!(bound, 0, "what has not changed is not told again");
}

#[tokio::test]
async fn a_broker_that_is_stopped_and_started_has_lost_what_was_not_durable() {
    let style = Style::Orchestration;
    let skuflow = Skuflow::start(On::Embedded).await;
    let (_connection, channel) = stranger(&skuflow, "audit").await;
    declare(&channel, "archive").await;
    let none = FieldTable::default();
    channel.queue_declare("passing".into(), Default::default(), none).await.unwrap();
    for queue in ["archive", "passing"] {
        bind(&channel, queue, "inventory.commands", "recalculate_sku").await;
    }
    let way = "by recalculate_sku[] ready 0 to ";
    shows(&skuflow, style, &[&*format!("archive {way}"), &*format!("passing {way}")]).await;
    let faults = async |method: &str, body: &str| {
        let request = skuflow.request(method, "/api/orchestration/faults").body(body.to_owned());
        let answer = request.header("content-type", "application/json").send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    };
    faults("PUT", r#"{"faults":[{"kind":"broker_stopped","service":"inventory"}]}"#).await;
    skuflow
        .until("the broker is down", async || {
            let picture = skuflow.json("/api/journal/picture").await;
            let picture: Picture = serde_json::from_value(picture).unwrap();
            picture.broker_down().is_some()
        })
        .await;
    faults("DELETE", "").await;
    shows(&skuflow, style, &[&*format!("archive {way}")]).await;
}

#[tokio::test]
async fn a_queue_that_was_unbound_on_purpose_is_drawn_without_its_line_until_it_is_bound_again() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let has_line = async || {
        let page = skuflow.get("/lab/choreography").await.text().await.unwrap();
        assert!(page.contains(r#"data-queue="catalog.sku_processed""#));
        page.contains(r#"data-edge="route:catalog.sku_processed""#)
    };
    assert!(has_line().await);
    let (_connection, channel) = stranger(&skuflow, "vandal").await;
    unbind(&channel, "catalog.sku_processed", "sku_processed", "").await;
    skuflow.until("its line is gone", async || !has_line().await).await;
    bind(&channel, "catalog.sku_processed", "sku_processed", "").await;
    skuflow.until("its line is back", async || has_line().await).await;
}

#[tokio::test]
async fn more_others_than_there_are_rows_for_are_counted_in_the_page() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let (_connection, channel) = stranger(&skuflow, "audit").await;
    for number in 0..20 {
        let queue = format!("archive.{number:02}");
        declare(&channel, &queue).await;
        bind(&channel, &queue, "sku_processed", "").await;
    }
    let page = async |style: &str| skuflow.get(&format!("/lab/{style}")).await.text().await.unwrap();
    skuflow.until("all are counted", async || page("choreography").await.contains("13 more")).await;
    let drawn = page("choreography").await;
    // Drawn as upright it would be narrow, and its text half as large.
    assert!(drawn.contains(r#"data-orientation="wide""#));
    assert!(drawn.contains(r#"data-node="others""#) && drawn.contains(r#"data-queue="archive.06""#));
    assert!(!drawn.contains(r#"data-queue="archive.07""#));
    assert!(!page("orchestration").await.contains(r#"data-queue="archive"#));
}

/// A management API that lets nobody in.
#[tokio::test]
async fn a_wrong_password_for_the_management_api_is_told_as_such() {
    let broker = Skuflow::start(On::Embedded).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let api = Router::new().fallback(|| async { StatusCode::UNAUTHORIZED });
    tokio::spawn(async move { axum::serve(listener, api).await });
    let skuflow = Skuflow::start_with(On::Embedded, |settings| {
        settings.broker = BrokerChoice::At(broker.broker_url.parse().unwrap());
        settings.management = Some(format!("http://watcher:wrong@{addr}").parse().unwrap());
    })
    .await;
    let hidden = async || skuflow.json("/api/others").await["hidden"].clone();
    let says = "the management API refused user watcher: wrong password?";
    skuflow.until("it is told", async || hidden().await.to_string().contains(says)).await;
}

async fn two_servers_on_one_virtual_host_are_told_of_each_other_until_one_leaves(on: On) {
    let first = Skuflow::start(on).await;
    // What the first one declared stays: only whoever starts on RabbitMQ itself cleans up.
    let second = Skuflow::start_with(On::Embedded, |settings| {
        settings.broker = BrokerChoice::At(first.broker_url.parse().unwrap());
    })
    .await;
    let neighbours = async |skuflow: &Skuflow| {
        let picture: Picture = serde_json::from_value(skuflow.json("/api/journal/picture").await).unwrap();
        picture.neighbours
    };
    let named = |skuflow: &Skuflow| vec![Id::from(format!("Skuflow at {}", skuflow.url))];
    let (at_first, at_second) = (named(&second), named(&first));
    first.until("it sees the second", async || neighbours(&first).await == at_first).await;
    first.until("the second sees it", async || neighbours(&second).await == at_second).await;
    drop(second.stopped().await);
    first.until("it is alone again", async || neighbours(&first).await.is_empty()).await;
}
