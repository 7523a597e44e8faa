//! What a message costs: one that waits for its confirm, and a hundred on their way through a queue.
#![allow(missing_docs, reason = "what the macros make has none")]

use broker::{Broker, Config, raw};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use futures::StreamExt;
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties, Consumer, options::*, types::FieldTable,
};
use std::hint::black_box;
use tokio::runtime::Runtime;

const BODY: [u8; 200] = [b'x'; 200];
const PERSISTENT: u8 = 2;
const BATCH: u64 = 100;
const QUEUE: &str = "bench";

struct Setup {
    broker: Broker,
    // The channel lives as long as its connection.
    _connection: Connection,
    channel: Channel,
    consumer: Consumer,
    _folder: tempfile::TempDir,
}

async fn setup(durable: bool) -> Setup {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let data = durable.then(|| folder.path().to_owned());
    let broker =
        Broker::start(Config { data, ..Config::default() }).await.expect("a broker on a free port starts");
    let url = format!("amqp://guest:guest@{}/%2f", broker.local_addr());
    let connected = async {
        let connection = Connection::connect(&url, ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        let options = QueueDeclareOptions { durable, ..Default::default() };
        channel.queue_declare(QUEUE.into(), options, FieldTable::default()).await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        let options = BasicConsumeOptions { no_ack: true, ..Default::default() };
        let consumer =
            channel.basic_consume(QUEUE.into(), "bench".into(), options, FieldTable::default()).await?;
        lapin::Result::Ok((connection, channel, consumer))
    };
    let (connection, channel, consumer) = connected.await.expect("our own broker takes the connection");
    Setup { broker, _connection: connection, channel, consumer, _folder: folder }
}

async fn round_trip(setup: &mut Setup, messages: u64) {
    let mut confirms = Vec::new();
    for _ in 0..messages {
        let properties = BasicProperties::default().with_delivery_mode(PERSISTENT);
        let options = BasicPublishOptions::default();
        let publishing = setup.channel.basic_publish("".into(), QUEUE.into(), options, &BODY, properties);
        confirms.push(publishing.await.expect("the channel is open"));
    }
    for confirm in confirms {
        confirm.await.expect("the broker confirms");
    }
    for _ in 0..messages {
        setup.consumer.next().await.expect("the consumer goes on").expect("a delivery");
    }
}

fn messages(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime can be started");
    let mut group = criterion.benchmark_group("published, confirmed and delivered");
    group.sample_size(30);
    for durable in [false, true] {
        let mut setup = runtime.block_on(setup(durable));
        let name = if durable { "durable" } else { "in memory" };
        for count in [1, BATCH] {
            group.throughput(Throughput::Elements(count));
            group.bench_with_input(BenchmarkId::new(name, count), &count, |bencher, &count| {
                bencher.iter(|| runtime.block_on(round_trip(&mut setup, count)));
            });
        }
        runtime.block_on(setup.broker.shutdown());
    }
    group.finish();

    let properties = BasicProperties::default()
        .with_content_type("application/json".into())
        .with_delivery_mode(PERSISTENT)
        .with_message_id("01a22b28-a303-70f3-a9c7-010ec65dc012".into());
    let encoded = raw::encode(&properties);
    criterion.bench_function("properties taken apart and put together", |bencher| {
        bencher.iter(|| raw::Parts::read(black_box(&encoded)).map(|parts| parts.write()));
    });
}

criterion_group!(benches, messages);
criterion_main!(benches);
