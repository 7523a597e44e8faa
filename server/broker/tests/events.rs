//! What the event hook and the overview tell.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use broker::{
    BindingDestination, Broker, Config, ConnectionInfo, Event, Health, QueueCounts, QueueDepth, Settlement,
};
use futures::StreamExt;
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties, ExchangeKind,
    options::*,
    types::{AMQPValue, FieldTable},
};
use std::sync::{Arc, Mutex, mpsc};

/// Everything the hook was told, as short lines.
type Log = Arc<Mutex<Vec<String>>>;

fn depth(depth: &QueueDepth) -> String {
    format!("{} {}/{}", depth.queue, depth.ready, depth.unacked)
}

fn depths(queues: &[QueueDepth]) -> String {
    queues.iter().map(depth).collect::<Vec<_>>().join(", ")
}

fn whose(by: &Option<Arc<ConnectionInfo>>) -> String {
    by.as_ref().map_or_else(String::new, |by| format!(" by {}", by.name.as_deref().unwrap_or("?")))
}

fn line(event: &Event) -> String {
    match event {
        Event::Started(found) => format!("started with {} queues", found.queues.len()),
        Event::ConnectionOpened(connection) => format!("opened {:?}", connection.name.as_deref()),
        Event::ConnectionClosed(connection) => format!("closed {:?}", connection.name.as_deref()),
        Event::ExchangeDeclared { exchange, .. } => {
            format!("exchange {} {}", exchange.name, exchange.kind.as_str())
        }
        Event::QueueDeclared { queue, by } => format!("queue {}{}", queue.name, whose(by)),
        Event::QueueDeleted { queue, messages, by } => {
            format!("queue {queue} gone with {messages}{}", whose(by))
        }
        Event::QueuePurged { depth: queue, messages, by } => {
            format!("purged of {messages}{}: {}", whose(by), depth(queue))
        }
        Event::ExchangeDeleted { exchange, by } => format!("exchange {exchange} gone{}", whose(by)),
        Event::BindingAdded { binding, .. } => match &binding.destination {
            BindingDestination::Queue(queue) => format!("bound {queue} to {}", binding.source),
            BindingDestination::Exchange(exchange) => format!("bound {exchange} to {}", binding.source),
        },
        Event::BindingRemoved { binding, by } => format!("unbound from {}{}", binding.source, whose(by)),
        Event::ConsumerAdded(consumer) => format!("consumer {} on {}", consumer.tag, consumer.queue),
        Event::ConsumerRemoved(consumer) => format!("consumer {} gone", consumer.tag),
        Event::Published { message, queues, .. } => {
            let properties = message.properties();
            let id = properties.message_id();
            format!("published {id:?} to {:?}: {}", &**message.exchange(), depths(queues))
                .replace("ShortString", "")
        }
        Event::Returned { message, .. } => format!("returned {}", message.routing_key()),
        Event::Unroutable { message, .. } => format!("unroutable {}", message.routing_key()),
        Event::Delivered { depth: queue, consumer_tag, redelivered, connection, .. } => format!(
            "delivered to {:?} of {:?}, redelivered {redelivered}: {}",
            consumer_tag.as_deref(),
            connection.name.as_deref(),
            depth(queue)
        ),
        Event::Settled { depth: queue, settlement, .. } => match settlement {
            Settlement::Acked => format!("acked: {}", depth(queue)),
            Settlement::Rejected => format!("rejected: {}", depth(queue)),
            Settlement::Requeued => format!("requeued: {}", depth(queue)),
        },
        Event::DeadLettered { from, reason, exchange, queues, .. } => {
            format!("dead-lettered from {from}, {}, to {exchange:?}: {}", reason.as_str(), depths(queues))
        }
        other => format!("{other:?}"),
    }
}

async fn start() -> (Broker, Log, Connection, Channel) {
    let log = Log::default();
    let writing = log.clone();
    let on_event = Arc::new(move |event: &Event| writing.lock().unwrap().push(line(event)));
    let broker = Broker::start(Config { on_event: Some(on_event), ..Default::default() }).await.unwrap();
    let properties = ConnectionProperties::default().with_connection_name("tester".into());
    let url = format!("amqp://guest:guest@{}/%2f", broker.local_addr());
    let connection = Connection::connect(&url, properties).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    (broker, log, connection, channel)
}

async fn publish(channel: &Channel, exchange: &str, key: &str, mandatory: bool) {
    let options = BasicPublishOptions { mandatory, ..Default::default() };
    let properties = BasicProperties::default().with_message_id("id".into());
    channel
        .basic_publish(exchange.into(), key.into(), options, b"body", properties)
        .await
        .unwrap()
        .await
        .unwrap();
}

#[tokio::test]
async fn every_step_of_a_message_is_told_with_the_depth_after_it() {
    let (broker, log, connection, channel) = start().await;
    let none = FieldTable::default;
    channel.exchange_declare("x".into(), ExchangeKind::Fanout, Default::default(), none()).await.unwrap();
    let mut arguments = none();
    arguments.insert("x-dead-letter-exchange".into(), AMQPValue::LongString("".into()));
    arguments.insert("x-dead-letter-routing-key".into(), AMQPValue::LongString("dead".into()));
    channel.queue_declare("dead".into(), Default::default(), none()).await.unwrap();
    channel.queue_declare("q".into(), Default::default(), arguments).await.unwrap();
    for queue in ["q", "dead"] {
        channel.queue_bind(queue.into(), "x".into(), "".into(), Default::default(), none()).await.unwrap();
    }
    publish(&channel, "x", "k", false).await;
    publish(&channel, "", "nobody", true).await;
    publish(&channel, "", "nobody", false).await;
    let mut consumer =
        channel.basic_consume("q".into(), "tag".into(), Default::default(), none()).await.unwrap();
    let first = consumer.next().await.unwrap().unwrap();
    first.nack(BasicNackOptions { requeue: true, multiple: false }).await.unwrap();
    let second = consumer.next().await.unwrap().unwrap();
    second.reject(BasicRejectOptions { requeue: false }).await.unwrap();
    channel.basic_cancel("tag".into(), Default::default()).await.unwrap();
    channel.queue_delete("dead".into(), Default::default()).await.unwrap();
    connection.close(200, "".into()).await.unwrap();
    broker.shutdown().await;

    let told = log.lock().unwrap().clone();
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn what_goes_by_itself_is_told_with_its_bindings_and_whose_doing_it_was() {
    let (broker, log, connection, channel) = start().await;
    let none = FieldTable::default;
    let bind = async |queue: &str| {
        channel.queue_bind(queue.into(), "amq.fanout".into(), "".into(), Default::default(), none()).await
    };
    let auto_delete = QueueDeclareOptions { auto_delete: true, ..Default::default() };
    channel.queue_declare("auto".into(), auto_delete, none()).await.unwrap();
    channel.queue_declare("mine".into(), QueueDeclareOptions::exclusive(), none()).await.unwrap();
    let mut expires = none();
    expires.insert("x-expires".into(), AMQPValue::LongInt(1));
    channel.exchange_declare("y".into(), ExchangeKind::Fanout, Default::default(), none()).await.unwrap();
    channel
        .exchange_bind("y".into(), "amq.fanout".into(), "".into(), Default::default(), none())
        .await
        .unwrap();
    bind("auto").await.unwrap();
    bind("mine").await.unwrap();
    publish(&channel, "amq.fanout", "", false).await;
    log.lock().unwrap().clear();
    channel.queue_purge("mine".into(), Default::default()).await.unwrap();
    channel.basic_consume("auto".into(), "tag".into(), Default::default(), none()).await.unwrap();
    channel.basic_cancel("tag".into(), Default::default()).await.unwrap();
    channel.exchange_delete("y".into(), Default::default()).await.unwrap();
    channel.queue_declare("soon gone".into(), Default::default(), expires).await.unwrap();
    loop {
        if log.lock().unwrap().iter().any(|line| line == "queue soon gone gone with 0") {
            break;
        }
        tokio::task::yield_now().await;
    }
    connection.close(200, "".into()).await.unwrap();
    broker.shutdown().await;

    let mut told = log.lock().unwrap().clone();
    told.retain(|line| ["queue", "unbound", "exchange", "purged"].iter().any(|what| line.starts_with(what)));
    assert_eq!(
        told,
        [
            "purged of 1 by tester: mine 0/0",
            "unbound from amq.fanout by tester",
            "queue auto gone with 0 by tester",
            "unbound from amq.fanout by tester",
            "exchange y gone by tester",
            "queue soon gone by tester",
            "queue soon gone gone with 0",
            "unbound from amq.fanout by tester",
            "queue mine gone with 0 by tester",
        ]
    );
}

#[tokio::test]
async fn the_overview_lists_what_there_is() {
    let (broker, _, _connection, channel) = start().await;
    let none = FieldTable::default;
    channel.queue_declare("q".into(), Default::default(), none()).await.unwrap();
    channel
        .queue_bind("q".into(), "amq.topic".into(), "a.#".into(), Default::default(), none())
        .await
        .unwrap();
    channel.basic_qos(7, Default::default()).await.unwrap();
    let _consumer =
        channel.basic_consume("q".into(), "tag".into(), Default::default(), none()).await.unwrap();
    publish(&channel, "amq.topic", "a.b", true).await;

    let overview = broker.overview();
    assert_eq!(overview.exchanges[0].name.as_ref(), "");
    assert!(overview.exchanges.iter().any(|exchange| &*exchange.name == "amq.topic"));
    let queue = &overview.queues[0];
    assert_eq!((&*queue.name, queue.ready, queue.unacked, queue.consumers), ("q", 0, 1, 1));
    let binding = &overview.bindings[0];
    assert_eq!((&*binding.source, &*binding.routing_key), ("amq.topic", "a.#"));
    assert_eq!(binding.destination, BindingDestination::Queue("q".into()));
    let consumer = &overview.consumers[0];
    assert_eq!((&*consumer.queue, &*consumer.tag, consumer.prefetch), ("q", "tag", 7));
    assert_eq!(consumer.connection.name.as_deref(), Some("tester"));
    assert_eq!(overview.connections.len(), 1);
    broker.shutdown().await;
}

/// Whoever watches a broker from outside, such as a health check, must not be held up by it.
#[tokio::test(flavor = "multi_thread")]
async fn counts_and_health_are_told_while_the_broker_is_busy() {
    let (busy, is_busy) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel();
    let gate = Mutex::new((busy, may_go_on));
    let hold: broker::EventHook = Arc::new(move |event| {
        if matches!(event, Event::Published { .. }) {
            let (busy, may_go_on) = &*gate.lock().unwrap();
            busy.send(()).unwrap();
            may_go_on.recv().unwrap();
        }
    });
    let broker = Broker::start(Config { on_event: Some(hold), ..Config::default() }).await.unwrap();
    let url = format!("amqp://guest:guest@{}/%2f", broker.local_addr());
    let connection = Connection::connect(&url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    channel.queue_declare("q".into(), Default::default(), FieldTable::default()).await.unwrap();
    publish(&channel, "", "q", false).await;

    tokio::task::spawn_blocking(move || is_busy.recv().unwrap()).await.unwrap();
    // If any of these waited for the broker, it would wait for ever.
    let counts = QueueCounts { ready: 1, unacked: 0, consumers: 0 };
    assert_eq!((broker.queue_counts("q"), broker.queue_counts("none")), (Some(counts), None));
    assert_eq!(broker.health(), Health::Ready);
    assert!(broker.held_bytes() < 1000);
    go_on.send(()).unwrap();
    broker.shutdown().await;
}
